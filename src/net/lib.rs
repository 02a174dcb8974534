//! SMTP client pool, HTTP client and DNS
