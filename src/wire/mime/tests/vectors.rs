//! Golden vectors in `tests/vectors/mime/<kind>/*.txt`: input as text, a line of ten dashes, expected text.
//!
//! Line ends of the input stand for CRLF; `\xNN` is an octet, a backslash at a line's end joins lines. `UPDATE=1`
//! writes the expected part anew: read the difference before committing it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use bytes::Bytes;
use packetboat_mime::compose::{self, Piece};
use packetboat_mime::report::{dsn, loop_facts, mdn};
use packetboat_mime::{
    Body, Entity, Headers, Transport, addresses, html_to_text, parse, render_to_bytes, smil, strip_history,
};

const DASHES: &str = "\n----------\n";

fn run(kind: &str, describe: impl Fn(Vec<u8>) -> String) {
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/vectors/mime").join(kind);
    let mut files: Vec<_> =
        fs::read_dir(&folder).expect("vector folder").map(|file| file.expect("entry").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "no vectors in {}", folder.display());
    let mut differences = String::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("vector file");
        let (input, expected) = text.rsplit_once(DASHES).unwrap_or((&text, ""));
        let found = describe(octets(input));
        if update {
            fs::write(&path, format!("{input}{DASHES}{}\n", found.trim_end())).expect("write vector");
        } else if found.trim_end() != expected.trim_end() {
            let _ = writeln!(differences, "\n{}\n-- expected\n{expected}\n-- found\n{found}", path.display());
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

fn octets(input: &str) -> Vec<u8> {
    let text = input.replace("\\\n", "").replace('\n', "\r\n");
    let mut out = Vec::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find("\\x") {
        out.extend_from_slice(&rest.as_bytes()[..at]);
        out.push(u8::from_str_radix(&rest[at + 2..at + 4], 16).expect("two hexadecimal digits"));
        rest = &rest[at + 4..];
    }
    out.extend_from_slice(rest.as_bytes());
    out
}

fn show_headers(out: &mut String, headers: &Headers) {
    headers.0.iter().for_each(|(name, value)| {
        let _ = writeln!(out, "{name}: {value}");
    });
}

fn show<B>(out: &mut String, entity: &Entity<B>, depth: usize, body: &impl Fn(&B) -> String) {
    let indent = "  ".repeat(depth);
    let _ = write!(out, "{indent}{}", entity.media);
    if let Some(id) = &entity.content_id {
        let _ = write!(out, " | id {id}");
    }
    if let Some(location) = &entity.location {
        let _ = write!(out, " | location {location}");
    }
    if let Some(disposition) = &entity.disposition {
        let _ = write!(out, " | {} {}", disposition.kind, disposition.filename.as_deref().unwrap_or("-"));
    }
    out.push('\n');
    for (name, value) in &entity.other {
        let _ = writeln!(out, "{indent}  {name}: {value}");
    }
    match &entity.body {
        Body::Leaf(leaf) => body(leaf).lines().for_each(|line| {
            let _ = writeln!(out, "{indent}  | {line}");
        }),
        Body::Parts(parts) => parts.iter().for_each(|part| show(out, part, depth + 1, body)),
    }
}

fn show_octets(octets: &Bytes) -> String {
    match std::str::from_utf8(octets) {
        Ok(text) if !text.chars().any(|c| c.is_control() && !"\r\n\t".contains(c)) => {
            text.replace("\r\n", "\n").replace('\r', "\\r").replace('\t', "\\t")
        }
        _ => format!("{} octets {:02x?}", octets.len(), &octets[..octets.len().min(12)]),
    }
}

fn show_piece(piece: &Piece<Bytes>) -> String {
    match piece {
        Piece::Kept(octets) => format!("kept: {}", show_octets(octets)),
        Piece::Made(octets) => show_octets(octets),
    }
}

#[test]
fn parsing() {
    run("parse", |input| {
        let mut out = String::new();
        match parse(&input.into()) {
            Ok(mail) => {
                show_headers(&mut out, &mail.headers);
                out.push('\n');
                show(&mut out, &mail.root, 0, &show_octets);
            }
            Err(error) => out = error.to_string(),
        }
        out
    });
}

#[test]
fn rendering() {
    run("render", |input| {
        let mail = parse(&input.into()).expect("a mail");
        let rendered = render_to_bytes(&mail, Transport::SevenBit, || "boundary".to_owned());
        assert_eq!(parse(&rendered).expect("a mail"), mail, "what is rendered reads as what was rendered");
        String::from_utf8(rendered.to_vec()).expect("ASCII").replace("\r\n", "\n")
    });
}

#[test]
fn composing() {
    run("compose", |input| {
        let mail = parse(&input.into()).expect("a mail");
        let plan = compose::plan(&mail, &compose::Options::default());
        let mut out = String::new();
        for left in plan.left_out() {
            let _ = writeln!(out, "left out: {}: {}", left.name, left.why);
        }
        let texts = plan.needs().into_iter().cloned().collect();
        show(&mut out, &plan.finish(texts), 0, &show_piece);
        out
    });
}

#[test]
fn mailing() {
    run("mail", |input| {
        let mail = parse(&input.into()).expect("a mail");
        let plan = compose::mail_from_mms(&mail, &compose::MailOptions::default());
        let read = plan.needs().into_iter().cloned().collect();
        let made = plan.finish(read);
        let mut out = String::new();
        show_headers(&mut out, &made.headers);
        out.push('\n');
        show(&mut out, &made.root, 0, &show_piece);
        out
    });
}

#[test]
fn html() {
    run("html", |input| html_to_text(&String::from_utf8_lossy(&input)));
}

#[test]
fn history() {
    run("history", |input| strip_history(&String::from_utf8_lossy(&input)));
}

#[test]
fn presentations() {
    run("smil", |input| {
        let slides = smil::parse(&String::from_utf8_lossy(&input));
        let mut out = String::new();
        for slide in &slides {
            let _ = writeln!(out, "slide {:?}", slide.duration);
            for media in &slide.media {
                let _ = writeln!(out, "  {:?} {} {}", media.kind, media.src, media.region.as_deref().unwrap_or("-"));
            }
        }
        out + &smil::generate(&slides)
    });
}

#[test]
fn reports() {
    run("report", |input| {
        let mail = parse(&input.into()).expect("a mail");
        format!("{:#?}\n{:#?}\n{:?}", dsn::parse(&mail), mdn::parse(&mail), loop_facts(&mail.headers))
    });
}

#[test]
fn address_fields() {
    run("address", |input| {
        let text = String::from_utf8_lossy(&input).into_owned();
        let show = |line: &str| format!("{line}\n{:?}\n", addresses(line));
        text.lines().map(show).collect()
    });
}
