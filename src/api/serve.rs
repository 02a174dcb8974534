//! Listening, written once in the daemon and offered to plugins: TLS, PROXY protocol, connection limits, drain.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
pub use tokio_util::sync::CancellationToken;

use crate::async_trait;

/// A byte stream both ways.
pub trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Upgrades a plain stream to TLS.
#[async_trait]
pub trait Upgrade: Send + Sync {
    /// The server side of a TLS handshake. Octets read ahead of it are not passed on.
    async fn upgrade(&self, stream: Box<dyn Stream>) -> io::Result<Box<dyn Stream>>;
}

/// A connection somebody opened to us.
pub struct Connection {
    /// The bytes.
    pub stream: Box<dyn Stream>,
    /// Who: from the PROXY header when the listener takes one.
    pub peer: SocketAddr,
    /// The address they connected to.
    pub local: SocketAddr,
    /// Whether TLS is on already.
    pub secure: bool,
    /// How to turn it on, if this listener has a certificate.
    pub upgrade: Option<Arc<dyn Upgrade>>,
    /// Cancelled when the daemon drains: finish what is under way, take nothing new.
    pub drain: CancellationToken,
}

impl Connection {
    /// Turns TLS on.
    pub async fn start_tls(self) -> io::Result<Connection> {
        let Some(upgrade) = self.upgrade.clone() else {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "this listener has no certificate"));
        };
        let stream = upgrade.upgrade(self.stream).await?;
        Ok(Connection { stream, secure: true, ..self })
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

/// Where and how to listen: the keys every listening plugin has. Flatten it into the plugin's own settings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct Listen {
    /// Addresses and ports to listen on; port 0 takes any free one.
    #[schemars(example = ["0.0.0.0:25", "[::]:25"])]
    pub listen: Vec<String>,
    /// File with the certificate chain (PEM). With it and `tls_key`, TLS is offered.
    pub tls_certificate: Option<std::path::PathBuf>,
    /// File with the certificate's private key (PEM).
    pub tls_key: Option<std::path::PathBuf>,
    /// TLS from the first octet on (RFC 8314) instead of an upgrade the protocol asks for.
    pub implicit_tls: bool,
    /// Networks of the load balancers that put a PROXY protocol header (v1 or v2) before anything else; a connection of theirs
    /// without one is closed. From anybody else no header is taken: who could write one could be anybody.
    #[schemars(with = "Vec<String>", example = ["10.0.0.5/32"])]
    pub proxy_protocol: Vec<IpNet>,
    /// Most connections at once; more are closed at once after the protocol's own "try later".
    pub max_connections: Option<usize>,
    /// Most connections at once from one address.
    pub max_connections_per_address: Option<usize>,
}

impl Listen {
    /// What cannot be: an address without its port, limits that let nobody in. An error is `(key, message)`.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        for address in &self.listen {
            let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port);
            if port.and_then(|port| port.parse::<u16>().ok()).is_none() {
                let text = format!("\"{address}\" is not an address and a port, such as \"0.0.0.0:25\" or \"[::]:25\"");
                return Err(("listen", text));
            }
        }
        for (key, limit) in [
            ("max_connections", self.max_connections),
            ("max_connections_per_address", self.max_connections_per_address),
        ] {
            if limit == Some(0) {
                return Err((key, "0 lets nobody in; leave it out for the default".to_owned()));
            }
        }
        Ok(())
    }
}

/// Connections at once when the settings say nothing.
pub const DEFAULT_MAX_CONNECTIONS: usize = 4096;

/// What serves connections.
#[async_trait]
pub trait Serve: Send + Sync {
    /// Where and how.
    fn listen(&self) -> Listen;

    /// Serves one connection to its end.
    async fn serve(&self, connection: Connection);

    /// What to say to a connection over the limit before it is closed: the protocol's own "try later" (I-8).
    fn too_many(&self) -> &'static [u8] {
        b""
    }

    /// Called once, with the addresses really bound.
    fn bound(&self, _addresses: &[SocketAddr]) {}
}

/// The public address of a listener that phones are sent to: a handset door, or the pages. Known once it is bound.
#[derive(Clone, Debug, Default)]
pub struct Door(Arc<OnceLock<String>>);

impl Door {
    /// The address without a trailing slash, once it is known.
    pub fn url(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }

    /// Makes it known; the first word stands.
    pub fn open(&self, url: &str) {
        let _ = self.0.set(url.trim_end_matches('/').to_owned());
    }
}
