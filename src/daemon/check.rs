//! `packetboat check`: the start path without the store and the sockets, and the rules' own tests.

use std::path::Path;
use std::process::ExitCode;

use crate::config::Config;
use crate::run::{with_config, wrong_config};
use crate::system::rehearse;

/// The command.
pub fn command(path: &Path) -> ExitCode {
    with_config(path, |config| check(path, config))
}

fn check(path: &Path, config: &Config<'_>) -> ExitCode {
    let (instances, program) = match rehearse(config) {
        Ok(built) => built,
        Err(errors) => return wrong_config(&errors),
    };
    for (role, name, instance) in instances.all() {
        for doubt in instance.check() {
            println!("warning: {role}.{name}: {doubt}");
        }
    }
    for warning in program.warnings() {
        println!("warning: {warning}");
    }
    let results = program.run_tests();
    let failures: Vec<_> = results.iter().filter(|result| !result.ok).collect();
    for failure in &failures {
        let (file, line) = (failure.file.display(), failure.line);
        println!("{file}:{line}: the test expects {}, the rules say {}", failure.expected, failure.got);
        failure.explanation.lines().for_each(|line| println!("  {line}"));
    }
    let counted = instances.all().len();
    println!(
        "{}: {counted} instances, {} rules, {} of {} rule tests passed",
        path.display(),
        program.len(),
        results.len() - failures.len(),
        results.len()
    );
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
