//! The road as a whole: a real store, rules, the queue, time moved by hand.

mod returned;
mod story;
mod support;
