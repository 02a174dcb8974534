//! What `command_status` means (SMPP 3.4 5.1.3): the one table.

use std::fmt;

/// What is to be done about an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// It was taken.
    Ok,
    /// Too much at once: slow down and offer it again.
    Slower,
    /// Not now: offer it again later.
    Later,
    /// Not this message, or not to this number, ever.
    Never,
    /// The session is not what it should be: it is made anew and the message offered again.
    Session,
    /// The login or the set-up is wrong: somebody has to look at a setting, messages wait meanwhile.
    SetUp(&'static str),
}

/// A `command_status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status(pub u32);

type Row = (u32, &'static str, Class);

use Class::{Later, Never, Ok as Fine, Session, SetUp, Slower};

#[rustfmt::skip]
const TABLE: &[Row] = &[
    (0x00, "ESME_ROK", Fine),
    (0x01, "ESME_RINVMSGLEN", Never),
    (0x02, "ESME_RINVCMDLEN", Never),
    (0x03, "ESME_RINVCMDID", Never),
    (0x04, "ESME_RINVBNDSTS", Session),
    (0x05, "ESME_RALYBND", SetUp("connections: the SMSC takes no more binds of this system_id")),
    (0x06, "ESME_RINVPRTFLG", Never),
    (0x07, "ESME_RINVREGDLVFLG", SetUp("registered_delivery")),
    (0x08, "ESME_RSYSERR", Later),
    (0x0A, "ESME_RINVSRCADR", Never),
    (0x0B, "ESME_RINVDSTADR", Never),
    (0x0C, "ESME_RINVMSGID", Never),
    (0x0D, "ESME_RBINDFAIL", SetUp("bind, system_id and password, or whether the SMSC lets this address in")),
    (0x0E, "ESME_RINVPASWD", SetUp("password")),
    (0x0F, "ESME_RINVSYSID", SetUp("system_id")),
    (0x11, "ESME_RCANCELFAIL", Never),
    (0x13, "ESME_RREPLACEFAIL", Never),
    (0x14, "ESME_RMSGQFUL", Slower),
    (0x15, "ESME_RINVSERTYP", SetUp("service_type")),
    (0x33, "ESME_RINVNUMDESTS", Never),
    (0x34, "ESME_RINVDLNAME", Never),
    (0x40, "ESME_RINVDESTFLAG", Never),
    (0x42, "ESME_RINVSUBREP", Never),
    (0x43, "ESME_RINVESMCLASS", SetUp("addressing")),
    (0x44, "ESME_RCNTSUBDL", Never),
    (0x45, "ESME_RSUBMITFAIL", Later),
    (0x48, "ESME_RINVSRCTON", SetUp("source_ton")),
    (0x49, "ESME_RINVSRCNPI", SetUp("source_npi")),
    (0x50, "ESME_RINVDSTTON", SetUp("dest_ton")),
    (0x51, "ESME_RINVDSTNPI", SetUp("dest_npi")),
    (0x53, "ESME_RINVSYSTYP", SetUp("system_type")),
    (0x54, "ESME_RINVREPFLAG", Never),
    (0x55, "ESME_RINVNUMMSGS", Never),
    (0x58, "ESME_RTHROTTLED", Slower),
    (0x61, "ESME_RINVSCHED", Never),
    (0x62, "ESME_RINVEXPIRY", SetUp("validity")),
    (0x63, "ESME_RINVDFTMSGID", Never),
    (0x64, "ESME_RX_T_APPN", Later),
    (0x65, "ESME_RX_P_APPN", Never),
    (0x66, "ESME_RX_R_APPN", Never),
    (0x67, "ESME_RQUERYFAIL", Never),
    (0xC0, "ESME_RINVOPTPARSTREAM", SetUp("addressing")),
    (0xC1, "ESME_ROPTPARNOTALLWD", SetUp("addressing")),
    (0xC2, "ESME_RINVPARLEN", SetUp("addressing")),
    (0xC3, "ESME_RMISSINGOPTPARAM", SetUp("addressing")),
    (0xC4, "ESME_RINVOPTPARAMVAL", SetUp("addressing")),
    (0xFE, "ESME_RDELIVERYFAILURE", Never),
    (0xFF, "ESME_RUNKNOWNERR", Later),
];

impl Status {
    /// Success.
    pub const OK: Status = Status(0x00);
    /// The PDU's length is wrong.
    pub const BAD_LENGTH: Status = Status(0x02);
    /// The PDU is one we do not know, or not one for us.
    pub const BAD_COMMAND: Status = Status(0x03);
    /// We cannot take this now (ESME_RX_T_APPN).
    pub const TRY_LATER: Status = Status(0x64);
    /// We will never take this (ESME_RX_R_APPN).
    pub const REJECTED: Status = Status(0x66);

    /// What is to be done. Numbers the table lacks are the SMSC vendor's (0x400 to 0x4FF) or newer than 3.4: they may mean
    /// anything, so the message is not given up for them.
    pub fn class(self) -> Class {
        self.row().map_or(Class::Later, |row| row.2)
    }

    fn row(self) -> Option<&'static Row> {
        TABLE.iter().find(|row| row.0 == self.0)
    }
}

/// `ESME_RTHROTTLED (0x58)`.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.row().map_or("a status of the vendor's own", |row| row.1);
        write!(f, "{name} (0x{:02x})", self.0)
    }
}

/// `message_state` and the words of receipts (SMPP 3.4 5.2.28, appendix B).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// On its way.
    Enroute,
    /// On the phone.
    Delivered,
    /// Its time ran out.
    Expired,
    /// Deleted at the SMSC.
    Deleted,
    /// Cannot be delivered.
    Undeliverable,
    /// Taken, nothing more is known.
    Accepted,
    /// Not known.
    Unknown,
    /// Refused.
    Rejected,
}

const STATES: &[(State, u8, &str)] = &[
    (State::Enroute, 1, "ENROUTE"),
    (State::Delivered, 2, "DELIVRD"),
    (State::Expired, 3, "EXPIRED"),
    (State::Deleted, 4, "DELETED"),
    (State::Undeliverable, 5, "UNDELIV"),
    (State::Accepted, 6, "ACCEPTD"),
    (State::Unknown, 7, "UNKNOWN"),
    (State::Rejected, 8, "REJECTD"),
];

impl State {
    /// The state of that number.
    pub fn of_number(number: u8) -> Option<State> {
        STATES.iter().find(|row| row.1 == number).map(|row| row.0)
    }

    /// The state of that word, in any case, cut or whole: `DELIVRD`, `Delivered`, `undeliverable`.
    pub fn of_word(word: &str) -> Option<State> {
        let letters: String = word.chars().take(4).collect::<String>().to_ascii_uppercase();
        STATES.iter().find(|row| row.2[..4] == letters).map(|row| row.0)
    }

    /// The word of appendix B.
    pub fn word(self) -> &'static str {
        STATES.iter().find(|row| row.0 == self).map_or("", |row| row.2)
    }
}
