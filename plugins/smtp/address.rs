//! Which addresses are handsets: those at our own domains whose local part is a number, in any form people and mailers
//! write one (case D-10).

use packetboat_api::mime::{Headers, Mailbox as MimeMailbox, addresses};
use packetboat_api::numbers::NumberPlan;
use packetboat_api::party::{MailAddress, Party};
use packetboat_smtp::Mailbox;

/// Header fields that name people.
const PEOPLE: [&str; 4] = ["From", "To", "Cc", "Reply-To"];
/// Longest short code, in characters.
const SHORT_CODE: usize = 8;

/// The addresses of a listener.
#[derive(Clone, Debug, Default)]
pub struct Addresses {
    domains: Vec<String>,
    numbers: NumberPlan,
}

impl Addresses {
    /// With these domains of our own.
    pub fn new(domains: &[String], numbers: &NumberPlan) -> Self {
        Addresses { domains: domains.iter().map(|d| d.to_ascii_lowercase()).collect(), numbers: numbers.clone() }
    }

    /// Whether that domain is our own.
    pub fn is_own(&self, domain: &str) -> bool {
        self.domains.iter().any(|own| own.eq_ignore_ascii_case(domain))
    }

    /// The party behind an envelope address; `None` when it names none.
    pub fn party(&self, mailbox: &Mailbox) -> Option<Party> {
        match mailbox.domain() {
            Some(domain) if !self.is_own(domain) => MailAddress::new(&mailbox.to_string()).map(Party::Mail),
            Some(domain) => {
                let whole = || MailAddress::new(&format!("{}@{domain}", mailbox.local())).map(Party::Mail);
                self.handset(mailbox.local()).or_else(whole)
            }
            None => self.handset(mailbox.local()),
        }
    }

    /// The handset or short code that a local part of our own domains names.
    fn handset(&self, local: &str) -> Option<Party> {
        if let Some(number) = self.numbers.parse(local) {
            return Some(Party::Phone(number));
        }
        let upper = local.to_ascii_uppercase();
        let value = upper.find("/TYPE=").map_or(local, |at| &local[..at]);
        let short = (3..=SHORT_CODE).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit());
        short.then(|| Party::ShortCode(value.to_owned()))
    }

    /// Rewrites handsets' mail addresses in the header fields to the form phones know, `+447700900123/TYPE=PLMN`.
    pub fn rewrite(&self, headers: &mut Headers) {
        for (name, value) in &mut headers.0 {
            if !PEOPLE.iter().any(|people| people.eq_ignore_ascii_case(name)) || !value.contains('@') {
                continue;
            }
            let mailboxes = addresses(value);
            if !mailboxes.iter().any(|mailbox| self.in_header(mailbox).is_some()) {
                continue;
            }
            let rewritten = mailboxes.iter().map(|mailbox| {
                let address = self.in_header(mailbox).map(|party| party.to_mms());
                MimeMailbox { name: mailbox.name.clone(), address: address.unwrap_or_else(|| mailbox.address.clone()) }
            });
            *value = rewritten.map(|mailbox| mailbox.to_string()).collect::<Vec<_>>().join(", ");
        }
    }

    fn in_header(&self, mailbox: &MimeMailbox) -> Option<Party> {
        let (local, domain) = mailbox.address.rsplit_once('@')?;
        self.is_own(domain).then(|| self.handset(local.trim_matches('"'))).flatten()
    }
}
