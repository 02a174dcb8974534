//! The other side of every measurement.

pub mod append;
pub mod daemon;
pub mod postfix;
pub mod reference;
pub mod sink;
