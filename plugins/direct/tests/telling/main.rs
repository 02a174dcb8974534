//! What phones are told, in how many short messages, and what a bearer's word makes of an attempt.

mod attempts;
mod budget;
mod support;
