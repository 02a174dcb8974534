//! What a file must have, and what must not be in it.

use crate::tree::{Tree, has_word, violation};

/// Lines of a file of logic.
const MOST_LINES: usize = 500;

/// Written in two pieces, so that this file does not break its own rule.
const MACROS: &[&str] =
    &[concat!("to", "do!"), concat!("unimpl", "emented!"), concat!("db", "g!"), concat!("#[ign", "ore")];
const REMINDERS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("X", "XX")];
const SLEEP: &str = concat!("sle", "ep(");
const OUTSIDE: &[&str] = &[concat!("../sha", "red"), concat!("/work/", "sha", "red")];

pub fn headers(tree: &Tree) -> Vec<String> {
    let bare = tree.ending(".rs").filter(|file| !file.text.starts_with("//!"));
    bare.map(|file| {
        violation(
            &file.path,
            1,
            "a module begins with a header",
            "say in //! what it is for, its invariants, what happens when it fails",
        )
    })
    .collect()
}

pub fn lengths(tree: &Tree) -> Vec<String> {
    let logic = tree.ending(".rs").filter(|file| {
        let tables = file.path.ends_with("/tables.rs") || file.path.contains("/tables/");
        !tables && (file.path.starts_with("tests/") || !file.is_test())
    });
    let counted = logic.map(|file| (file, file.product_code().count()));
    counted
        .filter(|(_, lines)| *lines > MOST_LINES)
        .map(|(file, lines)| {
            let rule = format!("{lines} lines, the most is {MOST_LINES}");
            violation(
                &file.path,
                lines,
                &rule,
                "split it where the subject changes; tables go into tables.rs, tests into tests.rs",
            )
        })
        .collect()
}

pub fn unfinished(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in tree.ending(".rs") {
        for (number, line) in file.code() {
            for name in MACROS.iter().filter(|name| line.contains(*name)) {
                found.push(violation(&file.path, number, &format!("{name} is left"), "finish it or take it out"));
            }
        }
    }
    let written = ["rs", "toml", "md", "sh", "py", "yml"];
    for file in tree.0.iter().filter(|file| file.path.rsplit('.').next().is_some_and(|end| written.contains(&end))) {
        for (number, line) in file.lines() {
            for word in REMINDERS.iter().filter(|word| has_word(line, word)) {
                found.push(violation(&file.path, number, &format!("{word} is left"), "do it now or open an issue"));
            }
        }
    }
    found
}

pub fn sleeps(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in tree.ending(".rs").filter(|file| file.path.starts_with("tests/e2e/")) {
        for (number, _) in file.code().filter(|(_, line)| line.contains(SLEEP)) {
            found.push(violation(&file.path, number, "a story sleeps", "wait on a condition with a deadline instead"));
        }
    }
    found
}

pub fn outside(tree: &Tree) -> Vec<String> {
    let mut found = Vec::new();
    for file in tree.0.iter().filter(|file| !file.path.starts_with(".ci/")) {
        for (number, line) in file.lines() {
            if OUTSIDE.iter().any(|path| line.contains(path)) {
                let remedy = "take it from an environment variable, or cite the specification";
                found.push(violation(&file.path, number, "this points outside the repository", remedy));
            }
        }
    }
    found
}
