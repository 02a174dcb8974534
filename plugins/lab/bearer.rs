//! One push becomes the user data of one or several short messages, posted as JSON; a text goes as it is.

use std::sync::Arc;
use std::time::Duration;

use packetboat_api::async_trait;
use packetboat_api::evidence::{Evidence, Fact};
use packetboat_api::id::DeliveryId;
use packetboat_api::plugin::{Configured, Env};
use packetboat_api::road::Witness;
use packetboat_api::roles::{Bearer, BearerError, Instance, Sent, Sms, SmsBody};
use packetboat_net::bearer::References;
use packetboat_net::http::{Client, Options};
use packetboat_sms::{Ports, ReferenceWidth, segment, segment_text};
use serde_json::json;

use crate::settings::LabSettings;

/// From the answer to a push to its receipt.
const RECEIPT: Duration = Duration::from_millis(1);

/// The bearer.
pub struct LabBearer {
    settings: LabSettings,
    client: Client,
    witness: Arc<dyn Witness>,
    references: References,
}

impl Configured for LabBearer {
    type Settings = LabSettings;

    fn build(settings: LabSettings, env: &Env) -> Result<Self, (&'static str, String)> {
        if !settings.deliver_to.starts_with("http://") {
            return Err((
                "deliver_to",
                "say where short messages go, such as \"http://127.0.0.1:8080/lab/sms\"".to_owned(),
            ));
        }
        let client = Client::new(&Options::default()).map_err(|e| ("deliver_to", e.to_string()))?;
        Ok(LabBearer {
            settings,
            client,
            witness: env.witness.clone(),
            references: References::new(env.random.as_ref()),
        })
    }
}

impl Instance for LabBearer {}

#[async_trait]
impl Bearer for LabBearer {
    async fn send(&self, sms: Sms) -> Result<Sent, BearerError> {
        let permanent = |why: String| BearerError::Permanent { why };
        let reference = self.references.next(&sms.to, ReferenceWidth::Eight);
        let (ports, octets) = match &sms.body {
            SmsBody::Push(payload) => (Ports::WAP_PUSH, payload),
            SmsBody::Data { destination, originator, octets } => {
                (Ports { destination: *destination, originator: *originator }, octets)
            }
            SmsBody::Text(text) => {
                let segments = segment_text(text, reference).map_err(|e| permanent(e.to_string()))?.len();
                let from = sms.from.as_deref().unwrap_or_default();
                let body = json!({ "to": sms.to, "delivery": sms.delivery, "from": from, "text": text });
                return self.post(sms.delivery, body, segments).await;
            }
        };
        let segments = segment(octets, ports, reference).map_err(|e| permanent(e.to_string()))?;
        let mut user_data = Vec::with_capacity(segments.len());
        for part in &segments {
            let octets = part.encode().map_err(|e| permanent(e.to_string()))?;
            user_data.push(octets.iter().map(|octet| format!("{octet:02x}")).collect::<String>());
        }
        let port = ports.destination;
        let body = json!({ "to": sms.to, "delivery": sms.delivery, "port": port, "user_data": user_data });
        self.post(sms.delivery, body, segments.len()).await
    }

    fn gives_receipts(&self) -> bool {
        true
    }
}

impl LabBearer {
    async fn post(&self, delivery: DeliveryId, body: serde_json::Value, segments: usize) -> Result<Sent, BearerError> {
        let answer = self.client.post(&self.settings.deliver_to, "application/json", body.to_string()).await;
        let answer = answer.map_err(|e| BearerError::Retry { after: None, why: e.to_string() })?;
        match answer.status {
            204 => {
                let witness = self.witness.clone();
                // Afterwards, as networks do it: their answer, then their receipt, then what the phone says.
                tokio::spawn(async move {
                    tokio::time::sleep(RECEIPT).await;
                    let reached = Evidence::now(Fact::PushDelivered, "the phone has it");
                    if let Err(error) = witness.witness(delivery, reached).await {
                        tracing::warn!(%delivery, %error, "a receipt could not be written");
                    }
                });
                Ok(Sent { segments: segments as u32, detail: "the phone has it".to_owned() })
            }
            200..300 => Ok(Sent { segments: segments as u32, detail: "the network keeps it for the phone".to_owned() }),
            400..500 => {
                let why = format!("the lab refused it: {} {}", answer.status, answer.text().trim());
                Err(BearerError::Permanent { why })
            }
            status => Err(BearerError::Retry { after: None, why: format!("the lab answered {status}") }),
        }
    }
}
