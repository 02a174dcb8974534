//! What a listener chooses for its sessions.

use crate::limits::{DEFAULT_ERRORS, DEFAULT_MESSAGE_SIZE, DEFAULT_RECIPIENTS};

/// The settings of one session.
#[derive(Debug, Clone)]
pub struct Config {
    /// Our name in the greeting and in the answer to EHLO.
    pub hostname: String,
    /// What the greeting says after the host name.
    pub banner: String,
    /// SIZE: octets a message may have, decoded (RFC 1870).
    pub max_size: u64,
    /// Accepted recipients of one message.
    pub max_recipients: u32,
    /// Refused commands (recipients have a limit of their own) after which the session ends with 421.
    pub max_errors: u32,
    /// STARTTLS is offered: the driver can do the handshake.
    pub starttls: bool,
    /// The connection is encrypted already (implicit TLS, RFC 8314 3.3).
    pub tls_active: bool,
    /// When AUTH is offered.
    pub auth: AuthOffer,
    /// MAIL needs AUTH before it.
    pub require_auth: bool,
    /// MAIL and AUTH need TLS before them.
    pub require_tls: bool,
    /// DELIVERBY is offered: the driver honours BY (RFC 2852).
    pub deliver_by: bool,
    /// What is done with a bare CR or LF.
    pub bare_newlines: BareNewlines,
    /// A client that talks before the greeting is sent away with 554; otherwise [`crate::Session::is_early_talker`]
    /// only says so.
    pub refuse_early_talkers: bool,
}

/// When AUTH PLAIN and LOGIN are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AuthOffer {
    /// Never.
    #[default]
    Never,
    /// Under TLS only: the password is readable otherwise.
    AfterTls,
    /// Always, for devices without TLS in a network that is trusted.
    Always,
}

/// What is done with a CR or LF that is not half of a CRLF.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BareNewlines {
    /// The message is refused at its true end with 550 5.6.11, a command line with 500.
    #[default]
    Refuse,
    /// For old devices: each becomes a CRLF, and LF ends a command line. Only CRLF.CRLF ends DATA all the same, so a
    /// device that ends it with LF.LF runs into [`crate::limits::BODY_TIMEOUT`].
    Fix,
}

impl Config {
    /// The defaults: no TLS, no AUTH, bare newlines refused.
    pub fn new(hostname: impl Into<String>) -> Self {
        Self {
            hostname: hostname.into(),
            banner: "ESMTP packetboat".to_owned(),
            max_size: DEFAULT_MESSAGE_SIZE,
            max_recipients: DEFAULT_RECIPIENTS,
            max_errors: DEFAULT_ERRORS,
            starttls: false,
            tls_active: false,
            auth: AuthOffer::Never,
            require_auth: false,
            require_tls: false,
            deliver_by: false,
            bare_newlines: BareNewlines::Refuse,
            refuse_early_talkers: false,
        }
    }
}
