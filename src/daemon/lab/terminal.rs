//! The terminal: where everything listens, and the road of each message, a line a step.

use std::collections::HashMap;
use std::io::IsTerminal;

use packetboat_api::clock::Timestamp;
use packetboat_api::delivery::Event;
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::message::{Kind, Message};
use packetboat_api::serve::CancellationToken;
use packetboat_pipeline::Road;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::Lab;
use super::handset::Nature;

/// Messages whose beginning is remembered, for the times after it.
const REMEMBERED: usize = 1000;

/// Prints where everything is.
pub fn print_places(lab: &Lab) {
    let place = &lab.place;
    println!("packetboat lab: the daemon on this machine's loopback, with five handsets and a mailbox\n");
    println!("  page       http://{}/", lab.admin);
    println!("  mail in    {}   NUMBER@{}", lab.smtp, super::place::DOMAIN);
    println!("  handsets   http://{}", lab.mm1);
    println!("  pages      http://{}", lab.pages);
    for phone in &lab.phones {
        let what = match phone.nature {
            Nature::Usual => format!("MMSC {}", phone.mmsc()),
            Nature::WalledGarden => "its operator lets it reach its own MMSC only".to_owned(),
            Nature::Asleep => "switched off; the page has the switch".to_owned(),
            Nature::WithoutMms => "has no MMS".to_owned(),
        };
        println!("  {:<10} {}   {what}", phone.owner, phone.number);
    }
    println!("  {:<10} {}", lab.mailbox.owner, lab.mailbox.address);
    println!("  config     {}{}", place.config().display(), if place.stays() { "" } else { "   (removed at the end)" });
    println!();
}

/// Prints steps as they happen, until `done`; then what has happened already, and no more.
pub async fn print_road(road: Road, mut events: Receiver<(DeliveryId, Event)>, done: CancellationToken) {
    let mut printer = Printer { road, began: HashMap::new(), colour: std::io::stdout().is_terminal() };
    loop {
        let event = tokio::select! {
            event = events.recv() => event,
            () = done.cancelled() => break,
        };
        match event {
            Ok((delivery, event)) => printer.print(delivery, &event).await,
            Err(RecvError::Lagged(missed)) => println!("  … {missed} steps not shown"),
            Err(RecvError::Closed) => return,
        }
    }
    loop {
        match events.try_recv() {
            Ok((delivery, event)) => printer.print(delivery, &event).await,
            Err(TryRecvError::Lagged(_)) => {}
            Err(TryRecvError::Empty | TryRecvError::Closed) => return,
        }
    }
}

struct Printer {
    road: Road,
    /// When messages were accepted.
    began: HashMap<MessageId, Timestamp>,
    colour: bool,
}

impl Printer {
    async fn print(&mut self, id: DeliveryId, event: &Event) {
        let began = match self.began.get(&id.message) {
            Some(began) => *began,
            None => self.introduce(id, event.at).await,
        };
        if event.what == "accepted" {
            return; // the introduction says it
        }
        let step = step(&event.what);
        // `packetboat trace` and the page's timelines call it by its own name.
        let name = if step == event.what.replace('_', " ") { String::new() } else { format!(" ({})", event.what) };
        self.line(id, began.until(event.at).as_millis(), step, &format!("{}{name}", event.detail));
    }

    /// The first lines of a message: what it is, for whom. Gives when it was accepted.
    async fn introduce(&mut self, id: DeliveryId, at: Timestamp) -> Timestamp {
        if self.began.len() >= REMEMBERED {
            self.began.clear();
        }
        let Ok(trace) = self.road.trace(&id.to_string()).await else { return at };
        let message = &trace.message;
        self.began.insert(id.message, message.received);
        let from = message.envelope.from.as_ref().map_or_else(|| "packetboat".to_owned(), ToString::to_string);
        println!();
        for (delivery, _) in &trace.deliveries {
            let detail = format!("{} from {from} to {}, by {}", what(message), delivery.to, message.listener);
            self.line(delivery.id, 0, "accepted", &detail);
        }
        message.received
    }

    fn line(&self, id: DeliveryId, milliseconds: u128, step: &str, detail: &str) {
        let good = ["notified", "fetched", "retrieved", "delivered", "handed over", "read", "link sent", "link opened"]
            .contains(&step);
        let bad =
            ["rejected", "unrecognised", "expired", "failed", "attempt failed", "deferred", "quarantined", "fault"]
                .contains(&step);
        let (on, off) = match (self.colour, good, bad) {
            (true, true, _) => ("\x1b[32m", "\x1b[0m"),
            (true, _, true) => ("\x1b[33m", "\x1b[0m"),
            _ => ("", ""),
        };
        println!("  {id:<16} {milliseconds:>7} ms  {on}{step:<11}{off}  {detail}");
    }
}

/// A step in the words of the road.
fn step(what: &str) -> &str {
    match what {
        "push_sent" => "notified",
        "link_sent" => "link sent",
        "link_opened" => "link opened",
        "both_ways" => "both ways",
        "push_delivered" => "told",
        "handed_over" => "handed over",
        "attempt_failed" => "attempt failed",
        "next_step" => "next step",
        "deleted_unread" => "deleted unread",
        "report_not_sent" => "no report",
        other => other,
    }
}

fn what(message: &Message) -> String {
    match &message.kind {
        Kind::Personal => format!("{} octets", message.size()),
        Kind::DeliveryReport(report) => format!("a delivery report about {}", report.recipient),
        Kind::Settings(settings) => format!("settings \"{}\"", settings.profile),
        Kind::ReadReport(report) => format!("a read report of {}", report.recipient),
    }
}
