//! Route: rules decide each recipient's route, before the message is accepted, so that a recipient nobody can reach is
//! refused while the sender still listens.

use packetboat_api::clock::Timestamp;
use packetboat_api::delivery::Step;
use packetboat_api::message::{Identity, Message, Recipient};
use packetboat_api::party::Party;
use packetboat_api::road::{Refusal, RefusalKind};
use packetboat_rules::{Facts, Outcome, Program, Remembered, Screen, Who};

/// A recipient's route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routed {
    /// The rule that chose it.
    pub rule: String,
    /// The route.
    pub steps: Vec<Step>,
    /// The profile of settings that the recipient's phone is sent beside, once.
    pub provision: Option<String>,
}

/// Decides the route of a message to one of its recipients.
pub fn decide(
    program: &Program,
    message: &Message,
    recipient: &Recipient,
    remembered: Remembered<'_>,
    now: Timestamp,
) -> Result<Routed, Refusal> {
    may_relay(&message.identity, &recipient.to)?;
    let decision = program.decide(&Facts { remembered, ..Facts::of(message, &recipient.to, now) });
    for looked in &decision.trace {
        tracing::warn!(message = %message.id, "{looked}");
    }
    match decision.outcome {
        Outcome::Route { rule, steps, provision } => {
            Ok(Routed { rule: rule.to_owned(), steps: steps.to_vec(), provision: provision.map(str::to_owned) })
        }
        Outcome::Reject { text, .. } => Err(Refusal::new(RefusalKind::RefusedByRule, text)),
        Outcome::NoRule => Err(unknown(&recipient.to)),
    }
}

/// Says before the content comes what can be said of a recipient.
pub fn screen(program: &Program, who: &Who<'_>) -> Result<(), Refusal> {
    may_relay(who.identity, who.to)?;
    match program.screen(who) {
        Screen::Taken => Ok(()),
        Screen::Rejected { text, .. } => Err(Refusal::new(RefusalKind::RefusedByRule, text)),
        Screen::NoRule => Err(unknown(who.to)),
    }
}

fn unknown(to: &Party) -> Refusal {
    Refusal::new(RefusalKind::UnknownRecipient, format!("there is no route to {to}"))
}

/// Whoever is not known may reach our phones, if a rule lets them, but never another mail system through us (I-7).
fn may_relay(identity: &Identity, to: &Party) -> Result<(), Refusal> {
    match (identity, to) {
        (Identity::Anonymous, Party::Mail(_)) => {
            Err(Refusal::new(RefusalKind::RelayDenied, "mail is not relayed to other systems for strangers"))
        }
        _ => Ok(()),
    }
}
