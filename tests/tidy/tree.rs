//! The tree in memory: every text file that belongs to the repository.

use std::fs;
use std::path::Path;

/// Every file, in order of path.
pub struct Tree(pub Vec<File>);

/// One file.
pub struct File {
    /// Relative to the root, with `/`.
    pub path: String,
    /// What it says; files that are not UTF-8 are not here.
    pub text: String,
}

/// What builds, version control and fuzzers put there.
const NOT_OURS: &[&str] = &["target", ".git", "node_modules", "corpus", "artifacts", "proptest-regressions"];

impl Tree {
    pub fn read() -> Tree {
        let mut files = Vec::new();
        descend(Path::new(env!("CARGO_MANIFEST_DIR")), "", &mut files);
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Tree(files)
    }

    /// Files with this ending.
    pub fn ending<'t>(&'t self, ending: &'t str) -> impl Iterator<Item = &'t File> {
        self.0.iter().filter(move |file| file.path.ends_with(ending))
    }

    /// The file at a path.
    pub fn find(&self, path: &str) -> Option<&File> {
        self.0.iter().find(|file| file.path == path)
    }
}

impl File {
    /// Lines with their numbers.
    pub fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(at, line)| (at + 1, line))
    }

    /// Lines with their numbers, without what stands behind `//`.
    pub fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.lines().map(|(number, line)| {
            let mut comments = line.match_indices("//").map(|(at, _)| at);
            // Not the slashes of a URL.
            let comment = comments.find(|at| !line[..*at].ends_with(':')).unwrap_or(line.len());
            (number, &line[..comment])
        })
    }

    /// The code before an inline test module.
    pub fn product_code(&self) -> impl Iterator<Item = (usize, &str)> {
        let test_module = self.text.find("#[cfg(test)]\nmod tests {").unwrap_or(self.text.len());
        let last = self.text[..test_module].lines().count();
        self.code().take(last)
    }

    /// Whether it is there to test, not to run.
    pub fn is_test(&self) -> bool {
        let inside = |folder: &str| self.path.contains(folder);
        self.path.starts_with("tests/") || self.path.ends_with("/tests.rs") || inside("/tests/") || inside("/benches/")
    }
}

/// The message of one violation.
pub fn violation(path: &str, line: usize, rule: &str, remedy: &str) -> String {
    format!("{path}:{line}: {rule}; {remedy}")
}

/// Whether `word` stands in `text` with nothing word-like on either side.
pub fn has_word(text: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word).any(|(at, _)| {
        !text[..at].chars().next_back().is_some_and(part) && !text[at + word.len()..].chars().next().is_some_and(part)
    })
}

fn descend(folder: &Path, prefix: &str, files: &mut Vec<File>) {
    for entry in fs::read_dir(folder).expect("a folder that can be read") {
        let entry = entry.expect("a folder entry");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        let kind = entry.file_type().expect("a file type");
        if kind.is_dir() && !NOT_OURS.contains(&name.as_str()) {
            descend(&entry.path(), &path, files);
        } else if kind.is_file()
            && let Ok(text) = fs::read_to_string(entry.path())
        {
            files.push(File { path, text });
        }
    }
}
