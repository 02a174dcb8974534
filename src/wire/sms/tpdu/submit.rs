//! SMS-SUBMIT: a short message on its way to the service centre (TS 23.040 9.2.2.2).

use bytes::Bytes;

use super::address::Address;
use super::coding::DataCoding;
use super::error::TpduError;
use super::reader::Reader;
use super::time::{ServiceTime, Validity};
use super::{REPLY_PATH, UDHI, flag, user_data};
use crate::user_data::UserData;

const NAME: &str = "SMS-SUBMIT";
const MTI: u8 = 0b01;
const REJECT_DUPLICATES: u8 = 0b0000_0100;
const VALIDITY_FORMAT: u8 = 0b0001_1000;
const STATUS_REPORT: u8 = 0b0010_0000;

/// A short message to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submit {
    /// TP-RD: the centre shall refuse a message with the reference and destination of one it still has.
    pub reject_duplicates: bool,
    /// TP-SRR: a status report is wanted.
    pub status_report: bool,
    /// TP-RP: a reply may go through the same centre.
    pub reply_path: bool,
    /// TP-MR. Many modems put one of their own in its place and say which.
    pub reference: u8,
    /// TP-DA.
    pub destination: Address,
    /// TP-PID; 0 for an ordinary short message.
    pub protocol: u8,
    /// TP-DCS.
    pub coding: DataCoding,
    /// TP-VP.
    pub validity: Validity,
    /// TP-UD. The payload of a text in the default alphabet has one septet in each octet.
    pub user_data: UserData,
}

impl Submit {
    /// The octets.
    ///
    /// # Errors
    /// When the user data does not fit one short message.
    pub fn encode(&self) -> Result<Bytes, TpduError> {
        let mut out = vec![
            MTI | flag(self.reject_duplicates, REJECT_DUPLICATES)
                | self.validity.format()
                | flag(self.status_report, STATUS_REPORT)
                | flag(self.user_data.header.is_some(), UDHI)
                | flag(self.reply_path, REPLY_PATH),
            self.reference,
        ];
        self.destination.encode_into(&mut out);
        out.extend([self.protocol, self.coding.0]);
        match self.validity {
            Validity::Unsaid => {}
            Validity::Relative(code) => out.push(code),
            Validity::Absolute(ServiceTime(octets)) | Validity::Enhanced(octets) => out.extend(octets),
        }
        user_data::encode_into(&self.user_data, self.coding, &mut out)?;
        Ok(out.into())
    }

    /// Reads the octets.
    ///
    /// # Errors
    /// [`TpduError`] with the offset.
    pub fn parse(octets: &Bytes) -> Result<Self, TpduError> {
        let mut reader = Reader::new(octets)?;
        let first = reader.first(NAME, MTI)?;
        let reference = reader.octet("TP-MR")?;
        let destination = Address::read(&mut reader, "TP-DA")?;
        let (protocol, coding) = (reader.octet("TP-PID")?, DataCoding(reader.octet("TP-DCS")?));
        let validity = match first & VALIDITY_FORMAT {
            0b0000_1000 => Validity::Enhanced(reader.seven("TP-VP")?),
            0b0001_0000 => Validity::Relative(reader.octet("TP-VP")?),
            0b0001_1000 => Validity::Absolute(ServiceTime(reader.seven("TP-VP")?)),
            _ => Validity::Unsaid,
        };
        Ok(Submit {
            reject_duplicates: first & REJECT_DUPLICATES != 0,
            status_report: first & STATUS_REPORT != 0,
            reply_path: first & REPLY_PATH != 0,
            reference,
            destination,
            protocol,
            coding,
            validity,
            user_data: user_data::read(&mut reader, coding, first & UDHI != 0)?,
        })
    }
}
