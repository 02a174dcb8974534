//! Provision: settings for phones travel the road like any message, on the one transport that carries them.

use std::time::Duration;

use bytes::Bytes;
use packetboat_api::delivery::Step;
use packetboat_api::id::MessageId;
use packetboat_api::memory::Sighting;
use packetboat_api::message::{Envelope, Identity, Kind, Notify, PhoneSettings, Recipient};
use packetboat_api::mime::{Entity, Headers, Mail, MediaType};
use packetboat_api::party::{Msisdn, Party};
use packetboat_api::road::{Refusal, RefusalKind, Submission};
use packetboat_api::store::Batch;

use crate::Road;
use crate::route::Routed;

/// A rule sends the same settings to the same phone again only after so long.
const ONCE_IN: Duration = Duration::from_secs(30 * 86_400);

impl Road {
    /// Sends settings to a phone; gives the id of the message that carries them.
    pub async fn provision(&self, phone: &Msisdn, settings: PhoneSettings) -> Result<MessageId, Refusal> {
        let mut batch = Batch::default();
        let id = self.enclose(&mut batch, submission(phone, settings))?;
        self.record(batch, []).await?;
        Ok(id)
    }

    /// The route of settings: the transport that has the profile.
    pub(crate) fn way_of_settings(&self, profile: &str) -> Result<Routed, Refusal> {
        let transports = || self.0.workers.get().into_iter().flat_map(|workers| &workers.transports);
        let has =
            |(_, slot): &(&String, &crate::TransportSlot)| slot.transport.profiles().iter().any(|it| it == profile);
        let Some((via, _)) = transports().find(has) else {
            let known: Vec<String> = transports().flat_map(|(_, slot)| slot.transport.profiles()).collect();
            let why = match known.is_empty() {
                true => "no transport sends settings to phones; configure one of plugin \"provision\"".to_owned(),
                false => format!("there is no profile \"{profile}\"; there are: {}", known.join(", ")),
            };
            return Err(Refusal::new(RefusalKind::NotAllowed, why));
        };
        let steps = vec![Step { via: via.clone(), wait_ms: None }];
        Ok(Routed { rule: "settings".to_owned(), steps, provision: None })
    }

    /// Adds settings that a rule sends beside a message, unless the phone was sent them lately. Gives what is remembered of that
    /// once it is on disk, so that the next message does not bring them again before these are sent.
    pub(crate) async fn send_settings_once(
        &self,
        batch: &mut Batch,
        phone: &Msisdn,
        profile: String,
    ) -> Option<(Msisdn, Sighting)> {
        let now = self.0.clock.now();
        let sent = self.handset(phone).await.and_then(|handset| handset.provisioned);
        if sent.is_some_and(|(before, at)| before == profile && at.after(ONCE_IN) > now) {
            return None;
        }
        let settings = PhoneSettings { profile: profile.clone(), pin: None, imsi: None };
        if let Err(refusal) = self.enclose(batch, submission(phone, settings)) {
            tracing::error!(profile, %refusal, "settings that a rule sends could not be sent");
            return None;
        }
        Some((phone.clone(), Sighting { provisioned: Some(profile), ..Sighting::default() }))
    }
}

fn submission(phone: &Msisdn, settings: PhoneSettings) -> Submission {
    let silent = Notify { never: true, ..Notify::default() };
    let recipient = Recipient { notify: silent, ..Recipient::plain(Party::Phone(phone.clone())) };
    let root = Entity::leaf(MediaType::new("text/plain"), Bytes::new());
    Submission {
        kind: Kind::Settings(settings),
        identity: Identity::Ourselves,
        envelope: Envelope { from: None, recipients: vec![recipient], ..Envelope::default() },
        mail: Mail { headers: Headers::default(), root },
        dedupe: None,
    }
}
