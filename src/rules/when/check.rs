//! Checks a `when` before it ever runs: names, types, depth and how much work it can come to.
//!
//! The engine finds these out one evaluation at a time; an operator wants to know when the file is loaded. What the
//! check lets through can still fail on a value (division by zero, `int("x")`), never on a name or a type.

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, SelectExpr, SourceInfo, operators};
use regex::{Regex, RegexBuilder};

use super::schema::{Element, FUNCTIONS, Kind, MACROS, METHODS, Type, VARIABLES};
use crate::limits;
use crate::unknown;

/// A mistake: the character it is at, and what is wrong.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) what: String,
}

/// What a checked expression needs.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    /// It looks at the message, so that it cannot be decided when only the recipient is known.
    pub(crate) message: bool,
    /// It looks at the parts.
    pub(crate) parts: bool,
    /// It looks at what is remembered of the recipient.
    pub(crate) memory: bool,
    /// The patterns of `matches`; the expression names them by [`pattern_name`].
    pub(crate) patterns: Vec<Regex>,
}

/// What takes the place of the pattern number `index` in the expression. No name in a rule file can start so.
pub(crate) fn pattern_name(index: usize) -> String {
    format!("@pattern{index}")
}

/// The index in a name made by [`pattern_name`].
pub(crate) fn pattern_index(name: &str) -> Option<usize> {
    name.strip_prefix("@pattern")?.parse().ok()
}

/// Checks `expr` and puts compiled patterns in place of written ones. `columns` are those of the rule's table.
pub(crate) fn check(expr: &mut IdedExpr, info: &SourceInfo, columns: Option<&[Box<str>]>) -> Result<Needs, Vec<Fault>> {
    let mut checker = Checker { info, columns, scopes: Vec::new(), needs: Needs::default(), faults: Vec::new() };
    let seen = checker.visit(expr, 0);
    if checker.faults.is_empty() && !seen.ty.is_bool() {
        checker.fault(expr.id, format!("this is {}; `when` must come to true or false", seen.ty.words()));
    }
    if checker.faults.is_empty() && seen.work > limits::WHEN_WORK {
        checker.fault(expr.id, "this may take too long: do not look through all parts for every part".to_owned());
    }
    if checker.faults.is_empty() { Ok(checker.needs) } else { Err(checker.faults) }
}

struct Checker<'a> {
    info: &'a SourceInfo,
    columns: Option<&'a [Box<str>]>,
    scopes: Vec<(String, Seen)>,
    needs: Needs,
    faults: Vec<Fault>,
}

/// What is known of an expression.
#[derive(Clone, Copy)]
struct Seen {
    ty: Type,
    /// Expressions that evaluating it comes to at most.
    work: u64,
    /// Elements at most, if it is a list.
    length: u64,
}

impl Seen {
    fn new(ty: Type, work: u64) -> Seen {
        Seen { ty, work, length: 1 }
    }
}

impl Checker<'_> {
    fn fault(&mut self, id: u64, what: String) -> Seen {
        let at = self.info.offset_for(id).map_or(0, |(start, _)| start as usize);
        self.faults.push(Fault { at, what });
        Seen::new(Type::Anything, 1)
    }

    fn visit(&mut self, expr: &mut IdedExpr, depth: usize) -> Seen {
        let id = expr.id;
        if depth > limits::WHEN_DEPTH {
            return self
                .fault(id, format!("there are more than {} expressions inside one another", limits::WHEN_DEPTH));
        }
        match &mut expr.expr {
            Expr::Literal(literal) => self.literal(id, literal),
            Expr::Ident(name) => self.name(id, name),
            Expr::Select(select) => self.select(id, select, depth),
            Expr::Call(call) => self.call(id, call, depth),
            Expr::Comprehension(each) => self.comprehension(each, depth),
            Expr::List(list) => {
                let items: Vec<Seen> = list.elements.iter_mut().map(|item| self.visit(item, depth + 1)).collect();
                let work = items.iter().fold(1u64, |sum, item| sum.saturating_add(item.work));
                let mut elements = items.iter().map(|item| item.ty.element());
                let first = elements.next().unwrap_or(Element::Anything);
                let element = if elements.all(|other| other == first) { first } else { Element::Anything };
                Seen { ty: Type::List(element), work, length: items.len() as u64 }
            }
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                self.fault(id, "maps and structures cannot be written here".to_owned())
            }
        }
    }

    fn literal(&mut self, id: u64, literal: &LiteralValue) -> Seen {
        let ty = match literal {
            LiteralValue::Boolean(_) => Type::Bool,
            LiteralValue::Int(_) => Type::Int,
            LiteralValue::Double(_) => Type::Double,
            LiteralValue::String(_) => Type::Text,
            LiteralValue::UInt(_) => return self.fault(id, "write the number without \"u\"".to_owned()),
            LiteralValue::Bytes(_) => return self.fault(id, "write the text without \"b\"".to_owned()),
            LiteralValue::Null => {
                return self.fault(id, "nothing is ever null here; what is missing is empty (\"\")".to_owned());
            }
        };
        Seen::new(ty, 1)
    }

    fn name(&mut self, id: u64, name: &str) -> Seen {
        if let Some((_, seen)) = self.scopes.iter().rev().find(|(bound, _)| bound == name) {
            return Seen { work: 1, ..*seen };
        }
        let Some((_, ty)) = VARIABLES.iter().find(|(known, _)| *known == name) else {
            let bound = self.scopes.iter().map(|(bound, _)| bound.as_str()).filter(|bound| !bound.starts_with('@'));
            let valid = VARIABLES.iter().map(|(known, _)| *known).chain(bound);
            let what = unknown("variable", name, valid);
            return self.fault(id, what);
        };
        if *ty == Type::Object(Kind::Row) && self.columns.is_none() {
            return self
                .fault(id, "\"table\" is the row of a table: the rule's `to` or `from` must name one".to_owned());
        }
        self.needs.memory |= matches!(ty, Type::Object(Kind::Handset | Kind::Operator));
        // What is remembered is looked up when the message is there.
        self.needs.message |= *ty == Type::Object(Kind::Message) || self.needs.memory;
        Seen::new(*ty, 1)
    }

    fn select(&mut self, id: u64, select: &mut SelectExpr, depth: usize) -> Seen {
        let operand = self.visit(&mut select.operand, depth + 1);
        let field = select.field.as_str();
        if select.test {
            return self.fault(id, "every field is always there; compare it with \"\" or look at its size".to_owned());
        }
        let ty = match operand.ty {
            Type::Anything => Type::Anything,
            Type::Object(Kind::Headers) => Type::Text,
            Type::Object(Kind::Row) => {
                let columns = self.columns.unwrap_or_default();
                if !columns.iter().any(|column| **column == *field) {
                    let what = unknown("column", field, columns.iter().map(|column| &**column));
                    return self.fault(id, what);
                }
                Type::Text
            }
            Type::Object(kind) => match kind.fields().iter().find(|(known, _)| *known == field) {
                Some((_, ty)) => *ty,
                None => {
                    let what = unknown("field", field, kind.fields().iter().map(|(known, _)| *known));
                    return self.fault(id, format!("{} has no such field: {what}", kind.words()));
                }
            },
            other => return self.fault(id, format!("{} has no field \"{field}\"", other.words())),
        };
        let is_parts = ty == Type::List(Element::Part);
        self.needs.parts |= is_parts;
        let length = if is_parts { limits::PARTS as u64 } else { 1 };
        Seen { ty, work: operand.work.saturating_add(1), length }
    }

    fn comprehension(&mut self, each: &mut ComprehensionExpr, depth: usize) -> Seen {
        let range = self.visit(&mut each.iter_range, depth + 1);
        let element = match range.ty {
            Type::List(element) => element.into(),
            Type::Anything => Type::Anything,
            other => {
                return self
                    .fault(each.iter_range.id, format!("{} cannot be looked through; a list can", other.words()));
            }
        };
        let start = self.visit(&mut each.accu_init, depth + 1);
        self.scopes.push((each.iter_var.clone(), Seen::new(element, 1)));
        self.scopes.push((each.accu_var.clone(), start));
        let condition = self.visit(&mut each.loop_cond, depth + 1);
        let step = self.visit(&mut each.loop_step, depth + 1);
        // `map` collects what its step yields, `exists` and `all` stay true or false.
        if let Some((_, accumulated)) = self.scopes.last_mut() {
            *accumulated = Seen { ty: step.ty, work: 1, length: range.length };
        }
        let result = self.visit(&mut each.result, depth + 1);
        self.scopes.truncate(self.scopes.len().saturating_sub(2));
        let round = step.work.saturating_add(condition.work);
        let work = range.work.saturating_add(range.length.saturating_mul(round)).saturating_add(result.work);
        Seen { ty: result.ty, work, length: range.length }
    }

    fn call(&mut self, id: u64, call: &mut CallExpr, depth: usize) -> Seen {
        let misused = MACROS.iter().find(|(name, _)| *name == call.func_name);
        if let Some((name, example)) = misused {
            return self.fault(id, format!("\"{name}\" is written like this: {example}"));
        }
        let before = self.faults.len();
        let target = call.target.as_mut().map(|target| self.visit(target, depth + 1));
        let args: Vec<Seen> = call.args.iter_mut().map(|arg| self.visit(arg, depth + 1)).collect();
        if self.faults.len() > before {
            return Seen::new(Type::Anything, 1);
        }
        let work = args.iter().chain(&target).fold(1u64, |sum, seen| sum.saturating_add(seen.work));
        let outcome = match (&target, args.as_slice()) {
            (Some(target), args) => self.method(*target, call, args),
            (None, [one]) => unary(&call.func_name, *one),
            (None, [left, right]) => binary(call, *left, *right),
            (None, [condition, yes, no]) if call.func_name == operators::CONDITIONAL => choice(*condition, *yes, *no),
            (None, _) => Err(no_function(&call.func_name)),
        };
        match outcome {
            Ok(seen) => Seen { work, ..seen },
            Err(what) => self.fault(id, what),
        }
    }

    fn method(&mut self, target: Seen, call: &mut CallExpr, args: &[Seen]) -> Result<Seen, String> {
        let name = call.func_name.as_str();
        let texts = target.ty.is_text() && args.iter().all(|arg| arg.ty.is_text());
        match (name, args.len()) {
            ("size", 0) => size_of(target),
            ("contains" | "startsWith" | "endsWith", 1) if texts => Ok(Seen::new(Type::Bool, 1)),
            ("lowerAscii" | "upperAscii" | "trim", 0) if texts => Ok(Seen::new(Type::Text, 1)),
            ("matches", 1) if texts => {
                let pattern = self.pattern(call.args.first())?;
                if let Some(arg) = call.args.first_mut() {
                    arg.expr = Expr::Ident(pattern_name(pattern));
                }
                Ok(Seen::new(Type::Bool, 1))
            }
            ("contains", 1) if matches!(target.ty, Type::List(_)) => {
                Err("to ask whether a list holds something, write: something in list".to_owned())
            }
            (known, _) if METHODS.contains(&known) => {
                let given: Vec<&str> = args.iter().map(|arg| arg.ty.words()).collect();
                Err(format!("\"{known}\" cannot be called on {} with ({})", target.ty.words(), given.join(", ")))
            }
            _ => Err(unknown("function", name, METHODS.iter().copied().chain(MACROS.iter().map(|(name, _)| *name)))),
        }
    }

    /// Compiles the pattern of a `matches`, once for all messages.
    fn pattern(&mut self, arg: Option<&IdedExpr>) -> Result<usize, String> {
        let Some(Expr::Literal(LiteralValue::String(text))) = arg.map(|arg| &arg.expr) else {
            return Err("the pattern of \"matches\" must be written out as text".to_owned());
        };
        let built = RegexBuilder::new(text.inner()).size_limit(limits::PATTERN_SIZE).build();
        let regex = built.map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => "this pattern needs too much memory".to_owned(),
            other => {
                let reason = other.to_string();
                let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
                format!("this is not a regular expression: {reason}")
            }
        })?;
        self.needs.patterns.push(regex);
        Ok(self.needs.patterns.len() - 1)
    }
}

fn no_function(name: &str) -> String {
    match METHODS.contains(&name) && !FUNCTIONS.contains(&name) {
        true => format!("\"{name}\" is called on a value: message.subject.{name}(…)"),
        false => unknown("function", name, FUNCTIONS.iter().copied()),
    }
}

fn size_of(of: Seen) -> Result<Seen, String> {
    match of.ty {
        Type::List(_) => Ok(Seen::new(Type::Int, 1)),
        text if text.is_text() => Ok(Seen::new(Type::Int, 1)),
        other => Err(format!("{} has no size(); text and lists have one", other.words())),
    }
}

fn unary(name: &str, of: Seen) -> Result<Seen, String> {
    let cannot = |what: &str| Err(format!("{} cannot be {what}", of.ty.words()));
    match name {
        operators::LOGICAL_NOT | operators::NOT_STRICTLY_FALSE if of.ty.is_bool() => Ok(Seen::new(Type::Bool, 1)),
        operators::LOGICAL_NOT | operators::NOT_STRICTLY_FALSE => cannot("negated with \"!\""),
        operators::NEGATE if of.ty.is_number() => Ok(Seen::new(of.ty, 1)),
        operators::NEGATE => cannot("negated with \"-\""),
        "size" => size_of(of),
        "int" if of.ty.is_text() || of.ty.is_number() => Ok(Seen::new(Type::Int, 1)),
        "double" if of.ty.is_text() || of.ty.is_number() => Ok(Seen::new(Type::Double, 1)),
        "string" if of.ty.is_text() || of.ty.is_number() || of.ty.is_bool() => Ok(Seen::new(Type::Text, 1)),
        "int" | "double" | "string" => cannot(&format!("read by {name}()")),
        _ => Err(no_function(name)),
    }
}

fn binary(call: &CallExpr, left: Seen, right: Seen) -> Result<Seen, String> {
    let (l, r) = (left.ty, right.ty);
    let same = |fits: fn(Type) -> bool| fits(l) && fits(r);
    let numbers = same(Type::is_number);
    let truth = Ok(Seen::new(Type::Bool, 1));
    let cannot = |how: &str| Err(format!("{} and {} cannot be {how}", l.words(), r.words()));
    match call.func_name.as_str() {
        operators::LOGICAL_AND | operators::LOGICAL_OR if same(Type::is_bool) => truth,
        operators::LOGICAL_AND => cannot("joined with \"&&\""),
        operators::LOGICAL_OR => cannot("joined with \"||\""),
        operators::EQUALS | operators::NOT_EQUALS => {
            if let Some(object) = [l, r].into_iter().find(|ty| matches!(ty, Type::Object(_))) {
                return Err(format!("{} cannot be compared; compare one of its fields", object.words()));
            }
            if !(numbers || same(Type::is_text) || same(Type::is_bool) || same(is_list)) {
                return cannot("the same");
            }
            words_fit(call, l, r)?;
            truth
        }
        operators::LESS | operators::LESS_EQUALS | operators::GREATER | operators::GREATER_EQUALS => {
            if numbers || same(Type::is_text) { truth } else { cannot("compared by order") }
        }
        operators::ADD => sum(left, right).map_or_else(|| cannot("added"), Ok),
        operators::SUBSTRACT | operators::MULTIPLY | operators::DIVIDE | operators::MODULO => {
            let fits = numbers && (l == r || l == Type::Anything || r == Type::Anything);
            if fits { Ok(Seen::new(l, 1)) } else { cannot("calculated with") }
        }
        operators::IN => match r {
            Type::List(Element::Part) => cannot("compared; use .exists(p, …)"),
            Type::List(element) => {
                let element = Type::from(element);
                let fits = l == element || element == Type::Anything || (l.is_text() && element.is_text());
                words_fit(call, l, r)?;
                if fits { truth } else { cannot("compared: the list holds something else") }
            }
            Type::Anything => truth,
            _ => cannot("joined with \"in\": the right side must be a list"),
        },
        operators::INDEX => match (l, r) {
            (Type::List(element), Type::Int | Type::Anything) => Ok(Seen::new(element.into(), 1)),
            (Type::Object(Kind::Headers), key) if key.is_text() => Ok(Seen::new(Type::Text, 1)),
            (Type::Anything, _) => Ok(Seen::new(Type::Anything, 1)),
            _ => Err(format!("{} has no element by {}", l.words(), r.words())),
        },
        name => Err(no_function(name)),
    }
}

fn is_list(ty: Type) -> bool {
    matches!(ty, Type::List(_) | Type::Anything)
}

fn sum(left: Seen, right: Seen) -> Option<Seen> {
    let ty = match (left.ty, right.ty) {
        (Type::List(a), Type::List(b)) => {
            Type::List(if a == Element::Anything || a == b { b } else { Element::Anything })
        }
        (Type::Anything, other) | (other, Type::Anything) => other,
        (a, b) if a == b && a.is_number() => a,
        (a, b) if a.is_text() && b.is_text() => Type::Text,
        _ => return None,
    };
    Some(Seen { ty, work: 1, length: left.length.saturating_add(right.length) })
}

fn choice(condition: Seen, yes: Seen, no: Seen) -> Result<Seen, String> {
    if !condition.ty.is_bool() {
        return Err(format!("before \"?\" stands {}; it must be true or false", condition.ty.words()));
    }
    let ty = match (yes.ty, no.ty) {
        (a, b) if a == b => a,
        (a, b) if a.is_text() && b.is_text() => Type::Text,
        // The step of `filter`: what was collected, with or without one more.
        (Type::List(Element::Anything), list @ Type::List(_))
        | (list @ Type::List(_), Type::List(Element::Anything)) => list,
        (Type::Anything, other) | (other, Type::Anything) => other,
        (a, b) => return Err(format!("this is either {} or {}", a.words(), b.words())),
    };
    Ok(Seen { ty, work: 1, length: yes.length.max(no.length) })
}

/// A word compared with text that it can never be is a slip of the pen.
fn words_fit(call: &CallExpr, left: Type, right: Type) -> Result<(), String> {
    let (words, other) = match (left, right, call.args.as_slice()) {
        (Type::Word(words), Type::Text | Type::List(_), [_, other]) => (words, other),
        (Type::Text, Type::Word(words), [other, _]) => (words, other),
        _ => return Ok(()),
    };
    let items = match &other.expr {
        Expr::List(list) => list.elements.as_slice(),
        _ => std::slice::from_ref(other),
    };
    for item in items {
        if let Expr::Literal(LiteralValue::String(text)) = &item.expr
            && !words.contains(&text.inner())
        {
            return Err(unknown("word", text.inner(), words.iter().copied()));
        }
    }
    Ok(())
}
