//! Addresses: who sends and who receives.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use crate::id::serde_as_text;
use crate::mask;

/// Longest E.164 number, in digits (ITU-T E.164 6.2.1).
pub const MAX_DIGITS: usize = 15;
/// Longest mail address, in octets (RFC 5321 4.5.3.1.3, without the angle brackets).
pub const MAX_MAIL_ADDRESS: usize = 254;

/// An international phone number (E.164): digits only inside, written with a leading `+`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Msisdn(String);

/// A mail address: local part as written, domain in lower case.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MailAddress {
    local: String,
    domain: String,
}

/// Whoever can send or receive (TS 23.140 8.4.5.1; OMA-TS-MMS_ENC 8).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Party {
    /// A phone.
    Phone(Msisdn),
    /// A mailbox.
    Mail(MailAddress),
    /// A short code or alphanumeric name of a service.
    ShortCode(String),
    /// A device known by its IP address.
    Ip(IpAddr),
}

impl Msisdn {
    /// From digits in international form, with or without `+`.
    pub fn new(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let plausible = (5..=MAX_DIGITS).contains(&digits.len()) && !digits.starts_with('0');
        (plausible && digits.bytes().all(|b| b.is_ascii_digit())).then(|| Msisdn(digits.to_owned()))
    }

    /// The digits, without `+`.
    pub fn digits(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Msisdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "+{}", self.0)
    }
}

impl FromStr for Msisdn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        text.starts_with('+').then(|| Msisdn::new(text)).flatten().ok_or_else(|| {
            format!("\"{text}\" is not an international number; write it in E.164 form, such as \"+447700900123\"")
        })
    }
}

impl MailAddress {
    /// From an addr-spec; the local part is taken as it stands.
    pub fn new(text: &str) -> Option<Self> {
        let (local, domain) = text.trim().rsplit_once('@')?;
        let clean = |s: &str| !s.is_empty() && !s.chars().any(|c| c.is_control() || c == '<' || c == '>');
        let bare = local.starts_with('"') || !local.contains(' ');
        (text.len() <= MAX_MAIL_ADDRESS && clean(local) && bare && clean(domain) && !domain.contains([' ', '/']))
            .then(|| MailAddress { local: local.to_owned(), domain: domain.to_ascii_lowercase() })
    }

    /// The part before the `@`.
    pub fn local(&self) -> &str {
        &self.local
    }

    /// The domain, lower case.
    pub fn domain(&self) -> &str {
        &self.domain
    }
}

impl fmt::Display for MailAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.local, self.domain)
    }
}

impl FromStr for MailAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        MailAddress::new(text).ok_or_else(|| format!("\"{text}\" is not a mail address"))
    }
}

impl Party {
    /// Reads an address in the forms MM1 and MM4 use: `+447700900123/TYPE=PLMN`, a bare number, `192.0.2.1/TYPE=IPv4`,
    /// `Bob <bob@example.net>`, `7777`. The type tag is matched without case; national numbers are for
    /// [`crate::numbers::NumberPlan`] and are taken as short codes here.
    pub fn parse(text: &str) -> Option<Party> {
        let text = text.trim();
        let text = match (text.rfind('<'), text.ends_with('>')) {
            (Some(open), true) => &text[open + 1..text.len() - 1],
            _ => text,
        };
        let tag = text.to_ascii_uppercase().rfind("/TYPE=");
        let (value, tag) = tag.map_or((text, ""), |at| (&text[..at], &text[at + 6..]));
        match tag.to_ascii_uppercase().as_str() {
            "IPV4" | "IPV6" => value.parse().ok().map(Party::Ip),
            _ if value.contains('@') => MailAddress::new(value).map(Party::Mail),
            _ => Party::number(value),
        }
    }

    fn number(value: &str) -> Option<Party> {
        let digits: String = value.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
        if let Some(phone) = digits.starts_with('+').then(|| Msisdn::new(&digits)).flatten() {
            return Some(Party::Phone(phone));
        }
        let short = (1..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_alphanumeric());
        short.then_some(Party::ShortCode(digits))
    }

    /// The form MM1 wants: phones and short codes get their `/TYPE=PLMN`.
    pub fn to_mms(&self) -> String {
        match self {
            Party::Phone(_) | Party::ShortCode(_) => format!("{self}/TYPE=PLMN"),
            _ => self.to_string(),
        }
    }

    /// The phone number, if this is a phone.
    pub fn phone(&self) -> Option<&Msisdn> {
        match self {
            Party::Phone(number) => Some(number),
            _ => None,
        }
    }

    /// The mail address, if this is a mailbox.
    pub fn mail(&self) -> Option<&MailAddress> {
        match self {
            Party::Mail(address) => Some(address),
            _ => None,
        }
    }

    /// The form for logs: most of it hidden (invariant I-11).
    pub fn masked(&self) -> String {
        let text = self.to_string();
        match self {
            Party::Phone(_) => mask::masked(&text),
            Party::Mail(address) => {
                let first = address.local.chars().next().map(String::from).unwrap_or_default();
                format!("{first}…@{}", address.domain)
            }
            Party::ShortCode(_) => text,
            Party::Ip(_) => "ip…".to_owned(),
        }
    }
}

/// The canonical form: `+447700900123`, `bob@example.net`, `7777`, `192.0.2.1/TYPE=IPv4`.
impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Party::Phone(number) => number.fmt(f),
            Party::Mail(address) => address.fmt(f),
            Party::ShortCode(code) => f.write_str(code),
            Party::Ip(ip) => write!(f, "{ip}/TYPE={}", if ip.is_ipv4() { "IPv4" } else { "IPv6" }),
        }
    }
}

impl FromStr for Party {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Party::parse(text).ok_or_else(|| format!("\"{text}\" is neither a number nor a mail address"))
    }
}

serde_as_text!(Msisdn, MailAddress, Party);
