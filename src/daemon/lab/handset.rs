//! A virtual handset: an MM1 client that talks HTTP to the handset door, as a phone does (OMA-TS-MMS_ENC 6).
//!
//! Short messages come from the `lab` bearer as the octets of their user data; they are put together, the WAP push in them is
//! read, and what it says is done: an m-notification-ind is fetched and answered, an m-delivery-ind or m-read-orig-ind
//! is shown beside the message it is about. Nothing here is known from inside the daemon.
//!
//! Failure story: a fetch that fails is tried again a few times, then left to the next notification, as phones do; what
//! went wrong stands beside the message.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use packetboat_api::clock::{Random, SystemRandom};
use packetboat_api::party::{Msisdn, Party};
use packetboat_mms::codes::{ReadStatus, ResponseStatus, RetrieveStatus, Status};
use packetboat_mms::{Field, FromValue, Pdu, PduType, decode};
use packetboat_net::http::{Answer, Client, Options};
use packetboat_push::provisioning::Provisioning;
use packetboat_push::{Indication, Push};
use packetboat_sms::{Accepted, Reassembler, UserData};
use serde::Serialize;

use super::compose::{Draft, VERSION};
use super::thread::{Changes, Item, Part, Stage, Thread, parts, shown};

/// The media type of PDUs (OMA-TS-MMS_ENC 9).
const MMS_MESSAGE: &str = "application/vnd.wap.mms-message";
/// Port of WAP push on a phone (IANA).
const WAP_PUSH: u16 = 2948;
/// Most short messages of which parts are missing.
const OPEN: usize = 32;
/// How long a phone waits for missing short messages.
const PATIENCE: Duration = Duration::from_secs(300);
/// Largest message the phone fetches.
const LARGEST: usize = 32 << 20;
/// From whom settings and indications come, as far as a phone can tell.
const NETWORK: &str = "the network";
/// Most that the network keeps for a phone that is off.
const WAITING: usize = 100;
/// Tries to fetch, and the pause between them.
const TRIES: u32 = 3;
const PAUSE: Duration = Duration::from_secs(2);
/// What a phone needs to write a message to its memory before it says that it has it.
const WRITING: Duration = Duration::from_millis(60);
/// Characters of a transaction id.
const TRANSACTION: usize = 12;

/// What a phone, or its network, is like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Nature {
    /// It fetches what it is told of.
    #[default]
    Usual,
    /// Its operator's access point lets it reach the operator's own MMSC and the web, and nobody else's MMSC.
    WalledGarden,
    /// It is switched off until somebody switches it on.
    Asleep,
    /// It knows nothing of MMS.
    WithoutMms,
}

/// A virtual handset.
pub struct Handset {
    /// Whose it is.
    pub owner: &'static str,
    /// Its number.
    pub number: Msisdn,
    /// What it is like.
    pub nature: Nature,
    /// What it shows.
    pub thread: Thread,
    secret: String,
    mmsc: OnceLock<String>,
    http: Client,
    messages: Mutex<Reassembler<()>>,
    /// What the network keeps for it while it is off.
    kept: Mutex<VecDeque<Kept>>,
    on: AtomicBool,
    /// Settings were installed that lead out of the walled garden.
    freed: AtomicBool,
    since: Instant,
}

/// Something that came by short message.
#[derive(Clone, Debug)]
pub enum Kept {
    /// The user data of short messages, and what the network calls the push they carry.
    Push(String, Vec<Bytes>),
    /// Words, and from whom.
    Text(String, String),
}

impl Handset {
    /// A phone that is switched off. `secret` is what the subscribers file says of it.
    pub fn new(
        (owner, nature): (&'static str, Nature),
        number: Msisdn,
        secret: String,
        changes: Changes,
    ) -> Result<Self, String> {
        let user_agent = concat!("packetboat-lab/", env!("CARGO_PKG_VERSION"), " (virtual handset)").to_owned();
        let options = Options { max_body: LARGEST, user_agent, ..Options::default() };
        Ok(Handset {
            owner,
            number,
            nature,
            thread: Thread::new(changes),
            secret,
            mmsc: OnceLock::new(),
            http: Client::new(&options).map_err(|e| e.to_string())?,
            messages: Mutex::new(Reassembler::new(OPEN, PATIENCE)),
            kept: Mutex::default(),
            on: AtomicBool::new(nature != Nature::Asleep),
            freed: AtomicBool::new(false),
            since: Instant::now(),
        })
    }

    /// Switches it on: gives it the address of the handset door, `http://host:port`.
    pub fn switch_on(&self, door: &str) {
        let _ = self.mmsc.set(format!("{door}/mms/{}", self.secret));
    }

    /// Its MMSC address; empty while it is off.
    pub fn mmsc(&self) -> &str {
        self.mmsc.get().map(String::as_str).unwrap_or_default()
    }

    /// Whether it is on.
    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::SeqCst)
    }

    /// Whether it reaches our handset door.
    pub fn reaches_us(&self) -> bool {
        self.nature != Nature::WalledGarden || self.freed.load(Ordering::SeqCst)
    }

    /// Somebody switches it on or off. What the network kept for it arrives then.
    pub fn switch(self: &Arc<Self>, on: bool) {
        self.on.store(on, Ordering::SeqCst);
        let kept = match on {
            true => std::mem::take(&mut *self.kept.lock().unwrap_or_else(PoisonError::into_inner)),
            false => VecDeque::new(),
        };
        for kept in kept {
            if let Err(why) = self.arrive(&kept) {
                eprintln!("packetboat: {}'s phone could not use what came: {why}", self.owner);
            }
        }
        self.thread.tell();
    }

    /// What the network has for it. `true`: the phone has it; `false`: the network keeps it.
    pub fn take(self: &Arc<Self>, kept: Kept) -> Result<bool, String> {
        if self.is_on() {
            return self.arrive(&kept).map(|()| true);
        }
        let mut waiting = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push_back(kept);
        if waiting.len() > WAITING {
            waiting.pop_front();
        }
        Ok(false)
    }

    fn arrive(self: &Arc<Self>, kept: &Kept) -> Result<(), String> {
        match kept {
            Kept::Text(from, text) => {
                self.read_text(from, text);
                Ok(())
            }
            Kept::Push(delivery, user_data) => self.receive(delivery, user_data),
        }
    }

    /// A text for the inbox. Whoever has the phone taps what looks like an address.
    fn read_text(&self, from: &str, text: &str) {
        let link = text.split_whitespace().find(|word| word.starts_with("http://") || word.starts_with("https://"));
        self.thread.add(Item {
            from: from.to_owned(),
            parts: vec![Part::text(text)],
            size: text.len() as u64,
            link: link.map(str::to_owned),
            ..Item::default()
        });
    }

    /// Takes the user data of short messages. `delivery` is what the network calls the push they carry.
    fn receive(self: &Arc<Self>, delivery: &str, user_data: &[Bytes]) -> Result<(), String> {
        for octets in user_data {
            let data = UserData::parse(octets, true).map_err(|e| e.to_string())?;
            let accepted = {
                let mut messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
                messages.accept((), data, self.since.elapsed()).map_err(|e| e.to_string())?
            };
            let Accepted::Whole(message) = accepted else { continue };
            if message.ports.is_none_or(|ports| ports.destination != WAP_PUSH) {
                return Err("not a WAP push".to_owned());
            }
            let push = Push::parse(&message.payload).map_err(|e| e.to_string())?;
            match push.content_type.essence() {
                // A phone without MMS does not know what to do with it, and shows nothing.
                _ if push.is_mms() && self.nature == Nature::WithoutMms => {}
                _ if push.is_mms() => self.told(delivery, &decode(&push.payload).map_err(|e| e.to_string())?)?,
                Indication::MEDIA_TYPE => {
                    let indication = Indication::from_wbxml(&push.payload).map_err(|e| e.to_string())?;
                    self.thread.add(Item {
                        from: NETWORK.to_owned(),
                        parts: vec![Part::text(&indication.text)],
                        size: message.payload.len() as u64,
                        link: indication.href,
                        ..Item::default()
                    });
                }
                Provisioning::MEDIA_TYPE => {
                    let document = Provisioning::from_wbxml(&push.payload).map_err(|e| e.to_string())?;
                    self.offered(&document, message.payload.len() as u64);
                }
                other => return Err(format!("a push of {other}, which this phone cannot use")),
            }
        }
        Ok(())
    }

    /// Settings came: they are for the owner to install.
    fn offered(&self, document: &Provisioning, size: u64) {
        let named = document.characteristics.iter().find(|it| it.kind == "BOOTSTRAP").and_then(|it| it.value("NAME"));
        let centre = document.characteristics.iter().find(|it| it.value("APPID") == Some("w4"));
        let address = centre.and_then(|it| it.value("ADDR")).unwrap_or("none");
        let name = named.unwrap_or("Settings").to_owned();
        self.thread.add(Item {
            from: NETWORK.to_owned(),
            parts: vec![Part::text(&format!("New settings: {name}. MMS centre: {address}"))],
            size,
            settings: Some(name),
            ..Item::default()
        });
    }

    /// The owner installs settings that came: from now on the phone takes the way they describe.
    pub fn install(&self, id: u64) -> Result<(), String> {
        self.thread.find(|item| item.id == id && item.settings.is_some()).ok_or("There are no such settings.")?;
        self.freed.store(true, Ordering::SeqCst);
        self.thread.change(id, |item| item.installed = true);
        Ok(())
    }

    fn told(self: &Arc<Self>, delivery: &str, pdu: &Pdu) -> Result<(), String> {
        let message_id = pdu.message_id().unwrap_or_default();
        match pdu.kind {
            PduType::NotificationInd => self.notified(delivery, pdu),
            PduType::DeliveryInd => {
                let outcome = pdu.status().map(|status| status.to_string()).unwrap_or_default();
                self.thread.report(message_id, "delivery", &shown(pdu.to().next().unwrap_or_default()), &outcome);
                Ok(())
            }
            PduType::ReadOrigInd => {
                let outcome = pdu.read_status().map(|status| status.to_string()).unwrap_or_default();
                self.thread.report(message_id, "read", &sender(pdu), &outcome);
                Ok(())
            }
            kind => Err(format!("phones are not told by {kind}")),
        }
    }

    /// An m-notification-ind: the message is fetched at once. One that is here already is only acknowledged again.
    fn notified(self: &Arc<Self>, delivery: &str, pdu: &Pdu) -> Result<(), String> {
        let transaction = pdu.transaction_id().ok_or("a notification without a transaction id")?.to_owned();
        let location = pdu.content_location().ok_or("a notification without a content location")?.to_owned();
        let known = self.thread.find(|item| item.transaction == transaction);
        let phone = self.clone();
        match known {
            Some(item) if item.stage == Stage::Here => {
                tokio::spawn(async move { phone.retrieved(item.id, &transaction).await });
            }
            Some(item) if item.stage == Stage::Fetching => {}
            known => {
                let id = known.map_or_else(|| self.thread.add(announced(delivery, &transaction, pdu)), |item| item.id);
                self.thread.change(id, |item| item.stage = Stage::Fetching);
                tokio::spawn(async move { phone.fetch(id, &location, &transaction).await });
            }
        }
        Ok(())
    }

    async fn fetch(&self, id: u64, location: &str, transaction: &str) {
        for attempt in 1..=TRIES {
            match self.retrieve(location).await {
                Ok(pdu) => {
                    self.thread.change(id, |item| arrived(item, &pdu));
                    tokio::time::sleep(WRITING).await;
                    return self.retrieved(id, transaction).await;
                }
                Err(Trouble { why, again }) => {
                    let last = !again || attempt == TRIES;
                    self.thread.change(id, |item| {
                        item.note = why;
                        item.stage = if last { Stage::Failed } else { Stage::Fetching };
                    });
                    if last {
                        return;
                    }
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// GET of the content URL: the m-retrieve-conf.
    async fn retrieve(&self, location: &str) -> Result<Pdu, Trouble> {
        if !self.reaches_us() {
            let why = "The operator's access point lets this phone reach the operator's own MMSC only.".to_owned();
            return Err(Trouble { why, again: false });
        }
        let again = |why: String| Trouble { why, again: true };
        let answer = self.http.get(location).await.map_err(|e| again(e.to_string()))?;
        let pdu = pdu_of(&answer).map_err(again)?;
        match pdu.retrieve_status() {
            None | Some(RetrieveStatus::Ok) => Ok(pdu),
            Some(status) => Err(Trouble {
                why: pdu.retrieve_text().map_or_else(|| status.to_string(), str::to_owned),
                again: matches!(status.octet(), 0xC0..=0xDF), // transient failures (OMA-TS-MMS_ENC 7.3.43)
            }),
        }
    }

    /// m-notifyresp-ind: the phone has the message.
    async fn retrieved(&self, id: u64, transaction: &str) {
        let pdu =
            Pdu::<Bytes>::notifyresp_ind(transaction, VERSION, Status::Retrieved).with(Field::ReportAllowed, true);
        if let Err(why) = self.post(&pdu).await {
            self.thread.change(id, |item| item.note = format!("the MMSC did not hear that it is here: {why}"));
        }
    }

    /// The owner opened a message: tells its sender, if that one asked (m-read-rec-ind).
    pub async fn opened(&self, id: u64) -> Result<(), String> {
        let item = self.thread.find(|item| item.id == id && !item.sent).ok_or("There is no such message.")?;
        if !item.wants_read || item.read {
            return Ok(());
        }
        let to = Party::parse(&item.from).map_or_else(|| item.from.clone(), |party| party.to_mms());
        let (me, read) = (FromValue::InsertAddress, ReadStatus::Read);
        self.post(&Pdu::<Bytes>::read_rec_ind(VERSION, &item.message_id, &to, me, read)).await?;
        self.thread.change(id, |item| item.read = true);
        Ok(())
    }

    /// Sends a message (m-send-req → m-send-conf). The error says what is wrong with the draft; what the MMSC says of it
    /// stands beside the message.
    pub async fn send(&self, draft: Draft) -> Result<u64, String> {
        match self.nature {
            Nature::WithoutMms => return Err("This phone has no MMS.".to_owned()),
            _ if !self.is_on() => return Err("This phone is switched off.".to_owned()),
            _ if !self.reaches_us() => return Err("This phone does not reach our MMSC.".to_owned()),
            _ => {}
        }
        let transaction = SystemRandom.token(TRANSACTION);
        let written = draft.clone();
        let pdu = draft.into_pdu(&transaction)?;
        let octets = Bytes::from(pdu.to_vec());
        let id = self.thread.add(Item {
            sent: true,
            from: self.number.to_string(),
            to: written.to,
            subject: written.subject,
            parts: pdu.content.as_ref().map(parts).unwrap_or_default(),
            stage: Stage::Sending,
            size: octets.len() as u64,
            wants_delivery: written.delivery_report,
            wants_read: written.read_report,
            ..Item::default()
        });
        let answer = self.http.post(self.mmsc(), MMS_MESSAGE, octets).await.map_err(|e| e.to_string());
        let confirmed = answer.and_then(|answer| confirmed(&answer));
        self.thread.change(id, |item| match confirmed {
            Ok((message_id, note)) => {
                item.stage = Stage::Sent;
                item.trace = Some(message_id.clone());
                item.message_id = message_id;
                item.note = note;
            }
            Err(why) => {
                item.stage = Stage::Failed;
                item.note = why;
            }
        });
        Ok(id)
    }

    async fn post(&self, pdu: &Pdu) -> Result<(), String> {
        let answer = self.http.post(self.mmsc(), MMS_MESSAGE, pdu.to_vec()).await.map_err(|e| e.to_string())?;
        match answer.is_success() {
            true => Ok(()),
            false => Err(format!("{} {}", answer.status, answer.text().trim())),
        }
    }
}

/// Why a fetch came to nothing, and whether another may not.
struct Trouble {
    why: String,
    again: bool,
}

/// The Message-ID of an m-send-conf, and what else it says; a refusal is an error.
fn confirmed(answer: &Answer) -> Result<(String, String), String> {
    let pdu = pdu_of(answer)?;
    let text = pdu.response_text().unwrap_or_default().to_owned();
    let status = pdu.response_status().ok_or("the MMSC's answer has no status")?;
    match pdu.message_id() {
        Some(id) if matches!(status, ResponseStatus::Ok | ResponseStatus::TransientPartialSuccess) => {
            Ok((id.to_owned(), text))
        }
        _ if text.is_empty() => Err(status.to_string()),
        _ => Err(format!("{text} ({status})")),
    }
}

fn pdu_of(answer: &Answer) -> Result<Pdu, String> {
    if !answer.is_success() {
        return Err(format!("the MMSC answered {} {}", answer.status, answer.text().trim()));
    }
    decode(&answer.body).map_err(|e| format!("the MMSC's answer cannot be read: {e}"))
}

fn sender(pdu: &Pdu) -> String {
    match pdu.from() {
        Some(FromValue::Address(address)) => shown(address),
        _ => String::new(),
    }
}

/// What is known of a message before it is fetched.
fn announced(delivery: &str, transaction: &str, pdu: &Pdu) -> Item {
    Item {
        from: sender(pdu),
        subject: pdu.subject().unwrap_or_default().to_owned(),
        stage: Stage::Fetching,
        trace: Some(delivery.to_owned()),
        size: pdu.message_size().unwrap_or_default(),
        transaction: transaction.to_owned(),
        ..Item::default()
    }
}

/// What is known of it afterwards.
fn arrived(item: &mut Item, pdu: &Pdu) {
    item.from = sender(pdu);
    item.to = pdu.to().chain(pdu.cc()).map(shown).collect();
    item.subject = pdu.subject().unwrap_or_default().to_owned();
    item.parts = pdu.content.as_ref().map(parts).unwrap_or_default();
    item.size = pdu.content.as_ref().map_or(0, |content| content.content_length());
    item.wants_delivery = pdu.delivery_report() == Some(true);
    item.wants_read = pdu.read_report() == Some(true);
    item.message_id = pdu.message_id().unwrap_or_default().to_owned();
    item.stage = Stage::Here;
    item.note.clear();
}
