//! The example somebody copies first: it checks, it boots, it takes a mail.

use crate::node::BINARY;
use packetboat_harness::process::Output;
use packetboat_harness::{Scene, smtp};
use std::path::Path;
use std::process::Command;

#[test]
fn home_lab_example_boots() {
    let scene = Scene::new("home_lab_example_boots");
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/examples/home-lab");
    let copy = scene.directory("home-lab");
    copy_all(&example, &copy);
    let file = copy.join("packetboat.toml");
    let checked = Output::of(Command::new(BINARY).args(["check", "--config"]).arg(&file));
    assert!(checked.status.success(), "{}{}", checked.text(), checked.stderr);

    let text = std::fs::read_to_string(&file).expect("the example's packetboat.toml");
    let mut config: toml::Table = text.parse().expect("TOML");
    elsewhere(&mut config, &scene.path().join("store"));
    let daemon = scene.daemon(BINARY).name("home-lab/packetboat").config(&config.to_string()).start();
    assert_eq!(daemon.get_json("/health")["status"], "ok");
    let listeners = daemon.ready()["listeners"].as_object().cloned().unwrap_or_default();
    assert!(!listeners.is_empty());
    let doors = config["listener"].as_table().cloned().unwrap_or_default();
    for (name, settings) in &doors {
        let address = daemon.listener(name);
        if settings["plugin"].as_str() == Some("smtp") {
            let mut client = smtp::Client::connect(address);
            assert_eq!(client.greeting().code, 220);
            client.ehlo();
        }
    }
}

/// Ports and the store are the machine's business, not the example's.
fn elsewhere(config: &mut toml::Table, store: &Path) {
    let any = || toml::Value::Array(vec![toml::Value::String("127.0.0.1:0".to_owned())]);
    for role in ["listener", "bearer"] {
        let instances = config.get_mut(role).and_then(toml::Value::as_table_mut).into_iter().flatten();
        for (_, settings) in instances {
            let settings = settings.as_table_mut().expect("a table");
            for key in ["listen", "dlr_listen"] {
                if settings.contains_key(key) || (key == "listen" && role == "listener") {
                    settings.insert(key.to_owned(), any());
                }
            }
        }
    }
    let mut set = |table: &str, key: &str, value: String| {
        let table = config.entry(table).or_insert_with(|| toml::Value::Table(toml::Table::new()));
        table.as_table_mut().expect("a table").insert(key.to_owned(), toml::Value::String(value));
    };
    set("store", "path", store.to_string_lossy().into_owned());
    set("admin", "listen", "127.0.0.1:0".to_owned());
}

fn copy_all(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&target).expect("a directory");
            copy_all(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
