//! Reading PDUs: header fields by the shape of their values, bodies part by part.

use super::{ADDRESS_PRESENT, MEDIA_TYPE, Part, field};

/// A PDU as far as it was understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pdu {
    /// Header fields by number, in order, each with the octets of its value.
    pub fields: Vec<(u8, Vec<u8>)>,
    /// The media type of the body, empty when there is none.
    pub content_type: String,
    /// The parts of a multipart body, or the one part of another.
    pub parts: Vec<Part>,
}

impl Pdu {
    /// Reads a PDU.
    ///
    /// # Panics
    /// When it is cut short. Stories read what the product wrote, which must be whole.
    #[track_caller]
    pub fn read(bytes: &[u8]) -> Self {
        let shown = &bytes[..bytes.len().min(200)];
        Self::try_read(bytes).unwrap_or_else(|| panic!("not an MMS PDU of {} bytes: {shown:02x?}", bytes.len()))
    }

    /// Reads a PDU; `None` when it is cut short.
    pub fn try_read(bytes: &[u8]) -> Option<Self> {
        let mut pdu = Pdu::default();
        let mut reader = Reader(bytes);
        while let Some(number) = reader.octet() {
            if number < 0x80 {
                // A field by name; its value is text as well.
                reader.rest_of_text()?;
                reader.value()?;
            } else if number & 0x7f == field::CONTENT_TYPE {
                pdu.content_type = media_type(reader.value()?)?;
                pdu.parts = read_body(&pdu.content_type, &mut reader)?;
            } else if number & 0x7f == field::SUBJECT && reader.0.first().is_some_and(|first| *first >= 0x80) {
                // mmsd-tng sends UTF-8 as it is, without the charset and the quote octet that it owes.
                let text = reader.rest_of_text()?;
                pdu.fields.push((field::SUBJECT, [&[0x7f], text, &[0]].concat()));
            } else {
                pdu.fields.push((number & 0x7f, reader.value()?.to_vec()));
            }
        }
        (pdu.fields.first()?.0 == field::MESSAGE_TYPE).then_some(pdu)
    }

    /// Subject; empty when there is none.
    pub fn subject(&self) -> String {
        self.text(field::SUBJECT).unwrap_or_default()
    }

    /// X-Mms-Message-Type, one of [`super::kind`].
    pub fn kind(&self) -> u8 {
        self.octet(field::MESSAGE_TYPE).unwrap_or_default()
    }

    /// The value of a field of one octet, such as X-Mms-Response-Status.
    pub fn octet(&self, number: u8) -> Option<u8> {
        self.value(number)?.first().copied()
    }

    /// The value of a textual field, of an Encoded-string or of From.
    pub fn text(&self, number: u8) -> Option<String> {
        self.texts(number).into_iter().next()
    }

    /// The values of all fields of this number as text, for To and Cc.
    pub fn texts(&self, number: u8) -> Vec<String> {
        let values = self.fields.iter().filter(|(given, _)| *given == number);
        values.filter_map(|(_, value)| readable(value)).collect()
    }

    /// The value of a Long-integer, such as X-Mms-Message-Size.
    pub fn long(&self, number: u8) -> Option<u64> {
        let (length, octets) = self.value(number)?.split_first()?;
        (usize::from(*length) == octets.len() && octets.len() <= 8)
            .then(|| octets.iter().fold(0, |sum, octet| sum << 8 | u64::from(*octet)))
    }

    /// X-Mms-Transaction-ID, empty when there is none.
    pub fn transaction_id(&self) -> String {
        self.text(field::TRANSACTION_ID).unwrap_or_default()
    }

    /// Message-ID, empty when there is none.
    pub fn message_id(&self) -> String {
        self.text(field::MESSAGE_ID).unwrap_or_default()
    }

    /// X-Mms-Content-Location, empty when there is none.
    pub fn content_location(&self) -> String {
        self.text(field::CONTENT_LOCATION).unwrap_or_default()
    }

    /// X-Mms-Response-Status.
    pub fn response_status(&self) -> Option<u8> {
        self.octet(field::RESPONSE_STATUS)
    }

    /// X-Mms-Retrieve-Status.
    pub fn retrieve_status(&self) -> Option<u8> {
        self.octet(field::RETRIEVE_STATUS)
    }

    /// The first part of this media type.
    pub fn part(&self, content_type: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.content_type.eq_ignore_ascii_case(content_type))
    }

    fn value(&self, number: u8) -> Option<&[u8]> {
        self.fields.iter().find(|(given, _)| *given == number).map(|(_, value)| value.as_slice())
    }
}

/// Reads from the front; everything it hands out is a range of the input.
struct Reader<'input>(&'input [u8]);

impl<'input> Reader<'input> {
    fn octet(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn take(&mut self, length: usize) -> Option<&'input [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn uintvar(&mut self) -> Option<usize> {
        let mut value = 0_usize;
        for _ in 0..5 {
            let octet = self.octet()?;
            value = value << 7 | usize::from(octet & 0x7f);
            if octet < 0x80 {
                return Some(value);
            }
        }
        None
    }

    /// Up to and past the next NUL, without it.
    fn rest_of_text(&mut self) -> Option<&'input [u8]> {
        let end = self.0.iter().position(|octet| *octet == 0)?;
        let text = self.take(end)?;
        self.octet()?;
        Some(text)
    }

    /// One field value whole, its length octets included (WAP-230-WSP 8.4.1.2).
    fn value(&mut self) -> Option<&'input [u8]> {
        let whole = self.0;
        match self.octet()? {
            length @ 0..=30 => drop(self.take(usize::from(length))?),
            31 => {
                let length = self.uintvar()?;
                self.take(length)?;
            }
            32..=127 => drop(self.rest_of_text()?),
            _ => {}
        }
        whole.get(..whole.len() - self.0.len())
    }
}

fn read_body(content_type: &str, reader: &mut Reader<'_>) -> Option<Vec<Part>> {
    if !content_type.starts_with("application/vnd.wap.multipart.") {
        let data = std::mem::take(&mut reader.0).to_vec();
        return Some(vec![Part { content_type: content_type.to_owned(), data, ..Part::default() }]);
    }
    let count = reader.uintvar()?;
    let mut parts = Vec::new();
    for _ in 0..count {
        let (head, length) = (reader.uintvar()?, reader.uintvar()?);
        let mut head = Reader(reader.take(head)?);
        let mut part = Part { content_type: media_type(head.value()?)?, ..Part::default() };
        while let Some(number) = head.octet() {
            if number < 0x80 {
                head.rest_of_text()?;
                head.value()?;
                continue;
            }
            let value = readable(head.value()?).unwrap_or_default();
            match number {
                0x8e => part.location = value,
                0xc0 => part.id = value.trim_matches(['"', '<', '>']).to_owned(),
                _ => {}
            }
        }
        part.data = reader.take(length)?.to_vec();
        parts.push(part);
    }
    Some(parts)
}

/// The media type at the front of a Content-Type value, parameters left out.
fn media_type(value: &[u8]) -> Option<String> {
    let inner = match value.first()? {
        0..=30 => value.get(1..)?,
        31 => {
            let mut reader = Reader(value.get(1..)?);
            reader.uintvar()?;
            reader.0
        }
        _ => value,
    };
    let first = *inner.first()?;
    if first < 0x80 {
        return Some(String::from_utf8_lossy(Reader(inner).rest_of_text()?).into_owned());
    }
    let known = match first & 0x7f {
        0x02 => "text/html",
        0x03 => "text/plain",
        0x06 => "text/x-vCalendar",
        0x07 => "text/x-vCard",
        0x1d => "image/gif",
        0x1e => "image/jpeg",
        0x1f => "image/tiff",
        0x20 => "image/png",
        0x21 => "image/vnd.wap.wbmp",
        0x23 => "application/vnd.wap.multipart.mixed",
        0x26 => "application/vnd.wap.multipart.alternative",
        0x33 => "application/vnd.wap.multipart.related",
        0x3e => MEDIA_TYPE,
        other => return Some(format!("{other:#04x}")),
    };
    Some(known.to_owned())
}

/// The text of a Text-string, an Encoded-string or a From value.
fn readable(value: &[u8]) -> Option<String> {
    let mut reader = Reader(value);
    if *value.first()? < 32 {
        let length = reader.octet()?;
        if length == 31 {
            reader.uintvar()?;
        }
        // Before the text of From comes its token, and perhaps an Encoded-string with a length of its own; before other
        // text comes the charset, one octet or a short Long-integer.
        if reader.0.first() == Some(&ADDRESS_PRESENT) {
            reader.octet()?;
            return readable(reader.0);
        }
        reader.value()?;
    }
    let text = String::from_utf8_lossy(reader.rest_of_text()?).into_owned();
    // The quote octet stands before text that starts above 0x7f (WAP-230-WSP 8.4.2.1).
    Some(text.trim_start_matches('\u{7f}').to_owned())
}
