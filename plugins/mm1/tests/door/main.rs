//! The door from outside, over a real socket.

mod requests;
mod retrieval;
mod support;
