//! What `config/` says of the settings is what the program says of them. `UPDATE=1` writes it anew.

use crate::node::BINARY;
use packetboat_harness::Scene;
use packetboat_harness::process::Output;
use std::path::Path;
use std::process::Command;

const MADE: [(&str, &str); 3] =
    [("config", "packetboat.toml"), ("reference", "reference.md"), ("schema", "schema.json")];

#[test]
fn documentation_is_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    for (what, name) in MADE {
        let printed = Output::of(Command::new(BINARY).args(["doc", what])).expect_success().text();
        assert!(printed.len() > 1000, "`packetboat doc {what}` prints next to nothing");
        let path = folder.join(name);
        if std::env::var_os("UPDATE").is_some() {
            std::fs::write(&path, &printed).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
        let written = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let stale = written.lines().zip(printed.lines()).position(|(written, printed)| written != printed);
        assert!(
            written == printed,
            "config/{name} is stale from line {} on; UPDATE=1 cargo test --test e2e documentation",
            stale.unwrap_or_else(|| written.lines().count().min(printed.lines().count())) + 1
        );
    }
}

#[test]
fn every_command_has_its_help() {
    let all = Output::of(Command::new(BINARY).arg("--help")).expect_success().text();
    for command in ["run", "check", "lab", "send", "queue", "trace", "decode", "plugins", "doc"] {
        assert!(all.lines().any(|line| line.trim_start().starts_with(command)), "no {command} in:\n{all}");
        Output::of(Command::new(BINARY).args([command, "--help"])).expect_success();
    }
    let plugins = Output::of(Command::new(BINARY).args(["plugins", "--json"])).expect_success().json();
    let names: Vec<_> = plugins.as_array().into_iter().flatten().filter_map(|plugin| plugin["name"].as_str()).collect();
    for name in ["smtp", "mm1", "direct", "kannel", "lab", "mail"] {
        assert!(names.contains(&name), "no {name} in {names:?}");
    }
    for what in ["metrics", "man", "completions"] {
        assert!(Output::of(Command::new(BINARY).args(["doc", what])).expect_success().text().contains("packetboat"));
    }
}

/// Whoever takes away a "#" has what held before.
#[test]
fn every_documented_default_is_one() {
    let scene = Scene::new("every_documented_default_is_one");
    let printed = Output::of(Command::new(BINARY).args(["doc", "config"])).expect_success().text();
    let mut config = String::new();
    let mut count = 0;
    for line in printed.lines() {
        let bare = line.strip_prefix('#').unwrap_or(line);
        if line.starts_with('[') || line.starts_with("#[") {
            count += 1;
            config.push_str(&bare.replace("NAME", &format!("n{count}")));
        } else if line.starts_with('#') && bare.parse::<toml::Table>().is_ok_and(|table| !table.is_empty()) {
            let is_example = line.contains("# an example; there is no default");
            config.push_str(if is_example { "" } else { bare });
        }
        config.push('\n');
    }
    assert!(count > 10 && config.lines().filter(|line| line.contains('=')).count() > 50, "{config}");
    let file = scene.file("packetboat.toml", &config);
    let checked = Output::of(Command::new(BINARY).args(["check", "--config"]).arg(&file));
    // Defaults alone make no gateway (it wants a user), but none of them is unknown or of a wrong type.
    for wrong in ["unknown key", "invalid type", "unknown variant", "expected", "duplicate"] {
        assert!(!checked.stderr.contains(wrong), "{}", checked.stderr);
    }
    for line in checked.stderr.lines() {
        let is_missing =
            ["username", "door", "bearer", "smart_host", "deliver_to"].iter().any(|key| line.contains(key));
        assert!(is_missing, "{line}");
    }
}
