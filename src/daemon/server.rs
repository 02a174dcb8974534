//! Listening, written once: sockets, TLS, PROXY protocol, connection limits, drain.
//!
//! A connection over a limit is told the protocol's own "try later" and closed (I-8). While draining nothing new is
//! accepted; connections see their token cancelled, finish what is under way and go.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use packetboat_api::serve::{CancellationToken, Connection, DEFAULT_MAX_CONNECTIONS, Listen, Serve, Stream, Upgrade};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use crate::tls::Tls;

/// How long a client may take for a TLS handshake or a PROXY header.
const HANDSHAKE: Duration = Duration::from_secs(20);
/// How long a client that is turned away may take to hear why.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How long to wait when accepting fails (out of descriptors): long enough not to spin, short enough not to be noticed.
const ACCEPT_TROUBLE: Duration = Duration::from_millis(100);
/// Longest PROXY header that is read (v2 with its TLVs; v1 is at most 107 octets).
const PROXY_HEADER: usize = 1024;

/// A server bound to its addresses, not yet accepting.
pub struct Bound {
    name: String,
    sockets: Vec<TcpListener>,
    gate: Arc<Gate>,
}

/// What every connection of one server passes.
struct Gate {
    server: Arc<dyn Serve>,
    settings: Listen,
    tls: Option<Arc<Tls>>,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    all: usize,
    by_address: HashMap<IpAddr, usize>,
}

impl Bound {
    /// Binds all addresses of a server. An error names the address.
    pub async fn bind(name: &str, server: Arc<dyn Serve>, tls: Option<Arc<Tls>>) -> Result<Self, String> {
        let settings = server.listen();
        let mut sockets = Vec::new();
        for address in &settings.listen {
            let socket =
                TcpListener::bind(address).await.map_err(|e| format!("{name}: cannot listen on {address}: {e}"))?;
            sockets.push(socket);
        }
        let bound = Bound {
            name: name.to_owned(),
            sockets,
            gate: Arc::new(Gate { server, settings, tls, open: Mutex::default() }),
        };
        bound.gate.server.bound(&bound.addresses());
        Ok(bound)
    }

    /// The addresses really bound.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.sockets.iter().filter_map(|socket| socket.local_addr().ok()).collect()
    }

    /// Accepts until `drain`; every connection is a task of `tasks`.
    pub fn run(self, tasks: &TaskTracker, drain: &CancellationToken) {
        for socket in self.sockets {
            let (gate, name, tasks_too, drain) = (self.gate.clone(), self.name.clone(), tasks.clone(), drain.clone());
            tasks.spawn(async move {
                loop {
                    let accepted = tokio::select! {
                        accepted = socket.accept() => accepted,
                        () = drain.cancelled() => return,
                    };
                    match accepted {
                        Ok((stream, peer)) => {
                            let (gate, drain) = (gate.clone(), drain.clone());
                            tasks_too.spawn(async move { gate.admit(stream, peer, drain).await });
                        }
                        Err(error) => {
                            tracing::warn!(listener = name, %error, "a connection could not be accepted");
                            tokio::time::sleep(ACCEPT_TROUBLE).await;
                        }
                    }
                }
            });
        }
    }
}

impl Gate {
    async fn admit(self: Arc<Self>, mut stream: TcpStream, peer: SocketAddr, drain: CancellationToken) {
        let _ = stream.set_nodelay(true);
        let local = stream.local_addr().unwrap_or(peer);
        let peer = match self.settings.proxy_protocol {
            false => peer,
            true => match tokio::time::timeout(HANDSHAKE, proxied(&mut stream)).await {
                Ok(Ok(Some(told))) => told,
                Ok(Ok(None)) => peer,
                Ok(Err(error)) => return tracing::info!(%error, "no PROXY header where one is owed"),
                Err(_) => return,
            },
        };
        let Some(_place) = self.place(peer.ip()) else {
            return turn_away(stream, self.server.too_many()).await;
        };
        let upgrade = self.tls.clone().map(|tls| tls as Arc<dyn Upgrade>);
        let stream: Box<dyn Stream> = Box::new(stream);
        let mut connection = Connection { stream, peer, local, secure: false, upgrade, drain };
        if self.settings.implicit_tls {
            connection = match tokio::time::timeout(HANDSHAKE, connection.start_tls()).await {
                Ok(Ok(secured)) => secured,
                Ok(Err(error)) => return tracing::info!(%error, "a TLS handshake failed"),
                Err(_) => return,
            };
        }
        self.server.serve(connection).await;
    }

    /// Takes a place for one more connection from `address`, unless a limit is reached.
    fn place(self: &Arc<Self>, address: IpAddr) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let all = self.settings.max_connections.unwrap_or(DEFAULT_MAX_CONNECTIONS);
        let each = self.settings.max_connections_per_address.unwrap_or(usize::MAX);
        if open.all >= all || open.by_address.get(&address).is_some_and(|n| *n >= each) {
            return None;
        }
        open.all += 1;
        *open.by_address.entry(address).or_default() += 1;
        Some(Place { gate: self.clone(), address })
    }
}

/// Says its last words to a connection. What the client has sent meanwhile is read, for a little while: closing before would
/// reset the connection, and the words would be lost (RFC 9112 9.6).
async fn turn_away(mut stream: TcpStream, words: &[u8]) {
    let goodbye = async {
        stream.write_all(words).await?;
        stream.shutdown().await?;
        let mut unheard = [0; 1024];
        while stream.read(&mut unheard).await? > 0 {}
        io::Result::Ok(())
    };
    let _ = tokio::time::timeout(LAST_WORDS, goodbye).await;
}

/// A connection's place among those allowed; given back when dropped.
struct Place {
    gate: Arc<Gate>,
    address: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.gate.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all = open.all.saturating_sub(1);
        if let Some(count) = open.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

/// Reads a PROXY protocol header (v1 or v2) and not one octet more. `None`: the proxy speaks for itself.
async fn proxied(stream: &mut TcpStream) -> io::Result<Option<SocketAddr>> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
    let mut header = Vec::new();
    while header.len() < PROXY_HEADER {
        header.push(stream.read_u8().await?);
        match ppp::HeaderResult::parse(&header) {
            ppp::HeaderResult::V1(Ok(found)) => {
                return Ok(match found.addresses {
                    ppp::v1::Addresses::Tcp4(a) => Some((a.source_address, a.source_port).into()),
                    ppp::v1::Addresses::Tcp6(a) => Some((a.source_address, a.source_port).into()),
                    ppp::v1::Addresses::Unknown => None,
                });
            }
            ppp::HeaderResult::V2(Ok(found)) => {
                return Ok(match found.addresses {
                    ppp::v2::Addresses::IPv4(a) => Some((a.source_address, a.source_port).into()),
                    ppp::v2::Addresses::IPv6(a) => Some((a.source_address, a.source_port).into()),
                    _ => None,
                });
            }
            result if ppp::PartialResult::is_incomplete(&result) => {}
            _ => return Err(wrong("not a PROXY protocol header")),
        }
    }
    Err(wrong("the PROXY protocol header is too long"))
}
