//! The SMTP generator: so many sessions, several mails in each, a pipelined envelope, one write for the content.
//!
//! The same for whoever listens. Only a 250 after the content counts.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Barrier, Semaphore};
use tokio::task::JoinSet;

use crate::Result;
use crate::load::content::Mails;
use crate::load::http::write_all;
use crate::measure::Done;

/// Mails in one session before it ends and another begins.
const MAILS_PER_SESSION: u64 = 50;
/// Sessions being opened at once: a thousand in the same instant would test the kernel's queue of connections, which
/// loses what does not fit (listen(2), tcp_syncookies), and a client that waits for its greeting then waits for ever.
const OPENED_AT_ONCE: usize = 64;
/// How long one reply may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// What one generator does.
#[derive(Clone, Debug)]
pub struct Target {
    /// To whom.
    pub address: SocketAddr,
    /// Sessions at once.
    pub sessions: usize,
}

impl Target {
    /// Sends mails until the time is up or `most` were sent; all sessions are open before the clock starts. `next`
    /// numbers the mails.
    pub async fn send(&self, mails: Arc<Mails>, next: Arc<AtomicU64>, time: Duration, most: u64) -> Result<Done> {
        let first = next.load(Ordering::Relaxed);
        let open = Arc::new(Barrier::new(self.sessions + 1));
        let mut running: JoinSet<Result<u64>> = JoinSet::new();
        for _ in 0..self.sessions {
            let (mails, next, open, address) = (mails.clone(), next.clone(), open.clone(), self.address);
            running.spawn(async move {
                let session = Session::open(address).await;
                open.wait().await;
                let (mut session, started, mut count) = (session?, Instant::now(), 0);
                while started.elapsed() < time {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number - first >= most {
                        break;
                    }
                    session.mail(&mails, number).await?;
                    count += 1;
                    if count % MAILS_PER_SESSION == 0 {
                        session.quit().await?;
                        session = Session::open(address).await?;
                    }
                }
                let _ = session.quit().await;
                Ok(count)
            });
        }
        open.wait().await;
        let started = Instant::now();
        let mut count = 0;
        while let Some(ended) = running.join_next().await {
            count += ended??;
        }
        Ok(Done { count, time: started.elapsed() })
    }

    /// All sessions send one mail each, in `steps` steps that all take together: there is a moment at which each of them
    /// has sent all but its last piece.
    pub async fn send_together(&self, mails: Arc<Mails>, steps: usize) -> Result<()> {
        let (together, opening) = (Arc::new(Barrier::new(self.sessions)), Arc::new(Semaphore::new(OPENED_AT_ONCE)));
        let mut running: JoinSet<Result<()>> = JoinSet::new();
        for number in 0..self.sessions {
            let (mails, together, opening, address) = (mails.clone(), together.clone(), opening.clone(), self.address);
            running.spawn(async move {
                let turn = opening.acquire().await;
                let mut session = Session::open(address).await?;
                drop(turn);
                let number = number as u64;
                session.envelope(&mails, number).await?;
                let mail = mails.whole(number);
                for piece in mail.chunks(mail.len().div_ceil(steps)) {
                    together.wait().await;
                    session.stream.write_all(piece).await?;
                }
                together.wait().await;
                session.stream.write_all(b".\r\n").await?;
                session.expect(250, "the content").await?;
                session.quit().await
            });
        }
        // The first failure ends all: the others would wait for it for ever.
        while let Some(ended) = running.join_next().await {
            ended??;
        }
        Ok(())
    }
}

struct Session {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Session {
    async fn open(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut session = Session { stream, buffer: Vec::with_capacity(4096) };
        session.expect(220, "connecting").await?;
        session.stream.write_all(b"EHLO generator.test\r\n").await?;
        session.expect(250, "EHLO").await?;
        Ok(session)
    }

    async fn mail(&mut self, mails: &Mails, number: u64) -> Result<()> {
        self.envelope(mails, number).await?;
        write_all(&mut self.stream, &[mails.head(number).as_bytes(), mails.body(number), b".\r\n"]).await?;
        self.expect(250, "the content").await
    }

    async fn envelope(&mut self, mails: &Mails, number: u64) -> Result<()> {
        let recipient = mails.recipient(number);
        let envelope = format!("MAIL FROM:<pat@mail.test>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n");
        self.stream.write_all(envelope.as_bytes()).await?;
        self.expect(250, "MAIL").await?;
        self.expect(250, "RCPT").await?;
        self.expect(354, "DATA").await
    }

    async fn quit(&mut self) -> Result<()> {
        self.stream.write_all(b"QUIT\r\n").await?;
        self.expect(221, "QUIT").await
    }

    /// Reads one reply (RFC 5321 4.2).
    async fn expect(&mut self, code: u16, to: &str) -> Result<()> {
        let read = tokio::time::timeout(PATIENCE, self.reply()).await;
        let reply = read.map_err(|_| format!("no reply to {to} in time"))??;
        match reply.starts_with(&code.to_string()) {
            true => Ok(()),
            false => Err(format!("{to} was answered {}", reply.trim_end()).into()),
        }
    }

    async fn reply(&mut self) -> io::Result<String> {
        loop {
            if let Some(end) = reply_end(&self.buffer) {
                let reply: Vec<u8> = self.buffer.drain(..end).collect();
                return Ok(String::from_utf8_lossy(&reply).into_owned());
            }
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// Where the first whole reply ends: after the first line whose code is followed by a blank.
fn reply_end(octets: &[u8]) -> Option<usize> {
    let mut start = 0;
    loop {
        let end = start + octets[start..].iter().position(|octet| *octet == b'\n')? + 1;
        if octets.get(start + 3) != Some(&b'-') {
            return Some(end);
        }
        start = end;
    }
}
