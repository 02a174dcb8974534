//! Every plugin folder is in the list and laid out like the others.

use std::collections::BTreeSet;

use toml::{Table, Value};

use crate::tree::{Tree, violation};

const LIST: &str = "plugins/lib.rs";
const MANIFEST: &str = "plugins/Cargo.toml";

pub fn listed_and_laid_out(tree: &Tree) -> Vec<String> {
    let below = tree.0.iter().filter_map(|file| file.path.strip_prefix("plugins/")?.split_once('/'));
    let folders: BTreeSet<&str> = below.map(|(folder, _)| folder).collect();
    let text = |path: &str| tree.find(path).map(|file| file.text.as_str()).unwrap_or_default();
    let manifest: Table = text(MANIFEST).parse().expect("plugins/Cargo.toml parses");
    let listed = manifest.get("dependencies").and_then(Value::as_table).cloned().unwrap_or_default();
    let mut found = Vec::new();
    for plugin in folders {
        let folder = format!("plugins/{plugin}");
        let name = format!("packetboat-plugin-{plugin}");
        let item = format!("{}::PLUGIN", name.replace('-', "_"));
        if !text(LIST).contains(&item) {
            found.push(violation(LIST, 1, &format!("{folder} is not in the list"), &format!("add &{item}")));
        }
        if !listed.contains_key(&name) {
            let remedy = format!("add {name}.workspace = true under [dependencies]");
            found.push(violation(MANIFEST, 1, &format!("{folder} is not in the list"), &remedy));
        }
        let own: Table = text(&format!("{folder}/Cargo.toml")).parse().unwrap_or_default();
        if own.get("package").and_then(|package| package.get("name")).and_then(Value::as_str) != Some(name.as_str()) {
            let rule = "a plugin's crate is named after its folder";
            found.push(violation(&format!("{folder}/Cargo.toml"), 1, rule, &format!("call it {name}")));
        }
        for (file, what) in [("lib.rs", "the PLUGIN item"), ("README.md", "what it is for and how it is set up")] {
            let path = format!("{folder}/{file}");
            if text(&path).trim().is_empty() {
                found.push(violation(&path, 1, "every plugin has this file", &format!("write it: {what}")));
            }
        }
        found.extend(settings(tree, &folder));
    }
    found
}

/// Settings are declared in `settings.rs`, where a reader looks for them.
fn settings(tree: &Tree, folder: &str) -> Vec<String> {
    let inside = format!("{folder}/");
    let mut found = Vec::new();
    for file in tree.ending(".rs").filter(|file| file.path.starts_with(&inside) && !file.is_test()) {
        for (number, line) in file.code().filter(|(_, line)| line.contains("type Settings =")) {
            if !line.contains("NoSettings") && tree.find(&format!("{folder}/settings.rs")).is_none() {
                found.push(violation(
                    &file.path,
                    number,
                    "a plugin's settings stand in settings.rs",
                    "move them there",
                ));
            }
        }
    }
    found
}
