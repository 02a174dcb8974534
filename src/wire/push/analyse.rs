//! From what somebody has at hand to the push: one WSP push, or the user data of the short messages that carried it.

use std::time::Duration;

use bytes::Bytes;
use packetboat_sms::{Accepted, Incomplete, Message, Ports, ReassembleError, Reassembler, UserData, UserDataError};
use packetboat_wsp::WspError;
use thiserror::Error;

use crate::limits::MAX_MESSAGES;
use crate::ota;
use crate::pdu::Push;

/// The ports of connectionless WAP push, plain and secured by WTLS (IANA; WAP-259-WDP), and the one of browser settings.
const PUSH_PORTS: [u16; 3] = [2948, 2949, ota::PORT];

/// Why there is no push in the input. Messages are counted from 1, octets from 0.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AnalyseError {
    /// No octets were given.
    #[error("nothing to read")]
    Empty,
    /// More short messages than one analysis takes.
    #[error("{count} short messages, at most {limit} are read")]
    TooMany {
        /// How many.
        count: usize,
        /// [`MAX_MESSAGES`].
        limit: usize,
    },
    /// A short message's user data cannot be read.
    #[error("message {message}, {source}")]
    UserData {
        /// Which message.
        message: usize,
        /// What is wrong, with its offset in that message.
        source: UserDataError,
    },
    /// A segment contradicts the ones before it.
    #[error("message {message}: {source}")]
    Segment {
        /// Which message.
        message: usize,
        /// What is wrong.
        source: ReassembleError,
    },
    /// A message is for another application than WAP push.
    #[error("message {message}: port {destination} is not WAP push (2948)")]
    OtherPort {
        /// Which message.
        message: usize,
        /// Its destination port.
        destination: u16,
    },
    /// Segments did not come.
    #[error("of {total} segments, these are missing: {missing:?}")]
    Missing {
        /// The segments in all.
        total: u8,
        /// Those that did not come.
        missing: Vec<u8>,
    },
    /// The push, put together from its segments, cannot be read; the offset is one in the push.
    #[error("push: {0}")]
    Push(#[from] WspError),
    /// There is not exactly one push.
    #[error("{0} pushes where one was expected")]
    NotOne(usize),
}

impl AnalyseError {
    /// The offending octet: in the message the error names, or in the push when it names none.
    pub fn offset(&self) -> Option<usize> {
        match self {
            AnalyseError::UserData { source, .. } => source.offset(),
            AnalyseError::Push(source) => Some(source.offset),
            _ => None,
        }
    }
}

/// The pushes in `inputs`: each either a WSP push as it is, or the user data (header and payload) of one short message.
/// Segments may stand in any order and more than once; the pushes come in the order in which they became whole.
///
/// An input is taken for a bare push when its second octet is the Push PDU's type and it reads as one: no header of a
/// short message that carries a push begins so.
///
/// # Errors
/// [`AnalyseError`], the first there is.
pub fn analyse(inputs: &[Bytes]) -> Result<Vec<Push>, AnalyseError> {
    let mut collected = collect(inputs, |octets| octets.get(1) == Some(&0x06))?;
    collected.drain(..).map(|payload| Push::parse(&payload).map_err(AnalyseError::from)).collect()
}

/// The one push that these short messages carried; each is the user data with its header.
///
/// # Errors
/// [`AnalyseError`], the first there is.
pub fn from_user_data(messages: &[Bytes]) -> Result<Push, AnalyseError> {
    match &collect(messages, |_| false)?[..] {
        [payload] => Ok(Push::parse(payload)?),
        several => Err(AnalyseError::NotOne(several.len())),
    }
}

/// The payloads that became whole; an input for which `is_push` holds is one itself.
fn collect(inputs: &[Bytes], is_push: impl Fn(&[u8]) -> bool) -> Result<Vec<Bytes>, AnalyseError> {
    if inputs.iter().all(Bytes::is_empty) {
        return Err(AnalyseError::Empty);
    }
    if inputs.len() > MAX_MESSAGES {
        return Err(AnalyseError::TooMany { count: inputs.len(), limit: MAX_MESSAGES });
    }
    // Nothing ages here; the end of the input is the end of time.
    let mut sets = Reassembler::new(inputs.len(), Duration::MAX);
    let mut payloads = Vec::new();
    for (index, octets) in inputs.iter().enumerate() {
        let message = index + 1;
        if inputs[..index].contains(octets) {
            continue; // a copy would open a set of its own once its message is whole
        }
        if is_push(octets) {
            payloads.push(octets.clone());
            continue;
        }
        let data = UserData::parse(octets, true).map_err(|source| AnalyseError::UserData { message, source })?;
        if let Some(Ports { destination, .. }) = data.ports().filter(|ports| !PUSH_PORTS.contains(&ports.destination)) {
            return Err(AnalyseError::OtherPort { message, destination });
        }
        let accepted = sets.accept((), data, Duration::ZERO);
        match accepted.map_err(|source| AnalyseError::Segment { message, source })? {
            Accepted::Whole(Message { payload, .. }) => payloads.push(payload),
            Accepted::Waiting { .. } | Accepted::Duplicate => {}
        }
    }
    match sets.expire(Duration::MAX).into_iter().next() {
        Some(Incomplete { total, missing, .. }) => Err(AnalyseError::Missing { total, missing }),
        None => Ok(payloads),
    }
}
