//! What a newcomer tries first: the laboratory sends its sample, sees it arrive, and goes without a trace.

use crate::node::BINARY;
use packetboat_harness::Scene;
use packetboat_harness::mail::png;
use packetboat_harness::process::Output;
use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

#[test]
fn lab_once_leaves_nothing_behind() {
    let scene = Scene::new("lab_once_leaves_nothing_behind");
    let temporary = scene.directory("tmp");
    let home = scene.directory("home");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(BINARY);
        command.args(["lab", "--once", "--any-port"]).args(arguments);
        command.current_dir(&home).env("TMPDIR", &temporary).env("HOME", &home);
        Output::of(&mut command)
    };
    let sample = run(&[]);
    assert_eq!(sample.status.code(), Some(0), "{}{}", sample.text(), sample.stderr);
    let shown = sample.text() + &sample.stderr;
    for step in ["accepted", "push_sent", "fetched", "retrieved"] {
        assert!(shown.contains(step), "the road is shown, {step} is not:\n{shown}");
    }
    assert_eq!(names(&temporary), BTreeSet::new(), "left behind");
    assert_eq!(names(&home), BTreeSet::new(), "left behind");

    let photo = scene.file("holiday.png", png(80, 60, 9));
    let kept = scene.path().join("kept");
    let own = run(&["--photo", &photo.to_string_lossy(), "--keep", &kept.to_string_lossy()]);
    assert_eq!(own.status.code(), Some(0), "{}{}", own.text(), own.stderr);
    assert!(!names(&kept).is_empty(), "--keep keeps");
    assert_eq!(names(&temporary), BTreeSet::new(), "left behind");

    let missing = run(&["--photo", "/nowhere/at/all.jpg"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(missing.stderr.contains("/nowhere/at/all.jpg"), "{}", missing.stderr);
}

fn names(directory: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect()
}
