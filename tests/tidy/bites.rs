//! Every rule finds what it is for: small trees with one thing wrong.

use crate::tree::{File, Tree};
use crate::{imports, plugins, texts};

const MANIFESTS: &[(&str, &str)] = &[
    ("src/api/Cargo.toml", "[package]\nname = \"packetboat-api\"\n"),
    ("src/pipeline/Cargo.toml", "[package]\nname = \"packetboat-pipeline\"\n"),
    ("src/wire/sms/Cargo.toml", "[package]\nname = \"packetboat-sms\"\n"),
    ("tests/harness/Cargo.toml", "[package]\nname = \"packetboat-harness\"\n"),
    ("plugins/Cargo.toml", "[package]\nname = \"packetboat-plugins\"\n[dependencies]\npacketboat-plugin-mm1 = {}\n"),
    ("plugins/lib.rs", "//! .\nstatic X: &[&Plugin] = &[&packetboat_plugin_mm1::PLUGIN];"),
    ("plugins/mm1/Cargo.toml", "[package]\nname = \"packetboat-plugin-mm1\"\n"),
    ("plugins/mm1/lib.rs", "//! .\n"),
    ("plugins/mm1/README.md", "# mm1\n"),
];

/// What a rule finds when one file is added (or replaced).
fn found(rule: impl FnOnce(&Tree) -> Vec<String>, path: &str, text: &str) -> Vec<String> {
    let others = MANIFESTS.iter().filter(|(other, _)| *other != path);
    let file = |(path, text): (&str, &str)| File { path: path.to_owned(), text: text.to_owned() };
    let found = rule(&Tree(others.copied().chain([(path, text)]).map(file).collect()));
    found.into_iter().map(|line| line.split("; ").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn rules_on_imports_bite() {
    let depends = |path, name| {
        found(
            imports::dependencies,
            path,
            &format!("[package]\nname = \"x\"\n[dependencies]\n{name}.workspace = true\n"),
        )
    };
    assert_eq!(depends("plugins/x/Cargo.toml", "packetboat-api"), [""; 0]);
    let line = "plugins/x/Cargo.toml:4: plugins/x may not depend on";
    assert_eq!(depends("plugins/x/Cargo.toml", "packetboat-pipeline"), [format!("{line} src/pipeline")]);
    assert_eq!(depends("plugins/x/Cargo.toml", "packetboat-plugin-mm1"), [format!("{line} plugins/mm1")]);
    assert_eq!(depends("src/new/Cargo.toml", "packetboat-api").len(), 1, "a room that is not in the plan");
    assert_eq!(depends("Cargo.toml", "packetboat-harness").len(), 1, "the daemon");

    let sources = |path, text| found(imports::sources, path, text);
    assert_eq!(sources("src/pipeline/x.rs", "//! .\nuse packetboat_api::id;\n// packetboat_sms::no"), [""; 0]);
    let line = "src/pipeline/x.rs:2: packetboat_sms may not be imported here";
    assert_eq!(sources("src/pipeline/x.rs", "//! .\nlet x = packetboat_sms::segment();"), [line]);
    assert_eq!(sources("src/pipeline/tests/x.rs", "use packetboat_sms::segment;"), [""; 0], "a test may");
    assert_eq!(sources("tests/e2e/x.rs", "use packetboat_harness::Daemon;\nuse packetboat_sms::segment;").len(), 1);
    assert_eq!(sources("tests/harness/x.rs", "use packetboat_api::id;").len(), 1);

    let codecs = |path, text| found(imports::codecs, path, text);
    assert_eq!(codecs("src/wire/sms/x.rs", "//! .\n// tokio\nlet brand = 1;"), [""; 0]);
    assert_eq!(
        codecs("src/wire/sms/x.rs", "use std::time::SystemTime;"),
        ["src/wire/sms/x.rs:1: \"SystemTime\" in a codec"]
    );
    assert_eq!(codecs("src/wire/sms/tests.rs", "use std::fs;"), [""; 0], "a test may");
    let manifest = "[package]\nname = \"packetboat-sms\"\n[dependencies]\ntokio = \"1\"\n";
    assert_eq!(codecs("src/wire/sms/Cargo.toml", manifest), ["src/wire/sms/Cargo.toml:4: a codec depends on tokio"]);
}

#[test]
fn rules_on_plugins_bite() {
    let plugins = |path, text| found(plugins::listed_and_laid_out, path, text);
    assert_eq!(plugins("plugins/mm1/listener.rs", "type Settings = NoSettings;"), [""; 0]);
    assert_eq!(plugins("plugins/mm1/listener.rs", "type Settings = Mm1Settings;").len(), 1);
    assert_eq!(plugins("plugins/mm1/README.md", "\n").len(), 1);
    let manifest = "[package]\nname = \"packetboat-plugin-fax\"\n";
    assert_eq!(plugins("plugins/fax/Cargo.toml", manifest).len(), 4, "not in either list, no lib.rs, no README.md");
}

#[test]
fn rules_on_texts_bite() {
    assert_eq!(found(texts::headers, "src/api/x.rs", "use std::fs;").len(), 1);
    let long = "//! .\n".repeat(501);
    assert_eq!(found(texts::lengths, "src/api/x.rs", &long), ["src/api/x.rs:501: 501 lines, the most is 500"]);
    assert_eq!(found(texts::lengths, "src/api/tables.rs", &long), [""; 0]);
    assert_eq!(found(texts::lengths, "src/api/tests.rs", &long), [""; 0]);
    let tests = format!("//! .\n#[cfg(test)]\nmod tests {{\n{long}}}\n");
    assert_eq!(found(texts::lengths, "src/api/x.rs", &tests), [""; 0]);
    for left in [concat!("to", "do!()"), concat!("#[ign", "ore]"), concat!("// FIX", "ME"), concat!("# X", "XX later")]
    {
        assert_eq!(found(texts::unfinished, "src/api/x.rs", &format!("//! .\n{left}\n")).len(), 1, "{left}");
    }
    assert_eq!(found(texts::unfinished, "src/api/x.md", "mncXXX.mccXXX"), [""; 0], "a word, not a part of one");
    assert_eq!(found(texts::sleeps, "tests/e2e/x.rs", concat!("std::thread::sle", "ep(second);")).len(), 1);
    let outside = concat!("cat ../sha", "red/x");
    assert_eq!(found(texts::outside, "tests/run", outside).len(), 1);
    assert_eq!(found(texts::outside, ".ci/run", outside), [""; 0]);
}
