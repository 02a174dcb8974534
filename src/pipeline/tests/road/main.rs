//! The road as a whole: a real store, rules, the queue, time moved by hand.

mod gathered;
mod returned;
mod story;
mod support;
