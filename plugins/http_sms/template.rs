//! What may stand in a template: variables, filters, and how a mistake in it is named.
//!
//! The language is that of minijinja: `{{ variable | filter }}`, `{% if … %}`. Nothing undefined is ever rendered, octets
//! cannot be written without saying how, and a template is bounded in its work and in what it makes (I-8). Templates are
//! compiled when the daemon starts and rendered with a sample then, so that what cannot be is found before the first message
//! (I-9).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior};
use packetboat_net::callback::percent_encoded;

use crate::limits::{FUEL, RENDERED};

/// The filters, for a reader.
const FILTERS: &str = "hex, hex_upper, base64, percent, json, ucs2";

/// The variables, for a reader.
const VARIABLES: &str = "to, to_digits, from, text, data, udh, user_data, coding, destination_port, originator_port, part, \
                         parts, reference, id, delivery, priority, validity_seconds, callback_url, token, secrets.NAME";

/// The compiled templates, by name.
#[derive(Debug)]
pub struct Templates(Environment<'static>);

impl Templates {
    /// None yet.
    pub fn new() -> Templates {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_debug(true); // or a mistake has no column
        environment.set_fuel(Some(FUEL));
        environment.set_formatter(|out, state, value| match value.kind() {
            ValueKind::Bytes => {
                let how = "these are octets; say how they are written: | hex, | hex_upper, | base64 or | percent";
                Err(Error::new(ErrorKind::InvalidOperation, how))
            }
            _ => minijinja::escape_formatter(out, state, value),
        });
        environment.add_filter("hex", |value: Value| octets(&value).map(|octets| hex(&octets, b"0123456789abcdef")));
        environment
            .add_filter("hex_upper", |value: Value| octets(&value).map(|octets| hex(&octets, b"0123456789ABCDEF")));
        environment.add_filter("base64", |value: Value| octets(&value).map(|octets| STANDARD.encode(octets)));
        environment.add_filter("percent", |value: Value| octets(&value).map(|octets| percent_encoded(&octets)));
        environment.add_filter("ucs2", |value: Value| {
            let text = value.as_str().map(str::to_owned).ok_or_else(|| wrong_kind("ucs2", "words", &value))?;
            Ok::<_, Error>(Value::from_bytes(text.encode_utf16().flat_map(u16::to_be_bytes).collect()))
        });
        environment.add_filter("json", |value: Value| match value.kind() {
            ValueKind::String => Ok(serde_json::Value::from(value.as_str().unwrap_or_default()).to_string()),
            ValueKind::Number | ValueKind::Bool => Ok(value.to_string()),
            _ => Err(wrong_kind("json", "words or a number", &value)),
        });
        Templates(environment)
    }

    /// Compiles one. The error names line, column and remedy.
    pub fn add(&mut self, name: &str, source: &str) -> Result<(), String> {
        self.0.add_template_owned(name.to_owned(), source.to_owned()).map_err(|error| in_words(&error, source))
    }

    /// Renders one that was added. The error names line, column and remedy, and no value.
    pub fn render(&self, name: &str, values: &Value) -> Result<String, String> {
        let rendered = self.0.get_template(name).and_then(|template| {
            let text = template.render(values);
            text.map_err(|error| Error::new(error.kind(), in_words(&error, template.source())))
        });
        let text = rendered.map_err(|error| error.detail().unwrap_or("the template cannot be rendered").to_owned())?;
        match text.len() <= RENDERED {
            true => Ok(text),
            false => Err(format!("the template makes more than {RENDERED} octets")),
        }
    }
}

impl Default for Templates {
    fn default() -> Self {
        Templates::new()
    }
}

/// Where in the template, what, and what to do.
fn in_words(error: &Error, source: &str) -> String {
    let line = error.line().unwrap_or(1);
    let column = error.range().map_or(1, |range| {
        let before = source.get(..range.start).unwrap_or(source);
        before.chars().rev().take_while(|c| *c != '\n').count() + 1
    });
    let what = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    let remedy = match error.kind() {
        ErrorKind::SyntaxError => {
            "; placeholders are {{ to }} or {{ text | json }}, and {{ '{{' }} is two braces".to_owned()
        }
        ErrorKind::UnknownFilter => format!("; the filters are {FILTERS}"),
        ErrorKind::UndefinedError => format!("; the variables are {VARIABLES}"),
        ErrorKind::OutOfFuel => "; it takes too many steps".to_owned(),
        _ => String::new(),
    };
    format!("line {line}, column {column} of the template: {what}{remedy}")
}

/// The octets of a value: those of octets, or those of words in UTF-8.
fn octets(value: &Value) -> Result<Vec<u8>, Error> {
    match value.kind() {
        ValueKind::Bytes | ValueKind::String => Ok(value.as_bytes().unwrap_or_default().to_vec()),
        ValueKind::Number => Ok(value.to_string().into_bytes()),
        _ => Err(wrong_kind("this filter", "octets, words or a number", value)),
    }
}

fn wrong_kind(filter: &str, wanted: &str, value: &Value) -> Error {
    let kind = if value.is_undefined() { ErrorKind::UndefinedError } else { ErrorKind::InvalidOperation };
    let found = if value.kind() == ValueKind::Bytes { "octets".to_owned() } else { value.kind().to_string() };
    Error::new(kind, format!("{filter} wants {wanted}, and this is {found}"))
}

fn hex(octets: &[u8], digits: &[u8; 16]) -> String {
    let digit = |at: u8| char::from(digits[usize::from(at)]);
    octets.iter().flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]).collect()
}
