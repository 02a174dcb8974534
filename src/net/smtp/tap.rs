//! The stream under lettre's connection.
//!
//! lettre keeps of the reply to EHLO only what it uses itself, lets octets that came ahead of the TLS handshake count
//! as replies that came after it (the STARTTLS injection of RFC 3207 6), and breaks off at a reply that is not UTF-8 or
//! has no text. This stream under it answers all of them: it keeps what is heard while a connection is made, it can be
//! taken out from under one connection and put under a new one, and it hands out ASCII in the one form lettre reads.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use bytes::{Buf, BytesMut};
use lettre::transport::smtp::client::AsyncTokioStream;
use packetboat_api::serve::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Most octets heard while a connection is made.
const HEARD: usize = 16 << 10;
/// Octets read at once.
const PIECE: usize = 2 << 10;
/// Digits of a reply code.
const CODE: usize = 3;

/// A handle on the stream that lettre has.
#[derive(Clone)]
pub(super) struct Tap {
    state: Arc<Mutex<State>>,
    peer: SocketAddr,
}

struct State {
    stream: Option<Box<dyn Stream>>,
    /// What was taken in and not yet read.
    ready: BytesMut,
    /// Octets of the line so far.
    column: usize,
    /// What was taken in; `None` when nobody listens any more.
    heard: Option<Vec<u8>>,
}

impl Tap {
    /// Listens to `stream`; what is read from it starts with `ahead`.
    pub fn new(stream: Box<dyn Stream>, peer: SocketAddr, ahead: &[u8]) -> Tap {
        let state = State { stream: Some(stream), ready: BytesMut::from(ahead), column: 0, heard: Some(Vec::new()) };
        Tap { state: Arc::new(Mutex::new(state)), peer }
    }

    /// The stream for lettre.
    pub fn wire(&self) -> Box<dyn AsyncTokioStream> {
        Box::new(Wire(self.clone()))
    }

    /// What was heard since the last time this was asked.
    pub fn take_heard(&self) -> Vec<u8> {
        self.state().heard.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Listens no more.
    pub fn stop_listening(&self) {
        self.state().heard = None;
    }

    /// Takes the stream away from lettre.
    pub fn take_stream(&self) -> Option<Box<dyn Stream>> {
        self.state().stream.take()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Wire(Tap);

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wire({})", self.0.peer)
    }
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.0.peer)
    }
}

impl State {
    fn stream(&mut self) -> io::Result<Pin<&mut dyn Stream>> {
        match &mut self.stream {
            Some(stream) => Ok(Pin::new(stream.as_mut())),
            None => Err(io::ErrorKind::NotConnected.into()),
        }
    }

    /// Makes what came from the server what lettre reads.
    fn take_in(&mut self, octets: &[u8]) -> io::Result<()> {
        let before = self.ready.len();
        for octet in octets {
            // "250" alone is a reply too (RFC 5321 4.2), which lettre wants a space in.
            if *octet == b'\r' && self.column == CODE {
                self.ready.extend_from_slice(b" ");
            }
            self.column = if *octet == b'\n' { 0 } else { self.column + 1 };
            // A reply is ASCII (RFC 5321 4.2).
            self.ready.extend_from_slice(&[if octet.is_ascii() { *octet } else { b'?' }]);
        }
        let Some(heard) = &mut self.heard else { return Ok(()) };
        heard.extend_from_slice(self.ready.get(before..).unwrap_or_default());
        if heard.len() > HEARD { Err(io::Error::other("the server talks too much")) } else { Ok(()) }
    }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut state = self.0.state();
        if state.ready.is_empty() {
            let mut space = [0; PIECE];
            let mut piece = ReadBuf::new(&mut space);
            std::task::ready!(state.stream()?.poll_read(cx, &mut piece))?;
            state.take_in(piece.filled())?;
        }
        let now = state.ready.len().min(buf.remaining());
        buf.put_slice(state.ready.get(..now).unwrap_or_default());
        state.ready.advance(now);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.0.state().stream()?.poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.state().stream()?.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.state().stream()?.poll_shutdown(cx)
    }
}
