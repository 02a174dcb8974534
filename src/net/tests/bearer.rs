//! Turns are fair, what arrives in pieces becomes whole, tokens are bound to their key, receipts add up within bounds.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use packetboat_api::async_trait;
use packetboat_api::clock::{ManualClock, Timestamp};
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::message::Priority;
use packetboat_api::road::{Arrivals, Refusal, RefusalKind};
use packetboat_api::roles::{Arrival, BearerError, Health, SmsBody};
use packetboat_net::bearer::{
    Coding, Condition, Content, Cut, Inbox, Key, OPEN_TALLIES, Pace, Piece, Tallies, Ticket, Turns, of_part, pieces,
};
use packetboat_sms::{Alphabet, Ports, Reference, segment};

/// Lets every task that can move do so.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn one_bulk_job_delays_nobody() {
    let turns = Turns::new(1);
    let first = turns.take(Priority::Normal, "bulk").await;
    let served = Arc::new(Mutex::new(Vec::new()));
    let wait = |name: &'static str, sender: &'static str, priority| {
        let (turns, served) = (turns.clone(), served.clone());
        tokio::spawn(async move {
            let _turn = turns.take(priority, sender).await;
            served.lock().unwrap().push(name);
        })
    };
    for name in ["bulk 1", "bulk 2", "bulk 3"] {
        wait(name, "bulk", Priority::Normal);
        settle().await;
    }
    wait("low", "other", Priority::Low);
    settle().await;
    wait("only one", "ann", Priority::Normal);
    settle().await;
    wait("urgent", "bulk", Priority::High);
    settle().await;
    assert_eq!(turns.waiting(), 6);
    drop(first);
    settle().await;
    assert_eq!(*served.lock().unwrap(), ["urgent", "bulk 1", "only one", "bulk 2", "bulk 3", "low"]);
}

#[tokio::test]
async fn who_stops_waiting_leaves_no_hole() {
    let turns = Turns::new(1);
    let first = turns.take(Priority::Normal, "a").await;
    let gone = tokio::spawn({
        let turns = turns.clone();
        async move { drop(turns.take(Priority::High, "b").await) }
    });
    settle().await;
    gone.abort();
    settle().await;
    drop(first);
    let again = turns.take(Priority::Normal, "c");
    let _turn = tokio::time::timeout(std::time::Duration::from_secs(5), again).await.expect("the turn came back");
}

/// Takes what arrives, or says "later" as often as it is told to.
#[derive(Default)]
struct Desk {
    later: Mutex<u32>,
    taken: Mutex<Vec<Arrival>>,
}

#[async_trait]
impl Arrivals for Desk {
    async fn arrived(&self, arrival: Arrival) -> Result<(), Refusal> {
        let mut later = self.later.lock().unwrap();
        if *later > 0 {
            *later -= 1;
            return Err(Refusal::new(RefusalKind::TryLater, "later"));
        }
        self.taken.lock().unwrap().push(arrival);
        Ok(())
    }
}

#[tokio::test]
async fn segments_become_a_push_and_are_offered_until_taken() {
    let desk = Arc::new(Desk::default());
    *desk.later.lock().unwrap() = 1;
    let inbox = Inbox::new("smsc", desk.clone(), Arc::new(ManualClock::new(Timestamp(0))));
    let payload = Bytes::from(vec![7; 200]);
    let parts = segment(&payload, Ports::WAP_PUSH, Reference::Eight(9)).unwrap();
    let take = |at: usize| inbox.take("+358401", "100", parts[at].clone(), Coding::Octets);
    assert_eq!(take(1).await, Ok(()));
    assert!(take(0).await.unwrap_err().is_temporary());
    assert_eq!(take(0).await, Ok(()), "the network offers the last one again");
    let taken = desk.taken.lock().unwrap();
    let [arrival] = &taken[..] else { panic!("{taken:?}") };
    assert_eq!((&arrival.from[..], &arrival.to[..], &arrival.bearer[..]), ("+358401", "100", "smsc"));
    assert_eq!(arrival.body, SmsBody::Push(payload));
}

#[test]
fn a_token_is_bound_to_its_key() {
    let delivery = DeliveryId { message: MessageId(12345), index: 3 };
    let ticket = Ticket { delivery, sending: "aB3xyz".into(), part: 2, parts: 255 };
    let key = Key::new("secret", "kannel", "smsc");
    let token = key.token(&ticket);
    assert_eq!(key.ticket(&token), Some(ticket));
    assert!(token.len() <= 70 && token.bytes().all(|octet| octet.is_ascii_alphanumeric() || b".-".contains(&octet)));
    assert_eq!(Key::new("secret", "kannel", "other").ticket(&token), None);
    assert_eq!(Key::new("secret", "pap", "smsc").ticket(&token), None);
    assert_eq!(Key::new("", "kannel", "smsc").ticket(&token), None);
    assert!(key.same("a word", "a word") && !key.same("a word", "another") && !key.same("", "a"));
    for end in 0..token.len() {
        assert_eq!(key.ticket(&token[..end]), None);
    }
}

#[test]
fn open_tallies_are_bounded() {
    let tallies = Tallies::default();
    let ticket = |message, part| Ticket {
        delivery: DeliveryId { message: MessageId(message), index: 0 },
        sending: "s".into(),
        part,
        parts: 2,
    };
    for message in 0..=OPEN_TALLIES as u64 {
        assert!(!tallies.delivered(&ticket(message, 1)));
    }
    assert!(!tallies.delivered(&ticket(0, 2)), "the oldest was forgotten");
    assert!(tallies.delivered(&ticket(OPEN_TALLIES as u64, 2)));
}

#[test]
fn the_pace_falls_by_half_and_recovers_step_by_step() {
    let pace = Pace::new(8);
    pace.went_well();
    assert_eq!(pace.width(), 8, "as wide as it may be");
    pace.slow_down();
    assert_eq!(pace.width(), 4);
    for (successes, width) in [(3, 4), (1, 5), (4, 5), (1, 6)] {
        (0..successes).for_each(|_| pace.went_well());
        assert_eq!(pace.width(), width);
    }
    (0..10).for_each(|_| pace.slow_down());
    assert_eq!(pace.width(), 1, "never none");
}

#[test]
fn only_what_may_yet_go_well_is_trouble() {
    let condition = Condition::default();
    let retry = BearerError::Retry { after: None, why: "down".into() };
    condition.note(&Err::<(), _>(retry));
    assert_eq!(condition.health(), Health::Degraded("down".into()));
    condition.note(&Err::<(), _>(BearerError::Permanent { why: "no such number".into() }));
    assert_eq!(condition.health(), Health::Well);
}

#[tokio::test]
async fn words_that_a_gateway_read_are_taken_as_they_are() {
    let desk = Arc::new(Desk::default());
    let inbox = Inbox::new("smsc", desk.clone(), Arc::new(ManualClock::new(Timestamp(0))));
    let data = packetboat_sms::UserData { header: None, payload: Bytes::from("[Grüße] €") };
    assert_eq!(inbox.take("1", "2", data, Coding::Utf8).await, Ok(()));
    assert_eq!(desk.taken.lock().unwrap()[0].body, SmsBody::Text("[Grüße] €".into()));
}

#[test]
fn bodies_become_pieces() {
    let reference = Reference::Eight(9);
    let octets = |length: usize| Bytes::from(vec![7; length]);
    let made = |body: SmsBody, cut| pieces(&body, reference, cut).unwrap();
    let (push, parts) = made(SmsBody::Push(octets(140)), Cut::Here);
    assert_eq!((push.len(), parts), (2, 2));
    assert_eq!(push[1].udh, b"\x0b\x05\x04\x0b\x84\x23\xf0\0\x03\x09\x02\x02".as_slice());
    assert_eq!((&push[0].content, &push[1].content), (&Content::Octets(octets(128)), &Content::Octets(octets(12))));
    let (whole, parts) = made(SmsBody::Push(octets(140)), Cut::There);
    let piece = Piece { udh: b"\x06\x05\x04\x0b\x84\x23\xf0".as_slice().into(), content: Content::Octets(octets(140)) };
    assert_eq!((whole, parts), (vec![piece], 2));
    let (data, _) = made(SmsBody::Data { destination: 1, originator: 2, octets: octets(1) }, Cut::Here);
    assert_eq!(data[0].udh, b"\x06\x05\x04\0\x01\0\x02".as_slice());
    let (words, parts) = made(SmsBody::Text("я".repeat(71)), Cut::Here);
    assert_eq!((words[1].content.clone(), parts), (Content::Words("я".repeat(4), Alphabet::Ucs2), 2));
    let (words, parts) = made(SmsBody::Text("y".repeat(161)), Cut::There);
    let piece = Piece { udh: Bytes::new(), content: Content::Words("y".repeat(161), Alphabet::Gsm7) };
    assert_eq!((words, parts), (vec![piece], 2));
    for body in [SmsBody::Push(octets(255 * 128 + 1)), SmsBody::Text("y".repeat(255 * 153 + 1))] {
        let error = pieces(&body, reference, Cut::Here).unwrap_err();
        assert!(matches!(error, BearerError::Permanent { .. }), "{error}");
    }
    let retry = BearerError::Retry { after: None, why: "no".into() };
    assert_eq!(of_part(retry.clone(), 1, 1), retry);
    assert_eq!(of_part(retry, 2, 3).to_string(), "no (short message 2 of 3)");
}
