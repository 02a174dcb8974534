//! MMS encapsulation: the PDUs of MM1 (OMA-TS-MMS_ENC 1.0 to 1.3).
//!
//! In reading order:
//!
//! - [`codes`]: every enumerated value, [`tables`]: every header field and every PDU, each once;
//! - [`Pdu`]: a PDU type, its header fields in order and its content, with accessors and builders;
//! - [`decode`] and [`Pdu::encode`]: octets to a PDU and back, strict out and lenient in (I-5);
//! - [`Pdu::check`]: which mandatory fields are missing; [`Pdu::describe`]: the PDU as names and text;
//! - [`mail`]: a PDU as one MIME message and back (RFC 4356, TS 23.140 8.4), with [`names`] and [`date`].
//!
//! The crate is pure (I-4): any input gives a PDU or a [`DecodeError`] that says where, and never a panic. Unknown
//! header fields are kept. Content is a range of the input, or of the store when encoding (I-6).

mod access;
mod builders;
mod check;
pub mod codes;
pub mod date;
mod decode;
mod describe;
mod encode;
mod fold;
pub mod limits;
pub mod mail;
pub mod names;
mod pdu;
pub mod tables;
mod value;

pub use decode::{DecodeError, DecodeErrorKind, decode};
pub use packetboat_wsp::{Chunk, Encoded};
pub use pdu::{Header, Pdu};
pub use tables::{Field, PduType};
pub use value::{FromValue, TimeValue, Value, Version};
