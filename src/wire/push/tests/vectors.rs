//! Golden vectors of pushes: a bare push, or the user data of the short messages that carried one.

#[path = "../../../../tests/vectors/runner.rs"]
mod runner;

use std::fmt::Write;

use bytes::Bytes;
use packetboat_push::{FieldName, Push, analyse, fits_one_sms};
use packetboat_wsp::tables;

#[test]
fn pushes_read_as_described() {
    runner::run("push", describe);
}

fn describe(inputs: &[Vec<u8>]) -> String {
    let inputs: Vec<Bytes> = inputs.iter().map(|octets| Bytes::copy_from_slice(octets)).collect();
    let pushes = match analyse(&inputs) {
        Ok(pushes) => pushes,
        Err(error) => return format!("error: {error}\n"),
    };
    let mut out = String::new();
    for push in &pushes {
        lines(&mut out, push).unwrap();
        let written = push.encode();
        assert_eq!(Push::parse(&written).as_ref(), Ok(push), "written and read again");
        let note = if inputs.contains(&written) { ", as read" } else { "" };
        writeln!(out, "written: {} octets{note}, one short message: {}", written.len(), fits_one_sms(written.len()))
            .unwrap();
    }
    out
}

fn lines(out: &mut String, push: &Push) -> std::fmt::Result {
    writeln!(out, "push {:02x}", push.transaction_id)?;
    writeln!(out, "  Content-Type: {}", push.content_type)?;
    if let Some(id) = &push.application_id {
        writeln!(out, "  X-Wap-Application-Id: {id:?} = {:?}", id.name())?;
    }
    if let Some(length) = push.content_length {
        writeln!(out, "  Content-Length: {length}")?;
    }
    if let Some(flag) = push.flag {
        let (known, trusted, last) = (flag.initiator_authenticated(), flag.content_trusted(), flag.last_message());
        writeln!(out, "  Push-Flag: {} (authenticated {known}, trusted {trusted}, last {last})", flag.0)?;
    }
    if let Some(uri) = &push.initiator {
        writeln!(out, "  X-Wap-Initiator-URI: {uri}")?;
    }
    if let Some(date) = push.date {
        writeln!(out, "  Date: {date}")?;
    }
    for field in &push.others {
        match &field.name {
            FieldName::Number { page: 1, number } => {
                write!(out, "  {} (01/{number:02x})", tables::header_name(*number).unwrap_or("?"))?
            }
            FieldName::Number { page, number } => write!(out, "  ({page:02x}/{number:02x})")?,
            FieldName::Text(name) => write!(out, "  {name}")?,
        }
        writeln!(out, ": {}", hex(&field.value))?;
    }
    writeln!(out, "payload: {} octets {}", push.payload.len(), hex(&push.payload))
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
