//! Reserved TCP ports, for programs that cannot bind port 0 and tell.
//!
//! A port that was free a moment ago is a race: another story, running at the same time in another test binary, may
//! get the same one. A [`Port`] is therefore taken below the range from which the kernel hands out ephemeral ports, and
//! held by a file lock for as long as the value lives. The lock goes away with the process that held it.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU16, Ordering};

/// Below Linux' default ephemeral range (32768 and up), above what packages usually listen on.
const RANGE: std::ops::Range<u16> = 20_000..32_000;

/// A port on the loopback address that no other story will use while this value lives.
#[derive(Debug)]
pub struct Port {
    number: u16,
    _lock: File,
}

impl Port {
    /// Reserves a port that is free for TCP and UDP on 127.0.0.1.
    ///
    /// # Panics
    /// When none is left, or the lock directory cannot be written.
    pub fn reserve() -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let directory = lock_directory();
        let width = RANGE.len() as u16;
        // Test binaries run one after the other and stories side by side: spread them, so that few probes are needed.
        let spread = (std::process::id() as u16).wrapping_mul(97) % width;
        for _ in 0..width {
            let step = NEXT.fetch_add(1, Ordering::Relaxed) % width;
            let number = RANGE.start + (spread + step) % width;
            let path = directory.join(number.to_string());
            let lock = File::create(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            if lock.try_lock().is_ok() && is_free(number) {
                return Port { number, _lock: lock };
            }
        }
        panic!("no free port between {} and {}", RANGE.start, RANGE.end);
    }

    /// The port number.
    pub fn number(&self) -> u16 {
        self.number
    }

    /// The port on 127.0.0.1.
    pub fn address(&self) -> SocketAddr {
        loopback(self.number)
    }
}

/// 127.0.0.1 with this port.
pub fn loopback(port: u16) -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, port))
}

/// Whether anybody accepts connections at `address`.
pub fn accepts(address: SocketAddr) -> bool {
    std::net::TcpStream::connect_timeout(&address, std::time::Duration::from_millis(500)).is_ok()
}

fn is_free(number: u16) -> bool {
    TcpListener::bind(loopback(number)).is_ok() && UdpSocket::bind(loopback(number)).is_ok()
}

/// Shared by all test binaries of one user.
fn lock_directory() -> PathBuf {
    let user = rustix::process::getuid().as_raw();
    let directory = std::env::temp_dir().join(format!("packetboat-ports-{user}"));
    std::fs::create_dir_all(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    directory
}
