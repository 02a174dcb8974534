//! What must hold for any octets: only CRLF.CRLF ends DATA, canonical text arrives as it was, nothing panics, nothing
//! grows without bound.

#[allow(dead_code)]
mod driver;

use driver::Driver;
use packetboat_smtp::{AuthOffer, BareNewlines, Config, Event, Session, Verdict, limits};
use proptest::prelude::*;

const UP_TO_DATA: &[u8] = b"EHLO a\r\nMAIL FROM:<a@b.example>\r\nRCPT TO:<c@d.example>\r\nDATA\r\n";

/// Octets of which line ends and dots are as likely as all others together.
fn text(max: usize) -> impl Strategy<Value = Vec<u8>> {
    let octet = prop_oneof![Just(b'\r'), Just(b'\n'), Just(b'.'), Just(b'a'), Just(b'\0'), any::<u8>()];
    let piece = prop_oneof![octet.prop_map(|octet| vec![octet]), Just(b"\r\n".to_vec()), Just(b"\r\n.".to_vec())];
    prop::collection::vec(piece, 0..max).prop_map(|pieces| pieces.concat())
}

fn policy() -> impl Strategy<Value = BareNewlines> {
    prop_oneof![Just(BareNewlines::Refuse), Just(BareNewlines::Fix)]
}

/// Dots stuffed and the end added, as a client does (RFC 5321 4.5.2).
fn on_the_wire(text: &[u8]) -> Vec<u8> {
    let mut wire = Vec::new();
    let mut line_start = true;
    for (index, octet) in text.iter().enumerate() {
        if line_start && *octet == b'.' {
            wire.push(b'.');
        }
        wire.push(*octet);
        line_start = *octet == b'\n' && index > 0 && text[index - 1] == b'\r';
    }
    wire.extend_from_slice(if text.is_empty() || text.ends_with(b"\r\n") { b".\r\n" } else { b"\r\n.\r\n" });
    wire
}

/// Where a reader that knows nothing but RFC 5321 4.1.1.4 sees the end: after the first CRLF.CRLF, the CRLF of the DATA
/// command included.
fn true_end(wire: &[u8]) -> Option<usize> {
    let with_command = [b"\r\n", wire].concat();
    with_command.windows(5).position(|window| window == b"\r\n.\r\n").map(|at| at + 3)
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
            _ => session.answer(Verdict::Accept).unwrap(),
        }
    }
    session.take_output();
    session
}

/// Feeds `wire` in reads of the given sizes up to the end of the message: octets used, content, refused.
fn receive(policy: BareNewlines, wire: &[u8], sizes: &[usize]) -> Option<(usize, Vec<u8>, bool)> {
    let mut session = in_data(policy);
    let mut sizes = sizes.iter().cycle();
    let (mut at, mut content) = (0, Vec::new());
    while at < wire.len() {
        let read = &wire[at..wire.len().min(at + sizes.next().unwrap().max(&1))];
        let mut input = read;
        loop {
            let (used, event) = session.feed(input);
            input = &input[used..];
            at += used;
            match event {
                Event::Content(octets) => content.extend_from_slice(octets),
                Event::MessageEnd => return Some((at, content, false)),
                Event::Discard(_) => {}
                Event::NeedInput => break,
                other => panic!("{other:?}"),
            }
        }
        if session.has_output() {
            // The reply to a refused message; more input than the message would be a command.
            return Some((at, content, true));
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn only_crlf_dot_crlf_ends_data(text in text(24), policy in policy(), sizes in prop::collection::vec(1_usize..9, 1..6)) {
        // As it comes, unstuffed, and as a client sends it.
        for wire in [[&text[..], b"\r\n.\r\n"].concat(), on_the_wire(&text)] {
            let end = true_end(&wire).unwrap();
            let (used, _, refused) = receive(policy, &wire[..end], &sizes).expect("the message ends");
            prop_assert_eq!(used, end);
            prop_assert!(receive(policy, &wire[..end - 1], &sizes).is_none(), "ended early");
            let bare = String::from_utf8_lossy(&wire[..end]).replace("\r\n", "").contains(['\r', '\n']);
            prop_assert_eq!(refused, bare && policy == BareNewlines::Refuse);
        }
    }

    #[test]
    fn canonical_text_arrives_as_it_was(text in text(24), policy in policy(), sizes in prop::collection::vec(1_usize..9, 1..6)) {
        // Every CR and LF that stands alone goes, so that the text is canonical.
        let mut canonical = String::from_utf8_lossy(&text).replace("\r\n", "\u{1}").replace(['\r', '\n'], "").replace('\u{1}', "\r\n").into_bytes();
        let wire = on_the_wire(&canonical);
        if !canonical.is_empty() && !canonical.ends_with(b"\r\n") {
            canonical.extend_from_slice(b"\r\n");
        }
        prop_assert_eq!(receive(policy, &wire, &sizes), Some((wire.len(), canonical, false)));
    }

    #[test]
    fn a_fixed_message_holds_no_bare_newline(text in text(24), sizes in prop::collection::vec(1_usize..9, 1..6)) {
        let wire = [&text[..], b"\r\n.\r\n"].concat();
        let end = true_end(&wire).unwrap();
        let (_, content, _) = receive(BareNewlines::Fix, &wire[..end], &sizes).unwrap();
        let lone = String::from_utf8_lossy(&content).replace("\r\n", "");
        prop_assert!(!lone.contains(['\r', '\n']), "{:?}", content);
    }

    #[test]
    fn the_size_of_the_reads_changes_nothing(fragments in prop::collection::vec(fragment(), 0..20), policy in policy(), size in 1_usize..200) {
        let stream = fragments.concat();
        let transcript = |size: usize| {
            let mut driver = Driver::new(config(policy));
            driver.session.greet();
            driver.packet(&stream, size);
            driver.transcript
        };
        prop_assert_eq!(transcript(size), transcript(1));
    }

    #[test]
    fn any_octets_get_an_answer_and_no_panic(fragments in prop::collection::vec(prop_oneof![fragment(), Just(b"DATA\r\n".to_vec()), Just(b"STARTTLS\r\n".to_vec()), text(40)], 0..20), policy in policy(), size in 1_usize..200) {
        let mut driver = Driver::new(config(policy));
        for fragment in fragments {
            driver.packet(&fragment, size);
        }
        prop_assert!(driver.output_peak <= limits::OUTPUT_HIGH_WATER + limits::REPLY_LINE_MAX * 4);
    }
}

/// Everything but DATA and STARTTLS, where a client that does not wait is told from one that does.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "EHLO a\r\n",
        "HELO a\r\n",
        "MAIL FROM:<a@b.example>\r\n",
        "MAIL FROM:<> BODY=BINARYMIME SIZE=5\r\n",
        "RCPT TO:<c@d.example>\r\n",
        "RCPT TO:<\"c>\"@d.example> NOTIFY=NEVER\r\n",
        "BDAT 5\r\nQUIT\r",
        "BDAT 5 LAST\r\n\nRSET",
        "BDAT 0 LAST\r\n",
        "AUTH LOGIN\r\n",
        "AUTH PLAIN AHBhdABzZWNyZXQ=\r\n",
        "cGF0\r\n",
        "RSET\r\n",
        "NOOP\n",
        "HELP\r\n",
        ".\r\n",
    ]);
    prop_oneof![4 => known.prop_map(|line| line.as_bytes().to_vec()), 1 => text(12)]
}

fn config(policy: BareNewlines) -> Config {
    let mut config = Config::new("mms.example.net");
    config.bare_newlines = policy;
    config.auth = AuthOffer::Always;
    config.starttls = true;
    config.max_size = 30;
    config
}

#[test]
fn a_line_without_end_is_not_kept() {
    let mut driver = Driver::new(Config::new("mms.example.net"));
    driver.session.greet();
    for _ in 0..1000 {
        driver.packet(&[b'x'; 4096], 4096);
    }
    // The whole state printed, the octets of a kept line included.
    assert!(format!("{:?}", driver.session).len() < 4096);
    driver.packet(b"\r\nNOOP\r\n", 4096);
    assert!(
        driver.transcript.ends_with("S: 500 5.5.2 Command line too long\nS: 250 2.0.0 Ok\n"),
        "{}",
        driver.transcript
    );
}

#[test]
fn a_refused_message_is_not_read_for_ever() {
    let mut config = Config::new("mms.example.net");
    config.max_size = 1000;
    let mut driver = Driver::new(config);
    driver.session.greet();
    driver.packet(UP_TO_DATA, usize::MAX);
    let block = vec![b'x'; 1 << 20];
    let mut blocks = 0_u64;
    while !driver.closed {
        driver.packet(&block, usize::MAX);
        blocks += 1;
    }
    assert_eq!(blocks << 20, limits::DISCARD_MAX + (2 << 20));
    assert!(driver.transcript.ends_with("S: 421 4.3.0 Message far over the size limit, closing\nE: close\n"));
}

#[test]
fn chatter_without_mail_ends() {
    let mut driver = Driver::new(Config::new("mms.example.net"));
    driver.session.greet();
    for _ in 0..=limits::IDLE_COMMANDS_MAX {
        driver.packet(b"NOOP\r\n", usize::MAX);
    }
    assert!(driver.closed && driver.transcript.contains("S: 421 4.7.0 Too many commands"));
}

#[test]
fn a_directory_harvest_ends() {
    let mut driver = Driver::new(Config::new("mms.example.net"));
    driver.session.greet();
    driver.packet(b"EHLO a\r\nMAIL FROM:<>\r\n", usize::MAX);
    for _ in 0..=limits::REFUSED_RECIPIENTS_MAX {
        driver.verdicts.push_back(("rcpt".to_owned(), driver::verdict("550 5.1.1 No such subscriber")));
        driver.packet(b"RCPT TO:<guess@mms.example.net>\r\n", usize::MAX);
    }
    assert!(driver.closed);
}
