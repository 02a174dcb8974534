//! Mailboxes of the envelope as parties.
//!
//! Under our own domains a local part is a number in any form people and mailers write (case D-10), a short code, a typed
//! MMS address (TS 23.140 8.4.5.1) or an alias; everything else there is unknown. Other domains are mail. A domain is
//! ours when it is listed, and so are the address literal of the address the client connected to and no domain at all
//! (case F-06).

use std::collections::BTreeMap;
use std::net::IpAddr;

use packetboat_api::mime::{Headers, Mailbox as MimeMailbox, addresses};
use packetboat_api::numbers::NumberPlan;
use packetboat_api::party::{MailAddress, Party};
use packetboat_smtp::{Mailbox, Reply, replies};

/// Header fields that name people.
const PEOPLE: [&str; 4] = ["From", "To", "Cc", "Reply-To"];
/// Digits a short code may have.
const SHORT_CODE: std::ops::RangeInclusive<usize> = 3..=8;

/// Whose domains are ours, and how numbers under them are read.
#[derive(Clone, Debug)]
pub struct Addresses {
    domains: Vec<String>,
    aliases: BTreeMap<String, Party>,
    numbers: NumberPlan,
}

impl Addresses {
    /// From the settings; an error is `(key, message)`.
    pub fn new(
        domains: &[String],
        aliases: &BTreeMap<String, String>,
        numbers: &NumberPlan,
    ) -> Result<Self, (&'static str, String)> {
        let mut ours = Vec::new();
        for domain in domains {
            let named = Mailbox::parse(&format!("x@{domain}")).ok().filter(|mailbox| mailbox.ip_literal().is_none());
            if named.is_none() || domain.ends_with('.') {
                return Err(("domains", format!("\"{domain}\" is not a domain name, such as \"mms.example.net\"")));
            }
            ours.push(domain.to_ascii_lowercase());
        }
        let mut parties = BTreeMap::new();
        for (local, target) in aliases {
            let party = numbers.parse(target).map(Party::Phone).or_else(|| Party::parse(target));
            let party = party.ok_or_else(|| {
                ("aliases", format!("\"{target}\", for {local}, is neither a number nor a mail address"))
            })?;
            parties.insert(local.to_ascii_lowercase(), party);
        }
        Ok(Addresses { domains: ours, aliases: parties, numbers: numbers.clone() })
    }

    /// A recipient, or the reply that refuses it. Whether anything leads to it is the road's to say.
    pub fn recipient(&self, mailbox: &Mailbox, local: IpAddr) -> Result<Party, Reply> {
        if !self.is_ours(mailbox, local) {
            return MailAddress::new(&mailbox.to_string()).map(Party::Mail).ok_or(replies::BAD_RECIPIENT);
        }
        self.subscriber(mailbox.local()).ok_or(replies::UNKNOWN_RECIPIENT)
    }

    /// A sender, or the reply that refuses it. Whoever may be left without a domain, as devices are, gets our first one.
    pub fn sender(&self, mailbox: &Mailbox, local: IpAddr, hostname: &str) -> Result<Party, Reply> {
        if self.is_ours(mailbox, local)
            && let Some(party) = self.number(mailbox.local())
        {
            return Ok(party);
        }
        let address = match mailbox.domain() {
            Some(_) => mailbox.to_string(),
            None => format!("{mailbox}@{}", self.domains.first().map_or(hostname, String::as_str)),
        };
        MailAddress::new(&address).map(Party::Mail).ok_or(replies::BAD_SENDER)
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
        let own = self.domains.iter().any(|own| own.eq_ignore_ascii_case(domain));
        own.then(|| self.subscriber(local.trim_matches('"'))).flatten()
    }

    /// Whether a mailbox is at one of our domains; one without a domain is.
    pub fn is_ours(&self, mailbox: &Mailbox, local: IpAddr) -> bool {
        let Some(domain) = mailbox.domain() else { return true };
        let domain = domain.strip_suffix('.').unwrap_or(domain);
        self.domains.iter().any(|ours| ours.eq_ignore_ascii_case(domain))
            || mailbox.ip_literal().is_some_and(|ip| ip.to_canonical() == local.to_canonical())
    }

    fn subscriber(&self, local: &str) -> Option<Party> {
        if let Some(party) = self.aliases.get(&local.to_ascii_lowercase()) {
            return Some(party.clone());
        }
        self.number(local).or_else(|| short_code(local))
    }

    /// A number in any form, or an address of another MMS type.
    fn number(&self, local: &str) -> Option<Party> {
        match typed(local) {
            Some((value, tag)) if tag.eq_ignore_ascii_case("PLMN") => self.numbers.parse(value).map(Party::Phone),
            Some((value, tag)) if tag.eq_ignore_ascii_case("IPv4") || tag.eq_ignore_ascii_case("IPv6") => {
                value.parse().ok().map(Party::Ip)
            }
            Some(_) => None,
            None => self.numbers.parse(local).map(Party::Phone),
        }
    }
}

/// `7777`, `7777/TYPE=PLMN`, `PACKET/TYPE=ALPHANUM`.
fn short_code(local: &str) -> Option<Party> {
    let is_code = |text: &str| SHORT_CODE.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let code = match typed(local) {
        Some((value, tag)) if tag.eq_ignore_ascii_case("PLMN") => Some(value).filter(|value| is_code(value)),
        Some((value, tag)) if tag.eq_ignore_ascii_case("ALPHANUM") => {
            Some(value).filter(|value| (1..=11).contains(&value.len()))
        }
        Some(_) => None,
        None => Some(local).filter(|local| is_code(local)),
    };
    let code = code.filter(|code| code.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    code.map(|code| Party::ShortCode(code.to_owned()))
}

/// Splits `value/TYPE=tag`.
fn typed(local: &str) -> Option<(&str, &str)> {
    let at = local.to_ascii_uppercase().rfind("/TYPE=")?;
    let (value, rest) = local.split_at_checked(at)?;
    Some((value, rest.get("/TYPE=".len()..)?))
}
