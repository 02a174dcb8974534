//! `packetboat queue`, `trace`, `handset` and `provision`: asks the running daemon, or looks into the store of a stopped one.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use packetboat_api::clock::{SystemClock, SystemRandom};
use packetboat_api::party::Msisdn;
use packetboat_api::store::{Filter, Page, Store};
use packetboat_net::http::{Client, ErrorKind, Options};
use packetboat_pipeline::observe::Nobody;
use packetboat_pipeline::{Parts, Policy, Road};
use packetboat_rules::Program;
use packetboat_store::EmbeddedStore;
use serde_json::Value;

use crate::cli::{HandsetOptions, ProvisionOptions, TraceOptions};
use crate::config::Config;
use crate::decode::printable;
use crate::run::with_config;
use crate::{admin, failed, runtime};

/// Which deliveries to list.
pub struct Wanted {
    /// In these states.
    pub states: Vec<String>,
    /// To this recipient.
    pub to: Option<String>,
    /// From this sender.
    pub from: Option<String>,
    /// Now with this transport.
    pub via: Option<String>,
    /// At most so many.
    pub limit: usize,
}

/// What is asked.
enum Question<'a> {
    List(&'a Wanted),
    Trace(&'a str),
    Revoke(&'a str),
    Handset(&'a Msisdn),
    Provision(&'a ProvisionOptions),
}

/// `queue list`
pub fn list(config: &Path, wanted: &Wanted, json: bool) -> ExitCode {
    show(config, &Question::List(wanted), json, |answer| {
        let rows = answer.as_array().map(Vec::as_slice).unwrap_or_default();
        for row in rows {
            let text = |key: &str| printable(row[key].as_str().unwrap_or("-"));
            println!(
                "{:<16} {:<12} {:<24} {:<24} {:<10} {} {}",
                text("id"),
                text("state"),
                text("from"),
                text("to"),
                text("via"),
                text("due").get(..19).unwrap_or("-"),
                text("reason").trim_start_matches('-'),
            );
        }
        if rows.is_empty() {
            println!("no deliveries");
        }
    })
}

/// `trace`, and `queue show`
pub fn trace(options: &TraceOptions) -> ExitCode {
    show(&options.config.config, &Question::Trace(&options.id), options.json.json, |answer| {
        let text = |value: &Value| printable(value.as_str().unwrap_or("-"));
        println!("message {}  <{}>", text(&answer["id"]), text(&answer["message_id"]));
        println!(
            "from {}, received {} by {}",
            text(&answer["from"]),
            text(&answer["received"]),
            text(&answer["listener"])
        );
        println!("subject {}, {} octets", text(&answer["subject"]), answer["size"]);
        for delivery in answer["deliveries"].as_array().map(Vec::as_slice).unwrap_or_default() {
            println!("\n{} to {}: {}", text(&delivery["id"]), text(&delivery["to"]), text(&delivery["state"]));
            if let Some(reason) = delivery["reason"].as_str().filter(|reason| !reason.is_empty()) {
                println!("  because {}", printable(reason));
            }
            for line in delivery["timeline"].as_array().map(Vec::as_slice).unwrap_or_default() {
                println!("  {}  {:<16} {}", text(&line["at"]), text(&line["what"]), text(&line["detail"]));
            }
        }
    })
}

/// `queue revoke`
pub fn revoke(options: &TraceOptions) -> ExitCode {
    show(&options.config.config, &Question::Revoke(&options.id), options.json.json, |answer| match answer["withdrawn"]
        .as_u64()
        .unwrap_or(0)
    {
        0 => println!("it was withdrawn before"),
        1 => println!("1 delivery is withdrawn; nobody can fetch it any more"),
        many => println!("{many} deliveries are withdrawn; nobody can fetch them any more"),
    })
}

/// `handset`
pub fn handset(options: &HandsetOptions) -> ExitCode {
    show(&options.config.config, &Question::Handset(&options.number), options.json.json, |answer| {
        let text = |value: &Value| printable(value.as_str().unwrap_or("-"));
        let handset = &answer["handset"];
        if handset.is_null() {
            println!("nothing is known of this phone");
        } else {
            println!("last seen         {}", text(&handset["seen"]));
            println!("direct delivery   {}", text(&answer["direct"]));
            for (key, label) in [
                ("fetched", "last fetched"),
                ("missed", "last missed"),
                ("opened_link", "opened a link"),
                ("user_agent", "User-Agent"),
            ] {
                if !handset[key].is_null() {
                    println!("{label:<17} {}", text(&handset[key]));
                }
            }
            if let Some(model) = handset["profile"]["model"].as_str() {
                println!("model             {}", printable(model));
            }
            if handset["largest_picture"].as_u64().is_some_and(|octets| octets > 0) {
                println!("largest picture   {} octets", handset["largest_picture"]);
            }
        }
        match answer["fetch_rate"].as_f64() {
            Some(rate) => {
                println!("its network       {} fetches {:.0} %", text(&answer["network"]["name"]), rate * 100.0)
            }
            None => println!("nothing is known of its network"),
        }
    })
}

/// `provision`
pub fn provision(options: &ProvisionOptions) -> ExitCode {
    show(&options.config.config, &Question::Provision(options), options.json.json, |answer| {
        let id = printable(answer["id"].as_str().unwrap_or("-"));
        println!("the settings \"{}\" are on their way; see \"packetboat trace {id}\"", printable(&options.profile));
    })
}

fn show(path: &Path, question: &Question<'_>, json: bool, print: impl Fn(&Value)) -> ExitCode {
    with_config(path, |config| {
        let answer = match runtime() {
            Ok(runtime) => runtime.block_on(ask(config, question)),
            Err(error) => Err(error.to_string()),
        };
        match answer {
            Ok(answer) if json => println!("{answer:#}"),
            Ok(answer) => print(&answer),
            Err(error) => return failed(error),
        }
        ExitCode::SUCCESS
    })
}

async fn ask(config: &Config<'_>, question: &Question<'_>) -> Result<Value, String> {
    match admin::address(&config.store_path()) {
        Some(address) => match remote(address, question).await {
            Err(Remote::NobodyThere) => local(config, question).await, // it was killed and left its note behind
            Err(Remote::Failed(why)) => Err(why),
            Ok(answer) => Ok(answer),
        },
        None => local(config, question).await,
    }
}

enum Remote {
    NobodyThere,
    Failed(String),
}

async fn remote(address: std::net::SocketAddr, question: &Question<'_>) -> Result<Value, Remote> {
    let url = match question {
        Question::Trace(id) => format!("http://{address}/api/trace/{}", escaped(id)),
        Question::Revoke(id) => format!("http://{address}/api/revoke/{}", escaped(id)),
        Question::Handset(number) => format!("http://{address}/api/handset/{}", number.digits()),
        Question::Provision(_) => format!("http://{address}/api/provision"),
        Question::List(wanted) => {
            let mut url =
                format!("http://{address}/api/deliveries?limit={}&state={}", wanted.limit, wanted.states.join(","));
            for (key, value) in [("to", &wanted.to), ("from", &wanted.from), ("via", &wanted.via)] {
                if let Some(value) = value {
                    url += &format!("&{key}={}", escaped(value));
                }
            }
            url
        }
    };
    let client = Client::new(&Options::default()).map_err(|e| Remote::Failed(e.to_string()))?;
    let body = match question {
        Question::Provision(ProvisionOptions { number, profile, pin, imsi, .. }) => {
            Some(serde_json::json!({ "to": number, "profile": profile, "pin": pin, "imsi": imsi }).to_string())
        }
        Question::Revoke(_) => Some("{}".to_owned()),
        _ => None,
    };
    let asked = match body {
        Some(body) => client.post(&url, "application/json", body).await,
        None => client.get(&url).await,
    };
    let answer = asked.map_err(|error| match error.kind {
        ErrorKind::Connect => Remote::NobodyThere,
        _ => Remote::Failed(format!("the daemon did not answer: {error}")),
    })?;
    let value: Value = serde_json::from_slice(&answer.body).map_err(|e| Remote::Failed(e.to_string()))?;
    match answer.is_success() {
        true => Ok(value),
        false => Err(Remote::Failed(value["error"].as_str().unwrap_or("the daemon does not answer").to_owned())),
    }
}

/// Percent-encodes what a query or path cannot hold as it is (RFC 3986 2.3).
fn escaped(text: &str) -> String {
    let keep = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
    text.bytes().map(|b| if keep(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

async fn local(config: &Config<'_>, question: &Question<'_>) -> Result<Value, String> {
    let path = config.store_path();
    if let Question::Provision(_) | Question::Revoke(_) = question {
        return Err("no daemon is running that could do that; start it with \"packetboat run\"".to_owned());
    }
    if !path.exists() {
        return Err(format!("no daemon is running, and there is no store at {}", path.display()));
    }
    let settings = packetboat_store::Settings { path, ..config.store.embedded.clone() };
    let opened = tokio::task::spawn_blocking(move || EmbeddedStore::open(settings, Arc::new(SystemClock)));
    let store: Arc<dyn Store> = Arc::new(opened.await.map_err(|e| e.to_string())?.map_err(|e| e.to_string())?);
    let road = Road::new(Parts {
        store: store.clone(),
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        node: config.node.name.clone(),
        program: Arc::new(
            Program::load(&[] as &[&str], &config.base).map_err(|_| "the rules cannot be read".to_owned())?,
        ),
        policy: Policy::default(),
        observer: Arc::new(Nobody),
    });
    let answer = match question {
        Question::Trace(id) => admin::traced(&road, id).await,
        Question::Handset(number) => Ok(admin::remembered(&road, number).await),
        // Done by a running daemon only, which is asked for above: it has the rules by which others are told.
        Question::Provision(_) | Question::Revoke(_) => Ok(Value::Null),
        Question::List(wanted) => {
            let filter = Filter {
                message: None,
                states: wanted.states.clone(),
                to: wanted.to.clone(),
                from: wanted.from.clone(),
                via: wanted.via.clone(),
            };
            let page = Page { after: None, limit: wanted.limit, newest_first: true };
            admin::listed(&road, &filter, page).await
        }
    };
    store.close().await;
    answer.map_err(|e| e.to_string())
}
