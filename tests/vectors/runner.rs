//! Runs the golden vectors of one folder: text files of input, a line of dashes, expected text.
//!
//! A crate's test includes this file by path and says how input becomes text. Input is hexadecimal with white space
//! anywhere; a blank line begins another string of octets; what follows `#` is a remark. `UPDATE=1` writes the
//! expected part anew: read the difference before committing it.

use std::fs;
use std::path::Path;

const DASHES: &str = "----------";

/// Runs every `.txt` file of `tests/vectors/<folder>` and panics with all differences.
pub fn run(folder: &str, describe: impl Fn(&[Vec<u8>]) -> String) {
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/vectors").join(folder);
    let mut files: Vec<_> =
        fs::read_dir(&root).expect("vector folder").map(|entry| entry.expect("entry").path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    assert!(!files.is_empty(), "no vectors in {}", root.display());
    let mut differences = String::new();
    for path in files {
        let text = fs::read_to_string(&path).expect("vector file");
        let (input, expected) = text.split_once(&format!("{DASHES}\n")).unwrap_or((&text, ""));
        let found = describe(&octet_strings(input));
        if update {
            fs::write(&path, format!("{}\n{DASHES}\n{}\n", input.trim_end(), found.trim_end())).expect("write vector");
        } else if found.trim_end() != expected.trim_end() {
            differences += &format!("{}\n-- expected\n{expected}-- found\n{found}\n", path.display());
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

fn octet_strings(input: &str) -> Vec<Vec<u8>> {
    let lines = input.lines().map(|line| line.split('#').next().unwrap_or(""));
    let mut strings = vec![String::new()];
    for line in lines {
        let digits: String = line.split_whitespace().collect();
        match strings.last_mut() {
            Some(last) if !digits.is_empty() => last.push_str(&digits),
            Some(last) if !last.is_empty() => strings.push(String::new()),
            _ => {}
        }
    }
    strings.retain(|digits| !digits.is_empty());
    strings.iter().map(|digits| octets(digits)).collect()
}

fn octets(digits: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal digits in pairs");
    (0..digits.len()).step_by(2).map(pair).collect()
}
