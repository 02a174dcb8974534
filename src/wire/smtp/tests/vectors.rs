//! The dialogues of `tests/vectors/smtp`, each at many read sizes: what a session does may not depend on how the octets
//! were cut. `UPDATE=1` rewrites the expected transcripts.
//!
//! A file is a script, a line of dashes and the transcript. Script lines: `config key=value…`; `verdict PREFIX => REPLY`
//! answers the first question that starts so; `C: text` sends a line; `C= text` sends octets as written, `\r \n \0 \xHH \\
//! \*COUNT*` undone; an empty line waits for the replies.

#[allow(dead_code)]
mod driver;

use driver::{Driver, verdict};
use packetboat_smtp::{AuthOffer, BareNewlines, Config};
use std::path::PathBuf;

const DASHES: &str = "--------\n";

#[test]
fn every_dialogue_at_every_read_size() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../tests/vectors/smtp");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let mut wrong = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let (script, expected) = text.split_once(DASHES).unwrap_or((&text, ""));
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let whole = run(script, usize::MAX);
        let longest = packets(script).iter().map(Vec::len).max().unwrap_or(1);
        // A client that does not wait shows only when its octets come together.
        let sizes = if name.starts_with("together-") { 0..0 } else { 1..longest };
        for size in sizes {
            if longest > 4096 && size > 64 && size % 997 != 0 {
                continue;
            }
            let cut = run(script, size);
            assert_eq!(cut, whole, "{name}: reads of {size}");
        }
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&file, format!("{script}{DASHES}{whole}")).unwrap();
        } else if whole != expected {
            wrong.push(format!("== {name}\n-- expected\n{expected}-- got\n{whole}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn run(script: &str, size: usize) -> String {
    let mut driver = Driver::new(config(script));
    for line in script.lines() {
        if let Some((prefix, reply)) = line.strip_prefix("verdict ").and_then(|rest| rest.split_once(" => ")) {
            driver.verdicts.push_back((prefix.to_owned(), verdict(reply)));
        }
        if let Some(octets) = line.strip_prefix("spool ") {
            driver.spool_max = octets.parse().unwrap();
        }
    }
    if !script.lines().any(|line| line == "early") {
        driver.session.greet();
        driver.flush();
    }
    for packet in packets(script) {
        driver.packet(&packet, size);
        if driver.closed {
            break;
        }
    }
    driver.transcript
}

fn packets(script: &str) -> Vec<Vec<u8>> {
    let mut packets = vec![Vec::new()];
    for line in script.lines() {
        let packet = packets.last_mut().unwrap();
        if let Some(text) = line.strip_prefix("C:") {
            packet.extend_from_slice(text.strip_prefix(' ').unwrap_or(text).as_bytes());
            packet.extend_from_slice(b"\r\n");
        } else if let Some(text) = line.strip_prefix("C= ") {
            packet.extend(unescape(text));
        } else if line.is_empty() {
            packets.push(Vec::new());
        }
    }
    packets.retain(|packet| !packet.is_empty());
    packets
}

fn unescape(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            octets.push(byte);
            continue;
        }
        match rest.next().expect("something after the backslash") {
            b'r' => octets.push(b'\r'),
            b'n' => octets.push(b'\n'),
            b'0' => octets.push(0),
            b'x' => {
                let hex = [rest.next().unwrap(), rest.next().unwrap()];
                octets.push(u8::from_str_radix(std::str::from_utf8(&hex).unwrap(), 16).unwrap());
            }
            // `\*COUNT*` makes it COUNT of the octet before.
            b'*' => {
                let count: Vec<u8> = rest.by_ref().take_while(|byte| *byte != b'*').collect();
                let count: usize = String::from_utf8(count).unwrap().parse().unwrap();
                let last = *octets.last().unwrap();
                octets.extend(std::iter::repeat_n(last, count - 1));
            }
            other => octets.push(other),
        }
    }
    octets
}

fn config(script: &str) -> Config {
    let mut config = Config::new("mms.example.net");
    config.max_size = 1000;
    let keys = script.lines().filter_map(|line| line.strip_prefix("config ")).flat_map(str::split_whitespace);
    for key in keys {
        match key.split_once('=').unwrap_or((key, "")) {
            ("max_size", value) => config.max_size = value.parse().unwrap(),
            ("max_recipients", value) => config.max_recipients = value.parse().unwrap(),
            ("max_errors", value) => config.max_errors = value.parse().unwrap(),
            ("bare_newlines", "fix") => config.bare_newlines = BareNewlines::Fix,
            ("auth", "after_tls") => config.auth = AuthOffer::AfterTls,
            ("auth", "always") => config.auth = AuthOffer::Always,
            ("starttls", _) => config.starttls = true,
            ("tls_active", _) => config.tls_active = true,
            ("require_tls", _) => config.require_tls = true,
            ("require_auth", _) => config.require_auth = true,
            ("deliver_by", _) => config.deliver_by = true,
            ("refuse_early_talkers", _) => config.refuse_early_talkers = true,
            other => panic!("unknown config {other:?}"),
        }
    }
    config
}
