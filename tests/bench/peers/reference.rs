//! Bare HTTP servers to compare with: the same server library as the daemon's door, the same handling of connections, and
//! behind it the simplest thing that could work. In a process of their own, as the daemon is.

use std::convert::Infallible;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;

use crate::Result;
use crate::load::content::{self, MEDIA_TYPE};
use crate::options::{Reference, ReferenceKind};

/// A reference running in a child process.
#[derive(Debug)]
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Answers with `length` octets from memory.
    pub fn memory(length: usize, keep_alive: bool) -> Result<Self> {
        Self::start(&["memory", "--length", &length.to_string()], keep_alive)
    }

    /// Answers what is in the file `answer`, a whole answer with its head, from memory, keeping connections open.
    pub fn replay(answer: &Path) -> Result<Self> {
        let answer = answer.to_str().ok_or("a file's name is not text")?;
        Self::start(&["replay", "--answer", answer], true)
    }

    /// Answers once the request's body is a synced file with its final name; with `sync_directory`, a synced name too.
    pub fn spool(directory: &Path, sync_directory: bool) -> Result<Self> {
        let directory = directory.to_str().ok_or("a directory's name is not text")?;
        let mut arguments = vec!["spool", "--directory", directory];
        arguments.extend(sync_directory.then_some("--sync-directory"));
        Self::start(&arguments, false)
    }

    fn start(arguments: &[&str], keep_alive: bool) -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("reference")
            .args(arguments)
            .args(keep_alive.then_some("--keep-alive"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        Ok(Server { child, address: line.trim().parse()? })
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The child's own main: serves until its standard input ends.
pub async fn serve(options: &Reference) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let answer = Arc::new(match options.kind {
        ReferenceKind::Memory => Answer::Memory(said(content::noise(options.length).into(), None)),
        ReferenceKind::Replay => Answer::Memory(recorded(&fs::read(&options.answer)?)?),
        ReferenceKind::Spool => Answer::Spool(Spool::new(&options.directory, options.sync_directory)?),
    });
    let keep_alive = options.keep_alive;
    std::thread::spawn(|| {
        let _ = std::io::stdin().read(&mut [0]);
        std::process::exit(0);
    });
    loop {
        let (stream, _) = listener.accept().await?;
        let _ = stream.set_nodelay(true);
        let answer = answer.clone();
        let service = service_fn(move |request| respond(answer.clone(), request));
        let connection = http1::Builder::new()
            .keep_alive(keep_alive)
            .half_close(true)
            .timer(TokioTimer::new())
            .serve_connection(TokioIo::new(stream), service);
        tokio::spawn(connection);
    }
}

enum Answer {
    Memory(Response<Full<Bytes>>),
    Spool(Spool),
}

/// An answer of these octets, with these header fields or as a PDU.
fn said(octets: Bytes, fields: Option<HeaderMap>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(octets));
    *response.headers_mut() =
        fields.unwrap_or_else(|| HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE))]));
    response
}

/// Reads a whole answer. What the server library says itself is left out: it says it again.
fn recorded(octets: &[u8]) -> Result<Response<Full<Bytes>>> {
    let end = octets.windows(4).position(|four| four == b"\r\n\r\n").ok_or("an answer without a head")?;
    let mut fields = HeaderMap::new();
    for line in std::str::from_utf8(&octets[..end])?.lines().skip(1) {
        let (name, value) = line.split_once(':').ok_or("a header field without a colon")?;
        let name = HeaderName::from_bytes(name.as_bytes())?;
        if ![DATE, CONTENT_LENGTH, CONNECTION].contains(&name) {
            fields.append(name, HeaderValue::from_str(value.trim())?);
        }
    }
    Ok(said(Bytes::copy_from_slice(&octets[end + 4..]), Some(fields)))
}

async fn respond(
    answer: Arc<Answer>,
    request: Request<Incoming>,
) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let made = match &*answer {
        Answer::Memory(response) => return Ok(response.clone()),
        Answer::Spool(_) => tokio::task::spawn_blocking(move || match &*answer {
            Answer::Spool(spool) => spool.keep(&body).map(|()| content::confirmation()),
            Answer::Memory(_) => Err("there is no spool".into()),
        })
        .await
        .unwrap_or_else(|e| Err(e.into())),
    };
    Ok(match made {
        Ok(octets) => said(octets, None),
        Err(error) => {
            let mut failed = said(error.to_string().into(), None);
            *failed.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            failed
        }
    })
}

/// A file for each message: written under a temporary name, synced, renamed.
struct Spool {
    directory: PathBuf,
    sync_directory: Option<File>,
    next: AtomicU64,
}

impl Spool {
    fn new(directory: &Path, sync_directory: bool) -> Result<Self> {
        for folder in ["new", "tmp"] {
            fs::create_dir_all(directory.join(folder))?;
        }
        let sync_directory = match sync_directory {
            true => Some(File::open(directory.join("new"))?),
            false => None,
        };
        Ok(Spool { directory: directory.to_owned(), sync_directory, next: AtomicU64::new(0) })
    }

    fn keep(&self, octets: &[u8]) -> Result<()> {
        let name = self.next.fetch_add(1, Ordering::Relaxed).to_string();
        let (written, kept) = (self.directory.join("tmp").join(&name), self.directory.join("new").join(&name));
        let mut file = File::create(&written)?;
        file.write_all(octets)?;
        file.sync_all()?;
        fs::rename(written, kept)?;
        if let Some(directory) = &self.sync_directory {
            directory.sync_all()?;
        }
        Ok(())
    }
}
