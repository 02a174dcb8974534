//! MIME trees, media types, charsets and SMIL.
//!
//! The shared grammar of every protocol packetboat speaks: whatever comes in becomes one [`Mail`]. Pure (I-4): octets
//! in, a value or a precise error out; nothing here reads a clock, a file or a random number.
//!
//! The tour:
//! - [`Mail`], [`Entity`], [`MediaType`]: the tree everybody passes around.
//! - [`parse`] and [`render`]: octets to the tree and back; [`addresses`] for address fields, [`decode_text`] for charsets.
//! - [`smil`]: presentations, read to order parts and written so that phones show them.
//! - [`compose`]: what of a mail becomes the MMS, and how an MMS becomes a mail.
//! - [`report`]: delivery status and disposition notifications, and the facts that tell a machine's mail from a person's.
//! - [`limits`]: every maximum.

mod address;
mod charset;
pub mod compose;
pub mod date;
mod entity;
mod history;
mod html;
pub mod limits;
mod markup;
mod media;
mod params;
mod parse;
mod render;
pub mod report;
pub mod smil;
mod transfer;
mod words;

pub use address::{Mailbox, addresses};
pub use charset::decode_text;
pub use entity::{Body, Disposition, Entity, Headers, Length, Mail};
pub use history::strip_history;
pub use html::html_to_text;
pub use media::MediaType;
pub use parse::{MimeError, parse};
pub use render::{Transport, render, render_to_bytes};
pub use transfer::decode_quoted;
