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
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use crate::tls::Tls;

/// How long a client may take for a TLS handshake or a PROXY header.
const HANDSHAKE: Duration = Duration::from_secs(20);
/// How long a client that is turned away may take to hear why.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// How long to wait when accepting fails (out of descriptors): long enough not to spin, short enough not to be noticed.
const ACCEPT_TROUBLE: Duration = Duration::from_millis(100);
/// Longest PROXY header of version 2 that is read, its TLVs included.
const PROXY_HEADER: usize = 1024;
/// Longest PROXY header of version 1.
const PROXY_LINE: usize = 107;

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
        // Before anything is waited for: also who sends no PROXY header takes a place.
        let Some(mut place) = self.place() else { return self.turn_away(stream).await };
        let address = peer.ip().to_canonical();
        let peer = match self.settings.proxy_protocol.iter().any(|balancers| balancers.contains(&address)) {
            false => peer,
            true => match tokio::time::timeout(HANDSHAKE, proxied(&mut stream)).await {
                Ok(Ok(Some(told))) => told,
                Ok(Ok(None)) => peer,
                Ok(Err(error)) => return tracing::info!(%error, "no PROXY header where one is owed"),
                Err(_) => return,
            },
        };
        if !place.belongs_to(peer.ip().to_canonical()) {
            return self.turn_away(stream).await;
        }
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

    /// Says the protocol's "try later" and closes, so that it is heard: closing with octets unread would reset.
    async fn turn_away(&self, mut stream: TcpStream) {
        let farewell = async {
            stream.write_all(self.server.too_many()).await?;
            stream.shutdown().await?;
            let mut unread = [0u8; 1024];
            while stream.read(&mut unread).await? > 0 {}
            Ok::<_, io::Error>(())
        };
        let _ = tokio::time::timeout(LAST_WORDS, farewell).await;
    }

    /// Takes a place for one more connection, unless there is none.
    fn place(self: &Arc<Self>) -> Option<Place> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.all >= self.settings.max_connections.unwrap_or(DEFAULT_MAX_CONNECTIONS) {
            return None;
        }
        open.all += 1;
        Some(Place { gate: self.clone(), address: None })
    }
}

/// A connection's place among those allowed; given back when dropped.
struct Place {
    gate: Arc<Gate>,
    address: Option<IpAddr>,
}

impl Place {
    /// Counts it among those of an address; false when that one has enough.
    fn belongs_to(&mut self, address: IpAddr) -> bool {
        let each = self.gate.settings.max_connections_per_address.unwrap_or(usize::MAX);
        let mut open = self.gate.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.by_address.get(&address).is_some_and(|n| *n >= each) {
            return false;
        }
        *open.by_address.entry(address).or_default() += 1;
        self.address = Some(address);
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.gate.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all = open.all.saturating_sub(1);
        let Some(address) = self.address else { return };
        if let Some(count) = open.by_address.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&address);
            }
        }
    }
}

/// Reads a PROXY protocol header (v1 or v2) and not one octet more. `None`: the proxy speaks for itself.
async fn proxied(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<SocketAddr>> {
    let header = proxy_header(stream).await?;
    match ppp::HeaderResult::parse(&header) {
        ppp::HeaderResult::V1(Ok(found)) => Ok(match found.addresses {
            ppp::v1::Addresses::Tcp4(a) => Some((a.source_address, a.source_port).into()),
            ppp::v1::Addresses::Tcp6(a) => Some((a.source_address, a.source_port).into()),
            ppp::v1::Addresses::Unknown => None,
        }),
        // A health check of the proxy's own (2.2): the addresses in it mean nothing.
        ppp::HeaderResult::V2(Ok(found)) if found.command == ppp::v2::Command::Local => Ok(None),
        ppp::HeaderResult::V2(Ok(found)) => Ok(match found.addresses {
            ppp::v2::Addresses::IPv4(a) => Some((a.source_address, a.source_port).into()),
            ppp::v2::Addresses::IPv6(a) => Some((a.source_address, a.source_port).into()),
            _ => None,
        }),
        _ => Err(not_proxied()),
    }
}

/// The octets of a header: a line (v1), or a signature, the length of the rest, and the rest (v2).
async fn proxy_header(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    let (line, signature) = (ppp::v1::PROTOCOL_PREFIX.as_bytes(), ppp::v2::PROTOCOL_PREFIX);
    let mut header = Vec::new();
    while header.len() < signature.len() {
        header.push(stream.read_u8().await?);
        if !signature.starts_with(&header) && !line.starts_with(&header) && !header.starts_with(line) {
            return Err(not_proxied());
        }
    }
    if header == signature {
        let (commands, length) = (stream.read_u16().await?, stream.read_u16().await?);
        header.extend(commands.to_be_bytes().into_iter().chain(length.to_be_bytes()));
        let start = header.len();
        header.resize(start + usize::from(length), 0);
        if header.len() > PROXY_HEADER {
            return Err(not_proxied());
        }
        stream.read_exact(&mut header[start..]).await?;
        return Ok(header);
    }
    while header.len() < PROXY_LINE {
        header.push(stream.read_u8().await?);
        if header.ends_with(b"\n") {
            return Ok(header);
        }
    }
    Err(not_proxied())
}

fn not_proxied() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not a PROXY protocol header")
}

#[cfg(test)]
mod tests;
