//! The other side of every measurement.

pub mod append;
pub mod daemon;
pub mod kannel;
pub mod postfix;
pub mod reference;
pub mod sink;
pub mod smsc;

use std::net::{SocketAddr, TcpListener};

use crate::Result;

/// A port of loopback that nobody has at this moment, for a program that cannot say which one it took.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}
