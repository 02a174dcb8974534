//! The handset against a scripted handset door, the mailbox against our own SMTP client, and the directory.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, Uri};
use packetboat_api::mime::{Entity, MediaType};
use packetboat_mms::codes::{MessageClass, ReadStatus, ResponseStatus, RetrieveStatus, Status};
use packetboat_mms::{Field, FromValue, Pdu, PduType, Version, decode};
use packetboat_push::provisioning::Provisioning;
use packetboat_push::provisioning::settings::{AccessPoint, MmsAccount, Via, bootstrap};
use packetboat_push::{Indication, Push};
use packetboat_sms::{Ports as SmsPorts, Reference, segment};
use tokio::net::TcpListener;

use super::compose::Draft;
use super::handset::{Handset, Kept, Nature};
use super::mailbox::Mailbox;
use super::place::Place;
use super::thread::{Changes, Item, Stage, Thread};
use crate::send::{Attachment, Letter};

const SECRET: &str = "aSecretOfThePhone";
const TOKEN: &str = "abcdefghijklMNOPQRSTUV";

/// A handset door that answers what the test says and remembers what phones posted.
#[derive(Clone, Default)]
struct Door {
    gives: Arc<Mutex<Vec<u8>>>,
    confirms: Arc<Mutex<Vec<u8>>>,
    posted: Arc<Mutex<Vec<(String, Pdu)>>>,
    fetched: Arc<Mutex<u32>>,
}

impl Door {
    async fn open(&self) -> String {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = socket.local_addr().expect("an address");
        let router = Router::new().fallback(answer).with_state(self.clone());
        tokio::spawn(async move { axum::serve(socket, router).await });
        format!("http://{address}")
    }

    fn posted(&self) -> Vec<(String, Pdu)> {
        self.posted.lock().expect("lock").clone()
    }
}

async fn answer(State(door): State<Door>, method: Method, uri: Uri, body: Bytes) -> Vec<u8> {
    if method == Method::GET {
        *door.fetched.lock().expect("lock") += 1;
        return door.gives.lock().expect("lock").clone();
    }
    let pdu = decode(&body).expect("phones post PDUs");
    let confirmed = pdu.kind == PduType::SendReq;
    door.posted.lock().expect("lock").push((uri.path().to_owned(), pdu));
    if confirmed { door.confirms.lock().expect("lock").clone() } else { Vec::new() }
}

async fn phone(door: &Door) -> (Arc<Handset>, String) {
    let number = "+447700900101".parse().expect("a number");
    let phone = Handset::new(("Ada", Nature::Usual), number, SECRET.to_owned(), Changes::new()).expect("a phone");
    let url = door.open().await;
    phone.switch_on(&url);
    (Arc::new(phone), url)
}

/// The short messages that carry a PDU.
fn short_messages(pdu: &Pdu) -> Vec<Bytes> {
    let push = Push::mms(7, Bytes::from(pdu.to_vec())).encode();
    let segments = segment(&push, SmsPorts::WAP_PUSH, Reference::Eight(1)).expect("segments");
    segments.iter().map(|segment| segment.encode().expect("octets")).collect()
}

fn notification(url: &str) -> Vec<Bytes> {
    let location = format!("{url}/{TOKEN}");
    let pdu =
        Pdu::<Bytes>::notification_ind("abcdefghijkl", Version::V1_2, MessageClass::Personal, 2048, 3600, &location);
    short_messages(&pdu.with(Field::Subject, "x".repeat(150).as_str()))
}

fn message() -> Vec<u8> {
    let named = |media: &str, name: &str, body: &'static [u8]| Entity {
        location: Some(name.to_owned()),
        content_id: Some(name.to_owned()),
        ..Entity::leaf(MediaType::new(media), Bytes::from_static(body))
    };
    let smil = b"<smil><body><par><img src=\"b.jpg\"/><text src=\"a.txt\"/></par></body></smil>";
    let parts = vec![
        named("application/smil", "s.smil", smil),
        named("text/plain", "a.txt", b"under the picture"),
        named("image/jpeg", "b.jpg", b"\xFF\xD8\xFFpicture"),
    ];
    let root = Entity::multipart(MediaType::new("application/vnd.wap.multipart.related"), parts);
    Pdu::retrieve_conf(Some("abcdefghijkl"), Version::V1_2, 1, root)
        .with(Field::MessageId, "m1@node")
        .with(Field::From, FromValue::Address("+447700900102/TYPE=PLMN".to_owned()))
        .with(Field::Subject, "Hello")
        .with(Field::ReadReport, true)
        .to_vec()
}

async fn until(thread: &Thread, what: impl Fn(&Item) -> bool) -> Item {
    for _ in 0..500 {
        if let Some(item) = thread.find(&what) {
            return item;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come to it: {:?}", thread.view());
}

async fn until_posted(door: &Door, kind: PduType, count: usize) -> Vec<(String, Pdu)> {
    for _ in 0..500 {
        let found: Vec<_> = door.posted().into_iter().filter(|(_, pdu)| pdu.kind == kind).collect();
        if found.len() >= count {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{kind} was not posted: {:?}", door.posted());
}

#[tokio::test]
async fn a_notification_is_fetched_shown_in_order_and_acknowledged() {
    let door = Door::default();
    *door.gives.lock().expect("lock") = message();
    let (phone, url) = phone(&door).await;
    let messages = notification(&url);
    assert!(messages.len() > 1, "it takes several short messages");
    for one in messages.iter().rev() {
        phone.take(Kept::Push("00A-1".to_owned(), vec![one.clone()])).expect("taken");
    }
    let item = until(&phone.thread, |item| item.stage == Stage::Here).await;
    let parts: Vec<(&str, &str)> = item.parts.iter().map(|part| (part.kind, part.name.as_str())).collect();
    assert_eq!(parts, [("image", "b.jpg"), ("text", "a.txt")], "the presentation's order");
    assert_eq!((item.from.as_str(), item.subject.as_str()), ("+447700900102", "Hello"));
    assert_eq!(item.trace.as_deref(), Some("00A-1"));
    let (path, said) = until_posted(&door, PduType::NotifyRespInd, 1).await.remove(0);
    assert_eq!(path, format!("/mms/{SECRET}"));
    assert_eq!((said.status(), said.transaction_id()), (Some(Status::Retrieved), Some("abcdefghijkl")));

    phone.take(Kept::Push("00A-1".to_owned(), messages.clone())).expect("told again");
    until_posted(&door, PduType::NotifyRespInd, 2).await;
    assert_eq!(*door.fetched.lock().expect("lock"), 1, "what is here is not fetched again");

    phone.opened(item.id).await.expect("read");
    phone.opened(item.id).await.expect("read once only");
    let read = until_posted(&door, PduType::ReadRecInd, 1).await;
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].1.message_id(), Some("m1@node"));
    assert_eq!(read[0].1.to().next(), Some("+447700900102/TYPE=PLMN"));
}

#[tokio::test]
async fn a_message_that_is_gone_is_shown_as_such_and_not_acknowledged() {
    let door = Door::default();
    let gone = RetrieveStatus::PermanentMessageNotFound;
    *door.gives.lock().expect("lock") =
        Pdu::retrieve_error(None, Version::V1_2, 1, gone, "This message has expired.").to_vec();
    let (phone, url) = phone(&door).await;
    phone.take(Kept::Push("00A-1".to_owned(), notification(&url))).expect("taken");
    let item = until(&phone.thread, |item| item.stage == Stage::Failed).await;
    assert_eq!(item.note, "This message has expired.");
    assert!(door.posted().is_empty());
}

#[tokio::test]
async fn a_draft_is_sent_and_reports_are_noted_on_it() {
    let door = Door::default();
    let confirmed = Pdu::send_conf("t", Version::V1_2, ResponseStatus::Ok).with(Field::MessageId, "m2@node");
    *door.confirms.lock().expect("lock") = confirmed.to_vec();
    let (phone, _) = phone(&door).await;
    // A report may overtake the confirmation.
    let to = "+447700900102/TYPE=PLMN";
    let delivered = Pdu::<Bytes>::delivery_ind(Version::V1_2, "m2@node", to, 1, Status::Retrieved);
    phone.take(Kept::Push("00B-1".to_owned(), short_messages(&delivered))).expect("taken");
    let picture = Attachment::new("my photo.jpg", Bytes::from_static(b"\xFF\xD8\xFFpicture"));
    let draft = Draft {
        to: vec!["07700 900102".to_owned(), "carol@example.org".to_owned()],
        subject: "Hi".to_owned(),
        text: "Look".to_owned(),
        file: Some(picture),
        delivery_report: true,
        read_report: false,
    };
    phone.send(draft).await.expect("sent");
    let (path, sent) = until_posted(&door, PduType::SendReq, 1).await.remove(0);
    assert_eq!(path, format!("/mms/{SECRET}"));
    assert!(sent.check().is_empty(), "every mandatory field is there: {:?}", sent.check());
    assert_eq!(sent.to().collect::<Vec<_>>(), ["07700900102/TYPE=PLMN", "carol@example.org"]);
    assert_eq!((sent.delivery_report(), sent.read_report()), (Some(true), Some(false)));
    let types: Vec<&str> = sent.parts().iter().map(|part| part.media.essence()).collect();
    assert_eq!(types, ["application/smil", "image/jpeg", "text/plain"]);
    let read = Pdu::<Bytes>::read_orig_ind(Version::V1_2, "m2@node", "", to, 2, ReadStatus::Read);
    phone.take(Kept::Push("00C-1".to_owned(), short_messages(&read))).expect("taken");
    let item = until(&phone.thread, |item| item.reports.len() == 2).await;
    let reports: Vec<(&str, &str, &str)> =
        item.reports.iter().map(|report| (report.what, report.who.as_str(), report.outcome.as_str())).collect();
    assert_eq!(reports, [("delivery", "+447700900102", "Retrieved"), ("read", "+447700900102", "Read")]);
}

#[tokio::test]
async fn a_refused_draft_says_why() {
    let door = Door::default();
    let refused = Pdu::send_conf("t", Version::V1_2, ResponseStatus::PermanentServiceDenied);
    *door.confirms.lock().expect("lock") = refused.with(Field::ResponseText, "no way there").to_vec();
    let (phone, _) = phone(&door).await;
    let to = vec!["+33123456789".to_owned()];
    phone.send(Draft { to: to.clone(), text: "Hi".to_owned(), ..Draft::default() }).await.expect("asked");
    let item = until(&phone.thread, |item| item.stage == Stage::Failed).await;
    assert!(item.note.contains("no way there"), "{}", item.note);
    assert!(phone.send(Draft { to, ..Draft::default() }).await.is_err(), "there is nothing in it");
    assert!(phone.send(Draft { text: "Hi".to_owned(), ..Draft::default() }).await.is_err(), "it goes to nobody");
}

#[tokio::test]
async fn mail_is_shown_and_confirmed_when_that_was_asked_for() {
    let socket = |mailbox: Arc<Mailbox>| async move {
        let socket = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = socket.local_addr().expect("an address");
        tokio::spawn(mailbox.serve(socket, Default::default()));
        address
    };
    // Two mailboxes that take each other for the daemon.
    let new = |owner| Arc::new(Mailbox::new(owner, "carol@example.org", "mms.localhost", Changes::new()));
    let (carol, other) = (new("Carol"), new("Other"));
    let (at_carol, at_other) = (socket(carol.clone()).await, socket(other.clone()).await);
    carol.connect(at_other);
    other.connect(at_carol);
    let letter = Letter {
        from: carol.address.clone(),
        to: vec!["+44 7700 900101".to_owned()],
        subject: "Zoë’s photo".to_owned(),
        text: "Grüße".to_owned(),
        files: vec![Attachment::new("/tmp/b.png", Bytes::from_static(b"\x89PNG\r\n\x1a\n"))],
        delivery_report: true,
        read_report: true,
    };
    carol.send(letter).await.expect("sent");
    let came = until(&other.thread, |item| !item.sent).await;
    assert_eq!(came.to, ["+447700900101@mms.localhost"]);
    assert_eq!((came.subject.as_str(), came.parts[0].text.as_deref()), ("Zoë’s photo", Some("Grüße")));
    assert_eq!((came.parts[1].kind, came.parts[1].name.as_str()), ("image", "b.png"));
    let sent = until(&carol.thread, |item| item.sent && !item.reports.is_empty()).await;
    assert_eq!((sent.reports[0].who.as_str(), sent.reports[0].outcome.as_str()), ("+447700900101", "delivered"));
    assert!(carol.thread.find(|item| item.report).is_some(), "the notification is in the mailbox too");
}

#[test]
fn a_directory_that_was_no_laboratory_is_left_alone() {
    let parent = tempfile::tempdir().expect("a directory");
    let path = parent.path().join("mine");
    std::fs::create_dir(&path).expect("made");
    std::fs::write(path.join("thesis.txt"), "precious").expect("written");
    assert!(Place::make(Some(&path)).is_err());
    let fresh = parent.path().join("fresh");
    drop(Place::make(Some(&fresh)).expect("made"));
    assert!(fresh.exists(), "a named directory stays");
    let temporary = Place::make(None).expect("made").path().to_owned();
    assert!(!temporary.exists(), "a temporary one goes");
}

#[test]
fn the_sample_goes_where_it_is_told() {
    let (numbers, to) = super::numbers(None).expect("numbers");
    assert_eq!(to, numbers[0]);
    let (numbers, to) = super::numbers(Some("07700 900102")).expect("numbers");
    assert_eq!(to, numbers[1]);
    let (numbers, to) = super::numbers(Some("+15551234567")).expect("numbers");
    assert_eq!((to.to_string().as_str(), &to), ("+15551234567", &numbers[0]));
    assert!(super::numbers(Some("nobody")).is_err());
}

/// A phone of this nature behind a door that has nothing.
async fn phone_of(nature: Nature, door: &Door) -> Arc<Handset> {
    let number = "+447700900103".parse().expect("a number");
    let phone = Handset::new(("Cleo", nature), number, SECRET.to_owned(), Changes::new()).expect("a phone");
    phone.switch_on(&door.open().await);
    Arc::new(phone)
}

fn pushed(push: &Push) -> Kept {
    let data = segment(&push.encode(), SmsPorts::WAP_PUSH, Reference::Eight(1)).expect("short messages");
    let octets = data.iter().map(|part| part.encode().expect("octets")).collect();
    Kept::Push("00A-1".to_owned(), octets)
}

#[tokio::test]
async fn a_walled_garden_lets_no_phone_out_until_settings_are_installed() {
    let door = Door::default();
    let phone = phone_of(Nature::WalledGarden, &door).await;
    let told = Kept::Push("00A-1".to_owned(), notification("http://127.0.0.1:9/x"));
    assert_eq!(phone.take(told), Ok(true));
    let failed = until(&phone.thread, |item| item.stage == Stage::Failed).await;
    assert!(failed.note.contains("own MMSC only"), "{}", failed.note);
    let point = AccessPoint { id: "ap".into(), apn: "lab".into(), ..AccessPoint::default() };
    let account = MmsAccount { name: "Lab".into(), url: "http://mms/".into(), via: Via::AccessPoint("ap".into()) };
    let document = Provisioning::new(vec![bootstrap("Lab"), point.characteristic(), account.characteristic()]);
    assert_eq!(phone.take(pushed(&Push::provisioning(1, &document, None))), Ok(true));
    let offered = until(&phone.thread, |item| item.settings.is_some()).await;
    assert!(!phone.reaches_us());
    assert!(phone.install(failed.id).is_err(), "that is no settings");
    phone.install(offered.id).expect("installed");
    assert!(phone.reaches_us());
}

#[tokio::test]
async fn the_network_keeps_what_comes_for_a_phone_that_is_off() {
    let door = Door::default();
    let phone = phone_of(Nature::Asleep, &door).await;
    let text = Kept::Text("100".to_owned(), "Look: http://pages/abc now".to_owned());
    assert_eq!(phone.take(text), Ok(false));
    assert!(phone.thread.view().is_empty());
    phone.switch(true);
    let item = until(&phone.thread, |item| item.link.is_some()).await;
    assert_eq!(item.link.as_deref(), Some("http://pages/abc"));
    phone.switch(false);
    let draft = Draft { to: vec!["+447700900101".to_owned()], text: "hi".to_owned(), ..Draft::default() };
    assert!(phone.send(draft).await.is_err());
}

#[tokio::test]
async fn a_phone_without_mms_shows_texts_only() {
    let door = Door::default();
    let phone = phone_of(Nature::WithoutMms, &door).await;
    assert_eq!(phone.take(Kept::Push("00A-1".to_owned(), notification("http://127.0.0.1:9/x"))), Ok(true));
    assert!(phone.thread.view().is_empty());
    let link = Indication { href: Some("http://pages/abc".into()), text: "A picture".into(), ..Indication::default() };
    assert_eq!(phone.take(pushed(&Push::indication(1, &link))), Ok(true));
    assert_eq!(phone.thread.view()[0].link.as_deref(), Some("http://pages/abc"));
}
