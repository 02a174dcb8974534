//! A mail server that follows a script, for tests. It shares no code with the client.

// Each test binary uses its own part of this.
#![allow(dead_code)]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// What the server does about a line.
pub enum Act {
    /// Replies with this line (or these, each with its code), CRLF added.
    Say(&'static str),
    /// Replies to this line and closes.
    SayAndClose(&'static str),
    /// Closes without a word.
    Close,
    /// Says nothing ever again.
    Hang,
    /// Does what a server would do.
    Usual,
}

/// Which line, and what about it. The line after a message is `.`.
type Rule = Box<dyn Fn(&str, usize) -> Act + Send + Sync>;

/// The script.
pub struct Script {
    /// The greeting.
    pub greeting: &'static str,
    /// The keywords of EHLO.
    pub keywords: Vec<&'static str>,
    /// What to do about a line, with the number of the connection from 0.
    pub rule: Rule,
    /// Keep all replies to MAIL and RCPT back until DATA has come: only a client that pipelines gets on.
    pub wants_pipelining: bool,
    /// STARTTLS (or TLS from the start).
    pub tls: Option<Arc<ServerConfig>>,
    /// TLS from the first octet on.
    pub implicit: bool,
}

impl Default for Script {
    fn default() -> Self {
        Script {
            greeting: "220 peer.test ESMTP",
            keywords: vec!["PIPELINING", "SIZE 100000", "8BITMIME", "SMTPUTF8", "DSN"],
            rule: Box::new(|_, _| Act::Usual),
            wants_pipelining: false,
            tls: None,
            implicit: false,
        }
    }
}

/// The running server.
pub struct Peer {
    /// Where it listens.
    pub address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    lines: Mutex<Vec<String>>,
    messages: Mutex<Vec<String>>,
    connections: AtomicUsize,
    open: AtomicUsize,
}

impl Peer {
    /// Starts it.
    pub async fn start(script: Script) -> Peer {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let address = listener.local_addr().expect("address");
        let seen = Arc::new(Seen::default());
        let (script, log) = (Arc::new(script), seen.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let number = log.connections.fetch_add(1, Ordering::SeqCst);
                let (script, log) = (script.clone(), log.clone());
                tokio::spawn(async move {
                    log.open.fetch_add(1, Ordering::SeqCst);
                    serve(stream, &script, &log, number).await;
                    log.open.fetch_sub(1, Ordering::SeqCst);
                });
            }
        });
        Peer { address, seen }
    }

    /// Every command line so far, of all connections.
    pub fn lines(&self) -> Vec<String> {
        self.seen.lines.lock().expect("lines").clone()
    }

    /// The lines that start with this.
    pub fn lines_of(&self, verb: &str) -> Vec<String> {
        self.lines().into_iter().filter(|line| line.starts_with(verb)).collect()
    }

    /// The messages so far, as they came in, dots stuffed, without the end of DATA.
    pub fn messages(&self) -> Vec<String> {
        self.seen.messages.lock().expect("messages").clone()
    }

    /// Connections so far.
    pub fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// Connections open now.
    pub fn open(&self) -> usize {
        self.seen.open.load(Ordering::SeqCst)
    }
}

/// A certificate for that name, as a server has it and as a CA file in PEM.
pub fn certificate(name: &str) -> (Arc<ServerConfig>, String) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).expect("certificate");
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).expect("key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("versions");
    let config = config.with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key).expect("config");
    (Arc::new(config), made.cert.pem())
}

async fn serve(stream: tokio::net::TcpStream, script: &Script, log: &Seen, number: usize) {
    let acceptor = script.tls.clone().map(TlsAcceptor::from);
    match acceptor {
        Some(acceptor) if script.implicit => {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            Session::new(stream, script, log, number, true).run(true).await;
        }
        Some(acceptor) => {
            let Some(stream) = Session::new(stream, script, log, number, false).run(true).await else { return };
            let Ok(stream) = acceptor.accept(stream).await else { return };
            Session::new(stream, script, log, number, true).run(false).await;
        }
        None => {
            Session::new(stream, script, log, number, false).run(true).await;
        }
    }
}

struct Session<'a, S> {
    stream: S,
    script: &'a Script,
    log: &'a Seen,
    number: usize,
    secure: bool,
    input: Vec<u8>,
    output: String,
}

impl<'a, S: AsyncRead + AsyncWrite + Unpin> Session<'a, S> {
    fn new(stream: S, script: &'a Script, log: &'a Seen, number: usize, secure: bool) -> Self {
        Session { stream, script, log, number, secure, input: Vec::new(), output: String::new() }
    }

    /// Until the end of the session; gives the stream back after STARTTLS.
    async fn run(mut self, greet: bool) -> Option<S> {
        if greet {
            self.say(self.script.greeting).await?;
        }
        loop {
            let line = self.until(b"\r\n").await?;
            self.log.lines.lock().expect("lines").push(line.clone());
            let held = self.script.wants_pipelining && (line.starts_with("MAIL") || line.starts_with("RCPT"));
            let reply = match (self.script.rule)(&line, self.number) {
                Act::Say(reply) => reply.to_owned(),
                Act::SayAndClose(reply) => {
                    self.say(reply).await;
                    return None;
                }
                Act::Close => return None,
                Act::Hang => std::future::pending().await,
                Act::Usual => self.usual(&line),
            };
            self.output.push_str(&reply.replace('\n', "\r\n"));
            self.output.push_str("\r\n");
            if held {
                continue;
            }
            self.flush().await?;
            if line == "STARTTLS" && reply.starts_with("220") {
                return Some(self.stream);
            }
            if line == "QUIT" {
                return None;
            }
            if line == "DATA" && reply.starts_with("354") {
                self.message().await?;
            }
        }
    }

    fn usual(&self, line: &str) -> String {
        let verb = line.split([' ', ':']).next().unwrap_or_default();
        match verb {
            "EHLO" => {
                let mut lines = vec!["peer.test"];
                lines.extend(&self.script.keywords);
                if self.script.tls.is_some() && !self.secure {
                    lines.push("STARTTLS");
                }
                let last = lines.len() - 1;
                let mark = |at| if at == last { ' ' } else { '-' };
                lines
                    .iter()
                    .enumerate()
                    .map(|(at, line)| format!("250{}{line}", mark(at)))
                    .collect::<Vec<_>>()
                    .join("\n")
            }
            "STARTTLS" => "220 go ahead".to_owned(),
            "DATA" => "354 go ahead".to_owned(),
            "AUTH" => "235 2.7.0 welcome".to_owned(),
            "QUIT" => "221 bye".to_owned(),
            "." => "250 2.0.0 queued as Q1".to_owned(),
            _ => "250 2.1.0 fine".to_owned(),
        }
    }

    async fn message(&mut self) -> Option<()> {
        let mut message = String::new();
        loop {
            let line = self.until(b"\r\n").await?;
            if line == "." {
                break;
            }
            message.push_str(&line);
            message.push_str("\r\n");
        }
        self.log.messages.lock().expect("messages").push(message);
        match (self.script.rule)(".", self.number) {
            Act::Say(reply) => self.say(reply).await,
            Act::SayAndClose(reply) => {
                self.say(reply).await;
                None
            }
            Act::Close => None,
            Act::Hang => std::future::pending().await,
            Act::Usual => self.say(&self.usual(".")).await,
        }
    }

    async fn until(&mut self, end: &[u8]) -> Option<String> {
        loop {
            if let Some(at) = self.input.windows(end.len()).position(|window| window == end) {
                let line = self.input.drain(..at + end.len()).take(at).collect::<Vec<_>>();
                return Some(String::from_utf8_lossy(&line).into_owned());
            }
            let mut piece = [0; 4096];
            let read = self.stream.read(&mut piece).await.ok().filter(|read| *read > 0)?;
            self.input.extend_from_slice(&piece[..read]);
        }
    }

    async fn say(&mut self, line: &str) -> Option<()> {
        self.output.push_str(&line.replace('\n', "\r\n"));
        self.output.push_str("\r\n");
        self.flush().await
    }

    async fn flush(&mut self) -> Option<()> {
        let output = std::mem::take(&mut self.output);
        self.stream.write_all(output.as_bytes()).await.ok()?;
        self.stream.flush().await.ok()
    }
}
