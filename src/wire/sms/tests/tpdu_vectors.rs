//! Golden vectors of TPDUs: each string of octets is read as it would be on either way.

#[path = "../../../../tests/vectors/runner.rs"]
mod runner;

use std::fmt::Write;

use bytes::Bytes;
use packetboat_sms::tpdu::{Coding, DataCoding, Deliver, StatusReport, Submit, SubmitReport};
use packetboat_sms::{UserData, from_septets, from_ucs2};

#[test]
fn tpdus_read_as_described() {
    runner::run("tpdu", describe);
}

fn describe(tpdus: &[Vec<u8>]) -> String {
    let mut out = String::new();
    for octets in tpdus {
        let octets = Bytes::copy_from_slice(octets);
        let kind = octets.first().map_or(0, |first| first & 0b11);
        writeln!(out, "{} octets", octets.len()).unwrap();
        if kind == 1 || kind == 3 {
            writeln!(out, "to the centre: {}", submit(&octets)).unwrap();
        }
        let from = match kind {
            0 => deliver(&octets),
            2 => status_report(&octets),
            _ => submit_reports(&octets),
        };
        writeln!(out, "from the centre: {from}").unwrap();
    }
    out
}

fn submit(octets: &Bytes) -> String {
    let read = match Submit::parse(octets) {
        Ok(read) => read,
        Err(error) => return format!("error: {error}"),
    };
    let again = read.encode().unwrap();
    assert_eq!(again[..], octets[..again.len()], "written again");
    format!(
        "SMS-SUBMIT {} to {}{}{}{}, validity {:?}{}, protocol {}\n{}",
        read.reference,
        read.destination,
        if read.reject_duplicates { ", no duplicates" } else { "" },
        if read.status_report { ", with report" } else { "" },
        if read.reply_path { ", with reply path" } else { "" },
        read.validity,
        read.validity.span().map_or_else(String::new, |span| format!(" ({} s)", span.as_secs())),
        read.protocol,
        user_data(&read.user_data, read.coding)
    )
}

fn deliver(octets: &Bytes) -> String {
    let read = match Deliver::parse(octets) {
        Ok(read) => read,
        Err(error) => return format!("error: {error}"),
    };
    let kind = if read.originator.is_name() { "name " } else { "" };
    let more = if read.more { ", more waiting" } else { "" };
    format!(
        "SMS-DELIVER from {kind}{} at {}{more}, protocol {}\n{}",
        read.originator,
        read.time,
        read.protocol,
        user_data(&read.user_data, read.coding)
    )
}

fn status_report(octets: &Bytes) -> String {
    match StatusReport::parse(octets) {
        Ok(read) => {
            assert_eq!(read.encode(), octets, "written again");
            format!(
                "SMS-STATUS-REPORT {} to {}, sent {}, done {}: {:?}, {}, {} octets more",
                read.reference,
                read.recipient,
                read.sent,
                read.done,
                read.status.class(),
                read.status,
                read.optional.len()
            )
        }
        Err(error) => format!("error: {error}"),
    }
}

fn submit_reports(octets: &Bytes) -> String {
    let read = |refused| match SubmitReport::parse(octets, refused) {
        Ok(read) => format!("{:02X?} at {}", read.failure, read.time),
        Err(error) => format!("error: {error}"),
    };
    format!("SMS-SUBMIT-REPORT if taken: {}; if refused: {}", read(false), read(true))
}

fn user_data(data: &UserData, coding: DataCoding) -> String {
    let mut out = format!("  coding {:02X}: {:?}, class {:?}", coding.0, coding.coding(), coding.class());
    if let Some(ports) = data.ports() {
        write!(out, "\n  ports: {} from {}", ports.destination, ports.originator).unwrap();
    }
    if let Some(part) = data.concatenation() {
        write!(out, "\n  segment {} of {}", part.sequence(), part.total()).unwrap();
    }
    let words = match coding.coding() {
        Coding::Septets => from_septets(&data.payload),
        Coding::Ucs2 => from_ucs2(&data.payload),
        Coding::Octets => data.payload.iter().map(|octet| format!("{octet:02x}")).collect(),
    };
    write!(out, "\n  {} units: {words}", data.payload.len()).unwrap();
    out
}
