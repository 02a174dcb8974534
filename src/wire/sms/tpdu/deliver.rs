//! SMS-DELIVER: a short message that arrives, and SMS-DELIVER-REPORT: what is said to it (TS 23.040 9.2.2.1, 9.2.2.1a).

use bytes::Bytes;

use super::address::Address;
use super::coding::DataCoding;
use super::error::TpduError;
use super::reader::Reader;
use super::time::ServiceTime;
use super::{REPLY_PATH, UDHI, flag, user_data};
use crate::user_data::UserData;

const NAME: &str = "SMS-DELIVER";
const MTI: u8 = 0b00;
/// TP-MMS says it the other way round: set when nothing more waits.
const NO_MORE: u8 = 0b0000_0100;
const LOOP_PREVENTION: u8 = 0b0000_1000;
const STATUS_REPORT: u8 = 0b0010_0000;

/// A short message that arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deliver {
    /// TP-MMS: more short messages wait in the centre.
    pub more: bool,
    /// TP-LP: it was forwarded, and must not be again.
    pub loop_prevention: bool,
    /// TP-SRI: its sender gets a status report.
    pub status_report: bool,
    /// TP-RP: a reply may go through the same centre.
    pub reply_path: bool,
    /// TP-OA.
    pub originator: Address,
    /// TP-PID.
    pub protocol: u8,
    /// TP-DCS.
    pub coding: DataCoding,
    /// TP-SCTS: when it came to the centre.
    pub time: ServiceTime,
    /// TP-UD. The payload of a text in the default alphabet has one septet in each octet.
    pub user_data: UserData,
}

impl Deliver {
    /// The octets.
    ///
    /// # Errors
    /// When the user data does not fit one short message.
    pub fn encode(&self) -> Result<Bytes, TpduError> {
        let mut out = vec![
            MTI | flag(!self.more, NO_MORE)
                | flag(self.loop_prevention, LOOP_PREVENTION)
                | flag(self.status_report, STATUS_REPORT)
                | flag(self.user_data.header.is_some(), UDHI)
                | flag(self.reply_path, REPLY_PATH),
        ];
        self.originator.encode_into(&mut out);
        out.extend([self.protocol, self.coding.0]);
        out.extend(self.time.0);
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
        let originator = Address::read(&mut reader, "TP-OA")?;
        let (protocol, coding) = (reader.octet("TP-PID")?, DataCoding(reader.octet("TP-DCS")?));
        let time = ServiceTime(reader.seven("TP-SCTS")?);
        Ok(Deliver {
            more: first & NO_MORE == 0,
            loop_prevention: first & LOOP_PREVENTION != 0,
            status_report: first & STATUS_REPORT != 0,
            reply_path: first & REPLY_PATH != 0,
            originator,
            protocol,
            coding,
            time,
            user_data: user_data::read(&mut reader, coding, first & UDHI != 0)?,
        })
    }
}

/// What the receiver says to a message that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeliverReport {
    /// TP-FCS, why it was not taken (9.2.3.22); `None` when it was.
    pub failure: Option<u8>,
}

impl DeliverReport {
    /// TP-FCS "memory capacity exceeded": the centre keeps the message and tries again.
    pub const TRY_LATER: DeliverReport = DeliverReport { failure: Some(0xD3) };

    /// The octets: no optional element is said.
    pub fn encode(self) -> Bytes {
        let parameters = 0;
        match self.failure {
            Some(cause) => vec![MTI, cause, parameters].into(),
            None => vec![MTI, parameters].into(),
        }
    }
}
