//! What one phone, or the mailbox, has: messages that came and went, in order, as the page shows them. Bounded (I-8): the
//! oldest are forgotten first.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use packetboat_api::clock::{Clock, SystemClock};
use packetboat_api::mime::smil::order;
use packetboat_api::mime::{Entity, decode_text, html_to_text};
use serde::Serialize;
use tokio::sync::watch;

/// Most messages that are kept.
const ITEMS: usize = 100;
/// Most octets of parts that are kept; at least the newest message stays whole.
const OCTETS: u64 = 64 << 20;
/// Longest text of a part that is shown, in characters.
const TEXT: usize = 20_000;
/// Most reports about one message.
const REPORTS: usize = 200;

/// Tells whoever waits that there is something new to see.
#[derive(Clone, Debug)]
pub struct Changes(Arc<watch::Sender<u64>>);

impl Changes {
    /// Nothing has happened yet.
    pub fn new() -> Self {
        Changes(Arc::new(watch::Sender::new(0)))
    }

    /// Something has happened.
    pub fn tell(&self) {
        self.0.send_modify(|count| *count += 1);
    }

    /// Whoever wants to know.
    pub fn listen(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

/// One message on a screen.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Item {
    /// Its number in this thread.
    pub id: u64,
    /// Whether it came or went.
    pub sent: bool,
    /// When, in milliseconds since 1970.
    pub at: i64,
    /// Who sent it.
    pub from: String,
    /// To whom.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// What it holds, in presentation order.
    pub parts: Vec<Part>,
    /// Where it stands.
    pub stage: Stage,
    /// Why, in words.
    pub note: String,
    /// By which name `/api/trace` knows it.
    pub trace: Option<String>,
    /// Octets on the air: the PDU, or the mail.
    pub size: u64,
    /// A delivery report is wanted.
    pub wants_delivery: bool,
    /// A read report is wanted.
    pub wants_read: bool,
    /// The read report was sent.
    pub read: bool,
    /// It is a machine's report, not a person's message.
    pub report: bool,
    /// A page it leads to.
    pub link: Option<String>,
    /// Settings it brings, by their name; they are for the owner to install.
    pub settings: Option<String>,
    /// They were installed.
    pub installed: bool,
    /// What was reported about it.
    pub reports: Vec<Report>,
    /// Its Message-ID, without angle brackets.
    #[serde(skip)]
    pub message_id: String,
    /// The X-Mms-Transaction-Id of its notification.
    #[serde(skip)]
    pub transaction: String,
}

/// Where a message stands, as its owner sees it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// The phone was told of it, and fetches it.
    Fetching,
    /// It is here.
    #[default]
    Here,
    /// It is on its way out.
    Sending,
    /// It was taken by the next hop.
    Sent,
    /// It did not come, or was not taken.
    Failed,
}

/// One part of a message.
#[derive(Clone, Debug, Serialize)]
pub struct Part {
    /// `image`, `audio`, `video`, `text`, or `file`.
    pub kind: &'static str,
    /// Its media type.
    pub media: String,
    /// Its file name.
    pub name: String,
    /// Octets.
    pub size: u64,
    /// What it says, if it is text.
    pub text: Option<String>,
    /// Its octets.
    #[serde(skip)]
    pub content: Bytes,
}

impl Part {
    /// Words that did not come as a part of a message.
    pub fn text(text: &str) -> Self {
        Part {
            kind: "text",
            media: "text/plain".to_owned(),
            name: "text".to_owned(),
            size: text.len() as u64,
            text: Some(text.chars().take(TEXT).collect()),
            content: Bytes::copy_from_slice(text.as_bytes()),
        }
    }
}

/// Something reported about a message that went out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// `delivery` or `read`.
    pub what: &'static str,
    /// The recipient it is about.
    pub who: String,
    /// What became of it.
    pub outcome: String,
    /// When it came, in milliseconds since 1970.
    pub at: i64,
}

/// The messages of one phone, or of the mailbox.
#[derive(Debug)]
pub struct Thread {
    kept: Mutex<Kept>,
    changes: Changes,
}

#[derive(Debug, Default)]
struct Kept {
    items: VecDeque<Item>,
    /// Reports that came before the answer that says which message they are about.
    unclaimed: VecDeque<(String, Report)>,
}

impl Thread {
    /// An empty one.
    pub fn new(changes: Changes) -> Self {
        Thread { kept: Mutex::default(), changes }
    }

    /// Adds a message at the end; gives its number.
    pub fn add(&self, mut item: Item) -> u64 {
        let mut kept = self.kept();
        let items = &mut kept.items;
        item.id = items.back().map_or(1, |last| last.id + 1);
        item.at = now();
        let id = item.id;
        items.push_back(item);
        while items.len() > 1 && (items.len() > ITEMS || octets(items) > OCTETS) {
            items.pop_front();
        }
        drop(kept);
        self.changes.tell();
        id
    }

    /// Changes a message, if it is still there.
    pub fn change(&self, id: u64, change: impl FnOnce(&mut Item)) {
        let mut kept = self.kept();
        let Kept { items, unclaimed } = &mut *kept;
        if let Some(item) = items.iter_mut().find(|item| item.id == id) {
            change(item);
            if item.sent && !item.message_id.is_empty() {
                unclaimed.retain(|(about, report)| {
                    let mine = *about == item.message_id;
                    item.reports.extend(mine.then(|| report.clone()));
                    !mine
                });
            }
        }
        drop(kept);
        self.changes.tell();
    }

    /// Something else about it has changed.
    pub fn tell(&self) {
        self.changes.tell();
    }

    /// The newest message for which `fits` holds.
    pub fn find(&self, fits: impl Fn(&Item) -> bool) -> Option<Item> {
        self.kept().items.iter().rev().find(|item| fits(item)).cloned()
    }

    /// Notes a report on the message it is about, now or as soon as it is known which one that is.
    pub fn report(&self, message_id: &str, what: &'static str, who: &str, outcome: &str) {
        let report = Report { what, who: who.to_owned(), outcome: outcome.to_owned(), at: now() };
        let mut kept = self.kept();
        let Kept { items, unclaimed } = &mut *kept;
        match items.iter_mut().rev().find(|item| item.sent && item.message_id == message_id) {
            Some(item) if item.reports.len() < REPORTS => item.reports.push(report),
            Some(_) => {}
            None => {
                unclaimed.push_back((message_id.to_owned(), report));
                while unclaimed.len() > REPORTS {
                    unclaimed.pop_front();
                }
            }
        }
        drop(kept);
        self.changes.tell();
    }

    /// All of it, oldest first.
    pub fn view(&self) -> Vec<Item> {
        self.kept().items.iter().cloned().collect()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn now() -> i64 {
    SystemClock.now().0
}

fn octets(items: &VecDeque<Item>) -> u64 {
    items.iter().flat_map(|item| &item.parts).map(|part| part.size).sum()
}

/// The parts of a message in the order its presentation shows them.
pub fn parts(root: &Entity<Bytes>) -> Vec<Part> {
    order(root).into_iter().filter_map(part).collect()
}

fn part(leaf: &Entity<Bytes>) -> Option<Part> {
    let content = leaf.content()?.clone();
    let essence = leaf.media.essence();
    let charset = leaf.media.param("charset").unwrap_or_default();
    let text = match essence {
        "text/plain" => Some(decode_text(&content, charset)),
        "text/html" => Some(html_to_text(&decode_text(&content, charset))),
        _ => None,
    };
    let kind = match (leaf.media.top(), &text) {
        (_, Some(_)) => "text",
        ("image", _) => "image",
        ("audio", _) => "audio",
        ("video", _) => "video",
        _ => "file",
    };
    Some(Part {
        kind,
        media: essence.to_owned(),
        name: leaf.file_name().unwrap_or(kind).to_owned(),
        size: content.len() as u64,
        text: text.map(|text| text.trim_end().chars().take(TEXT).collect()),
        content,
    })
}

/// An address as people read it: without `/TYPE=PLMN`.
pub fn shown(address: &str) -> String {
    let tag = address.to_ascii_uppercase().rfind("/TYPE=PLMN");
    tag.and_then(|at| address.get(..at)).unwrap_or(address).to_owned()
}
