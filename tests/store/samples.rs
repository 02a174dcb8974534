//! Messages, deliveries and batches to store.

use std::time::Duration;

use bytes::Bytes;
use packetboat_api::clock::Timestamp;
use packetboat_api::delivery::{Delivery, End, Event, Line, State, Step, TOKEN_LENGTH};
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::message::{
    Class, ContentRef, Envelope, Identity, Kind, Message, Priority, Recipient, Span, Traits,
};
use packetboat_api::mime::{Entity, Headers, Mail, MediaType};
use packetboat_api::party::Party;
use packetboat_api::store::{Batch, Change, Key, Lease, NewMessage};

/// When everything here happens.
pub const START: Timestamp = Timestamp(1_700_000_000_000);

/// The `n`-th message id of [`START`].
pub fn id(n: u64) -> MessageId {
    MessageId((START.0.unsigned_abs() << 20) + n)
}

/// A recipient's delivery id.
pub fn delivery_id(n: u64, index: u32) -> DeliveryId {
    DeliveryId { message: id(n), index }
}

/// The phone number of the `n`-th recipient.
pub fn phone(n: u64) -> Party {
    party(&format!("+4477009{n:05}"))
}

/// The sender of everything.
pub fn sender() -> Party {
    party("alice@example.net")
}

fn party(text: &str) -> Party {
    Party::parse(text).unwrap_or(Party::ShortCode(text.to_owned()))
}

/// Octets that differ from message to message and do not repeat soon.
pub fn octets(seed: u64, length: usize) -> Bytes {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut made = Vec::with_capacity(length + 8);
    while made.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        made.extend_from_slice(&state.to_le_bytes());
    }
    made.truncate(length);
    made.into()
}

/// A message of `length` octets, in two slices.
pub fn message(n: u64, length: usize) -> NewMessage {
    let all = octets(n, length);
    message_of(n, vec![all.slice(..length / 3), all.slice(length / 3..)])
}

/// A message with that content.
pub fn message_of(n: u64, content: Vec<Bytes>) -> NewMessage {
    let length = content.iter().map(|slice| slice.len() as u64).sum();
    let photo = Entity::leaf(MediaType::new("image/jpeg").with("name", "photo.jpg"), Span { start: 0, length });
    let headers = [("From", "alice@example.net"), ("Subject", "A photo"), ("Date", "Tue, 14 Nov 2023 22:13:20 +0000")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let message = Message {
        id: id(n),
        kind: Kind::Personal,
        received: START.after(Duration::from_millis(n)),
        listener: "mail".to_owned(),
        identity: Identity::User("alice".to_owned()),
        envelope: Envelope {
            from: Some(sender()),
            recipients: vec![Recipient::plain(phone(n))],
            ..Envelope::default()
        },
        traits: Traits {
            message_id: format!("{n}.{}@example.net", n.wrapping_mul(0x9E37_79B9)),
            subject: Some("A photo".to_owned()),
            class: Class::Personal,
            priority: Priority::Normal,
            expires: START.after(Duration::from_secs(86_400)),
            deliver_after: None,
            read_report: false,
            hide_sender: false,
        },
        mail: Mail { headers: Headers(headers.to_vec()), root: photo },
        content: ContentRef::default(),
    };
    NewMessage { message, content }
}

/// A token that differs from delivery to delivery, all over the alphabet.
pub fn token(id: DeliveryId) -> String {
    const ALPHABET: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let seed = id.message.0.wrapping_mul(31).wrapping_add(u64::from(id.index));
    octets(seed, TOKEN_LENGTH).iter().map(|octet| char::from(ALPHABET[usize::from(octet % 62)])).collect()
}

/// A queued delivery due at once.
pub fn delivery(n: u64, index: u32) -> Delivery {
    let id = delivery_id(n, index);
    Delivery {
        id,
        version: 1,
        to: phone(n + u64::from(index)),
        line: Line::default(),
        state: State::Queued,
        due: START,
        expires: START.after(Duration::from_secs(86_400)),
        rule: "our own subscribers".to_owned(),
        route: vec![
            Step { via: "direct".to_owned(), wait_ms: Some(900_000) },
            Step { via: "wap_push".to_owned(), wait_ms: None },
        ],
        step: 0,
        step_since: None,
        attempts: 0,
        notified: 0,
        faults: 0,
        token: token(id),
        facts: Vec::new(),
        reason: String::new(),
        reported: false,
        revoked: false,
    }
}

/// A timeline line.
pub fn event(what: &str) -> Event {
    Event { at: START, what: what.to_owned(), detail: "as the rules say".to_owned() }
}

/// The dedupe key of the `n`-th message.
pub fn key(n: u64) -> Key {
    Key { key: format!("mail\0{n}").into_bytes(), message: id(n), expires: START.after(Duration::from_secs(3600)) }
}

/// What accepting a message commits: the message, one delivery, two lines, one key.
pub fn accept(n: u64, length: usize) -> Batch {
    accept_new(n, message(n, length))
}

/// The same for a message that is there already.
pub fn accept_new(n: u64, message: NewMessage) -> Batch {
    Batch {
        messages: vec![message],
        deliveries: vec![delivery(n, 0)],
        events: vec![(delivery_id(n, 0), event("accepted")), (delivery_id(n, 0), event("routed"))],
        keys: vec![key(n)],
        ..Batch::default()
    }
}

/// A batch of one change: `delivery` as it stands, changed by `change`.
pub fn change(delivery: &Delivery, lease: Option<Lease>, change: impl FnOnce(&mut Delivery)) -> Batch {
    let mut changed = delivery.clone();
    changed.version += 1;
    change(&mut changed);
    Batch { changes: vec![Change { delivery: changed, from: delivery.version, lease }], ..Batch::default() }
}

/// The change by which a delivery ends well.
pub fn done(delivery: &Delivery, lease: Option<Lease>) -> Batch {
    change(delivery, lease, |delivery| delivery.state = State::Done(End::Delivered))
}
