//! SMS-STATUS-REPORT: what became of a short message (TS 23.040 9.2.2.3), and SMS-SUBMIT-REPORT: whether the centre took it
//! (9.2.2.2a).

use bytes::Bytes;

use super::address::Address;
use super::error::TpduError;
use super::flag;
use super::reader::Reader;
use super::status::Status;
use super::time::ServiceTime;

const STATUS_REPORT: &str = "SMS-STATUS-REPORT";
const STATUS_REPORT_MTI: u8 = 0b10;
/// TP-MMS says it the other way round: set when nothing more waits.
const NO_MORE: u8 = 0b0000_0100;
const LOOP_PREVENTION: u8 = 0b0000_1000;
const OF_COMMAND: u8 = 0b0010_0000;
const SUBMIT_REPORT: &str = "SMS-SUBMIT-REPORT";
const SUBMIT_REPORT_MTI: u8 = 0b01;

/// What became of a short message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusReport {
    /// TP-MMS: more short messages wait in the centre.
    pub more: bool,
    /// TP-LP: it was forwarded, and must not be again.
    pub loop_prevention: bool,
    /// TP-SRQ: it answers an SMS-COMMAND instead of a short message.
    pub of_command: bool,
    /// TP-MR of the message.
    pub reference: u8,
    /// TP-RA: to whom it went.
    pub recipient: Address,
    /// TP-SCTS: when the message came to the centre.
    pub sent: ServiceTime,
    /// TP-DT: when what the status says happened.
    pub done: ServiceTime,
    /// TP-ST.
    pub status: Status,
    /// TP-UDHI, which speaks of the optional user data.
    pub has_header: bool,
    /// The optional elements, TP-PI and what follows, as they came: nothing here needs them.
    pub optional: Bytes,
}

impl StatusReport {
    /// The octets.
    pub fn encode(&self) -> Bytes {
        let mut out = vec![
            STATUS_REPORT_MTI
                | flag(!self.more, NO_MORE)
                | flag(self.loop_prevention, LOOP_PREVENTION)
                | flag(self.of_command, OF_COMMAND)
                | flag(self.has_header, super::UDHI),
            self.reference,
        ];
        self.recipient.encode_into(&mut out);
        out.extend(self.sent.0);
        out.extend(self.done.0);
        out.push(self.status.0);
        out.extend_from_slice(&self.optional);
        out.into()
    }

    /// Reads the octets.
    ///
    /// # Errors
    /// [`TpduError`] with the offset.
    pub fn parse(octets: &Bytes) -> Result<Self, TpduError> {
        let mut reader = Reader::new(octets)?;
        let first = reader.first(STATUS_REPORT, STATUS_REPORT_MTI)?;
        Ok(StatusReport {
            more: first & NO_MORE == 0,
            loop_prevention: first & LOOP_PREVENTION != 0,
            of_command: first & OF_COMMAND != 0,
            has_header: first & super::UDHI != 0,
            reference: reader.octet("TP-MR")?,
            recipient: Address::read(&mut reader, "TP-RA")?,
            sent: ServiceTime(reader.seven("TP-SCTS")?),
            done: ServiceTime(reader.seven("TP-DT")?),
            status: Status(reader.octet("TP-ST")?),
            optional: reader.rest(),
        })
    }
}

/// The centre's answer to a message it was given, as a modem may pass it on (TS 27.005 3.5.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubmitReport {
    /// TP-FCS, why it was refused; `None` when it was taken.
    pub failure: Option<u8>,
    /// TP-SCTS: when it came to the centre.
    pub time: ServiceTime,
    /// The optional elements, as they came.
    pub optional: Bytes,
}

impl SubmitReport {
    /// Reads the octets. The answer itself does not say whether it is a refusal; what carried it does (RP-ACK, RP-ERROR).
    ///
    /// # Errors
    /// [`TpduError`] with the offset.
    pub fn parse(octets: &Bytes, refused: bool) -> Result<Self, TpduError> {
        let mut reader = Reader::new(octets)?;
        reader.first(SUBMIT_REPORT, SUBMIT_REPORT_MTI)?;
        let failure = if refused { Some(reader.octet("TP-FCS")?) } else { None };
        reader.octet("TP-PI")?;
        let time = ServiceTime(reader.seven("TP-SCTS")?);
        Ok(SubmitReport { failure, time, optional: reader.rest() })
    }
}
