//! What bearers share: whose turn it is, which reference a message's segments carry, what receipts add up to, and how
//! segments that arrive become whole.

mod inbox;
mod references;
mod tally;
mod turns;

pub use inbox::{Coding, Inbox, MAX_HELD, MAX_OPEN};
pub use references::References;
pub use tally::{OPEN_TALLIES, Tallies, Ticket};
pub use turns::{Turn, Turns};
