//! AUTH PLAIN and AUTH LOGIN (RFC 4954, RFC 4616): the exchange up to the credentials; the verdict is the driver's.
//!
//! Base64 is read to the letter; every field is bounded and a PLAIN message has exactly its three fields. Credentials
//! do not show the password when printed (I-11).

use crate::limits::SASL_FIELD_MAX;
use crate::replies;
use crate::reply::Reply;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::fmt;

/// A SASL mechanism of this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// One message with all three fields (RFC 4616).
    Plain,
    /// User name and password asked for one after the other; never standardised, the one old devices know.
    Login,
}

impl Mechanism {
    /// From smtp-proto's bit for it; `None` for one that this crate does not speak.
    pub(crate) fn from_bit(bit: u64) -> Option<Self> {
        match bit {
            smtp_proto::AUTH_PLAIN => Some(Self::Plain),
            smtp_proto::AUTH_LOGIN => Some(Self::Login),
            _ => None,
        }
    }
}

/// What the client gave to prove who it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// How it was given.
    pub mechanism: Mechanism,
    /// Whom the client wants to act for (RFC 4616 authzid); `None` when it is the user itself.
    pub authorization_id: Option<String>,
    /// The user name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Credentials")
            .field("mechanism", &self.mechanism)
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

/// An exchange that waits for the client's next line.
#[derive(Debug)]
pub(crate) enum Exchange {
    Plain,
    LoginUser,
    LoginPassword { user: String },
}

/// Where one line of the client leads.
pub(crate) enum Progress {
    /// Ask again with this 334 reply.
    Challenge(Exchange, Reply),
    /// Everything is there.
    Complete(Credentials),
}

/// Begins an exchange; `initial` is the initial response as sent, `=` for an empty one (RFC 4954 4).
pub(crate) fn begin(mechanism: Mechanism, initial: Option<&str>) -> Result<Progress, Reply> {
    let (exchange, challenge) = match mechanism {
        Mechanism::Plain => (Exchange::Plain, replies::ASK_PLAIN),
        Mechanism::Login => (Exchange::LoginUser, replies::ASK_USER),
    };
    match initial {
        None => Ok(Progress::Challenge(exchange, challenge)),
        Some("=") => exchange.step(b""),
        Some(response) => exchange.step(response.as_bytes()),
    }
}

impl Exchange {
    /// Takes one line of the client, without its line end.
    pub(crate) fn step(self, line: &[u8]) -> Result<Progress, Reply> {
        if line == b"*" {
            return Err(replies::AUTH_CANCELLED);
        }
        let octets = STANDARD.decode(line).map_err(|_| replies::BAD_BASE64)?;
        match self {
            Self::Plain => plain(&octets).map(Progress::Complete),
            Self::LoginUser => {
                let user = field(&octets)?;
                Ok(Progress::Challenge(Self::LoginPassword { user }, replies::ASK_PASSWORD))
            }
            Self::LoginPassword { user } => Ok(Progress::Complete(Credentials {
                mechanism: Mechanism::Login,
                authorization_id: None,
                user,
                password: field(&octets)?,
            })),
        }
    }
}

/// `[authzid] NUL authcid NUL passwd` (RFC 4616 2).
fn plain(message: &[u8]) -> Result<Credentials, Reply> {
    let mut fields = message.split(|byte| *byte == 0);
    let (Some(authzid), Some(user), Some(password), None) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(replies::BAD_BASE64);
    };
    let user = field(user)?;
    let authorization_id = if authzid.is_empty() { None } else { Some(field(authzid)?).filter(|id| *id != user) };
    Ok(Credentials { mechanism: Mechanism::Plain, authorization_id, user, password: field(password)? })
}

fn field(octets: &[u8]) -> Result<String, Reply> {
    match std::str::from_utf8(octets) {
        Ok(text) if (1..=SASL_FIELD_MAX).contains(&text.len()) && !text.contains('\0') => Ok(text.to_owned()),
        _ => Err(replies::BAD_BASE64),
    }
}
