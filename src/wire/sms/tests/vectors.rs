//! Golden vectors of user data: each string of octets is the TP-UD of one short message with TP-UDHI set.

#[path = "../../../../tests/vectors/runner.rs"]
mod runner;

use std::fmt::Write;
use std::time::Duration;

use bytes::Bytes;
use packetboat_sms::{Accepted, Reassembler, UserData};

#[test]
fn user_data_reads_as_described() {
    runner::run("sms", describe);
}

fn describe(messages: &[Vec<u8>]) -> String {
    let mut out = String::new();
    let mut sets = Reassembler::new(4, Duration::from_secs(60));
    for octets in messages {
        let data = match UserData::parse(&Bytes::copy_from_slice(octets), true) {
            Ok(data) => data,
            Err(error) => {
                writeln!(out, "error: {error}").unwrap();
                continue;
            }
        };
        writeln!(out, "user data of {} octets, payload {}", octets.len(), data.payload.len()).unwrap();
        for element in data.header.iter().flat_map(|header| header.elements()) {
            writeln!(out, "  element {:02X}: {}", element.id(), hex(element.data())).unwrap();
        }
        if let Some(ports) = data.ports() {
            writeln!(out, "  ports: {} from {}", ports.destination, ports.originator).unwrap();
        }
        if let Some(part) = data.concatenation() {
            writeln!(out, "  segment {} of {}, reference {:?}", part.sequence(), part.total(), part.reference())
                .unwrap();
        }
        match data.encode() {
            Ok(again) => assert_eq!(again, octets[..], "written again"),
            Err(error) => writeln!(out, "  not to be written: {error}").unwrap(),
        }
        match sets.accept("+15550100", data, Duration::ZERO) {
            Ok(Accepted::Whole(message)) => {
                writeln!(out, "whole, {} octets: {}", message.payload.len(), hex(&message.payload)).unwrap()
            }
            Ok(Accepted::Waiting { missing }) => writeln!(out, "waiting for {missing}").unwrap(),
            Ok(Accepted::Duplicate) => writeln!(out, "a copy").unwrap(),
            Err(error) => writeln!(out, "refused: {error}").unwrap(),
        }
    }
    out
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
