//! Golden vectors: rule files and their tables, a line of dashes, what loading and running their tests says.
//!
//! `=== name` begins a file. `UPDATE=1` writes the expected part anew: read the difference before committing it. A test
//! that expects the transport "?" never comes out so, and shows the whole explanation.

use std::collections::HashMap;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use packetboat_api::settings::Source;
use packetboat_rules::Program;

const DASHES: &str = "----------";

#[test]
fn rule_files_decide_as_described() {
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/rules");
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "no vectors in {}", folder.display());
    let mut differences = String::new();
    for path in paths {
        let text = fs::read_to_string(&path).unwrap();
        let (input, expected) = text.split_once(&format!("{DASHES}\n")).unwrap_or((&text, ""));
        let found = describe(input);
        if update {
            fs::write(&path, format!("{}\n{DASHES}\n{}\n", input.trim_end(), found.trim_end())).unwrap();
        } else if found.trim_end() != expected.trim_end() {
            write!(differences, "{}\n-- expected\n{expected}-- found\n{found}\n", path.display()).unwrap();
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

fn describe(input: &str) -> String {
    let mut sources = Vec::new();
    let mut tables = HashMap::new();
    for part in input.split("=== ").skip(1) {
        let (name, text) = part.split_once('\n').unwrap();
        match name.ends_with(".toml") {
            true => sources.push(Source { path: PathBuf::from(name), text: text.to_owned() }),
            false => _ = tables.insert(PathBuf::from(name), text.to_owned()),
        }
    }
    let read = |path: &Path, _: u64| tables.get(path).cloned().ok_or_else(|| "cannot be opened".to_owned());
    let mut out = String::new();
    match Program::compile(sources, read) {
        Err(errors) => errors.iter().for_each(|error| writeln!(out, "error: {error}").unwrap()),
        Ok(program) => {
            program.warnings().iter().for_each(|warning| writeln!(out, "warning: {warning}").unwrap());
            for result in program.run_tests() {
                let place = format!("{}:{}", result.file.display(), result.line);
                match result.ok {
                    true => writeln!(out, "{place}: ok, {}", result.got).unwrap(),
                    false => {
                        writeln!(out, "{place}: expected {}, got {}", result.expected, result.got).unwrap();
                        result.explanation.lines().for_each(|line| writeln!(out, "  {line}").unwrap());
                    }
                }
            }
        }
    }
    out
}
