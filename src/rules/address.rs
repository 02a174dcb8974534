//! The canonical form of an address as masks and tables see it: lower case, on the stack.

use std::fmt::{self, Write};

use packetboat_api::party::Party;

/// What the null sender of reports (RFC 5321 4.5.5) looks like to a mask.
pub(crate) const NULL_SENDER: &str = "<>";

const INLINE: usize = 256;

/// The octets of [`Party`]'s canonical form in ASCII lower case. Every address of legal length stays on the stack.
pub(crate) struct Address {
    inline: [u8; INLINE],
    length: usize,
    spilled: Option<Vec<u8>>,
}

impl Address {
    pub(crate) fn of(party: Option<&Party>) -> Self {
        let mut address = Address { inline: [0; INLINE], length: 0, spilled: None };
        match party {
            None => address.push(NULL_SENDER.as_bytes()),
            Some(Party::Phone(number)) => {
                address.push(b"+");
                address.push(number.digits().as_bytes());
            }
            Some(Party::Mail(mail)) => {
                address.push(mail.local().as_bytes());
                address.push(b"@");
                address.push(mail.domain().as_bytes());
            }
            // Writing into memory does not fail.
            Some(other) => _ = write!(address, "{other}"),
        }
        address.octets_mut().make_ascii_lowercase();
        address
    }

    pub(crate) fn octets(&self) -> &[u8] {
        match &self.spilled {
            Some(spilled) => spilled,
            None => self.inline.get(..self.length).unwrap_or_default(),
        }
    }

    fn octets_mut(&mut self) -> &mut [u8] {
        match &mut self.spilled {
            Some(spilled) => spilled,
            None => self.inline.get_mut(..self.length).unwrap_or_default(),
        }
    }

    fn push(&mut self, more: &[u8]) {
        let end = self.length + more.len();
        match (&mut self.spilled, self.inline.get_mut(self.length..end)) {
            (Some(spilled), _) => spilled.extend_from_slice(more),
            (None, Some(room)) => {
                room.copy_from_slice(more);
                self.length = end;
            }
            (None, None) => self.spilled = Some([self.octets(), more].concat()),
        }
    }
}

impl Write for Address {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push(text.as_bytes());
        Ok(())
    }
}
