//! The bearer: a message becomes SMS-SUBMITs, which go to the modem one after the other.
//!
//! Failure story: the first part that fails ends the attempt; the next one goes on from there ([`crate::unfinished`]).

use std::sync::{Arc, Mutex, PoisonError};

use packetboat_api::async_trait;
use packetboat_api::clock::Random;
use packetboat_api::plugin::{Configured, Env};
use packetboat_api::roles::{Bearer, BearerError, Health, Instance, Sent, Sms, SmsBody};
use packetboat_api::serve::CancellationToken;
use packetboat_net::bearer::{Inbox, PushKey, References, Tallies, Ticket, Turns, Unfinished, sending};
use packetboat_sms::at::{Failure, Remedy};
use packetboat_sms::tpdu::{Address, DataCoding, Submit, Validity};
use packetboat_sms::{Alphabet, Ports, Reference, ReferenceWidth, TextSegment, UserData, segment, segment_text};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::device::Device;
use crate::limits::{COMMAND, COMMANDS};
use crate::reports::Awaited;
use crate::session::{Answer, NotTaken, Request, Shared, run};
use crate::settings::{Incoming, ModemSettings};
use crate::setup::service_centre;
use crate::status::Status;
use crate::unfinished::Progress;

/// "Duplicate rejected" (TS 23.040 9.2.3.22): the centre has it already.
const DUPLICATE: Failure = Failure::Cms(197);

/// One modem.
pub struct ModemBearer {
    shared: Arc<Shared>,
    turns: Turns,
    references: References,
    unfinished: Unfinished<Progress>,
    random: Arc<dyn Random>,
    requests: mpsc::Sender<Request>,
    /// The other end, until the task has it.
    waiting: Mutex<Option<mpsc::Receiver<Request>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Configured for ModemBearer {
    type Settings = ModemSettings;

    fn build(settings: ModemSettings, env: &Env) -> Result<Self, (&'static str, String)> {
        let device = Device::parse(&settings.device).map_err(|message| ("device", message))?;
        if settings.baud == 0 {
            return Err(("baud", "a line of 0 bits per second carries nothing; 115200 is usual".to_owned()));
        }
        let pin =
            settings.pin.as_ref().map(|pin| pin.read(&env.base)).transpose().map_err(|message| ("pin", message))?;
        if pin.as_ref().is_some_and(|pin| !(4..=8).contains(&pin.len()) || !pin.bytes().all(|c| c.is_ascii_digit())) {
            return Err(("pin", "a PIN is 4 to 8 digits".to_owned())); // whatever it is, it is not printed
        }
        let centre = service_centre(&settings.service_centre).map_err(|message| ("service_centre", message))?;
        if settings.memory.len() > COMMAND || !settings.memory.bytes().all(|c| c.is_ascii_alphanumeric()) {
            return Err(("memory", format!("\"{}\" is not a memory; write \"SM\" or \"ME\"", settings.memory)));
        }
        if settings.commands.len() > COMMANDS {
            return Err(("commands", format!("{} commands, {COMMANDS} are the most", settings.commands.len())));
        }
        if let Some(wrong) = settings.commands.iter().find(|command| !is_command(command)) {
            let message = format!("{wrong:?} is not a command; it begins with AT and is one line of at most {COMMAND}");
            return Err(("commands", message));
        }
        for (key, period) in [
            ("command_timeout", settings.command_timeout),
            ("send_timeout", settings.send_timeout),
            ("check_interval", settings.check_interval),
        ] {
            if period.0.is_zero() {
                return Err((key, "no time at all is too little; write \"10s\"".to_owned()));
            }
        }
        let (requests, waiting) = mpsc::channel(1);
        let shared = Shared {
            name: env.name.clone(),
            device,
            pin,
            centre,
            clock: env.clock.clone(),
            witness: env.witness.clone(),
            inbox: Inbox::new(&env.name, env.arrivals.clone(), env.clock.clone()),
            tallies: Tallies::default(),
            awaited: Awaited::default(),
            status: Status::default(),
            stop: CancellationToken::new(),
            settings,
        };
        Ok(ModemBearer {
            shared: Arc::new(shared),
            turns: Turns::new(1),
            references: References::new(env.random.as_ref()),
            unfinished: Unfinished::default(),
            random: env.random.clone(),
            requests,
            waiting: Mutex::new(Some(waiting)),
            task: Mutex::default(),
        })
    }
}

fn is_command(text: &str) -> bool {
    text.len() <= COMMAND
        && text.to_ascii_uppercase().starts_with("AT")
        && text.bytes().all(|c| (b' '..0x7F).contains(&c))
}

#[async_trait]
impl Instance for ModemBearer {
    fn check(&self) -> Vec<String> {
        let settings = &self.shared.settings;
        let mut doubts = Vec::new();
        if let Device::Serial(path) = &self.shared.device
            && !std::path::Path::new(path).exists()
        {
            doubts.push(format!("there is no device {path} now: messages will wait until there is one"));
        }
        if !settings.status_reports {
            doubts.push("status_reports is off: whether a message reached its phone will not be known".to_owned());
        }
        if settings.incoming == Incoming::Off {
            doubts.push(
                "incoming is off: what arrives stays on the SIM, and nothing arrives once that is full".to_owned(),
            );
        }
        doubts
    }

    /// A device that cannot be opened is no reason not to start: it is opened when it is there.
    async fn start(&self) -> Result<(), String> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(waiting) = waiting {
            let task = tokio::spawn(run(self.shared.clone(), waiting));
            *self.task.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        }
        Ok(())
    }

    async fn drain(&self) {
        self.shared.stop.cancel();
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            let _ = task.await; // a panic in it was said already
        }
    }

    fn health(&self) -> Health {
        self.shared.status.state().health(self.shared.settings.roaming)
    }
}

#[async_trait]
impl Bearer for ModemBearer {
    async fn send(&self, sms: Sms) -> Result<Sent, BearerError> {
        let _turn = self.turns.take(sms.priority, &sms.on_behalf_of).await;
        if let Some(why) = self.shared.status.state().obstacle() {
            return Err(BearerError::Retry { after: None, why });
        }
        let now = self.shared.clock.now();
        let key = PushKey::of(&sms);
        let mut progress = self.unfinished.take(&key, now).unwrap_or_else(|| self.begin(&sms));
        let parts = parts(&progress.body, progress.reference)?;
        let count = u8::try_from(parts.len()).unwrap_or(u8::MAX); // at most 255: MAX_SEGMENTS
        let mut references = Vec::new();
        for (part, (coding, user_data)) in (1..=count).zip(parts).skip(progress.sent.into()) {
            let again = progress.unknown;
            let message = progress.message.wrapping_add(part - 1);
            let tpdu = self.submit(&sms, message, again, coding, user_data)?;
            let ticket = Ticket { delivery: sms.delivery, sending: progress.sending.clone(), part, parts: count };
            let to = sms.to.digits().to_owned();
            progress.unknown = true;
            self.unfinished.keep(&key, now, progress.clone());
            let answer = self.ask(|answer| Request { tpdu, message, to, ticket, more: part < count, answer }).await;
            progress.unknown = match &answer {
                Err(NotTaken::Unknown(_)) => true,
                Err(NotTaken::NotSent(_)) => again, // nothing was learnt of the earlier one
                Ok(_) | Err(NotTaken::Refused(_)) => false,
            };
            match answer {
                Ok(reference) => references.push(reference.to_string()),
                Err(NotTaken::Refused(DUPLICATE)) if again => references.push("known already".to_owned()),
                Err(why) => {
                    let error = error(why, part, count);
                    match error {
                        BearerError::Retry { .. } if progress.matters() => self.unfinished.keep(&key, now, progress),
                        _ => self.unfinished.forget(&key),
                    }
                    return Err(error);
                }
            }
            progress.sent = part;
        }
        self.unfinished.forget(&key);
        Ok(Sent { segments: count.into(), detail: format!("modem: reference {}", references.join(", ")) })
    }
    fn gives_receipts(&self) -> bool {
        self.shared.settings.status_reports
    }
    fn window(&self) -> usize {
        1
    }
}

impl ModemBearer {
    fn begin(&self, sms: &Sms) -> Progress {
        let width = if self.shared.settings.wide_reference { ReferenceWidth::Sixteen } else { ReferenceWidth::Eight };
        Progress {
            body: sms.body.clone(),
            reference: self.references.next(&sms.to, width),
            message: self.random.number() as u8,
            sending: sending(sms, self.random.as_ref()),
            sent: 0,
            unknown: false,
        }
    }

    /// Hands one part to the task and waits for what becomes of it.
    async fn ask(&self, request: impl FnOnce(oneshot::Sender<Answer>) -> Request) -> Answer {
        let (answer, answered) = oneshot::channel();
        let gone = || Err(NotTaken::NotSent("the modem is not in use any more".to_owned()));
        match self.requests.send(request(answer)).await {
            Ok(()) => answered.await.unwrap_or_else(|_| gone()),
            Err(_) => gone(),
        }
    }

    fn submit(
        &self,
        sms: &Sms,
        reference: u8,
        reject_duplicates: bool,
        coding: DataCoding,
        user_data: UserData,
    ) -> Result<bytes::Bytes, BearerError> {
        let permanent = |error: packetboat_sms::tpdu::TpduError| BearerError::Permanent { why: error.to_string() };
        let submit = Submit {
            reject_duplicates,
            status_report: self.shared.settings.status_reports,
            reply_path: false,
            reference,
            destination: Address::international(sms.to.digits()).map_err(permanent)?,
            protocol: 0,
            coding,
            validity: Validity::at_least(self.shared.clock.now().until(sms.expires)),
            user_data,
        };
        submit.encode().map_err(permanent)
    }
}

/// The short messages that a body takes.
fn parts(body: &SmsBody, reference: Reference) -> Result<Vec<(DataCoding, UserData)>, BearerError> {
    let permanent = |error: packetboat_sms::SegmentError| BearerError::Permanent { why: error.to_string() };
    let (ports, octets) = match body {
        SmsBody::Push(octets) => (Ports::WAP_PUSH, octets),
        SmsBody::Data { destination, originator, octets } => {
            (Ports { destination: *destination, originator: *originator }, octets)
        }
        SmsBody::Text(text) => {
            let part = |segment: TextSegment| {
                let coding = match segment.alphabet {
                    Alphabet::Gsm7 => DataCoding::TEXT,
                    Alphabet::Ucs2 => DataCoding::UCS2,
                };
                let payload = segment.units().into();
                (coding, UserData { header: segment.header, payload })
            };
            return Ok(segment_text(text, reference).map_err(permanent)?.into_iter().map(part).collect());
        }
    };
    let segments = segment(octets, ports, reference).map_err(permanent)?;
    Ok(segments.into_iter().map(|data| (DataCoding::BINARY, data)).collect())
}

/// What a part that was not taken means for the message.
fn error(why: NotTaken, part: u8, parts: u8) -> BearerError {
    let which = if parts == 1 { String::new() } else { format!(" (short message {part} of {parts})") };
    let retry = |why: String| BearerError::Retry { after: None, why };
    match why {
        NotTaken::Refused(failure) => match failure.remedy() {
            Remedy::Never => BearerError::Permanent { why: format!("the network refused: {failure}{which}") },
            Remedy::Later => retry(format!("the network cannot now: {failure}{which}")),
            Remedy::SetUp => retry(format!("the modem's set-up: {failure}{which}; it waits for whoever mends it")),
        },
        NotTaken::Unknown(why) => retry(format!("it is not known whether it was sent: {why}{which}")),
        NotTaken::NotSent(why) => retry(format!("{why}{which}")),
    }
}
