//! Who may import whom.

use std::collections::BTreeMap;

use toml::{Table, Value};

use crate::tree::{Tree, has_word, violation};

/// A folder and the folders its crates may import from; the longest fitting folder counts. Crates may always name
/// themselves.
const ROOMS: &[(&str, &[&str])] = &[
    ("src/wire/", &["src/wire/mime", "src/wire/wsp"]),
    ("src/wire/eaif", &["src/wire/mime", "src/wire/wsp", "src/wire/mms"]),
    ("src/wire/push", &["src/wire/mime", "src/wire/wsp", "src/wire/sms"]),
    ("src/api", &["src/wire/mime"]),
    ("src/rules", &["src/api"]),
    ("src/pipeline", &["src/api", "src/rules"]),
    ("src/store/", &["src/api"]),
    ("src/net", &["src/api", "src/wire/smtp", "src/wire/sms"]),
    ("src/daemon", &["src/", "plugins"]),
    // The list names the plugins; the api has the type that they are.
    ("plugins", &["plugins/", "src/api"]),
    ("plugins/", &["src/api", "src/net", "src/wire/"]),
    ("tests/e2e", &["tests/harness"]),
    ("tests/harness", &[]),
    ("tests/store", &["src/api", "src/store/"]),
    ("tests/bench", &["src/wire/", "tests/harness"]),
    ("tests/fuzz", &["src/wire/"]),
];

/// What the tests inside a library may import besides.
const FOR_TESTS: &[&str] = &["tests/harness", "src/api", "src/wire/", "src/store/"];

const ARCHITECTURE: &str = "see \"who may import whom\" in src/README.md";

/// Crates that a codec must not depend on: it takes bytes and gives values.
const IMPURE_CRATES: &[&str] = &["tokio", "tokio-util", "tracing", "log", "rand", "getrandom", "libc", "rustix"];
/// Names a codec must not use.
const IMPURE_NAMES: &[(&str, &str)] = &[
    ("tokio", "a codec has no runtime; feed it bytes"),
    ("tracing", "a codec does not log; return what happened"),
    ("std::fs", "a codec reads no files; pass the bytes in"),
    ("std::net::TcpStream", "a codec opens no socket; pass the bytes in"),
    ("std::env", "a codec does not look around; pass the value in"),
    ("SystemTime", "a codec has no clock; pass the time in"),
    ("Instant::now", "a codec has no clock; pass the time in"),
    ("rand", "a codec throws no dice; pass the bits in"),
    ("getrandom", "a codec throws no dice; pass the bits in"),
    ("println!", "a codec prints nothing; return what happened"),
    ("eprintln!", "a codec prints nothing; return what happened"),
];

/// Dependency tables of every `Cargo.toml`.
pub fn dependencies(tree: &Tree) -> Vec<String> {
    let crates = crates(tree);
    let mut found = Vec::new();
    for manifest in tree.ending("Cargo.toml") {
        let table: Table = manifest.text.parse().expect("a Cargo.toml that parses");
        let folder = manifest.path.trim_end_matches("Cargo.toml").trim_end_matches('/');
        for (kind, test) in [("dependencies", false), ("build-dependencies", false), ("dev-dependencies", true)] {
            // The root package is the daemon; its tests are the stories.
            let room = match (folder, test) {
                ("", false) => "src/daemon",
                ("", true) => "tests/e2e",
                _ => folder,
            };
            let dependencies = table.get(kind).and_then(Value::as_table);
            for name in dependencies.into_iter().flat_map(Table::keys) {
                let Some(target) = crates.get(name.as_str()) else { continue };
                if !may(room, target, test) {
                    let line =
                        manifest.lines().find(|(_, line)| line.starts_with(name.as_str())).map_or(1, |(at, _)| at);
                    let rule = format!("{room} may not depend on {target}");
                    found.push(violation(&manifest.path, line, &rule, ARCHITECTURE));
                }
            }
        }
    }
    found
}

/// Names of our crates in sources; those in this folder are samples.
pub fn sources(tree: &Tree) -> Vec<String> {
    let crates = crates(tree);
    let mut found = Vec::new();
    for file in tree.ending(".rs").filter(|file| !file.path.starts_with("tests/tidy/")) {
        let inside =
            |folder: &&String| file.path.strip_prefix(folder.as_str()).is_some_and(|rest| rest.starts_with('/'));
        let home = crates.values().filter(inside).max_by_key(|folder| folder.len()).unwrap_or(&file.path);
        for (number, line) in file.code().filter(|(_, line)| line.contains("packetboat_")) {
            for (name, target) in crates.iter().map(|(name, folder)| (name.replace('-', "_"), folder)) {
                let path = line.contains(&format!("{name}::")) || line.trim_start().starts_with("use ");
                if path && has_word(line, &name) && home != target && !may(home, target, file.is_test()) {
                    let rule = format!("{name} may not be imported here");
                    found.push(violation(&file.path, number, &rule, ARCHITECTURE));
                }
            }
        }
    }
    found
}

/// No runtime, clock, file, log or randomness in `src/wire`.
pub fn codecs(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for manifest in tree.ending("Cargo.toml").filter(|file| file.path.starts_with("src/wire/")) {
        let table: Table = manifest.text.parse().expect("a Cargo.toml that parses");
        let dependencies = table.get("dependencies").and_then(Value::as_table);
        for name in dependencies.into_iter().flat_map(Table::keys).filter(|name| IMPURE_CRATES.contains(&name.as_str()))
        {
            let line = manifest.lines().find(|(_, line)| line.starts_with(name.as_str())).map_or(1, |(at, _)| at);
            let rule = format!("a codec depends on {name}");
            found.push(violation(&manifest.path, line, &rule, "codecs are pure; pass in what it was for"));
        }
    }
    for file in tree.ending(".rs").filter(|file| file.path.starts_with("src/wire/") && !file.is_test()) {
        for (number, line) in file.product_code() {
            for (name, remedy) in IMPURE_NAMES.iter().filter(|(name, _)| has_word(line, name)) {
                found.push(violation(&file.path, number, &format!("\"{name}\" in a codec"), remedy));
            }
        }
    }
    found
}

/// Our crates: name to folder.
fn crates(tree: &Tree) -> BTreeMap<String, String> {
    let manifests = tree.ending("/Cargo.toml");
    let named = manifests.filter_map(|manifest| {
        let table: Table = manifest.text.parse().expect("a Cargo.toml that parses");
        let name = table.get("package")?.get("name")?.as_str()?.to_owned();
        Some((name, manifest.path.trim_end_matches("/Cargo.toml").to_owned()))
    });
    named.collect()
}

/// Whether what stands in `from` (a crate's folder, or a file of the root package) may import the crate in `target`.
fn may(from: &str, target: &str, test: bool) -> bool {
    // "src/wire/" is whatever lies below; "src/net" is that folder and what lies below.
    let fits = |folder: &str, path: &str| {
        let below = path.strip_prefix(folder.trim_end_matches('/'));
        below.is_some_and(|rest| rest.starts_with('/') || rest.is_empty() && !folder.ends_with('/'))
    };
    let room = ROOMS.iter().filter(|(folder, _)| fits(folder, from)).max_by_key(|(folder, _)| folder.len());
    let Some((folder, allowed)) = room else { return false };
    let library = !folder.starts_with("tests/");
    allowed.iter().chain(FOR_TESTS.iter().filter(|_| test && library)).any(|allowed| fits(allowed, target))
}
