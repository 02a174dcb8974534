//! Golden vectors of pushes: a bare push, or the user data of the short messages that carried one.

#[path = "../../../../tests/vectors/runner.rs"]
mod runner;

use std::fmt::Write;

use bytes::Bytes;
use packetboat_push::provisioning::security::{Imsi, Security, Signature};
use packetboat_push::{BrowserSettings, Indication, Provisioning, Push, ServiceLoading, analyse, fits_one_sms};

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
        writeln!(out, "  {}: {} = {:?}", field.name.to_text(), hex(&field.value), field.to_text())?;
    }
    match content(push) {
        None => writeln!(out, "payload: {} octets {}", push.payload.len(), hex(&push.payload)),
        Some(content) => writeln!(out, "payload: {} octets\n{content}", push.payload.len()),
    }
}

/// What the payload says, if it is a document of a type that is read here; and whether it is written as it was read.
fn content(push: &Push) -> Option<String> {
    let payload = &push.payload;
    let read = match push.content_type.essence() {
        Indication::MEDIA_TYPE => Indication::from_wbxml(payload).map(|si| (si.to_xml(), si.to_wbxml())),
        ServiceLoading::MEDIA_TYPE => ServiceLoading::from_wbxml(payload).map(|sl| (sl.to_xml(), sl.to_wbxml())),
        Provisioning::MEDIA_TYPE => Provisioning::from_wbxml(payload).map(|cp| (cp.to_xml(), cp.to_wbxml())),
        BrowserSettings::MEDIA_TYPE => BrowserSettings::from_wbxml(payload).map(|ota| (ota.to_xml(), ota.to_wbxml())),
        _ => return None,
    };
    let (text, written) = match read {
        Ok(read) => read,
        Err(error) => return Some(format!("error: {error}")),
    };
    let imsi = Imsi::parse("310150123456789").unwrap();
    let signed = Signature::of(&push.content_type).map(|signature| {
        let ours = [Security::UserPin("1234".to_owned()), Security::NetwPin(imsi)];
        let right = ours.iter().any(|security| signature.verify(security, payload));
        format!("\nsigned: {}, by us: {right}", signature.method.as_str())
    });
    let note = if written == payload { "as read" } else { "otherwise" };
    Some(format!("{}\nwritten {note}{}", text.trim_end(), signed.unwrap_or_default()))
}

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
