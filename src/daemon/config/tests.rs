//! What a config file may not say: every mistake with its place.

use std::path::PathBuf;

use super::{Config, Source};

fn mistakes(text: &str) -> Vec<String> {
    let source = Source { path: PathBuf::from("x.toml"), text: text.to_owned() };
    match Config::decode(&source, packetboat_plugins::all()) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.iter().map(ToString::to_string).collect(),
    }
}

#[test]
fn a_file_may_be_empty_and_a_whole_one_is_read() {
    assert_eq!(mistakes(""), [""; 0]);
    let text = r#"
        [node]
        name = "mmsc1.example.net"
        [queue]
        expiry = "1d"
        retry = { first = "10s", factor = 1.5 }
        [listener.mail]
        plugin = "smtp"
        domains = ["mms.example.net"]
        [bearer.lab]
        plugin = "lab"
        deliver_to = "http://127.0.0.1:1/"
        [transport.direct]
        plugin = "direct"
        retry = { first = "5s" }
    "#;
    assert_eq!(mistakes(text), [""; 0]);
    let source = Source { path: PathBuf::from("/etc/x.toml"), text: text.to_owned() };
    let config = Config::decode(&source, packetboat_plugins::all());
    let Ok(config) = config else { panic!("no mistake was made") };
    let names: Vec<&str> = config.instances.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["mail", "lab", "direct"], "in the order in which they need each other");
    assert!(config.instances[2].common.retry.is_some() && config.base.ends_with("etc"));
}

#[test]
fn every_mistake_has_its_place() {
    for (text, owed) in [
        ("[nod]\n", "x.toml:1:2: nod: unknown key \"nod\"; did you mean \"node\"?"),
        ("node = 5\n", "x.toml:1:1: node: [node] must be a table"),
        ("[[listener]]\n", "x.toml:1:3: listener: [listener] must be a table"),
        ("[listener]\nmail = 5\n", "x.toml:2:1: listener.mail: [listener.mail] must be a table"),
        ("[[listener.mail]]\n", "[listener.mail] must be a table"),
        ("[listener.mail]\n", "x.toml:1:11: listener.mail: plugin = \"…\" is missing"),
        ("[listener.mail]\nplugin = 5\n", "x.toml:2:10: listener.mail.plugin: plugin must be a name in quotes"),
        (
            "[listener.mail]\nplugin = \"smpt\"\n",
            "x.toml:2:10: listener.mail.plugin: there is no listener plugin \"smpt\"",
        ),
        (
            "[listener.mail]\nplugin = \"direct\"\n",
            "there is no listener plugin \"direct\"; there are: mm1, pages, smtp",
        ),
        ("[listener.a]\nplugin = \"smtp\"\n[listener.a]\nplugin = \"mm1\"\n", "x.toml:3:"),
        ("[node]\nname = \"a\"\nname = \"b\"\n", "x.toml:3:1: "),
        ("[node]\nname = \"my host\"\n", "x.toml:2:1: node.name: \"my host\" is not a host name"),
        ("[node]\nname = \"\"\n", "x.toml:2:1: node.name"),
        ("[numbers]\ncountry_code = \"+44\"\n", "x.toml:2:1: numbers.country_code"),
        ("[queue]\nretry = { factor = nan }\n", "x.toml:2:1: queue.retry: factor = NaN"),
        ("[queue]\nretry = { jitter = 2.0 }\n", "queue.retry: jitter = 2 "),
        ("[queue]\nin_hand = 0\n", "x.toml:2:1: queue.in_hand"),
        ("[queue]\nexpiry = \"30d\"\n", "x.toml:2:1: queue.expiry: 30d is more than longest_expiry, 14d"),
        ("[queue]\nexpiry = \"3 days\"\n", "x.toml:2:10: queue.expiry: \"3 days\" is not a span of time"),
        (
            "[queue.retry]\nfrist = \"1s\"\n",
            "x.toml:2:1: queue.retry.frist: unknown key \"frist\"; did you mean \"first\"?",
        ),
        ("[limits]\nrecipients = 0\n", "x.toml:2:1: limits.recipients"),
        ("[log]\nlevel = \"=x=\"\n", "x.toml:2:1: log.level: \"=x=\" is not a log filter"),
        ("[admin]\nlisten = \"8080\"\n", "x.toml:2:1: admin.listen"),
        ("[transport.x]\nplugin = \"direct\"\nretry = { factor = 0.1 }\n", "x.toml:3:1: transport.x.retry: factor"),
        ("[transport.x]\nplugin = \"direct\"\nretry = 5\n", "x.toml:3:9: transport.x.retry: "),
    ] {
        let found = mistakes(text);
        assert!(found.iter().any(|it| it.contains(owed)), "{text}gives\n{}\nand not\n{owed}", found.join("\n"));
    }
    let several = mistakes("[nod]\n[queue]\nin_hand = 0\n[listener.x]\n[log]\nlevle = \"info\"\n");
    assert_eq!(several.len(), 4, "all at once: {several:?}");
}
