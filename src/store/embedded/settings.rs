//! What an operator can set: the `[store]` table of the configuration.

use std::path::PathBuf;

use packetboat_api::units::ByteSize;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The embedded store's settings.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct Settings {
    /// Directory of the store; made when it is not there. One daemon at a time can have it open.
    #[schemars(example = "/var/lib/packetboat")]
    pub path: PathBuf,
    /// What an acknowledged message survives.
    pub durability: Durability,
    /// Size at which a content file is closed and the next one begun. Space is given back a file at a time.
    #[schemars(example = "64MiB")]
    pub segment_size: ByteSize,
    /// New messages are refused for now ("try later") when less than this would stay free on the file system, so that
    /// what is queued can still be worked off.
    #[schemars(example = "64MiB")]
    pub free_space_floor: ByteSize,
    /// Memory for messages and deliveries in use.
    #[schemars(example = "32MiB")]
    pub metadata_cache: ByteSize,
    /// Memory for pages of the database.
    #[schemars(example = "16MiB")]
    pub database_cache: ByteSize,
}

/// What an acknowledged message survives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// A power failure: everything is forced to the device before the answer.
    #[default]
    PowerLoss,
    /// A crash of the daemon: everything is with the operating system before the answer. Faster, and a power failure
    /// can lose the last seconds.
    ProcessCrash,
}

impl Durability {
    /// The word for configuration and health.
    pub fn word(self) -> &'static str {
        match self {
            Durability::PowerLoss => "power_loss",
            Durability::ProcessCrash => "process_crash",
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            path: PathBuf::from("/var/lib/packetboat"),
            durability: Durability::PowerLoss,
            segment_size: ByteSize::mib(64),
            free_space_floor: ByteSize::mib(64),
            metadata_cache: ByteSize::mib(32),
            database_cache: ByteSize::mib(16),
        }
    }
}
