//! The daemon is killed again and again while mail and MMS pour in: what it acknowledged is there, once.
//!
//! Clients do what real ones do when a connection breaks: most send the same message again, which must not make a second
//! one; some give up, and then it may be there or not, but not twice. Cases A-13, E-08.

use crate::node::{BOB, CAROL, Node, at, deliveries, handset, mmsc};
use packetboat_harness::mail::Mail;
use packetboat_harness::mms::{self, Part, Pdu};
use packetboat_harness::wait::poll;
use packetboat_harness::{DEADLINE, Handset, Scene, SmsTap, smtp, wait_for, wait_until};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const ROUNDS: usize = 6;
const MAIL_CLIENTS: u64 = 3;
const PHONES: u64 = 2;

#[derive(Debug, Default)]
struct Ledger {
    /// Messages that were acknowledged, by subject, with their text.
    acknowledged: Mutex<BTreeMap<String, String>>,
    /// Messages given up without an answer.
    given_up: Mutex<Vec<String>>,
    acknowledgements: AtomicUsize,
    attempts: AtomicUsize,
    stop: AtomicBool,
}

#[test]
fn nothing_is_lost_when_killed_while_accepting() {
    let scene = Scene::new("nothing_is_lost_when_killed_while_accepting");
    let tap = SmsTap::start();
    let mut daemon = Node::new(&scene, &tap).start();
    let (mail, door) = (daemon.listener("mail"), mmsc(&daemon, CAROL));
    let ledger = Arc::new(Ledger::default());
    let clients: Vec<_> = (0..MAIL_CLIENTS + PHONES)
        .map(|number| {
            let (ledger, door) = (Arc::clone(&ledger), door.clone());
            std::thread::spawn(move || match number < MAIL_CLIENTS {
                true => client(&ledger, number, |message| send_mail(mail, message)),
                false => client(&ledger, number, |message| send_mms(&door, message)),
            })
        })
        .collect();

    let mut dice = 0x9e37_79b9_u64 ^ u64::from(std::process::id());
    for _ in 0..ROUNDS {
        // A moment nobody chose: after some acknowledgements and some more beginnings.
        let acknowledged = ledger.acknowledgements.load(Ordering::SeqCst) + 5 + roll(&mut dice, 25);
        wait_until(Duration::from_secs(60), "acknowledgements", || {
            ledger.acknowledgements.load(Ordering::SeqCst) >= acknowledged
        });
        let begun = ledger.attempts.load(Ordering::SeqCst) + roll(&mut dice, 4);
        wait_until(DEADLINE, "attempts", || ledger.attempts.load(Ordering::SeqCst) >= begun);
        daemon.kill9();
        daemon.start();
    }
    ledger.stop.store(true, Ordering::SeqCst);
    for client in clients {
        client.join().expect("a client that ends in good order");
    }

    let found = wait_for(Duration::from_secs(60), "a notification of everything acknowledged", || {
        let found = contents(&tap);
        let told = ledger.acknowledged.lock().expect("no panic").keys().all(|subject| found.contains_key(subject));
        told.then_some(found)
    });
    let listed = deliveries(&daemon);
    let times = |subject: &str| listed.iter().filter(|delivery| delivery["subject"] == subject).count();
    let acknowledged = ledger.acknowledged.lock().expect("no panic");
    assert!(acknowledged.len() > ROUNDS * 5, "only {} acknowledged", acknowledged.len());
    for (subject, text) in acknowledged.iter() {
        assert_eq!(times(subject), 1, "{subject} was acknowledged");
        let message = handset(&daemon, BOB).fetch(&found[subject]);
        let is_text = |part: &Part| String::from_utf8_lossy(&part.data).replace("\r\n", "\n").trim_end() == text;
        let body = message.parts.iter().any(is_text);
        assert!(body, "{subject} is not what was sent: {:?}", message.parts);
    }
    for subject in ledger.given_up.lock().expect("no panic").iter() {
        assert!(times(subject) <= 1, "{subject} is there {} times", times(subject));
    }
    let known = acknowledged.len() + ledger.given_up.lock().expect("no panic").len();
    assert!(listed.len() <= known, "{} deliveries of {known} messages", listed.len());
    eprintln!(
        "{} acknowledged, {} given up, {} attempts",
        acknowledged.len(),
        ledger.given_up.lock().expect("no panic").len(),
        ledger.attempts.load(Ordering::SeqCst)
    );
}

struct Message {
    subject: String,
    text: String,
}

/// Sends one message after the other until it is told to stop; the one in hand is finished.
fn client(ledger: &Ledger, number: u64, send: impl Fn(&Message) -> Option<bool>) {
    let mut dice = number + 1;
    for count in 0.. {
        if ledger.stop.load(Ordering::SeqCst) {
            return;
        }
        let subject = format!("m{number}x{count}");
        let lines = (0..roll(&mut dice, 300)).map(|line| format!("\nline {line} of {subject}"));
        let message = Message { text: subject.clone() + &lines.collect::<String>(), subject };
        // Every fourth message is given up when its answer does not come.
        let patience = if count % 4 == 0 { Duration::ZERO } else { 2 * DEADLINE };
        let answer = poll(patience, || {
            ledger.attempts.fetch_add(1, Ordering::SeqCst);
            send(&message)
        });
        match answer {
            Some(true) => {
                ledger.acknowledged.lock().expect("no panic").insert(message.subject, message.text);
                ledger.acknowledgements.fetch_add(1, Ordering::SeqCst);
            }
            Some(false) => panic!("{} was refused", message.subject),
            None => ledger.given_up.lock().expect("no panic").push(message.subject),
        }
    }
}

/// Whether the answer was yes; `None` when there was none, or it was "later".
fn send_mail(server: SocketAddr, message: &Message) -> Option<bool> {
    let mail = Mail::new("ann@mail.test", &at(BOB)).subject(&message.subject).text(&message.text);
    // The same Message-ID at every attempt, as a mail queue has it.
    let bytes = String::from_utf8(mail.bytes()).ok()?;
    let bytes = bytes.replace(mail.message_id(), &format!("{}@client.test", message.subject));
    let mut client = smtp::Client::try_connect(server).ok()?;
    client.try_command("EHLO client.test").ok()?;
    client.try_command("MAIL FROM:<ann@mail.test>").ok()?;
    client.try_command(&format!("RCPT TO:<{}>", at(BOB))).ok()?;
    client.try_command("DATA").ok()?;
    client.try_write(&smtp::stuffed(bytes.as_bytes())).ok()?;
    judged(client.try_read_reply().ok()?.code)
}

fn judged(code: u16) -> Option<bool> {
    match code {
        250 => Some(true),
        421 | 451 | 452 => None,
        _ => Some(false),
    }
}

fn send_mms(door: &str, message: &Message) -> Option<bool> {
    let parts = [Part::new("text/plain", "text.txt", message.text.as_str())];
    let pdu = mms::send_req(&format!("t-{}", message.subject), &[BOB], &message.subject).body(&parts);
    let reply = Handset::new(door).request(door, &pdu).try_send().ok()?;
    let conf = Pdu::try_read(&reply.body).filter(|_| reply.status == 200)?;
    match conf.response_status() {
        Some(mms::OK) => Some(true),
        Some(0xc0..=0xdf) => None,
        _ => Some(false),
    }
}

/// Where the content of each message is, by subject.
fn contents(tap: &SmsTap) -> BTreeMap<String, String> {
    let pushes = tap.pushes();
    let notifications = pushes.iter().map(packetboat_harness::push::Push::mms);
    let subjects = notifications.filter_map(|it| Some((it.text(mms::field::SUBJECT)?, it.content_location())));
    subjects.collect()
}

fn roll(dice: &mut u64, sides: usize) -> usize {
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    (*dice >> 16) as usize % sides
}
