//! Tables: CSV files of prefixes, masks or numbers, longest prefix first.
//!
//! The first line names the columns. The name of the first column says how its values are read: `prefix` (`+4477`),
//! `mask` (`+4477*`), or `number` or `address` (exact). The other columns are for `when`, as `table.<column>`.
//! Inside a table an exact match wins, then the key with the most literal characters, then the first row.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use csv::{ReaderBuilder, StringRecord, Trim};

use crate::limits;
use crate::mask::Mask;

/// A table in memory.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// The columns after the first.
    pub(crate) columns: Vec<Box<str>>,
    cells: Vec<Box<str>>,
    exact: HashMap<Box<[u8]>, usize>,
    prefixes: HashMap<Box<[u8]>, usize>,
    /// The lengths that occur among `prefixes`, longest first.
    lengths: Vec<usize>,
    /// The rest, most literal characters first.
    masks: Vec<(Mask, usize)>,
    rows: usize,
}

/// One row of a table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'t> {
    table: &'t Table,
    row: usize,
}

/// A mistake in a table: its line, if it has one, and what is wrong.
pub(crate) type Mistake = (Option<usize>, String);

#[derive(Clone, Copy)]
enum Keys {
    Prefixes,
    Masks,
    Exact,
}

impl Table {
    /// Reads CSV (RFC 4180) with a line of names; lines that start with `#` are remarks.
    pub(crate) fn parse(text: &str) -> Result<Table, Vec<Mistake>> {
        let mut reader = ReaderBuilder::new().trim(Trim::All).comment(Some(b'#')).from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| vec![mistake(&error)])?.clone();
        let (keys, columns) = columns(&header).map_err(|why| vec![(Some(1), why)])?;
        let (mut table, mut mistakes) = (Table { columns, ..Table::default() }, Vec::new());
        for record in reader.records() {
            let added = record.map_err(|error| mistake(&error)).and_then(|record| {
                let line = record.position().and_then(|place| usize::try_from(place.line()).ok());
                table.add(keys, &record).map_err(|why| (line, why))
            });
            // A file of another format would have a mistake in every line.
            if let Err(mistake) = added {
                mistakes.push(mistake);
                if mistakes.len() >= 10 {
                    break;
                }
            }
        }
        table.lengths = table.prefixes.keys().map(|key| key.len()).collect();
        table.lengths.sort_unstable_by(|a, b| b.cmp(a));
        table.lengths.dedup();
        table.masks.sort_by_key(|(mask, _)| std::cmp::Reverse(mask.literals()));
        if mistakes.is_empty() { Ok(table) } else { Err(mistakes) }
    }

    /// The row for a canonical address in lower case.
    pub(crate) fn find(&self, address: &[u8]) -> Option<Row<'_>> {
        let row = self.exact.get(address).copied().or_else(|| self.longest(address))?;
        Some(Row { table: self, row })
    }

    fn longest(&self, address: &[u8]) -> Option<usize> {
        let fitting = self.lengths.iter().filter_map(|length| address.get(..*length));
        let prefix = fitting.filter_map(|start| Some((start.len(), *self.prefixes.get(start)?))).next();
        let mask = self.masks.iter().find(|(mask, _)| mask.fits(address)).map(|(mask, row)| (mask.literals(), *row));
        match (prefix, mask) {
            (Some((length, _)), Some((literals, row))) if literals > length => Some(row),
            (prefix, mask) => prefix.or(mask).map(|(_, row)| row),
        }
    }

    fn add(&mut self, keys: Keys, record: &StringRecord) -> Result<(), String> {
        let key = record.get(0).unwrap_or_default();
        let mask = match keys {
            Keys::Prefixes => Mask::parse(&format!("{}*", key.strip_suffix('*').unwrap_or(key)))?,
            Keys::Masks | Keys::Exact => Mask::parse(key)?,
        };
        let row = self.rows;
        if row >= limits::TABLE_ROWS {
            return Err(format!("a table has at most {} rows", limits::TABLE_ROWS));
        }
        let fresh = match (keys, mask) {
            (_, Mask::Exactly(text)) => insert(&mut self.exact, text, row),
            (Keys::Exact, _) => return Err(format!("\"{key}\" has wildcards; call the first column \"mask\"")),
            (_, Mask::Starting(start)) => insert(&mut self.prefixes, start, row),
            (_, Mask::Anything) => insert(&mut self.prefixes, Box::default(), row),
            (Keys::Prefixes, _) => return Err(format!("\"{key}\" is not a prefix; call the first column \"mask\"")),
            (Keys::Masks, mask) => {
                if self.masks.len() >= limits::TABLE_MASKS {
                    return Err(format!(
                        "a table has at most {} masks that are neither a number nor a prefix",
                        limits::TABLE_MASKS
                    ));
                }
                let fresh = self.masks.iter().all(|(other, _)| *other != mask);
                self.masks.push((mask, row));
                fresh
            }
        };
        if !fresh {
            return Err(format!("\"{key}\" stands in the table twice"));
        }
        self.cells.extend(record.iter().skip(1).map(Box::from));
        self.rows += 1;
        Ok(())
    }
}

impl<'t> Row<'t> {
    /// The value of a column.
    pub(crate) fn cell(&self, column: &str) -> Option<&'t str> {
        let table = self.table;
        let at = table.columns.iter().position(|name| **name == *column)?;
        table.cells.get(self.row * table.columns.len() + at).map(|cell| &**cell)
    }
}

fn insert(into: &mut HashMap<Box<[u8]>, usize>, key: Box<[u8]>, row: usize) -> bool {
    match into.entry(key) {
        Entry::Occupied(_) => false,
        Entry::Vacant(slot) => {
            slot.insert(row);
            true
        }
    }
}

fn columns(header: &StringRecord) -> Result<(Keys, Vec<Box<str>>), String> {
    let keys = match header.get(0).unwrap_or_default() {
        "prefix" => Keys::Prefixes,
        "mask" => Keys::Masks,
        "number" | "address" => Keys::Exact,
        other => {
            return Err(format!(
                "the first line names the columns, and the first of them is \"prefix\", \"mask\", \"number\" or \
                 \"address\", not \"{other}\""
            ));
        }
    };
    if header.len() > limits::TABLE_COLUMNS {
        return Err(format!("a table has at most {} columns", limits::TABLE_COLUMNS));
    }
    let mut columns: Vec<Box<str>> = Vec::new();
    for name in header.iter().skip(1) {
        let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
        if !plain {
            return Err(format!("\"{name}\" cannot be the name of a column; use a-z, 0-9 and _"));
        }
        if columns.iter().any(|other| **other == *name) {
            return Err(format!("there are two columns \"{name}\""));
        }
        columns.push(Box::from(name));
    }
    Ok((keys, columns))
}

fn mistake(error: &csv::Error) -> Mistake {
    let line = error.position().and_then(|place| usize::try_from(place.line()).ok());
    let what = match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("this row has {len} columns, the first line names {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "this row is not UTF-8".to_owned(),
        _ => error.to_string(),
    };
    (line, what)
}
