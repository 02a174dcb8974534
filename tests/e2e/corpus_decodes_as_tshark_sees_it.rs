//! Every PDU that real handsets and operators sent, as `packetboat decode` and tshark read it: the same type, the same
//! fields, the same parts. Cases, B-03.

use crate::node::BINARY;
use packetboat_harness::mms::Pdu;
use packetboat_harness::peers::tshark::{self, Carrier};
use packetboat_harness::process::Output;
use packetboat_harness::{Peer, Scene, scene};
use serde_json::Value;
use std::collections::BTreeMap;
use std::process::Command;

const TYPES: [&str; 12] = [
    "m-send-req",
    "m-send-conf",
    "m-notification-ind",
    "m-notifyresp-ind",
    "m-retrieve-conf",
    "m-acknowledge-ind",
    "m-delivery-ind",
    "m-read-rec-ind",
    "m-read-orig-ind",
    "m-forward-req",
    "m-forward-conf",
    "m-mbox-store-req",
];

/// What tshark calls a field, what the specification calls it, and the words for octets from 0x80 on.
const FIELDS: [(&str, &str, &[&str]); 24] = [
    ("transaction_id", "X-Mms-Transaction-Id", &[]),
    ("mms_version", "X-Mms-MMS-Version", &[]),
    ("message_id", "Message-ID", &[]),
    ("date", "Date", &[]),
    ("from", "From", &[]),
    ("to", "To", &[]),
    ("cc", "Cc", &[]),
    ("subject", "Subject", &[]),
    ("message_class.id", "X-Mms-Message-Class", &["Personal", "Advertisement", "Informational", "Auto"]),
    ("priority", "X-Mms-Priority", &["Low", "Normal", "High"]),
    ("sender_visibility", "X-Mms-Sender-Visibility", &["Hide", "Show"]),
    ("delivery_report", "X-Mms-Delivery-Report", &["Yes", "No"]),
    ("read_report", "X-Mms-Read-Report", &["Yes", "No"]),
    ("report_allowed", "X-Mms-Report-Allowed", &["Yes", "No"]),
    ("status", "X-Mms-Status", &["Expired", "Retrieved", "Rejected", "Deferred", "Unrecognised"]),
    ("read_status", "X-Mms-Read-Status", &["Read", "Deleted without being read"]),
    ("response_status", "X-Mms-Response-Status", &["Ok"]),
    ("retrieve_status", "X-Mms-Retrieve-Status", &["Ok"]),
    ("retrieve_text", "X-Mms-Retrieve-Text", &[]),
    ("message_size", "X-Mms-Message-Size", &[]),
    ("expiry.rel", "X-Mms-Expiry", &[]),
    ("content_location", "X-Mms-Content-Location", &[]),
    ("previously_sent_by", "X-Mms-Previously-Sent-By", &[]),
    ("previously_sent_date", "X-Mms-Previously-Sent-Date", &[]),
];

#[test]
fn corpus_decodes_as_tshark_sees_it() {
    let story = "corpus_decodes_as_tshark_sees_it";
    let Some(scene) = Scene::with_peers(story, &[Peer::Tshark]) else { return };
    let Some(corpus) = scene::corpus(story) else { return };
    let folder = std::fs::read_dir(corpus.join("pdus")).expect("the corpus");
    let mut files: Vec<_> = folder.map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    assert!(files.len() >= 20);
    let octets: Vec<_> = files.iter().map(|file| std::fs::read(file).expect("a file")).collect();
    let theirs = tshark::decode_all(&scene, Carrier::Http, &octets.iter().map(Vec::as_slice).collect::<Vec<_>>());

    let mut command = Command::new(BINARY);
    let output = Output::of(command.args(["decode", "--json"]).args(&files)).expect_success().text();
    let ours: Vec<Value> = output.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(ours.len(), files.len());

    let mut differences = Vec::new();
    for (((file, octets), ours), theirs) in files.iter().zip(&octets).zip(&ours).zip(&theirs) {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let mut found = fields(ours, &theirs.mmse);
        found.extend(parts(ours, &theirs.mmse, octets));
        differences.extend(found.into_iter().map(|difference| format!("{name}: {difference}")));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn fields(ours: &Value, theirs: &Value) -> Vec<String> {
    let mut found = Vec::new();
    let kind = number(theirs["mmse.message_type"].as_str().unwrap_or_default());
    let kind = TYPES.get(kind.unwrap_or_default().wrapping_sub(0x80) as usize).copied();
    if ours["pdu"].as_str() != kind {
        found.push(format!("{} here, {kind:?} there", ours["pdu"]));
    }
    let headers: BTreeMap<String, &Value> = match ours["headers"].as_object() {
        Some(headers) => headers.iter().map(|(name, value)| (name.to_lowercase(), value)).collect(),
        None => BTreeMap::new(),
    };
    let members = theirs.as_object().into_iter().flatten();
    for (name, value) in members.filter_map(|(name, value)| Some((name.strip_prefix("mmse.")?, value))) {
        if name == "message_type" || name.ends_with("_tree") {
            continue;
        }
        let Some((_, header, words)) = FIELDS.iter().find(|(known, _, _)| *known == name) else {
            found.push(format!("tshark sees {name}, which this story does not know"));
            continue;
        };
        let here: Vec<_> = texts(headers.get(&header.to_lowercase()).copied().unwrap_or(&Value::Null));
        let there: Vec<_> = texts(value).iter().map(|text| in_our_words(name, text, words)).collect();
        let here: Vec<_> = here.iter().map(|text| plain(name, text)).collect();
        let same = here.len() == there.len() && here.iter().zip(&there).all(|(here, there)| same_text(here, there));
        if !same {
            found.push(format!("{header} is {here:?} here, {there:?} there"));
        }
    }
    found
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Null => Vec::new(),
        Value::Array(several) => several.iter().flat_map(texts).collect(),
        Value::String(text) => vec![text.clone()],
        other => vec![other.to_string()],
    }
}

/// A value of tshark's as `decode` writes it.
fn in_our_words(name: &str, text: &str, words: &[&str]) -> String {
    if let Some(octet) = number(text).filter(|_| text.starts_with("0x")) {
        let word = words.get(octet.wrapping_sub(0x80) as usize);
        return word.map_or_else(|| text.to_owned(), |word| (*word).to_owned());
    }
    match name {
        "date" | "previously_sent_date" => rfc3339(text).unwrap_or_else(|| text.to_owned()),
        "expiry.rel" => format!("relative {}", text.split('.').next().unwrap_or_default()),
        // The octet that quotes text above 0x7f is not part of it.
        _ => text.trim_start_matches('\u{7f}').trim_start_matches(' ').to_owned(),
    }
}

fn plain(name: &str, text: &str) -> String {
    match name {
        "previously_sent_by" | "previously_sent_date" => {
            text.split_once(", ").map_or(text, |(_, rest)| rest).to_owned()
        }
        _ => text.to_owned(),
    }
}

/// tshark has replacement characters for what is not ASCII, and names few of the statuses that mean failure.
fn same_text(here: &str, there: &str) -> bool {
    let is_failure = number(there).is_some_and(|octet| octet > 0x80) && there.starts_with("0x");
    here == there || (is_failure && here.starts_with("Error")) || (!here.is_ascii() && there.contains('\u{fffd}'))
}

/// `Apr  2, 2014 22:33:43.000000000 UTC` as RFC 3339.
fn rfc3339(text: &str) -> Option<String> {
    const MONTHS: &str = "JanFebMarAprMayJunJulAugSepOctNovDec";
    let words: Vec<_> = text.split([' ', ',', '.']).filter(|word| !word.is_empty()).collect();
    let [month, day, year, time, ..] = words.as_slice() else { return None };
    let month = MONTHS.find(month)? / 3 + 1;
    Some(format!("{year}-{month:02}-{:02}T{time}Z", day.parse::<u8>().ok()?))
}

fn number(text: &str) -> Option<u64> {
    u64::from_str_radix(text.strip_prefix("0x")?, 16).ok()
}

fn parts(ours: &Value, theirs: &Value, octets: &[u8]) -> Vec<String> {
    let mut found = Vec::new();
    let mut there = Vec::new();
    collect(theirs, &mut there);
    let here = ours["parts"].as_array().cloned().unwrap_or_default();
    // A single part is no multipart to tshark; a PDU without a body has none here either.
    if there.is_empty() {
        return found;
    }
    if here.len() != there.len() {
        found.push(format!("{} parts here, {} there", here.len(), there.len()));
    }
    let lengths = Pdu::read(octets).parts;
    for (index, (here, there)) in here.iter().zip(&there).enumerate() {
        let headers = &there["wsp.headers"];
        let bare = |value: &Value| text_of(value).trim_matches(['"', '<', '>']).to_owned();
        let mut compare = |what: &str, here: String, there: String| {
            if !there.is_empty() && here != there {
                found.push(format!("part {index}: {what} is {here:?} here, {there:?} there"));
            }
        };
        let parameters = &there["wsp.header.content_type_tree"];
        compare(
            "type",
            text_of(&here["content_type"]).to_lowercase(),
            text_of(&there["wsp.header.content_type"]).to_lowercase(),
        );
        compare(
            "charset",
            text_of(&here["charset"]).to_lowercase(),
            text_of(&parameters["wsp.parameter.charset"]).to_lowercase(),
        );
        compare("name", text_of(&here["name"]), text_of(&parameters["wsp.parameter.name"]));
        compare("location", text_of(&here["content_location"]), text_of(&headers["wsp.header.content_location"]));
        compare("id", bare(&here["content_id"]), bare(&headers["wsp.header.content_id"]));
        let is_encoded = headers.to_string().to_lowercase().contains("transfer-encoding");
        let length = lengths.get(index).map(|part| part.data.len() as u64);
        if !is_encoded && here["size"].as_u64() != length {
            found.push(format!("part {index}: {} octets here, {length:?} in the PDU", here["size"]));
        }
        if here["sha256"].as_str().map(str::len) != Some(64) {
            found.push(format!("part {index}: no hash"));
        }
    }
    found
}

/// The parts, wherever tshark puts them.
fn collect<'value>(value: &'value Value, parts: &mut Vec<&'value Value>) {
    match value {
        Value::Object(members) => {
            for (name, inner) in members {
                match (name.as_str(), inner) {
                    ("wsp.multipart_tree", Value::Array(several)) => parts.extend(several),
                    ("wsp.multipart_tree", one) => parts.push(one),
                    _ => collect(inner, parts),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, parts)),
        _ => {}
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
