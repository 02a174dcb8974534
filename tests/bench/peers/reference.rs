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
use hyper::header::CONTENT_TYPE;
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
        ReferenceKind::Memory => Answer::Memory(content::noise(options.length).into()),
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
    Memory(Bytes),
    Spool(Spool),
}

async fn respond(
    answer: Arc<Answer>,
    request: Request<Incoming>,
) -> std::result::Result<Response<Full<Bytes>>, Infallible> {
    let body = request.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    let made = match &*answer {
        Answer::Memory(octets) => Ok(octets.clone()),
        Answer::Spool(_) => tokio::task::spawn_blocking(move || match &*answer {
            Answer::Spool(spool) => spool.keep(&body).map(|()| content::confirmation()),
            Answer::Memory(octets) => Ok(octets.clone()),
        })
        .await
        .unwrap_or_else(|e| Err(e.into())),
    };
    let mut response = match made {
        Ok(octets) => Response::new(Full::new(octets)),
        Err(error) => {
            let mut failed = Response::new(Full::new(error.to_string().into()));
            *failed.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            failed
        }
    };
    response.headers_mut().insert(CONTENT_TYPE, hyper::header::HeaderValue::from_static(MEDIA_TYPE));
    Ok(response)
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
