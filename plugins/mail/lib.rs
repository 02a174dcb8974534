//! plugin mail
