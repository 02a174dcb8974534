//! A PDU as one MIME message, and back (RFC 4356, TS 23.140 8.4).
//!
//! On the way in, [`to_mail`] gives what the rest of packetboat works on: header fields by their MIME names with
//! values in text, WAP multiparts as MIME's, bodies untouched. Fields of the transaction (type, transaction id,
//! version) end here. On the way out, [`retrieve_conf`] and [`send_req`] make a PDU that handsets show: a multipart
//! always, a presentation first, and every part findable by name, location and id.
//!
//! Text that becomes a header field has its line ends taken out here: a subject must not make new fields.

mod address;
mod content;
mod fields;
mod from_mail;
mod to_mail;

pub use address::mm1_address;
pub use content::{mime_content, wap_content};
pub use from_mail::{retrieve_conf, send_req};
pub use to_mail::{headers, to_mail};
