//! A connection: the session state machine of packetboat-smtp, driven over a socket.
//!
//! Failure story: a client that hangs is told so and let go; one that breaks off loses what it had not finished, which was
//! never acknowledged; while draining, a transaction under way is finished and the next one refused with 421.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use packetboat_api::async_trait;
use packetboat_api::clock::Clock;
use packetboat_api::message::Identity;
use packetboat_api::party::Party;
use packetboat_api::plugin::{Configured, Env};
use packetboat_api::road::Intake;
use packetboat_api::roles::{Instance, Listener};
use packetboat_api::serve::{Connection, Listen, Serve};
use packetboat_api::spool::SpoolBudget;
use packetboat_smtp::limits::TLS_TIMEOUT;
use packetboat_smtp::{
    AuthOffer, Config, Credentials, EnhancedCode, Event, Mail, Rcpt, Reply, Session, Verdict, replies,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::address::Addresses;
use crate::answers::reply;
use crate::settings::{BareNewlines, SmtpSettings};
use crate::transaction::{Trace, Transaction};
use crate::users::Users;

/// Octets read at once: enough for speed, little enough for a thousand idle connections.
const READ: usize = 16 << 10;
/// How long a client may take to read what we say.
const WRITE_PATIENCE: Duration = Duration::from_secs(60);

/// The listener.
pub struct SmtpListener {
    settings: SmtpSettings,
    hostname: String,
    addresses: Addresses,
    users: Option<Arc<Users>>,
    intake: Arc<dyn Intake>,
    spool: SpoolBudget,
    clock: Arc<dyn Clock>,
}

impl Configured for SmtpListener {
    type Settings = SmtpSettings;

    fn build(settings: SmtpSettings, env: &Env) -> Result<Self, (&'static str, String)> {
        let users = settings.users.as_ref().map(|file| Users::load(&env.path(file)).map_err(|e| ("users", e)));
        if settings.require_tls && settings.listen.tls_certificate.is_none() {
            return Err(("require_tls", "TLS needs tls_certificate and tls_key".to_owned()));
        }
        Ok(SmtpListener {
            hostname: settings.hostname.clone().unwrap_or_else(|| env.node.clone()),
            addresses: Addresses::new(&settings.domains, &settings.aliases, &env.numbers)?,
            users: users.transpose()?.map(Arc::new),
            intake: env.intake.clone(),
            spool: env.spool.clone(),
            clock: env.clock.clone(),
            settings,
        })
    }
}

/// What is known of a connection.
struct Client {
    peer: SocketAddr,
    /// The address they connected to.
    local: IpAddr,
    identity: Identity,
    transaction: Option<Transaction>,
}

impl SmtpListener {
    fn config(&self, connection: &Connection) -> Config {
        let auth = match (&self.users, self.settings.auth_without_tls) {
            (None, _) => AuthOffer::Never,
            (Some(_), false) => AuthOffer::AfterTls,
            (Some(_), true) => AuthOffer::Always,
        };
        Config {
            max_size: self.settings.mail_size.0,
            max_recipients: self
                .settings
                .recipients
                .unwrap_or(u32::try_from(self.intake.max_recipients()).unwrap_or(u32::MAX)),
            starttls: connection.upgrade.is_some() && !connection.secure,
            tls_active: connection.secure,
            auth,
            require_tls: self.settings.require_tls,
            deliver_by: true,
            bare_newlines: match self.settings.bare_newlines {
                BareNewlines::Refuse => packetboat_smtp::BareNewlines::Refuse,
                BareNewlines::Fix => packetboat_smtp::BareNewlines::Fix,
            },
            ..Config::new(self.hostname.clone())
        }
    }

    /// Who a host is before it says anything.
    fn first_identity(&self, peer: SocketAddr) -> Identity {
        let address = peer.ip().to_canonical();
        match self.settings.trusted_networks.iter().any(|net| net.contains(&address)) {
            true => Identity::Network(address),
            false => Identity::Anonymous,
        }
    }

    async fn converse(&self, mut connection: Connection) -> Option<()> {
        let mut client = Client {
            peer: connection.peer,
            local: connection.local.ip(),
            identity: self.first_identity(connection.peer),
            transaction: None,
        };
        let mut session = Session::new(self.config(&connection));
        session.greet();
        flush(&mut connection, &mut session).await?;
        let mut buffer = vec![0u8; READ];
        loop {
            let read = self.read(&mut connection, &mut session, &client, &mut buffer).await?;
            let mut input = &buffer[..read];
            loop {
                let (used, event) = session.feed(input);
                input = &input[used..];
                match event {
                    Event::NeedInput => break,
                    Event::NeedFlush => flush(&mut connection, &mut session).await?,
                    Event::Close => {
                        flush(&mut connection, &mut session).await;
                        let _ = connection.shutdown().await;
                        return None;
                    }
                    Event::StartTls => {
                        flush(&mut connection, &mut session).await?;
                        connection = tokio::time::timeout(TLS_TIMEOUT, connection.start_tls()).await.ok()?.ok()?;
                        client.identity = self.first_identity(client.peer);
                        client.transaction = None;
                        session.tls_started();
                    }
                    Event::Content(octets) => {
                        let kept =
                            client.transaction.as_mut().is_none_or(|transaction| transaction.push(octets).is_ok());
                        if !kept {
                            client.transaction = None;
                            session.refuse_content(replies::STORE_FULL);
                        }
                    }
                    Event::Discard(_) | Event::Reset => client.transaction = None,
                    Event::NeedAnswer => return None,
                    question => {
                        let verdict = self.decide(question, &mut client, &session).await;
                        session.answer(verdict).ok()?;
                    }
                }
            }
            flush(&mut connection, &mut session).await?;
        }
    }

    /// Reads more, unless time or the daemon's life runs out.
    async fn read(
        &self,
        connection: &mut Connection,
        session: &mut Session,
        client: &Client,
        buffer: &mut [u8],
    ) -> Option<usize> {
        let drain = connection.drain.clone();
        let goodbye = tokio::select! {
            biased; // while draining nothing new is begun, however quickly it comes
            () = drain.cancelled(), if client.transaction.is_none() => replies::SHUTTING_DOWN,
            read = connection.read(buffer) => return read.ok().filter(|n| *n > 0),
            () = tokio::time::sleep(session.timeout()) => replies::TIMED_OUT,
        };
        session.close(&goodbye);
        flush(connection, session).await;
        None
    }

    async fn decide(&self, question: Event<'_>, client: &mut Client, session: &Session) -> Verdict {
        let decided = match question {
            Event::Auth(credentials) => self.authenticate(credentials, client).await.map(|()| Verdict::Accept),
            Event::Mail(mail) => self.sender(*mail, client).map(|()| Verdict::Accept),
            Event::Rcpt(rcpt) => self.recipient(&rcpt, client).await.map(|()| Verdict::Accept),
            Event::MessageEnd => self.message(client, session).await.map(Verdict::AcceptWith),
            _ => Ok(Verdict::Accept),
        };
        decided.unwrap_or_else(Verdict::Refuse)
    }

    async fn authenticate(&self, credentials: Credentials, client: &mut Client) -> Result<(), Reply> {
        let Some(users) = &self.users else { return Err(replies::AUTH_UNAVAILABLE) };
        let Credentials { authorization_id, user, password, .. } = credentials;
        let acts_for_itself = authorization_id.is_none_or(|id| id == user);
        if !users.verify(&user, password).await || !acts_for_itself {
            tracing::info!(peer = %client.peer.ip(), "authentication failed");
            return Err(replies::AUTH_FAILED);
        }
        client.identity = Identity::User(user);
        Ok(())
    }

    fn sender(&self, mail: Mail, client: &mut Client) -> Result<(), Reply> {
        let from = match &mail.sender {
            None => None,
            Some(mailbox) => Some(self.addresses.sender(mailbox, client.local, &self.hostname)?),
        };
        let address = from.as_ref().and_then(Party::mail);
        match (&client.identity, &self.users) {
            (Identity::User(user), Some(users)) if !users.may_send_as(user, address) => {
                return Err(replies::SENDER_NOT_ALLOWED);
            }
            // Without anybody's word only reports are taken: the null sender (RFC 5321 4.5.5).
            (Identity::Anonymous, _) if from.is_some() && !self.settings.strangers => {
                return Err(replies::AUTH_REQUIRED);
            }
            // Nobody out there is at a domain of ours (I-7).
            (Identity::Anonymous, _)
                if mail.sender.as_ref().is_some_and(|it| self.addresses.is_ours(it, client.local)) =>
            {
                return Err(replies::SENDER_NOT_ALLOWED);
            }
            _ => {}
        }
        // A number at our own domain is a phone's name, and no mail user's (I-7); devices on trusted networks may have one.
        let phone = from.as_ref().is_some_and(|party| party.mail().is_none());
        if phone && !matches!(client.identity, Identity::Network(_)) && !self.owns(&client.identity, &mail) {
            return Err(replies::SENDER_NOT_ALLOWED);
        }
        client.transaction = Some(Transaction::new(mail, from, self.spool.spool()));
        Ok(())
    }

    /// Whether the users file gives this user that very sender address.
    fn owns(&self, identity: &Identity, mail: &Mail) -> bool {
        let (Identity::User(user), Some(users), Some(sender)) = (identity, &self.users, &mail.sender) else {
            return false;
        };
        let address = packetboat_api::party::MailAddress::new(&sender.to_string());
        address.is_some_and(|address| users.owns(user, &address))
    }

    async fn recipient(&self, rcpt: &Rcpt, client: &mut Client) -> Result<(), Reply> {
        let Some(transaction) = client.transaction.as_mut() else { return Err(replies::MAIL_FIRST) };
        let party = self.addresses.recipient(&rcpt.recipient, client.local)?;
        let checked = self.intake.check(&client.identity, transaction.from(), &party).await;
        checked.map_err(|refusal| reply(&refusal))?;
        transaction.add(party, rcpt);
        Ok(())
    }

    async fn message(&self, client: &mut Client, session: &Session) -> Result<Reply, Reply> {
        let Some(transaction) = client.transaction.take() else { return Err(replies::LOCAL_ERROR) };
        let trace = Trace {
            hello: session.hello().unwrap_or("unknown"),
            peer: client.peer.ip(),
            hostname: &self.hostname,
            protocol: session.protocol(),
            now: self.clock.now(),
        };
        let submitted = transaction.submit(self.intake.as_ref(), client.identity.clone(), &self.addresses, trace).await;
        let receipt = submitted.map_err(|refusal| reply(&refusal))?;
        let again = if receipt.duplicate { ", taken before" } else { "" };
        Ok(Reply::new(250, Some(EnhancedCode::new(2, 0, 0)), format!("Ok: queued as {}{again}", receipt.id)))
    }
}

/// Writes what is queued. `None` when the client does not read.
async fn flush(connection: &mut Connection, session: &mut Session) -> Option<()> {
    if !session.has_output() {
        return Some(());
    }
    let output = session.take_output();
    let written = tokio::time::timeout(WRITE_PATIENCE, async {
        connection.write_all(&output).await?;
        connection.flush().await
    });
    written.await.ok()?.ok()
}

#[async_trait]
impl Instance for SmtpListener {
    fn check(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        if self.settings.domains.is_empty() {
            doubts.push("domains is empty: no address is a handset".to_owned());
        }
        if self.users.is_none() && self.settings.trusted_networks.is_empty() && !self.settings.strangers {
            doubts.push("nobody may submit: give users, trusted_networks, or take mail from strangers".to_owned());
        }
        if self.users.is_some() && self.settings.listen.tls_certificate.is_none() && !self.settings.auth_without_tls {
            doubts.push("AUTH is never offered: there is no TLS, and auth_without_tls is off".to_owned());
        }
        doubts
    }
}

#[async_trait]
impl Serve for SmtpListener {
    fn listen(&self) -> Listen {
        self.settings.listen.clone()
    }

    async fn serve(&self, connection: Connection) {
        self.converse(connection).await;
    }

    fn too_many(&self) -> &'static [u8] {
        b"421 4.3.2 Too many connections, try again later\r\n"
    }
}

impl Listener for SmtpListener {}
