//! `packetboat send`: a mail with a photo through a running daemon's SMTP listener, as any mail program would send it.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use bytes::Bytes;
use packetboat_api::clock::{Clock, Random, SystemClock, SystemRandom};
use packetboat_api::mime::{Disposition, Entity, Headers, Mail, MediaType, Transport, date, render_to_bytes};
use packetboat_net::smtp::{Client, Destination, Envelope, Recipient};

use crate::cli::SendOptions;
use crate::{failed, runtime};

/// The command.
pub fn command(options: &SendOptions) -> ExitCode {
    let sent = runtime().map_err(|e| e.to_string()).and_then(|runtime| runtime.block_on(send(options)));
    match sent {
        Ok(replies) => {
            replies.iter().for_each(|line| println!("{line}"));
            ExitCode::SUCCESS
        }
        Err(error) => failed(error),
    }
}
