//! What pages say, by language; the words themselves are in `words.toml`.

use std::sync::LazyLock;

use packetboat_api::clock::Timestamp;
use packetboat_api::mime::date;
use serde::{Deserialize, Serialize};

macro_rules! languages {
    ($($variant:ident $code:ident),*) => {
        /// A language there are words in.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "their codes say it (ISO 639-1)")]
        pub enum Language {
            $($variant),*
        }

        impl Language {
            /// Every one.
            pub const ALL: &'static [Language] = &[$(Language::$variant),*];

            /// Its code (ISO 639-1).
            pub fn code(self) -> &'static str {
                match self {
                    $(Language::$variant => stringify!($code)),*
                }
            }

            /// Its words.
            pub fn words(self) -> &'static Words {
                match self {
                    $(Language::$variant => &WORDS.$code),*
                }
            }
        }

        /// Of every language.
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct All {
            $($code: Words),*
        }
    };
}

languages!(English en, German de, Spanish es, Finnish fi, French fr, Italian it, Dutch nl, Swedish sv);

static WORDS: LazyLock<All> =
    LazyLock::new(|| toml::from_str(include_str!("words.toml")).expect("words.toml is whole, as a test says"));

/// The words of one language.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the words themselves say it, in words.toml")]
pub struct Words {
    pub title: String,
    pub waiting: String,
    pub show: String,
    pub once: String,
    pub sent: String,
    pub sent_plain: String,
    pub slide: String,
    pub picture: String,
    pub original: String,
    pub save: String,
    pub whole_text: String,
    pub contact: String,
    pub save_contact: String,
    pub event: String,
    pub file: String,
    pub not_playing: String,
    pub not_saved: String,
    pub reply: String,
    pub until: String,
    pub from: String,
    pub more: String,
    pub back: String,
    pub unknown_title: String,
    pub unknown: String,
    pub expired_title: String,
    pub expired: String,
    pub gone_title: String,
    pub gone: String,
    pub opened_title: String,
    pub opened: String,
    pub later_title: String,
    pub later: String,
    pub often_title: String,
    pub often: String,
    #[serde(skip_serializing)]
    date: String,
    #[serde(skip_serializing)]
    months: [String; 12],
}

impl Language {
    /// By its code.
    pub fn of(code: &str) -> Option<Language> {
        Language::ALL.iter().copied().find(|language| language.code() == code)
    }

    /// The best of an Accept-Language (RFC 9110 12.5.4) that there is; `None` when it asks for none of them.
    pub fn chosen(accepted: &str) -> Option<Language> {
        let mut best: Option<(f32, Language)> = None;
        for each in accepted.split(',').take(16) {
            let (tag, parameters) = each.split_once(';').unwrap_or((each, ""));
            let quality = parameters.trim().strip_prefix("q=").and_then(|q| q.parse().ok()).unwrap_or(1.0);
            let primary = tag.trim().split('-').next().unwrap_or_default().to_ascii_lowercase();
            if let Some(language) = Language::of(&primary)
                && quality > best.map_or(0.0, |(quality, _)| quality)
            {
                best = Some((quality, language));
            }
        }
        best.map(|(_, language)| language)
    }
}

impl Words {
    /// A day and minute as people write it.
    pub fn moment(&self, at: Timestamp) -> String {
        let text = date::rfc3339(at.seconds());
        let number = |range: std::ops::Range<usize>| {
            text.get(range).and_then(|digits| digits.parse::<usize>().ok()).unwrap_or(0)
        };
        let month = self.months.get(number(5..7).wrapping_sub(1)).map_or("", String::as_str);
        self.date
            .replace("{day}", &number(8..10).to_string())
            .replace("{month}", month)
            .replace("{year}", text.get(..4).unwrap_or_default())
            .replace("{time}", text.get(11..16).unwrap_or_default())
    }
}
