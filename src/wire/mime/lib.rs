//! MIME trees, media types, charsets and SMIL.
//!
//! The shared grammar of every protocol packetboat speaks: whatever comes in becomes one [`Mail`].

mod entity;
mod media;

pub use entity::{Body, Disposition, Entity, Headers, Length, Mail};
pub use media::MediaType;
