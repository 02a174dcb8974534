//! The standard replies, each once: codes of RFC 5321 4.2.2, RFC 4954 4 and 6, RFC 3207 4; enhanced codes of RFC 3463
//! and RFC 5248.
//!
//! A listener answers with these too, with `with_text` where it can say more.

use crate::reply::Reply;

/// The message is durable and ours (I-1).
pub const ACCEPTED: Reply = Reply::fixed(250, (2, 0, 0), "Message accepted");
/// Nothing more to say.
pub const OK: Reply = Reply::fixed(250, (2, 0, 0), "Ok");
/// Sender taken.
pub const SENDER_OK: Reply = Reply::fixed(250, (2, 1, 0), "Sender ok");
/// Recipient taken.
pub const RECIPIENT_OK: Reply = Reply::fixed(250, (2, 1, 5), "Recipient ok");
/// A chunk that is not the last one was taken (RFC 3030 2).
pub const CHUNK_OK: Reply = Reply::fixed(250, (2, 0, 0), "Chunk received");
/// DATA may begin.
pub const START_DATA: Reply = Reply::plain(354, "Send the message, end it with <CRLF>.<CRLF>");
/// The TLS handshake may begin.
pub const START_TLS: Reply = Reply::fixed(220, (2, 0, 0), "Ready to start TLS");
/// Answer to QUIT.
pub const BYE: Reply = Reply::fixed(221, (2, 0, 0), "Bye");
/// Answer to HELP.
pub const HELP: Reply = Reply::fixed(
    214,
    (2, 0, 0),
    "Commands: EHLO HELO MAIL RCPT DATA BDAT RSET NOOP VRFY HELP AUTH STARTTLS QUIT\nSee RFC 5321",
);
/// Answer to VRFY: addresses are not told apart before RCPT (RFC 5321 7.3).
pub const CANNOT_VERIFY: Reply = Reply::fixed(252, (2, 5, 0), "Send mail to it and RCPT will tell");
/// AUTH succeeded.
pub const AUTHENTICATED: Reply = Reply::fixed(235, (2, 7, 0), "Authentication succeeded");
/// AUTH LOGIN asks for the user name: `Username:` in base64.
pub const ASK_USER: Reply = Reply::plain(334, "VXNlcm5hbWU6");
/// AUTH LOGIN asks for the password: `Password:` in base64.
pub const ASK_PASSWORD: Reply = Reply::plain(334, "UGFzc3dvcmQ6");
/// AUTH PLAIN without an initial response: an empty challenge (RFC 4954 4).
pub const ASK_PLAIN: Reply = Reply::plain(334, "");

/// The server is going down or full.
pub const SHUTTING_DOWN: Reply = Reply::fixed(421, (4, 3, 2), "Closing for maintenance, try again later");
/// Too many connections.
pub const TOO_BUSY: Reply = Reply::fixed(421, (4, 3, 2), "Too many connections, try again later");
/// Nothing came in time.
pub const TIMED_OUT: Reply = Reply::fixed(421, (4, 4, 2), "Timed out, closing");
/// Over the error limit of the session.
pub const TOO_MANY_ERRORS: Reply = Reply::fixed(421, (4, 7, 0), "Too many errors, closing");
/// Over the limit of commands that move no mail.
pub const TOO_MANY_COMMANDS: Reply = Reply::fixed(421, (4, 7, 0), "Too many commands without a message, closing");
/// The client goes on sending a message that is refused already.
pub const TOO_MUCH_DATA: Reply = Reply::fixed(421, (4, 3, 0), "Message far over the size limit, closing");

/// A fault of ours; the client may try again.
pub const LOCAL_ERROR: Reply = Reply::fixed(451, (4, 3, 0), "Local error, try again later");
/// Store full or failing.
pub const STORE_FULL: Reply = Reply::fixed(452, (4, 3, 1), "Out of storage, try again later");
/// More recipients than one message may have: the client sends the rest in a further message (RFC 5321 4.5.3.1.10).
pub const TOO_MANY_RECIPIENTS: Reply = Reply::fixed(452, (4, 5, 3), "Too many recipients, send the rest separately");
/// The users file or what stands behind it does not answer (RFC 4954 6).
pub const AUTH_UNAVAILABLE: Reply = Reply::fixed(454, (4, 7, 0), "Temporary authentication failure");

/// No such command.
pub const UNKNOWN_COMMAND: Reply = Reply::fixed(500, (5, 5, 2), "Command not recognised");
/// Octets that no command line may have.
pub const BAD_LINE: Reply = Reply::fixed(500, (5, 5, 2), "Command line holds octets that are not allowed");
/// A command line with a bare LF.
pub const BARE_LF_IN_COMMAND: Reply = Reply::fixed(500, (5, 5, 2), "Bare LF: a command line ends in CRLF");
/// A command line over the limit.
pub const LINE_TOO_LONG: Reply = Reply::fixed(500, (5, 5, 2), "Command line too long");
/// A line of an AUTH exchange over the limit (RFC 4954 6).
pub const AUTH_LINE_TOO_LONG: Reply = Reply::fixed(500, (5, 5, 6), "Authentication exchange line too long");
/// Argument missing or wrong.
pub const BAD_ARGUMENT: Reply = Reply::fixed(501, (5, 5, 4), "Invalid argument");
/// Parameter value wrong, or the parameter given twice.
pub const BAD_PARAMETER: Reply = Reply::fixed(501, (5, 5, 4), "Invalid parameter");
/// BDAT whose chunk size cannot be read: what follows cannot be told from commands, so the session ends.
pub const BAD_CHUNK: Reply = Reply::fixed(501, (5, 5, 4), "Invalid chunk size, closing");
/// The reverse-path is no address.
pub const BAD_SENDER: Reply = Reply::fixed(501, (5, 1, 7), "Invalid sender address");
/// The forward-path is no address.
pub const BAD_RECIPIENT: Reply = Reply::fixed(501, (5, 1, 3), "Invalid recipient address");
/// Base64 that cannot be read in an AUTH exchange (RFC 4954 4).
pub const BAD_BASE64: Reply = Reply::fixed(501, (5, 5, 2), "Cannot decode the response");
/// The client gave up the AUTH exchange with `*`.
pub const AUTH_CANCELLED: Reply = Reply::fixed(501, (5, 7, 0), "Authentication cancelled");
/// Known, not offered here.
pub const NOT_IMPLEMENTED: Reply = Reply::fixed(502, (5, 5, 1), "Command not implemented");
/// Not now.
pub const BAD_SEQUENCE: Reply = Reply::fixed(503, (5, 5, 1), "Bad sequence of commands");
/// MAIL or AUTH before EHLO.
pub const HELLO_FIRST: Reply = Reply::fixed(503, (5, 5, 1), "Send EHLO first");
/// RCPT, DATA or BDAT without MAIL.
pub const MAIL_FIRST: Reply = Reply::fixed(503, (5, 5, 1), "Send MAIL first");
/// DATA or BDAT without an accepted recipient.
pub const NO_RECIPIENTS: Reply = Reply::fixed(554, (5, 5, 1), "No valid recipients");
/// BODY=BINARYMIME needs BDAT (RFC 3030 3).
pub const BINARY_NEEDS_BDAT: Reply = Reply::fixed(503, (5, 5, 1), "A BINARYMIME message needs BDAT");
/// No such SASL mechanism here.
pub const UNKNOWN_MECHANISM: Reply = Reply::fixed(504, (5, 5, 4), "Authentication mechanism not offered");
/// TLS is required first (RFC 3207 4).
pub const TLS_REQUIRED: Reply = Reply::fixed(530, (5, 7, 0), "Send STARTTLS first");
/// AUTH is required first (RFC 4954 6).
pub const AUTH_REQUIRED: Reply = Reply::fixed(530, (5, 7, 0), "Authentication required");
/// Wrong user or password; the same for both.
pub const AUTH_FAILED: Reply = Reply::fixed(535, (5, 7, 8), "Authentication failed");
/// AUTH is offered after STARTTLS only.
pub const AUTH_NEEDS_TLS: Reply = Reply::fixed(538, (5, 7, 11), "Encryption required, send STARTTLS first");
/// No such mailbox or subscriber.
pub const UNKNOWN_RECIPIENT: Reply = Reply::fixed(550, (5, 1, 1), "No such recipient here");
/// Neither our domain nor a client that may relay.
pub const NO_RELAY: Reply = Reply::fixed(550, (5, 7, 1), "Relaying denied");
/// The authenticated user may not use this sender.
pub const SENDER_NOT_ALLOWED: Reply = Reply::fixed(550, (5, 7, 1), "Sender not allowed for this user");
/// A bare CR or LF in the message: refused, for it can carry a second message past another reader.
pub const BARE_NEWLINE: Reply = Reply::fixed(550, (5, 6, 11), "Message holds a bare CR or LF, lines end in CRLF");
/// Declared or counted size over the limit (RFC 1870 6).
pub const TOO_LARGE: Reply = Reply::fixed(552, (5, 3, 4), "Message exceeds the size limit");
/// A non-ASCII address without SMTPUTF8 (RFC 6531 3.5).
pub const NEEDS_SMTPUTF8: Reply = Reply::fixed(553, (5, 6, 7), "Non-ASCII address needs the SMTPUTF8 parameter");
/// The client spoke before the greeting or went on after DATA without waiting (RFC 2920 3.1).
pub const OUT_OF_STEP: Reply = Reply::fixed(554, (5, 5, 0), "SMTP synchronisation error, closing");
/// An HTTP request arrived.
pub const NOT_HTTP: Reply = Reply::fixed(554, (5, 5, 0), "This is not an HTTP server, closing");
/// An ESMTP parameter that was not offered (RFC 5321 4.1.1.11).
pub const UNKNOWN_PARAMETER: Reply = Reply::fixed(555, (5, 5, 4), "Parameter not recognised");
