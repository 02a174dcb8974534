//! The maxima of this plugin (I-4, I-8).

use std::time::Duration;

/// What came unasked and waits to be looked at. More is dropped; what lies in a memory is found by the next look there.
pub const UNSOLICITED: usize = 256;
/// Lines of one answer that are kept.
pub const ANSWER_LINES: usize = 1024;
/// Octets read from the device at once.
pub const READ: usize = 1024;
/// Reads after the time for an answer is over: what lies there is looked at, what goes on for ever is not.
pub const LATE_READS: u32 = 16;
/// How long the device may take to take what is written to it.
pub const WRITE: Duration = Duration::from_secs(20);
/// Short messages whose status reports are waited for; beyond that the oldest is forgotten.
pub const AWAITED: usize = 4096;
/// Status reports that came before the answer to what they are about.
pub const EARLY: usize = 64;
/// Messages that were taken and could not be deleted from the modem's memory.
pub const UNDELETED: usize = 256;
/// Commands of the modem's own.
pub const COMMANDS: usize = 16;
/// Characters of one of them, and of a name in the settings.
pub const COMMAND: usize = 200;

/// How often a modem is called after it did not answer.
pub const CALLS: u32 = 3;
/// How often a command is repeated that finds the SIM busy.
pub const SIM_BUSY: u32 = 30;
/// The pause between two such.
pub const SIM_PAUSE: Duration = Duration::from_secs(1);
/// The pause before the device is opened again; it doubles each time.
pub const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// How long others may take to take what arrived.
pub const OFFER: Duration = Duration::from_secs(30);
