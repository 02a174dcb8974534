//! WAP push over SMS, as the far end sees it: user data headers, reassembly, the WSP push around an MMS PDU.

use crate::mms::{MEDIA_TYPE, Pdu, uintvar};
use std::collections::BTreeMap;

/// The port of WAP push (WAP-235-PushOTA 8.2).
pub const PUSH_PORT: u16 = 2948;

/// One short message, as a bearer handed it on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Segment {
    /// Who it says it is from.
    pub from: String,
    /// Whom it is for.
    pub to: String,
    /// The user data header with its length octet; empty when there is none (TS 23.040 9.2.3.24).
    pub udh: Vec<u8>,
    /// The user data behind the header.
    pub data: Vec<u8>,
}

/// What a user data header says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Header {
    destination_port: Option<u16>,
    /// Reference, number of parts, number of this part from 1.
    concatenation: Option<(u16, u8, u8)>,
}

/// A WAP push, whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Push {
    /// Who it says it is from.
    pub from: String,
    /// Whom it is for.
    pub to: String,
    /// The port it is for.
    pub port: u16,
    /// How many short messages it took.
    pub segments: usize,
    /// The WSP push PDU.
    pub wsp: Vec<u8>,
}

impl Push {
    /// The body behind the WSP headers: for a notification, the MMS PDU.
    ///
    /// # Panics
    /// When the WSP PDU is no push.
    #[track_caller]
    pub fn body(&self) -> &[u8] {
        unwrap(&self.wsp).unwrap_or_else(|| panic!("not a WSP push: {:02x?}", self.wsp))
    }

    /// The MMS PDU in it.
    ///
    /// # Panics
    /// When there is none.
    #[track_caller]
    pub fn mms(&self) -> Pdu {
        Pdu::read(self.body())
    }
}

/// The WSP push PDU (WAP-230-WSP 8.2.4.1) that carries an MMS PDU to the MMS application (0x04).
pub fn wrap(pdu: &[u8]) -> Vec<u8> {
    let headers = [MEDIA_TYPE.as_bytes(), b"\0\xaf\x84"].concat();
    [vec![0x01, 0x06], uintvar(headers.len()), headers, pdu.to_vec()].concat()
}

/// The body of a WSP push PDU; `None` when it is none.
pub fn unwrap(wsp: &[u8]) -> Option<&[u8]> {
    let (_, rest) = wsp.split_first()?;
    let rest = rest.strip_prefix(&[0x06])?;
    let (mut length, mut rest) = (0_usize, rest);
    loop {
        let (octet, after) = rest.split_first()?;
        rest = after;
        length = length << 7 | usize::from(octet & 0x7f);
        if *octet < 0x80 {
            return rest.get(length..);
        }
    }
}

/// Puts pushes together from short messages in the order they came. Segments that came twice count once; short
/// messages that are no push, and pushes with a part missing, are left out.
pub fn reassemble(messages: &[Segment]) -> Vec<Push> {
    type Key<'message> = (&'message str, &'message str, u16, u8);
    let mut open: BTreeMap<Key<'_>, BTreeMap<u8, &Segment>> = BTreeMap::new();
    let mut pushes = Vec::new();
    for message in messages {
        let Some(header) = read_udh(&message.udh) else { continue };
        let Some(port) = header.destination_port else { continue };
        let whole = |segments: &[&Segment]| Push {
            from: message.from.clone(),
            to: message.to.clone(),
            port,
            segments: segments.len(),
            wsp: segments.iter().flat_map(|segment| segment.data.clone()).collect(),
        };
        let Some((reference, total, number)) = header.concatenation else {
            pushes.push(whole(&[message]));
            continue;
        };
        let key = (message.from.as_str(), message.to.as_str(), reference, total);
        let parts = open.entry(key).or_default();
        parts.insert(number, message);
        if parts.len() == usize::from(total) {
            let parts = open.remove(&key).unwrap_or_default();
            pushes.push(whole(&parts.into_values().collect::<Vec<_>>()));
        }
    }
    pushes
}

/// Reads the information elements this module needs (TS 23.040 9.2.3.24.1, .3, .4 and .8).
fn read_udh(udh: &[u8]) -> Option<Header> {
    let (length, mut rest) = udh.split_first()?;
    if usize::from(*length) != rest.len() {
        return None;
    }
    let mut header = Header::default();
    while let [identifier, length, after @ ..] = rest {
        let (data, after) = after.split_at_checked(usize::from(*length))?;
        rest = after;
        match (identifier, data) {
            (0x00, [reference, total, number]) => {
                header.concatenation = Some((u16::from(*reference), *total, *number));
            }
            (0x08, [high, low, total, number]) => {
                header.concatenation = Some((u16::from_be_bytes([*high, *low]), *total, *number));
            }
            (0x04, [destination, _]) => header.destination_port = Some(u16::from(*destination)),
            (0x05, [high, low, _, _]) => header.destination_port = Some(u16::from_be_bytes([*high, *low])),
            _ => {}
        }
    }
    Some(header)
}
