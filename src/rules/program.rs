//! The program: rules in order, asked once per recipient.
//!
//! A decision walks the rules from the top. `to` and `from` cost nanoseconds and come first; `when` is asked last, and
//! what it needs of the message is prepared once for all rules. Nothing here can fail (I-10): a `when` that cannot be
//! evaluated does not match, and the decision says so.

use std::path::{Path, PathBuf};

use packetboat_api::delivery::Step;
use packetboat_api::settings::{ConfigError, Source};

use crate::address::Address;
use crate::compile;
use crate::decision::{Decision, Looked, Outcome, Screen, Why};
use crate::examples::{Example, TestResult};
use crate::facts::{Contents, Facts, Remembered, Who};
use crate::load;
use crate::mask::Mask;
use crate::table::{Row, Table};
use crate::unknown;
use crate::when::{Engine, Scene, When};

/// A checked program.
pub struct Program {
    pub(crate) engine: Engine,
    pub(crate) files: Vec<PathBuf>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) tables: Vec<Table>,
    pub(crate) examples: Vec<Example>,
    pub(crate) warnings: Vec<ConfigError>,
    /// Whether any `when` looks at the parts.
    pub(crate) needs_parts: bool,
    /// Whether any `when` looks at what is remembered.
    pub(crate) needs_memory: bool,
}

/// One rule.
pub(crate) struct Rule {
    pub(crate) name: String,
    /// Index into the program's files.
    pub(crate) file: usize,
    pub(crate) line: usize,
    pub(crate) to: Matcher,
    pub(crate) from: Matcher,
    pub(crate) when: Option<When>,
    pub(crate) action: Action,
}

/// Whom a rule is for.
#[derive(Debug)]
pub(crate) enum Matcher {
    Anyone,
    Masks(Vec<Mask>),
    /// Index into the program's tables.
    Table(usize),
}

/// What a rule does.
pub(crate) enum Action {
    Route {
        steps: Vec<Step>,
        /// Line and column of each step.
        places: Vec<(usize, usize)>,
        /// The profile of settings that the recipient's phone is sent beside, once.
        provision: Option<String>,
    },
    Reject(String),
}

/// What one rule says.
enum Verdict {
    Matches,
    /// It depends on the message, which is not known yet.
    Depends,
    Not(Why),
}

/// Who is asked about, in the forms the rules want.
struct Question<'a> {
    to: Address,
    from: Address,
    who: Who<'a>,
    contents: Option<Contents<'a>>,
    remembered: Remembered<'a>,
    scene: Option<Scene<'a>>,
}

impl Program {
    /// Reads, checks and compiles the rule files that `patterns` name relative to `base`: in the order of the patterns,
    /// and in file-name order what a pattern with wildcards in its last component finds. Returns every mistake there is.
    pub fn load(patterns: &[impl AsRef<str>], base: &Path) -> Result<Program, Vec<ConfigError>> {
        let mut errors = Vec::new();
        let mut sources = Vec::new();
        for path in load::find(patterns, base)? {
            match load::source(&path) {
                Ok(source) => sources.push(source),
                Err(error) => errors.push(error),
            }
        }
        let compiled = Program::compile(sources, load::text);
        match compiled {
            Ok(program) if errors.is_empty() => Ok(program),
            Ok(_) => Err(errors),
            Err(more) => {
                errors.extend(more);
                Err(errors)
            }
        }
    }

    /// The same for files already read. `read` reads a table's file of at most so many octets; its error completes the
    /// sentence "the table's file …".
    pub fn compile(
        sources: Vec<Source>,
        read: impl FnMut(&Path, u64) -> Result<String, String> + Send,
    ) -> Result<Program, Vec<ConfigError>> {
        compile::compile(sources, read)
    }

    /// What to do with one recipient of a message.
    pub fn decide<'p>(&'p self, facts: &Facts<'_>) -> Decision<'p> {
        self.walk(facts, |why| matches!(why, Why::WhenFailed(_)))
    }

    /// The same, with every rule that was looked at.
    pub fn explain<'p>(&'p self, facts: &Facts<'_>) -> Decision<'p> {
        self.walk(facts, |_| true)
    }

    /// What can be said of a recipient before the message is known. A rule whose `when` depends on the message may
    /// match, so that its route takes the recipient and its `reject` does not refuse it yet.
    pub fn screen<'p>(&'p self, who: &Who<'_>) -> Screen<'p> {
        let mut question = Question::new(who, None, Remembered::default());
        for rule in &self.rules {
            match (self.ask(rule, &mut question), &rule.action) {
                (Verdict::Matches | Verdict::Depends, Action::Route { .. }) => return Screen::Taken,
                (Verdict::Matches, Action::Reject(text)) => return Screen::Rejected { rule: &rule.name, text },
                (Verdict::Depends, Action::Reject(_)) | (Verdict::Not(_), _) => {}
            }
        }
        Screen::NoRule
    }

    /// Whether a decision may depend on what is remembered of the recipient; otherwise nobody need look it up.
    pub fn needs_memory(&self) -> bool {
        self.needs_memory
    }

    /// Complains about profiles of phone settings that are none of `known`.
    pub fn check_profiles(&self, known: &[String]) -> Vec<ConfigError> {
        let mut errors = Vec::new();
        for rule in &self.rules {
            let Action::Route { provision: Some(profile), .. } = &rule.action else { continue };
            if !known.contains(profile) {
                errors.push(ConfigError {
                    file: self.file(rule).to_owned(),
                    place: Some((rule.line, 1)),
                    key: format!("rule \"{}\".provision", rule.name),
                    message: unknown("profile", profile, known.iter().map(String::as_str)),
                });
            }
        }
        errors
    }

    /// Complains about transports in routes that are none of `known`.
    pub fn check_transports(&self, known: &[&str]) -> Vec<ConfigError> {
        let mut errors = Vec::new();
        for rule in &self.rules {
            let Action::Route { steps, places, .. } = &rule.action else { continue };
            for (step, place) in steps.iter().zip(places) {
                if !known.contains(&step.via.as_str()) {
                    errors.push(ConfigError {
                        file: self.file(rule).to_owned(),
                        place: Some(*place),
                        key: format!("rule \"{}\".route", rule.name),
                        message: unknown("transport", &step.via, known.iter().copied()),
                    });
                }
            }
        }
        errors
    }

    /// Runs the `[[test]]` blocks, in order.
    pub fn run_tests(&self) -> Vec<TestResult> {
        self.examples.iter().map(|example| example.run(self)).collect()
    }

    /// What is allowed and probably not meant, such as a rule that an earlier one keeps from ever being reached.
    pub fn warnings(&self) -> &[ConfigError] {
        &self.warnings
    }

    /// The files it was made from, in order.
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// How many rules it has.
    pub fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether it has no rules at all, and so no recipients.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    pub(crate) fn file(&self, rule: &Rule) -> &Path {
        self.files.get(rule.file).map(PathBuf::as_path).unwrap_or(Path::new(""))
    }

    fn walk<'p>(&'p self, facts: &Facts<'_>, keep: impl Fn(&Why) -> bool) -> Decision<'p> {
        let mut question = Question::new(&facts.who, Some(facts.contents), facts.remembered);
        let mut decision = Decision { outcome: Outcome::NoRule, trace: Vec::new() };
        for rule in &self.rules {
            let why = match self.ask(rule, &mut question) {
                Verdict::Not(why) => why,
                Verdict::Matches | Verdict::Depends => Why::Matches,
            };
            let matches = why == Why::Matches;
            if keep(&why) {
                decision.trace.push(Looked { rule: &rule.name, file: self.file(rule), line: rule.line, why });
            }
            if matches {
                decision.outcome = match &rule.action {
                    Action::Route { steps, provision, .. } => {
                        Outcome::Route { rule: &rule.name, steps, provision: provision.as_deref() }
                    }
                    Action::Reject(text) => Outcome::Reject { rule: &rule.name, text },
                };
                break;
            }
        }
        decision
    }

    fn ask(&self, rule: &Rule, question: &mut Question<'_>) -> Verdict {
        let Some(to_row) = rule.to.matches(question.to.octets(), &self.tables) else { return Verdict::Not(Why::To) };
        let Some(from_row) = rule.from.matches(question.from.octets(), &self.tables) else {
            return Verdict::Not(Why::From);
        };
        let Some(when) = &rule.when else { return Verdict::Matches };
        let known = question.contents.is_some();
        let scene = question
            .scene
            .get_or_insert_with(|| Scene::new(question.who, question.contents, question.remembered, self.needs_parts));
        match when.holds(&self.engine, scene, to_row.or(from_row)) {
            Ok(true) => Verdict::Matches,
            Ok(false) => Verdict::Not(Why::When),
            Err(_) if when.needs_message && !known => Verdict::Depends,
            Err(why) => Verdict::Not(Why::WhenFailed(why)),
        }
    }
}

impl<'a> Question<'a> {
    fn new(who: &Who<'a>, contents: Option<Contents<'a>>, remembered: Remembered<'a>) -> Self {
        let (to, from) = (Address::of(Some(who.to)), Address::of(who.from));
        Question { to, from, who: *who, contents, remembered, scene: None }
    }
}

impl std::fmt::Debug for Program {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Program").field("files", &self.files).field("rules", &self.rules.len()).finish_non_exhaustive()
    }
}

impl Matcher {
    /// Whether it is for this address, and then by which row if it has a table.
    fn matches<'t>(&self, address: &[u8], tables: &'t [Table]) -> Option<Option<Row<'t>>> {
        match self {
            Matcher::Anyone => Some(None),
            Matcher::Masks(masks) => masks.iter().any(|mask| mask.fits(address)).then_some(None),
            Matcher::Table(table) => tables.get(*table)?.find(address).map(Some),
        }
    }

    /// Whether certainly everyone that `other` is for, this is for too.
    pub(crate) fn covers(&self, other: &Matcher) -> bool {
        match (self, other) {
            (Matcher::Anyone, _) => true,
            (Matcher::Masks(masks), Matcher::Masks(others)) => {
                others.iter().all(|other| masks.iter().any(|mask| mask.covers(other)))
            }
            (Matcher::Masks(masks), _) => masks.contains(&Mask::Anything),
            (Matcher::Table(table), Matcher::Table(other)) => table == other,
            (Matcher::Table(_), _) => false,
        }
    }
}
