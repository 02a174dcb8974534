//! Documents that pushes carry, binary and as text, and those that push initiators and gateways exchange.

use std::fmt::Debug;

use bytes::Bytes;
use packetboat_push::pap::{PushMessage, Response, ResultNotification, ResultNotificationResponse, parse_multipart};
use packetboat_push::wbxml::Document;
use packetboat_push::{BrowserSettings, Indication, Provisioning, ServiceLoading, WspError, XmlError, XmlErrorKind};

/// A WBXML document (WAP-192-WBXML).
pub fn wbxml(input: &[u8]) {
    let octets = Bytes::copy_from_slice(input);
    if let Err(error) = Document::parse(&octets) {
        assert!(error.offset <= octets.len() && !error.to_string().is_empty());
    }
}

/// How a type of documents is read and written, binary and as text.
struct Type<T> {
    from_wbxml: fn(&Bytes) -> Result<T, WspError>,
    to_wbxml: fn(&T) -> Bytes,
    from_xml: fn(&[u8]) -> Result<T, XmlError>,
    to_xml: fn(&T) -> String,
}

impl<T: PartialEq + Debug> Type<T> {
    fn check(&self, input: &[u8]) {
        match (self.from_wbxml)(&Bytes::copy_from_slice(input)) {
            Ok(value) => {
                let again = (self.from_wbxml)(&(self.to_wbxml)(&value));
                assert_eq!(again.as_ref(), Ok(&value), "what is written reads as what was written");
                self.as_text(&value);
            }
            Err(error) => assert!(error.offset <= input.len() && !error.to_string().is_empty()),
        }
        match (self.from_xml)(input) {
            Ok(value) => {
                if let Some(again) = self.as_text(&value) {
                    assert_eq!(again, value, "what is written reads as what was written");
                }
                (self.from_wbxml)(&(self.to_wbxml)(&value)).expect("what was written");
            }
            Err(error) => place(&error, input),
        }
    }

    /// The value after a way through text: the same but for what text cannot say. `None` when it is too large for one.
    fn as_text(&self, value: &T) -> Option<T> {
        let again = |value: &T| match (self.from_xml)((self.to_xml)(value).as_bytes()) {
            Ok(value) => Some(value),
            Err(XmlError { kind: XmlErrorKind::TooMany { .. }, .. }) => None,
            Err(error) => panic!("{error} in {}", (self.to_xml)(value)),
        };
        let first = again(value)?;
        assert_eq!(again(&first)?, first, "what is written reads as what was written");
        Some(first)
    }
}

fn place(error: &XmlError, input: &[u8]) {
    assert!(error.offset <= input.len() && !error.to_string().is_empty(), "{error}");
}

/// Service Indication and Service Loading (WAP-167-ServiceInd, WAP-168-ServiceLoad).
pub fn indication(input: &[u8]) {
    let si = Type {
        from_wbxml: Indication::from_wbxml,
        to_wbxml: Indication::to_wbxml,
        from_xml: Indication::from_xml,
        to_xml: Indication::to_xml,
    };
    let sl = Type {
        from_wbxml: ServiceLoading::from_wbxml,
        to_wbxml: ServiceLoading::to_wbxml,
        from_xml: ServiceLoading::from_xml,
        to_xml: ServiceLoading::to_xml,
    };
    si.check(input);
    sl.check(input);
}

/// Settings of a phone, of both kinds (WAP-183-PROVCONT; OTA Settings 7.0).
pub fn provisioning(input: &[u8]) {
    let cp = Type {
        from_wbxml: Provisioning::from_wbxml,
        to_wbxml: Provisioning::to_wbxml,
        from_xml: Provisioning::from_xml,
        to_xml: Provisioning::to_xml,
    };
    let ota = Type {
        from_wbxml: BrowserSettings::from_wbxml,
        to_wbxml: BrowserSettings::to_wbxml,
        from_xml: BrowserSettings::from_xml,
        to_xml: BrowserSettings::to_xml,
    };
    cp.check(input);
    ota.check(input);
}

/// PAP (WAP-247-PAP): a document, or a Content-Type, a line end and the body it speaks of.
pub fn pap(input: &[u8]) {
    exchanged(input, PushMessage::from_xml, PushMessage::to_xml);
    exchanged(input, Response::from_xml, Response::to_xml);
    exchanged(input, ResultNotification::from_xml, ResultNotification::to_xml);
    exchanged(input, ResultNotificationResponse::from_xml, ResultNotificationResponse::to_xml);
    let (line, body) = input.split_at(input.iter().position(|octet| *octet == b'\n').unwrap_or(0));
    let body = Bytes::copy_from_slice(body);
    if let Ok(parts) = parse_multipart(&String::from_utf8_lossy(line), &body) {
        let content = parts.content.map_or(0, |content| content.octets.len());
        assert!(parts.control.len() <= 3 * input.len() && content <= 3 * input.len(), "more than was given");
    }
}

fn exchanged<T: PartialEq + Debug>(input: &[u8], read: fn(&[u8]) -> Result<T, XmlError>, write: fn(&T) -> String) {
    match read(input) {
        Ok(value) => match read(write(&value).as_bytes()) {
            Err(XmlError { kind: XmlErrorKind::TooMany { .. }, .. }) => {}
            again => assert_eq!(again, Ok(value), "what is written reads as what was written"),
        },
        Err(error) => place(&error, input),
    }
}
