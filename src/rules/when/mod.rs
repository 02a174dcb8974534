//! `when`: a CEL expression, compiled and checked when the file is loaded, bounded when it runs.
//!
//! CEL has no loops but those over a list, and the lists here have a known greatest length, so that the check can say
//! beforehand how much work an expression comes to at most ([`crate::limits::WHEN_WORK`]). An evaluation that fails
//! (`1 / 0`) is an error in words, never a panic; the rule then does not match.

mod check;
mod schema;
mod values;

use std::sync::Arc;

use cel::common::ast::IdedExpr;
use cel::common::types::{CelBool, CelString, STRING_TYPE};
use cel::common::value::CowVal;
use cel::{Context, DeclarationError, Env, ExecutionError, ParseErrors, Value, extensions};

pub(crate) use self::check::Fault;
use self::check::check;
pub(crate) use self::values::Scene;
use self::values::{Names, PATTERN_TYPE, Pattern};
use crate::limits;
use crate::table::Row;

/// The engine with its functions; one for all rules of a program.
#[derive(Clone)]
pub(crate) struct Engine(Arc<Env>);

impl Engine {
    pub(crate) fn new() -> Result<Self, DeclarationError> {
        let mut env = Env::stdlib().with_optional_support(false);
        env.add_extension(extensions::strings)?;
        env.add_member_overload("matches", "matches_compiled", STRING_TYPE, vec![PATTERN_TYPE.to_owned()], matches)?;
        Ok(Engine(Arc::new(env)))
    }
}

/// The `matches` of a compiled pattern; the engine's own compiles its pattern each time it is asked.
fn matches<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let text = args.first().and_then(|text| text.downcast_ref::<CelString>());
    let pattern = args.get(1).and_then(|pattern| pattern.downcast_ref::<Pattern>());
    match (text, pattern) {
        (Some(text), Some(pattern)) => Ok(CowVal::owned(CelBool::from(pattern.0.is_match(text.inner())))),
        _ => Err(ExecutionError::missing_argument_or_target()),
    }
}

/// A compiled expression.
#[derive(Debug)]
pub(crate) struct When {
    expr: IdedExpr,
    patterns: Vec<Pattern>,
    pub(crate) needs_message: bool,
    pub(crate) needs_parts: bool,
    pub(crate) needs_memory: bool,
}

impl When {
    /// Compiles and checks. `columns` are those of the rule's table, if it has one.
    pub(crate) fn compile(engine: &Engine, text: &str, columns: Option<&[Box<str>]>) -> Result<When, Vec<Fault>> {
        let fault = |at, what| vec![Fault { at, what }];
        if text.len() > limits::WHEN_LENGTH {
            return Err(fault(0, format!("`when` has more than {} characters", limits::WHEN_LENGTH)));
        }
        if text.trim().is_empty() {
            return Err(fault(0, "`when` is empty; leave it out".to_owned()));
        }
        let parser = engine.0.parser().max_recursion_depth(limits::WHEN_BRACKETS);
        let parsed = parser.parse_with_source_info(text);
        let (mut expr, info) = parsed.map_err(|errors| vec![misread(text, &errors)])?;
        let needs = check(&mut expr, &info, columns)?;
        Ok(When {
            expr,
            patterns: needs.patterns.into_iter().map(Pattern).collect(),
            needs_message: needs.message,
            needs_parts: needs.parts,
            needs_memory: needs.memory,
        })
    }

    /// Evaluates; the error says in words why there is no answer, without showing any value.
    pub(crate) fn holds(&self, engine: &Engine, scene: &Scene<'_>, row: Option<Row<'_>>) -> Result<bool, String> {
        let names = Names { scene, when: self, row };
        let mut context = Context::with_env(Arc::clone(&engine.0));
        context.set_variable_resolver(&names);
        let value = Value::resolve_val(&self.expr, &context).map_err(|error| words(&error))?;
        value.downcast_ref::<CelBool>().map(|truth| *truth.inner()).ok_or_else(|| "it is not true or false".to_owned())
    }
}

/// The first mistake the parser found, in our words.
fn misread(text: &str, errors: &ParseErrors) -> Fault {
    let Some(first) = errors.errors.first() else {
        return Fault { at: 0, what: "this is not an expression".to_owned() };
    };
    if first.msg.contains("Recursion limit") {
        return Fault { at: 0, what: format!("more than {} brackets are inside one another", limits::WHEN_BRACKETS) };
    }
    let what = first.msg.split(" expecting ").next().unwrap_or_default().trim_start_matches("Syntax error: ");
    let what = what.replace("'<EOF>'", "its end");
    Fault { at: offset(text, first.pos.0, first.pos.1), what: format!("this is not an expression: {what}") }
}

/// Characters before a line (from 1) and column (from 0) of `text`.
fn offset(text: &str, line: isize, column: isize) -> usize {
    let lines_before = usize::try_from(line - 1).unwrap_or(0);
    let before: usize = text.split_inclusive('\n').take(lines_before).map(|line| line.chars().count()).sum();
    before + usize::try_from(column).unwrap_or(0)
}

fn words(error: &ExecutionError) -> String {
    match error {
        ExecutionError::DivisionByZero(_) | ExecutionError::RemainderByZero(_) => "division by zero".to_owned(),
        ExecutionError::Overflow(..) => "a number became too large".to_owned(),
        ExecutionError::IndexOutOfBounds(_) => "the list has no such element".to_owned(),
        ExecutionError::NoSuchKey(name) => format!("there is no \"{name}\""),
        ExecutionError::UndeclaredReference(name) => format!("\"{name}\" is not known here"),
        ExecutionError::FunctionError { function, .. } => format!("{function}() cannot read the value it was given"),
        _ => "a value is not of the type it is used as".to_owned(),
    }
}
