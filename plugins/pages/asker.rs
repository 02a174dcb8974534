//! Who asks: a person's browser of today, an old phone's, or a robot.
//!
//! Robots fetch every link that passes through a messenger, to show a preview of it. They are known by their User-Agent, by HEAD,
//! by a Purpose of prefetching, and by not asking for a page at all (every browser's Accept names the markup it shows). No list
//! is ever complete, so nothing rests on it alone: what a page fetches when it is laid out counts (see the crate's header).

use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;

use http::header::{ACCEPT, ACCEPT_LANGUAGE, USER_AGENT};
use http::{HeaderMap, Method};
use ipnet::IpNet;

use crate::words::Language;

/// Robots by what is in their User-Agent, in lower case. iMessage calls itself facebookexternalhit and Twitterbot; most others
/// have one of the general words. No names of apps that open links in a window of their own.
#[rustfmt::skip]
const ROBOTS: &[&str] = &[
    "bot", "crawl", "spider", "preview", "scanner", "slurp", "scrap", "monitor", "headless", "validator", "unfurl", "embedly",
    "iframely", "facebookexternalhit", "facebookcatalog", "meta-externalagent", "whatsapp", "slack-img", "google-pagerenderer",
    "googleother", "google-safety", "google-read-aloud", "googleimageproxy", "feedfetcher", "mediapartners", "skypeuri",
    "vkshare", "mattermost", "rocket.chat", "mastodon", "quora link", "w3c_", "archive.org", "ia_archiver", "safelinks",
    "proofpoint", "mimecast", "barracuda", "curl", "wget", "python", "libwww", "httpie", "http-client", "httpclient", "okhttp",
    "go-http", "guzzle", "axios", "node-fetch", "undici", "aiohttp", "postman", "insomnia", "winhttp", "cfnetwork", "reqwest",
];
/// Programs by how their User-Agent begins.
const PROGRAMS: &[&str] = &["java/", "ruby", "php/", "perl", "dart/", "dalvik/", "node", "http.rb", "lwp", "axel"];
/// Names of phones with a robot's name in them.
const NOT_ROBOTS: &[&str] = &["cubot"];

/// What a page is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Markup {
    /// HTML, for browsers of today.
    Html,
    /// XHTML Mobile Profile (OMA-WAP-V1_2-XHTMLMP) under its own media type.
    Mobile,
    /// The same under `application/xhtml+xml`, for who asks for that only.
    Xhtml,
    /// WML (WAP-191-WML).
    Wml,
}

/// Who asks.
#[derive(Clone, Copy, Debug)]
pub struct Asker {
    /// A robot, by what it says of itself.
    pub robot: bool,
    /// What it wants to be answered in.
    pub markup: Markup,
    /// In which language.
    pub language: Language,
    /// From where.
    pub address: IpAddr,
    /// The browser as a hash of what it calls itself; never 0.
    pub viewer: u64,
}

impl Asker {
    /// Of a request's header.
    pub fn of(method: &Method, fields: &HeaderMap, address: IpAddr, fallback: Language) -> Asker {
        let agent = text(fields, &USER_AGENT);
        let accept = text(fields, &ACCEPT);
        let markup = markup(accept, agent);
        let mut hasher = DefaultHasher::new();
        agent.hash(&mut hasher);
        Asker {
            robot: method == Method::HEAD || is_robot(agent) || prefetches(fields),
            markup: markup.unwrap_or(Markup::Html),
            language: Language::chosen(text(fields, &ACCEPT_LANGUAGE)).unwrap_or(fallback),
            address,
            viewer: hasher.finish() | 1,
        }
    }

    /// Whether it asks for a page as browsers do, and not for whatever there is.
    pub fn asks_for_a_page(fields: &HeaderMap) -> bool {
        markup(text(fields, &ACCEPT), text(fields, &USER_AGENT)).is_some()
    }
}

fn text<'a>(fields: &'a HeaderMap, name: &http::HeaderName) -> &'a str {
    fields.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// Whether a User-Agent is a robot's. None at all is a robot's too.
pub fn is_robot(agent: &str) -> bool {
    if agent.trim().is_empty() {
        return true;
    }
    let mut agent = agent.to_ascii_lowercase();
    for phone in NOT_ROBOTS {
        if agent.contains(phone) {
            agent = agent.replace(phone, "");
        }
    }
    ROBOTS.iter().any(|mark| agent.contains(mark)) || PROGRAMS.iter().any(|program| agent.starts_with(program))
}

/// Whether a browser fetches ahead, before anybody opened anything.
fn prefetches(fields: &HeaderMap) -> bool {
    ["purpose", "sec-purpose", "x-purpose", "x-moz"].iter().any(|name| {
        let value = fields.get(*name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_ascii_lowercase();
        ["prefetch", "preview", "prerender"].iter().any(|what| value.contains(what))
    })
}

/// Whether the browser says that this fetch comes from another site, or from none.
pub fn comes_from_elsewhere(fields: &HeaderMap) -> bool {
    fields.get("sec-fetch-site").is_some_and(|site| site != "same-origin")
}

/// The markup an Accept asks for; `None` when it names none. Browsers of today never name the WAP types; phones that do get
/// what was made for them, unless they call themselves by the name all browsers of today have.
fn markup(accept: &str, agent: &str) -> Option<Markup> {
    let accept = accept.to_ascii_lowercase();
    let asked = |wanted: &str| {
        accept.split(',').any(|each| {
            let mut pieces = each.split(';').map(str::trim);
            let refused = |piece: &str| piece.strip_prefix("q=").is_some_and(|q| q.parse::<f32>() == Ok(0.0));
            pieces.next() == Some(wanted) && !pieces.any(refused)
        })
    };
    let html = asked("text/html");
    match () {
        () if html && agent.starts_with("Mozilla/5") => Some(Markup::Html),
        () if asked("application/vnd.wap.xhtml+xml") => Some(Markup::Mobile),
        () if html => Some(Markup::Html),
        () if asked("text/vnd.wap.wml") || asked("application/vnd.wap.wmlc") => Some(Markup::Wml),
        () if asked("application/xhtml+xml") => Some(Markup::Xhtml),
        () => None,
    }
}

/// Whether a phone shows GIF but not JPEG.
pub fn only_gif(fields: &HeaderMap) -> bool {
    let accept = text(fields, &ACCEPT).to_ascii_lowercase();
    accept.contains("image/gif")
        && !["image/jpeg", "image/jpg", "image/*", "*/*"].iter().any(|all| accept.contains(all))
}

/// Where a request is from: the peer, or whom a trusted proxy names, the last one that is not itself trusted.
pub fn address(peer: IpAddr, fields: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let trusts = |address: &IpAddr| trusted.iter().any(|network| network.contains(&address.to_canonical()));
    if !trusts(&peer) {
        return peer;
    }
    let named = fields.get_all("x-forwarded-for").into_iter().filter_map(|value| value.to_str().ok());
    let named: Vec<IpAddr> =
        named.flat_map(|value| value.split(',')).filter_map(|text| text.trim().parse().ok()).collect();
    named.into_iter().rev().find(|address| !trusts(address)).unwrap_or(peer)
}
