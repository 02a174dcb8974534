//! `packetboat doc` and `packetboat plugins`: everything here is made from the declarations, so that it cannot be stale
//! (I-9). `config/packetboat.toml`, `config/reference.md` and `config/schema.json` are its output; a test compares them.

use std::fmt::Write;
use std::process::ExitCode;

use clap::CommandFactory;
use packetboat_api::numbers::NumberPlan;
use packetboat_api::plugin::Plugin;
use packetboat_api::settings::{Declared, declared};
use packetboat_pipeline::{LimitSettings, QueueSettings};
use serde_json::{Map, Value, json};

use crate::cli::{Cli, Doc, DocOptions};
use crate::config::{AdminSettings, LogSettings, NodeSettings, RuleSettings, StoreSettings, TABLES, TransportCommon};
use crate::failed;

/// The command `doc`.
pub fn command(options: &DocOptions) -> ExitCode {
    let text = match options.what {
        Doc::Config => config(),
        Doc::Reference => reference(),
        Doc::Schema => format!("{:#}\n", schema()),
        Doc::Metrics => metrics(),
        Doc::Man => {
            let mut page = Vec::new();
            if let Err(error) = clap_mangen::Man::new(Cli::command()).render(&mut page) {
                return failed(error);
            }
            String::from_utf8_lossy(&page).into_owned()
        }
        Doc::Completions => {
            clap_complete::generate(options.shell, &mut Cli::command(), "packetboat", &mut std::io::stdout());
            return ExitCode::SUCCESS;
        }
    };
    print!("{text}");
    ExitCode::SUCCESS
}

/// The command `plugins`.
pub fn plugins(as_json: bool) -> ExitCode {
    let all = packetboat_plugins::all();
    if as_json {
        let list = all.iter().map(|p| json!({ "name": p.name, "about": p.about, "roles": roles(p) }));
        println!("{:#}", Value::Array(list.collect()));
    } else {
        for plugin in all {
            println!("{:<10} {:<22} {}", plugin.name, roles(plugin).join(", "), plugin.about);
        }
    }
    ExitCode::SUCCESS
}

fn roles(plugin: &Plugin) -> Vec<&'static str> {
    plugin.roles.iter().map(packetboat_api::plugin::Role::word).collect()
}

/// One documented table: its header in the config file, what it is, its keys.
struct Table {
    header: String,
    about: String,
    plugin: Option<&'static str>,
    keys: Declared,
}

fn tables() -> Vec<Table> {
    let plain = |name: &str| -> Declared {
        match name {
            "node" => declared::<NodeSettings>(),
            "numbers" => declared::<NumberPlan>(),
            "store" => declared::<StoreSettings>(),
            "rules" => declared::<RuleSettings>(),
            "limits" => declared::<LimitSettings>(),
            "queue" => declared::<QueueSettings>(),
            "log" => declared::<LogSettings>(),
            _ => declared::<AdminSettings>(),
        }
    };
    let about = |name: &str| match name {
        "node" => "This node.",
        "numbers" => "How national numbers are read.",
        "store" => "Where messages are kept.",
        "rules" => "Where mail goes: see `rules/`.",
        "limits" => "What is taken in at most.",
        "queue" => "How deliveries are attempted, and for how long.",
        "log" => "The log, on standard error.",
        _ => "The port for operators and monitors.",
    };
    let mut tables: Vec<Table> = TABLES
        .iter()
        .map(|name| Table {
            header: (*name).to_owned(),
            about: about(name).to_owned(),
            plugin: None,
            keys: plain(name),
        })
        .collect();
    for plugin in packetboat_plugins::all() {
        for role in plugin.roles {
            tables.push(Table {
                header: format!("{}.NAME", role.word()),
                about: plugin.about.to_owned(),
                plugin: Some(plugin.name),
                keys: role.declared(),
            });
        }
    }
    tables
}

/// One key of a table.
struct Key {
    name: String,
    kind: String,
    default: Option<String>,
    example: Option<String>,
    sentence: String,
}

fn keys(table: &Declared) -> Vec<Key> {
    let mut found = Vec::new();
    collect("", &table.schema, &table.schema, &table.defaults, &mut found);
    found
}

fn collect(prefix: &str, schema: &Value, root: &Value, defaults: &Value, found: &mut Vec<Key>) {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return };
    for (name, property) in properties {
        let full = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        let target = followed(property, root);
        let default = &defaults[name.as_str()];
        if target.get("properties").is_some() && default.is_object() {
            collect(&full, target, root, default, found);
            continue;
        }
        let describe = |value: &Value| value.get("description").and_then(Value::as_str).map(str::to_owned);
        let sentence = describe(property).or_else(|| describe(target)).unwrap_or_default().replace('\n', " ");
        let examples = property.get("examples").and_then(Value::as_array);
        found.push(Key {
            name: full,
            kind: kind(property, root),
            default: toml_text(default),
            example: examples.and_then(|all| all.first()).and_then(toml_text),
            sentence,
        });
    }
}

fn followed<'a>(schema: &'a Value, root: &'a Value) -> &'a Value {
    let reference = schema.get("$ref").and_then(Value::as_str).and_then(|r| r.strip_prefix('#'));
    if let Some(found) = reference.and_then(|pointer| root.pointer(pointer)) {
        return followed(found, root);
    }
    let choices = schema.get("anyOf").and_then(Value::as_array);
    choices.and_then(|all| all.iter().find(|s| s["type"] != "null")).map_or(schema, |s| followed(s, root))
}

/// The type in a reader's words.
fn kind(property: &Value, root: &Value) -> String {
    let target = followed(property, root);
    if let Some(choices) = target.get("oneOf").or_else(|| target.get("enum")).and_then(Value::as_array) {
        let word = |c: &Value| c.get("const").or(Some(c)).and_then(Value::as_str).map(|w| format!("\"{w}\""));
        let words: Vec<String> = choices.iter().filter_map(word).collect();
        if !words.is_empty() {
            return words.join(" or ");
        }
        return "{ file = \"…\" } or { env = \"…\" }".to_owned();
    }
    let types = match &target["type"] {
        Value::Array(several) => several.iter().find(|t| *t != "null").and_then(Value::as_str).unwrap_or("").to_owned(),
        one => one.as_str().unwrap_or_default().to_owned(),
    };
    match (types.as_str(), target["format"].as_str()) {
        (_, Some(format @ ("duration" | "size"))) => format.to_owned(),
        ("array", _) => format!("list of {}", kind(&target["items"], root)),
        ("string", _) => "text".to_owned(),
        ("boolean", _) => "true or false".to_owned(),
        ("integer", _) => "whole number".to_owned(),
        ("number", _) => "number".to_owned(),
        ("object", _) => "table".to_owned(),
        _ => "value".to_owned(),
    }
}

/// A JSON value as TOML writes it; `None` for what TOML has no word for (absent).
fn toml_text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(format!("{text:?}")),
        Value::Array(items) => Some(format!("[{}]", items.iter().filter_map(toml_text).collect::<Vec<_>>().join(", "))),
        Value::Object(map) => {
            let pairs = map.iter().filter_map(|(k, v)| Some(format!("{k} = {}", toml_text(v)?)));
            Some(format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", ")))
        }
        other => Some(other.to_string()),
    }
}

/// Widest line of the commented config file.
const WIDTH: usize = 110;

fn wrapped(text: &str, prefix: &str) -> String {
    let mut out = String::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && prefix.len() + line.chars().count() + 1 + word.chars().count() > WIDTH {
            let _ = writeln!(out, "{prefix}{line}");
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        let _ = writeln!(out, "{prefix}{line}");
    }
    out
}

fn config() -> String {
    let mut out = wrapped(
        "Every key of packetboat, with its default. Printed by `packetboat doc config`; a line that begins with #key shows \
         what holds when you leave it out. Sizes are \"300KiB\", spans of time \"30s\". Check yours with `packetboat check`.",
        "# ",
    );
    for table in tables() {
        let _ = write!(out, "\n{}", wrapped(&table.about, "# "));
        match table.plugin {
            None => out += &format!("[{}]\n", table.header),
            Some(plugin) => out += &format!("#[{}]\n#plugin = \"{plugin}\"\n", table.header),
        }
        for key in keys(&table.keys) {
            out += &wrapped(&key.sentence, "# ");
            match (&key.default, &key.example) {
                (Some(default), _) if default != "[]" && default != "\"\"" => {
                    out += &format!("#{} = {default}\n", key.name)
                }
                (_, Some(example)) => {
                    out += &format!("#{} = {example}    # an example; there is no default\n", key.name)
                }
                (default, None) => out += &format!("#{} = {}\n", key.name, default.as_deref().unwrap_or("…")),
            }
        }
    }
    out
}

fn reference() -> String {
    let mut out = String::from(
        "# Settings\n\nEvery key of `packetboat.toml`, made by `packetboat doc reference` from the declarations in the code. \
         A key that is not here is an error that names the nearest valid one.\n",
    );
    for table in tables() {
        let title = match table.plugin {
            None => format!("`[{}]`", table.header),
            Some(plugin) => format!("`[{}]` with `plugin = \"{plugin}\"`", table.header),
        };
        let _ = write!(out, "\n## {title}\n\n{}\n", table.about);
        let keys = keys(&table.keys);
        if keys.is_empty() {
            continue;
        }
        out += "\n| key | type | default | what it is |\n|---|---|---|---|\n";
        for key in keys {
            let default = key.default.map(|d| format!("`{d}`")).unwrap_or_default();
            let example = key.example.map(|e| format!(" Example: `{e}`.")).unwrap_or_default();
            let sentence = format!("{}{example}", key.sentence).replace('|', "\\|");
            let _ = writeln!(out, "| `{}` | {} | {default} | {sentence} |", key.name, key.kind.replace('|', "\\|"));
        }
    }
    let _ = write!(out, "\n## Beside a transport's own keys\n\nEvery `[transport.NAME]` may also have:\n\n");
    out += "| key | type | what it is |\n|---|---|---|\n";
    for key in keys(&declared::<TransportCommon>()) {
        let _ = writeln!(out, "| `{}` | {} | {} |", key.name, key.kind, key.sentence);
    }
    out
}

fn schema() -> Value {
    let mut properties = Map::new();
    let mut roles: Map<String, Value> = Map::new();
    for table in tables() {
        match table.plugin {
            None => drop(properties.insert(table.header, table.keys.schema.as_ref().clone())),
            Some(plugin) => {
                let role = table.header.split('.').next().unwrap_or_default().to_owned();
                let mut settings = table.keys.schema.as_ref().clone();
                settings["properties"]["plugin"] = json!({ "const": plugin });
                settings["required"] = json!(["plugin"]);
                let choices = roles.entry(role).or_insert_with(|| json!([]));
                choices.as_array_mut().into_iter().for_each(|all| all.push(settings.clone()));
            }
        }
    }
    for (role, choices) in roles {
        properties.insert(role, json!({ "type": "object", "additionalProperties": { "anyOf": choices } }));
    }
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "packetboat.toml",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

fn metrics() -> String {
    let mut out = String::from("| metric | labels | what it counts |\n|---|---|---|\n");
    for (name, labels, sentence) in crate::metrics::DECLARED {
        let _ = writeln!(out, "| `{name}` | {labels} | {sentence} |");
    }
    out
}
