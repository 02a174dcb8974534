//! The door from outside, over a real socket.

mod profiles;
mod requests;
mod retrieval;
mod support;
