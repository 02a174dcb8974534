//! The pages from outside, over a real socket.

mod browser;
mod content;
mod evidence;
mod hostile;
mod locked;
mod old_phones;
mod page;
mod support;
