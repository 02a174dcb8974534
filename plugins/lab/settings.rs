//! Settings of the lab bearer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[bearer.NAME] plugin = "lab"`
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct LabSettings {
    /// Where short messages are posted to, as JSON: `{"to": "+44…", "user_data": ["<hex>", …]}`, one entry a short message, or
    /// `{"to": "+44…", "text": "…"}`. 204 takes it and says that the phone has it, any other 2xx takes it, 4xx refuses it for
    /// good, anything else is tried again.
    #[schemars(example = &"http://127.0.0.1:8080/lab/sms")]
    pub deliver_to: String,
}
