//! What goes to a phone, and what an attempt comes to.

mod attempts;
mod bodies;
mod support;
