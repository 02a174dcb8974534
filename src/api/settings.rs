//! Settings: declared once, decoded strictly, documented from the same declaration (invariant I-9).
//!
//! A plugin's settings are a struct with `#[serde(default)]`, `Deserialize`, `Serialize`, `Default` and `JsonSchema`; the
//! doc comment of a field is its sentence in `config/reference.md`, its default comes from `Default`, its example from
//! `#[schemars(example = …)]`, its unit from its type ([`crate::units`]). Unknown keys are found by walking the text
//! against that schema, so that the error can name the file, the line and the nearest valid key.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What a settings struct must be.
pub trait Settings: DeserializeOwned + Serialize + Default + JsonSchema {}
impl<T: DeserializeOwned + Serialize + Default + JsonSchema> Settings for T {}

/// The settings of something that has none.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct NoSettings {}

/// A mistake in a config or rule file: where it is, what it is, what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// The file.
    pub file: PathBuf,
    /// Line and column from 1, when the mistake has a place.
    pub place: Option<(usize, usize)>,
    /// The key, such as `listener.mail.domains`.
    pub key: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        f.write_str(": ")?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// A file that was read.
#[derive(Debug)]
pub struct Source {
    /// Where it is.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

impl Source {
    /// Line and column, from 1, of an octet.
    pub fn place(&self, offset: usize) -> (usize, usize) {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line = before.bytes().filter(|b| *b == b'\n').count() + 1;
        (line, before.chars().rev().take_while(|c| *c != '\n').count() + 1)
    }

    /// An error at a place of this file.
    pub fn error(&self, span: Option<Range<usize>>, key: &str, message: impl Into<String>) -> ConfigError {
        ConfigError {
            file: self.path.clone(),
            place: span.map(|span| self.place(span.start)),
            key: key.to_owned(),
            message: message.into(),
        }
    }

    /// Parses the text as TOML.
    pub fn parse(&self) -> Result<Spanned<DeTable<'_>>, ConfigError> {
        DeTable::parse(&self.text).map_err(|e| self.error(e.span(), "", e.message()))
    }
}

/// One table of a config file, on its way to becoming settings.
#[derive(Clone, Debug)]
pub struct Section<'a> {
    /// The file it stands in.
    pub source: &'a Source,
    /// Its key, such as `listener.mail`.
    pub key: String,
    /// Where it starts.
    pub span: Range<usize>,
    /// What it says.
    pub table: DeTable<'a>,
}

impl Section<'_> {
    /// Decodes it strictly: every key must be known, every value of its type.
    pub fn decode<S: Settings>(&self) -> Result<S, Vec<ConfigError>> {
        let schema = Json::from(schemars::schema_for!(S));
        let mut errors = Vec::new();
        check_keys(self.source, &self.key, &self.table, &schema, &schema, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        self.read(&self.table).map_err(|error| vec![self.wrong(&error, self.blamed::<S>())])
    }

    fn read<S: Settings>(&self, table: &DeTable<'_>) -> Result<S, toml::de::Error> {
        let value = Spanned::new(self.span.clone(), DeValue::Table(table.clone()));
        S::deserialize(toml::de::ValueDeserializer::from(value))
    }

    /// Where the first value stands that cannot be read by itself: what the deserializer says of a key in a flattened part
    /// has no place.
    fn blamed<S: Settings>(&self) -> Option<Range<usize>> {
        let alone = |(key, value): &(&Spanned<Cow<'_, str>>, &Spanned<DeValue<'_>>)| {
            self.read::<S>(&std::iter::once(((*key).clone(), (*value).clone())).collect()).is_err()
        };
        self.table.iter().find(alone).map(|(_, value)| value.span())
    }

    fn wrong(&self, error: &toml::de::Error, blamed: Option<Range<usize>>) -> ConfigError {
        let within = error.span().filter(|span| *span != self.span);
        let span = within.or(blamed).unwrap_or_else(|| self.span.clone());
        let key = key_at(&self.table, span.start).map_or_else(|| self.key.clone(), |key| joined(&self.key, &key));
        self.source.error(Some(span), &key, in_words(error.message()))
    }

    /// An error about one of its keys, such as `bearer` or `push.url`, placed where that key stands, or else the table it would
    /// stand in.
    pub fn error(&self, key: &str, message: impl Into<String>) -> ConfigError {
        let (mut table, mut span) = (Some(&self.table), None);
        for name in key.split('.') {
            let Some((found, value)) = table.and_then(|table| table.iter().find(|(k, _)| k.get_ref() == name)) else {
                break;
            };
            span = Some(found.span());
            table = value.get_ref().as_table();
        }
        let full = if key.is_empty() { self.key.clone() } else { joined(&self.key, key) };
        self.source.error(Some(span.unwrap_or_else(|| self.span.clone())), &full, message)
    }
}

fn joined(table: &str, key: &str) -> String {
    if table.is_empty() { key.to_owned() } else { format!("{table}.{key}") }
}

/// The key whose value an octet belongs to, such as `inner.name`. The span of an array of tables is that of its header, so
/// what is inside is looked at first.
fn key_at(table: &DeTable<'_>, offset: usize) -> Option<String> {
    table.iter().find_map(|(key, value)| {
        let inner = match value.get_ref() {
            DeValue::Table(inner) => key_at(inner, offset),
            DeValue::Array(items) => items.iter().find_map(|item| key_at(item.get_ref().as_table()?, offset)),
            _ => None,
        };
        match inner {
            Some(inner) => Some(joined(key.get_ref(), &inner)),
            None => value.span().contains(&offset).then(|| key.get_ref().to_string()),
        }
    })
}

/// What the deserializer says, without the names of Rust's types.
fn in_words(message: &str) -> String {
    let Some((found, expected)) = message.rsplit_once(", expected ") else { return message.to_owned() };
    let expected = match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number that is not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        "f32" | "f64" => "a number",
        "a sequence" => "a list",
        "a boolean" => "true or false",
        "a string" => "text in quotes",
        other if other.starts_with("struct ") || other == "a map" => "a table",
        other => other,
    };
    format!("{found}, expected {expected}")
}

/// Walks a table against its schema and reports the keys the schema does not know.
fn check_keys(
    source: &Source,
    at: &str,
    table: &DeTable<'_>,
    schema: &Json,
    root: &Json,
    errors: &mut Vec<ConfigError>,
) {
    let schema = resolved(schema, root);
    let open = |extra: &Json| extra.is_object() || *extra == Json::Bool(true);
    if schema.get("type").and_then(Json::as_str) != Some("object")
        || schema.get("additionalProperties").is_some_and(open)
    {
        return;
    }
    let none = serde_json::Map::new();
    let known = schema.get("properties").and_then(Json::as_object).unwrap_or(&none);
    for (key, value) in table {
        let name: &str = key.get_ref();
        let full = joined(at, name);
        let Some(inner) = known.get(name) else {
            let message = unknown(name, known.keys().map(String::as_str));
            errors.push(source.error(Some(key.span()), &full, message));
            continue;
        };
        match value.get_ref() {
            DeValue::Table(table) => check_keys(source, &full, table, inner, root, errors),
            DeValue::Array(items) => {
                let Some(inner) = resolved(inner, root).get("items") else { continue };
                for item in items.iter() {
                    if let DeValue::Table(table) = item.get_ref() {
                        check_keys(source, &full, table, inner, root, errors);
                    }
                }
            }
            _ => {}
        }
    }
}

/// Follows `$ref`, and the one table among the choices of an `Option`.
fn resolved<'a>(schema: &'a Json, root: &'a Json) -> &'a Json {
    if let Some(name) = schema.get("$ref").and_then(Json::as_str) {
        let found = name.strip_prefix('#').and_then(|pointer| root.pointer(pointer));
        return found.map_or(schema, |found| resolved(found, root));
    }
    let choices = schema.get("anyOf").and_then(Json::as_array);
    let table = choices.and_then(|all| all.iter().map(|s| resolved(s, root)).find(|s| s.get("properties").is_some()));
    table.unwrap_or(schema)
}

/// "unknown key …; did you mean …?" over the valid names.
pub fn unknown<'a>(name: &str, valid: impl Iterator<Item = &'a str>) -> String {
    let valid: Vec<&str> = valid.collect();
    let scored = valid.iter().map(|v| (strsim::damerau_levenshtein(name, v), *v));
    match scored.min() {
        Some((distance, nearest)) if distance <= 1 + nearest.len() / 3 => {
            format!("unknown key \"{name}\"; did you mean \"{nearest}\"?")
        }
        None => format!("unknown key \"{name}\"; there are no keys here"),
        _ => format!("unknown key \"{name}\"; valid here: {}", valid.join(", ")),
    }
}

/// A secret, which is never printed: `{ file = "/etc/packetboat/smsc.secret" }` or `{ env = "SMSC_SECRET" }`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Secret {
    /// The first line of a file.
    File(PathBuf),
    /// An environment variable.
    Env(String),
}

impl Secret {
    /// Reads it; `base` is the directory relative file names start from.
    pub fn read(&self, base: &Path) -> Result<String, String> {
        match self {
            Secret::File(path) => {
                let path = base.join(path);
                let text = std::fs::read_to_string(&path)
                    .map_err(|e| format!("the secret file {} cannot be read: {e}", path.display()))?;
                let first = text.lines().next().filter(|line| !line.is_empty());
                let empty = || format!("the secret file {} has nothing in its first line", path.display());
                first.map(str::to_owned).ok_or_else(empty)
            }
            Secret::Env(name) => std::env::var(name)
                .map_err(|_| format!("the environment variable {name}, which should hold the secret, is not set")),
        }
    }
}

/// The schema and the defaults of a settings struct, for the generated documentation.
#[derive(Clone, Debug)]
pub struct Declared {
    /// JSON schema.
    pub schema: Arc<Json>,
    /// The default of every key.
    pub defaults: Arc<Json>,
}

/// What a settings struct declares.
pub fn declared<S: Settings>() -> Declared {
    let defaults = serde_json::to_value(S::default()).unwrap_or(Json::Null);
    Declared { schema: Arc::new(Json::from(schemars::schema_for!(S))), defaults: Arc::new(defaults) }
}
