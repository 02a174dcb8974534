//! Every maximum and every time-out of an SMTP session, in one place (I-4, I-8).
//!
//! What the listener may choose (message size, recipients, errors) is in [`crate::Config`]; its defaults stand here too.

use std::time::Duration;

/// Longest command line in octets, CRLF included: 512 (RFC 5321 4.5.3.1.4) plus what SIZE, DSN, AUTH and SMTPUTF8 add
/// to MAIL and RCPT (RFC 1870 3, RFC 3461 5, RFC 4954 3, RFC 6531 3.1).
pub const COMMAND_LINE_MAX: usize = 2048;

/// Longest line of an AUTH command or exchange in octets, CRLF included (RFC 4954 4).
pub const AUTH_LINE_MAX: usize = 12_288;

/// Longest reverse-path or forward-path in octets, angle brackets not counted (RFC 5321 4.5.3.1.3).
pub const PATH_MAX: usize = 256;

/// Longest domain in octets (RFC 5321 4.5.3.1.2); also the longest name taken in EHLO and HELO.
pub const DOMAIN_MAX: usize = 255;

/// Most ESMTP parameters on one MAIL or RCPT command.
pub const PARAMETERS_MAX: usize = 16;

/// Longest decoded ENVID in octets (RFC 3461 4.4).
pub const ENVID_MAX: usize = 100;

/// Longest ORCPT value in octets, address type included (RFC 3461 4.2).
pub const ORCPT_MAX: usize = 500;

/// Longest MAIL AUTH= value in octets (RFC 4954 5).
pub const MAIL_AUTH_MAX: usize = 500;

/// Longest authorization identity, user name or password in octets (RFC 4616 2).
pub const SASL_FIELD_MAX: usize = 255;

/// Longest reply line in octets, CRLF included (RFC 5321 4.5.3.1.5).
pub const REPLY_LINE_MAX: usize = 512;

/// Most lines of one reply; a longer text is cut.
pub const REPLY_LINES_MAX: usize = 64;

/// Octets of queued replies at which the session asks for a flush before it takes more input.
pub const OUTPUT_HIGH_WATER: usize = 8 * 1024;

/// Octets of a refused message that are read to stay in step with the client, beyond the size limit; a client that
/// sends more is disconnected.
pub const DISCARD_MAX: u64 = 64 * 1024 * 1024;

/// Refused AUTH commands after which the session ends with 421.
pub const AUTH_FAILURES_MAX: u32 = 3;

/// Refused recipients of one session after which it ends with 421: a directory harvest, not a mail.
pub const REFUSED_RECIPIENTS_MAX: u32 = 500;

/// Commands that move no mail (NOOP, RSET, VRFY, EHLO …) between two messages after which the session ends with 421.
pub const IDLE_COMMANDS_MAX: u32 = 100;

/// Default of [`crate::Config::max_size`]: 50 MiB.
pub const DEFAULT_MESSAGE_SIZE: u64 = 50 * 1024 * 1024;

/// Default of [`crate::Config::max_recipients`]; RFC 5321 4.5.3.1.8 asks for at least 100.
pub const DEFAULT_RECIPIENTS: u32 = 1000;

/// Default of [`crate::Config::max_errors`].
pub const DEFAULT_ERRORS: u32 = 20;

/// How long the next command may take (RFC 5321 4.5.3.2.7).
pub const COMMAND_TIMEOUT: Duration = Duration::from_secs(300);

/// How long the next answer in an AUTH exchange may take.
pub const AUTH_TIMEOUT: Duration = Duration::from_secs(120);

/// How long the next block of a message may take: phones and cameras upload in bursts (RFC 5321 4.5.3.2.5 gives the
/// client 3 minutes for each block).
pub const BODY_TIMEOUT: Duration = Duration::from_secs(300);

/// How long a TLS handshake may take after the reply to STARTTLS.
pub const TLS_TIMEOUT: Duration = Duration::from_secs(60);
