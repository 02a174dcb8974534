//! WSP header grammar, number tables and multipart (WAP-230-WSP 8.4 and 8.5).
//!
//! The binary header encoding that MMS encapsulation and WAP push share. In reading order: [`Reader`] takes values
//! from octets and [`Writer`] puts them back; [`tables`] holds every assigned number once; [`content_type`] and
//! [`write_content_type`] turn a Content-Type-value into a [`MediaType`](packetboat_mime::MediaType) and back;
//! [`read_entity`] and [`write_entity`] do the same for a body, multiparts included.
//!
//! Nothing here panics on input and nothing is unbounded (I-4): see [`limits`]. Bodies are never copied (I-6): a part
//! is a range of the input when read, and a [`Chunk::Body`] beside its header octets when written.

pub mod charset;
mod chunk;
mod compose;
mod error;
pub mod limits;
mod media;
mod multipart;
mod part;
mod reader;
pub mod tables;
mod transfer;
mod writer;

pub use chunk::{Chunk, Encoded};
pub use compose::write_entity;
pub use error::{WspError, WspErrorKind};
pub use media::{content_type, write_content_type};
pub use multipart::read_entity;
pub use reader::Reader;
pub use writer::Writer;
