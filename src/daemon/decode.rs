//! `packetboat decode`: what is in an MMS PDU, a WAP push, or the short messages that carried one (case H-05).

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use bytes::Bytes;
use packetboat_api::mime::Length;
use packetboat_api::mime::date::rfc3339;
use packetboat_mms::{Pdu, decode};
use packetboat_push::{Indication, Push, ServiceLoading, analyse};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::cli::DecodeOptions;
use crate::failed;

/// The command.
pub fn command(options: &DecodeOptions) -> ExitCode {
    let described = match options.push {
        true => pushes(options),
        false => options.files.iter().map(|file| read(file).and_then(|octets| pdu(&octets, &file.display()))).collect(),
    };
    let described: Vec<Value> = match described {
        Ok(described) => described,
        Err(error) => return failed(error),
    };
    for value in &described {
        match options.json.json {
            true => println!("{value}"),
            false => print(value),
        }
    }
    ExitCode::SUCCESS
}

fn read(file: &Path) -> Result<Bytes, String> {
    let octets = match file.to_str() {
        Some("-") => {
            let mut octets = Vec::new();
            std::io::stdin().read_to_end(&mut octets).map(|_| octets)
        }
        _ => std::fs::read(file),
    };
    octets.map(Bytes::from).map_err(|e| format!("{} cannot be read: {e}", file.display()))
}

fn pdu(octets: &Bytes, name: &dyn std::fmt::Display) -> Result<Value, String> {
    decode(octets).map(|pdu| described(&pdu)).map_err(|e| format!("{name}: {e}"))
}

fn pushes(options: &DecodeOptions) -> Result<Vec<Value>, String> {
    let mut inputs = Vec::new();
    for file in &options.files {
        let octets = read(file)?;
        match hex_lines(&octets) {
            Some(lines) => inputs.extend(lines),
            None => inputs.push(octets),
        }
    }
    let found = analyse(&inputs).map_err(|e| e.to_string())?;
    found.iter().map(push).collect()
}

/// Hex digits, a short message a line; `None` when it is something else.
fn hex_lines(octets: &[u8]) -> Option<Vec<Bytes>> {
    let text = std::str::from_utf8(octets).ok()?;
    let lines = text.lines().map(|line| line.replace([' ', ':', '\t'], "")).filter(|line| !line.is_empty());
    let lines: Option<Vec<Bytes>> = lines.map(|line| unhex(&line)).collect();
    lines.filter(|lines| !lines.is_empty())
}

/// The octets that hex digits stand for.
pub fn unhex(line: &str) -> Option<Bytes> {
    let digits = line.as_bytes();
    if !digits.len().is_multiple_of(2) || !line.is_ascii() {
        return None;
    }
    let octet = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(octet).collect::<Option<Vec<u8>>>().map(Bytes::from)
}

fn push(push: &Push) -> Result<Value, String> {
    let head = json!({
        "transaction_id": push.transaction_id,
        "content_type": push.content_type.to_string(),
        "application_id": push.application_id.as_ref().and_then(|id| id.name()),
        "initiator": push.initiator,
    });
    let broken = |error: packetboat_push::WspError| format!("the push's payload: {error}");
    let mut value = match push.content_type.essence() {
        _ if push.is_mms() => pdu(&push.payload, &"the push's payload")?,
        Indication::MEDIA_TYPE => indication(&Indication::from_wbxml(&push.payload).map_err(broken)?),
        ServiceLoading::MEDIA_TYPE => loading(&ServiceLoading::from_wbxml(&push.payload).map_err(broken)?),
        _ => json!({ "payload": push.payload.iter().map(|b| format!("{b:02x}")).collect::<String>() }),
    };
    value["push"] = head;
    Ok(value)
}

/// A Service Indication as JSON, by the names of its attributes.
fn indication(si: &Indication) -> Value {
    let date = |seconds: Option<i64>| seconds.map(rfc3339);
    json!({ "si": {
        "href": si.href, "si-id": si.id, "created": date(si.created), "si-expires": date(si.expires),
        "action": si.signal.as_str(), "text": si.text,
    } })
}

/// A Service Loading as JSON, by the names of its attributes.
fn loading(sl: &ServiceLoading) -> Value {
    json!({ "sl": { "href": sl.href, "action": sl.loading.as_str() } })
}

/// A PDU as JSON: its type, its header fields by their names in the specification, its parts.
pub fn described(pdu: &Pdu) -> Value {
    let mut headers: Map<String, Value> = Map::new();
    for (name, text) in pdu.describe() {
        match headers.get_mut(&name) {
            None => drop(headers.insert(name, json!(text))),
            Some(Value::Array(several)) => several.push(json!(text)),
            Some(one) => *one = json!([one.take(), text]),
        }
    }
    let parts = pdu.parts().into_iter().map(|part| {
        let body = part.content().cloned().unwrap_or_default();
        let sha256: String = Sha256::digest(&body).iter().map(|b| format!("{b:02x}")).collect();
        json!({
            "content_type": part.media.essence(),
            "charset": part.media.param("charset"),
            "name": part.file_name(),
            "content_location": part.location,
            "content_id": part.content_id,
            "size": body.length(),
            "sha256": sha256,
        })
    });
    json!({ "pdu": pdu.kind.to_string(), "headers": headers, "parts": parts.collect::<Vec<_>>() })
}

/// What may come from anybody, for a terminal: control characters, which could move its cursor or worse, are escaped.
pub fn printable(text: &str) -> String {
    let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect()
}

fn print(value: &Value) {
    if let Some(push) = value["push"].as_object() {
        println!("WAP push");
        push.iter().filter(|(_, v)| !v.is_null()).for_each(|(name, v)| println!("  {name}: {v}"));
    }
    for (kind, title) in [("si", "Service Indication"), ("sl", "Service Loading")] {
        let Some(fields) = value[kind].as_object() else { continue };
        println!("{title}");
        for (name, text) in fields.iter().filter_map(|(name, text)| Some((name, text.as_str()?))) {
            println!("  {name}: {}", printable(text));
        }
    }
    if let Some(pdu) = value["pdu"].as_str() {
        println!("{pdu}");
    }
    for (name, text) in value["headers"].as_object().into_iter().flatten() {
        match text {
            Value::Array(several) => {
                several.iter().for_each(|one| println!("  {name}: {}", printable(one.as_str().unwrap_or_default())))
            }
            one => println!("  {name}: {}", printable(one.as_str().unwrap_or_default())),
        }
    }
    for (number, part) in value["parts"].as_array().into_iter().flatten().enumerate() {
        let name = part["name"].as_str().unwrap_or("without a name");
        println!(
            "  part {}: {}, {}, {} octets",
            number + 1,
            printable(part["content_type"].as_str().unwrap_or("?")),
            printable(name),
            part["size"]
        );
    }
    if let Some(payload) = value["payload"].as_str() {
        println!("  payload: {payload}");
    }
}
