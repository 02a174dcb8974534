//! The values of a callback: fields of its query or form by name, values of its JSON body by pointer.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use packetboat_net::callback::{Call, Fields};
use serde_json::Value;

use crate::settings::Encoding;

/// Base64 as gateways write it, padded or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What a callback says cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

/// What a callback says.
pub struct Said {
    fields: Fields,
    json: Value,
}

impl Said {
    /// Reads a call. A body that is not JSON has no values.
    pub fn of(call: &Call) -> Said {
        let json = serde_json::from_slice(&call.body).unwrap_or(Value::Null);
        Said { fields: call.fields(), json }
    }

    /// The octets at a place, as they were said; `None` when there are none.
    fn octets(&self, place: &str) -> Option<Bytes> {
        let found = match place.starts_with('/') {
            false => self.fields.octets(place).cloned(),
            true => match self.json.pointer(place)? {
                Value::String(text) => Some(Bytes::from(text.clone())),
                Value::Null => None,
                other => Some(Bytes::from(other.to_string())),
            },
        };
        found.filter(|octets| !octets.is_empty())
    }

    /// The words at a place; `None` when there are none.
    pub fn text(&self, place: &str) -> Option<String> {
        self.octets(place).map(|octets| String::from_utf8_lossy(&octets).into_owned())
    }

    /// The octets at a place that are written so; `None` when there are none.
    pub fn binary(&self, place: &str, encoding: Encoding) -> Result<Option<Bytes>, Unreadable> {
        let Some(said) = self.octets(place) else { return Ok(None) };
        let read = match encoding {
            Encoding::Raw => return Ok(Some(said)),
            Encoding::Hex => {
                packetboat_net::bearer::from_hex(std::str::from_utf8(&said).map_err(|_| Unreadable)?.trim())
            }
            Encoding::Base64 => BASE64.decode(said.trim_ascii()).ok(),
        };
        read.map(|octets| Some(octets.into())).ok_or(Unreadable)
    }
}
