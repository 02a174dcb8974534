//! What the phone's owner reads. One short message where that can be done: the subject is left out first, then the sender
//! (case A-10); the page has both. The text comes from the operator, so a stranger's words stand in it only where no phone makes a
//! link of them.

use minijinja::{AutoEscape, Environment, Value, context};
use packetboat_api::message::Message;
use packetboat_api::mime::{addresses, date};
use packetboat_api::roles::Job;
use packetboat_sms::{Reference, segment_text};

use crate::limits::{NAME, SEGMENTS, TEMPLATE};

/// What may be said of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Where the page is; empty where the link stands beside the words.
    pub url: String,
    /// Who sent it: a name, else a number or mail address.
    pub sender: Option<String>,
    /// Its subject.
    pub subject: Option<String>,
    /// The day it is gone, as 2026-05-28.
    pub expires: String,
}

impl Facts {
    /// Of a job; what may not be shown is left out, and what a phone would make a link of.
    pub fn of(job: &Job, url: &str, show_sender: bool, show_subject: bool) -> Facts {
        let message = &job.message;
        let sender = sender(message).filter(|_| show_sender && !message.traits.hide_sender);
        let subject = message.traits.subject.as_deref().filter(|_| show_subject).and_then(said);
        let day = date::rfc3339(job.delivery.expires.seconds());
        Facts { url: url.to_owned(), sender, subject, expires: day.get(..10).unwrap_or_default().to_owned() }
    }

    /// The same with less said, step by step.
    fn shorter(&self) -> [Facts; 3] {
        let unsubjected = Facts { subject: None, ..self.clone() };
        let bare = Facts { sender: None, ..unsubjected.clone() };
        [self.clone(), unsubjected, bare]
    }
}

/// Who sent a message: the name in its From field, else the envelope's address.
fn sender(message: &Message) -> Option<String> {
    let named = message.mail.headers.first("From").and_then(|from| addresses(from).into_iter().next());
    let name = named.and_then(|mailbox| mailbox.name).and_then(|name| said(&name));
    // A mail address ends in a host name, and phones make a mail of it and not a link.
    let address = || message.envelope.from.as_ref().map(|from| line(&from.to_string())).filter(|from| !is_link(from));
    name.or_else(address)
}

/// What strangers wrote, as it may stand in a text that comes from the operator: nothing that a phone makes a link of. The page
/// shows it.
fn said(text: &str) -> Option<String> {
    let text = line(text);
    let seen: String = text.chars().filter(|c| !is_unseen(*c)).collect();
    if text.is_empty() || is_link(&seen) || names_host(&seen) {
        return None;
    }
    Some(text.chars().take(NAME).collect::<String>().trim_end().to_owned())
}

/// One line without control characters, and without those that turn the direction of what follows.
fn line(text: &str) -> String {
    let out = |c: char| c.is_control() || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || out(c)).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Characters without width, which may stand in a host name to hide it from us. Some join letters and emoji, so they are sent.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}')
}

/// Whether a text has in it how addresses of the web begin.
fn is_link(text: &str) -> bool {
    let text = text.to_lowercase();
    text.contains("://") || text.contains("www.")
}

/// Whether a text has in it what phones take for a host: `pay.example`, `pay.example/x`, `192.0.2.1`; not `e.g.`, `3.50`, `J. R.`
/// or `24.12.2026`.
fn names_host(text: &str) -> bool {
    let text = text.replace('\u{FF0E}', ".");
    text.split(|c: char| !(c.is_alphanumeric() || c == '.' || c == '-')).any(|word| {
        let labels: Vec<&str> = word.split('.').collect();
        // A top-level domain has two letters at least (RFC 3696 2).
        let top =
            |label: &str| label.chars().take_while(|c| c.is_alphabetic()).count() >= 2 || label.starts_with("xn-");
        let named = labels.windows(2).any(|two| !two[0].is_empty() && top(two[1]));
        let octet = |label: &&str| label.parse::<u8>().is_ok();
        named || labels.windows(4).any(|four| four.iter().all(octet))
    })
}

/// The templates, compiled.
pub struct Words {
    environment: Environment<'static>,
}

impl Words {
    /// Compiles and tries them. An error is `(key, message)`.
    pub fn new(text: &str, indication: &str) -> Result<Words, (&'static str, String)> {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        for (key, template) in [("text", text), ("indication", indication)] {
            if template.len() > TEMPLATE {
                return Err((key, format!("the template has {} octets; the most is {TEMPLATE}", template.len())));
            }
            let added = environment.add_template_owned(key, template.to_owned());
            added.map_err(|e| (key, format!("the template cannot be read: {e}; write it like the default")))?;
        }
        let words = Words { environment };
        for key in ["text", "indication"] {
            let said = words.try_say(key, &sample("https://x.example")).map_err(|why| (key, why))?;
            if key == "text" && !said.contains("https://x.example") {
                return Err((key, "the text has no address in it: put {{ url }} where it is to stand".to_owned()));
            }
            if words.try_say(key, &sample_bare("https://x.example")).map_err(|why| (key, why))?.trim().is_empty() {
                return Err((key, "the template says nothing when sender and subject are hidden".to_owned()));
            }
        }
        Ok(words)
    }

    fn try_say(&self, key: &'static str, facts: &Facts) -> Result<String, String> {
        let wrong = |e: minijinja::Error| format!("the template fails: {e}; write it like the default");
        let template = self.environment.get_template(key).map_err(wrong)?;
        let said = template.render(values(facts)).map_err(wrong)?;
        Ok(said.trim().to_owned())
    }

    /// The text, and how many short messages it needs.
    ///
    /// # Errors
    /// In words, when it is longer than [`SEGMENTS`] short messages or the template fails.
    pub fn text(&self, facts: &Facts) -> Result<(String, usize), String> {
        let mut first = None;
        for facts in facts.shorter() {
            let said = self.try_say("text", &facts)?;
            match short_messages(&said) {
                Some(1) => return Ok((said, 1)),
                Some(count) if count <= SEGMENTS => first = first.or(Some((said, count))),
                _ => {}
            }
        }
        // None fits one: then there is nothing to be gained by hiding anything.
        first.ok_or_else(|| format!("the text with the link needs more than {SEGMENTS} short messages; shorten `text`"))
    }

    /// The title of an indication: the longest that `fits`, else the whole.
    pub fn indication(&self, facts: &Facts, fits: impl Fn(&str) -> bool) -> Result<String, String> {
        let mut whole = None;
        for facts in facts.shorter() {
            let said = self.try_say("indication", &facts)?;
            if fits(&said) {
                return Ok(said);
            }
            whole = whole.or(Some(said));
        }
        Ok(whole.unwrap_or_default())
    }
}

fn values(facts: &Facts) -> Value {
    let Facts { url, sender, subject, expires } = facts;
    let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
    context! { url, sender => or_empty(sender), subject => or_empty(subject), expires }
}

/// An everyday message through this door, for `check`.
pub fn sample(url: &str) -> Facts {
    Facts { sender: Some("+447700900123".to_owned()), subject: Some("Our holiday".to_owned()), ..sample_bare(url) }
}

/// The same with sender and subject hidden.
fn sample_bare(url: &str) -> Facts {
    Facts { url: url.to_owned(), expires: "2026-05-28".to_owned(), ..Facts::default() }
}

/// Short messages a text needs; `None` when it is longer than any number of them may be.
pub fn short_messages(text: &str) -> Option<usize> {
    segment_text(text, Reference::Eight(0)).ok().map(|segments| segments.len())
}
