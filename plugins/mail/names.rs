//! Parties as mail addresses, in envelopes and in header fields (RFC 4356 2.1.2).
//!
//! A number never leaves without a domain: `+447700900123@mms.example.net` can be answered, `+447700900123` cannot, and a
//! mailer on the way would complete it with a domain of its own.

use packetboat_api::mime::{Headers, Mailbox as Written, addresses};
use packetboat_api::party::Party;
use packetboat_net::dns::ascii_domain;
use packetboat_net::smtp::Mailbox;

/// The header fields whose addresses are rewritten.
const FIELDS: &[&str] = &[
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Disposition-Notification-To",
    "Resent-From",
    "Resent-Sender",
    "Resent-To",
    "Resent-Cc",
];

/// How this node's parties are called in mail.
#[derive(Clone, Debug)]
pub struct Names {
    /// The domain of phones and services.
    pub domain: String,
}

impl Names {
    /// A party's mail address; `None` for a mail address whose domain is none.
    ///
    /// Phones, short codes and IP devices get an address in our domain; the domain of a mail address is written in ASCII
    /// (RFC 5890), so that only a foreign local part needs SMTPUTF8.
    pub fn address(&self, party: &Party) -> Option<Mailbox> {
        let text = match party {
            Party::Mail(address) => format!("{}@{}", address.local(), ascii_domain(address.domain())?),
            Party::Ip(ip) if ip.is_ipv6() => format!("\"{party}\"@{}", self.domain),
            _ => format!("{party}@{}", self.domain),
        };
        Mailbox::parse(&text).ok()
    }

    /// Rewrites the address fields of a message that came from a phone or a service: addresses in MMS form become mail
    /// addresses, display names stay, what cannot be read is left out, and a field with nothing left goes.
    pub fn rewrite(&self, headers: &mut Headers) {
        let is_address_field = |name: &str| FIELDS.iter().any(|field| field.eq_ignore_ascii_case(name));
        headers.0.retain_mut(|(name, value)| {
            if !is_address_field(name) {
                return true;
            }
            let written = self.written(value);
            // A group without members, such as "undisclosed-recipients:;", is an address field all the same.
            let is_empty_group = value.trim_end().ends_with(":;");
            if let Some(written) = &written {
                value.clone_from(written);
            }
            written.is_some() || is_empty_group
        });
    }

    fn written(&self, value: &str) -> Option<String> {
        let known = addresses(value).into_iter().filter_map(|mailbox| {
            let address = self.address(&Party::parse(&mailbox.address)?)?;
            Some(Written { name: mailbox.name, address: address.to_string() }.to_string())
        });
        let list: Vec<String> = known.collect();
        (!list.is_empty()).then(|| list.join(", "))
    }
}
