//! MAIL and RCPT with the parameters the server understands.

use std::fmt::Write;

use packetboat_api::message::Notify;
use packetboat_smtp::Mailbox;
use packetboat_smtp::limits::{ENVID_MAX, ORCPT_MAX};

use super::features::Features;
use super::{Mail, Recipient};

/// `MAIL FROM:<…>` with SIZE, BODY, SMTPUTF8, RET and ENVID, without its line end.
pub(super) fn mail(mail: &Mail, features: &Features) -> String {
    let mut line = format!("MAIL FROM:<{}>", mail.sender.as_ref().map(Mailbox::to_string).unwrap_or_default());
    if features.size.is_some() {
        let _ = write!(line, " SIZE={}", mail.content.size());
    }
    if mail.content.is_eight_bit() && features.eight_bit {
        line.push_str(" BODY=8BITMIME");
    }
    if needs_utf8(mail) {
        line.push_str(" SMTPUTF8");
    }
    if features.dsn {
        match mail.headers_only {
            Some(true) => line.push_str(" RET=HDRS"),
            Some(false) => line.push_str(" RET=FULL"),
            None => {}
        }
        if let Some(id) = mail.envelope_id.as_deref().and_then(|id| xtext(id, ENVID_MAX)) {
            let _ = write!(line, " ENVID={id}");
        }
    }
    line
}

/// `RCPT TO:<…>` with NOTIFY and ORCPT, without its line end.
pub(super) fn rcpt(recipient: &Recipient, features: &Features) -> String {
    let mut line = format!("RCPT TO:<{}>", recipient.to);
    if !features.dsn {
        return line;
    }
    if let Some(notify) = notify(recipient.notify) {
        let _ = write!(line, " NOTIFY={notify}");
    }
    if let Some(original) = recipient.original.as_deref().and_then(orcpt) {
        let _ = write!(line, " ORCPT={original}");
    }
    line
}

/// Whether the envelope or the header section has what only SMTPUTF8 may carry (RFC 6531 3.4).
pub(super) fn needs_utf8(mail: &Mail) -> bool {
    let foreign = |mailbox: &Mailbox| !mailbox.is_ascii();
    mail.content.has_utf8_headers()
        || mail.sender.as_ref().is_some_and(foreign)
        || mail.recipients.iter().any(|recipient| foreign(&recipient.to))
}

fn notify(asked: Notify) -> Option<String> {
    if asked.never {
        return Some("NEVER".to_owned());
    }
    let wanted = [(asked.success, "SUCCESS"), (asked.failure, "FAILURE"), (asked.delay, "DELAY")];
    let words: Vec<&str> = wanted.into_iter().filter_map(|(on, word)| on.then_some(word)).collect();
    (!words.is_empty()).then(|| words.join(","))
}

fn orcpt(original: &str) -> Option<String> {
    let (kind, address) = original.split_once(';')?;
    let is_atom = !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let encoded = xtext(address.trim(), ORCPT_MAX)?;
    is_atom.then(|| format!("{kind};{encoded}"))
}

/// xtext: printable ASCII but `+` and `=` as it is, the rest as `+HH` (RFC 3461 4). `None` for what may not be in it or
/// is too long: the parameter is then left out, which loses less than the message.
fn xtext(value: &str, max: usize) -> Option<String> {
    if !value.is_ascii() || value.is_empty() || value.len() > max {
        return None;
    }
    let mut out = String::with_capacity(value.len() + 8);
    for octet in value.bytes() {
        match octet {
            b'!'..=b'~' if octet != b'+' && octet != b'=' => out.push(char::from(octet)),
            _ => {
                let _ = write!(out, "+{octet:02X}");
            }
        }
    }
    Some(out)
}

#[cfg(test)]
#[path = "command_tests.rs"]
mod tests;
