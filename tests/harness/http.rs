//! HTTP/1.x as bytes: a client that can say anything, and a server that answers what a closure says.
//!
//! Stories need requests that no HTTP library will send (absolute-form targets, wrong lengths, HTTP/1.0 from the last
//! century, bytes one at a time), so the client writes what it is told and only the reply is parsed.

use crate::wait::DEADLINE;
use serde_json::Value;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Header fields in the order of the wire.
pub type Fields = Vec<(String, String)>;

/// The first value of a header field, by name in any case.
pub fn field<'fields>(fields: &'fields Fields, name: &str) -> Option<&'fields str> {
    fields.iter().find(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// A response, as read by the client or as given to the server.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    /// `HTTP/1.1` and the like; empty in a reply that the server has yet to write.
    pub version: String,
    /// The status code.
    pub status: u16,
    /// The header fields.
    pub fields: Fields,
    /// The body, with any chunking undone.
    pub body: Vec<u8>,
}

impl Reply {
    /// A reply for the server to give.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let fields = vec![("Content-Type".to_owned(), content_type.to_owned())];
        Reply { version: String::new(), status, fields, body: body.into() }
    }

    /// The first value of a header field.
    pub fn field(&self, name: &str) -> Option<&str> {
        field(&self.fields, name)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.text()))
    }

    /// The same reply, after a look at its status.
    ///
    /// # Panics
    /// When the status is another.
    #[track_caller]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "answered {} {:?}: {}", self.status, self.fields, self.text());
        self
    }
}

/// `GET url`, where the URL is `http://ADDRESS:PORT/path`.
///
/// # Panics
/// When there is no answer within the deadline.
#[track_caller]
pub fn get(url: &str) -> Reply {
    Request::new("GET", url).send()
}

/// `POST url` with a body.
///
/// # Panics
/// When there is no answer within the deadline.
#[track_caller]
pub fn post(url: &str, content_type: &str, body: &[u8]) -> Reply {
    Request::new("POST", url).field("Content-Type", content_type).body(body).send()
}

/// A request in the making.
#[derive(Debug, Clone)]
pub struct Request {
    method: String,
    url: String,
    version: &'static str,
    absolute: bool,
    chunk: Option<usize>,
    fields: Fields,
    body: Vec<u8>,
}

impl Request {
    /// A request for `http://ADDRESS:PORT/path`.
    pub fn new(method: &str, url: &str) -> Self {
        Request {
            method: method.to_owned(),
            url: url.to_owned(),
            version: "HTTP/1.1",
            absolute: false,
            chunk: None,
            fields: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Adds a header field.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self
    }

    /// Speaks HTTP/1.0.
    #[must_use]
    pub fn http10(mut self) -> Self {
        self.version = "HTTP/1.0";
        self
    }

    /// Writes the whole URL into the request line, as a client behind a proxy does (RFC 9112 3.2.2).
    #[must_use]
    pub fn absolute_form(mut self) -> Self {
        self.absolute = true;
        self
    }

    /// Sends the body in chunks of this many bytes, without a Content-Length.
    #[must_use]
    pub fn chunked(mut self, bytes: usize) -> Self {
        self.chunk = Some(bytes.max(1));
        self
    }

    /// Where the request goes.
    ///
    /// # Panics
    /// When the URL is not `http://IP:PORT/…`.
    #[track_caller]
    pub fn address(&self) -> SocketAddr {
        let (authority, _) = split_url(&self.url);
        authority.parse().unwrap_or_else(|_| panic!("no address and port in {}", self.url))
    }

    /// The bytes of the request. `Host` and, unless chunked, `Content-Length` are added where the caller gave none.
    pub fn bytes(&self) -> Vec<u8> {
        let (authority, path) = split_url(&self.url);
        let target = if self.absolute { self.url.as_str() } else { path };
        let mut head = format!("{} {target} {}\r\n", self.method, self.version);
        let mut add = |name: &str, value: &str| head.push_str(&format!("{name}: {value}\r\n"));
        if field(&self.fields, "Host").is_none() {
            add("Host", authority);
        }
        for (name, value) in &self.fields {
            add(name, value);
        }
        match self.chunk {
            Some(_) => add("Transfer-Encoding", "chunked"),
            None if self.method != "GET" && field(&self.fields, "Content-Length").is_none() => {
                add("Content-Length", &self.body.len().to_string());
            }
            None => {}
        }
        let mut bytes = (head + "\r\n").into_bytes();
        match self.chunk {
            Some(size) => bytes.extend(chunks(&self.body, size)),
            None => bytes.extend(&self.body),
        }
        bytes
    }

    /// Sends it on a connection of its own and reads the reply.
    ///
    /// # Panics
    /// When there is no answer within the deadline.
    #[track_caller]
    pub fn send(&self) -> Reply {
        self.try_send().unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.url))
    }

    /// [`Request::send`] for a server that may be gone.
    ///
    /// # Errors
    /// When there is no connection or no whole reply.
    pub fn try_send(&self) -> io::Result<Reply> {
        let mut connection = Connection::open(self.address())?;
        connection.write(&self.bytes())?;
        connection.read_reply(&self.method)
    }
}

/// One connection to an HTTP server, on which anything may be written.
#[derive(Debug)]
pub struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody accepts.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, DEADLINE)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream: BufReader::new(stream) })
    }

    /// Writes these bytes as they are.
    ///
    /// # Errors
    /// When the other side has closed.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Says that nothing more will be written.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn finish(&mut self) -> io::Result<()> {
        self.stream.get_mut().shutdown(Shutdown::Write)
    }

    /// Reads one reply, past any 1xx; the method tells whether it has a body.
    ///
    /// # Errors
    /// When the connection ends first or what comes is not HTTP.
    pub fn read_reply(&mut self, method: &str) -> io::Result<Reply> {
        loop {
            let (line, fields) = read_head(&mut self.stream)?;
            let mut words = line.splitn(3, ' ');
            let version = words.next().unwrap_or_default().to_owned();
            let status = words.next().and_then(|word| word.parse().ok()).ok_or_else(|| bad(&line))?;
            if status < 200 {
                continue;
            }
            let has_body = method != "HEAD" && status != 204 && status != 304;
            let body = if has_body { read_body(&mut self.stream, &fields, true)? } else { Vec::new() };
            return Ok(Reply { version, status, fields, body });
        }
    }

    /// Whether the other side closed the connection without a further byte, waiting for it up to the deadline.
    pub fn is_closed(&mut self) -> bool {
        let mut byte = [0];
        match self.stream.read(&mut byte) {
            Ok(read) => read == 0,
            Err(error) => error.kind() == io::ErrorKind::ConnectionReset,
        }
    }
}

/// A request as the server received it.
#[derive(Debug, Clone)]
pub struct Received {
    /// The method.
    pub method: String,
    /// The request target, whole: a path with its query, or a URL.
    pub target: String,
    /// The header fields.
    pub fields: Fields,
    /// The body, with any chunking undone.
    pub body: Vec<u8>,
}

impl Received {
    /// The first value of a header field.
    pub fn field(&self, name: &str) -> Option<&str> {
        field(&self.fields, name)
    }

    /// The path of the target, without scheme, authority and query.
    pub fn path(&self) -> &str {
        let target = if self.target.starts_with("http://") { split_url(&self.target).1 } else { &self.target };
        target.split('?').next().unwrap_or_default()
    }

    /// The query of the target, percent-decoding undone. Values are bytes: a user data header is no text.
    pub fn query(&self) -> Vec<(String, Vec<u8>)> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let decoded = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (String::from_utf8_lossy(&percent_decode(name)).into_owned(), percent_decode(value))
        });
        decoded.collect()
    }
}

/// Undoes percent-encoding, with `+` for a space as in a query.
pub fn percent_decode(text: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        let escaped = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match (first, escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                decoded.push(byte);
                rest = &after[2..];
            }
            (b'+', _) => decoded.push(b' '),
            _ => decoded.push(*first),
        }
    }
    decoded
}

/// Percent-encodes everything but letters and digits.
pub fn percent_encode(bytes: &[u8]) -> String {
    let encoded = bytes.iter().map(|byte| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => char::from(*byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}

/// What a server does with a request: a reply, or `None` to close the connection without one.
pub type Handler = dyn Fn(Received) -> Option<Reply> + Send + Sync;

/// A server on a port of its own, one thread a connection, one request a connection. It stops when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stopping: Arc<AtomicBool>,
    acceptor: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts it on 127.0.0.1.
    ///
    /// # Panics
    /// When no port can be bound.
    pub fn start(handler: impl Fn(Received) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("an address");
        let stopping = Arc::new(AtomicBool::new(false));
        let (stop, handler) = (Arc::clone(&stopping), Arc::new(handler) as Arc<Handler>);
        let acceptor = std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let handler = Arc::clone(&handler);
                std::thread::spawn(move || {
                    // A client that goes away in the middle is no failure of the story.
                    let _ = serve(&stream, &*handler);
                });
            }
        });
        Server { address, stopping, acceptor: Some(acceptor) }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://ADDRESS:PORT` and the path, which starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // The acceptor wakes for one more connection and sees the flag.
        let _ = TcpStream::connect(self.address);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

fn serve(stream: &TcpStream, handler: &Handler) -> io::Result<()> {
    stream.set_read_timeout(Some(DEADLINE))?;
    let mut reader = BufReader::new(stream);
    let (line, fields) = read_head(&mut reader)?;
    let mut words = line.split(' ').map(str::to_owned);
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Err(bad(&line)) };
    if field(&fields, "Expect").is_some() {
        (&mut &*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let body = read_body(&mut reader, &fields, false)?;
    let Some(reply) = handler(Received { method, target, fields, body }) else { return Ok(()) };
    let mut head = format!("HTTP/1.1 {} Reply\r\nConnection: close\r\n", reply.status);
    for (name, value) in &reply.fields {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", reply.body.len()));
    (&mut &*stream).write_all(&[head.as_bytes(), &reply.body].concat())
}

fn read_head(reader: &mut impl BufRead) -> io::Result<(String, Fields)> {
    let first = read_line(reader)?;
    let mut fields = Vec::new();
    loop {
        let line = read_line(reader)?;
        if line.is_empty() {
            return Ok((first, fields));
        }
        let (name, value) = line.split_once(':').ok_or_else(|| bad(&line))?;
        fields.push((name.trim().to_owned(), value.trim().to_owned()));
    }
}

fn read_body(reader: &mut impl BufRead, fields: &Fields, to_the_end: bool) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    let is_chunked = field(fields, "Transfer-Encoding").is_some_and(|coding| coding.contains("chunked"));
    if is_chunked {
        loop {
            let line = read_line(reader)?;
            let size = line.split(';').next().unwrap_or_default().trim();
            let size = u64::from_str_radix(size, 16).map_err(|_| bad(&line))?;
            reader.take(size).read_to_end(&mut body)?;
            read_line(reader)?;
            if size == 0 {
                return Ok(body);
            }
        }
    }
    match field(fields, "Content-Length").map(str::parse::<u64>) {
        Some(Ok(length)) => {
            let read = reader.take(length).read_to_end(&mut body)?;
            if (read as u64) < length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        Some(Err(_)) => return Err(bad("Content-Length")),
        None if to_the_end => drop(reader.read_to_end(&mut body)?),
        None => {}
    }
    Ok(body)
}

fn read_line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let line = String::from_utf8_lossy(&line);
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn chunks(body: &[u8], size: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    for chunk in body.chunks(size) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    bytes.extend(b"0\r\n\r\n");
    bytes
}

/// The authority and the path of `http://authority/path`.
fn split_url(url: &str) -> (&str, &str) {
    let rest = url.strip_prefix("http://").unwrap_or(url);
    match rest.find('/') {
        Some(slash) => rest.split_at(slash),
        None => (rest, "/"),
    }
}

fn bad(line: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("not HTTP: {line:?}"))
}
