//! Short messages: user data (TS 23.040 9.2.3.24), TPDUs (9.2.2), and the lines of a modem that carries them (TS 27.005).
//!
//! In the order a WAP push meets them on its way out, and back in:
//!
//! - [`segment`](mod@segment): a binary payload becomes one or several [`UserData`];
//! - [`text`]: words, in the default alphabet or UCS-2;
//! - [`udh`]: the user data header and its information elements;
//! - [`user_data`]: header and payload together, as they stand in TP-UD or in SMPP's `short_message`;
//! - [`reassemble`]: segments become the payload again;
//! - [`tpdu`]: what goes to a service centre and comes from it;
//! - [`at`]: what a modem says, in lines, and what its errors mean;
//! - [`limits`]: every maximum of this crate.
//!
//! The crate is pure (I-4, I-12): no clock, no randomness, no input or output. Octets that cannot be read give an
//! error that names the offset; information elements nobody here knows are kept.

pub mod at;
pub mod error;
pub mod limits;
pub mod reassemble;
pub mod segment;
pub mod text;
pub mod tpdu;
pub mod udh;
pub mod user_data;

pub use error::{ReassembleError, SegmentError, UserDataError};
pub use reassemble::{Accepted, Incomplete, Message, Reassembler};
pub use segment::{ReferenceWidth, segment, segments_needed};
pub use text::{Alphabet, TextSegment, alphabet_of, from_septets, from_ucs2, segment_text, to_septets};
pub use udh::{Concatenation, Element, Ports, Reference, Udh};
pub use user_data::UserData;
