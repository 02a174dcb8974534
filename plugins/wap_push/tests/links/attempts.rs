//! What an attempt comes to.

use std::sync::Arc;
use std::time::Duration;

use packetboat_api::evidence::Fact;
use packetboat_api::message::{DeliveryReport, Kind, PhoneSettings, Priority, ReportedStatus};
use packetboat_api::roles::{BearerError, Job, Verdict};

use crate::support::{NOW, Radio, URL, good_radio, job, party, radio, transport};

async fn attempt(radio: &Arc<Radio>, toml: &str, job: Job) -> Verdict {
    let mut verdicts = transport(Some(URL), radio, None, toml).unwrap().deliver(&[job]).await;
    assert_eq!(verdicts.len(), 1);
    verdicts.remove(0)
}

/// Case J-04.
#[tokio::test]
async fn it_is_said_that_a_link_was_sent() {
    let radio = good_radio();
    let Verdict::Notified { evidence, again } = attempt(&radio, "", job(None)).await else { panic!("not notified") };
    assert_eq!(again, Some(Duration::from_secs(86_400)), "one reminder");
    let said: Vec<_> = evidence.iter().map(|seen| (seen.fact, seen.detail.as_str())).collect();
    assert_eq!(said, [(Fact::LinkSent, "sent as a link, by text: 1 short message; id 7")]);
    for (link, how) in [("si", "by service indication"), ("sl", "by service loading")] {
        let Verdict::Notified { evidence, .. } = attempt(&radio, &format!("link = \"{link}\""), job(None)).await else {
            panic!("not notified")
        };
        assert!(evidence[0].detail.contains(how), "{}", evidence[0].detail);
    }
}

#[tokio::test]
async fn reminders_go_by_the_clock() {
    let radio = good_radio();
    let days = |count: u64| Duration::from_secs(count * 86_400);
    for (since, next) in [(None, Some(1)), (Some(0), Some(1)), (Some(1), Some(2)), (Some(3), None), (Some(9), None)] {
        let mut job = job(None);
        // Notifications of an earlier step and attempts the bearer put off are none of this step's reminders.
        (job.delivery.notified, job.delivery.attempts) = (5, 3);
        job.delivery.step_since = since.map(|ago: i64| packetboat_api::clock::Timestamp(NOW.0 - ago * 86_400_000));
        let Verdict::Notified { again, .. } = attempt(&radio, "again = [\"1d\", \"2d\"]", job).await else {
            panic!("not notified")
        };
        assert_eq!(again, next.map(days), "{since:?}");
    }
}

#[tokio::test]
async fn what_the_bearer_says_is_the_verdict() {
    let why = || "says so".to_owned();
    let after = Some(Duration::from_secs(7));
    let later = attempt(&radio(Err(BearerError::Retry { after, why: why() })), "", job(None)).await;
    assert_eq!(later, Verdict::Deferred { after, why: why() });
    let never = attempt(&radio(Err(BearerError::Permanent { why: why() })), "", job(None)).await;
    assert!(matches!(never, Verdict::Failed(failure) if failure.why == "the link could not be sent: says so"));
    let radio = good_radio();
    let closed = transport(None, &radio, None, "").unwrap().deliver(&[job(None)]).await;
    assert!(matches!(&closed[..], [Verdict::Deferred { .. }]), "{closed:?}");
    assert!(radio.sent.lock().unwrap().is_empty());
}

#[tokio::test]
async fn only_messages_between_people_go_as_links() {
    let radio = good_radio();
    let report = DeliveryReport {
        about: "first@mmsc.test".to_owned(),
        recipient: party("+447700900125"),
        status: ReportedStatus::Retrieved,
        text: "in words".to_owned(),
        at: NOW,
        envelope_id: None,
        original: None,
    };
    let settings = PhoneSettings { profile: "home".to_owned(), pin: None, imsi: None };
    for kind in [Kind::DeliveryReport(report), Kind::Settings(settings)] {
        let mut job = job(None);
        Arc::make_mut(&mut job.message).kind = kind;
        assert!(matches!(attempt(&radio, "", job).await, Verdict::Failed(failure) if failure.status == "5.3.3"));
    }
    let mut mailbox = job(None);
    mailbox.delivery.to = party("ann@example.net");
    assert!(matches!(attempt(&radio, "", mailbox).await, Verdict::Failed(failure) if failure.status == "5.1.2"));
    assert!(radio.sent.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_bearer_hears_all_it_needs() {
    let radio = good_radio();
    let mut urgent = job(None);
    Arc::make_mut(&mut urgent.message).traits.priority = Priority::High;
    attempt(&radio, "sender_id = \"Pictures\"", urgent.clone()).await;
    let sms = radio.sent.lock().unwrap().pop().unwrap();
    assert_eq!((sms.from.as_deref(), sms.priority), (Some("Pictures"), Priority::High));
    assert_eq!((sms.delivery, sms.expires), (urgent.delivery.id, urgent.delivery.expires));
    assert_eq!(sms.on_behalf_of, "+447700900124");
}

#[test]
fn what_is_wrong_in_the_settings_is_named() {
    let build = |toml: &str| transport(Some(URL), &good_radio(), None, toml).err().unwrap_or_default();
    assert_eq!(build("bearer = \"sms\"\npages = \"pages\""), "");
    for (bad, said) in [
        ("pages = \"x\"", "transport.link.pages: there is no listener with pages \"x\"; there are: pages"),
        ("bearer = \"x\"", "transport.link.bearer: there is no bearer \"x\""),
        ("text = \"no address\"", "transport.link.text: the text has no address in it: put {{ url }}"),
        ("text = \"{% if %} {{ url }}\"", "transport.link.text: the template cannot be read"),
        ("text = \"{{ url|nonsense }}\"", "transport.link.text: the template"),
        ("indication = \"{{ sender }}\"", "transport.link.indication: the template says nothing when"),
        ("sender_id = \"MuchTooLongAName\"", "transport.link.sender_id: \"MuchTooLongAName\" cannot be a sender"),
        ("sender_id = \"\"", "cannot be a sender"),
        ("sender_id = \"+1234567890123456\"", "cannot be a sender"),
        ("link = \"mail\"", "transport.link.link"),
        ("agian = []", "did you mean \"again\""),
    ] {
        let error = build(bad);
        assert!(error.contains(said), "{bad}: {error}");
    }
    for good in ["7777", "+447700900123", "Pictures", "Foto-Dienst"] {
        assert_eq!(build(&format!("sender_id = \"{good}\"")), "");
    }
}

#[test]
fn what_makes_a_link_doubtful_is_said() {
    let doubts = |url: Option<&str>, texts: bool, toml: &str| {
        let radio = Arc::new(Radio { texts, ..Arc::into_inner(good_radio()).unwrap() });
        transport(url, &radio, None, toml).unwrap().check()
    };
    assert_eq!(doubts(Some(URL), true, ""), [""; 0]);
    assert_eq!(doubts(None, true, ""), [""; 0], "the address is not known yet");
    assert!(doubts(Some(URL), false, "")[0].contains("carries no texts, so links go as Service Indications"));
    assert_eq!(doubts(Some(URL), false, "link = \"si\""), [""; 0]);
    assert!(doubts(Some(URL), true, "link = \"sl\"")[0].contains("ignore Service Loading"));
    let long = format!("https://{}.example.net", "x".repeat(140));
    assert!(doubts(Some(&long), true, "")[0].contains("the text needs 2 short messages"));
}
