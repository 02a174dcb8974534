//! The content of a message: handed out as it comes, counted, and followed to its true end whatever happens.
//!
//! A message that is refused half-way is read on and dropped, up to a limit, since only its end tells where commands
//! begin again. The same holds for a BDAT chunk that nobody wants (RFC 3030 2).

use super::{Event, Question, Refusal, Session, State};
use crate::body::{BodyReader, Piece};
use crate::{BareNewlines, Reply, limits, replies};

/// What is coming in.
#[derive(Debug)]
pub(super) struct Transfer {
    framing: Framing,
    /// Set once the message is refused: the reply for its end.
    refused: Option<Reply>,
    discarded: u64,
}

#[derive(Debug)]
enum Framing {
    Data(BodyReader),
    /// One BDAT chunk; its reader is the transaction's.
    Chunk {
        left: u64,
        last: bool,
    },
}

impl Transfer {
    pub(super) fn data(policy: BareNewlines) -> Self {
        Self { framing: Framing::Data(BodyReader::for_data(policy)), refused: None, discarded: 0 }
    }

    pub(super) fn refuse(&mut self, reply: Reply) {
        self.refused.get_or_insert(reply);
    }
}

impl Session {
    /// BDAT. One that may not come now is swallowed and then refused: its octets are on their way.
    pub(super) fn chunk(&mut self, size: u64, last: bool) -> Option<Event<'static>> {
        let mut transfer = Transfer { framing: Framing::Chunk { left: size, last }, refused: None, discarded: 0 };
        let Some(transaction) = &mut self.transaction else {
            transfer.refuse(replies::MAIL_FIRST);
            self.state = State::Transfer(transfer);
            return None;
        };
        if transaction.recipients == 0 {
            transfer.refuse(replies::NO_RECIPIENTS);
            self.state = State::Transfer(transfer);
            return None;
        }
        if transaction.chunks.is_none() {
            transaction.chunks = Some(BodyReader::for_chunks(self.config.bare_newlines));
            self.state = State::Asked(Question::MessageStart(transfer));
            return Some(Event::MessageStart);
        }
        self.state = State::Transfer(transfer);
        None
    }

    pub(super) fn begin_transfer(&mut self, transfer: Transfer) {
        if matches!(transfer.framing, Framing::Data(_)) {
            self.queue(&replies::START_DATA);
        }
        self.state = State::Transfer(transfer);
    }

    /// The driver cannot take content now. Of DATA none will come; a chunk is on its way.
    pub(super) fn refuse_transfer(&mut self, mut transfer: Transfer, refusal: Reply) {
        if matches!(transfer.framing, Framing::Data(_)) {
            self.transaction = None;
            self.queue(&refusal);
        } else {
            transfer.refuse(refusal);
            self.state = State::Transfer(transfer);
        }
    }

    /// Takes content from the input.
    pub(super) fn transfer<'a>(&mut self, input: &'a [u8]) -> (usize, Option<Event<'a>>) {
        let State::Transfer(transfer) = &mut self.state else {
            return (0, None);
        };
        let (used, piece, bare) = match &mut transfer.framing {
            Framing::Data(reader) => {
                let (used, piece) = reader.next(input);
                (used, piece, reader.has_bare_newline())
            }
            Framing::Chunk { left: 0, .. } => return (0, self.chunk_end()),
            Framing::Chunk { left, .. } => {
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(input.len());
                let wanted = input.get(..take).unwrap_or(input);
                let checked = self.transaction.as_mut().filter(|transaction| !transaction.binary);
                let reader = checked.and_then(|transaction| transaction.chunks.as_mut());
                let (used, piece) = match reader {
                    Some(reader) if transfer.refused.is_none() => reader.next(wanted),
                    _ if wanted.is_empty() => (0, Piece::More),
                    _ => (take, Piece::Content(wanted)),
                };
                *left = left.saturating_sub(used as u64);
                let reader = self.transaction.as_ref().and_then(|transaction| transaction.chunks.as_ref());
                (used, piece, reader.is_some_and(BodyReader::has_bare_newline))
            }
        };
        let event = match piece {
            // A chunk may have ended with the octets just taken.
            Piece::More if used > 0 => None,
            Piece::More => Some(Event::NeedInput),
            Piece::Content(content) => self.content(content, bare),
            Piece::End => self.data_end(bare),
        };
        (used, event)
    }

    /// Counts a piece and hands it out, or drops it.
    fn content<'a>(&mut self, content: &'a [u8], bare: bool) -> Option<Event<'a>> {
        let octets = content.len() as u64;
        let State::Transfer(transfer) = &mut self.state else {
            return None;
        };
        if transfer.refused.is_some() {
            transfer.discarded += octets;
            if transfer.discarded > limits::DISCARD_MAX {
                self.close(&replies::TOO_MUCH_DATA);
            }
            return None;
        }
        let so_far = self.transaction.as_mut().map_or(0, |transaction| {
            transaction.octets += octets;
            transaction.octets
        });
        let refusal = if so_far > self.config.max_size {
            Refusal::TooLarge
        } else if bare {
            Refusal::BareNewline
        } else {
            return Some(Event::Content(content));
        };
        transfer.refuse(refusal.reply());
        Some(Event::Discard(refusal))
    }

    fn data_end(&mut self, bare: bool) -> Option<Event<'static>> {
        let State::Transfer(transfer) = std::mem::replace(&mut self.state, State::Command) else {
            return None;
        };
        match transfer.refused {
            Some(refusal) => {
                self.transaction = None;
                self.queue(&refusal);
                None
            }
            None => self.message_end(bare),
        }
    }

    /// All octets of a chunk are here.
    fn chunk_end(&mut self) -> Option<Event<'static>> {
        let State::Transfer(transfer) = std::mem::replace(&mut self.state, State::Command) else {
            return None;
        };
        let is_last = matches!(transfer.framing, Framing::Chunk { last: true, .. });
        if let Some(refusal) = transfer.refused {
            // What follows of the same message finds no transaction and is swallowed too. A long pipelined group of
            // chunks must not count as so many errors.
            self.transaction = None;
            self.queue_idle(&refusal);
            return None;
        }
        if !is_last {
            self.queue(&replies::CHUNK_OK);
            return None;
        }
        let reader = self.transaction.as_mut().filter(|transaction| !transaction.binary);
        let (missing, bare) = match reader.and_then(|transaction| transaction.chunks.as_mut()) {
            Some(reader) => (reader.finish(), reader.has_bare_newline()),
            None => (b"".as_slice(), false),
        };
        if missing.is_empty() {
            return self.message_end(bare);
        }
        // Hand out the missing LF, then come back here with nothing left to take.
        self.state =
            State::Transfer(Transfer { framing: Framing::Chunk { left: 0, last: true }, refused: None, discarded: 0 });
        Some(Event::Content(missing))
    }

    fn message_end(&mut self, bare: bool) -> Option<Event<'static>> {
        if bare {
            self.transaction = None;
            self.queue(&replies::BARE_NEWLINE);
            return Some(Event::Discard(Refusal::BareNewline));
        }
        self.state = State::Asked(Question::MessageEnd);
        Some(Event::MessageEnd)
    }
}
