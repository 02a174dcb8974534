//! What a decision costs: `cargo bench -p packetboat-rules`. Medians of nine rounds, in CPU time so that other work on the
//! machine disturbs little.

use std::fmt::Write;
use std::path::PathBuf;
use std::time::Instant;

use packetboat_api::clock::Timestamp;
use packetboat_api::message::{Class, Identity, Priority};
use packetboat_api::mime::Headers;
use packetboat_api::party::Party;
use packetboat_api::settings::Source;
use packetboat_rules::{Contents, Facts, Outcome, Part, Parts, Program, Remembered, Screen, Who};

const WHENS: [(&str, &str); 5] = [
    ("a comparison", "message.size > 90000000"),
    (
        "the usual",
        r#"to.number.startsWith("+4479") && message.size < 300 && message.parts.exists(p, p.type.startsWith("x/"))"#,
    ),
    ("three parts looked through", r#"message.size < 600 * 1024 && message.parts.exists(p, p.type == "video/mp4")"#),
    ("a pattern", r#"message.subject.matches("(?i)^win \\d+ (pounds|euros)")"#),
    ("a header field", r#"message.headers["X-Spam-Flag"] == "YES""#),
];

fn main() {
    let parts = [
        Part { media: "application/smil", name: "", size: 600 },
        Part { media: "text/plain", name: "text.txt", size: 40 },
        Part { media: "image/jpeg", name: "photo.jpg", size: 90_000 },
    ];
    let (to, from): (Party, Party) = ("+447700900123".parse().unwrap(), "bob@example.net".parse().unwrap());
    let headers = Headers((0..20).map(|n| (format!("X-Header-{n}"), "value".to_owned())).collect());
    let identity = Identity::User("bob".to_owned());
    let who = Who { to: &to, from: Some(&from), listener: "mail", identity: &identity, now: Timestamp(0) };
    let contents = Contents {
        size: 90_640,
        subject: "A photo from the harbour",
        class: Class::Personal,
        priority: Priority::Normal,
        kind: "personal",
        headers: &headers,
        parts: Parts::List(&parts),
    };
    let facts = Facts { who, contents, remembered: Remembered::default() };

    for rules in [1, 10, 100, 1000] {
        let text = (0..rules).fold(String::new(), |mut text, n| {
            writeln!(text, "[[rule]]\nname = \"{n}\"\nto = [\"+49{n}*\", \"*@host{n}.example\"]\nroute = [\"a\"]")
                .unwrap();
            text
        });
        let program = compile(&text, "");
        report(&format!("{rules} rules of two masks"), || program.decide(&facts).outcome == Outcome::NoRule);
        report("  the same, screened", || program.screen(&who) == Screen::NoRule);
    }
    let rows = (0..100_000).fold("prefix,partner\n".to_owned(), |mut rows, n| {
        writeln!(rows, "+44{n},p{n}").unwrap();
        rows
    });
    let program = compile("[[rule]]\nname = \"x\"\nto = { table = \"t\" }\nroute = [\"a\"]\n", &rows);
    report("a table of 100,000 prefixes", || program.decide(&facts).outcome != Outcome::NoRule);
    for (what, when) in WHENS {
        for rules in [1, 100] {
            let text = (0..rules).fold(String::new(), |mut text, n| {
                writeln!(text, "[[rule]]\nname = \"{n}\"\nwhen = '''{when}'''\nroute = [\"a\"]").unwrap();
                text
            });
            let program = compile(&text, "");
            report(&format!("{rules} × when, {what}"), || program.decide(&facts).outcome == Outcome::NoRule);
        }
    }
    let text = |rules: usize, body: &str| {
        (0..rules).fold(String::new(), |mut text, n| {
            writeln!(
                text,
                "[[rule]]\nname = \"{n}\"\nto = [\"+49{n}0*\", \"*@host{n}.example\"]\n{body}\nroute = [\"a\"]"
            )
            .unwrap();
            text
        })
    };
    for (what, rules, body) in
        [("masks", 10_000, String::new()), ("a when", 1000, format!("when = '''{}'''", WHENS[1].1))]
    {
        let text = text(rules, &body);
        let begun = Instant::now();
        compile(&text, "");
        println!(
            "{:<44} {:>12.1} µs each",
            format!("compiling {rules} rules with {what}"),
            begun.elapsed().as_secs_f64() * 1e6 / rules as f64
        );
    }
}

fn compile(text: &str, table: &str) -> Program {
    let sources = vec![Source { path: PathBuf::from("rules.toml"), text: text.to_owned() }];
    Program::compile(sources, |_, _| Ok(table.to_owned())).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn report(what: &str, mut decide: impl FnMut() -> bool) {
    let mut rounds: Vec<f64> = (0..9)
        .map(|_| {
            let (begun, used, mut times) = (Instant::now(), cpu_nanoseconds(), 0u32);
            while begun.elapsed().as_millis() < 50 {
                (0..16).for_each(|_| assert!(std::hint::black_box(decide())));
                times += 16;
            }
            (cpu_nanoseconds() - used) / f64::from(times)
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    println!("{what:<44} {:>12.0} ns", rounds[4]);
}

/// What this thread has used (Linux, Documentation/scheduler/sched-stats.rst).
fn cpu_nanoseconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().and_then(|used| used.parse().ok()).unwrap()
}
