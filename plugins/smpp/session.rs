//! One bound connection: one task owns the socket.
//!
//! What is to be sent comes in by a bounded channel and is written in one go with whatever else is ready; what the SMSC says
//! is matched by sequence number. An answer may be late: the short message keeps its place in the window until the answer
//! comes, however long ago its push went back to the queue, so that the window is never wider than agreed and a late
//! answer is still known for what it is. Only when an answer is later than `late_timeout`, or the connection ends, is the
//! place given up and the short message sent again.
//!
//! Failure story: a PDU whose body cannot be read is answered with generic_nack and the session goes on; a `command_length`
//! that cannot be right loses the place of the next PDU, so the connection is ended. Everything on its way is then settled
//! as lost, and everything not yet written as never sent. A session that the SMSC ends (unbind) gets nothing new to carry:
//! answers that are on their way come in, ours go out, and only then it is answered and ends. One that the SMSC says is not
//! what it should be is ended by us and made anew.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use packetboat_api::serve::Stream;
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::core::{Core, Flight};
use crate::incoming;
use crate::limits::{MAX_INCOMING, MAX_UNWRITTEN, UNBIND};
use crate::sending::Step;
use crate::status::{Class, Status};
use crate::wire::{self, Frame, RESPONSE, answer, id};

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// We are ending.
    Drained,
    /// Nothing was sent or delivered for long.
    Idle,
    /// The SMSC ended it (unbind).
    Unbound,
    /// The SMSC says that the session is not what it should be: in words.
    Unfit(String),
    /// The connection is gone, in words.
    Lost(String),
}

/// Why, when the SMSC ended it.
pub const UNBOUND: &str = "the SMSC ended the session (unbind)";

/// A bound connection.
pub struct Session {
    core: Arc<Core>,
    /// How the connection is called in logs.
    called: String,
    flights: mpsc::Receiver<Flight>,
    read: BytesMut,
    unwritten: BytesMut,
    /// Something was written that an encrypted stream may still keep.
    unflushed: bool,
    sequence: u32,
    /// What has no answer, with when it was sent.
    pending: HashMap<u32, (Instant, Flight)>,
    /// When each was sent, oldest first; may name ones that were answered.
    sent: VecDeque<(Instant, u32)>,
    incoming: JoinSet<BytesMut>,
    /// When the SMSC last said anything.
    heard: Instant,
    /// When something was last sent or delivered.
    used: Instant,
    /// When we asked whether it is there, while it has not said anything since.
    asked: Option<Instant>,
    /// We are ending: since when.
    ending: Option<Instant>,
    /// The SMSC is ending: since when, and the number of its unbind.
    unbound: Option<(Instant, u32)>,
}

type Ended = Result<std::convert::Infallible, End>;

impl Session {
    /// A session on a connection that was just bound; `read` is what the SMSC has said already, `sequence` the last number
    /// that was used.
    pub fn new(
        core: Arc<Core>,
        called: String,
        flights: mpsc::Receiver<Flight>,
        read: BytesMut,
        sequence: u32,
    ) -> Self {
        let now = Instant::now();
        Session {
            core,
            called,
            flights,
            read,
            unwritten: BytesMut::new(),
            unflushed: false,
            sequence,
            pending: HashMap::new(),
            sent: VecDeque::new(),
            incoming: JoinSet::new(),
            heard: now,
            used: now,
            asked: None,
            ending: None,
            unbound: None,
        }
    }

    /// Runs it to its end.
    pub async fn run(mut self, stream: Box<dyn Stream>) -> End {
        let (mut from, mut to) = tokio::io::split(stream);
        let Err(end) = self.serve(&mut from, &mut to).await;
        // Nothing new comes in; what waits in the channel was never sent and says so when it is dropped.
        self.flights.close();
        // Whoever does not take a goodbye in time goes without one.
        let _ = match end {
            End::Lost(_) => Ok(Ok(())),
            End::Unbound => timeout(UNBIND, self.answer_unbind(&mut to)).await,
            _ => timeout(UNBIND, self.unbind(&mut from, &mut to)).await,
        };
        if !self.pending.is_empty() {
            tracing::warn!(
                bearer = self.core.name,
                connection = self.called,
                unanswered = self.pending.len(),
                "the connection ended before the SMSC answered everything; what it did not answer is sent again"
            );
        }
        let why = match &end {
            End::Lost(why) | End::Unfit(why) => why.clone(),
            End::Unbound => UNBOUND.to_owned(),
            End::Drained | End::Idle => "the connection was ended".to_owned(),
        };
        for (_, (_, flight)) in self.pending.drain() {
            flight.settle(Step::Lost(why.clone()));
        }
        // What is being written down is finished, although the SMSC will not hear of it on this connection.
        self.incoming.detach_all();
        end
    }

    async fn serve(&mut self, from: &mut ReadHalf<Box<dyn Stream>>, to: &mut WriteHalf<Box<dyn Stream>>) -> Ended {
        self.take_frames()?;
        let drain = self.core.drain.clone();
        let mut ready = Vec::new();
        loop {
            let room = self.unwritten.len() < MAX_UNWRITTEN;
            let writing = !self.unwritten.is_empty() || self.unflushed;
            let timer = self.timer();
            let window = self.core.settings.window;
            // In this order what is ready is gathered before it is written, in one go.
            tokio::select! {
                biased;
                () = drain.cancelled(), if self.ending.is_none() => self.ending = Some(Instant::now()),
                taken = self.flights.recv_many(&mut ready, window), if room && self.ending.is_none() && self.unbound.is_none() => {
                    if taken == 0 {
                        return Err(End::Drained);
                    }
                    ready.drain(..).for_each(|flight| self.submit(flight));
                }
                octets = from.read_buf(&mut self.read), if room => {
                    match octets {
                        Ok(0) if self.unbound.is_some() => return Err(End::Unbound),
                        Ok(0) => return Err(lost("the SMSC closed the connection")),
                        Ok(_) => {}
                        Err(error) => return Err(lost(format!("the connection broke: {error}"))),
                    }
                    self.heard = Instant::now();
                    self.asked = None;
                    self.take_frames()?;
                }
                Some(done) = self.incoming.join_next(), if room => {
                    // One that panicked gives no answer; the SMSC says it again.
                    if let Ok(octets) = done {
                        self.unwritten.extend_from_slice(&octets);
                    }
                }
                gone = go_out(to, &mut self.unwritten, &mut self.unflushed), if writing => {
                    if let Err(error) = gone {
                        return Err(lost(format!("the connection broke: {error}")));
                    }
                }
                () = sleep_until(timer) => self.tick(Instant::now())?,
            }
            if let Some((since, _)) = self.unbound
                && (self.pending.is_empty() && self.incoming.is_empty() || since.elapsed() > UNBIND)
            {
                return Err(End::Unbound);
            }
            if let Some(since) = self.ending
                && (self.quiet() || since.elapsed() > self.core.settings.response_timeout.0)
            {
                return Err(End::Drained);
            }
        }
    }

    fn quiet(&self) -> bool {
        self.pending.is_empty() && self.incoming.is_empty() && self.unwritten.is_empty() && !self.unflushed
    }

    fn submit(&mut self, mut flight: Flight) {
        let sequence = self.next_sequence();
        wire::number(&mut flight.octets, sequence);
        self.unwritten.extend_from_slice(&flight.octets);
        flight.octets = BytesMut::new();
        flight.sent = true;
        self.used = Instant::now();
        self.sent.push_back((self.used, sequence));
        self.pending.insert(sequence, (self.used, flight));
        // One without an answer must not keep the numbers of all that were answered after it.
        if self.sent.len() > 4 * self.core.settings.window {
            let pending = &self.pending;
            self.sent.retain(|(_, sequence)| pending.contains_key(sequence));
        }
    }

    /// From 1 to 0x7FFFFFFF (SMPP 3.4 5.1.4), and no number that still waits for its answer.
    fn next_sequence(&mut self) -> u32 {
        loop {
            self.sequence = self.sequence % 0x7FFF_FFFF + 1;
            if !self.pending.contains_key(&self.sequence) {
                return self.sequence;
            }
        }
    }

    fn take_frames(&mut self) -> Result<(), End> {
        loop {
            match wire::next_frame(&mut self.read) {
                Ok(Some(frame)) => self.take(frame)?,
                Ok(None) => return Ok(()),
                Err(error) => {
                    tracing::warn!(
                        bearer = self.core.name, connection = self.called, %error,
                        "the SMSC's PDUs cannot be told apart any more: the connection is made anew"
                    );
                    return Err(lost(error.to_string()));
                }
            }
        }
    }

    fn take(&mut self, frame: Frame) -> Result<(), End> {
        let Frame { id, status, sequence, .. } = frame;
        match id {
            id::GENERIC_NACK => self.nacked(status, sequence)?,
            _ if id == id::SUBMIT_SM | RESPONSE => self.answered(&frame)?,
            _ if id == id::ENQUIRE_LINK | RESPONSE && status != Status::OK => {
                return Err(End::Unfit(format!("the SMSC answered an enquire_link with {status}")));
            }
            _ if id == id::ENQUIRE_LINK | RESPONSE || id == id::UNBIND | RESPONSE => {}
            id::ENQUIRE_LINK => self.say(&answer(id | RESPONSE, Status::OK, sequence)),
            id::DELIVER_SM | id::DATA_SM => self.deliver(frame),
            id::ALERT_NOTIFICATION => {}
            id::UNBIND => {
                self.unbound.get_or_insert((Instant::now(), sequence));
                // Nothing new comes in; what waits in the channel was never sent and goes elsewhere at once.
                self.flights.close();
                while self.flights.try_recv().is_ok() {}
            }
            _ if id & RESPONSE != 0 => {
                let command = wire::command(id);
                tracing::warn!(
                    bearer = self.core.name,
                    connection = self.called,
                    command,
                    sequence,
                    "an answer to nothing"
                );
            }
            _ => {
                let command = wire::command(id);
                tracing::warn!(
                    bearer = self.core.name,
                    connection = self.called,
                    command,
                    "the SMSC asked for something that is not for us"
                );
                self.say(&answer(id::GENERIC_NACK, Status::BAD_COMMAND, sequence));
            }
        }
        Ok(())
    }

    fn say(&mut self, octets: &[u8]) {
        self.unwritten.extend_from_slice(octets);
    }

    fn answered(&mut self, frame: &Frame) -> Result<(), End> {
        let Some((sent, flight)) = self.pending.remove(&frame.sequence) else {
            let (connection, sequence) = (&self.called, frame.sequence);
            tracing::warn!(bearer = self.core.name, connection, sequence, "a submit_sm_resp to nothing that was sent");
            return Ok(());
        };
        let now = Instant::now();
        let took = now.duration_since(sent);
        if took > self.core.settings.response_timeout.0 {
            let (delivery, seconds) = (flight.sending.delivery, took.as_secs());
            tracing::info!(bearer = self.core.name, %delivery, seconds, status = %frame.status, "the SMSC answered late");
        }
        if frame.status.class() == Class::Ok {
            self.core.took(flight, wire::first_text(&frame.body), now);
        } else {
            self.refused(flight, frame.status, now);
        }
        self.forget_answered();
        fit(frame.status)
    }

    fn refused(&mut self, flight: Flight, status: Status, now: Instant) {
        if status.class() == Class::Slower {
            self.core.pace.slower(now);
            self.core.fit_window();
        }
        flight.settle(Step::Refused(status));
    }

    fn nacked(&mut self, status: Status, sequence: u32) -> Result<(), End> {
        tracing::warn!(bearer = self.core.name, connection = self.called, %status, sequence, "the SMSC could not read what it was sent");
        if let Some((_, flight)) = self.pending.remove(&sequence) {
            self.refused(flight, status, Instant::now());
            self.forget_answered();
        }
        fit(status)
    }

    fn forget_answered(&mut self) {
        while self.sent.front().is_some_and(|(_, sequence)| !self.pending.contains_key(sequence)) {
            self.sent.pop_front();
        }
    }

    fn deliver(&mut self, frame: Frame) {
        self.used = Instant::now();
        let (id, sequence) = (frame.id | RESPONSE, frame.sequence);
        let delivered = match wire::read_delivered(&frame) {
            Ok(delivered) => delivered,
            Err(error) => {
                let command = wire::command(frame.id);
                tracing::warn!(bearer = self.core.name, connection = self.called, command, sequence, %error, "refused: it cannot be read");
                return self.say(&answer(id::GENERIC_NACK, Status::BAD_LENGTH, sequence));
            }
        };
        if self.incoming.len() >= MAX_INCOMING {
            return self.say(&answer(id, Status::TRY_LATER, sequence));
        }
        let core = self.core.clone();
        self.incoming.spawn(async move { answer(id, incoming::take(core, delivered).await, sequence) });
    }

    /// When something is due although nobody says anything.
    fn timer(&self) -> Instant {
        let settings = &self.core.settings;
        let asking = match self.asked {
            Some(since) => since + settings.response_timeout.0,
            None => self.heard + settings.enquire_link.0,
        };
        let late = self.sent.front().map(|(since, _)| *since + settings.late_timeout.0);
        let idle = settings.inactivity_timeout.map(|span| self.used + span.0).filter(|_| self.quiet());
        let ending = self.ending.map(|since| since + settings.response_timeout.0 + Duration::from_millis(1));
        let unbound = self.unbound.map(|(since, _)| since + UNBIND + Duration::from_millis(1));
        [late, idle, ending, unbound].into_iter().flatten().fold(asking, Instant::min)
    }

    fn tick(&mut self, now: Instant) -> Result<(), End> {
        let core = self.core.clone();
        let settings = &core.settings;
        if self.sent.front().is_some_and(|(since, _)| now >= *since + settings.late_timeout.0) {
            let span = settings.late_timeout;
            return Err(lost(format!("the SMSC did not answer a submit_sm within {span} (late_timeout)")));
        }
        if settings.inactivity_timeout.is_some_and(|span| self.quiet() && now >= self.used + span.0) {
            return Err(End::Idle);
        }
        match self.asked {
            Some(since) if now >= since + settings.response_timeout.0 => {
                let span = settings.response_timeout;
                Err(lost(format!("the SMSC did not answer an enquire_link within {span} (response_timeout)")))
            }
            None if now >= self.heard + settings.enquire_link.0 => {
                self.asked = Some(now);
                let sequence = self.next_sequence();
                self.say(&answer(id::ENQUIRE_LINK, Status::OK, sequence));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Answers the SMSC's goodbye, behind everything else that has to be said; the caller bounds it.
    async fn answer_unbind(&mut self, to: &mut WriteHalf<Box<dyn Stream>>) -> std::io::Result<()> {
        if let Some((_, sequence)) = self.unbound {
            self.say(&answer(id::UNBIND | RESPONSE, Status::OK, sequence));
        }
        to.write_all_buf(&mut self.unwritten).await?;
        to.flush().await?;
        to.shutdown().await
    }

    /// Says goodbye and waits for the answer; the caller bounds it.
    async fn unbind(
        &mut self,
        from: &mut ReadHalf<Box<dyn Stream>>,
        to: &mut WriteHalf<Box<dyn Stream>>,
    ) -> std::io::Result<()> {
        // What was delivered and is being written down is answered first, if that is soon.
        while let Ok(Some(done)) = timeout(UNBIND / 2, self.incoming.join_next()).await {
            if let Ok(octets) = done {
                self.say(&octets);
            }
        }
        let sequence = self.next_sequence();
        self.say(&answer(id::UNBIND, Status::OK, sequence));
        to.write_all_buf(&mut self.unwritten).await?;
        to.flush().await?;
        loop {
            while let Ok(Some(frame)) = wire::next_frame(&mut self.read) {
                match frame.id {
                    _ if frame.id == id::UNBIND | RESPONSE => return to.shutdown().await,
                    // Answers that were on their way count.
                    _ if frame.id == id::SUBMIT_SM | RESPONSE => drop(self.answered(&frame)),
                    id::UNBIND => {
                        self.say(&answer(id::UNBIND | RESPONSE, Status::OK, frame.sequence));
                        to.write_all_buf(&mut self.unwritten).await?;
                        to.flush().await?;
                    }
                    _ => {}
                }
            }
            if from.read_buf(&mut self.read).await? == 0 {
                return Ok(());
            }
        }
    }
}

/// Writes some of what is to go out, or, when all of it is written, flushes. Nothing is lost when it is dropped: who looks for
/// more to send meanwhile has it written in one go.
async fn go_out(
    to: &mut WriteHalf<Box<dyn Stream>>,
    unwritten: &mut BytesMut,
    unflushed: &mut bool,
) -> std::io::Result<()> {
    if unwritten.is_empty() {
        to.flush().await?;
        *unflushed = false;
    } else {
        // The other attempts that have a turn now say first what they have to send.
        tokio::task::yield_now().await;
        to.write_buf(unwritten).await?;
        *unflushed = true;
    }
    Ok(())
}

/// Whether the session can go on after this answer.
fn fit(status: Status) -> Result<(), End> {
    match status.class() {
        Class::Session => Err(End::Unfit(format!("the SMSC says that the session is not fit for it: {status}"))),
        _ => Ok(()),
    }
}

fn lost(why: impl Into<String>) -> End {
    End::Lost(why.into())
}
