//! What bearers share: whose turn it is and at which pace, which reference a message's segments carry, how a callback's
//! address names a short message, what receipts add up to, and how segments that arrive become whole.

mod inbox;
mod pace;
mod references;
mod tally;
mod token;
mod turns;

pub use inbox::{Coding, Inbox, MAX_HELD, MAX_OPEN};
pub use pace::{Condition, Pace};
pub use references::References;
pub use tally::{OPEN_TALLIES, Tallies, Ticket};
pub use token::Key;
pub use turns::{Turn, Turns};
