//! Header fields across MM3, both ways (RFC 4356 2.1.3, 2.2.3); envelope parameters are the caller's.

use crate::Headers;
use crate::limits::FIRST_WORDS;

/// Fields an MMS has and a mail must not (RFC 4356 table 1); what they mean to the envelope the caller reads before.
const NOT_IN_MAIL: &[&str] = &[
    "x-mms-3gpp-mms-version",
    "x-mms-mms-version",
    "x-mms-version",
    "x-mms-message-type",
    "x-mms-transaction-id",
    "x-mms-expiry",
    "x-mms-delivery-time",
    "x-mms-delivery-report",
    "x-mms-priority",
    "x-mms-sender-visibility",
    "x-mms-read-reply",
    "x-mms-read-report",
    "x-mms-reply-charging",
    "x-mms-reply-charging-id",
    "x-mms-reply-charging-deadline",
    "x-mms-reply-charging-size",
    "x-mms-forward-counter",
    "x-mms-previously-sent-by",
    "x-mms-previously-sent-date-and-time",
    "x-mms-previously-sent-date",
    "x-mms-ack-request",
    "x-mms-originator-system",
    "x-mms-originator-recipient-delivery-report",
    "bcc",
];

/// The header fields of the mail an MMS becomes.
///
/// Priority becomes Importance, a wish for a read report Disposition-Notification-To, the classes Auto and
/// Advertisement `Precedence: bulk` (and Auto `Auto-Submitted`), earlier senders Resent-* fields. The fields that
/// steer an MMSC are gone, and Bcc; other fields stay, in order. A subject that says nothing is dropped, never made
/// up here. Without To and Cc there is `To: undisclosed-recipients:;`.
pub fn mail_fields(mms: &Headers) -> Headers {
    let mut mail = Headers::default();
    let kept = mms.0.iter().filter(|(name, _)| !is_one_of(name, NOT_IN_MAIL));
    kept.for_each(|(name, value)| mail.push(name.clone(), value.clone()));
    if subject(mms).is_none() {
        mail.remove("Subject");
    }
    match mms.first("X-Mms-Priority").map(str::to_ascii_lowercase).as_deref() {
        Some("high") => mail.set("Importance", "High"),
        Some("low") => mail.set("Importance", "Low"),
        _ => {}
    }
    let wants_read = ["X-Mms-Read-Reply", "X-Mms-Read-Report"].iter().any(|name| says_yes(mms, name));
    if wants_read && let Some(from) = mms.first("From") {
        mail.set("Disposition-Notification-To", from);
    }
    match mms.first("X-Mms-Message-Class").map(str::to_ascii_lowercase).as_deref() {
        Some("auto") => {
            mail.set("Precedence", "bulk");
            mail.set("Auto-Submitted", "auto-generated");
        }
        Some("advertisement") => mail.set("Precedence", "bulk"),
        _ => {}
    }
    if mms.first("To").is_none() && mms.first("Cc").is_none() {
        mail.push("To", "undisclosed-recipients:;");
    }
    resend(mms, &mut mail);
    mail
}

/// X-Mms-Previously-Sent-*: the first sender becomes From, the later ones Resent-* blocks, the newest on top, the
/// present From the topmost of all (RFC 4356 2.1.3.2).
fn resend(mms: &Headers, mail: &mut Headers) {
    let dates = ["X-Mms-Previously-Sent-Date-and-Time", "X-Mms-Previously-Sent-Date"];
    let date_of = |index: u32| {
        let mut dates = dates.iter().flat_map(|name| mms.all(name)).filter_map(numbered);
        dates.find(|(found, _)| *found == index).map(|(_, date)| date)
    };
    let mut senders: Vec<(u32, &str)> = mms.all("X-Mms-Previously-Sent-By").filter_map(numbered).collect();
    senders.sort_by_key(|(index, _)| *index);
    let Some(((first, original), later)) = senders.split_first() else { return };
    let mut block = Vec::new();
    let mut resent = |name: &str, value: Option<&str>| {
        value.into_iter().for_each(|value| block.push((format!("Resent-{name}"), value.to_owned())));
    };
    for name in ["From", "Date", "To", "Message-ID"] {
        resent(name, mms.first(name));
    }
    for (index, sender) in later.iter().rev() {
        resent("From", Some(sender));
        resent("Date", date_of(*index));
    }
    mail.set("From", *original);
    if let Some(date) = date_of(*first) {
        mail.set("Date", date);
    }
    mail.set("To", "unrecoverable-recipients:;");
    mail.remove("Cc");
    mail.remove("Message-ID"); // the original's is not known; the caller makes one
    block.append(&mut mail.0);
    mail.0 = block;
}

/// `0, value`
fn numbered(value: &str) -> Option<(u32, &str)> {
    let (index, rest) = value.split_once(',')?;
    Some((index.trim().parse().ok()?, rest.trim()))
}

/// Fields of a mail that mean nothing to a phone: traces, lists, the mail program's and the spam filter's notes.
const NOT_IN_MMS: &[&str] = &[
    "received",
    "return-path",
    "delivered-to",
    "dkim-signature",
    "arc-seal",
    "arc-message-signature",
    "arc-authentication-results",
    "authentication-results",
    "received-spf",
    "importance",
    "priority",
    "x-priority",
    "x-msmail-priority",
    "disposition-notification-to",
    "x-mailer",
    "user-agent",
    "x-mimeole",
    "thread-index",
    "thread-topic",
    "domainkey-signature",
];

/// The X-Mms-* and other fields of the MMS a mail becomes (RFC 4356 table 3).
///
/// Importance, else X-Priority, becomes X-Mms-Priority; Disposition-Notification-To becomes X-Mms-Read-Reply; a null
/// return path or an automatic sender makes the class Auto. Expiry and delivery reports come from the envelope and
/// are the caller's.
pub fn mms_fields(mail: &Headers, null_return_path: bool) -> Headers {
    let mut mms = Headers::default();
    let noise = |name: &str| {
        let name = name.to_ascii_lowercase();
        is_one_of(&name, NOT_IN_MMS) || name.contains("spam") || name.contains("mailscanner") || name.contains("virus")
    };
    let kept = mail.0.iter().filter(|(name, _)| !noise(name));
    kept.for_each(|(name, value)| mms.push(name.clone(), value.clone()));
    if subject(mail).is_none() {
        mms.remove("Subject");
    }
    if let Some(priority) = priority(mail) {
        mms.set("X-Mms-Priority", priority);
    }
    if mail.first("Disposition-Notification-To").is_some() {
        mms.set("X-Mms-Read-Reply", "Yes");
    }
    let automatic = null_return_path || crate::report::loop_facts(mail).auto_submitted;
    mms.set("X-Mms-Message-Class", if automatic { "Auto" } else { "Personal" });
    mms
}

/// High or Low; Normal is what absence means.
fn priority(mail: &Headers) -> Option<&'static str> {
    if let Some(importance) = mail.first("Importance") {
        return match importance.trim().to_ascii_lowercase().as_str() {
            "high" => Some("High"),
            "low" => Some("Low"),
            _ => None,
        };
    }
    match mail.first("X-Priority")?.trim().chars().next()? {
        '1' | '2' => Some("High"),
        '4' | '5' => Some("Low"),
        _ => None,
    }
}

/// The subject, unless it is one some program made up for a message without: those are never passed on.
pub fn subject(headers: &Headers) -> Option<&str> {
    const EMPTY: &[&str] = &[
        "",
        "nosubject",
        "no subject",
        "(no subject)",
        "(nosubject)",
        "<no subject>",
        "[no subject]",
        "multimedia message",
        "mms message",
        "kein betreff",
        "(kein betreff)",
        "(sans objet)",
        "(sin asunto)",
        "(nessun oggetto)",
        "(geen onderwerp)",
    ];
    let subject = headers.first("Subject")?.trim();
    (!EMPTY.contains(&subject.to_lowercase().as_str())).then_some(subject)
}

/// The beginning of a text, at most [`FIRST_WORDS`] characters, cut between words where there are any.
pub(crate) fn first_words(text: &str) -> Option<String> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty())?;
    if line.chars().count() <= FIRST_WORDS {
        return Some(line.to_owned());
    }
    let head: String = line.chars().take(FIRST_WORDS - 1).collect();
    let cut = head.rfind(char::is_whitespace).filter(|at| *at > head.len() / 2).unwrap_or(head.len());
    Some(format!("{}…", head[..cut].trim_end()))
}

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn says_yes(headers: &Headers, name: &str) -> bool {
    headers.first(name).is_some_and(|value| value.trim().eq_ignore_ascii_case("yes"))
}
