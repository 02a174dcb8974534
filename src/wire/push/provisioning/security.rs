//! Who may set up a phone: a MAC over the document, by a secret that phone and sender share (WAP-184-PROVBOOT 5.2;
//! OMA-WAP-ProvBoot-v1_1 5.2). It stands in the push's Content-Type as the parameters SEC and MAC.

use std::fmt;

use hmac::{Hmac, Mac};
use packetboat_mime::MediaType;
use sha1::Sha1;
use thiserror::Error;

/// How a document is signed, by the number of the SEC parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// 0: a secret of the network, which is the IMSI.
    NetwPin,
    /// 1: a PIN that the user was told and types.
    UserPin,
    /// 2: both.
    UserNetwPin,
    /// 3: the user types a PIN that the MAC is a part of. Nothing here makes or checks it.
    UserPinMac,
}

impl Method {
    const ALL: [Method; 4] = [Method::NetwPin, Method::UserPin, Method::UserNetwPin, Method::UserPinMac];

    /// The method of a number.
    pub fn of(number: u8) -> Option<Method> {
        Method::ALL.get(usize::from(number)).copied()
    }

    /// Its number.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The specification's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::NetwPin => "NETWPIN",
            Method::UserPin => "USERPIN",
            Method::UserNetwPin => "USERNETWPIN",
            Method::UserPinMac => "USERPINMAC",
        }
    }
}

/// An IMSI: 6 to 15 digits (TS 23.003 2.2).
#[derive(Clone, PartialEq, Eq)]
pub struct Imsi(String);

/// What is no IMSI.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an IMSI is 6 to 15 digits, such as 310150123456789")]
pub struct NoImsi;

impl Imsi {
    /// Reads its digits.
    ///
    /// # Errors
    /// [`NoImsi`] when it is anything else.
    pub fn parse(digits: &str) -> Result<Imsi, NoImsi> {
        match (6..=15).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit()) {
            true => Ok(Imsi(digits.to_owned())),
            false => Err(NoImsi),
        }
    }

    /// As a SIM keeps it, without the length: a nibble that says whether the digits are odd (9) or even (1) in number, the
    /// digits, a filler F where one is needed; the low nibble of an octet comes first (TS 24.008 10.5.1.4).
    fn octets(&self) -> Vec<u8> {
        let odd = self.0.len() % 2 == 1;
        let mut nibbles = vec![if odd { 9 } else { 1 }];
        nibbles.extend(self.0.bytes().map(|digit| digit - b'0'));
        if !odd {
            nibbles.push(0xF);
        }
        nibbles.chunks_exact(2).map(|pair| pair[1] << 4 | pair[0]).collect()
    }
}

impl fmt::Debug for Imsi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Imsi(…)")
    }
}

/// The secret a document is signed with.
#[derive(Clone, PartialEq, Eq)]
pub enum Security {
    /// The IMSI: the phone looks for itself and asks nobody.
    NetwPin(Imsi),
    /// A PIN: the phone asks for it. Digits, as they are typed.
    UserPin(String),
    /// Both.
    UserNetwPin {
        /// The IMSI.
        imsi: Imsi,
        /// The PIN.
        pin: String,
    },
}

/// Says how, never with what.
impl fmt::Debug for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Security({})", self.method().as_str())
    }
}

impl Security {
    /// The method that these secrets are for.
    pub fn method(&self) -> Method {
        match self {
            Security::NetwPin(_) => Method::NetwPin,
            Security::UserPin(_) => Method::UserPin,
            Security::UserNetwPin { .. } => Method::UserNetwPin,
        }
    }

    /// HMAC-SHA1 over the WBXML as it goes out, begun and fed.
    fn hmac(&self, wbxml: &[u8]) -> Hmac<Sha1> {
        let key = match self {
            Security::NetwPin(imsi) => imsi.octets(),
            Security::UserPin(pin) => pin.as_bytes().to_vec(),
            Security::UserNetwPin { imsi, pin } => [&imsi.octets(), pin.as_bytes()].concat(),
        };
        let mut hmac = Hmac::<Sha1>::new_from_slice(&key).expect("HMAC takes keys of any length");
        hmac.update(wbxml);
        hmac
    }

    /// What goes with this document: method and MAC.
    pub fn sign(&self, wbxml: &[u8]) -> Signature {
        let octets = self.hmac(wbxml).finalize().into_bytes();
        let mac = octets.iter().map(|octet| format!("{octet:02X}")).collect();
        Signature { method: self.method(), mac }
    }
}

/// The SEC and MAC of a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// How the document is signed.
    pub method: Method,
    /// The MAC: 40 hexadecimal digits.
    pub mac: String,
}

impl Signature {
    /// What a Content-Type says; `None` when it says nothing, or a method that is none.
    pub fn of(content_type: &MediaType) -> Option<Signature> {
        let method = content_type.param("sec").and_then(|number| Method::of(number.parse().ok()?))?;
        Some(Signature { method, mac: content_type.param("mac")?.to_owned() })
    }

    /// The media type with this signature as its parameters.
    pub fn on(&self, media: MediaType) -> MediaType {
        media.with("sec", self.method.number().to_string()).with("mac", self.mac.as_str())
    }

    /// Whether these secrets made this signature of this WBXML.
    pub fn verify(&self, security: &Security, wbxml: &[u8]) -> bool {
        let digit = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
        let octet = |pair: &[u8]| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?);
        let octets: Option<Vec<u8>> = self.mac.as_bytes().chunks(2).map(octet).collect();
        let right = |octets: Vec<u8>| security.hmac(wbxml).verify_slice(&octets).is_ok();
        self.method == security.method() && octets.is_some_and(right)
    }
}
