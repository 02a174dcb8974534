//! What bearers share: whose turn it is and at which pace, how what is sent becomes pieces, which reference they carry, how a
//! callback's address names a short message, how far a push is that was begun, what receipts add up to, who may bring what
//! arrives, and how it becomes whole.

mod gate;
mod inbox;
mod pace;
mod pieces;
mod references;
mod tally;
mod token;
mod turns;
mod unfinished;

pub use gate::Gate;
pub use inbox::{Coding, Inbox, MAX_HELD, MAX_OPEN};
pub use pace::{Condition, Pace};
pub use pieces::{Content, Cut, Piece, of_part, pieces};
pub use references::References;
pub use tally::{OPEN_TALLIES, Tallies, Ticket, sending};
pub use token::{Key, from_hex};
pub use turns::{Turn, Turns};
pub use unfinished::{Begun, MAX_UNFINISHED, PushKey, RESUME, Unfinished, may_have_arrived};
