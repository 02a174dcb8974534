//! One connection to the SMSC, made again whenever it is lost.
//!
//! Between two tries it waits, longer each time up to `reconnect_max`, and never exactly as long as another one does, so
//! that an SMSC that comes back is not met by everybody at once.

use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::BytesMut;
use packetboat_api::clock::Timestamp;
use packetboat_api::serve::Stream;
use packetboat_net::tls::TlsClient;
use rusmpp::Pdu;
use rusmpp::pdus::{BindReceiver, BindTransceiver, BindTransmitter};
use rusmpp::values::{InterfaceVersion, Npi, Ton};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio::time::{Instant, timeout};

use crate::core::{Core, Flight};
use crate::session::{End, Session, UNBOUND};
use crate::settings::{SmppSettings, Tls};
use crate::status::{Class, Status};
use crate::submit::text;
use crate::wire::{self, RESPONSE, id};

/// The port of SMPP when an address names none (IANA: smpp).
const PORT: u16 = 2775;

/// Where the SMSC is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Host name, or address without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl Place {
    /// Reads `host`, `host:port`, `192.0.2.1:2775` or `[2001:db8::1]:2775`. The error is in words.
    pub fn read(text: &str) -> Result<Self, String> {
        let wrong =
            || format!("\"{text}\" is not an address; write it as \"smsc.example.net:2775\" or \"[2001:db8::1]:2775\"");
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !text.ends_with(']') => (host, port.parse::<u16>().map_err(|_| wrong())?),
            _ => (text, PORT),
        };
        let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let bare = inner.unwrap_or(host);
        let strange = |c: char| c.is_whitespace() || matches!(c, '/' | '[' | ']' | '@');
        if bare.is_empty() || port == 0 || bare.contains(strange) || (bare.contains(':') && inner.is_none()) {
            return Err(wrong());
        }
        Ok(Place { host: bare.to_owned(), port })
    }

    /// Whether it is this machine.
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Sending.
    Transmitter,
    /// Receiving.
    Receiver,
    /// Both.
    Transceiver,
}

/// One connection.
#[derive(Debug)]
pub struct Link {
    place: Place,
    using: Use,
    /// How it is called in logs and health.
    called: String,
    load: Arc<AtomicUsize>,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// The first try is under way, or it has not begun.
    New,
    /// It is there.
    Bound(mpsc::Sender<Flight>),
    /// It ended for want of use.
    Idle,
    /// It is not there: since when, why, and whether it could not be made again either.
    Down { since: Timestamp, why: String, refused: bool },
}

/// A place on a connection; dropping it gives it back.
#[derive(Debug)]
pub struct Load {
    load: Arc<AtomicUsize>,
    changed: Arc<Notify>,
}

impl Drop for Load {
    fn drop(&mut self) {
        self.load.fetch_sub(1, Ordering::AcqRel);
        self.changed.notify_waiters();
    }
}

impl Link {
    /// Not connected yet. `number` tells several to one place apart.
    pub fn new(place: Place, using: Use, number: usize) -> Self {
        let kind = match using {
            Use::Transmitter => "transmitter",
            Use::Receiver => "receiver",
            Use::Transceiver => "transceiver",
        };
        let called = format!("{}:{} {kind} {number}", place.host, place.port);
        Link { place, using, called, load: Arc::default(), state: Mutex::new(State::New) }
    }

    /// Whether it is for sending.
    pub fn sends(&self) -> bool {
        self.using != Use::Receiver
    }

    /// Whether it is there.
    pub fn is_bound(&self) -> bool {
        matches!(&*self.lock(), State::Bound(sender) if !sender.is_closed())
    }

    /// Whether it works as far as is known: it is there, or not wanted now.
    pub fn is_well(&self) -> bool {
        matches!(*self.lock(), State::Bound(_) | State::Idle)
    }

    /// Whether it was tried and could not be made: there is no sense in waiting for it.
    pub fn is_refused(&self) -> bool {
        matches!(*self.lock(), State::Down { refused: true, .. })
    }

    /// Why it is not there and since when, in words.
    pub fn trouble(&self) -> Option<String> {
        match &*self.lock() {
            State::Down { since, why, .. } => Some(format!("{} is not bound since {since}: {why}", self.called)),
            _ => None,
        }
    }

    /// Short messages on it without an answer.
    pub fn load(&self) -> usize {
        self.load.load(Ordering::Acquire)
    }

    /// A place on it, when there is one; `changed` is told when it is free again.
    pub fn place(&self, window: usize, changed: &Arc<Notify>) -> Option<(mpsc::Sender<Flight>, Load)> {
        let state = self.lock();
        let State::Bound(sender) = &*state else { return None };
        if sender.is_closed() {
            return None; // it is ending
        }
        let taken =
            self.load.fetch_update(Ordering::AcqRel, Ordering::Acquire, |load| (load < window).then_some(load + 1));
        taken.ok().map(|_| (sender.clone(), Load { load: self.load.clone(), changed: changed.clone() }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, core: &Core, state: State) {
        *self.lock() = state;
        core.fit_window();
    }

    /// Keeps it there until `drain`.
    pub async fn keep(self: Arc<Self>, core: Arc<Core>, tls: Option<TlsClient>) {
        let mut wait = core.settings.reconnect_min.0;
        while !core.drain.is_cancelled() {
            let begun = Instant::now();
            let opened = tokio::select! {
                opened = self.open(&core, tls.as_ref()) => opened,
                () = core.drain.cancelled() => return,
            };
            let refused = opened.is_err();
            let why = match opened {
                Err(why) => {
                    tracing::warn!(bearer = core.name, connection = self.called, why, "not bound");
                    why
                }
                Ok((stream, read, sequence)) => match self.serve(&core, stream, read, sequence).await {
                    End::Drained => {
                        let why = "this node is ending".to_owned();
                        return self.set(&core, State::Down { since: core.clock.now(), why, refused: true });
                    }
                    End::Idle => {
                        let wanted = core.wanted.notified();
                        tokio::pin!(wanted);
                        wanted.as_mut().enable();
                        self.set(&core, State::Idle);
                        tokio::select! {
                            () = wanted => continue,
                            () = core.drain.cancelled() => return,
                        }
                    }
                    End::Unbound => {
                        tracing::info!(bearer = core.name, connection = self.called, "{UNBOUND}");
                        UNBOUND.to_owned()
                    }
                    End::Lost(why) | End::Unfit(why) => {
                        tracing::warn!(bearer = core.name, connection = self.called, why, "the connection was lost");
                        why
                    }
                },
            };
            let since = match &*self.lock() {
                State::Down { since, .. } => *since,
                _ => core.clock.now(),
            };
            self.set(&core, State::Down { since, why, refused });
            // One that held a while was no failed try.
            if begun.elapsed() > wait.max(core.settings.reconnect_min.0 * 4) {
                wait = core.settings.reconnect_min.0;
            }
            tokio::select! {
                () = tokio::time::sleep(jittered(wait, core.random.number())) => {}
                () = core.drain.cancelled() => return,
            }
            wait = (wait * 2).min(core.settings.reconnect_max.0);
        }
    }

    async fn serve(&self, core: &Arc<Core>, stream: Box<dyn Stream>, read: BytesMut, sequence: u32) -> End {
        // As many as the window: whoever has a place on the connection finds room in the channel.
        let (sender, flights) = mpsc::channel(core.settings.window);
        let session = Session::new(core.clone(), self.called.clone(), flights, read, sequence);
        self.set(core, State::Bound(sender));
        tracing::info!(bearer = core.name, connection = self.called, "bound");
        // A task of its own: a fault there loses one connection and not the link.
        tokio::spawn(session.run(stream))
            .await
            .unwrap_or_else(|_| End::Lost("a fault of packetboat's own ended the session".to_owned()))
    }

    /// Connects, encrypts, binds. Gives the stream, what the SMSC said behind its answer, and the last sequence number. The
    /// error is in words.
    async fn open(&self, core: &Core, tls: Option<&TlsClient>) -> Result<(Box<dyn Stream>, BytesMut, u32), String> {
        let settings = &core.settings;
        let limit = settings.connect_timeout.0;
        let span = settings.connect_timeout;
        let connecting = TcpStream::connect((self.place.host.as_str(), self.place.port));
        let socket = match timeout(limit, connecting).await {
            Ok(Ok(socket)) => socket,
            Ok(Err(error)) => return Err(format!("no connection: {error}; look at addresses")),
            Err(_) => return Err(format!("no connection within {span}; look at addresses")),
        };
        // PDUs are written in whole groups: waiting for more to send gains nothing.
        let _ = socket.set_nodelay(true);
        let mut stream: Box<dyn Stream> = Box::new(socket);
        if let Some(tls) = tls {
            let name = settings.tls_name.as_deref().unwrap_or(&self.place.host);
            let verify = settings.tls == Tls::Required;
            stream = match timeout(limit, tls.handshake(stream, name, verify)).await {
                Ok(Ok(stream)) => stream,
                Ok(Err(error)) => return Err(format!("no TLS: {error}; look at tls, ca_file and tls_name")),
                Err(_) => return Err(format!("no TLS within {span}; look at tls")),
            };
        }
        let (bind, sequence) = (self.bind(settings, &core.password)?, 1);
        let mut read = BytesMut::new();
        match timeout(limit, exchange(&mut stream, &bind, sequence, &mut read)).await {
            Ok(Ok(())) => Ok((stream, read, sequence)),
            Ok(Err(why)) => Err(why),
            Err(_) => Err(format!("the SMSC did not answer the bind within {span}; look at addresses and tls")),
        }
    }

    fn bind(&self, settings: &SmppSettings, password: &str) -> Result<BytesMut, String> {
        let system_id = text("system_id", &settings.system_id)?;
        let password = text("password", password).map_err(|_| "password is not what SMPP can say".to_owned())?;
        let system_type = text("system_type", &settings.system_type)?;
        let range = text("address_range", &settings.address_range)?;
        let version = InterfaceVersion::Smpp3_4;
        let (ton, npi) = (Ton::Unknown, Npi::Unknown);
        let pdu: Pdu = match self.using {
            Use::Transmitter => BindTransmitter::new(system_id, password, system_type, version, ton, npi, range).into(),
            Use::Receiver => BindReceiver::new(system_id, password, system_type, version, ton, npi, range).into(),
            Use::Transceiver => BindTransceiver::new(system_id, password, system_type, version, ton, npi, range).into(),
        };
        Ok(wire::encode(Status::OK, 1, pdu))
    }
}

/// Says the bind and waits for its answer; what comes behind that stays in `read`.
async fn exchange(stream: &mut Box<dyn Stream>, bind: &[u8], sequence: u32, read: &mut BytesMut) -> Result<(), String> {
    let broke = |error: std::io::Error| format!("the connection broke at the bind: {error}");
    stream.write_all(bind).await.map_err(broke)?;
    stream.flush().await.map_err(broke)?;
    loop {
        let not_smpp = |why: wire::LostFraming| {
            format!("what answers there does not speak SMPP: {why}; look at addresses and tls")
        };
        while let Some(frame) = wire::next_frame(read).map_err(not_smpp)? {
            let about_bind = frame.id & RESPONSE != 0 && frame.sequence == sequence;
            if frame.id != id::GENERIC_NACK && !about_bind {
                continue; // an enquire_link, perhaps: nothing counts before the bind
            }
            return match frame.status.class() {
                Class::Ok if frame.id != id::GENERIC_NACK => Ok(()),
                Class::SetUp(setting) => Err(format!("the SMSC refused the bind: {}; look at {setting}", frame.status)),
                _ => Err(format!("the SMSC refused the bind: {}; look at bind, system_id and password", frame.status)),
            };
        }
        if stream.read_buf(read).await.map_err(broke)? == 0 {
            return Err("the SMSC closed the connection at the bind; look at bind, system_id and password".to_owned());
        }
    }
}

/// Between half of a span and all of it.
fn jittered(span: Duration, random: u32) -> Duration {
    span / 2 + span.mul_f64(f64::from(random) / f64::from(u32::MAX) / 2.0)
}
