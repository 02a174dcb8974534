//! Mails and pictures to send: small, valid, and different every time.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::sync::atomic::{AtomicU64, Ordering};

/// A mail with its envelope. One part stays a single part; several become `multipart/mixed`.
#[derive(Debug, Clone)]
pub struct Mail {
    sender: String,
    recipients: Vec<String>,
    message_id: String,
    fields: Vec<(String, String)>,
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
struct Part {
    fields: String,
    content: Vec<u8>,
}

impl Mail {
    /// A mail with a Message-ID that no other mail of this run has.
    pub fn new(sender: &str, recipient: &str) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        Mail {
            sender: sender.to_owned(),
            recipients: vec![recipient.to_owned()],
            message_id: format!("{}.{count}@client.test", std::process::id()),
            fields: Vec::new(),
            parts: Vec::new(),
        }
    }

    /// Adds a recipient to the envelope and to the To field.
    #[must_use]
    pub fn also_to(mut self, recipient: &str) -> Self {
        self.recipients.push(recipient.to_owned());
        self
    }

    /// Adds a header field.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the subject, which must be ASCII or encoded already.
    #[must_use]
    pub fn subject(self, subject: &str) -> Self {
        self.field("Subject", subject)
    }

    /// Adds a text part in UTF-8. Lines end with `\n` here and with CRLF on the wire.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        let fields = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n";
        let content = text.replace('\n', "\r\n").into_bytes();
        self.part(fields.to_owned(), content)
    }

    /// Adds an attachment in base64.
    #[must_use]
    pub fn attach(self, name: &str, content_type: &str, content: &[u8]) -> Self {
        let fields = format!(
            "Content-Type: {content_type}; name=\"{name}\"\r\nContent-Transfer-Encoding: base64\r\n\
             Content-Disposition: attachment; filename=\"{name}\"\r\n"
        );
        self.part(fields, base64_lines(content).into_bytes())
    }

    /// The envelope's sender.
    pub fn sender(&self) -> &str {
        &self.sender
    }

    /// The envelope's recipients.
    pub fn recipients(&self) -> &[String] {
        &self.recipients
    }

    /// The Message-ID, without its angle brackets.
    pub fn message_id(&self) -> &str {
        &self.message_id
    }

    /// The message as it is written after DATA, dots not doubled.
    pub fn bytes(&self) -> Vec<u8> {
        let mut head = format!(
            "From: <{}>\r\nTo: <{}>\r\nMessage-ID: <{}>\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\nMIME-Version: 1.0\r\n",
            self.sender,
            self.recipients.join(">, <"),
            self.message_id
        );
        for (name, value) in &self.fields {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut bytes = head.into_bytes();
        match self.parts.as_slice() {
            [] => bytes.extend(b"\r\n"),
            [only] => bytes.extend([only.fields.as_bytes(), b"\r\n", &only.content, b"\r\n"].concat()),
            several => {
                bytes.extend(b"Content-Type: multipart/mixed; boundary=\"=_story\"\r\n\r\n");
                for part in several {
                    bytes.extend(b"--=_story\r\n");
                    bytes.extend([part.fields.as_bytes(), b"\r\n", &part.content, b"\r\n"].concat());
                }
                bytes.extend(b"--=_story--\r\n");
            }
        }
        bytes
    }

    fn part(mut self, fields: String, content: Vec<u8>) -> Self {
        self.parts.push(Part { fields, content });
        self
    }
}

/// A valid PNG of noise, `3 * width * height` bytes and a little more; another picture for another seed.
///
/// Noise does not compress, so the size of the picture is chosen by its sides.
pub fn png(width: u32, height: u32, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut noise = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    let mut rows = Vec::new();
    for _ in 0..height {
        let filter_none = 0;
        rows.push(filter_none);
        rows.extend((0..width * 3).map(|_| noise()));
    }
    let mut header = Vec::new();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 2, 0, 0, 0]); // eight bits a channel, true colour
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    for (kind, content) in [(b"IHDR", header), (b"IDAT", zlib_stored(&rows)), (b"IEND", Vec::new())] {
        file.extend((content.len() as u32).to_be_bytes());
        let checked = [kind.as_slice(), &content].concat();
        file.extend(&checked);
        file.extend(crc32(&checked).to_be_bytes());
    }
    file
}

fn base64_lines(content: &[u8]) -> String {
    // 57 bytes make a line of 76 characters (RFC 2045 6.8).
    let lines: Vec<_> = content.chunks(57).map(|line| STANDARD.encode(line)).collect();
    lines.join("\r\n")
}

/// A zlib stream (RFC 1950) of stored blocks (RFC 1951 3.2.4).
fn zlib_stored(content: &[u8]) -> Vec<u8> {
    let mut stream = vec![0x78, 0x01];
    let mut blocks = content.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        stream.push(u8::from(blocks.peek().is_none()));
        let length = block.len() as u16;
        stream.extend(length.to_le_bytes());
        stream.extend((!length).to_le_bytes());
        stream.extend(block);
    }
    let (mut low, mut high) = (1_u32, 0_u32);
    for byte in content {
        low = (low + u32::from(*byte)) % 65_521;
        high = (high + low) % 65_521;
    }
    stream.extend((high << 16 | low).to_be_bytes());
    stream
}

fn crc32(content: &[u8]) -> u32 {
    let mut sum = u32::MAX;
    for byte in content {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 };
        }
    }
    !sum
}
