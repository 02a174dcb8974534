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

/// Messages whose beginning is remembered, for the times after it.
const REMEMBERED: usize = 1000;

/// Prints where everything is.
pub fn print_places(lab: &Lab) {
    let place = &lab.place;
    println!("packetboat lab: the daemon on this machine's loopback, with two handsets and a mailbox\n");
    println!("  page       http://{}/", lab.admin);
    println!("  mail in    {}   NUMBER@{}", lab.smtp, super::place::DOMAIN);
    println!("  handsets   http://{}", lab.mm1);
    for phone in &lab.phones {
        println!("  {:<10} {}   MMSC {}", phone.owner, phone.number, phone.mmsc());
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
        if event.what == "accepted" {
            return self.accepted(id, event).await;
        }
        let began = self.began.get(&id.message).copied().unwrap_or(event.at);
        let step = step(&event.what);
        // `packetboat trace` and the page's timelines call it by its own name.
        let name = if step == event.what.replace('_', " ") { String::new() } else { format!(" ({})", event.what) };
        self.line(id, began.until(event.at).as_millis(), step, &format!("{}{name}", event.detail));
    }

    /// The first line of a message says what it is.
    async fn accepted(&mut self, id: DeliveryId, event: &Event) {
        if self.began.len() >= REMEMBERED {
            self.began.clear();
        }
        if self.began.insert(id.message, event.at).is_none() {
            println!();
        }
        let Ok(trace) = self.road.trace(&id.to_string()).await else { return };
        let Some((delivery, _)) = trace.deliveries.iter().find(|(delivery, _)| delivery.id == id) else { return };
        let from = trace.message.envelope.from.as_ref().map_or_else(|| "packetboat".to_owned(), ToString::to_string);
        let what = what(&trace.message);
        self.line(id, 0, "accepted", &format!("{what} from {from} to {}, by {}", delivery.to, trace.message.listener));
    }

    fn line(&self, id: DeliveryId, milliseconds: u128, step: &str, detail: &str) {
        let good = ["notified", "fetched", "retrieved", "delivered", "handed over", "read"].contains(&step);
        let bad =
            ["rejected", "expired", "failed", "attempt failed", "deferred", "quarantined", "fault"].contains(&step);
        let (on, off) = match (self.colour, good, bad) {
            (true, true, _) => ("\x1b[32m", "\x1b[0m"),
            (true, _, true) => ("\x1b[33m", "\x1b[0m"),
            _ => ("", ""),
        };
        println!("  {id:<16} {milliseconds:>7} ms  {on}{step:<10}{off}  {detail}");
    }
}

/// A step in the words of the road.
fn step(what: &str) -> &str {
    match what {
        "push_sent" => "notified",
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
        Kind::ReadReport(report) => format!("a read report of {}", report.recipient),
    }
}
