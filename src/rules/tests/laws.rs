//! Laws: masks and tables against naive models; nothing panics whatever is written or asked.

use std::path::PathBuf;

use packetboat_api::clock::Timestamp;
use packetboat_api::message::{Class, Identity, Priority};
use packetboat_api::mime::Headers;
use packetboat_api::party::Party;
use packetboat_api::settings::Source;
use packetboat_rules::{Contents, Facts, Outcome, Part, Parts, Program, Remembered, Screen, Who};
use proptest::prelude::*;

fn compile(text: String, table: &str) -> Result<Program, String> {
    let sources = vec![Source { path: PathBuf::from("rules.toml"), text }];
    Program::compile(sources, |_, _| Ok(table.to_owned())).map_err(|errors| errors[0].to_string())
}

fn taken(program: &Program, address: &str) -> bool {
    let (to, identity) = (Party::ShortCode(address.to_owned()), Identity::Anonymous);
    let who = Who { to: &to, from: None, listener: "", identity: &identity, now: Timestamp(0) };
    program.screen(&who) == Screen::Taken
}

/// The definition: `*` is any characters, `?` one.
fn fits(mask: &[char], address: &[char]) -> bool {
    match (mask.split_first(), address.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), None) => fits(rest, address),
        (Some(('*', rest)), Some((_, after))) => fits(rest, address) || fits(mask, after),
        (Some(('?', rest)), Some((_, after))) => fits(rest, after),
        (Some((wanted, rest)), Some((found, after))) => wanted == found && fits(rest, after),
        _ => false,
    }
}

proptest! {
    #[test]
    fn a_mask_fits_what_its_definition_says(mask in "[ab1é*?]{1,8}", address in "[ab1éB]{1,10}") {
        let text = format!("[[rule]]\nname = \"x\"\nto = \"{mask}\"\nroute = [\"a\"]\n");
        let program = compile(text, "").unwrap();
        let mask: Vec<char> = mask.chars().collect();
        let lower: Vec<char> = address.to_ascii_lowercase().chars().collect();
        prop_assert_eq!(taken(&program, &address), fits(&mask, &lower));
    }

    #[test]
    fn the_longest_prefix_wins(
        prefixes in proptest::collection::btree_set("\\+[123]{1,6}", 1..20),
        digits in "[123]{5,9}",
    ) {
        let rows: String = prefixes.iter().map(|prefix| format!("{prefix},p{}\n", &prefix[1..])).collect();
        let rules: String = prefixes
            .iter()
            .map(|prefix| {
                let name = format!("p{}", &prefix[1..]);
                format!(
                    "[[rule]]\nname = \"{name}\"\nto = {{ table = \"t\" }}\nwhen = 'table.name == \"{name}\"'\n\
                     route = [\"{name}\"]\n"
                )
            })
            .collect();
        let program = compile(rules, &format!("prefix,name\n{rows}")).unwrap();
        let address = format!("+{digits}");
        let best = prefixes.iter().filter(|prefix| address.starts_with(*prefix)).max_by_key(|prefix| prefix.len());
        let to: Party = address.parse().unwrap();
        let found = decided(&program, &to, "", &[]);
        prop_assert_eq!(found, best.map(|prefix| format!("p{}", &prefix[1..])));
    }

    #[test]
    fn no_text_makes_loading_panic(text in "(?s).{0,200}") {
        let _ = compile(text, "prefix\n+44\n");
    }

    #[test]
    fn what_the_check_lets_through_has_names_and_types_right(when in truth(), subject in "[0-9a-z ]{0,3}") {
        let text = format!("[[rule]]\nname = \"x\"\nwhen = '''{when}'''\nroute = [\"a\"]\n");
        match compile(text, "") {
            Err(error) => prop_assert!(
                ["inside one another", "too long", "more than 4000", "unknown word"].iter().any(|bound| error.contains(bound)),
                "{error}"
            ),
            Ok(program) => {
                let to: Party = "bob@example.net".parse().unwrap();
                let parts = [Part { media: "image/jpeg", name: "a", size: 0 }];
                for parts in [&parts[..], &[]] {
                    for looked in with_facts(&to, &subject, parts, |facts| program.decide(facts).trace) {
                        let value = ["division", "too large", "no such element", "cannot read"];
                        let why = looked.why.to_string();
                        prop_assert!(value.iter().any(|kind| why.contains(kind)), "{why}: {when}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_expression_makes_loading_or_deciding_panic(
        words in proptest::collection::vec(prop::sample::select(WORDS), 1..24),
        subject in "(?s).{0,40}",
        size in any::<u64>(),
    ) {
        let text = format!("[[rule]]\nname = \"x\"\nwhen = '''\n{}'''\nroute = [\"a\"]\n", words.join(" "));
        if let Ok(program) = compile(text, "") {
            let parts = [Part { media: "image/jpeg", name: &subject, size }, Part { media: "", name: "", size: 0 }];
            let to: Party = "+447700900123".parse().unwrap();
            decided(&program, &to, &subject, &parts);
            decided(&program, &to, &subject, &[]);
            taken(&program, "7777");
        }
    }
}

/// An expression that comes to true or false.
fn truth() -> impl Strategy<Value = String> {
    let atoms = prop::sample::select(
        &[
            "true",
            "message.size > 5",
            "now.hour < 12",
            "to.kind == \"mail\"",
            "listener != \"\"",
            "now.weekday in [\"mon\"]",
        ][..],
    );
    atoms.prop_map(str::to_owned).prop_recursive(5, 40, 3, |inner| {
        let number = prop::sample::select(
            &[
                "message.size",
                "now.seconds",
                "-3",
                "message.parts.size()",
                "9223372036854775807",
                "int(message.subject)",
                "message.parts[0].size",
                "size(to.domain)",
                "[1, 2][now.hour % 3]",
            ][..],
        );
        let text = prop::sample::select(
            &[
                "message.subject",
                "to.local",
                "\"a\"",
                "message.headers.x",
                "message.headers[\"x\"]",
                "string(now.minute)",
                "message.parts[1].name",
                "(\"a\" + from.address)",
                "message.class",
                "message.subject.upperAscii().trim()",
            ][..],
        );
        prop_oneof![
            (number.clone(), number.clone(), number, "[+*/%-]", "<|<=|==|!=|>")
                .prop_map(|(a, b, c, calculate, compare)| { format!("{a} {calculate} {b} {compare} {c}") }),
            (text.clone(), text, prop::sample::select(&["==", "<", ".contains", ".startsWith", " in ["][..])).prop_map(
                |(a, b, how)| match how {
                    "==" | "<" => format!("({a} {how} \"\" + {b})"),
                    " in [" => format!("({a} in [{b}, \"b\"] || \"a\" in [\"b\", {b}])"),
                    _ => format!("{a}{how}({b})"),
                }
            ),
            (inner.clone(), inner.clone(), "&&|\\|\\||==").prop_map(|(a, b, how)| format!("({a} {how} ({b}))")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} ? {b} : !({b}))")),
            inner.clone().prop_map(|a| format!("message.parts.exists(p, {a} && p.type.matches(\"^i.*g$\"))")),
            inner.clone().prop_map(|a| format!("message.parts.all(q, q.size > 1 || {a})")),
            inner.clone().prop_map(|a| format!("message.parts.filter(p, {a}).map(p, p.size) == [0]")),
            inner.prop_map(|a| format!("[message.subject, \"b\"].exists_one(t, t < \"b\" && {a})")),
        ]
    })
}

fn with_facts<T>(to: &Party, subject: &str, parts: &[Part<'_>], ask: impl FnOnce(&Facts<'_>) -> T) -> T {
    let who = Who { to, from: None, listener: "mail", identity: &Identity::Anonymous, now: Timestamp(i64::MIN) };
    let contents = Contents {
        size: u64::MAX,
        subject,
        class: Class::Auto,
        priority: Priority::Low,
        kind: "personal",
        headers: &Headers::default(),
        parts: Parts::List(parts),
    };
    ask(&Facts { who, contents, remembered: Remembered::default() })
}

/// The route's first transport.
fn decided(program: &Program, to: &Party, subject: &str, parts: &[Part<'_>]) -> Option<String> {
    with_facts(to, subject, parts, |facts| match program.decide(facts).outcome {
        Outcome::Route { steps, .. } => Some(steps[0].via.clone()),
        _ => None,
    })
}

const WORDS: &[&str] = &[
    "message",
    "message.size",
    "message.subject",
    "message.parts",
    "message.headers[\"a\"]",
    "to.number",
    "from.kind",
    "now.hour",
    "now.date",
    "identity.name",
    "p",
    "p.type",
    "p.size",
    ".size()",
    ".exists(p,",
    ".all(p,",
    ".map(p,",
    ".filter(p,",
    ".matches(\"a.*b\")",
    ".contains(",
    ".lowerAscii()",
    "int(",
    "string(",
    "double(",
    "size(",
    "(",
    ")",
    "[",
    "]",
    "[0]",
    ",",
    "?",
    ":",
    "&&",
    "||",
    "!",
    "==",
    "!=",
    "<",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "%",
    "in",
    "1",
    "0",
    "9223372036854775807",
    "-9223372036854775808",
    "1.5",
    "\"a\"",
    "\"\"",
    "true",
    "false",
    "{",
    "}",
    "has(",
    "\n",
];

#[test]
fn expressions_deep_inside_one_another_are_refused() {
    let deep = |open: &str, middle: &str, close: &str, times: usize| {
        let when = format!("{}{middle}{}", open.repeat(times), close.repeat(times));
        let text = format!("[[rule]]\nname = \"x\"\nwhen = '''{when}'''\nroute = [\"a\"]\n");
        compile(text, "").map(|program| taken(&program, "7777"))
    };
    for (open, middle, close, times) in [
        ("(", "true", ")", 1900),
        ("!", "true", "", 3900),
        ("-", "1", "", 3900),
        ("[", "1", "]", 1900),
        ("", "1", " + 1", 900),
        ("", "true", " && true", 400),
        ("true ? true : ", "true", "", 200),
        ("size(", "\"\"", ")", 600),
        ("", "message", ".size", 600),
        ("", "message.parts", ".map(p, p.name)", 250),
        ("", "message.parts", "[0]", 1200),
    ] {
        let _ = deep(open, middle, close, times);
    }
    assert_eq!(deep("", "true", " && true", 100), Ok(true), "a long list of conditions is not deep");
    assert_eq!(deep("(", "true", ")", 31), Ok(true));
    assert_eq!(deep("", "0 < 1", " + 1", 22), Ok(true));
    assert_eq!(deep("1 + 1 == 2 ? (", "true", ") : false", 22), Ok(true));
    assert_eq!(deep("[1].exists(p, ", "true", ")", 11), Ok(true));
    assert!(deep("(", "true", ")", 40).unwrap_err().ends_with("more than 32 brackets are inside one another"));
}
