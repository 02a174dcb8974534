//! plugin smtp
