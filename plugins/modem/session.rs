//! The task that has the modem.
//!
//! Failure story: a device that cannot be opened, that goes away, or that does not answer even when called anew is closed
//! and opened again after a pause that doubles; what is to be sent meanwhile is told so and comes again. A command without
//! an answer is followed by an escape and a question; then everything is set up anew, as the modem may have restarted. A
//! message whose answer was lost is told apart from one that was not sent ([`NotTaken::Unknown`]).

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use packetboat_api::clock::{Clock, Timestamp};
use packetboat_api::road::Witness;
use packetboat_api::serve::CancellationToken;
use packetboat_net::bearer::{Inbox, Tallies, Ticket};
use packetboat_sms::at::{Failure, Registration, answers};
use packetboat_sms::tpdu::Address;
use tokio::sync::{mpsc, oneshot};

use crate::device::Device;
use crate::dialogue::{Dialogue, Late, Transfer, Trouble};
use crate::limits::FIRST_PAUSE;
use crate::receive::Undeleted;
use crate::reports::Awaited;
use crate::settings::ModemSettings;
use crate::setup::{self, Setup};
use crate::status::{Link, Status};

/// What the bearer and its task have in common.
pub struct Shared {
    pub(crate) name: String,
    pub(crate) settings: ModemSettings,
    pub(crate) device: Device,
    pub(crate) pin: Option<String>,
    pub(crate) centre: Option<Address>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) witness: Arc<dyn Witness>,
    pub(crate) inbox: Inbox,
    pub(crate) tallies: Tallies,
    pub(crate) awaited: Awaited,
    pub(crate) status: Status,
    pub(crate) stop: CancellationToken,
}

/// One short message for the modem.
pub struct Request {
    /// The SMS-SUBMIT.
    pub tpdu: Bytes,
    /// Its TP-MR, for modems that do not say another.
    pub message: u8,
    /// To whom, in digits.
    pub to: String,
    /// What a status report on it is about.
    pub ticket: Ticket,
    /// More follow: the modem may keep its link to the network.
    pub more: bool,
    /// What became of it.
    pub answer: oneshot::Sender<Answer>,
}

/// What became of a short message: the network took it under this reference, or not.
pub type Answer = Result<u8, NotTaken>;

/// Why a short message was not taken, as far as is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotTaken {
    /// It was refused.
    Refused(Failure),
    /// It was not sent: in words.
    NotSent(String),
    /// It may have been sent: in words.
    Unknown(String),
}

impl Shared {
    pub(crate) fn limit(&self) -> Duration {
        self.settings.command_timeout.0
    }

    pub(crate) async fn pause(&self, span: Duration) {
        self.clock.sleep_until(self.clock.now().after(span)).await;
    }
}

/// Works until it is told to stop.
pub async fn run(shared: Arc<Shared>, mut requests: mpsc::Receiver<Request>) {
    let mut pause = FIRST_PAUSE;
    loop {
        let trouble = match connected(&shared, &mut requests, &mut pause).await {
            Ok(()) => return,
            Err(trouble) => trouble,
        };
        let why = match &trouble {
            Trouble::Unfit(why) => why.clone(),
            other => format!("{other} ({})", shared.settings.device),
        };
        tracing::warn!(bearer = shared.name, why, "the modem cannot be used; it is tried again");
        shared.status.update(|state| {
            state.link = Link::Down(why.clone());
            (state.registration, state.operator, state.signal, state.memory) = (None, None, None, None);
        });
        let until = shared.clock.now().after(pause);
        pause = (pause * 2).min(shared.settings.reconnect_pause.0.max(FIRST_PAUSE));
        loop {
            tokio::select! {
                () = shared.stop.cancelled() => return,
                request = requests.recv() => match request {
                    Some(request) => drop(request.answer.send(Err(NotTaken::NotSent(why.clone())))),
                    None => return,
                },
                () = shared.clock.sleep_until(until) => break,
            }
        }
    }
}

/// One connection. `Ok` when it is time to stop.
async fn connected(
    shared: &Arc<Shared>,
    requests: &mut mpsc::Receiver<Request>,
    pause: &mut Duration,
) -> Result<(), Trouble> {
    let line = tokio::select! {
        line = shared.device.open(&shared.settings) => line.map_err(|error| {
            Trouble::Unfit(format!("the device {} cannot be opened: {error}", shared.settings.device))
        })?,
        () = shared.pause(shared.limit()) => {
            return Err(Trouble::Unfit(format!("{} does not answer", shared.settings.device)));
        }
        () = shared.stop.cancelled() => return Ok(()),
    };
    shared.status.update(|state| state.link = Link::Starting);
    let mut dialogue = Dialogue::new(line, shared.clock.clone(), &shared.name);
    let setup = tokio::select! {
        setup = setup::set_up(shared, &mut dialogue) => setup?,
        () = shared.stop.cancelled() => return Ok(()),
    };
    *pause = FIRST_PAUSE;
    shared.status.update(|state| state.remark = None); // of an earlier connection
    let next_check = shared.clock.now();
    let mut session =
        Session { shared: shared.clone(), dialogue, setup, next_check, undeleted: Undeleted::default(), linked: false };
    session.work(requests).await
}

/// One connection to a modem that is set up.
pub(crate) struct Session {
    pub(crate) shared: Arc<Shared>,
    pub(crate) dialogue: Dialogue,
    pub(crate) setup: Setup,
    pub(crate) undeleted: Undeleted,
    next_check: Timestamp,
    /// The modem keeps its link to the network.
    linked: bool,
}

/// What there is to do next.
enum Next {
    Stop,
    Send(Box<Request>),
    Attend,
    Check,
}

impl Session {
    async fn work(&mut self, requests: &mut mpsc::Receiver<Request>) -> Result<(), Trouble> {
        loop {
            let done = match self.next(requests).await? {
                Next::Stop => return Ok(()),
                Next::Send(request) => self.send(*request).await,
                Next::Attend => Ok(()),
                Next::Check => self.check().await,
            };
            let attended = match done {
                Ok(()) => self.attend().await,
                failed => failed,
            };
            match attended {
                Ok(()) => {}
                Err(trouble @ (Trouble::Silent(_) | Trouble::Forgetful)) => {
                    self.recover(&trouble).await?;
                }
                // A modem that refuses one thing may do the next.
                Err(trouble @ Trouble::Failed(..)) => self.remark(trouble.to_string()),
                Err(trouble) => return Err(trouble),
            }
        }
    }

    async fn next(&mut self, requests: &mut mpsc::Receiver<Request>) -> Result<Next, Trouble> {
        let (shared, dialogue) = (&self.shared, &mut self.dialogue);
        Ok(tokio::select! {
            biased;
            () = shared.stop.cancelled() => Next::Stop,
            attended = dialogue.attend() => attended.map(|()| Next::Attend)?,
            request = requests.recv() => request.map_or(Next::Stop, |request| Next::Send(Box::new(request))),
            () = shared.clock.sleep_until(self.next_check) => Next::Check,
        })
    }

    /// Brings a modem that did not answer, or that has forgotten, to where it was. Gives what came late.
    async fn recover(&mut self, trouble: &Trouble) -> Result<Option<Late>, Trouble> {
        tracing::warn!(bearer = self.shared.name, %trouble, "the modem is set up anew");
        self.remark(trouble.to_string());
        self.shared.status.update(|state| state.link = Link::Starting);
        let late = self.dialogue.resynchronise(self.shared.limit()).await?;
        self.setup = setup::set_up(&self.shared, &mut self.dialogue).await?;
        self.next_check = self.shared.clock.now();
        Ok(late)
    }

    /// Health says it until a later look finds nothing wrong.
    pub(crate) fn remark(&self, what: String) {
        let now = self.shared.clock.now();
        self.shared.status.update(|state| state.remark = Some((now, what)));
    }

    async fn check(&mut self) -> Result<(), Trouble> {
        self.linked = false;
        let (now, interval) = (self.shared.clock.now(), self.shared.settings.check_interval.0);
        self.next_check = now.after(interval);
        setup::check(&self.shared, &mut self.dialogue, &mut self.setup).await?;
        self.sweep().await?;
        self.shared.status.update(|state| {
            state.remark = state.remark.take().filter(|(since, _)| since.until(now) < interval / 2);
        });
        Ok(())
    }

    /// Sends one short message and says what became of it.
    async fn send(&mut self, request: Request) -> Result<(), Trouble> {
        if request.answer.is_closed() {
            return Ok(()); // nobody waits for it any more
        }
        let (answer, then) = match self.submit(&request).await {
            Ok(reference) => (Ok(reference), Ok(())),
            Err(Transfer::NotSent(Trouble::Failed(_, failure))) => (Err(NotTaken::Refused(failure)), Ok(())),
            Err(Transfer::NotSent(Trouble::Unfit(why))) => (Err(NotTaken::NotSent(why)), Ok(())),
            Err(Transfer::NotSent(trouble @ (Trouble::Silent(_) | Trouble::Forgetful))) => {
                (Err(NotTaken::NotSent(trouble.to_string())), self.recover(&trouble).await.map(drop))
            }
            Err(Transfer::NotSent(trouble)) => (Err(NotTaken::NotSent(trouble.to_string())), Err(trouble)),
            Err(Transfer::Unknown(trouble @ Trouble::Silent(_))) => match self.recover(&trouble).await {
                Ok(Some(Late::Sent(reference))) => (Ok(reference), Ok(())),
                Ok(Some(Late::Refused(failure))) => (Err(NotTaken::Refused(failure)), Ok(())),
                recovered => (Err(NotTaken::Unknown(trouble.to_string())), recovered.map(drop)),
            },
            Err(Transfer::Unknown(trouble)) => (Err(NotTaken::Unknown(trouble.to_string())), Err(trouble)),
        };
        match &answer {
            Ok(reference) => {
                self.shared.status.update(|state| (state.trouble, state.remark) = (None, None));
                for report in self.shared.awaited.sent(*reference, &request.to, request.ticket.clone()) {
                    // It was acknowledged when it came, before its time.
                    self.report(&report).await;
                }
            }
            Err(NotTaken::Refused(failure)) => {
                self.shared.status.update(|state| state.trouble = Some(failure.to_string()));
                self.next_check = self.shared.clock.now();
            }
            Err(NotTaken::NotSent(_) | NotTaken::Unknown(_)) => {}
        }
        let _ = request.answer.send(answer); // whoever stopped waiting tries again
        then
    }

    async fn submit(&mut self, request: &Request) -> Result<u8, Transfer> {
        // A modem that does not know may try.
        let cut_off = |shared: &Shared| {
            let known = shared.status.state().registration.filter(|known| *known != Registration::Unknown);
            known.filter(|known| !known.is_registered())
        };
        if cut_off(&self.shared).is_some() {
            setup::look(&self.shared, &mut self.dialogue).await.map_err(Transfer::NotSent)?;
        }
        if let Some(known) = cut_off(&self.shared) {
            return Err(Transfer::NotSent(Trouble::Unfit(format!("the modem is {known}"))));
        }
        if request.more && !self.linked {
            match self.dialogue.command("AT+CMMS=1", self.shared.limit()).await {
                Ok(_) | Err(Trouble::Failed(..)) => self.linked = true, // a modem that cannot is only slower
                Err(trouble) => return Err(Transfer::NotSent(trouble)),
            }
        }
        if !request.more {
            self.linked = false;
        }
        // No address before the TPDU: the modem knows its service centre.
        let pdu = [&[0], &request.tpdu[..]].concat();
        let limits = (self.shared.limit(), self.shared.settings.send_timeout.0);
        let lines = self.dialogue.transfer(&format!("AT+CMGS={}", request.tpdu.len()), &pdu, limits).await?;
        Ok(lines.iter().find_map(|line| line.of("CMGS").and_then(answers::sent)).unwrap_or(request.message))
    }
}
