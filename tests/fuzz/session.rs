//! An SMTP session: the first octet says how it is set up, the others are what the client sends.

use packetboat_smtp::{AuthOffer, BareNewlines, Config, Event, Session, Verdict, limits, replies};

/// Bits of the first octet: bare line ends are mended; the octets are one message after DATA and not a whole session.
/// The other bits say how large the reads are.
const FIX: u8 = 1;
const MESSAGE: u8 = 2;

const UP_TO_DATA: &[u8] = b"EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n";

/// A client says anything.
pub fn smtp_session(input: &[u8]) {
    let Some((setup, octets)) = input.split_first() else { return };
    let policy = if setup & FIX == 0 { BareNewlines::Refuse } else { BareNewlines::Fix };
    let read = usize::from(setup >> 2) + 1;
    match setup & MESSAGE {
        0 => whole_session(policy, octets, read),
        _ => only_the_true_end_ends(policy, octets, read),
    }
}

fn whole_session(policy: BareNewlines, octets: &[u8], read: usize) {
    let mut config = Config::new("mms.example.net");
    config.auth = AuthOffer::Always;
    config.starttls = true;
    config.max_size = 4096;
    config.max_recipients = 4;
    config.bare_newlines = policy;
    let mut driver = Driver { session: Session::new(config), content: Vec::new(), binary: false };
    driver.session.greet();
    for piece in octets.chunks(read) {
        if !driver.feed(piece) {
            break;
        }
    }
}

struct Driver {
    session: Session,
    content: Vec<u8>,
    /// Content may hold any octets: BODY=BINARYMIME was said (RFC 3030).
    binary: bool,
}

impl Driver {
    /// False once the session is over.
    fn feed(&mut self, mut input: &[u8]) -> bool {
        loop {
            let (used, event) = self.session.feed(input);
            input = &input[used..];
            match event {
                Event::NeedInput => {
                    self.flush();
                    return true;
                }
                Event::NeedFlush => self.flush(),
                Event::NeedAnswer => panic!("every question was answered"),
                Event::Close => {
                    self.flush();
                    return false;
                }
                Event::StartTls => {
                    self.flush();
                    self.session.tls_started();
                    return true;
                }
                Event::Content(octets) => self.content.extend_from_slice(octets),
                Event::Discard(_) | Event::Reset => self.content.clear(),
                Event::Auth(credentials) => {
                    let known = credentials.password == "secret";
                    self.answer(if known { Verdict::Accept } else { Verdict::Refuse(replies::AUTH_FAILED) });
                }
                Event::Mail(mail) => {
                    self.binary = mail.body == packetboat_smtp::BodyType::BinaryMime;
                    self.answer(Verdict::Accept);
                }
                Event::Rcpt(rcpt) => {
                    let ours = rcpt.recipient.domain() != Some("elsewhere.example");
                    self.answer(if ours { Verdict::Accept } else { Verdict::Refuse(replies::NO_RELAY) });
                }
                Event::MessageStart => self.answer(Verdict::Accept),
                Event::MessageEnd => {
                    self.check_content();
                    self.content.clear();
                    self.answer(Verdict::Accept);
                }
            }
        }
    }

    fn answer(&mut self, verdict: Verdict) {
        self.session.answer(verdict).expect("a question is open");
    }

    fn flush(&mut self) {
        let output = self.session.take_output();
        assert!(output.len() <= limits::OUTPUT_HIGH_WATER + limits::REPLY_LINE_MAX * 4, "replies pile up");
        assert!(output.is_ascii() && (output.is_empty() || output.ends_with(b"\r\n")), "replies are lines");
    }

    fn check_content(&self) {
        assert!(self.content.len() <= 4096, "more than SIZE allows");
        assert!(
            self.binary || !has_bare(&self.content),
            "a bare CR or LF was taken: {:?}",
            self.content.escape_ascii().to_string()
        );
    }
}

fn has_bare(content: &[u8]) -> bool {
    let mut last = 0;
    for octet in content {
        if (last == b'\r') != (*octet == b'\n') {
            return true;
        }
        last = *octet;
    }
    last == b'\r'
}

/// Only CRLF.CRLF ends DATA (RFC 5321 4.1.1.4): with anything smuggled before it, the end is where it is.
fn only_the_true_end_ends(policy: BareNewlines, text: &[u8], read: usize) {
    let with_command = [b"\r\n", text, b"\r\n.\r\n"].concat();
    let Some(end) = with_command.windows(5).position(|window| window == b"\r\n.\r\n").map(|at| at + 3) else { return };
    let wire = &with_command[2..2 + end];
    let mut session = in_data(policy);
    let mut used = 0;
    for piece in wire.chunks(read) {
        let mut input = piece;
        loop {
            let (taken, event) = session.feed(input);
            input = &input[taken..];
            used += taken;
            match event {
                Event::Content(_) | Event::Discard(_) => {}
                Event::NeedInput => break,
                Event::MessageEnd => {
                    assert_eq!(used, wire.len(), "the message ended early");
                    return;
                }
                other => panic!("{other:?} after {used} octets"),
            }
        }
        // A refused message is answered at its end, not before.
        assert!(!session.has_output() || used == wire.len(), "the message was answered early");
    }
    assert!(session.has_output(), "the message did not end");
}

fn in_data(policy: BareNewlines) -> Session {
    let mut config = Config::new("mms.example.net");
    config.bare_newlines = policy;
    let mut session = Session::new(config);
    session.greet();
    let mut input = UP_TO_DATA;
    loop {
        let (used, event) = session.feed(input);
        input = &input[used..];
        match event {
            Event::NeedInput => break,
            Event::NeedFlush => {}
            _ => session.answer(Verdict::Accept).expect("a question is open"),
        }
    }
    session.take_output();
    session
}
