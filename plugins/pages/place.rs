//! What an address leads to. Only the end of a path counts, so that a web server in front may pass a prefix on or not.

use crate::picture::Size;
use crate::throttle::Token;
use packetboat_api::delivery::TOKEN_LENGTH;

/// A place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// `/robots.txt`
    RobotsTxt,
    /// `/TOKEN`: the message.
    Page(Token),
    /// `/TOKEN/p/2`: its further pages, for old phones. From 1.
    Further(Token, usize),
    /// `/TOKEN/seen`: fetched by the page's style.
    Seen(Token),
    /// `/TOKEN/3`: a part as it is stored.
    Part(Token, usize),
    /// `/TOKEN/3/save`: the same, to be saved.
    Save(Token, usize),
    /// `/TOKEN/3/640`: a picture, scaled.
    Scaled(Token, usize, Size),
    /// Nothing of ours.
    Nowhere,
}

impl Place {
    /// Of a request's path.
    pub fn of(path: &str) -> Place {
        let mut from_end = path.trim_end_matches('/').rsplit('/');
        let (last, before, earlier) = (from_end.next().unwrap_or(""), from_end.next(), from_end.next());
        if last == "robots.txt" {
            return Place::RobotsTxt;
        }
        if let Some(token) = token(last) {
            return Place::Page(token);
        }
        if let Some(token) = before.and_then(token) {
            return match (last, number(last)) {
                ("seen", _) => Place::Seen(token),
                (_, Some(part)) => Place::Part(token, part),
                _ => Place::Nowhere,
            };
        }
        match (earlier.and_then(token), before, before.and_then(number)) {
            (Some(token), Some("p"), _) => number(last).map_or(Place::Nowhere, |page| Place::Further(token, page)),
            (Some(token), _, Some(part)) if last == "save" => Place::Save(token, part),
            (Some(token), _, Some(part)) => {
                Size::of(last).map_or(Place::Nowhere, |size| Place::Scaled(token, part, size))
            }
            _ => Place::Nowhere,
        }
    }

    /// The message it is of.
    pub fn token(&self) -> Option<&Token> {
        match self {
            Place::RobotsTxt | Place::Nowhere => None,
            Place::Page(token)
            | Place::Further(token, _)
            | Place::Seen(token)
            | Place::Part(token, _)
            | Place::Save(token, _)
            | Place::Scaled(token, ..) => Some(token),
        }
    }
}

/// The whole token and nothing but it: its beginning is told to others as a transaction id (I-11). What texting programs take
/// for a part of a link at its end is forgiven.
fn token(segment: &str) -> Option<Token> {
    let segment = segment.trim_end_matches(['.', ',', ';', ')', '>', '"', '\'']);
    let token: Token = segment.as_bytes().try_into().ok()?;
    debug_assert_eq!(token.len(), TOKEN_LENGTH);
    token.iter().all(u8::is_ascii_alphanumeric).then_some(token)
}

/// A small number as we write them.
fn number(segment: &str) -> Option<usize> {
    let plain = (1..=4).contains(&segment.len()) && segment.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| segment.parse().ok()).flatten()
}
