//! Content-Type-value (WAP-230-WSP 8.4.2.24) into a media type, and back.
//!
//! Reading is lenient (I-5): an unknown parameter code is passed over by the first-octet rule, parameters of both
//! encoding generations are read, and what cannot be read is left out. Only a value that runs past its window fails.

use packetboat_mime::MediaType;

use crate::tables::{self, ParameterKind};
use crate::{Reader, Writer, WspError, limits};

/// What an empty or unknown type is taken for (RFC 2045 5.2).
const UNKNOWN: &str = "application/octet-stream";
/// Parameter codes that are written: the generation every decoder reads.
const CHARSET: u8 = 0x01;
const TYPE: u8 = 0x09;
/// How client provisioning is signed; phones know these two by their codes only (WAP-184-PROVBOOT 5.2).
const SEC: u8 = 0x11;
const MAC: u8 = 0x12;
const TEXT_PARAMETERS: [(&str, u8); 4] = [("name", 0x05), ("filename", 0x06), ("start", 0x0A), ("start-info", 0x0B)];

/// Reads a Content-Type-value: a code or a text alone, or a length and a type with parameters.
pub fn content_type(reader: &mut Reader<'_>) -> Result<MediaType, WspError> {
    if reader.peek()? > 31 {
        return constrained(reader);
    }
    let mut window = reader.length_prefixed()?;
    if window.is_empty() {
        return Ok(MediaType::new(UNKNOWN));
    }
    // Within the window nothing is fatal: its end is known.
    let mut media = match window.peek()? {
        0x20..=0x7F => constrained(&mut window).unwrap_or_else(|_| MediaType::new(UNKNOWN)),
        _ => window.integer().map_or_else(|_| MediaType::new(UNKNOWN), by_code),
    };
    for (name, value) in parameters(&mut window) {
        if !name.is_empty() && media.param(&name).is_none() {
            media.set(&name, value);
        }
    }
    Ok(media)
}

/// Constrained-media: a code or a text, no parameters. Text may carry parameters in MIME's own way.
fn constrained(reader: &mut Reader<'_>) -> Result<MediaType, WspError> {
    match reader.peek()? {
        0x80.. => reader.short_integer().map(|code| by_code(u64::from(code))),
        _ => reader.text_string().map(|text| MediaType::parse(&text)),
    }
}

fn by_code(code: u64) -> MediaType {
    match tables::content_type_name(code) {
        Some(name) => MediaType::parse(name),
        None => MediaType::new(format!("application/x-wsp-{code:x}")),
    }
}

/// The parameters in the rest of a window, as names and values; those that cannot be read are left out.
pub(crate) fn parameters(window: &mut Reader<'_>) -> Vec<(String, String)> {
    let mut found = Vec::new();
    while !window.is_empty() && found.len() < limits::PARAMETERS {
        match parameter(window) {
            Ok(Some(pair)) => found.push(pair),
            Ok(None) => {}
            Err(_) => break,
        }
    }
    found
}

/// One parameter; `None` when its code or value means nothing to us.
fn parameter(window: &mut Reader<'_>) -> Result<Option<(String, String)>, WspError> {
    if window.peek()? < 0x80 {
        // A textual name; a code of two octets has no row and is passed over.
        if window.peek()? < 0x20 {
            window.long_integer()?;
            return window.value().map(|_| None);
        }
        let name = window.text_string()?.to_ascii_lowercase();
        let value = untyped(window)?;
        return Ok(Some((name, value)));
    }
    let code = window.short_integer()?;
    let Some(row) = tables::parameter_by_code(code) else {
        return window.value().map(|_| None);
    };
    Ok(typed(window, row.kind)?.map(|value| (row.name.to_owned(), value)))
}

/// Untyped-value: an Integer-value or a Text-value.
fn untyped(window: &mut Reader<'_>) -> Result<String, WspError> {
    match window.peek()? {
        0x01..=0x1F | 0x80.. => window.integer().map(|value| value.to_string()),
        _ => window.text_value(),
    }
}

fn typed(window: &mut Reader<'_>, kind: ParameterKind) -> Result<Option<String>, WspError> {
    Ok(match kind {
        ParameterKind::Charset => match window.peek()? {
            0x20..=0x7F => Some(window.text_value()?),
            _ => match window.integer()? {
                0 => None, // any charset
                mib => Some(tables::charset_name(mib).map_or_else(|| format!("x-mib-{mib}"), str::to_owned)),
            },
        },
        ParameterKind::Media => match window.peek()? {
            0x01..=0x1F => window.integer().map(by_code)?.essence().to_owned().into(),
            _ => constrained(window)?.essence().to_owned().into(),
        },
        ParameterKind::Field => match window.peek()? {
            0x80.. => tables::header_name(window.short_integer()?).map(str::to_owned),
            _ => Some(window.text_value()?),
        },
        ParameterKind::Version => match window.peek()? {
            0x80.. => window.short_integer().map(|octet| Some(format!("{}.{}", octet >> 4 & 7, octet & 15)))?,
            _ => Some(window.text_value()?),
        },
        ParameterKind::Nothing => {
            window.octet()?;
            Some(String::new())
        }
        ParameterKind::Quality => match window.uintvar()? {
            hundredths @ 1..=100 => Some(format!("0.{:02}", hundredths - 1)),
            thousandths => Some(format!("0.{:03}", thousandths.saturating_sub(100).min(999))),
        },
        ParameterKind::Integer => Some(untyped(window)?),
        ParameterKind::Text => Some(window.text_value()?),
    })
}

/// Writes a Content-Type-value: the type alone where it has no parameters, else with its length.
pub fn write_content_type(out: &mut Writer, media: &MediaType) {
    if media.params().is_empty() {
        write_constrained(out, media.essence());
        return;
    }
    let mut value = Writer::new();
    write_constrained(&mut value, media.essence());
    for (name, text) in media.params() {
        write_parameter(&mut value, media, name, text);
    }
    out.length_prefixed(value.as_slice());
}

/// Constrained-encoding of a content type.
pub(crate) fn write_constrained(out: &mut Writer, essence: &str) {
    match tables::content_type_code(essence) {
        Some(code) => out.short_integer(code),
        None => out.text_string(essence),
    };
}

fn write_parameter(out: &mut Writer, media: &MediaType, name: &str, value: &str) {
    if name == "charset"
        && let Some(mib) = tables::charset_mib(value)
    {
        out.short_integer(CHARSET).integer(u64::from(mib));
    } else if name == "type" && media.is_multipart() {
        out.short_integer(TYPE);
        write_constrained(out, value);
    } else if name == "sec"
        && let Ok(method @ 0..0x80) = value.parse()
    {
        out.short_integer(SEC).short_integer(method);
    } else if name == "mac" {
        out.short_integer(MAC).text_string(value);
    } else {
        write_text_parameter(out, name, value);
    }
}

/// A parameter whose value is text: by code where it has one, else by name.
pub(crate) fn write_text_parameter(out: &mut Writer, name: &str, value: &str) {
    match TEXT_PARAMETERS.iter().find(|row| row.0 == name) {
        Some(row) => out.short_integer(row.1).text_string(value),
        None if value.starts_with('"') => out.text_string(name).quoted_string(value),
        None => out.text_string(name).text_string(value),
    };
}
