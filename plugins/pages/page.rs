//! A message as a page: HTML, XHTML-MP or WML. Templates are compiled once, and pages are kept once they are made: a message
//! never changes, so that a request costs one look at the store.

use std::sync::{Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_SECURITY_POLICY;
use http::{HeaderValue, StatusCode};
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment, Error, Output, State, context};
use packetboat_api::clock::Timestamp;
use sha2::{Digest, Sha256};

use crate::answer::{Answer, Outgoing, answer};
use crate::asker::Markup;
use crate::generations::Generations;
use crate::limits::{LINE, PAGES};
use crate::old::{self, Block};
use crate::throttle::Token;
use crate::view::{View, line};
use crate::words::{Language, Words};

const CSS: &str = include_str!("templates/page.css");
/// How what goes into WML is escaped.
const WML: &str = "wml";

/// What a page is kept under: the message, the language, the markup, and which page of several, from 1.
pub type Key = (Token, Language, Markup, usize);

/// Something else than a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// A message waits; whoever presses the button sees it. For robots, and for whoever may be one.
    Waiting,
    /// The same of a message that can be opened once.
    Once,
    /// There is none.
    Unknown,
    /// Its time ran out.
    Expired,
    /// It was withdrawn or refused, or could not be delivered; the page does not say which.
    Gone,
    /// It was opened, in another browser.
    Opened,
    /// Not now.
    Later,
    /// Too often.
    Often,
}

/// Makes pages.
pub struct Press {
    environment: Environment<'static>,
    words: Vec<(Language, Value)>,
    policy: HeaderValue,
    operator: String,
    keep: bool,
    kept: Mutex<Generations<Key, (Timestamp, Bytes)>>,
}

impl Press {
    /// With the operator's name at the foot; `keep` when things may be saved.
    pub fn new(operator: &str, keep: bool) -> Result<Press, Error> {
        let mut environment = Environment::new();
        environment.set_auto_escape_callback(|name| match name.ends_with(".wml") {
            true => AutoEscape::Custom(WML.into()),
            false => AutoEscape::Html,
        });
        environment.set_formatter(formatted);
        environment.add_template("page.html", include_str!("templates/page.html"))?;
        environment.add_template("notice.html", include_str!("templates/notice.html"))?;
        environment.add_template("mobile.xhtml", include_str!("templates/mobile.xhtml"))?;
        environment.add_template("deck.wml", include_str!("templates/deck.wml"))?;
        let words = Language::ALL.iter().map(|language| (*language, Value::from(Serde(language.words()))));
        Ok(Press {
            environment,
            words: words.collect(),
            policy: policy(),
            operator: line(operator, LINE),
            keep,
            kept: Mutex::new(Generations::new(PAGES)),
        })
    }

    /// A page made before, if what it says of the message's end still holds.
    pub fn kept(&self, key: &Key, expires: Timestamp) -> Option<Bytes> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.find(key).filter(|(said, _)| *said == expires).map(|(_, page)| page.clone())
    }

    /// Makes a page and keeps it. `None` when there are not so many.
    pub fn page(&self, key: &Key, view: &View, expires: Timestamp) -> Result<Option<Bytes>, Error> {
        let (token, language, markup, number) = key;
        let words = language.words();
        let until = words.moment(expires);
        let token = String::from_utf8_lossy(token);
        let made = match markup {
            Markup::Html if *number == 1 => {
                let initial = view.sender.chars().find(|c| c.is_alphanumeric()).map(|c| c.to_uppercase().to_string());
                self.render(
                    "page.html",
                    *language,
                    context! { view => Serde(view), until, initial, base => format!("{token}/") },
                )?
            }
            Markup::Html => return Ok(None),
            old => {
                let pages = old::pages(view, words, *old, self.keep, &until);
                let Some(blocks) = number.checked_sub(1).and_then(|at| pages.get(at)) else { return Ok(None) };
                let title = if view.subject.is_empty() { words.title.clone() } else { view.subject.clone() };
                let place = Within { token: &token, number: *number, last: pages.len() };
                self.old(*old, *language, &title, blocks, &place, None)?
            }
        };
        let page = Bytes::from(made);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.put(*key, (expires, page.clone()), page.len());
        Ok(Some(page))
    }

    /// A page that is not a message. `action` is where its button leads, when it has one.
    pub fn notice(&self, notice: Notice, language: Language, markup: Markup, action: Option<&str>) -> Answer {
        let words: &Words = language.words();
        let (status, title, lines): (_, &str, Vec<&str>) = match notice {
            Notice::Waiting => (StatusCode::OK, &words.title, vec![&words.waiting]),
            Notice::Once => (StatusCode::OK, &words.title, vec![&words.waiting, &words.once]),
            Notice::Unknown => (StatusCode::NOT_FOUND, &words.unknown_title, vec![&words.unknown]),
            Notice::Expired => (StatusCode::GONE, &words.expired_title, vec![&words.expired]),
            Notice::Gone => (StatusCode::GONE, &words.gone_title, vec![&words.gone]),
            Notice::Opened => (StatusCode::GONE, &words.opened_title, vec![&words.opened]),
            Notice::Later => (StatusCode::SERVICE_UNAVAILABLE, &words.later_title, vec![&words.later]),
            Notice::Often => (StatusCode::TOO_MANY_REQUESTS, &words.often_title, vec![&words.often]),
        };
        let made = match markup {
            Markup::Html => self.render("notice.html", language, context! { title, lines, action }),
            old => {
                let blocks: Vec<_> = lines.iter().map(|line| Block::Text { text: (*line).to_owned() }).collect();
                let nowhere = Within { token: "", number: 1, last: 1 };
                self.old(old, language, title, &blocks, &nowhere, action)
            }
        };
        let made = made.unwrap_or_else(|error| {
            tracing::error!(%error, "a page's template fails");
            String::new()
        });
        // Phones of that time do not show the page of an error.
        let status = if markup == Markup::Wml { StatusCode::OK } else { status };
        self.answer(status, markup, made.into())
    }

    /// A page on its way.
    pub fn answer(&self, status: StatusCode, markup: Markup, page: Bytes) -> Answer {
        let media = match markup {
            Markup::Html => HeaderValue::from_static("text/html; charset=utf-8"),
            Markup::Mobile => HeaderValue::from_static("application/vnd.wap.xhtml+xml; charset=utf-8"),
            Markup::Xhtml => HeaderValue::from_static("application/xhtml+xml; charset=utf-8"),
            Markup::Wml => HeaderValue::from_static("text/vnd.wap.wml; charset=utf-8"),
        };
        let mut answer = answer(status, media, Outgoing::Whole(page));
        answer.headers_mut().insert(CONTENT_SECURITY_POLICY, self.policy.clone());
        answer
    }

    fn old(
        &self,
        markup: Markup,
        language: Language,
        title: &str,
        blocks: &[Block],
        place: &Within<'_>,
        action: Option<&str>,
    ) -> Result<String, Error> {
        let Within { token, number, last } = place;
        // The first page is the message's own address, further ones stand below it.
        let (base, first) = if *number == 1 { (format!("{token}/"), true) } else { ("../".to_owned(), false) };
        let back = match number {
            1 => String::new(),
            2 => format!("../../{token}"),
            number => format!("{}", number - 1),
        };
        let next = match (number < last, first) {
            (false, _) => String::new(),
            (true, true) => format!("{token}/p/2"),
            (true, false) => format!("{}", number + 1),
        };
        let template = if markup == Markup::Wml { "deck.wml" } else { "mobile.xhtml" };
        self.render(template, language, context! { title, blocks => Serde(blocks), base, back, next, action })
    }

    fn render(&self, template: &str, language: Language, values: Value) -> Result<String, Error> {
        let t = self.words.iter().find(|(known, _)| *known == language).map(|(_, words)| words.clone());
        let common =
            context! { t, lang => language.code(), css => CSS, keep => self.keep, operator => self.operator.as_str() };
        self.environment.get_template(template)?.render(context! { ..values, ..common })
    }
}

/// Which of a message's small pages.
struct Within<'a> {
    token: &'a str,
    number: usize,
    last: usize,
}

/// What a page may do: show pictures and play what comes from here, in the one style it brings along (CSP Level 3). No script.
fn policy() -> HeaderValue {
    let style = STANDARD.encode(Sha256::digest(CSS));
    let policy = format!(
        "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'sha256-{style}'; form-action 'self'; \
         base-uri 'self'; frame-ancestors 'none'"
    );
    HeaderValue::from_str(&policy).expect("it is ASCII")
}

/// What a template fills in, escaped for text and for values in quotes; in WML a dollar begins a variable and is written twice
/// (WAP-191-WML 10.3.1).
fn formatted(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if value.is_undefined() || value.is_none() {
        return Ok(());
    }
    let text = value.to_string();
    if value.is_safe() {
        return out.write_str(&text).map_err(Error::from);
    }
    let wml = matches!(state.auto_escape(), AutoEscape::Custom(_));
    let mut rest = text.as_str();
    while let Some(at) = rest.find(['<', '>', '&', '"', '\'', '$']) {
        let (before, after) = rest.split_at(at);
        let (special, after) = after.split_at(1);
        out.write_str(before)?;
        out.write_str(match special {
            "<" => "&lt;",
            ">" => "&gt;",
            "&" => "&amp;",
            "\"" => "&quot;",
            "'" => "&#39;",
            _ if wml => "$$",
            other => other,
        })?;
        rest = after;
    }
    out.write_str(rest).map_err(Error::from)
}
