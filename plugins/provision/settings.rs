//! Settings of the provision transport.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[transport.NAME] plugin = "provision"`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct ProvisionSettings {
    /// The bearer that carries the settings; may be left out when there is only one.
    #[schemars(example = &"smsc")]
    pub bearer: Option<String>,
    /// The handset door whose public address is the MMS centre of profiles that do not say another; may be left out when there
    /// is only one.
    #[schemars(example = &"handsets")]
    pub door: Option<String>,
    /// The directory of the profiles: one file each, its name without ".toml" is the profile's.
    #[schemars(example = &"provisioning")]
    pub directory: PathBuf,
}

impl Default for ProvisionSettings {
    fn default() -> Self {
        ProvisionSettings { bearer: None, door: None, directory: PathBuf::from("provisioning") }
    }
}
