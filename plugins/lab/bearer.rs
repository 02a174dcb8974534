//! One push becomes the user data of one or several short messages, posted as JSON.

use std::sync::atomic::{AtomicU8, Ordering};

use packetboat_api::async_trait;
use packetboat_api::plugin::{Configured, Env};
use packetboat_api::roles::{Bearer, BearerError, Instance, Push, Sent};
use packetboat_net::http::{Client, Options};
use packetboat_sms::{Ports, Reference, segment};

use crate::settings::LabSettings;

/// The bearer.
pub struct LabBearer {
    settings: LabSettings,
    client: Client,
    reference: AtomicU8,
}

impl Configured for LabBearer {
    type Settings = LabSettings;

    fn build(settings: LabSettings, _: &Env) -> Result<Self, (&'static str, String)> {
        if !settings.deliver_to.starts_with("http://") {
            return Err((
                "deliver_to",
                "say where short messages go, such as \"http://127.0.0.1:8080/lab/sms\"".to_owned(),
            ));
        }
        let client = Client::new(&Options::default()).map_err(|e| ("deliver_to", e.to_string()))?;
        Ok(LabBearer { settings, client, reference: AtomicU8::new(0) })
    }
}

impl Instance for LabBearer {}

#[async_trait]
impl Bearer for LabBearer {
    async fn send(&self, push: Push) -> Result<Sent, BearerError> {
        let permanent = |why: String| BearerError::Permanent { why };
        let retry = |why: String| BearerError::Retry { after: None, why };
        let reference = Reference::Eight(self.reference.fetch_add(1, Ordering::Relaxed));
        let segments = segment(&push.payload, Ports::WAP_PUSH, reference).map_err(|e| permanent(e.to_string()))?;
        let mut user_data = Vec::with_capacity(segments.len());
        for part in &segments {
            let octets = part.encode().map_err(|e| permanent(e.to_string()))?;
            user_data.push(octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>());
        }
        let body = serde_json::json!({ "to": push.to, "delivery": push.delivery, "user_data": user_data }).to_string();
        let answer = self.client.post(&self.settings.deliver_to, "application/json", body).await;
        let answer = answer.map_err(|e| retry(e.to_string()))?;
        match answer.status {
            200..300 => Ok(Sent { segments: segments.len() as u32, detail: "taken by the lab".to_owned() }),
            400..500 => Err(permanent(format!("the lab refused it: {} {}", answer.status, answer.text().trim()))),
            status => Err(retry(format!("the lab answered {status}"))),
        }
    }
}
