//! Settings of the direct transport.

use packetboat_api::units::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[transport.NAME] plugin = "direct"`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct DirectSettings {
    /// The bearer that carries the notifications; may be left out when there is only one.
    #[schemars(example = &"smsc")]
    pub bearer: Option<String>,
    /// The handset door (an mm1 listener) whose public address phones are told; may be left out when there is only one.
    #[schemars(example = &"handsets")]
    pub door: Option<String>,
    /// When a phone that did not fetch is told again: after so long each time. Then it is left alone until the message expires.
    pub again: Vec<Period>,
    /// Name the sender in the notification.
    pub show_sender: bool,
    /// Put the subject in the notification, when it does not make it a second short message.
    pub show_subject: bool,
}

impl Default for DirectSettings {
    fn default() -> Self {
        let again = vec![Period::minutes(5), Period::minutes(30), Period::hours(2), Period::hours(8), Period::days(1)];
        DirectSettings { bearer: None, door: None, again, show_sender: true, show_subject: true }
    }
}
