//! An SMTP client that says what a story tells it to, one line or one byte at a time.
//!
//! Nothing is checked or repaired on the way out: smuggled line ends, commands out of order and half a message are what
//! the stories are about.

use crate::mail::Mail;
use crate::wait::DEADLINE;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

/// One reply, of one or several lines (RFC 5321 4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The three digits.
    pub code: u16,
    /// The text of each line, without code and separator.
    pub lines: Vec<String>,
}

impl Reply {
    /// The lines as one text.
    pub fn text(&self) -> String {
        self.lines.join("\n")
    }

    /// The enhanced status code (RFC 3463) that the first line starts with.
    pub fn enhanced(&self) -> Option<&str> {
        let word = self.lines.first()?.split(' ').next()?;
        (word.split('.').count() == 3).then_some(word)
    }

    /// Whether an EHLO reply offers this keyword.
    pub fn offers(&self, keyword: &str) -> bool {
        let mut offered = self.lines.iter().skip(1).filter_map(|line| line.split(' ').next());
        offered.any(|word| word.eq_ignore_ascii_case(keyword))
    }

    /// The same reply, after a look at its code.
    ///
    /// # Panics
    /// When the code is another.
    #[track_caller]
    pub fn expect_code(self, code: u16) -> Self {
        assert_eq!(self.code, code, "the server said: {}", self.text());
        self
    }

    /// Whether the code is 2yz or 3yz.
    pub fn is_positive(&self) -> bool {
        (200..400).contains(&self.code)
    }
}

/// The replies to one mail transaction.
#[derive(Debug, Clone)]
pub struct Transaction {
    /// The reply to MAIL.
    pub sender: Reply,
    /// The reply to each RCPT.
    pub recipients: Vec<Reply>,
    /// The last reply: to the message, or to DATA or MAIL when it did not get that far.
    pub outcome: Reply,
}

impl Transaction {
    /// The last reply, after a look at its code.
    ///
    /// # Panics
    /// When the code is another.
    #[track_caller]
    pub fn expect_code(self, code: u16) -> Reply {
        self.outcome.expect_code(code)
    }
}

/// One SMTP connection.
#[derive(Debug)]
pub struct Client {
    stream: BufReader<TcpStream>,
    greeting: Reply,
}

impl Client {
    /// Connects and reads the greeting.
    ///
    /// # Panics
    /// When nobody answers.
    #[track_caller]
    pub fn connect(address: SocketAddr) -> Self {
        Self::try_connect(address).unwrap_or_else(|error| panic!("SMTP to {address}: {error}"))
    }

    /// [`Client::connect`] to a server that may be gone.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn try_connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, DEADLINE)?;
        stream.set_read_timeout(Some(DEADLINE))?;
        stream.set_write_timeout(Some(DEADLINE))?;
        stream.set_nodelay(true)?;
        let mut stream = BufReader::new(stream);
        let greeting = read_reply(&mut stream)?;
        Ok(Client { stream, greeting })
    }

    /// What the server said on connecting.
    pub fn greeting(&self) -> &Reply {
        &self.greeting
    }

    /// Sends a line and reads the reply to it.
    ///
    /// # Panics
    /// When the connection is gone.
    #[track_caller]
    pub fn command(&mut self, line: &str) -> Reply {
        self.try_command(line).unwrap_or_else(|error| panic!("{line:?}: {error}"))
    }

    /// [`Client::command`] on a connection that may be gone.
    ///
    /// # Errors
    /// When it is.
    pub fn try_command(&mut self, line: &str) -> io::Result<Reply> {
        self.try_write(format!("{line}\r\n").as_bytes())?;
        read_reply(&mut self.stream)
    }

    /// Writes bytes as they are.
    ///
    /// # Panics
    /// When the connection is gone.
    #[track_caller]
    pub fn write(&mut self, bytes: &[u8]) {
        self.try_write(bytes).unwrap_or_else(|error| panic!("cannot write: {error}"));
    }

    /// [`Client::write`] on a connection that may be gone.
    ///
    /// # Errors
    /// When it is.
    pub fn try_write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.get_mut().write_all(bytes)
    }

    /// Reads one more reply.
    ///
    /// # Panics
    /// When none comes.
    #[track_caller]
    pub fn read_reply(&mut self) -> Reply {
        self.try_read_reply().unwrap_or_else(|error| panic!("no reply: {error}"))
    }

    /// [`Client::read_reply`] on a connection that may be gone.
    ///
    /// # Errors
    /// When it is.
    pub fn try_read_reply(&mut self) -> io::Result<Reply> {
        read_reply(&mut self.stream)
    }

    /// Says EHLO and returns what is offered.
    ///
    /// # Panics
    /// When the answer is not 250.
    #[track_caller]
    pub fn ehlo(&mut self) -> Reply {
        self.command("EHLO client.test").expect_code(250)
    }

    /// Authenticates with AUTH PLAIN (RFC 4616) and returns the reply.
    #[track_caller]
    pub fn auth_plain(&mut self, user: &str, password: &str) -> Reply {
        let response = STANDARD.encode(format!("\0{user}\0{password}"));
        self.command(&format!("AUTH PLAIN {response}"))
    }

    /// One transaction from EHLO to the last dot. Recipients that are refused are left out of it.
    ///
    /// # Panics
    /// When the connection is gone.
    #[track_caller]
    pub fn deliver(&mut self, mail: &Mail) -> Transaction {
        self.try_deliver(mail).unwrap_or_else(|error| panic!("the connection broke in a transaction: {error}"))
    }

    /// [`Client::deliver`] on a connection that may be gone.
    ///
    /// # Errors
    /// When it is: what the server made of the mail is unknown then.
    pub fn try_deliver(&mut self, mail: &Mail) -> io::Result<Transaction> {
        self.try_command("EHLO client.test")?;
        let sender = self.try_command(&format!("MAIL FROM:<{}>", mail.sender()))?;
        let mut recipients = Vec::new();
        for recipient in mail.recipients() {
            recipients.push(self.try_command(&format!("RCPT TO:<{recipient}>"))?);
        }
        let mut outcome = sender.clone();
        if sender.is_positive() {
            outcome = self.try_command("DATA")?;
        }
        if outcome.code == 354 {
            self.try_write(&stuffed(&mail.bytes()))?;
            outcome = read_reply(&mut self.stream)?;
        }
        Ok(Transaction { sender, recipients, outcome })
    }

    /// Sends a chunk (RFC 3030) and reads the reply.
    ///
    /// # Panics
    /// When the connection is gone.
    #[track_caller]
    pub fn bdat(&mut self, chunk: &[u8], last: bool) -> Reply {
        let last = if last { " LAST" } else { "" };
        self.write(format!("BDAT {}{last}\r\n", chunk.len()).as_bytes());
        self.write(chunk);
        self.read_reply()
    }

    /// Whether the server closes the connection without a further byte, waiting for it up to the deadline.
    pub fn is_closed(&mut self) -> bool {
        matches!(self.stream.read(&mut [0]), Ok(0))
    }
}

/// A message as it follows DATA: leading dots doubled, and the dot that ends it.
pub fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut stuffed = Vec::with_capacity(message.len() + 8);
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        if line.starts_with(b".") {
            stuffed.push(b'.');
        }
        stuffed.extend(line);
    }
    if !stuffed.ends_with(b"\r\n") {
        stuffed.extend(b"\r\n");
    }
    stuffed.extend(b".\r\n");
    stuffed
}

fn read_reply(stream: &mut BufReader<TcpStream>) -> io::Result<Reply> {
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        if stream.read_until(b'\n', &mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim_end_matches(['\r', '\n']);
        let code = line.get(..3).and_then(|digits| digits.parse().ok());
        let code = code.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("not SMTP: {line:?}")))?;
        lines.push(line.get(4..).unwrap_or_default().to_owned());
        if line.as_bytes().get(3) != Some(&b'-') {
            return Ok(Reply { code, lines });
        }
    }
}
