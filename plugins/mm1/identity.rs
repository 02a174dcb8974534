//! Who a phone is (I-7): by the secret in the MMSC address it was given, by what a listed proxy says of it, or by the
//! address it comes from. What the phone says of itself never counts (cases A-14, B-01).

use std::collections::HashMap;
use std::net::IpAddr;
use std::path::Path;

use http::HeaderMap;
use ipnet::IpNet;
use packetboat_api::numbers::NumberPlan;
use packetboat_api::party::Msisdn;
use packetboat_api::settings::{Section, Source};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::settings::Mm1Settings;

/// Shortest secret that is taken: 16 characters of `[A-Za-z0-9]` hold 95 bits.
const SECRET: usize = 16;

/// The subscribers file.
#[derive(Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct SubscribersFile {
    /// One table a subscriber.
    subscriber: Vec<Subscriber>,
}

/// `[[subscriber]]`
#[derive(Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
struct Subscriber {
    /// The number, in E.164 form.
    number: String,
    /// What follows `/mms/` in the MMSC address this phone was given.
    secret: Option<String>,
    /// The addresses this phone comes from.
    #[schemars(with = "Vec<String>")]
    addresses: Vec<IpAddr>,
}

/// What is known of who phones are. Not to be printed: it holds the secrets.
#[derive(Default)]
pub struct Identities {
    by_secret: HashMap<String, Msisdn>,
    by_address: HashMap<IpAddr, Msisdn>,
    proxies: Vec<IpNet>,
    headers: Vec<String>,
    numbers: NumberPlan,
}

impl Identities {
    /// From the settings and the file they name.
    pub fn load(settings: &Mm1Settings, numbers: &NumberPlan, base: &Path) -> Result<Self, (&'static str, String)> {
        let mut known = Identities {
            proxies: settings.trusted_proxies.clone(),
            headers: settings.msisdn_headers.clone(),
            numbers: numbers.clone(),
            ..Identities::default()
        };
        if let Some(file) = &settings.subscribers {
            known.read(&base.join(file)).map_err(|e| ("subscribers", e))?;
        }
        Ok(known)
    }

    fn read(&mut self, path: &Path) -> Result<(), String> {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{} cannot be read: {e}", path.display()))?;
        let source = Source { path: path.to_owned(), text };
        let root = source.parse().map_err(|e| e.to_string())?;
        let section = Section { source: &source, key: String::new(), span: root.span(), table: root.into_inner() };
        let file: SubscribersFile =
            section.decode().map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))?;
        for subscriber in file.subscriber {
            let wrong = |what: String| format!("{}: subscriber {}: {what}", path.display(), subscriber.number);
            let number: Msisdn = subscriber.number.parse().map_err(wrong)?;
            if let Some(secret) = subscriber.secret {
                if secret.len() < SECRET || !secret.bytes().all(|b| b.is_ascii_alphanumeric()) {
                    return Err(wrong(format!("a secret is {SECRET} or more letters and digits")));
                }
                if self.by_secret.insert(secret, number.clone()).is_some() {
                    return Err(wrong("this secret is another subscriber's too".to_owned()));
                }
            }
            for address in subscriber.addresses {
                if self.by_address.insert(address, number.clone()).is_some() {
                    return Err(wrong(format!("the address {address} is another subscriber's too")));
                }
            }
        }
        Ok(())
    }

    /// Who sends this request, if that is known.
    pub fn who(&self, peer: IpAddr, path: &str, headers: &HeaderMap) -> Option<Msisdn> {
        if let Some(secret) = secret(path) {
            return self.by_secret.get(secret).cloned(); // a wrong secret is nobody, whatever else is said
        }
        let peer = peer.to_canonical();
        match self.proxies.iter().any(|net| net.contains(&peer)) {
            true => self.told(headers),
            false => self.by_address.get(&peer).cloned(),
        }
    }

    /// Who a listed proxy says it is. A proxy that passes on what the phone wrote beside its own word names two numbers:
    /// then nobody is believed.
    fn told(&self, headers: &HeaderMap) -> Option<Msisdn> {
        let values = self.headers.iter().flat_map(|name| headers.get_all(name));
        let mut named = values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        let first = named.find_map(|value| self.number(value))?;
        if named.filter_map(|value| self.number(value)).any(|other| other != first) {
            tracing::warn!("a trusted proxy names two numbers for one phone; it must remove what phones send");
            return None;
        }
        Some(first)
    }

    /// A number as proxies write it: `+447700900123`, `447700900123`, `07700900123`, `tel:+44…`, with or without type.
    fn number(&self, value: &str) -> Option<Msisdn> {
        let value = value.trim().trim_start_matches("tel:");
        let (number, _) = value.split_once("/TYPE").unwrap_or((value, ""));
        // Most write the international number without its plus. Only a plan that says how long national numbers are can
        // tell one of those from it.
        let national = (!self.numbers.national_lengths.is_empty()).then(|| self.numbers.parse(number)).flatten();
        national.or_else(|| Msisdn::new(number)).or_else(|| self.numbers.parse(number))
    }

    /// Whether anybody can be known at all.
    pub fn is_empty(&self) -> bool {
        self.by_secret.is_empty() && self.by_address.is_empty() && self.proxies.is_empty()
    }
}

/// The secret in the path of an MMSC address: `/mms/SECRET`.
fn secret(path: &str) -> Option<&str> {
    let rest = path.strip_prefix("/mms/")?;
    Some(rest.split('/').next().unwrap_or(rest)).filter(|secret| !secret.is_empty())
}
