//! A piece becomes an HTTP request, by the templates.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, Request, Uri};
use minijinja::value::Value;
use packetboat_api::message::Priority;
use packetboat_net::bearer::{Content, Cut, Piece};
use packetboat_net::http::is_http;
use packetboat_sms::{Alphabet, Ports, TextSegment};

use crate::settings::{RequestSettings, Segmentation};
use crate::template::Templates;

/// Which of the two requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// For what is binary.
    Push,
    /// For words.
    Text,
}

/// What is known of a piece and of the message it is from.
#[derive(Clone, Debug)]
pub struct Values<'a> {
    /// The piece.
    pub piece: &'a Piece,
    /// The ports it is for.
    pub ports: Option<Ports>,
    /// The number as the gateway wants it.
    pub to: String,
    /// Its digits.
    pub to_digits: &'a str,
    /// The sender to be shown.
    pub from: &'a str,
    /// Which piece, from 1.
    pub part: u8,
    /// Pieces in all; short messages in all where the gateway cuts.
    pub parts: u8,
    /// The number that pieces of one message share.
    pub reference: u16,
    /// Unlike any other request's.
    pub id: String,
    /// The delivery.
    pub delivery: String,
    /// How urgent.
    pub priority: Priority,
    /// For how long it is of use.
    pub validity_seconds: u64,
    /// The token of its receipt, and the address to be called with it.
    pub receipt: Option<(String, String)>,
}

/// One request, by templates.
#[derive(Clone, Debug)]
pub struct Form {
    kind: Kind,
    method: Method,
    headers: Vec<HeaderName>,
    has_body: bool,
    /// Who cuts.
    pub cut: Cut,
}

impl Form {
    /// Compiles the templates of a request into `templates`; `None` when there is no such request. An error is
    /// `(key, message)`.
    pub fn new(
        kind: Kind,
        settings: &RequestSettings,
        templates: &mut Templates,
    ) -> Result<Option<Form>, (&'static str, String)> {
        if settings.url.is_empty() {
            if settings.body.is_empty() && settings.headers.is_empty() {
                return Ok(None);
            }
            return Err((kind.key("url"), "there is a request without an address; say its url".to_owned()));
        }
        let method = match settings.method.as_str() {
            "GET" => Method::GET,
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            "PATCH" => Method::PATCH,
            other => return Err((kind.key("method"), format!("\"{other}\" is not GET, POST, PUT or PATCH"))),
        };
        if method == Method::GET && !settings.body.is_empty() {
            return Err((
                kind.key("body"),
                "a GET has no body; put it into the url, or say method = \"POST\"".to_owned(),
            ));
        }
        templates.add(kind.key("url"), &settings.url).map_err(|message| (kind.key("url"), message))?;
        templates.add(kind.key("body"), &settings.body).map_err(|message| (kind.key("body"), message))?;
        let mut headers = Vec::new();
        for (name, source) in &settings.headers {
            let wrong = |message: String| (kind.key("headers"), format!("{name}: {message}"));
            let field: HeaderName = name.parse().map_err(|_| wrong("is not the name of a header field".to_owned()))?;
            templates.add(&kind.header(&field), source).map_err(wrong)?;
            headers.push(field);
        }
        let cut = match (settings.segmentation, kind) {
            (Some(Segmentation::Packetboat), _) | (None, Kind::Push) => Cut::Here,
            (Some(Segmentation::Gateway), _) | (None, Kind::Text) => Cut::There,
        };
        Ok(Some(Form { kind, method, headers, has_body: !settings.body.is_empty(), cut }))
    }

    /// The request. An error is `(key, message)`, and names no value: there may be a secret in it.
    pub fn request(
        &self,
        templates: &Templates,
        secrets: &BTreeMap<String, String>,
        values: &Values<'_>,
    ) -> Result<Request<Bytes>, (&'static str, String)> {
        let context = context(secrets, values);
        let rendered = |name: &str, key| templates.render(name, &context).map_err(|message| (key, message));
        let key = self.kind.key("url");
        let url = rendered(key, key)?;
        let remedy = "what the template makes is not an address; write values in it as {{ text | percent }}";
        let address = |url: &str| url.parse::<Uri>().ok().filter(|uri| uri.host().is_some() && is_http(url));
        let uri = address(url.trim()).ok_or_else(|| (key, remedy.to_owned()))?;
        let mut request = Request::new(Bytes::new());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = uri;
        let key = self.kind.key("headers");
        for field in &self.headers {
            let wrong = |message: &str| (key, format!("{field}: {message}"));
            let value = rendered(&self.kind.header(field), key).map_err(|(_, message)| wrong(&message))?;
            let control = |_| wrong("what the template makes has a line break or another control in it");
            request.headers_mut().insert(field, HeaderValue::from_str(&value).map_err(control)?);
        }
        if self.has_body {
            let key = self.kind.key("body");
            *request.body_mut() = rendered(key, key)?.into();
        }
        Ok(request)
    }
}

impl Kind {
    /// The whole key of a request's setting.
    fn key(self, of: &str) -> &'static str {
        match (self, of) {
            (Kind::Push, "url") => "push.url",
            (Kind::Push, "method") => "push.method",
            (Kind::Push, "headers") => "push.headers",
            (Kind::Push, _) => "push.body",
            (Kind::Text, "url") => "text.url",
            (Kind::Text, "method") => "text.method",
            (Kind::Text, "headers") => "text.headers",
            (Kind::Text, _) => "text.body",
        }
    }

    fn header(self, field: &HeaderName) -> String {
        format!("{}.{field}", self.key("headers"))
    }
}

fn context(secrets: &BTreeMap<String, String>, values: &Values<'_>) -> Value {
    let octets = |octets: &[u8]| Value::from_bytes(octets.to_vec());
    let udh = &values.piece.udh;
    let (coding, data, text) = match &values.piece.content {
        Content::Octets(data) => ("binary", data.to_vec(), None),
        Content::Words(text, alphabet) => {
            let segment = TextSegment { header: None, text: text.clone(), alphabet: *alphabet };
            (if *alphabet == Alphabet::Gsm7 { "gsm7" } else { "ucs2" }, segment.units(), Some(text))
        }
    };
    let priority = match values.priority {
        Priority::Low => "low",
        Priority::Normal => "normal",
        Priority::High => "high",
    };
    let secrets: BTreeMap<_, _> =
        secrets.iter().map(|(name, secret)| (name.clone(), Value::from(secret.as_str()))).collect();
    let mut all = BTreeMap::from([
        ("to", Value::from(values.to.as_str())),
        ("to_digits", Value::from(values.to_digits)),
        ("from", Value::from(values.from)),
        ("user_data", octets(&[&udh[..], &data[..]].concat())),
        ("data", octets(&data)),
        ("udh", octets(udh)),
        ("coding", Value::from(coding)),
        ("part", Value::from(values.part)),
        ("parts", Value::from(values.parts)),
        ("reference", Value::from(values.reference)),
        ("id", Value::from(values.id.as_str())),
        ("delivery", Value::from(values.delivery.as_str())),
        ("priority", Value::from(priority)),
        ("validity_seconds", Value::from(values.validity_seconds)),
        ("secrets", Value::from(secrets)),
    ]);
    all.extend(text.map(|text| ("text", Value::from(text.as_str()))));
    if let Some(ports) = values.ports {
        all.insert("destination_port", Value::from(ports.destination));
        all.insert("originator_port", Value::from(ports.originator));
    }
    if let Some((token, url)) = &values.receipt {
        all.insert("token", Value::from(token.as_str()));
        all.insert("callback_url", Value::from(url.as_str()));
    }
    Value::from(all)
}
