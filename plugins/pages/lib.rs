//! Messages as web pages, for phones that cannot fetch them as MMS: whoever has the unguessable address sees the message.
//!
//! In the order a request meets them:
//!
//! - [`settings`], [`limits`]: the keys, and every maximum;
//! - [`listener`]: HTTP, one connection at a time, and what each request is answered;
//! - [`place`]: what an address leads to;
//! - [`asker`]: a person's browser, an old phone's, or a robot that makes a link preview;
//! - [`throttle`]: how often one may ask;
//! - [`lock`]: the cookie that says that a person opened the message here;
//! - [`view`], [`contact`]: the message as a person sees it, slide by slide;
//! - [`page`], [`old`], [`words`]: that as HTML, XHTML-MP or WML, in the reader's language;
//! - [`part`], [`picture`]: parts as they are stored, by range, and pictures scaled for a screen;
//! - [`answer`], [`generations`]: header fields of every answer; maps that forget.
//!
//! What counts as opened (I-3): the page's style fetches `seen` as a background picture, which only a browser that lays the page
//! out does; a robot that reads the page for a preview does not, not even one that takes its pictures. So `link_opened` is said
//! when `seen` is fetched by a browser that fetched the page before, when somebody presses "Show the message", and for old
//! phones, whose pages have no style, when the page is fetched. Robots that are known get a page that says nothing.

pub mod answer;
pub mod asker;
pub mod contact;
pub mod generations;
pub mod limits;
pub mod listener;
pub mod lock;
pub mod old;
pub mod page;
pub mod part;
pub mod picture;
pub mod place;
pub mod settings;
pub mod throttle;
pub mod view;
pub mod words;

use packetboat_api::plugin::{Plugin, Role};

pub use listener::Pages;

/// The plugin.
pub static PLUGIN: Plugin = Plugin {
    name: "pages",
    about: "Shows messages as web pages at addresses nobody can guess, for phones that cannot fetch MMS.",
    roles: &[Role::listener::<Pages>()],
};
