//! The generators, and what they send. Both sides of a comparison are driven by the same code.

pub mod content;
pub mod http;
pub mod smtp;
