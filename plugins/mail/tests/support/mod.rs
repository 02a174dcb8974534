//! What the transport needs around it: an environment, stored content, messages to send.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use packetboat_api::async_trait;
use packetboat_api::clock::{ManualClock, SeededRandom, Timestamp};
use packetboat_api::delivery::{Delivery, State};
use packetboat_api::id::{DeliveryId, MessageId};
use packetboat_api::message::{
    Class, ContentRef, Envelope, Identity, Kind, Message, Notify, Priority, Recipient, Span, Traits,
};
use packetboat_api::mime::{self, Mail};
use packetboat_api::party::Party;
use packetboat_api::plugin::Env;
use packetboat_api::road::Content;
use packetboat_api::roles::Job;
use packetboat_api::spool::SpoolBudget;
use packetboat_api::store::StoreError;
use packetboat_net::dns::{DnsError, Lookup};

/// When the tests play: Thu, 09 Oct 2025 08:53:20 +0000.
pub const NOW: Timestamp = Timestamp(1_760_000_000_000);

/// Stored content by message id.
#[derive(Clone, Default)]
pub struct Shelf(Arc<Mutex<BTreeMap<MessageId, Bytes>>>);

#[async_trait]
impl Content for Shelf {
    async fn read(&self, message: &Message, range: Range<u64>) -> Result<Bytes, StoreError> {
        let shelf = self.0.lock().unwrap();
        let found = shelf.get(&message.id).ok_or_else(|| StoreError::Unavailable("the shelf is empty".to_owned()))?;
        Ok(found.slice(range.start as usize..range.end as usize))
    }
}

/// Everything a test has in its hands.
pub struct World {
    pub env: Env,
    pub shelf: Shelf,
    pub clock: ManualClock,
}

impl World {
    pub fn new(base: &Path) -> World {
        let (shelf, clock) = (Shelf::default(), ManualClock::new(NOW));
        let env = Env {
            node: "mmsc.test".to_owned(),
            show_addresses: true,
            clock: Arc::new(clock.clone()),
            random: Arc::new(SeededRandom::new(7)),
            spool: SpoolBudget::new(1 << 20, base),
            content: Arc::new(shelf.clone()),
            ..Env::nowhere("mail", base)
        };
        World { env, shelf, clock }
    }

    /// A stored message from `from` to these, made of a MIME text.
    pub fn message(&self, from: Option<&str>, to: &[&str], text: &str) -> Message {
        let mail = mime::parse(&Bytes::from(text.replace('\n', "\r\n"))).expect("a message");
        let mut content = Vec::new();
        let root = mail.root.map(&mut |body: Bytes| {
            let span = Span { start: content.len() as u64, length: body.len() as u64 };
            content.extend_from_slice(&body);
            span
        });
        let id = MessageId(0x19_9C_8B_F5_00_00_00_01);
        let length = content.len() as u64;
        self.shelf.0.lock().unwrap().insert(id, content.into());
        let party = |text: &str| text.parse::<Party>().expect("party");
        let wanted = Notify { success: true, ..Notify::default() };
        let recipient = |text: &&str| Recipient { notify: wanted, ..Recipient::plain(party(text)) };
        Message {
            id,
            kind: Kind::Personal,
            received: NOW,
            listener: "handsets".to_owned(),
            identity: Identity::Anonymous,
            envelope: Envelope {
                from: from.map(party),
                recipients: to.iter().map(recipient).collect(),
                ..Envelope::default()
            },
            traits: Traits {
                message_id: format!("{id}@mmsc.test"),
                subject: mail.headers.first("Subject").map(str::to_owned),
                class: Class::Personal,
                priority: Priority::Normal,
                expires: NOW,
                deliver_after: None,
                read_report: false,
                hide_sender: false,
            },
            mail: Mail { headers: mail.headers, root },
            content: ContentRef { length, ..ContentRef::default() },
        }
    }
}

/// One job for each recipient of a message.
pub fn jobs(message: Message) -> Vec<Job> {
    let message = Arc::new(message);
    let job = |(index, recipient): (usize, &Recipient)| Job {
        delivery: Delivery {
            id: DeliveryId { message: message.id, index: index as u32 },
            version: 1,
            to: recipient.to.clone(),
            state: State::Queued,
            due: NOW,
            expires: NOW,
            rule: "mail".to_owned(),
            route: Vec::new(),
            step: 0,
            step_since: None,
            attempts: 0,
            notified: 0,
            faults: 0,
            token: "t".repeat(22),
            facts: Vec::new(),
            reason: String::new(),
            reported: false,
            revoked: false,
            line: Default::default(),
        },
        recipient: recipient.clone(),
        message: message.clone(),
        now: NOW,
    };
    message.envelope.recipients.iter().enumerate().map(job).collect()
}

/// A look-up that knows every host as this machine, and the mail hosts of a few domains.
pub struct Domains;

#[async_trait]
impl Lookup for Domains {
    async fn mail_hosts(&self, domain: &str) -> Result<Vec<String>, DnsError> {
        match domain {
            "null.test" => Err(DnsError::NoMail(domain.to_owned())),
            "missing.test" => Err(DnsError::NotFound(format!("there is no domain {domain}"))),
            "broken.test" => Err(DnsError::NoAnswer("no answer".to_owned())),
            "circle.test" => Ok(vec!["MMSC.test".to_owned(), "mx.circle.test".to_owned()]),
            "backup.test" => Ok(vec!["mx.backup.test".to_owned(), "mmsc.test".to_owned()]),
            _ => Ok(vec![format!("mx.{domain}")]),
        }
    }

    async fn addresses(&self, _: &str) -> Result<Vec<IpAddr>, DnsError> {
        Ok(vec![IpAddr::from([127, 0, 0, 1])])
    }
}

/// A photo with a text, as a phone sends them.
pub const PHOTO: &str = "From: +447700900123/TYPE=PLMN
To: +447700900456/TYPE=PLMN, Bob <bob@one.test>
Cc: carol@two.test
Date: Thu, 09 Oct 2025 08:53:19 +0000
Message-ID: <wrong@phone>
X-Mms-Message-Type: m-send-req
X-Mms-Transaction-Id: 17
X-Mms-Delivery-Report: Yes
X-Mms-Priority: High
MIME-Version: 1.0
Content-Type: multipart/related; type=\"application/smil\"; start=\"<s>\"; boundary=b

--b
Content-Type: application/smil
Content-ID: <s>

<smil><body><par><img src=\"p.jpg\"/><text src=\"t.txt\"/></par></body></smil>
--b
Content-Type: text/plain; charset=utf-8
Content-Location: t.txt
Content-Transfer-Encoding: 8bit

Grüße vom Meer
.
--b
Content-Type: image/jpeg
Content-Location: p.jpg
Content-Transfer-Encoding: base64

/9j/4AAQSkZJRgABAQEASABIAAD/2w==
--b--
";
