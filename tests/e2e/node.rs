//! A packetboat as most stories want it, and what they ask of it.
//!
//! The node has a mail listener for `mms.test`, a handset door, a store below the scene, a Kannel bearer and direct
//! delivery to `+447700900…`. A story changes single keys and adds tables; what it ends up with is an ordinary
//! configuration file beside an ordinary rule file.

use packetboat_harness::daemon::Builder;
use packetboat_harness::faults::Faults;
use packetboat_harness::mail::Mail;
use packetboat_harness::mms::{self, Part, Pdu};
use packetboat_harness::peers::{Kannel, Smsc, mmsd};
use packetboat_harness::push::Push;
use packetboat_harness::smtp;
use packetboat_harness::{DEADLINE, Daemon, Handset, Scene, SmsTap, wait_for};
use serde_json::Value;
use std::net::SocketAddr;

/// The daemon under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_packetboat");
/// Somebody on the Internet.
pub const ANN: &str = "ann@mail.test";
/// A phone of ours.
pub const BOB: &str = "+447700900123";
/// Another one.
pub const CAROL: &str = "+447700900124";
/// A third one.
pub const DAVE: &str = "+447700900125";
/// A user of the mail listener, and the password.
pub const USER: (&str, &str) = ("ann", "correct horse");
/// The user's line in the users file: argon2id of that password, cheap on purpose.
pub const USERS: &str =
    "ann:$argon2id$v=19$m=64,t=1,p=1$c3RvcnkncyBzYWx0$hJYtEZ3Ag1gVsRebshv++BXppSn8QP8A6VHIPwOLxb8\n";

const OUR_PHONES: &str = "[[rule]]\nname = \"our phones\"\nto = [\"+447700900*\"]\nroute = [\"direct\"]\n";
const ALL_MAIL: &str = "\n[[rule]]\nname = \"mail\"\nto = [\"*@*\"]\nroute = [\"mail\"]\n";
const SUBSCRIBERS: &str = "[[subscriber]]\nnumber = \"+447700900123\"\nsecret = \"SecretOfNumber123\"\n\
                           [[subscriber]]\nnumber = \"+447700900124\"\nsecret = \"SecretOfNumber124\"\n\
                           [[subscriber]]\nnumber = \"+447700900125\"\nsecret = \"SecretOfNumber125\"\n";

/// A configuration being written: tables with their keys in order, and rules.
#[derive(Debug, Clone)]
pub struct Node<'scene> {
    scene: &'scene Scene,
    tables: Vec<(String, Vec<(String, String)>)>,
    rules: String,
    faults: Option<&'scene Faults>,
}

impl<'scene> Node<'scene> {
    /// A node whose short messages go to this gateway of the story's.
    pub fn new(scene: &'scene Scene, tap: &SmsTap) -> Self {
        Node::with_gateway(scene, &tap.url())
    }

    /// A node whose short messages go through the real Kannel.
    pub fn with_kannel(scene: &'scene Scene, kannel: &Kannel) -> Self {
        Node::with_gateway(scene, &kannel.url())
    }

    /// A node whose short messages go to this SMSC.
    pub fn with_smsc(scene: &'scene Scene, smsc: &Smsc) -> Self {
        scene.file("smsc.secret", Smsc::PASSWORD);
        let node = ["url", "username", "password", "from", "dlr_listen"]
            .iter()
            .fold(Node::with_gateway(scene, ""), |node, key| node.without("bearer.sms", key));
        node.set("bearer.sms", "plugin", r#""smpp""#)
            .set("bearer.sms", "addresses", &format!("[\"{}\"]", smsc.address()))
            .set("bearer.sms", "system_id", &format!("{:?}", Smsc::USER))
            .set("bearer.sms", "password", r#"{ file = "smsc.secret" }"#)
            .set("bearer.sms", "source", r#""100""#)
            .set("bearer.sms", "reconnect_min", r#""100ms""#)
            .set("bearer.sms", "reconnect_max", r#""500ms""#)
    }

    fn with_gateway(scene: &'scene Scene, sendsms: &str) -> Self {
        let node = Node { scene, tables: Vec::new(), rules: OUR_PHONES.to_owned(), faults: None };
        node.set("node", "name", r#""mmsc.test""#)
            .set("store", "path", r#""{dir}/store""#)
            .set("store", "free_space_floor", r#""1MiB""#)
            .set("admin", "listen", r#""127.0.0.1:0""#)
            .set("log", "show_addresses", "true")
            .set("rules", "files", r#"["rules/*.toml"]"#)
            .set("queue.retry", "first", r#""200ms""#)
            .set("queue.retry", "longest", r#""1s""#)
            .set("listener.mail", "plugin", r#""smtp""#)
            .set("listener.mail", "listen", r#"["127.0.0.1:{port:mail}"]"#)
            .set("listener.mail", "domains", r#"["mms.test"]"#)
            .set("listener.mail", "strangers", "true")
            .set("listener.handsets", "plugin", r#""mm1""#)
            .set("listener.handsets", "listen", r#"["127.0.0.1:{port:handsets}"]"#)
            .set("listener.handsets", "subscribers", r#""subscribers.toml""#)
            .set("bearer.sms", "plugin", r#""kannel""#)
            .set("bearer.sms", "url", &format!("{sendsms:?}"))
            .set("bearer.sms", "username", &format!("{:?}", Kannel::USER))
            .set("bearer.sms", "password", r#"{ file = "kannel.secret" }"#)
            .set("bearer.sms", "from", r#""100""#)
            .set("bearer.sms", "dlr_listen", r#"["127.0.0.1:{port:dlr}"]"#)
            .set("transport.direct", "plugin", r#""direct""#)
            .set("transport.direct", "bearer", r#""sms""#)
    }

    /// Shows messages as pages, and sends links to them as texts through the gateway.
    pub fn with_links(self) -> Self {
        self.set("listener.pages", "plugin", r#""pages""#)
            .set("listener.pages", "listen", r#"["127.0.0.1:{port:pages}"]"#)
            .set("transport.wap_push", "plugin", r#""wap_push""#)
            .set("transport.wap_push", "bearer", r#""sms""#)
    }

    /// Sends mail for the rest of the world to this host.
    pub fn with_mail_host(self, host: SocketAddr) -> Self {
        let mut node = self
            .set("transport.mail", "plugin", r#""mail""#)
            .set("transport.mail", "smart_host", &format!("\"{host}\""))
            .set("transport.mail", "domain", r#""mms.test""#);
        node.rules.push_str(ALL_MAIL);
        node
    }

    /// Lets [`USER`] in, with this certificate for STARTTLS.
    pub fn with_users(self, certificate: &packetboat_harness::peers::Certificate) -> Self {
        self.scene.file("users", USERS);
        self.set("listener.mail", "users", r#""users""#)
            .set("listener.mail", "tls_certificate", &format!("{:?}", certificate.certificate))
            .set("listener.mail", "tls_key", &format!("{:?}", certificate.key))
    }

    /// Sets a key of a table to a value as TOML has it, instead of what it was before.
    pub fn set(mut self, table: &str, key: &str, value: &str) -> Self {
        let place = match self.tables.iter().position(|(name, _)| name == table) {
            Some(place) => place,
            None => {
                self.tables.push((table.to_owned(), Vec::new()));
                self.tables.len() - 1
            }
        };
        let keys = &mut self.tables[place].1;
        keys.retain(|(name, _)| name != key);
        keys.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Leaves a key out.
    pub fn without(mut self, table: &str, key: &str) -> Self {
        for (_, keys) in self.tables.iter_mut().filter(|(name, _)| name == table) {
            keys.retain(|(name, _)| name != key);
        }
        self
    }

    /// Other rules instead of "our phones, and mail if there is a mail host".
    pub fn rules(mut self, text: &str) -> Self {
        text.clone_into(&mut self.rules);
        self
    }

    /// Lets these faults reach its disk.
    pub fn faults(mut self, faults: &'scene Faults) -> Self {
        self.faults = Some(faults);
        self
    }

    /// The configuration file, placeholders not filled in.
    pub fn text(&self) -> String {
        let mut text = String::new();
        for (table, keys) in &self.tables {
            text.push_str(&format!("[{table}]\n"));
            for (key, value) in keys {
                text.push_str(&format!("{key} = {value}\n"));
            }
            text.push('\n');
        }
        text
    }

    /// Described, with its files written, not started.
    pub fn describe(&self) -> Builder<'scene> {
        let builder = self
            .scene
            .daemon(BINARY)
            .config(&self.text())
            .file("kannel.secret", Kannel::PASSWORD)
            .file("subscribers.toml", SUBSCRIBERS)
            .file("rules/rules.toml", &self.rules);
        match self.faults {
            Some(faults) => builder.faults(faults),
            None => builder,
        }
    }

    /// Started and ready.
    #[track_caller]
    pub fn start(&self) -> Daemon {
        self.describe().start()
    }
}

/// The MMSC address that a phone of ours was given, secret included.
pub fn mmsc(daemon: &Daemon, number: &str) -> String {
    format!("http://{}/mms/SecretOfNumber{}", daemon.listener("handsets"), &number[number.len() - 3..])
}

/// A phone of ours, driven by hand.
pub fn handset(daemon: &Daemon, number: &str) -> Handset {
    Handset::new(&mmsc(daemon, number))
}

/// A phone of ours, as mmsd-tng.
pub fn phone(scene: &Scene, daemon: &Daemon, number: &str) -> mmsd::Mmsd {
    mmsd::Mmsd::start(scene, &mmsd::Phone::new(number, &mmsc(daemon, number)))
}

/// The mail address of a phone of ours.
pub fn at(number: &str) -> String {
    format!("{number}@mms.test")
}

/// A mail from Ann to a phone.
pub fn mail_to(number: &str) -> Mail {
    Mail::new(ANN, &at(number))
}

/// Posts a mail, which must be taken.
#[track_caller]
pub fn post(daemon: &Daemon, mail: &Mail) -> smtp::Reply {
    smtp::Client::connect(daemon.listener("mail")).deliver(mail).expect_code(250)
}

/// The address of a phone as PDUs have it.
pub fn plmn(number: &str) -> String {
    format!("{number}/TYPE=PLMN")
}

/// The body of a message with one text.
pub fn text_part(text: &str) -> [Part; 1] {
    [Part::new("text/plain", "text.txt", text)]
}

/// Waits for a push of this kind of PDU to a phone.
#[track_caller]
pub fn told(tap: &SmsTap, number: &str, kind: u8) -> (Push, Pdu) {
    let push = tap.wait_for_push(number, |push| push.mms().kind() == kind);
    let pdu = push.mms();
    (push, pdu)
}

/// Waits for the notification of a message to a phone.
#[track_caller]
pub fn notified(tap: &SmsTap, number: &str) -> Pdu {
    told(tap, number, mms::kind::NOTIFICATION_IND).1
}

/// A message's only delivery, or the one to this recipient, in a timeline.
pub fn delivery<'trace>(trace: &'trace Value, to: &str) -> &'trace Value {
    let all = trace["deliveries"].as_array().map(Vec::as_slice).unwrap_or_default();
    all.iter().find(|delivery| delivery["to"] == to).unwrap_or(&Value::Null)
}

/// The words of a delivery's timeline, in their order.
pub fn steps(trace: &Value, to: &str) -> Vec<String> {
    let lines = delivery(trace, to)["timeline"].as_array().into_iter().flatten();
    lines.filter_map(|line| Some(line["what"].as_str()?.to_owned())).collect()
}

/// Waits until a delivery's timeline has a step.
#[track_caller]
pub fn wait_for_step(daemon: &Daemon, id: &str, to: &str, step: &str) -> Value {
    let probe = |trace: &Value| steps(trace, to).iter().any(|what| what == step).then(|| trace.clone());
    daemon.wait_for_trace(id, DEADLINE, &format!("{step:?} to {to}"), probe)
}

/// Waits until a delivery is in a state.
#[track_caller]
pub fn wait_for_state(daemon: &Daemon, id: &str, to: &str, state: &str) -> Value {
    let probe = |trace: &Value| (delivery(trace, to)["state"] == state).then(|| trace.clone());
    daemon.wait_for_trace(id, DEADLINE, &format!("state {state:?} to {to}"), probe)
}

/// Fetches a message that is gone or about to be, and returns the m-retrieve-conf that says so.
#[track_caller]
pub fn fetch_in_vain(phone: &Handset, url: &str) -> Pdu {
    wait_for(DEADLINE, "a message to be gone", || {
        Some(phone.fetch(url)).filter(|pdu| pdu.retrieve_status() >= Some(0xe0))
    })
}

/// All deliveries there are, newest first; a story has fewer than a thousand.
#[track_caller]
pub fn deliveries(daemon: &Daemon) -> Vec<Value> {
    let listed = daemon.get_json("/api/deliveries?limit=1000");
    let all = listed.as_array().cloned().unwrap_or_default();
    assert!(all.len() < 1000, "more deliveries than a page holds");
    all
}
