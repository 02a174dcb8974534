//! What an attempt comes to.

use std::sync::Arc;
use std::time::Duration;

use packetboat_api::evidence::Fact;
use packetboat_api::message::{DeliveryReport, Kind, ReadReport, ReportedStatus};
use packetboat_api::roles::{BearerError, Job, Verdict};
use packetboat_mms::PduType;
use packetboat_mms::codes::{ReadStatus, Status};

use crate::support::{NOW, Radio, URL, carried, direct, good_radio, job, party, pdu, radio};

async fn attempt(radio: &Arc<Radio>, job: Job) -> Verdict {
    let transport = direct(Some(URL), radio, "again = [\"5m\", \"1h\"]").unwrap();
    let mut verdicts = transport.deliver(&[job]).await;
    assert_eq!(verdicts.len(), 1);
    verdicts.remove(0)
}

fn about(kind: Kind) -> Job {
    let mut job = job("+447700900124", None);
    Arc::make_mut(&mut job.message).kind = kind;
    job
}

fn delivery_report(status: ReportedStatus) -> Job {
    about(Kind::DeliveryReport(DeliveryReport {
        about: "first@mmsc.test".to_owned(),
        recipient: party("+447700900125"),
        status,
        text: "in words".to_owned(),
        at: NOW,
        envelope_id: None,
        original: None,
    }))
}

#[tokio::test]
async fn a_phone_is_told_on_schedule_and_then_left_alone() {
    let radio = good_radio();
    for (notified, again) in [(0, Some(300)), (1, Some(3600)), (2, None), (9, None)] {
        let mut job = job("+447700900124", None);
        job.delivery.notified = notified;
        let Verdict::Notified { evidence, again: next } = attempt(&radio, job).await else { panic!("not notified") };
        assert_eq!(next, again.map(Duration::from_secs), "after {notified}");
        assert_eq!((evidence[0].fact, evidence[0].detail.as_str()), (Fact::PushSent, "1 short message; id 7"));
    }
    let pushes = radio.pushes.lock().unwrap();
    assert_eq!(pushes.len(), 4);
    assert_eq!(
        (pushes[0].to.to_string().as_str(), pushes[0].expires),
        ("+447700900123", NOW.after(Duration::from_secs(86_400)))
    );
    assert_eq!(pdu(carried(&pushes[0])).kind, PduType::NotificationInd);
}

#[tokio::test]
async fn what_the_bearer_says_is_the_verdict() {
    let why = || "says so".to_owned();
    let after = Some(Duration::from_secs(7));
    let later = attempt(&radio(Err(BearerError::Retry { after, why: why() })), job("+447700900124", None)).await;
    assert_eq!(later, Verdict::Deferred { after, why: why() });
    let never = attempt(&radio(Err(BearerError::Permanent { why: why() })), job("+447700900124", None)).await;
    assert!(matches!(never, Verdict::Failed(failure) if failure.why == why() && failure.status.starts_with("5.")));

    let radio = good_radio();
    let mut mailbox = job("+447700900124", None);
    mailbox.delivery.to = party("ann@example.net");
    assert!(matches!(attempt(&radio, mailbox).await, Verdict::Failed(_)), "phones only");
    let closed = direct(None, &radio, "").unwrap().deliver(&[job("+447700900124", None)]).await;
    assert!(matches!(&closed[..], [Verdict::Deferred { .. }]), "{closed:?}");
    assert!(radio.pushes.lock().unwrap().is_empty());
}

#[tokio::test]
async fn reports_are_told_once_in_their_own_pdus() {
    let radio = good_radio();
    for (status, word) in [
        (ReportedStatus::Retrieved, Status::Retrieved),
        (ReportedStatus::Rejected, Status::Rejected),
        (ReportedStatus::Expired, Status::Expired),
        (ReportedStatus::Forwarded, Status::Forwarded),
        (ReportedStatus::Indeterminate, Status::Indeterminate),
        (ReportedStatus::Unreachable, Status::Unreachable),
    ] {
        let verdict = attempt(&radio, delivery_report(status)).await;
        assert!(matches!(verdict, Verdict::HandedOver { reports: false, .. }), "{status:?}: {verdict:?}");
        let push = radio.pushes.lock().unwrap().pop().unwrap();
        let pdu = pdu(carried(&push));
        assert_eq!(
            (pdu.kind, pdu.message_id(), pdu.status()),
            (PduType::DeliveryInd, Some("first@mmsc.test"), Some(word))
        );
        assert_eq!(pdu.to().collect::<Vec<_>>(), ["+447700900125/TYPE=PLMN"], "who it is about (case E-04)");
    }
    for (read, word) in [(true, ReadStatus::Read), (false, ReadStatus::DeletedWithoutBeingRead)] {
        let report =
            ReadReport { about: "first@mmsc.test".to_owned(), recipient: party("+447700900125"), read, at: NOW };
        attempt(&radio, about(Kind::ReadReport(report))).await;
        let push = radio.pushes.lock().unwrap().pop().unwrap();
        let pdu = pdu(carried(&push));
        assert_eq!(
            (pdu.kind, pdu.message_id(), pdu.read_status()),
            (PduType::ReadOrigInd, Some("first@mmsc.test"), Some(word))
        );
        assert_eq!(pdu.to().collect::<Vec<_>>(), ["+447700900123/TYPE=PLMN"], "who is told");
    }
}

#[test]
fn what_it_needs_is_named() {
    let build = |toml: &str| direct(Some(URL), &good_radio(), toml).err().unwrap_or_default();
    assert_eq!(build("bearer = \"sms\"\ndoor = \"handsets\""), "");
    assert!(
        build("bearer = \"smsc\"").contains("transport.direct.bearer: there is no bearer \"smsc\"; there are: sms")
    );
    assert!(build("door = \"x\"").contains("there is no listener with a handset door \"x\"; there are: handsets"));
    assert!(build("agian = []").contains("did you mean \"again\""));
}
