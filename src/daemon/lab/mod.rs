//! `packetboat lab`.

use std::process::ExitCode;

use crate::cli::LabOptions;

/// The command.
pub fn command(_: &LabOptions) -> ExitCode {
    ExitCode::FAILURE
}
