//! Reads TOML tables key by key, collecting every mistake with its place instead of stopping at the first.

use std::ops::Range;

use packetboat_api::settings::{ConfigError, Source};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::unknown;

/// A value and where it stands.
pub(crate) type Value<'t> = Spanned<DeValue<'t>>;

/// Where each line of a file starts, so that ten thousand rules find their lines quickly.
pub(crate) struct Lines(Vec<usize>);

impl Lines {
    pub(crate) fn of(text: &str) -> Self {
        Lines(text.bytes().enumerate().filter(|(_, octet)| *octet == b'\n').map(|(at, _)| at).collect())
    }

    /// The line of an octet, from 1.
    pub(crate) fn line(&self, offset: usize) -> usize {
        self.0.partition_point(|end| *end < offset) + 1
    }

    /// Line and column of an octet of `source`, from 1.
    pub(crate) fn place(&self, source: &Source, offset: usize) -> (usize, usize) {
        let line = self.line(offset);
        let start = line.checked_sub(2).and_then(|before| self.0.get(before)).map_or(0, |end| end + 1);
        (line, source.text.get(start..offset).map_or(1, |before| before.chars().count() + 1))
    }
}

/// One table of a file.
pub(crate) struct Table<'s, 't> {
    pub(crate) source: &'s Source,
    /// What it is called in errors: `rule "our own subscribers"`.
    pub(crate) name: String,
    pub(crate) span: Range<usize>,
    pub(crate) table: &'t DeTable<'t>,
    pub(crate) errors: Vec<ConfigError>,
}

impl<'s, 't> Table<'s, 't> {
    pub(crate) fn new(source: &'s Source, name: &str, span: Range<usize>, table: &'t DeTable<'t>) -> Self {
        Table { source, name: name.to_owned(), span, table, errors: Vec::new() }
    }

    /// Complains about keys that are none of `known`.
    pub(crate) fn only(&mut self, known: &[&str]) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                let what = unknown("key", name, known.iter().copied());
                self.errors.push(self.source.error(Some(key.span()), &self.name, what));
            }
        }
    }

    pub(crate) fn find(&self, key: &str) -> Option<&'t Value<'t>> {
        self.table.iter().find(|(name, _)| name.get_ref() == key).map(|(_, value)| value)
    }

    /// Complains about the value of a key, at `span`.
    pub(crate) fn wrong(&mut self, span: Range<usize>, key: &str, what: impl Into<String>) {
        let key = if key.is_empty() { self.name.clone() } else { format!("{}.{key}", self.name) };
        self.errors.push(self.source.error(Some(span), &key, what));
    }

    /// Complains about the table as a whole.
    pub(crate) fn wrong_here(&mut self, what: impl Into<String>) {
        self.wrong(self.span.clone(), "", what);
    }

    /// A text, if the key is there and is one.
    pub(crate) fn text(&mut self, key: &str) -> Option<(&'t str, Range<usize>)> {
        let value = self.find(key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong(value.span(), key, format!("this is {}; write a text in quotes", words(value)));
        }
        text.map(|text| (text, value.span()))
    }

    /// A text or a list of texts; a single one is a list of one.
    pub(crate) fn texts(&mut self, key: &str) -> Option<Vec<(&'t str, Range<usize>)>> {
        let value = self.find(key)?;
        let mut texts = Vec::new();
        for item in items(value) {
            match item.get_ref().as_str() {
                Some(text) => texts.push((text, item.span())),
                None => self.wrong(item.span(), key, format!("this is {}; write a text in quotes", words(item))),
            }
        }
        Some(texts)
    }
}

/// The items of a list; any other value is a list of itself.
pub(crate) fn items<'t>(value: &'t Value<'t>) -> Vec<&'t Value<'t>> {
    match value.get_ref() {
        DeValue::Array(items) => items.iter().collect(),
        _ => vec![value],
    }
}

/// A whole number.
pub(crate) fn integer(value: &Value<'_>) -> Option<i64> {
    let number = value.get_ref().as_integer()?;
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}

/// What kind of value it is.
pub(crate) fn words(value: &Value<'_>) -> &'static str {
    match value.get_ref() {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// The octet of a file that a character of a text value stands at; the value's start when escapes are in the way.
pub(crate) fn inside(source: &Source, span: &Range<usize>, value: &str, character: usize) -> Range<usize> {
    let octets = value.char_indices().nth(character).map_or(value.trim_end().len(), |(at, _)| at);
    let written = source.text.get(span.clone()).unwrap_or_default();
    let start = written.find(value).map_or(span.start, |at| span.start + at + octets);
    start..start
}
