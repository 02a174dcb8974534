//! The HTTP generator: so many connections, one request after the other on each.
//!
//! Written on sockets, not on an HTTP client: it must cost less than what it measures, and the same on both sides.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Result;
use crate::load::content::{MEDIA_TYPE, SendReq, is_confirmed};
use crate::measure::Done;
use crate::peers::daemon::mmsc_path;

/// What one generator does.
#[derive(Clone, Debug)]
pub struct Target {
    /// To whom.
    pub address: SocketAddr,
    /// Connections at once.
    pub connections: usize,
    /// Several requests on a connection; otherwise each has its own, and ends when the server has closed it.
    pub keep_alive: bool,
}

/// How long one request may take.
const PATIENCE: Duration = Duration::from_secs(60);

impl Target {
    /// Posts m-send-reqs until the time is up or `most` were posted, each confirmed with Ok. `next` numbers them.
    pub async fn post(&self, pdus: Arc<SendReq>, next: Arc<AtomicU64>, time: Duration, most: u64) -> Result<Done> {
        let (first, started) = (next.load(Ordering::Relaxed), Instant::now());
        let mut running = tokio::task::JoinSet::new();
        for connection in 0..self.connections {
            let (pdus, next) = (pdus.clone(), next.clone());
            let mut client = Client::new(self);
            running.spawn(async move {
                let path = mmsc_path(connection);
                let mut count = 0;
                while started.elapsed() < time {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number - first >= most {
                        break;
                    }
                    let (head, rest) = pdus.pieces(number);
                    let close = client.close_field();
                    let request = format!(
                        "POST {path} HTTP/1.1\r\nHost: mmsc\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {}\r\n{close}\r\n",
                        pdus.len()
                    );
                    let answer = client.ask(&[request.as_bytes(), &head, &rest]).await?;
                    if answer.status != 200 || !is_confirmed(client.body(answer)) {
                        let said = client.body(answer).escape_ascii().to_string();
                        return Err(format!("an m-send-req was answered {}: {said}", answer.status).into());
                    }
                    count += 1;
                }
                Ok(count)
            });
        }
        summed(running, started).await
    }

    /// Gets each of the paths once, whole.
    pub async fn get(&self, paths: Arc<Vec<String>>) -> Result<(Done, usize)> {
        self.get_with(paths, "").await
    }

    /// Gets each of the paths once, whole, with these header fields besides, each with its CRLF.
    pub async fn get_with(&self, paths: Arc<Vec<String>>, fields: &'static str) -> Result<(Done, usize)> {
        let (next, length) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let started = Instant::now();
        let mut running = tokio::task::JoinSet::new();
        for _ in 0..self.connections {
            let (paths, next, length) = (paths.clone(), next.clone(), length.clone());
            let mut client = Client::new(self);
            running.spawn(async move {
                let mut count = 0;
                while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed) as usize) {
                    let close = client.close_field();
                    let request = format!("GET {path} HTTP/1.1\r\nHost: mmsc\r\n{fields}{close}\r\n");
                    let answer = client.ask(&[request.as_bytes()]).await?;
                    if !(200..300).contains(&answer.status) {
                        return Err(format!("GET {path} was answered {}", answer.status).into());
                    }
                    length.fetch_max(answer.length as u64, Ordering::Relaxed);
                    count += 1;
                }
                Ok(count)
            });
        }
        let done = summed(running, started).await?;
        Ok((done, length.load(Ordering::Relaxed) as usize))
    }
}

/// One GET on a connection of its own: its answer, head and all. An answer that is no success is an error.
pub async fn get_once(address: SocketAddr, path: &str, fields: &str) -> Result<Vec<u8>> {
    let mut client = Client::new(&Target { address, connections: 1, keep_alive: true });
    let request = format!("GET {path} HTTP/1.1\r\nHost: mmsc\r\n{fields}\r\n");
    let answer = client.ask(&[request.as_bytes()]).await?;
    match answer.status {
        200..300 => Ok(client.buffer),
        status => Err(format!("GET {path} was answered {status}").into()),
    }
}

async fn summed(mut running: tokio::task::JoinSet<Result<u64>>, started: Instant) -> Result<Done> {
    let mut count = 0;
    while let Some(ended) = running.join_next().await {
        count += ended??;
    }
    Ok(Done { count, time: started.elapsed() })
}

/// One connection at a time.
struct Client {
    address: SocketAddr,
    keep_alive: bool,
    stream: Option<TcpStream>,
    buffer: Vec<u8>,
}

/// An answer; its body is in the buffer.
#[derive(Clone, Copy)]
struct Answer {
    status: u16,
    start: usize,
    length: usize,
}

impl Client {
    fn new(target: &Target) -> Self {
        Client {
            address: target.address,
            keep_alive: target.keep_alive,
            stream: None,
            buffer: Vec::with_capacity(256 << 10),
        }
    }

    fn close_field(&self) -> &'static str {
        if self.keep_alive { "" } else { "Connection: close\r\n" }
    }

    fn body(&self, answer: Answer) -> &[u8] {
        self.buffer.get(answer.start..answer.start + answer.length).unwrap_or_default()
    }

    async fn ask(&mut self, request: &[&[u8]]) -> Result<Answer> {
        let asked = tokio::time::timeout(PATIENCE, self.exchange(request)).await;
        asked.map_err(|_| "no answer in time")?.map_err(|e| format!("HTTP with {}: {e}", self.address).into())
    }

    async fn exchange(&mut self, request: &[&[u8]]) -> io::Result<Answer> {
        let mut stream = match self.stream.take() {
            Some(stream) => stream,
            None => {
                let stream = TcpStream::connect(self.address).await?;
                stream.set_nodelay(true)?;
                stream
            }
        };
        write_all(&mut stream, request).await?;
        let answer = self.read_answer(&mut stream).await?;
        match self.keep_alive {
            true => self.stream = Some(stream),
            // A phone reads to the end and closes then.
            false => while stream.read(&mut [0; 64]).await? > 0 {},
        }
        Ok(answer)
    }

    async fn read_answer(&mut self, stream: &mut TcpStream) -> io::Result<Answer> {
        self.buffer.clear();
        let head = loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break end + 4;
            }
            self.more(stream).await?;
        };
        let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
        let status = text.get(9..12).and_then(|code| code.parse().ok());
        let length = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
        let (Some(status), Some(length)) = (status, length) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "an answer without status or length"));
        };
        while self.buffer.len() < head + length {
            self.more(stream).await?;
        }
        Ok(Answer { status, start: head, length })
    }

    async fn more(&mut self, stream: &mut TcpStream) -> io::Result<()> {
        self.buffer.reserve(64 << 10);
        match stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

/// Writes several pieces with as few calls as it takes.
pub async fn write_all(stream: &mut TcpStream, pieces: &[&[u8]]) -> io::Result<()> {
    let mut slices: Vec<IoSlice<'_>> = pieces.iter().map(|piece| IoSlice::new(piece)).collect();
    let mut slices = &mut slices[..];
    IoSlice::advance_slices(&mut slices, 0);
    while !slices.is_empty() {
        match stream.write_vectored(slices).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => IoSlice::advance_slices(&mut slices, written),
        }
    }
    Ok(())
}
