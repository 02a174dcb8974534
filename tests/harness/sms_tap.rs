//! An SMS gateway that fails on command: it plays the `sendsms` interface of Kannel's smsbox.
//!
//! The real Kannel is a peer ([`crate::peers::kannel`]); this one is for stories about what happens when a gateway is
//! slow, refuses, hangs up or says hours later that a message was delivered.

use crate::http::{self, Received, Reply, Server};
use crate::push::{Push, Segment, reassemble};
use crate::wait::{DEADLINE, wait_for};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What the gateway does with a short message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Takes it: `202`, `0: Accepted for delivery`.
    Accept,
    /// Takes it after a while.
    AcceptAfter(Duration),
    /// Refuses it with this HTTP status and text. Kannel says 503 for "try later" and 403 for a wrong password.
    Refuse(u16, String),
    /// Takes it and closes the connection without saying so.
    TakeAndHangUp,
    /// Closes the connection and forgets it.
    HangUp,
}

/// Delivery states of Kannel's `dlr-url` (`%d`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// 1: on the phone.
    Delivered = 1,
    /// 2: will never be.
    Failed = 2,
    /// 4: waiting in the SMSC.
    Buffered = 4,
    /// 8: the SMSC took it.
    Accepted = 8,
    /// 16: the SMSC refused it.
    Refused = 16,
}

/// One `sendsms` request.
#[derive(Debug, Clone)]
pub struct Sms {
    /// The short message.
    pub segment: Segment,
    /// Where delivery states go, with its `%` escapes; empty when none was asked for.
    pub dlr_url: String,
    /// `dlr-mask`, 0 when there is none.
    pub dlr_mask: u32,
    /// Every parameter of the query, decoded.
    pub query: Vec<(String, Vec<u8>)>,
    /// When it came.
    pub at: Instant,
    /// Whether it was taken.
    pub accepted: bool,
}

impl Sms {
    /// A parameter of the query as text.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let (_, value) = self.query.iter().find(|(given, _)| given == name)?;
        Some(String::from_utf8_lossy(value).into_owned())
    }
}

#[derive(Debug, Default)]
struct State {
    script: VecDeque<Answer>,
    otherwise: Option<Answer>,
    requests: Vec<Sms>,
}

/// The gateway. It accepts everything until it is told otherwise.
#[derive(Debug)]
pub struct SmsTap {
    server: Server,
    state: Arc<Mutex<State>>,
}

impl SmsTap {
    /// Starts it on a port of its own.
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let shared = Arc::clone(&state);
        let server = Server::start(move |request| answer(&shared, &request));
        SmsTap { server, state }
    }

    /// Its `sendsms` URL. Any user and password will do.
    pub fn url(&self) -> String {
        self.server.url("/cgi-bin/sendsms")
    }

    /// What to do with the next requests, one each; then as before.
    pub fn script(&self, answers: impl IntoIterator<Item = Answer>) {
        self.lock().script.extend(answers);
    }

    /// What to do with every request that the script does not cover.
    pub fn always(&self, answer: Answer) {
        self.lock().otherwise = Some(answer);
    }

    /// Every request so far, refused ones included.
    pub fn requests(&self) -> Vec<Sms> {
        self.lock().requests.clone()
    }

    /// Every short message that was taken.
    pub fn accepted(&self) -> Vec<Sms> {
        self.lock().requests.iter().filter(|sms| sms.accepted).cloned().collect()
    }

    /// Every push that came in whole with short messages that were taken.
    pub fn pushes(&self) -> Vec<Push> {
        let segments: Vec<_> = self.accepted().into_iter().map(|sms| sms.segment).collect();
        reassemble(&segments)
    }

    /// Every text that was taken: to whom, and what it says. Longer ones come in one piece.
    pub fn texts(&self) -> Vec<(String, String)> {
        let texts = self.accepted().into_iter().filter(|sms| sms.segment.udh.is_empty());
        texts.map(|sms| (sms.segment.to, String::from_utf8_lossy(&sms.segment.data).into_owned())).collect()
    }

    /// Waits for a text with a link to `to`; gives the link.
    ///
    /// # Panics
    /// When there is none within the deadline.
    #[track_caller]
    pub fn wait_for_link(&self, to: &str) -> String {
        let link = |text: &str| text.split_whitespace().find(|word| word.starts_with("http")).map(str::to_owned);
        wait_for(DEADLINE, &format!("a link to {to}"), || {
            self.texts().into_iter().rev().find_map(|(who, text)| link(&text).filter(|_| who == to))
        })
    }

    /// Waits until there are at least this many pushes.
    ///
    /// # Panics
    /// When there are not within the deadline.
    #[track_caller]
    pub fn wait_for_pushes(&self, count: usize) -> Vec<Push> {
        self.wait_for_pushes_within(DEADLINE, count)
    }

    /// [`SmsTap::wait_for_pushes`] with another deadline.
    ///
    /// # Panics
    /// When there are not within the deadline.
    #[track_caller]
    pub fn wait_for_pushes_within(&self, deadline: Duration, count: usize) -> Vec<Push> {
        let what = format!("{count} pushes at the SMS gateway");
        wait_for(deadline, &what, || Some(self.pushes()).filter(|pushes| pushes.len() >= count))
    }

    /// Waits for a push to `to` that `wanted` likes.
    ///
    /// # Panics
    /// When there is none within the deadline.
    #[track_caller]
    pub fn wait_for_push(&self, to: &str, wanted: impl Fn(&Push) -> bool) -> Push {
        let what = format!("a push to {to}");
        wait_for(DEADLINE, &what, || self.pushes().into_iter().find(|push| push.to == to && wanted(push)))
    }

    /// Calls the `dlr-url` of a short message, as Kannel does when the SMSC reports on it.
    ///
    /// # Panics
    /// When it has none, or nobody answers.
    #[track_caller]
    pub fn report(&self, sms: &Sms, delivery: Delivery) -> Reply {
        assert!(!sms.dlr_url.is_empty(), "no dlr-url came with the message to {}", sms.segment.to);
        let encode = |text: &str| http::percent_encode(text.as_bytes());
        let escapes = [
            ("%d", (delivery as u32).to_string()),
            ("%p", encode(&sms.segment.to)),
            ("%P", encode(&sms.segment.from)),
            ("%i", "TAP".to_owned()),
            ("%F", "1".to_owned()),
        ];
        let url = escapes.iter().fold(sms.dlr_url.clone(), |url, (escape, value)| url.replace(escape, value));
        http::get(&url)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn answer(state: &Mutex<State>, request: &Received) -> Option<Reply> {
    let plain = |status, text: &str| Some(Reply::new(status, "text/plain", text));
    if request.path() != "/cgi-bin/sendsms" {
        return plain(404, "Unknown request.");
    }
    let mut sms = read_sms(request);
    if sms.segment.to.is_empty() {
        return plain(400, "Missing receiver number, rejected");
    }
    let answer = {
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let scripted = state.script.pop_front();
        let answer = scripted.or_else(|| state.otherwise.clone()).unwrap_or(Answer::Accept);
        sms.accepted = !matches!(answer, Answer::Refuse(..) | Answer::HangUp);
        state.requests.push(sms);
        answer
    };
    match answer {
        Answer::Accept => plain(202, "0: Accepted for delivery"),
        Answer::AcceptAfter(delay) => {
            std::thread::sleep(delay);
            plain(202, "0: Accepted for delivery")
        }
        Answer::Refuse(status, text) => plain(status, &text),
        Answer::TakeAndHangUp | Answer::HangUp => None,
    }
}

fn read_sms(request: &Received) -> Sms {
    let query = request.query();
    let bytes = |name: &str| {
        let found = query.iter().find(|(given, _)| given == name);
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let text = |name: &str| String::from_utf8_lossy(&bytes(name)).into_owned();
    let segment = Segment { from: text("from"), to: text("to"), udh: bytes("udh"), data: bytes("text") };
    Sms {
        segment,
        dlr_url: text("dlr-url"),
        dlr_mask: text("dlr-mask").parse().unwrap_or_default(),
        at: Instant::now(),
        accepted: false,
        query,
    }
}
