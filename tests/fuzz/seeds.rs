//! Writes the first inputs of every fuzz target: `seeds VECTORS CORPUS [REAL]`.
//!
//! VECTORS is `tests/vectors`, CORPUS gets a folder a target, REAL is a folder of real PDUs and photos, when there is
//! one. Compiled by `tests/fuzz/run` with rustc alone: no dependencies.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

/// Larger seeds only slow the fuzzer down.
const LARGEST: usize = 16 << 10;
/// X-Mms… fields before it end with Content-Type: its well-known number, as an octet (OMA-TS-MMS_ENC 7.3).
const CONTENT_TYPE: u8 = 0x84;

fn main() {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(vectors), Some(corpus)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: seeds VECTORS CORPUS [REAL]");
        std::process::exit(2);
    };
    let seeds = Seeds(corpus);
    for (_, text) in texts(&vectors.join("mms")) {
        hex_strings(&text).iter().for_each(|octets| seeds.pdu(octets));
    }
    for (_, text) in texts(&vectors.join("push")) {
        hex_strings(&text).iter().for_each(|octets| seeds.add("push", octets));
        // What a push carries, after its header.
        let payload = |octets: &Vec<u8>| Some(octets.get(usize::from(*octets.get(2)?) + 3..)?.to_vec());
        for octets in hex_strings(&text).iter().filter_map(payload) {
            ["wbxml", "indication", "provisioning"].iter().for_each(|target| seeds.add(target, &octets));
        }
        // And what it says, as text.
        if let Some(document) = text.find("<?xml").and_then(|at| text[at..].split("\nwritten ").next()) {
            ["indication", "provisioning"].iter().for_each(|target| seeds.add(target, document.as_bytes()));
        }
        seeds.add("sms", &with_lengths(&hex_strings(&text)));
    }
    for (_, text) in texts(&vectors.join("pap")) {
        seeds.add("pap", text.as_bytes());
    }
    for (_, text) in texts(&vectors.join("sms")) {
        seeds.add("sms", &with_lengths(&hex_strings(&text)));
    }
    for (_, text) in texts(&vectors.join("tpdu")) {
        for octets in hex_strings(&text) {
            seeds.add("tpdu", &octets);
            seeds.add("at_lines", &said(&octets));
        }
    }
    for (_, text) in texts(&vectors.join("mime")) {
        let input = text.rsplit_once("\n----------\n").map_or(text.as_str(), |(input, _)| input);
        seeds.add("mime", &escaped(&input.replace("\\\n", "").replace('\n', "\r\n")));
    }
    for (_, text) in texts(&vectors.join("smtp")) {
        seeds.dialogue(text.split_once("--------\n").map_or(text.as_str(), |(script, _)| script));
    }
    for path in arguments.next().map(|real| files(&real)).unwrap_or_default() {
        let Ok(octets) = fs::read(&path) else { continue };
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("eml") => seeds.add("mime", &octets),
            _ => {
                seeds.pdu(&octets);
                seeds.add("push", &octets);
            }
        }
    }
}

struct Seeds(PathBuf);

impl Seeds {
    fn add(&self, target: &str, octets: &[u8]) {
        if octets.is_empty() || octets.len() > LARGEST {
            return;
        }
        let mut hash = DefaultHasher::new();
        octets.hash(&mut hash);
        let folder = self.0.join(target);
        fs::create_dir_all(&folder).expect("the corpus folder");
        fs::write(folder.join(format!("seed-{:016x}", hash.finish())), octets).expect("a seed");
    }

    /// A PDU, and what may be its content for the layer below.
    fn pdu(&self, octets: &[u8]) {
        self.add("mms", octets);
        let types = octets.iter().enumerate().filter(|(_, octet)| **octet == CONTENT_TYPE);
        types.take(4).for_each(|(at, _)| self.add("wsp", &octets[at + 1..]));
    }

    /// A dialogue as one session, its lines sent at once and one read a line; its messages once more as messages alone.
    fn dialogue(&self, script: &str) {
        let mut sent = Vec::new();
        for line in script.lines() {
            if let Some(text) = line.strip_prefix("C:") {
                sent.extend_from_slice(text.strip_prefix(' ').unwrap_or(text).as_bytes());
                sent.extend_from_slice(b"\r\n");
            } else if let Some(text) = line.strip_prefix("C= ") {
                sent.extend(escaped(text));
            }
        }
        for setup in [0b1111_1100, 0b1111_1101, 0b0000_1100] {
            self.add("smtp_session", &[&[setup], &sent[..]].concat());
        }
        if let Some(at) = sent.windows(6).position(|window| window == b"DATA\r\n") {
            for setup in [0b1111_1110, 0b0000_0011] {
                self.add("smtp_session", &[&[setup], &sent[at + 6..]].concat());
            }
        }
    }
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()) {
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

fn texts(folder: &Path) -> Vec<(PathBuf, String)> {
    files(folder).into_iter().filter_map(|path| Some((path.clone(), fs::read_to_string(path).ok()?))).collect()
}

/// Hexadecimal digits above the dashes; a blank line begins another string, `#` a remark.
fn hex_strings(text: &str) -> Vec<Vec<u8>> {
    let input = text.split("\n----------").next().unwrap_or("");
    let mut strings = vec![Vec::new()];
    for line in input.lines() {
        let digits: Vec<u8> = line.split('#').next().unwrap_or("").bytes().filter(u8::is_ascii_hexdigit).collect();
        let octets =
            digits.chunks_exact(2).filter_map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
        match line.trim().is_empty() {
            true => strings.push(Vec::new()),
            false => strings.last_mut().expect("one at least").extend(octets),
        }
    }
    strings.retain(|octets| !octets.is_empty());
    strings
}

/// A TPDU as a modem says it, between other things that modems say.
fn said(tpdu: &[u8]) -> Vec<u8> {
    let (length, digits) = (tpdu.len(), tpdu.iter().map(|octet| format!("{octet:02X}")).collect::<String>());
    let mut said = "ATE0\r\r\nOK\r\n\r\n+CREG: 0,1\r\n\r\n+CNMI: (0-2),(0-3),(0,2,3),(0-2),(0,1)\r\n> ".to_owned();
    for name in ["CMT: ,", "CDS: ", "CMGL: 1,1,,", "CMGR: 0,,"] {
        said += &format!("\r\n+{name}{length}\r\n00{digits}\r\n");
    }
    (said + "\r\n+CMTI: \"SM\",3\r\n\r\n+CMGS: 7\r\n\r\n+CMS ERROR: 331\r\n").into_bytes()
}

fn with_lengths(strings: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for octets in strings.iter().filter(|octets| octets.len() < 256) {
        out.push(octets.len() as u8);
        out.extend_from_slice(octets);
    }
    out
}

/// `\r`, `\n`, `\0` and `\xNN` undone; anything else after a backslash stays as it is.
fn escaped(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((octet, after)) = rest.split_first() {
        let (octet, length) = match (octet, after) {
            (b'\\', [b'r', ..]) => (b'\r', 2),
            (b'\\', [b'n', ..]) => (b'\n', 2),
            (b'\\', [b'0', ..]) => (0, 2),
            (b'\\', [b'x', high, low, ..]) => {
                let digits = [*high, *low];
                let value = std::str::from_utf8(&digits).ok().and_then(|digits| u8::from_str_radix(digits, 16).ok());
                value.map_or((b'\\', 1), |value| (value, 4))
            }
            _ => (*octet, 1),
        };
        out.push(octet);
        rest = &rest[length..];
    }
    out
}
