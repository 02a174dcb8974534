//! What a request's header shows of the phone that sends it. Nothing here decides anything: a header field that is missing or
//! nonsense is as good as none (cases A-11, I-05).

use http::HeaderMap;
use http::header::{ACCEPT, USER_AGENT};
use packetboat_api::memory::{MAX_ACCEPTED, MAX_USER_AGENT, Sighting};

use crate::limits::{MAX_MEDIA_TYPE, MAX_PROFILE_URL};

/// What a request showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Look {
    /// User-Agent and Accept.
    pub sighting: Sighting,
    /// Where the phone says its description is.
    pub profile: Option<String>,
}

impl Look {
    /// What these fields show; allocates nothing when that is nothing.
    pub fn of(headers: &HeaderMap) -> Look {
        let sighting = Sighting { user_agent: user_agent(headers), accepts: accepts(headers), ..Sighting::default() };
        Look { sighting, profile: profile_url(headers).map(str::to_owned) }
    }
}

fn user_agent(headers: &HeaderMap) -> Option<String> {
    let text = String::from_utf8_lossy(headers.get(USER_AGENT)?.as_bytes());
    let agent = text.trim();
    let agent = &agent[..agent.floor_char_boundary(MAX_USER_AGENT)];
    (!agent.is_empty()).then(|| agent.to_owned())
}

/// The content types of all Accept fields, each once; those with a weight of zero are the ones it does not take
/// (RFC 9110 12.4.2).
fn accepts(headers: &HeaderMap) -> Vec<String> {
    let mut found = Vec::new();
    let values = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    for range in values.flat_map(|value| value.split(',')) {
        if found.len() == MAX_ACCEPTED {
            break;
        }
        let taken = media_type(range).filter(|media| !is_refused(range) && !found.contains(media));
        found.extend(taken);
    }
    found
}

fn is_refused(range: &str) -> bool {
    let weight = range.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let mut weight = weight.filter(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    weight.next().is_some_and(|(_, value)| value.trim().parse() == Ok(0f32))
}

/// `type/subtype` in lower case, without parameters; `None` when it is nothing of the kind.
pub fn media_type(text: &str) -> Option<String> {
    let essence = text.split(';').next().unwrap_or(text).trim();
    let (top, sub) = essence.split_once('/')?;
    let token = |part: &str| !part.is_empty() && part.bytes().all(is_token);
    (essence.len() <= MAX_MEDIA_TYPE && token(top) && token(sub)).then(|| essence.to_ascii_lowercase())
}

/// RFC 9110 5.6.2.
fn is_token(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet)
}

/// Where the phone's description is: x-wap-profile (WAP-248-UAPROF, W-HTTP), Profile, or the field that an extension declaration
/// of the CC/PP exchange protocol names (RFC 2774 3, `Opt: "…CCPPexchange"; ns=19` and `19-Profile`). The first URL counts: it
/// is the phone's own, those behind it are of proxies on the way.
pub fn profile_url(headers: &HeaderMap) -> Option<&str> {
    let named = |name: &str| headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).find_map(first_url);
    named("x-wap-profile").or_else(|| named("profile")).or_else(|| {
        let declared = ["opt", "man", "c-opt", "c-man"].into_iter().flat_map(|name| headers.get_all(name));
        let mut prefixes = declared.filter_map(|value| value.to_str().ok()).filter_map(exchange_prefix);
        prefixes.find_map(|prefix| named(&format!("{prefix}-profile")))
    })
}

/// The prefix of the CC/PP exchange protocol's header fields.
fn exchange_prefix(declarations: &str) -> Option<&str> {
    let is_ccpp = |declaration: &&str| declaration.to_ascii_lowercase().contains("ccppexchange");
    let declaration = declarations.split(',').find(is_ccpp)?;
    let mut parameters = declaration.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let (_, prefix) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("ns"))?;
    let prefix = prefix.trim().trim_matches('"');
    // Two digits by the specification; what is read becomes a part of a field's name.
    ((1..=4).contains(&prefix.len()) && prefix.bytes().all(|octet| octet.is_ascii_digit())).then_some(prefix)
}

/// The first URL in the value, quoted or not. Digests of profile differences (`"1-uKhJE/…"`) stand beside them.
fn first_url(value: &str) -> Option<&str> {
    let mut from = 0;
    while let Some(at) = value[from..].find("://").map(|at| from + at) {
        from = at + 3;
        let before = &value[..at];
        let scheme = before.len() - before.bytes().rev().take_while(u8::is_ascii_alphabetic).count();
        if !["http", "https"].iter().any(|known| before[scheme..].eq_ignore_ascii_case(known)) {
            continue;
        }
        let quoted = before[..scheme].ends_with('"');
        let ends = |c: char| c.is_whitespace() || "\"'<>".contains(c) || (!quoted && c == ',');
        let url = value[scheme..].split(ends).next().unwrap_or_default().trim_end_matches(';');
        if url.len() > at + 3 - scheme && url.len() <= MAX_PROFILE_URL {
            return Some(url);
        }
        from = (scheme + url.len()).max(from);
    }
    None
}
