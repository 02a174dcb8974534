//! The header fields of one part (WAP-230-WSP 8.5.3): Content-Type-value first, then the others.
//!
//! Broken part headers are not fatal (I-5): HeadersLen says where the body starts, so that what cannot be read costs
//! itself and what follows it, and the body stays.

use packetboat_mime::{Disposition, Entity, MediaType};

use crate::media::{content_type, parameters, write_content_type, write_text_parameter};
use crate::{Reader, Writer, WspError, charset, limits, tables};

/// Header fields of a part whose body is not there yet.
pub(crate) struct PartHeaders {
    pub(crate) media: MediaType,
    pub(crate) content_id: Option<String>,
    pub(crate) location: Option<String>,
    pub(crate) disposition: Option<Disposition>,
    /// The first one, and its place among the others: there it is kept when it cannot be undone.
    pub(crate) transfer_encoding: Option<(usize, String)>,
    pub(crate) other: Vec<(String, String)>,
}

impl PartHeaders {
    /// Headers that say nothing but the type.
    pub(crate) fn new(media: MediaType) -> Self {
        PartHeaders {
            media,
            content_id: None,
            location: None,
            disposition: None,
            transfer_encoding: None,
            other: Vec::new(),
        }
    }

    /// Reads the window of HeadersLen octets.
    pub(crate) fn read(mut window: Reader<'_>) -> Self {
        let media = content_type(&mut window);
        let readable = media.is_ok();
        let mut headers = PartHeaders::new(media.unwrap_or_else(|_| MediaType::new("application/octet-stream")));
        let mut count = 0;
        while readable && !window.is_empty() && count < limits::PART_HEADERS {
            if headers.field(&mut window).is_err() {
                break;
            }
            count += 1;
        }
        headers
    }

    fn field(&mut self, window: &mut Reader<'_>) -> Result<(), WspError> {
        match window.peek()? {
            0x80.. => {
                let number = window.short_integer()?;
                self.numbered(number, window)
            }
            0x20..0x7F => {
                let name = window.text_string()?;
                let value = text(window)?;
                self.named(name, value);
                Ok(())
            }
            0x7F => window.take(2).map(|_| ()), // shift to another code page
            _ => window.take(1).map(|_| ()),    // the short form of the same
        }
    }

    fn numbered(&mut self, number: u8, window: &mut Reader<'_>) -> Result<(), WspError> {
        match number {
            tables::CONTENT_DISPOSITION | tables::CONTENT_DISPOSITION_14 => {
                let disposition = disposition(window)?;
                self.disposition.get_or_insert(disposition);
            }
            tables::CONTENT_LOCATION | tables::CONTENT_ID | tables::CONTENT_TRANSFER_ENCODING => {
                let value = text(window)?;
                self.named(tables::header_name(number).unwrap_or_default().to_owned(), value);
            }
            tables::CONTENT_TYPE => {
                content_type(window)?; // the first one counts
            }
            _ => {
                let name = tables::header_name(number).map_or_else(|| format!("X-Wsp-{number:02x}"), str::to_owned);
                let value = text(window)?;
                self.named(name, value);
            }
        }
        Ok(())
    }

    /// Takes a field whose value is text. The first of a kind counts; a second one is kept among the others.
    fn named(&mut self, name: String, value: String) {
        let is = |known: u8| tables::header_name(known).is_some_and(|known| name.eq_ignore_ascii_case(known));
        if is(tables::CONTENT_ID) && self.content_id.is_none() {
            let id = value.trim();
            let id = id.strip_prefix('<').unwrap_or(id);
            self.content_id = Some(id.strip_suffix('>').unwrap_or(id).to_owned());
        } else if is(tables::CONTENT_LOCATION) && self.location.is_none() {
            self.location = Some(value);
        } else if is(tables::CONTENT_TRANSFER_ENCODING) && self.transfer_encoding.is_none() {
            self.transfer_encoding = Some((self.other.len(), value));
        } else if is(tables::CONTENT_DISPOSITION) && self.disposition.is_none() {
            let parsed = MediaType::parse(&format!("disposition/{value}"));
            let kind = parsed.essence().trim_start_matches("disposition/").to_owned();
            self.disposition = Some(Disposition { kind, filename: parsed.param("filename").map(str::to_owned) });
        } else {
            self.other.push((name, value));
        }
    }
}

/// Content-Disposition (WAP-230-WSP 8.4.2.21), with or without the length it should have.
fn disposition(window: &mut Reader<'_>) -> Result<Disposition, WspError> {
    let mut value = match window.peek()? {
        0..=31 => window.length_prefixed()?,
        _ => window.value()?,
    };
    let kind = match value.rest().first() {
        None => String::new(),
        Some(0x80..) => {
            let code = value.short_integer()?;
            tables::DISPOSITIONS
                .get(usize::from(code))
                .map_or_else(|| format!("x-wsp-{code:x}"), |kind| (*kind).to_owned())
        }
        Some(_) => value.text_string()?.to_ascii_lowercase(),
    };
    let filename = parameters(&mut value).into_iter().find(|(name, _)| name == "filename");
    Ok(Disposition { kind, filename: filename.map(|(_, value)| value) })
}

/// A value that is text in the end; one that lacks its quote is read to its NUL.
fn text(window: &mut Reader<'_>) -> Result<String, WspError> {
    match window.peek()? {
        0xC0.. => window.text_octets().map(charset::guess),
        _ => window.value().map(rendered),
    }
}

/// A value of unknown grammar as text: text as it is, one octet as a number, anything longer in hexadecimal.
fn rendered(mut value: Reader<'_>) -> String {
    match value.rest() {
        [0x20..=0x7F, ..] => value.text_value().unwrap_or_default(),
        [octet @ 0x80..=0xFF] => (octet & 0x7F).to_string(),
        [0] => String::new(),
        octets => {
            use std::fmt::Write;
            octets.iter().fold(String::from("0x"), |mut hex, octet| {
                let _ = write!(hex, "{octet:02x}");
                hex
            })
        }
    }
}

/// Writes the fields of a part: type, Content-ID, Content-Location, disposition, others as text.
pub(crate) fn write_headers<B>(out: &mut Writer, entity: &Entity<B>, media: &MediaType) {
    write_content_type(out, media);
    if let Some(id) = &entity.content_id {
        out.short_integer(tables::CONTENT_ID).quoted_string(&format!("<{id}>"));
    }
    if let Some(location) = &entity.location {
        out.short_integer(tables::CONTENT_LOCATION).text_string(location);
    }
    if let Some(disposition) = &entity.disposition {
        out.short_integer(tables::CONTENT_DISPOSITION);
        let mut value = Writer::new();
        match tables::DISPOSITIONS.iter().position(|kind| kind.eq_ignore_ascii_case(&disposition.kind)) {
            Some(code) => value.short_integer(code as u8),
            None => value.text_string(&disposition.kind),
        };
        if let Some(filename) = &disposition.filename {
            write_text_parameter(&mut value, "filename", filename);
        }
        out.length_prefixed(value.as_slice());
    }
    let header_start = |name: &str| name.bytes().next().is_some_and(|first| (0x21..0x7F).contains(&first));
    for (name, value) in entity.other.iter().filter(|(name, _)| header_start(name)) {
        out.text_string(name).text_string(value);
    }
}
