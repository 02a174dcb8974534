//! Golden vectors: octets of PDUs and what they say.

#[path = "../../../../tests/vectors/runner.rs"]
mod runner;

mod common;

use std::fmt::Write;

use bytes::Bytes;
use packetboat_mms::{Pdu, decode};

#[test]
fn every_vector_reads_as_expected() {
    runner::run("mms", |strings| {
        let octets = Bytes::from(strings.concat());
        match decode(&octets) {
            Ok(pdu) => {
                survives_encoding(&pdu);
                survives_cutting(&octets, &pdu);
                described(&pdu)
            }
            Err(error) => {
                let answer = format!("{:?} {:?} {:?}", error.pdu, error.transaction_id, error.version);
                format!("{error}\nfor the answer: {answer}")
            }
        }
    });
}

fn survives_encoding(pdu: &Pdu) {
    let encoded = pdu.encode();
    let octets = Bytes::from(encoded.to_vec());
    assert_eq!(octets.len() as u64, encoded.length);
    let again = decode(&octets).expect("what was written");
    assert_eq!(common::sorted(again), common::sorted(pdu.clone()));
}

/// A PDU cut short is an error, a shorter header, or a single part that is shorter.
fn survives_cutting(octets: &Bytes, whole: &Pdu) {
    for length in 0..octets.len() {
        let Ok(pdu) = decode(&octets.slice(..length)) else { continue };
        assert!(pdu.content.is_none() || pdu.is_single_part() || pdu.parts().is_empty(), "at {length}");
        assert!(whole.headers.starts_with(&pdu.headers), "at {length}");
    }
}

fn described(pdu: &Pdu) -> String {
    let mut out = String::new();
    for (name, value) in pdu.describe() {
        let _ = writeln!(out, "{name}: {value}");
    }
    for part in pdu.parts() {
        let size = part.content().map_or(0, Bytes::len);
        let _ = write!(out, "part: {} [{size}]", part.media);
        for (name, value) in [("id", &part.content_id), ("location", &part.location)] {
            let _ = value.as_ref().map(|value| write!(out, " {name}={value}"));
        }
        if let Some(disposition) = &part.disposition {
            let _ = write!(out, " {} filename={:?}", disposition.kind, disposition.filename);
        }
        for (name, value) in &part.other {
            let _ = write!(out, " {name}={value}");
        }
        out.push('\n');
    }
    if pdu.untyped {
        out.push_str("untyped\n");
    }
    for name in pdu.check() {
        let _ = writeln!(out, "missing: {name}");
    }
    out
}
