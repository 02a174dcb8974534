//! One connection: found, opened, encrypted, authenticated.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Quit, Starttls};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::response::Response;
use packetboat_api::clock::Timestamp;
use packetboat_api::serve::Stream;
use packetboat_smtp::Reply;
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::features::Features;
use super::tap::Tap;
use super::{Fault, Options, Refused, TlsPolicy};
use crate::dns::literal;
use crate::tls::TlsClient;

/// What lettre is told again after a STARTTLS: a server greets once only (RFC 3207 4.2).
const GREETED: &[u8] = b"220 again\r\n";
/// Longest wait for the answer to QUIT.
const QUIT_TIMEOUT: Duration = Duration::from_secs(5);

/// A connection over which mail can be sent.
pub(super) struct Connection {
    pub smtp: AsyncSmtpConnection,
    pub features: Features,
    /// Whether it is encrypted.
    pub secure: bool,
    /// The host as it is called in replies.
    pub host: String,
    pub opened: Timestamp,
    pub used: Timestamp,
    /// Messages sent over it.
    pub messages: u32,
}

/// What a command got.
pub(super) enum Answer {
    /// A reply of whatever code.
    Reply(Reply),
    /// None; the connection is of no more use.
    Lost(String),
}

/// Opens a connection to one address of a host.
pub(super) async fn open(
    host: &str,
    address: SocketAddr,
    options: &Options,
    tls: &TlsClient,
    now: Timestamp,
) -> Result<Connection, Refused> {
    match attempt(host, address, options, tls, now, options.tls).await {
        // A handshake that fails is no reason not to send what would have gone in the clear anyway (RFC 7435 3).
        Err(Trouble::Handshake(why)) if options.tls == TlsPolicy::Opportunistic => {
            tracing::debug!(host, why, "no TLS with this host, going on without");
            attempt(host, address, options, tls, now, TlsPolicy::None).await.map_err(Trouble::into_refused)
        }
        other => other.map_err(Trouble::into_refused),
    }
}

enum Trouble {
    Handshake(String),
    Other(Refused),
}

impl Trouble {
    fn into_refused(self) -> Refused {
        match self {
            Trouble::Handshake(why) => not_reached((4, 7, 5), why),
            Trouble::Other(refused) => refused,
        }
    }
}

fn not_reached(status: (u8, u16, u16), text: impl Into<String>) -> Refused {
    Refused::new(Fault::NotReached, status, text)
}

fn trouble(text: impl Into<String>) -> Trouble {
    Trouble::Other(not_reached((4, 4, 1), text))
}

async fn attempt(
    host: &str,
    address: SocketAddr,
    options: &Options,
    tls: &TlsClient,
    now: Timestamp,
    policy: TlsPolicy,
) -> Result<Connection, Trouble> {
    let called = called(host, address);
    let stream = connect(&called, address, options.connect_timeout).await?;
    let mut secure = policy == TlsPolicy::Implicit;
    let stream = if secure { handshake(stream, host, &called, true, options, tls).await? } else { stream };
    let mut tap = Tap::new(stream, address, b"");
    let mut smtp = greet(&tap, &called, options).await?;
    let wanted = matches!(policy, TlsPolicy::Opportunistic | TlsPolicy::Required);
    if wanted && smtp.can_starttls() {
        let verify = policy == TlsPolicy::Required;
        let plain = ask_for_tls(smtp, &tap, &called, options).await?;
        let stream = handshake(plain, host, &called, verify, options, tls).await?;
        tap = Tap::new(stream, address, GREETED);
        smtp = greet(&tap, &called, options).await?;
        secure = true;
    } else if policy == TlsPolicy::Required {
        return Err(Trouble::Handshake(format!("{called} offers no STARTTLS, and it is required")));
    }
    let features = Features::from_talk(&tap.take_heard());
    tap.stop_listening();
    if options.credentials.is_some() && !secure && options.tls != TlsPolicy::None {
        let why = format!("{called} offers no TLS, and a password is not sent in the clear");
        return Err(Trouble::Other(not_reached((4, 7, 0), why)));
    }
    let mut connection = Connection { smtp, features, secure, host: called, opened: now, used: now, messages: 0 };
    connection.authenticate(options).await.map_err(Trouble::Other)?;
    Ok(connection)
}

/// `mx.example.net[192.0.2.1]:25`, as mail logs have it.
fn called(host: &str, address: SocketAddr) -> String {
    match literal(host) {
        Some(_) => address.to_string(),
        None => format!("{host}[{}]:{}", address.ip(), address.port()),
    }
}

async fn connect(called: &str, address: SocketAddr, limit: Duration) -> Result<Box<dyn Stream>, Trouble> {
    let stream = match timeout(limit, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => return Err(trouble(format!("no connection to {called}: {error}"))),
        Err(_) => return Err(trouble(format!("no connection to {called} within {limit:?}"))),
    };
    // Commands are written in whole groups: waiting for more to send gains nothing.
    let _ = stream.set_nodelay(true);
    Ok(Box::new(stream))
}

async fn handshake(
    stream: Box<dyn Stream>,
    host: &str,
    called: &str,
    verify: bool,
    options: &Options,
    tls: &TlsClient,
) -> Result<Box<dyn Stream>, Trouble> {
    match timeout(options.connect_timeout, tls.handshake(stream, host, verify)).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(Trouble::Handshake(format!("no TLS with {called}: {error}"))),
        Err(_) => Err(Trouble::Handshake(format!("no TLS with {called} within {:?}", options.connect_timeout))),
    }
}

/// Waits for the greeting and says EHLO.
async fn greet(tap: &Tap, called: &str, options: &Options) -> Result<AsyncSmtpConnection, Trouble> {
    let helo = match options.helo.parse::<IpAddr>() {
        Ok(IpAddr::V4(address)) => ClientId::Ipv4(address),
        Ok(IpAddr::V6(address)) => ClientId::Ipv6(address),
        Err(_) => ClientId::Domain(options.helo.clone()),
    };
    let hello = AsyncSmtpConnection::connect_with_transport(tap.wire(), &helo);
    match timeout(options.command_timeout, hello).await {
        Ok(Ok(smtp)) => Ok(smtp),
        Ok(Err(error)) => match answer(Err(error)) {
            Answer::Reply(reply) => Err(trouble(format!("{called} said to EHLO: {reply}"))),
            Answer::Lost(why) => Err(trouble(format!("{called} said no proper greeting: {why}"))),
        },
        Err(_) => Err(trouble(format!("{called} said nothing within {:?}", options.command_timeout))),
    }
}

/// Says STARTTLS and takes the stream back.
async fn ask_for_tls(
    mut smtp: AsyncSmtpConnection,
    tap: &Tap,
    called: &str,
    options: &Options,
) -> Result<Box<dyn Stream>, Trouble> {
    let _ = tap.take_heard();
    match within(options.command_timeout, "STARTTLS", smtp.command(Starttls)).await {
        Answer::Reply(reply) if reply.code == 220 => {}
        Answer::Reply(reply) => return Err(Trouble::Handshake(format!("{called} said to STARTTLS: {reply}"))),
        Answer::Lost(why) => return Err(Trouble::Handshake(format!("{called}: {why}"))),
    }
    // Anything behind the reply came in the clear and would pass for a reply that came encrypted (RFC 3207 6).
    let heard = tap.take_heard();
    let replies = heard.split(|octet| *octet == b'\n').filter(|line| line.get(3) == Some(&b' ')).count();
    if replies != 1 || !heard.ends_with(b"\n") {
        return Err(trouble(format!("{called} went on talking after its reply to STARTTLS")));
    }
    tap.take_stream().ok_or_else(|| trouble(format!("the connection to {called} is gone")))
}

impl Connection {
    async fn authenticate(&mut self, options: &Options) -> Result<(), Refused> {
        let Some((user, password)) = &options.credentials else { return Ok(()) };
        let credentials = Credentials::new(user.clone(), password.clone());
        let auth = self.smtp.auth(&[Mechanism::Plain, Mechanism::Login], &credentials);
        match within(options.command_timeout, "AUTH", auth).await {
            Answer::Reply(reply) if reply.is_positive() => Ok(()),
            Answer::Reply(reply) => Err(not_reached((4, 7, 8), format!("{} said to AUTH: {reply}", self.host))),
            Answer::Lost(why) => Err(not_reached((4, 7, 0), format!("no AUTH with {}: {why}", self.host))),
        }
    }

    /// Ends the connection politely, if the server answers soon.
    pub async fn quit(mut self) {
        let _ = timeout(QUIT_TIMEOUT, self.smtp.command(Quit)).await;
    }
}

/// What lettre's future got within `limit`.
pub(super) async fn within(
    limit: Duration,
    command: &str,
    future: impl Future<Output = Result<Response, lettre::transport::smtp::Error>>,
) -> Answer {
    match timeout(limit, future).await {
        Ok(result) => answer(result),
        Err(_) => Answer::Lost(format!("no answer to {command} within {limit:?}")),
    }
}

fn answer(result: Result<Response, lettre::transport::smtp::Error>) -> Answer {
    match result {
        Ok(response) => {
            let lines: Vec<&str> = response.message().collect();
            Answer::Reply(Reply::from_peer(response.code().into(), &lines.join("\n")))
        }
        Err(error) => match error.status() {
            Some(code) => {
                let text = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                Answer::Reply(Reply::from_peer(code.into(), &text))
            }
            None => Answer::Lost(format!("the connection was lost ({error})")),
        },
    }
}
