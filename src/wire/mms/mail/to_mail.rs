//! From a PDU to a MIME message.

use bytes::Bytes;
use packetboat_mime::{Entity, Headers, Mail, MediaType};

use super::address::member;
use super::content::mime_content;
use super::fields::{MAPPINGS, one_line, render};
use crate::Pdu;
use crate::tables::Field;
use crate::value::{FromValue, Value};

/// The message of an m-send-req or m-retrieve-conf; of an m-forward-req its header fields and an empty multipart.
///
/// From is absent when the relay is to put it in. Bcc is kept, so that the envelope can be made of it: whoever does
/// that removes it. Message-ID is the PDU's in angle brackets.
pub fn to_mail(pdu: Pdu<Bytes>) -> Mail<Bytes> {
    let headers = headers(&pdu);
    let root = match pdu.content {
        Some(content) => mime_content(content),
        None => Entity::multipart(MediaType::new("multipart/mixed"), Vec::new()),
    };
    Mail { headers, root }
}

/// The header fields alone, for PDUs whose content is elsewhere.
pub fn headers<B>(pdu: &Pdu<B>) -> Headers {
    let mut headers = Headers::default();
    if let Some(FromValue::Address(address)) = pdu.from()
        && !address.trim().is_empty()
    {
        headers.push("From", member(address));
    }
    for field in [Field::To, Field::Cc, Field::Bcc] {
        let members: Vec<String> = pdu.texts(field.clone()).map(member).filter(|member| !member.is_empty()).collect();
        if !members.is_empty() {
            headers.push(field.to_string(), members.join(", "));
        }
    }
    for row in MAPPINGS {
        for value in pdu.values(row.field.clone()).filter_map(|value| render(&row.field, &decoded(&row.field, value))) {
            headers.push(row.name, value);
        }
    }
    headers
}

/// Subjects may hold encoded words (RFC 2047), which are to be plain text from here on.
fn decoded(field: &Field, value: &Value) -> Value {
    match value {
        Value::Text(text) if *field == Field::Subject && text.contains("=?") => {
            let source = Bytes::from(format!("Subject: {}\r\n\r\n", one_line(text)));
            let parsed = packetboat_mime::parse(&source).ok();
            let subject = parsed.and_then(|mail| mail.headers.first("Subject").map(str::to_owned));
            Value::Text(subject.unwrap_or_default())
        }
        other => other.clone(),
    }
}
