//! `packetboat decode`: what is in an MMS PDU, a WAP push, or the short messages that carried one (case H-05).

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use bytes::Bytes;
use packetboat_api::mime::Length;
use packetboat_api::mime::date::rfc3339;
use packetboat_mms::{Pdu, decode};
use packetboat_push::provisioning::security::{Imsi, Security, Signature};
use packetboat_push::provisioning::{Characteristic, Parm};
use packetboat_push::{BrowserSettings, Indication, Provisioning, Push, ServiceLoading, analyse};
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
    let security = security(options)?;
    let mut inputs = Vec::new();
    for file in &options.files {
        let octets = read(file)?;
        match hex_lines(&octets) {
            Some(lines) => inputs.extend(lines),
            None => inputs.push(octets),
        }
    }
    let found = analyse(&inputs).map_err(|e| e.to_string())?;
    found.iter().map(|found| push(found, security.as_ref())).collect()
}

/// The secret that signed settings are checked with, if one was given.
fn security(options: &DecodeOptions) -> Result<Option<Security>, String> {
    let imsi =
        options.imsi.as_deref().map(|digits| Imsi::parse(digits).map_err(|e| format!("--imsi: {e}"))).transpose()?;
    Ok(match (imsi, options.pin.clone()) {
        (None, None) => None,
        (Some(imsi), None) => Some(Security::NetwPin(imsi)),
        (None, Some(pin)) => Some(Security::UserPin(pin)),
        (Some(imsi), Some(pin)) => Some(Security::UserNetwPin { imsi, pin }),
    })
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

fn push(push: &Push, security: Option<&Security>) -> Result<Value, String> {
    let headers: Map<String, Value> =
        push.others.iter().map(|field| (field.name.to_text(), json!(field.to_text()))).collect();
    let head = json!({
        "transaction_id": push.transaction_id,
        "content_type": push.content_type.to_string(),
        "application_id": push.application_id.as_ref().and_then(|id| id.name()),
        "flag": push.flag.map(|flag| flag.0),
        "initiator": push.initiator,
        "date": push.date.and_then(|seconds| i64::try_from(seconds).ok()).map(rfc3339),
        "headers": if headers.is_empty() { Value::Null } else { Value::Object(headers) },
    });
    let mut value = match push.content_type.essence() {
        _ if push.is_mms() => pdu(&push.payload, &"the push's payload")?,
        _ => match document(push) {
            Some(read) => read.map_err(|e| format!("the push's payload: {e}"))?,
            None => json!({ "payload": push.payload.iter().map(|b| format!("{b:02x}")).collect::<String>() }),
        },
    };
    value["push"] = head;
    if let Some(signature) = Signature::of(&push.content_type) {
        let right = security.map(|security| signature.verify(security, &push.payload));
        value["signed"] = json!({ "method": signature.method.as_str(), "mac": signature.mac, "right": right });
    }
    Ok(value)
}

/// The pushed document, binary or as text; `None` when its type is none that is read here.
fn document(push: &Push) -> Option<Result<Value, String>> {
    let octets = &push.payload;
    Some(match push.content_type.essence() {
        Indication::MEDIA_TYPE => told(Indication::from_wbxml(octets), indication),
        Indication::XML_MEDIA_TYPE => told(Indication::from_xml(octets), indication),
        ServiceLoading::MEDIA_TYPE => told(ServiceLoading::from_wbxml(octets), loading),
        ServiceLoading::XML_MEDIA_TYPE => told(ServiceLoading::from_xml(octets), loading),
        Provisioning::MEDIA_TYPE => told(Provisioning::from_wbxml(octets), provisioning),
        Provisioning::XML_MEDIA_TYPE => told(Provisioning::from_xml(octets), provisioning),
        BrowserSettings::MEDIA_TYPE | BrowserSettings::BOOKMARKS_MEDIA_TYPE => {
            told(BrowserSettings::from_wbxml(octets), browser_settings)
        }
        _ => return None,
    })
}

fn told<T, E: std::fmt::Display>(read: Result<T, E>, tell: impl Fn(&T) -> Value) -> Result<Value, String> {
    read.map(|value| tell(&value)).map_err(|e| e.to_string())
}

/// Client provisioning as JSON: characteristics in characteristics.
fn provisioning(cp: &Provisioning) -> Value {
    fn told(each: &Characteristic) -> Value {
        let inner: Vec<Value> = each.children.iter().map(told).collect();
        json!({ "type": each.kind, "parms": parms(&each.parms), "characteristics": inner })
    }
    let characteristics: Vec<Value> = cp.characteristics.iter().map(told).collect();
    json!({ "provisioning": { "version": cp.version, "characteristics": characteristics } })
}

/// Browser settings as JSON.
fn browser_settings(ota: &BrowserSettings) -> Value {
    let told = |each: &packetboat_push::ota::Characteristic| json!({ "type": each.kind, "value": each.value, "parms": parms(&each.parms) });
    json!({ "browser_settings": { "characteristics": ota.characteristics.iter().map(told).collect::<Vec<_>>() } })
}

fn parms(parms: &[Parm]) -> Value {
    parms.iter().map(|parm| json!({ "name": parm.name, "value": parm.value })).collect()
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
    for (kind, title) in [("provisioning", "Client Provisioning"), ("browser_settings", "Browser settings")] {
        if value[kind].is_object() {
            println!("{title}{}", signed(&value["signed"]));
            print_characteristics(&value[kind]["characteristics"], 1);
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

/// How settings are signed, and whether rightly, for the end of a line.
fn signed(value: &Value) -> String {
    let Some(method) = value["method"].as_str() else { return String::new() };
    match value["right"].as_bool() {
        Some(true) => format!(", signed with {method}: right"),
        Some(false) => format!(", signed with {method}: WRONG"),
        None => format!(", signed with {method}"),
    }
}

fn print_characteristics(list: &Value, depth: usize) {
    let indent = "  ".repeat(depth);
    let text = |value: &Value| printable(value.as_str().unwrap_or_default());
    for each in list.as_array().into_iter().flatten() {
        match each["value"].as_str() {
            Some(value) => println!("{indent}{}: {}", text(&each["type"]), printable(value)),
            None => println!("{indent}{}", text(&each["type"])),
        }
        for parm in each["parms"].as_array().into_iter().flatten() {
            println!("{indent}  {}: {}", text(&parm["name"]), text(&parm["value"]));
        }
        print_characteristics(&each["characteristics"], depth + 1);
    }
}
