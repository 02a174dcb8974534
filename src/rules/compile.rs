//! From the text of rule files to a program, or to every mistake in them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

use packetboat_api::delivery::Step;
use packetboat_api::settings::{ConfigError, Source};
use packetboat_api::units::Period;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::examples::Example;
use crate::limits;
use crate::mask::Mask;
use crate::program::{Action, Matcher, Program, Rule};
use crate::table::Table;
use crate::toml_reader::{self, Lines, Table as Toml, inside, items};
use crate::when::{Engine, When};

const RULE_KEYS: &[&str] = &["name", "to", "from", "when", "route", "provision", "reject"];
const TABLE_KEYS: &[&str] = &["name", "file"];
const STEP_KEYS: &[&str] = &["via", "wait"];
const FILE_KEYS: &[&str] = &["rule", "table", "test"];

/// Reads a table's file of at most so many octets.
pub(crate) trait ReadTable: FnMut(&Path, u64) -> Result<String, String> {}
impl<F: FnMut(&Path, u64) -> Result<String, String>> ReadTable for F {}

/// Compiles the files in order, on a thread with stack enough for the parser of `when`. Should that parser ever panic,
/// the program is not loaded and the one before stays.
pub(crate) fn compile(sources: Vec<Source>, read: impl ReadTable + Send) -> Result<Program, Vec<ConfigError>> {
    std::thread::scope(|scope| {
        let builder = std::thread::Builder::new().name("rules".to_owned()).stack_size(limits::PARSER_STACK);
        let started = builder.spawn_scoped(scope, || compile_here(sources, read));
        let compiling = started.map_err(|error| vec![without_place(format!("no thread to compile on: {error}"))])?;
        compiling.join().unwrap_or_else(|_| Err(vec![without_place("the rules could not be compiled".to_owned())]))
    })
}

fn compile_here(sources: Vec<Source>, read: impl ReadTable) -> Result<Program, Vec<ConfigError>> {
    let engine = Engine::new().map_err(|error| vec![without_place(error.to_string())])?;
    let mut compiler = Compiler {
        engine,
        read,
        names: HashMap::new(),
        declared: HashMap::new(),
        loaded: HashMap::new(),
        tables: Vec::new(),
        errors: Vec::new(),
    };
    let mut parsed: Vec<(usize, &Source, Spanned<DeTable<'_>>)> = Vec::new();
    for (file, source) in sources.iter().enumerate() {
        match source.parse() {
            Ok(table) => parsed.push((file, source, table)),
            Err(error) => compiler.errors.push(error),
        }
    }
    for (_, source, table) in &parsed {
        compiler.declare(source, table.get_ref());
    }
    let (mut rules, mut examples) = (Vec::new(), Vec::new());
    for (file, source, table) in &parsed {
        let lines = Lines::of(&source.text);
        for mut toml in blocks(source, table.get_ref(), "rule", &mut compiler.errors) {
            let rule = compiler.rule(*file, &lines, &mut toml);
            compiler.errors.append(&mut toml.errors);
            rules.extend(rule);
        }
        for mut toml in blocks(source, table.get_ref(), "test", &mut compiler.errors) {
            let example = Example::read(&lines, &mut toml);
            compiler.errors.append(&mut toml.errors);
            examples.extend(example);
        }
    }
    drop(parsed);
    let mut errors = compiler.errors;
    for (count, most, what) in [(rules.len(), limits::RULES, "rules"), (examples.len(), limits::TESTS, "tests")] {
        if count > most {
            errors.push(without_place(format!("there are {count} {what}; the most is {most}")));
        }
    }
    let files: Vec<PathBuf> = sources.into_iter().map(|source| source.path).collect();
    if !errors.is_empty() {
        errors.sort_by(|a, b| (&a.file, a.place).cmp(&(&b.file, b.place)));
        return Err(errors);
    }
    let warnings = unreachable(&rules, &files);
    let needs_memory = rules.iter().filter_map(|rule| rule.when.as_ref()).any(|when| when.needs_memory);
    let needs_parts = rules.iter().filter_map(|rule| rule.when.as_ref()).any(|when| when.needs_parts);
    Ok(Program {
        engine: compiler.engine,
        files,
        rules,
        tables: compiler.tables,
        examples,
        warnings,
        needs_parts,
        needs_memory,
    })
}

struct Compiler<R> {
    engine: Engine,
    read: R,
    /// Where each rule's name was first used.
    names: HashMap<String, String>,
    /// Tables by name, as `[[table]]` declares them.
    declared: HashMap<String, PathBuf>,
    /// Tables by file; `None` has been complained about.
    loaded: HashMap<PathBuf, Option<usize>>,
    tables: Vec<Table>,
    errors: Vec<ConfigError>,
}

impl<R: ReadTable> Compiler<R> {
    fn declare(&mut self, source: &Source, root: &DeTable<'_>) {
        let mut file = Toml::new(source, "", 0..0, root);
        file.only(FILE_KEYS);
        self.errors.append(&mut file.errors);
        for mut toml in blocks(source, root, "table", &mut self.errors) {
            toml.only(TABLE_KEYS);
            match (toml.text("name"), toml.text("file")) {
                (Some((name, span)), Some((path, _))) => {
                    let path = beside(source, path);
                    if self.declared.insert(name.to_owned(), path).is_some() {
                        toml.wrong(span, "name", format!("there are two tables \"{name}\""));
                    }
                }
                _ if toml.errors.is_empty() => toml.wrong_here("a table needs a name and a file"),
                _ => {}
            }
            self.errors.append(&mut toml.errors);
        }
    }

    fn rule(&mut self, file: usize, lines: &Lines, toml: &mut Toml<'_, '_>) -> Option<Rule> {
        let line = lines.line(toml.span.start);
        let name = self.name(line, toml);
        toml.only(RULE_KEYS);
        let to = self.matcher(toml, "to");
        let from = self.matcher(toml, "from");
        let table = [&to, &from].into_iter().find_map(|matcher| match matcher {
            Some(Matcher::Table(table)) => self.tables.get(*table),
            _ => None,
        });
        // A table that could not be read has been complained about; its columns are not known.
        let checkable = to.is_some() && from.is_some();
        let when = toml.text("when").filter(|_| checkable).and_then(|(text, span)| {
            let compiled = When::compile(&self.engine, text, table.map(|table| table.columns.as_slice()));
            compiled
                .map_err(|faults| {
                    for fault in faults {
                        toml.wrong(inside(toml.source, &span, text, fault.at), "when", fault.what);
                    }
                })
                .ok()
        });
        let action = action(lines, toml);
        toml.errors.is_empty().then_some(())?;
        Some(Rule { name: name.to_owned(), file, line, to: to?, from: from?, when, action: action? })
    }

    /// The rule's name; from now on the errors of the rule have it. Logs, `explain` and the queue tell rules apart by it.
    fn name<'t>(&mut self, line: usize, toml: &mut Toml<'_, 't>) -> &'t str {
        let Some((name, span)) = toml.text("name") else {
            if toml.find("name").is_none() {
                toml.wrong_here("a rule needs a name, for the log and for you");
            }
            return "";
        };
        if name.trim().is_empty() || name.len() > limits::NAME_LENGTH || name.chars().any(char::is_control) {
            toml.wrong(span, "name", format!("a name has 1 to {} characters", limits::NAME_LENGTH));
            return name;
        }
        toml.name = format!("rule \"{name}\"");
        let here = format!("{}:{line}", toml.source.path.display());
        match self.names.entry(name.to_owned()) {
            Entry::Occupied(first) => {
                toml.wrong(span, "name", format!("there is a rule of that name at {}", first.get()))
            }
            Entry::Vacant(slot) => _ = slot.insert(here),
        }
        name
    }

    /// `None` when it has been complained about.
    fn matcher(&mut self, toml: &mut Toml<'_, '_>, key: &str) -> Option<Matcher> {
        let Some(value) = toml.find(key) else { return Some(Matcher::Anyone) };
        if let DeValue::Table(table) = value.get_ref() {
            let mut inner = Toml::new(toml.source, &format!("{}.{key}", toml.name), value.span(), table);
            inner.only(&["table"]);
            let name = inner.text("table");
            if name.is_none() && inner.errors.is_empty() {
                inner.wrong_here("write { table = \"name\" }");
            }
            let index = name.and_then(|(name, span)| self.table(&mut inner, name, span));
            toml.errors.append(&mut inner.errors);
            return index.map(Matcher::Table);
        }
        let texts = toml.texts(key)?;
        if texts.len() > limits::MASKS {
            toml.wrong(
                value.span(),
                key,
                format!("there are more than {} masks; put them into a table", limits::MASKS),
            );
        }
        if texts.is_empty() && items(value).is_empty() {
            toml.wrong(value.span(), key, "the list is empty; leave it out to mean everyone");
        }
        let mut masks = Vec::with_capacity(texts.len());
        for (text, span) in texts.iter().take(limits::MASKS) {
            match Mask::parse(text) {
                Ok(mask) => masks.push(mask),
                Err(what) => toml.wrong(span.clone(), key, what),
            }
        }
        (!masks.is_empty()).then_some(Matcher::Masks(masks))
    }

    fn table(&mut self, toml: &mut Toml<'_, '_>, name: &str, span: std::ops::Range<usize>) -> Option<usize> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if name.is_empty() || !name.bytes().all(plain) {
            toml.wrong(
                span,
                "table",
                format!("\"{name}\" is not a table's name; use letters, digits, \"-\", \"_\" and \".\""),
            );
            return None;
        }
        let path = self.declared.get(name).cloned().unwrap_or_else(|| beside(toml.source, &format!("{name}.csv")));
        if let Some(known) = self.loaded.get(&path) {
            return *known;
        }
        let index = match (self.read)(&path, limits::TABLE_SIZE) {
            Err(why) => {
                toml.wrong(span, "table", format!("the table's file {} {why}", path.display()));
                None
            }
            Ok(_) if self.tables.len() >= limits::TABLES => {
                toml.wrong(span, "table", format!("there are more than {} tables", limits::TABLES));
                None
            }
            Ok(text) => match Table::parse(&text) {
                Ok(table) => {
                    self.tables.push(table);
                    Some(self.tables.len() - 1)
                }
                Err(mistakes) => {
                    self.errors.extend(mistakes.into_iter().map(|(line, message)| ConfigError {
                        file: path.clone(),
                        place: line.map(|line| (line, 1)),
                        key: String::new(),
                        message,
                    }));
                    None
                }
            },
        };
        self.loaded.insert(path, index);
        index
    }
}

fn action(lines: &Lines, toml: &mut Toml<'_, '_>) -> Option<Action> {
    match (toml.find("route"), toml.find("reject")) {
        (Some(_), None) => route(lines, toml),
        (None, Some(_)) => {
            if let Some(provision) = toml.find("provision") {
                toml.wrong(provision.span(), "provision", "settings go with a route, not with a reject");
            }
            let (text, span) = toml.text("reject")?;
            if text.trim().is_empty() || text.len() > limits::REJECT_LENGTH || text.chars().any(char::is_control) {
                let most = limits::REJECT_LENGTH;
                toml.wrong(span, "reject", format!("the sender reads this: one line of 1 to {most} characters"));
                return None;
            }
            Some(Action::Reject(text.to_owned()))
        }
        (Some(_), Some(reject)) => {
            toml.wrong(reject.span(), "reject", "a rule either routes or rejects");
            None
        }
        (None, None) => {
            toml.wrong_here("say what to do: route = [\"direct\"] or reject = \"why\"");
            None
        }
    }
}

fn route(lines: &Lines, toml: &mut Toml<'_, '_>) -> Option<Action> {
    let value = toml.find("route")?;
    let (mut steps, mut places) = (Vec::new(), Vec::new());
    for item in items(value) {
        let step = match item.get_ref() {
            DeValue::String(via) => Some(Step { via: via.to_string(), wait_ms: None }),
            DeValue::Table(table) => {
                let mut inner = Toml::new(toml.source, &format!("{}.route", toml.name), item.span(), table);
                let step = step(&mut inner);
                toml.errors.append(&mut inner.errors);
                step
            }
            _ => {
                let what = toml_reader::words(item);
                toml.wrong(
                    item.span(),
                    "route",
                    format!("this is {what}; write \"transport\" or {{ via = \"transport\", wait = \"15m\" }}"),
                );
                None
            }
        };
        if let Some(step) = step {
            if step.via.trim().is_empty() {
                toml.wrong(item.span(), "route", "a transport's name is empty");
            }
            places.push(lines.place(toml.source, item.span().start));
            steps.push(step);
        }
    }
    if steps.len() > limits::ROUTE_STEPS {
        toml.wrong(value.span(), "route", format!("a route has at most {} steps", limits::ROUTE_STEPS));
    }
    if items(value).is_empty() {
        toml.wrong(value.span(), "route", "the route is empty; to refuse, write reject = \"why\"");
    }
    let provision = toml.text("provision").map(|(profile, _)| profile.to_owned());
    (!steps.is_empty()).then_some(Action::Route { steps, places, provision })
}

fn step(toml: &mut Toml<'_, '_>) -> Option<Step> {
    toml.only(STEP_KEYS);
    let via = toml.text("via");
    if via.is_none() && toml.find("via").is_none() {
        toml.wrong_here("a step needs a transport: { via = \"direct\", wait = \"15m\" }");
    }
    let mut wait_ms = None;
    if let Some((text, span)) = toml.text("wait") {
        match text.parse::<Period>() {
            Ok(Period(wait)) if wait.is_zero() => toml.wrong(span, "wait", "a wait is longer than nothing"),
            Ok(Period(wait)) => wait_ms = u64::try_from(wait.as_millis()).ok(),
            Err(what) => toml.wrong(span, "wait", what),
        }
    }
    via.map(|(via, _)| Step { via: via.to_owned(), wait_ms })
}

/// The `[[kind]]` tables of a file.
fn blocks<'s, 't>(
    source: &'s Source,
    root: &'t DeTable<'t>,
    kind: &str,
    errors: &mut Vec<ConfigError>,
) -> Vec<Toml<'s, 't>> {
    let value = root.iter().find(|(key, _)| key.get_ref() == kind).map(|(_, value)| value);
    let mut found = Vec::new();
    for item in value.map(items).unwrap_or_default() {
        match item.get_ref() {
            DeValue::Table(table) => found.push(Toml::new(source, kind, item.span(), table)),
            _ => errors.push(source.error(Some(item.span()), kind, format!("write [[{kind}]] and its keys below it"))),
        }
    }
    found
}

fn beside(source: &Source, name: &str) -> PathBuf {
    source.path.parent().unwrap_or(Path::new("")).join(name)
}

fn without_place(message: String) -> ConfigError {
    ConfigError { file: PathBuf::from("rules"), place: None, key: String::new(), message }
}

/// Rules that can never match, because an earlier one takes everything they could.
fn unreachable(rules: &[Rule], files: &[PathBuf]) -> Vec<ConfigError> {
    let mut warnings = Vec::new();
    let mut certain: Vec<&Rule> = Vec::new();
    for rule in rules {
        if let Some(first) = certain.iter().find(|first| first.to.covers(&rule.to) && first.from.covers(&rule.from)) {
            let file = files.get(first.file).and_then(|file| file.file_name()).unwrap_or_default();
            let message = format!(
                "never reached: \"{}\" at {}:{} comes first and matches all of it",
                first.name,
                file.display(),
                first.line
            );
            warnings.push(ConfigError {
                file: files.get(rule.file).cloned().unwrap_or_default(),
                place: Some((rule.line, 1)),
                key: format!("rule \"{}\"", rule.name),
                message,
            });
        } else if rule.when.is_none() {
            certain.push(rule);
        }
    }
    warnings
}
