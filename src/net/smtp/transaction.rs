//! One message over one connection: MAIL, RCPT …, DATA, the octets, and what was said to each.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lettre::transport::smtp::client::AsyncSmtpConnection;
use packetboat_smtp::Reply;

use super::command::{mail as mail_line, needs_utf8, rcpt as rcpt_line};
use super::connection::{Answer, Connection, within};
use super::{Fault, Mail, Options, Outcome, Refused};

/// Commands sent ahead of their replies: their replies have to fit what the two TCP stacks keep (RFC 2920 3.1).
const GROUP: usize = 100;
/// How long a server that broke off in the middle of DATA is listened to for the reason.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How a transaction ended.
pub(super) enum End {
    /// With a reply for everybody; whether the connection can be used again.
    Done { outcome: Outcome, reusable: bool },
    /// With the connection.
    Lost {
        /// What to tell every recipient.
        refused: Refused,
        /// The server had not answered anything yet.
        untouched: bool,
    },
}

/// What was said before the octets were sent.
struct Envelope {
    mail: Reply,
    recipients: Vec<Reply>,
    data: Option<Reply>,
}

/// The connection was lost.
struct Lost {
    why: String,
    untouched: bool,
}

/// Runs one transaction.
pub(super) async fn run(connection: &mut Connection, mail: &Mail, options: &Options) -> End {
    if let Some(refused) = impossible(connection, mail) {
        return connection.done(vec![Err(refused); mail.recipients.len()], true);
    }
    let lines = Lines {
        mail: mail_line(mail, &connection.features),
        recipients: mail.recipients.iter().map(|recipient| rcpt_line(recipient, &connection.features)).collect(),
    };
    let limit = options.command_timeout;
    let envelope = match connection.features.pipelining {
        true => lines.pipelined(&mut connection.smtp, limit).await,
        false => lines.one_by_one(&mut connection.smtp, limit).await,
    };
    match envelope {
        Ok(envelope) => connection.finish(envelope, mail, options).await,
        Err(lost) => End::Lost {
            refused: Refused::new(Fault::Temporary, (4, 4, 2), format!("{}: {}", connection.host, lost.why)),
            untouched: lost.untouched,
        },
    }
}

/// What this server cannot take, so that it need not be asked.
fn impossible(connection: &Connection, mail: &Mail) -> Option<Refused> {
    let (features, host) = (&connection.features, &connection.host);
    let never = |status, why: &str| Some(Refused::new(Fault::Permanent, status, format!("{host} {why}")));
    if features.is_too_large(mail.content.size()) {
        let limit = features.size.unwrap_or_default();
        let why = format!("takes messages of at most {limit} octets; this one has {}", mail.content.size());
        return never((5, 3, 4), &why);
    }
    if needs_utf8(mail) && !features.utf8 {
        return never((5, 6, 7), "does not take addresses that are not ASCII");
    }
    if mail.content.is_eight_bit() && !features.eight_bit {
        return never((5, 6, 3), "does not take 8-bit content");
    }
    None
}

struct Lines {
    mail: String,
    recipients: Vec<String>,
}

impl Lines {
    /// MAIL, every RCPT and DATA ahead of the replies (RFC 2920 3.1).
    async fn pipelined(&self, smtp: &mut AsyncSmtpConnection, limit: Duration) -> Result<Envelope, Lost> {
        let mut replies = Vec::with_capacity(self.recipients.len() + 2);
        let lines: Vec<&str> =
            std::iter::once(&self.mail).chain(&self.recipients).map(String::as_str).chain(["DATA"]).collect();
        for group in lines.chunks(GROUP) {
            let text: String = group.iter().flat_map(|line| [line, "\r\n"]).collect();
            for (place, line) in group.iter().enumerate() {
                let answer = match place {
                    0 => within(limit, verb(line), smtp.command(&text)).await,
                    _ => within(limit, verb(line), smtp.read_response()).await,
                };
                replies.push(taken(answer, line, replies.is_empty())?);
            }
            // With MAIL refused nothing further can succeed, and a DATA to come need not be sent.
            if group.len() < lines.len() && replies.first().is_some_and(|mail| !mail.is_positive()) {
                break;
            }
        }
        let data = if replies.len() == lines.len() { replies.pop() } else { None };
        let mut replies = replies.into_iter();
        let Some(mail) = replies.next() else {
            return Err(Lost { why: "nothing was said".to_owned(), untouched: true });
        };
        Ok(Envelope { mail, recipients: replies.collect(), data })
    }

    /// Each command after the reply to the one before it.
    async fn one_by_one(&self, smtp: &mut AsyncSmtpConnection, limit: Duration) -> Result<Envelope, Lost> {
        let mail = say(smtp, &self.mail, limit, true).await?;
        let mut recipients = Vec::with_capacity(self.recipients.len());
        if !mail.is_positive() {
            return Ok(Envelope { mail, recipients, data: None });
        }
        for line in &self.recipients {
            recipients.push(say(smtp, line, limit, false).await?);
        }
        let data = match recipients.iter().any(Reply::is_positive) {
            true => Some(say(smtp, "DATA", limit, false).await?),
            false => None,
        };
        Ok(Envelope { mail, recipients, data })
    }
}

async fn say(smtp: &mut AsyncSmtpConnection, line: &str, limit: Duration, first: bool) -> Result<Reply, Lost> {
    let answer = within(limit, verb(line), smtp.command(format!("{line}\r\n"))).await;
    taken(answer, line, first)
}

/// A reply; one that ends the session counts as a lost connection, for no command after it is answered (RFC 5321 3.8).
fn taken(answer: Answer, line: &str, first: bool) -> Result<Reply, Lost> {
    match answer {
        Answer::Reply(reply) if reply.closes() => {
            Err(Lost { why: format!("said to {}: {reply}", verb(line)), untouched: first })
        }
        Answer::Reply(reply) => Ok(reply),
        Answer::Lost(why) => Err(Lost { why, untouched: first }),
    }
}

fn verb(line: &str) -> &str {
    line.split(' ').next().unwrap_or_default()
}

impl Connection {
    /// From the replies to the envelope to the end of the transaction.
    async fn finish(&mut self, envelope: Envelope, mail: &Mail, options: &Options) -> End {
        let count = mail.recipients.len();
        let proceeds = envelope.data.as_ref().is_some_and(|data| data.code == 354);
        let refused_mail = !envelope.mail.is_positive();
        let mut replies: Vec<Result<Reply, Refused>> = match refused_mail {
            true => vec![Err(Refused::reply(&self.host, "MAIL", &envelope.mail)); count],
            false => envelope.recipients.into_iter().map(|reply| self.judged("RCPT", reply)).collect(),
        };
        // A server answers for every recipient it was asked about; a missing answer must not shift the others.
        let silent = Refused::new(Fault::Temporary, (4, 5, 0), format!("{} said nothing of this recipient", self.host));
        replies.resize(count, Err(silent));
        let nobody = replies.iter().all(Result::is_err);
        if !proceeds {
            if let Some(data) = envelope.data.filter(|_| !nobody) {
                let refused = Refused::reply(&self.host, "DATA", &data);
                replies.iter_mut().filter(|reply| reply.is_ok()).for_each(|reply| *reply = Err(refused.clone()));
            }
            let reset = say(&mut self.smtp, "RSET", options.command_timeout, false).await;
            return self.done(replies, reset.is_ok_and(|reply| reply.is_positive()));
        }
        if nobody {
            // It wants octets though it took no recipient (RFC 2920 3.1 allows that): an empty message ends it.
            let end = within(options.command_timeout, "the end of DATA", self.smtp.message(b"")).await;
            return self.done(replies, matches!(end, Answer::Reply(_)));
        }
        match self.send_octets(mail, options.data_timeout).await {
            Ok(reply) => {
                let closes = reply.closes();
                let judged = self.judged("the end of DATA", reply);
                replies.iter_mut().filter(|reply| reply.is_ok()).for_each(|reply| *reply = judged.clone());
                self.done(replies, !closes)
            }
            Err(refused) => {
                replies.iter_mut().filter(|reply| reply.is_ok()).for_each(|reply| *reply = Err(refused.clone()));
                self.done(replies, false)
            }
        }
    }

    fn judged(&self, command: &str, reply: Reply) -> Result<Reply, Refused> {
        if matches!(reply.code, 200..=299) { Ok(reply) } else { Err(Refused::reply(&self.host, command, &reply)) }
    }

    /// Sends the message and its end; the reply, or how the connection was lost.
    async fn send_octets(&mut self, mail: &Mail, limit: Duration) -> Result<Reply, Refused> {
        // Set once the last octets are handed to lettre: what follows is the end of DATA.
        let ended = AtomicBool::new(false);
        let last = std::iter::once_with(|| {
            ended.store(true, Ordering::Relaxed);
            &b""[..]
        });
        let octets = mail.content.without_last_line_end().chain(last);
        let why = match within(limit, "the end of DATA", self.smtp.message_iter(octets)).await {
            Answer::Reply(reply) => return Ok(reply),
            Answer::Lost(why) => why,
        };
        if ended.load(Ordering::Relaxed) {
            let text = format!(
                "{}: the message was sent, then {why}; it may have been taken, and arrive twice when it is sent again",
                self.host
            );
            return Err(Refused::new(Fault::Unknown, (4, 4, 2), text));
        }
        // A server that does not want the rest says so and closes; its words may be there to be read.
        match within(LAST_WORDS, "DATA", self.smtp.read_response()).await {
            Answer::Reply(reply) if !reply.is_positive() => Err(Refused::reply(&self.host, "DATA", &reply)),
            _ => {
                let text = format!("{}: {why} while the message was being sent", self.host);
                Err(Refused::new(Fault::Temporary, (4, 4, 2), text))
            }
        }
    }

    fn done(&self, replies: Vec<Result<Reply, Refused>>, reusable: bool) -> End {
        let outcome = Outcome { replies, dsn: self.features.dsn, peer: Some(self.host.clone()), secure: self.secure };
        End::Done { outcome, reusable }
    }
}
