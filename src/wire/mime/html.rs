//! HTML made readable as plain text: for phones, which show `text/plain` only.
//!
//! Links, lists and quotations are kept in the way people write them by hand; scripts, styles and what is hidden are
//! not. Linear, without a tree; any input gives text.

use crate::markup::{Tag, Token, next_token, unescape};

/// The text of an HTML document, lines ended by LF, no blank at either end.
///
/// A link is followed by its address in parentheses unless its text says it already; list items begin with `- ` or a
/// number; lines of a `blockquote` begin with `> `.
pub fn html_to_text(html: &str) -> String {
    let mut reader = Reader::default();
    let mut endless: Vec<String> = Vec::new();
    let mut rest = html;
    while let Some((token, after)) = next_token(rest) {
        rest = after;
        match token {
            Token::Text(text) => reader.text(text),
            Token::Tag(tag) if tag.closes => reader.close(&tag.name),
            Token::Tag(tag) => {
                if is_raw(&tag.name) && !tag.empty && !endless.contains(&tag.name) {
                    match after_raw(rest, &tag.name) {
                        Some(after) => rest = after,
                        // One that never ends would swallow the message: from here on it is taken for none.
                        None => endless.push(tag.name),
                    }
                    continue;
                }
                reader.open(&tag);
            }
        }
    }
    reader.finish()
}

/// Elements whose content is not text.
fn is_raw(name: &str) -> bool {
    matches!(name, "script" | "style" | "title" | "template" | "xml" | "svg" | "select" | "textarea")
}

fn after_raw<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let close = format!("</{name}");
    let bytes = text.as_bytes();
    let at = memchr::memchr_iter(b'<', bytes)
        .find(|at| bytes.get(*at..at + close.len()).is_some_and(|head| head.eq_ignore_ascii_case(close.as_bytes())));
    at.map(|at| &text[at..])
}

#[derive(Default)]
struct Reader {
    out: String,
    /// Line ends owed before the next word.
    breaks: usize,
    /// A blank owed before the next word.
    blank: bool,
    /// Depth of `blockquote`.
    quotes: usize,
    preformatted: usize,
    /// Open lists: `None` for bullets, else the next number.
    lists: Vec<Option<u32>>,
    /// Open links: address and where their text begins.
    links: Vec<(String, usize)>,
    /// An element not shown: its name and how many of that name are open.
    hidden: Option<(String, usize)>,
}

/// Open lists, links and quotations remembered; deeper ones are read as if they were not there.
const OPEN_ELEMENTS: usize = 16;

impl Reader {
    fn text(&mut self, text: &str) {
        if self.hidden.is_some() {
            return;
        }
        for c in unescape(text).chars() {
            match c {
                '\n' if self.preformatted > 0 => self.line_break(),
                '\u{ad}' | '\u{200b}' | '\u{200c}' | '\u{feff}' | '\u{34f}' => {} // what preheaders are padded with
                c if c.is_whitespace() && self.preformatted == 0 => self.blank = true,
                c if c.is_control() && c != '\t' => {}
                c => self.put(c),
            }
        }
    }

    fn put(&mut self, c: char) {
        if self.breaks > 0 || self.out.is_empty() {
            if !self.out.is_empty() {
                (0..self.breaks.min(2)).for_each(|_| self.out.push('\n'));
            }
            (0..self.quotes.min(OPEN_ELEMENTS)).for_each(|_| self.out.push_str("> "));
        } else if self.blank {
            self.out.push(' ');
        }
        (self.breaks, self.blank) = (0, false);
        self.out.push(c);
    }

    /// At least this many line ends before what follows: one ends the line, two leave an empty one.
    fn block(&mut self, breaks: usize) {
        self.breaks = self.breaks.max(breaks);
    }

    fn line_break(&mut self) {
        self.breaks += 1;
        self.blank = false;
    }

    fn open(&mut self, tag: &Tag<'_>) {
        if let Some((name, depth)) = &mut self.hidden {
            *depth += usize::from(*name == tag.name && !tag.empty);
            return;
        }
        if !tag.empty && !is_void(&tag.name) && is_hidden(tag) {
            self.hidden = Some((tag.name.clone(), 1));
            return;
        }
        match tag.name.as_str() {
            "br" => self.line_break(),
            "hr" => {
                self.block(1);
                "---".chars().for_each(|c| self.put(c));
                self.block(1);
            }
            "blockquote" => {
                self.block(1);
                self.quotes += 1;
            }
            "pre" => {
                self.block(2);
                self.preformatted += 1;
            }
            "ul" | "ol" => {
                self.block(if self.lists.is_empty() { 2 } else { 1 });
                if self.lists.len() < OPEN_ELEMENTS {
                    self.lists.push((tag.name == "ol").then_some(1));
                }
            }
            "li" => self.item(),
            "td" | "th" => self.blank = true,
            "a" => {
                if let Some(address) = tag.attribute("href").filter(|address| is_worth_showing(address))
                    && self.links.len() < OPEN_ELEMENTS
                {
                    self.links.push((address, self.out.len()));
                }
            }
            // Emoji are sent as pictures whose alt is the character.
            "img" => {
                let alt = tag.attribute("alt").unwrap_or_default();
                if !alt.is_ascii() && alt.chars().count() <= 4 {
                    self.text(&alt);
                }
            }
            name => self.block(block_breaks(name)),
        }
    }

    fn item(&mut self) {
        self.block(1);
        let indent = self.lists.len().saturating_sub(1);
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                let mark = format!("{number}.");
                *number += 1;
                mark
            }
            _ => "-".to_owned(),
        };
        let lead = format!("{}{mark}", "  ".repeat(indent));
        lead.chars().for_each(|c| self.put(c));
        self.blank = true;
    }

    fn close(&mut self, name: &str) {
        if let Some((hidden, depth)) = &mut self.hidden {
            if *hidden == name {
                *depth -= 1;
                if *depth == 0 {
                    self.hidden = None;
                }
            }
            return;
        }
        match name {
            "blockquote" => {
                self.quotes = self.quotes.saturating_sub(1);
                self.block(1);
            }
            "pre" => {
                self.preformatted = self.preformatted.saturating_sub(1);
                self.block(2);
            }
            "ul" | "ol" => {
                self.lists.pop();
                self.block(if self.lists.is_empty() { 2 } else { 1 });
            }
            "a" => self.end_link(),
            name => self.block(block_breaks(name)),
        }
    }

    fn end_link(&mut self) {
        let Some((address, from)) = self.links.pop() else { return };
        let shown = self.out.get(from..).unwrap_or("").trim();
        let bare = |text: &str| {
            let text = text.split_once("://").map_or(text, |(_, rest)| rest);
            text.trim_start_matches("mailto:").trim_start_matches("tel:").trim_end_matches('/').to_lowercase()
        };
        if shown.is_empty() || bare(shown) == bare(&address) {
            return;
        }
        let address = address.trim_start_matches("mailto:").trim_start_matches("tel:");
        let breaks = std::mem::take(&mut self.breaks); // a block inside the link ends after its address
        self.blank = true;
        format!("({address})").chars().for_each(|c| self.put(c));
        self.breaks = breaks;
    }

    fn finish(self) -> String {
        let lines = self.out.lines().map(|line| line.trim_end_matches([' ', '\t', '\u{a0}']));
        let text = lines.collect::<Vec<_>>().join("\n").replace('\u{a0}', " ");
        text.trim().to_owned()
    }
}

fn is_void(name: &str) -> bool {
    matches!(name, "br" | "hr" | "img" | "input" | "meta" | "link" | "area" | "base" | "col" | "wbr" | "source")
}

fn is_hidden(tag: &Tag<'_>) -> bool {
    let style = tag.attribute("style").unwrap_or_default().to_ascii_lowercase().replace(' ', "");
    style.contains("display:none") || style.contains("mso-hide:all")
}

fn is_worth_showing(address: &str) -> bool {
    ["http://", "https://", "mailto:", "tel:"].iter().any(|scheme| {
        address.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme))
            && address.len() > scheme.len()
    }) && !address.contains(char::is_whitespace)
}

/// Line ends around an element.
fn block_breaks(name: &str) -> usize {
    match name {
        "p" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "table" | "dl" => 2,
        "div" | "tr" | "dt" | "dd" | "section" | "article" | "header" | "footer" | "address" | "center" | "form"
        | "main" | "nav" | "aside" | "figure" | "figcaption" | "body" | "caption" | "thead" | "tbody" => 1,
        _ => 0,
    }
}
