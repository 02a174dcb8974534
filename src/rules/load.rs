//! Finds and reads rule files and tables: the only input of this crate.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use packetboat_api::settings::{ConfigError, Source};

use crate::limits;
use crate::mask::Mask;

/// The files that `patterns` name, relative to `base`: each pattern in turn, what it finds in file-name order, no file
/// twice. Only the last component of a pattern may have wildcards.
pub(crate) fn find(patterns: &[impl AsRef<str>], base: &Path) -> Result<Vec<PathBuf>, Vec<ConfigError>> {
    let (mut found, mut errors) = (Vec::new(), Vec::new());
    for pattern in patterns {
        match expand(&base.join(pattern.as_ref())) {
            Ok(files) => files.into_iter().for_each(|file| {
                if !found.contains(&file) {
                    found.push(file);
                }
            }),
            Err(error) => errors.push(error),
        }
    }
    if let Some(file) = found.get(limits::FILES) {
        errors.push(error(file, format!("there are more than {} rule files", limits::FILES)));
    }
    if errors.is_empty() { Ok(found) } else { Err(errors) }
}

/// Reads a rule file.
pub(crate) fn source(path: &Path) -> Result<Source, ConfigError> {
    let text = text(path, limits::FILE_SIZE).map_err(|what| error(path, what))?;
    Ok(Source { path: path.to_owned(), text })
}

/// Reads a file of at most `most` octets; the error says what is wrong with it.
pub(crate) fn text(path: &Path, most: u64) -> Result<String, String> {
    let file = File::open(path).map_err(|e| format!("cannot be opened: {e}"))?;
    let mut octets = Vec::new();
    file.take(most + 1).read_to_end(&mut octets).map_err(|e| format!("cannot be read: {e}"))?;
    if octets.len() as u64 > most {
        return Err(format!("is larger than {most} octets"));
    }
    String::from_utf8(octets).map_err(|e| format!("is not UTF-8 at octet {}", e.utf8_error().valid_up_to()))
}

fn expand(pattern: &Path) -> Result<Vec<PathBuf>, ConfigError> {
    let name = pattern.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    if !name.contains(['*', '?']) {
        return Ok(vec![pattern.to_owned()]);
    }
    let directory = pattern.parent().unwrap_or(Path::new("."));
    let mask = Mask::parse(name).map_err(|what| error(pattern, what))?;
    let entries = std::fs::read_dir(directory).map_err(|e| error(directory, format!("cannot be listed: {e}")))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.map_err(|e| error(directory, format!("cannot be listed: {e}")))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        // As a shell has it: a wildcard does not find hidden files, which editors leave about.
        if !name.starts_with('.') && mask.fits(name.as_bytes()) && path.is_file() {
            files.push(path);
        }
    }
    if files.is_empty() {
        return Err(error(pattern, "no file is called so"));
    }
    files.sort();
    Ok(files)
}

fn error(path: &Path, what: impl Into<String>) -> ConfigError {
    ConfigError { file: path.to_owned(), place: None, key: String::new(), message: what.into() }
}
