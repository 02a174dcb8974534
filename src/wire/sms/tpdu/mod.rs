//! TPDUs: what a modem and a service centre hand each other (TS 23.040 9.2.2).
//!
//! | TPDU | way | here |
//! |---|---|---|
//! | SMS-SUBMIT | to the centre | [`Submit`] |
//! | SMS-SUBMIT-REPORT | from the centre | [`SubmitReport`] |
//! | SMS-DELIVER | from the centre | [`Deliver`] |
//! | SMS-DELIVER-REPORT | to the centre | [`DeliverReport`] |
//! | SMS-STATUS-REPORT | from the centre | [`StatusReport`] |
//!
//! The same two bits name different TPDUs on the two ways (TP-MTI, 9.2.3.1), so that each type has a reader of its own and
//! nothing guesses. User data is [`UserData`] throughout: a payload of the default alphabet has one septet in each octet, as
//! [`crate::text`] makes and reads it, and is packed and unpacked here.
//!
//! What is read leniently: reserved bits, octets behind the end of the user data, digits behind a fill, dates that are none.

mod address;
mod coding;
mod deliver;
mod error;
mod reader;
mod report;
mod septets;
mod status;
mod submit;
mod time;
mod user_data;

pub use address::{Address, read_service_centre};
pub use coding::{Coding, DataCoding};
pub use deliver::{Deliver, DeliverReport};
pub use error::TpduError;
pub use report::{StatusReport, SubmitReport};
pub use septets::{pack, unpack};
pub use status::{Class, Status};
pub use submit::Submit;
pub use time::{ServiceTime, Validity};

#[cfg(doc)]
use crate::user_data::UserData;

/// TP-MTI (9.2.3.1).
const MTI: u8 = 0b0000_0011;
/// TP-UDHI (9.2.3.23).
const UDHI: u8 = 0b0100_0000;
/// TP-RP (9.2.3.17).
const REPLY_PATH: u8 = 0b1000_0000;

/// `bit` when `set`.
const fn flag(set: bool, bit: u8) -> u8 {
    if set { bit } else { 0 }
}
