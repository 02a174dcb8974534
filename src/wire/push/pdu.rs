//! The connectionless Push PDU: transaction id, type 06, length of the header, Content-Type, header fields, payload
//! (WAP-230-WSP 8.2.1 and 8.2.4.1).
//!
//! Strict out, lenient in (I-5). What is emitted begins `tt 06 03 BE AF 84` for MMS. Taken are Content-Types in short,
//! long and parameterised form, header fields by number on any code page and by name, and a push without
//! X-Wap-Application-Id. A field whose value is not of its own grammar is kept as it came.

use bytes::Bytes;
use packetboat_mime::MediaType;
use packetboat_wsp::{Reader, Writer, WspError, WspErrorKind, content_type, write_content_type};

use crate::application::ApplicationId;
use crate::field::{Field, FieldName};
use crate::indication::{Indication, ServiceLoading};
use crate::limits::MAX_FIELDS;
use crate::ota::BrowserSettings;
use crate::provisioning::Provisioning;
use crate::provisioning::security::Security;

/// The type of a Push PDU (WAP-230-WSP table 34).
const PUSH: u8 = 0x06;

/// Shift-delimiter: the code page follows in the next octet (WAP-230-WSP 8.4.1.1).
const SHIFT: u8 = 0x7F;

/// The last octet that is itself the number of a code page (WAP-230-WSP 8.4.1.1).
const LAST_SHORT_SHIFT: u8 = 0x1F;

/// Assigned numbers of the header fields read here (WAP-230-WSP table 39).
mod field {
    pub const CONTENT_LENGTH: u8 = 0x0D;
    pub const DATE: u8 = 0x12;
    pub const APPLICATION_ID: u8 = 0x2F;
    pub const INITIATOR_URI: u8 = 0x31;
    pub const PUSH_FLAG: u8 = 0x34;
}

/// The content type of MMS PDUs (OMA-TS-MMS_ENC 9; WSP number 3E).
const MMS_MESSAGE: &str = "application/vnd.wap.mms-message";

/// A WAP push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// TID: an octet that tells pushes in a row apart.
    pub transaction_id: u8,
    /// What the payload is.
    pub content_type: MediaType,
    /// Which application it is for. Handsets take an MMS notification without it.
    pub application_id: Option<ApplicationId>,
    /// Content-Length as it was said; nothing relies on it.
    pub content_length: Option<u64>,
    /// Push-Flag.
    pub flag: Option<PushFlag>,
    /// X-Wap-Initiator-URI.
    pub initiator: Option<String>,
    /// Date, in seconds since 1970-01-01T00:00:00Z.
    pub date: Option<u64>,
    /// All other header fields in order.
    pub others: Vec<Field>,
    /// The payload: for MMS the PDU from its X-Mms-Message-Type on.
    pub payload: Bytes,
}

/// Push-Flag (WAP-230-WSP 8.4.2.60).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PushFlag(pub u8);

impl PushFlag {
    /// The push proxy knows the initiator.
    pub fn initiator_authenticated(self) -> bool {
        self.0 & 1 != 0
    }

    /// The push proxy vouches for the content.
    pub fn content_trusted(self) -> bool {
        self.0 & 2 != 0
    }

    /// Nothing more follows for now.
    pub fn last_message(self) -> bool {
        self.0 & 4 != 0
    }
}

impl Push {
    /// A push that carries an MMS PDU: the shortest header that says so.
    pub fn mms(transaction_id: u8, pdu: Bytes) -> Self {
        Push::carrying(transaction_id, MMS_MESSAGE, ApplicationId::MMS, pdu)
    }

    /// A push that carries a Service Indication for the browser.
    pub fn indication(transaction_id: u8, indication: &Indication) -> Self {
        Push::carrying(transaction_id, Indication::MEDIA_TYPE, ApplicationId::BROWSER, indication.to_wbxml())
    }

    /// A push that carries a Service Loading for the browser.
    pub fn loading(transaction_id: u8, loading: &ServiceLoading) -> Self {
        Push::carrying(transaction_id, ServiceLoading::MEDIA_TYPE, ApplicationId::BROWSER, loading.to_wbxml())
    }

    /// A push that carries settings, signed if there is a secret to sign them with. The content type says whom it is for.
    pub fn provisioning(transaction_id: u8, settings: &Provisioning, security: Option<&Security>) -> Self {
        let payload = settings.to_wbxml();
        let media = MediaType::new(Provisioning::MEDIA_TYPE);
        let content_type = match security {
            Some(security) => security.sign(&payload).on(media),
            None => media,
        };
        Push { content_type, application_id: None, ..Push::mms(transaction_id, payload) }
    }

    /// A push that carries browser settings, for port [`ota::PORT`](crate::ota::PORT).
    pub fn browser_settings(transaction_id: u8, settings: &BrowserSettings) -> Self {
        let content_type = MediaType::new(BrowserSettings::MEDIA_TYPE).with("charset", "utf-8");
        Push { content_type, application_id: None, ..Push::mms(transaction_id, settings.to_wbxml()) }
    }

    fn carrying(transaction_id: u8, media_type: &str, application: ApplicationId, payload: Bytes) -> Self {
        Push {
            transaction_id,
            content_type: MediaType::new(media_type),
            application_id: Some(application),
            content_length: None,
            flag: None,
            initiator: None,
            date: None,
            others: Vec::new(),
            payload,
        }
    }

    /// Whether the payload is an MMS PDU, by its content type.
    pub fn is_mms(&self) -> bool {
        self.content_type.essence() == MMS_MESSAGE
    }

    /// Reads a Push PDU. The payload is a range of `octets`.
    ///
    /// # Errors
    /// [`WspError`] with the octet where the PDU type is another, a length exceeds what there is, the Content-Type
    /// cannot be read, a value does not end inside the header, or there are more than [`MAX_FIELDS`] fields.
    pub fn parse(octets: &Bytes) -> Result<Self, WspError> {
        let mut reader = Reader::new(octets);
        let transaction_id = reader.octet()?;
        let (at_type, found) = (reader, reader.octet()?);
        if found != PUSH {
            return Err(at_type.error(WspErrorKind::Unexpected { expected: "a push PDU (type 06)", found }));
        }
        let at_length = reader;
        let length = reader.uintvar()? as usize;
        let left = reader.remaining();
        let overrun = WspErrorKind::Overrun { what: "push header", length, left };
        let mut header = reader.window(length).map_err(|_| at_length.error(overrun))?;
        let mut push = Push {
            content_type: content_type(&mut header)?,
            application_id: None,
            ..Push::mms(transaction_id, reader.rest_bytes())
        };
        push.read_fields(&mut header)?;
        Ok(push)
    }

    /// The PDU's octets. A field of [`others`](Self::others) that could not be read again is left out: one whose name
    /// is not a token, or whose value is not the octets of one value.
    pub fn encode(&self) -> Bytes {
        let mut header = Writer::new();
        write_content_type(&mut header, &self.content_type);
        match &self.application_id {
            Some(ApplicationId::Number(number)) => {
                header.short_integer(field::APPLICATION_ID).integer(*number);
            }
            Some(ApplicationId::Text(text)) => {
                header.short_integer(field::APPLICATION_ID).text_string(text);
            }
            None => {}
        }
        if let Some(length) = self.content_length {
            header.short_integer(field::CONTENT_LENGTH).integer(length);
        }
        if let Some(PushFlag(bits)) = self.flag {
            header.short_integer(field::PUSH_FLAG).short_integer(bits);
        }
        if let Some(uri) = &self.initiator {
            header.short_integer(field::INITIATOR_URI).text_string(uri);
        }
        if let Some(seconds) = self.date {
            header.short_integer(field::DATE).long_integer(seconds);
        }
        write_others(&mut header, &self.others);
        let header = header.into_vec();
        let mut pdu = Writer::new();
        pdu.octet(self.transaction_id).octet(PUSH).uintvar(header.len() as u64).octets(&header).octets(&self.payload);
        pdu.into_vec().into()
    }

    fn read_fields(&mut self, header: &mut Reader<'_>) -> Result<(), WspError> {
        let (mut page, mut count) = (1, 0);
        while !header.is_empty() {
            let start = *header;
            let name = match header.octet()? {
                SHIFT => {
                    page = header.octet()?;
                    continue;
                }
                shift @ 1..=LAST_SHORT_SHIFT => {
                    page = shift;
                    continue;
                }
                number @ 0x80.. => FieldName::Number { page, number: number & 0x7F },
                0x20.. => {
                    *header = start;
                    FieldName::Text(header.text_string()?)
                }
                found => return Err(start.error(WspErrorKind::Unexpected { expected: "a header field name", found })),
            };
            count += 1;
            if count > MAX_FIELDS {
                let kind = WspErrorKind::TooMany { what: "header fields", count, limit: MAX_FIELDS };
                return Err(start.error(kind));
            }
            let value = header.value()?;
            if !self.take(&name, value) {
                self.others.push(Field { name, value: value.rest_bytes() });
            }
        }
        Ok(())
    }

    /// Takes the value of a field read here, if it is one, is of that field's grammar and is the first of its kind.
    fn take(&mut self, name: &FieldName, value: Reader<'_>) -> bool {
        let FieldName::Number { page: 1, number } = *name else { return false };
        match number {
            field::APPLICATION_ID => put(&mut self.application_id, value, application_id),
            field::CONTENT_LENGTH => put(&mut self.content_length, value, Reader::integer),
            field::PUSH_FLAG => put(&mut self.flag, value, |reader| reader.short_integer().map(PushFlag)),
            field::INITIATOR_URI => put(&mut self.initiator, value, text),
            field::DATE => put(&mut self.date, value, Reader::integer),
            _ => false,
        }
    }
}

/// Fills an empty slot with a value that `read` takes to its last octet; says whether it did.
fn put<'a, T>(
    slot: &mut Option<T>,
    mut value: Reader<'a>,
    read: impl Fn(&mut Reader<'a>) -> Result<T, WspError>,
) -> bool {
    match read(&mut value) {
        Ok(found) if slot.is_none() && value.is_empty() => {
            *slot = Some(found);
            true
        }
        _ => false,
    }
}

fn application_id(reader: &mut Reader<'_>) -> Result<ApplicationId, WspError> {
    match reader.peek()? {
        0x20..=0x7F => reader.text_string().map(ApplicationId::Text),
        _ => reader.integer().map(ApplicationId::Number),
    }
}

fn text(reader: &mut Reader<'_>) -> Result<String, WspError> {
    match reader.peek()? {
        0x20..=0x7F => reader.text_string(),
        found => Err(reader.error(WspErrorKind::Unexpected { expected: "a text", found })),
    }
}

fn write_others(header: &mut Writer, others: &[Field]) {
    let mut current = 1;
    for Field { name, value } in others.iter().filter(|field| is_one_value(&field.value)) {
        match name {
            FieldName::Number { page, number } => {
                if *page != current {
                    header.octet(SHIFT).octet(*page);
                    current = *page;
                }
                header.short_integer(*number).octets(value);
            }
            FieldName::Text(name) if is_token(name) => {
                header.text_string(name).octets(value);
            }
            FieldName::Text(_) => {}
        }
    }
}

fn is_one_value(octets: &Bytes) -> bool {
    let mut reader = Reader::new(octets);
    reader.value().is_ok() && reader.is_empty()
}

/// A token of RFC 9110 5.6.2, which never begins like a number or a shift of the code page.
fn is_token(name: &str) -> bool {
    let delimiter = |octet| b"\"(),/:;<=>?@[\\]{}".contains(&octet);
    !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_graphic() && !delimiter(octet))
}
