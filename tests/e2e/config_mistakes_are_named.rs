//! A mistake in the configuration is named by file, line and column, with what was probably meant; nothing is started.
//!
//! `check` finds what `run` would, runs the rules' own tests, and tells right from wrong by its exit code.

use crate::node::Node;
use packetboat_harness::process::{Output, Process};
use packetboat_harness::wait::poll;
use packetboat_harness::{DEADLINE, Daemon, Scene, SmsTap};
use std::path::Path;
use std::process::Command;

const RULE: &str = "[[rule]]\nname = \"our phones\"\nto = [\"+447700900*\"]\nroute = [\"direct\"]\n";

#[test]
fn config_mistakes_are_named() {
    let scene = Scene::new("config_mistakes_are_named");
    let tap = SmsTap::start();
    let node = || Node::new(&scene, &tap);
    let good = node().describe().write();
    let checked = good.cli(&["check"]).expect_success();
    assert!(checked.text().contains("1 rules"), "{}", checked.text());
    assert!(!scene.path().join("store").exists(), "check leaves the disk alone");

    let mistakes: [(&str, Node<'_>, &[&str]); 12] = [
        (
            "a key",
            node().set("listener.mail", "lisen", r#"["127.0.0.1:0"]"#),
            &["listener.mail.lisen", "did you mean \"listen\""],
        ),
        ("a deep key", node().set("queue.retry", "frist", "\"1s\""), &["queue.retry.frist", "did you mean \"first\""]),
        ("a table", node().set("quue", "expiry", "\"1s\""), &["quue", "did you mean \"queue\""]),
        ("a plugin", node().set("listener.mail", "plugin", "\"smpt\""), &["listener.mail.plugin", "smpt", "smtp"]),
        ("no plugin", node().without("listener.mail", "plugin"), &["listener.mail", "plugin"]),
        ("a time", node().set("queue", "expiry", "\"3 days\""), &["queue.expiry", "3 days", "30s"]),
        ("a size", node().set("limits", "message_size", "\"huge\""), &["limits.message_size", "huge", "300KiB"]),
        ("a type", node().set("listener.mail", "strangers", "\"yes\""), &["listener.mail.strangers", "true or false"]),
        ("a file", node().set("listener.mail", "users", "\"no-such-file\""), &["listener.mail.users", "no-such-file"]),
        (
            "a URL",
            node().set("listener.handsets", "public_url", "\"mms.example.net\""),
            &["listener.handsets.public_url"],
        ),
        ("a bearer", node().set("transport.direct", "bearer", "\"smc\""), &["transport.direct.bearer", "smc", "sms"]),
        ("a rule", node().rules(&RULE.replace("route", "rote")), &["rules.toml", "rote", "did you mean \"route\""]),
    ];
    for (what, node, owed) in mistakes {
        let daemon = node.describe().write();
        let file =
            if what == "a rule" { scene.path().join("rules/rules.toml") } else { daemon.config_path().to_owned() };
        for command in ["check", "run"] {
            let output = to_its_end(&scene, &daemon, command, what);
            assert_eq!(output.0, Some(2), "{what}: {command} said: {}", output.1);
            for owed in owed {
                assert!(output.1.contains(owed), "{what}: no {owed:?} in: {}", output.1);
            }
            names_a_place(what, &output.1, &file);
        }
        assert!(!scene.path().join("store").exists(), "{what}: a daemon that cannot start touches no store");
    }

    duplicates(&scene, &node());
    rule_tests(&node());
}

/// The same key or name twice is one too many, and both places are worth knowing.
fn duplicates(scene: &Scene, node: &Node<'_>) {
    for more in ["[listener.mail]\nplugin = \"smtp\"\n", "[node]\nname = \"twice\"\n"] {
        let mut daemon = node.describe().write();
        daemon.rewrite_config(&scene.fill_in(&(node.text() + more)));
        let output = daemon.cli(&["check"]);
        assert_eq!(output.status.code(), Some(2), "{}", output.stderr);
        assert!(output.stderr.contains("duplicate"), "{}", output.stderr);
        names_a_place(more, &output.stderr, daemon.config_path());
    }
    let twice = node.clone().rules(&RULE.repeat(2)).describe().write().cli(&["check"]);
    assert_eq!(twice.status.code(), Some(2));
    assert!(twice.stderr.contains("our phones"), "{}", twice.stderr);

    // All mistakes at once, not one a run.
    for [one, other] in [["listener.mail", "listener.handsets"], ["admin", "node"]] {
        let several = node.clone().set(one, "lisen", "1").set(other, "lisen", "1").describe().write();
        let output = several.cli(&["check"]);
        for table in [one, other] {
            assert!(output.stderr.contains(&format!("{table}.lisen")), "{}", output.stderr);
        }
    }
}

/// Rule files carry their own tests; one that fails fails the check and says why.
fn rule_tests(node: &Node<'_>) {
    let passes = RULE.to_owned() + "[[test]]\nto = \"+447700900123\"\nexpect = [\"direct\"]\n";
    let checked = node.clone().rules(&passes).describe().write().cli(&["check"]).expect_success();
    assert!(checked.text().contains("1 of 1"), "{}", checked.text());
    let fails = RULE.to_owned() + "[[test]]\nto = \"+15550100\"\nexpect = [\"direct\"]\n";
    let checked = node.clone().rules(&fails).describe().write().cli(&["check"]);
    assert_eq!(checked.status.code(), Some(1), "{}", checked.stderr);
    for owed in ["rules.toml:5", "route: direct", "no rule matches", "0 of 1"] {
        assert!(checked.text().contains(owed), "no {owed:?} in: {}", checked.text());
    }
    let nowhere = node.clone().rules(&RULE.replace("direct", "drect")).describe().write().cli(&["check"]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(nowhere.stderr.contains("drect") && nowhere.stderr.contains("direct"), "{}", nowhere.stderr);
}

/// `FILE:LINE:COLUMN`.
#[track_caller]
fn names_a_place(what: &str, said: &str, file: &Path) {
    let file = format!("{}:", file.file_name().unwrap_or_default().to_string_lossy());
    let rest = said.split_once(&file).map_or("", |(_, rest)| rest);
    let mut numbers = rest.splitn(3, ':').map(|text| text.trim().parse::<u32>().is_ok());
    assert!(numbers.next() == Some(true) && numbers.next() == Some(true), "{what}: no place after {file} in: {said}");
}

/// The exit code of a command and all it said. A daemon that starts where it should not is killed.
fn to_its_end(scene: &Scene, daemon: &Daemon, command: &str, what: &str) -> (Option<i32>, String) {
    if command == "check" {
        let Output { status, stderr, .. } = daemon.cli(&[command]);
        return (status.code(), stderr);
    }
    let mut run = Command::new(crate::node::BINARY);
    run.arg(command).arg("--config").arg(daemon.config_path());
    let mut process = Process::spawn(&what.replace(' ', "-"), scene.path(), &mut run);
    let status = poll(DEADLINE, || process.exit_status());
    let said = process.stderr();
    (status.and_then(|status| status.code()), said)
}
