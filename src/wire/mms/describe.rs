//! A PDU as names and text, for people and for comparing with other decoders.

use std::fmt::Write;

use packetboat_mime::{Body, Entity};

use crate::tables::{Field, Kind};
use crate::value::{FromValue, TimeValue, Value};
use crate::{Header, Pdu, codes, date};

impl<B> Pdu<B> {
    /// Every header field as its name in the specification and its value in words, in order: X-Mms-Message-Type
    /// first, Content-Type last. Repeated fields stay repeated.
    ///
    /// Enumerated values have the specification's names and unknown ones their octet (`0x9f`), dates are RFC 3339,
    /// relative times `relative 86400`, and octets kept raw stand in hexadecimal.
    pub fn describe(&self) -> Vec<(String, String)> {
        let mut lines = vec![(Field::MessageType.to_string(), self.kind.to_string())];
        lines.extend(self.headers.iter().map(|header| (header.field.to_string(), header.describe())));
        lines.extend(self.content.as_ref().map(|content| (Field::ContentType.to_string(), content.media.to_string())));
        lines
    }

    /// The leaves of the content in order.
    pub fn parts(&self) -> Vec<&Entity<B>> {
        self.content.iter().flat_map(Entity::leaves).collect()
    }

    /// Whether the content is one part and no multipart.
    pub fn is_single_part(&self) -> bool {
        self.content.as_ref().is_some_and(|content| matches!(content.body, Body::Leaf(_)))
    }
}

impl Header {
    /// The value in words.
    pub fn describe(&self) -> String {
        describe(&self.value, self.field.kind())
    }
}

fn describe(value: &Value, kind: Option<Kind>) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Code(octet) => match kind {
            Some(Kind::Code(table)) => codes::name_of(table, *octet).map(str::to_owned),
            _ => None,
        }
        .unwrap_or_else(|| format!("0x{octet:02x}")),
        Value::Number(number) if kind == Some(Kind::Date) => date::rfc3339(*number),
        Value::Number(number) => number.to_string(),
        Value::Version(version) => version.to_string(),
        Value::From(FromValue::Address(address)) => address.clone(),
        Value::From(FromValue::InsertAddress) => "<insert address>".to_owned(),
        Value::Time(TimeValue::Absolute(time)) => date::rfc3339(*time),
        Value::Time(TimeValue::Relative(seconds)) => format!("relative {seconds}"),
        Value::PreviouslySentBy(count, address) => format!("{count}, {address}"),
        Value::PreviouslySentDate(count, time) => format!("{count}, {}", date::rfc3339(*time)),
        Value::Flags(operation, keyword) => format!("{operation} {keyword}"),
        Value::Totals(unit, amount) => format!("{amount} {unit}"),
        Value::Attribute(field) => field.to_string(),
        Value::Element(reference, parameters) => {
            parameters.iter().fold(reference.clone(), |text, (name, value)| format!("{text}; {name}={value}"))
        }
        Value::Counted(count, value) => format!("{count}, {}", describe(value, kind)),
        Value::Raw(octets) => octets.iter().fold(String::from("0x"), |mut hex, octet| {
            let _ = write!(hex, "{octet:02x}");
            hex
        }),
    }
}
