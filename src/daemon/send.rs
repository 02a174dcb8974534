//! `packetboat send`.

use std::process::ExitCode;

use crate::cli::SendOptions;

/// The command.
pub fn command(_: &SendOptions) -> ExitCode {
    ExitCode::FAILURE
}
