//! Reports that come back from mail systems are evidence, if they can be believed (I-7).

use packetboat_api::delivery::{End, State};
use packetboat_api::evidence::Fact;
use packetboat_api::message::{Envelope, Identity};
use packetboat_api::mime::report::dsn::{self, Action, DsnRecipient, DsnSpec};
use packetboat_api::mime::report::mdn::{self, Disposition, MdnSpec};
use packetboat_api::mime::{Headers, Mail};
use packetboat_api::road::{Receipt, Submission};
use packetboat_api::roles::Verdict;

use crate::support::{ANN, Act, BOB, Puppet, RULES, Scene, first, letter, notified};

const ZOE: &str = "zoe@example.org";

/// A road whose mail host promises to report.
fn scene() -> Scene {
    let promised = Verdict::HandedOver { detail: "250 ok".to_owned(), reports: true };
    Scene::with(Puppet::new(Act::Say(notified(None))), Puppet::new(Act::Say(promised)), RULES).run()
}

/// What somebody out there sends to Ann.
fn from_outside(mail: Mail<bytes::Bytes>) -> Submission {
    let envelope = Envelope { from: None, ..letter(&[BOB]).envelope };
    Submission { identity: Identity::Anonymous, envelope, mail, ..letter(&[BOB]) }
}

fn status(envelope_id: &str, about: &str, action: Action) -> Submission {
    let recipient = DsnRecipient {
        original_recipient: None,
        final_recipient: Some(format!("rfc822;{about}")),
        action,
        status: if action == Action::Failed { "5.1.1" } else { "2.0.0" }.to_owned(),
        diagnostic: None,
        remote_mta: None,
    };
    let (envelope_id, recipients) = (Some(envelope_id.to_owned()), vec![recipient]);
    from_outside(dsn::build(&DsnSpec { envelope_id, recipients, reporting_mta: "mx".to_owned(), ..DsnSpec::default() }))
}

fn displayed(message_id: &str, reader: &str) -> Submission {
    from_outside(mdn::build(&MdnSpec {
        envelope: mdn_envelope(),
        text: "read".to_owned(),
        reporting_ua: None,
        gateway: None,
        original_recipient: None,
        final_recipient: format!("rfc822;{reader}"),
        original_message_id: Some(format!("<{message_id}>")),
        disposition: Disposition::Displayed,
        automatic: false,
        original: Headers::default(),
    }))
}

fn mdn_envelope() -> packetboat_api::mime::report::Envelope {
    packetboat_api::mime::report::Envelope { from: ZOE.to_owned(), to: ANN.to_owned(), ..Default::default() }
}

/// A letter to Zoe that waits for the promised report, and the envelope id her host was given.
async fn handed_over(scene: &Scene) -> (Receipt, String) {
    let receipt = scene.submit(letter(&[ZOE])).await.expect("taken");
    let delivery = scene.until(first(&receipt), "handed over", |it| it.saw(Fact::HandedOver)).await;
    assert_eq!(delivery.state, State::Waiting);
    let envelope_id = format!("{}.{}.{}", receipt.id, delivery.transaction(), delivery.step);
    (receipt, envelope_id)
}

#[tokio::test]
async fn a_status_notification_counts_when_it_names_what_only_the_next_hop_was_told() {
    let scene = scene();
    for (action, expected) in [
        (Action::Delivered, State::Done(End::Delivered)),
        (Action::Relayed, State::Done(End::HandedOver)),
        (Action::Failed, State::Done(End::Failed)),
        (Action::Delayed, State::Waiting),
    ] {
        let (receipt, envelope_id) = handed_over(&scene).await;
        let guessed = format!("{}.{}", receipt.id, "x".repeat(12));
        let bare = receipt.id.to_string();
        for forged in [guessed.as_str(), bare.as_str(), "", "nonsense.nonsense"] {
            let taken = scene.submit(status(forged, ZOE, action)).await.expect("taken as a mail");
            assert_ne!(taken.id, receipt.id, "{forged}");
        }
        assert_eq!(scene.delivery(first(&receipt)).await.state, State::Waiting);
        scene.submit(status(&envelope_id, "nobody@example.org", action)).await.expect("taken");
        assert_eq!(scene.delivery(first(&receipt)).await.state, State::Waiting, "it is about somebody else");
        // Hops write addresses in the case they like.
        for about in [ZOE.to_uppercase(), ZOE.to_owned(), ZOE.to_owned()] {
            let taken = scene.submit(status(&envelope_id, &about, action)).await.expect("taken");
            assert_eq!(taken.id, receipt.id);
        }
        let delivery = scene.delivery(first(&receipt)).await;
        assert_eq!(delivery.state, expected, "{action:?}");
        let lines = scene.timeline(delivery.id).await;
        let said = lines.iter().filter(|line| line.detail.contains("the mail system reports")).count();
        assert_eq!(said, usize::from(action != Action::Delayed), "once: {lines:?}");
    }
}

/// Anybody who knows a Message-ID can write a disposition notification. A phone has a door of its own to say that it has read.
#[tokio::test]
async fn a_disposition_notification_says_nothing_of_phones() {
    let scene = scene();
    let receipt = scene.submit(letter(&[BOB])).await.expect("taken");
    scene.until(first(&receipt), "told", |it| it.notified == 1).await;
    let forged = scene.submit(displayed(&receipt.message_id, BOB)).await.expect("taken as a mail");
    assert_ne!(forged.id, receipt.id);
    let delivery = scene.delivery(first(&receipt)).await;
    assert_eq!((delivery.state, delivery.saw(Fact::Read)), (State::Waiting, false));

    let (receipt, _) = handed_over(&scene).await;
    let other = scene.submit(displayed(&receipt.message_id, "else@example.org")).await.expect("taken as a mail");
    assert_ne!(other.id, receipt.id, "it was never sent to that reader");
    let taken = scene.submit(displayed(&receipt.message_id, ZOE)).await.expect("taken");
    assert_eq!(taken.id, receipt.id);
    let delivery = scene.delivery(first(&receipt)).await;
    assert_eq!((delivery.state, delivery.saw(Fact::Read)), (State::Done(End::Delivered), true));
}
