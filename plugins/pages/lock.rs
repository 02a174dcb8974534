//! The cookie by which a browser is known in which a person opened the message: a keyed hash of the token, so that nobody can
//! make one and it opens no other message. It has no Path, so that it goes to the folder of the page whatever is in front.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac};
use http::HeaderMap;
use http::header::COOKIE;
use sha2::Sha256;

use crate::throttle::Token;

/// Octets of the hash in a cookie's value, and of another in its name.
const VALUE: usize = 24;
const NAME: usize = 6;

/// Makes and knows cookies.
pub struct Lock {
    keyed: Hmac<Sha256>,
}

impl Lock {
    /// With this key.
    pub fn new(key: &[u8]) -> Lock {
        Lock { keyed: Hmac::new_from_slice(key).expect("a key of any length will do (RFC 2104 2)") }
    }

    fn hash(&self, what: &str, token: &Token, octets: usize) -> String {
        let mut keyed = self.keyed.clone();
        keyed.update(what.as_bytes());
        keyed.update(token);
        URL_SAFE_NO_PAD.encode(&keyed.finalize().into_bytes()[..octets])
    }

    fn name(&self, token: &Token) -> String {
        format!("m{}", self.hash("page cookie name", token, NAME))
    }

    /// The Set-Cookie value for this message, for so many seconds.
    pub fn cookie(&self, token: &Token, seconds: u64, secure: bool) -> String {
        let (name, value) = (self.name(token), self.hash("page opened", token, VALUE));
        let secure = if secure { "; Secure" } else { "" };
        format!("{name}={value}; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}")
    }

    /// Whether a request comes from a browser that has it.
    pub fn opens(&self, fields: &HeaderMap, token: &Token) -> bool {
        let cookies = fields.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
        let mut cookies =
            cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('=')).peekable();
        if cookies.peek().is_none() {
            return false;
        }
        let name = self.name(token);
        let mut keyed = self.keyed.clone();
        keyed.update(b"page opened");
        keyed.update(token);
        cookies.any(|(other, value)| {
            let value = (other == name).then(|| URL_SAFE_NO_PAD.decode(value).ok()).flatten();
            // Compared in constant time.
            value.is_some_and(|value| value.len() == VALUE && keyed.clone().verify_truncated_left(&value).is_ok())
        })
    }
}
