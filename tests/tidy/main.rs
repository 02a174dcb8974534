//! The repository's rules as a test: reads the tree and says, with file and line, what does not keep them and what to do.
//!
//! Who may import whom is in `imports.rs`, how plugins are laid out in `plugins.rs`, what a text must have and must not
//! have in `texts.rs`; that each rule finds what it is for is in `bites.rs`. Reads files and nothing else; imports nothing of ours.

mod bites;
mod imports;
mod plugins;
mod texts;
mod tree;

use tree::Tree;

/// Runs one rule over the tree and fails with everything it found.
fn keep(rule: impl FnOnce(&Tree) -> Vec<String>) {
    let found = rule(&Tree::read());
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
}

#[test]
fn crates_depend_only_on_what_the_architecture_allows() {
    keep(imports::dependencies);
}

#[test]
fn sources_name_only_crates_the_architecture_allows() {
    keep(imports::sources);
}

#[test]
fn codecs_are_pure() {
    keep(imports::codecs);
}

#[test]
fn every_plugin_is_listed_and_laid_out_alike() {
    keep(plugins::listed_and_laid_out);
}

#[test]
fn every_module_has_a_header() {
    keep(texts::headers);
}

#[test]
fn files_fit_a_head() {
    keep(texts::lengths);
}

#[test]
fn nothing_is_left_for_later() {
    keep(texts::unfinished);
}

#[test]
fn stories_wait_on_conditions() {
    keep(texts::sleeps);
}

#[test]
fn nothing_points_outside_the_repository() {
    keep(texts::outside);
}
