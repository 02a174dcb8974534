//! WAP push: what carries an m-notification-ind, an m-delivery-ind, an m-read-orig-ind or a link to a handset.
//!
//! - [`pdu`]: the connectionless Push PDU of WSP (WAP-230-WSP 8.2.4.1) as WAP-235-PushOTA uses it: octets <-> [`Push`];
//! - [`field`]: header fields nobody here reads, in words;
//! - [`application`]: X-Wap-Application-Id and its assigned numbers;
//! - [`analyse`](mod@analyse): from what an operator has at hand, a push or the user data of short messages, to the push;
//! - [`indication`]: Service Indication and Service Loading, a pushed link;
//! - [`provisioning`]: OMA Client Provisioning, the settings of a phone, and how they are signed;
//! - [`ota`]: the settings that phones took before that;
//! - [`pap`]: what a push initiator and a push proxy gateway say to each other;
//! - [`wbxml`]: the binary XML in which the pushed documents are written;
//! - [`xml`]: their text form;
//! - [`limits`]: every maximum of this crate.
//!
//! The crate is pure (I-4): input gives a value or an error with its octet, header fields nobody here knows are kept,
//! and the payload is a range of the input.

pub mod analyse;
pub mod application;
pub mod field;
pub mod indication;
pub mod limits;
pub mod ota;
pub mod pap;
pub mod pdu;
pub mod provisioning;
pub mod wbxml;
pub mod xml;

pub use analyse::{AnalyseError, analyse, from_user_data};
pub use application::ApplicationId;
pub use field::{Field, FieldName};
pub use indication::{Indication, Loading, ServiceLoading, Signal};
pub use ota::BrowserSettings;
pub use packetboat_wsp::WspError;
pub use pdu::{Push, PushFlag};
pub use provisioning::Provisioning;
pub use xml::{XmlError, XmlErrorKind};

/// Whether a push of so many octets goes in one short message beside its ports.
pub const fn fits_one_sms(push_length: usize) -> bool {
    packetboat_sms::segments_needed(push_length) == 1
}
