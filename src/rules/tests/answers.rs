//! What callers of a program get: screens, transports, real messages, files on disk.

use std::fs;
use std::path::{Path, PathBuf};

use packetboat_api::clock::Timestamp;
use packetboat_api::delivery::Step;
use packetboat_api::id::MessageId;
use packetboat_api::message::{
    Class, ContentRef, Envelope, Identity, Kind, Message, Priority, Recipient, Span, Traits,
};
use packetboat_api::mime::{Disposition, Entity, Headers, Mail, MediaType};
use packetboat_api::party::Party;
use packetboat_api::settings::Source;
use packetboat_rules::{Facts, Outcome, Program, Screen, Who, Why, limits};

fn program(text: &str) -> Program {
    let sources = vec![Source { path: PathBuf::from("rules.toml"), text: text.to_owned() }];
    Program::compile(sources, |_, _| Err("cannot be opened".to_owned())).unwrap_or_else(|errors| panic!("{errors:?}"))
}

fn screen<'p>(program: &'p Program, to: &str) -> Screen<'p> {
    let (to, identity) = (to.parse().unwrap(), Identity::Anonymous);
    program.screen(&Who { to: &to, from: None, listener: "mail", identity: &identity, now: Timestamp(0) })
}

fn message(subject: &str, parts: &[(&str, &str, u64)]) -> Message {
    let mut start = 0;
    let leaves = parts.iter().map(|(media, name, length)| {
        let mut leaf = Entity::leaf(MediaType::new(media), Span { start, length: *length });
        leaf.disposition = Some(Disposition { kind: "inline".to_owned(), filename: Some((*name).to_owned()) });
        start += length;
        leaf
    });
    let root = Entity::multipart(MediaType::new("multipart/mixed"), leaves.collect());
    Message {
        id: MessageId(1),
        kind: Kind::Personal,
        received: Timestamp(0),
        listener: "mail".to_owned(),
        identity: Identity::User("bob".to_owned()),
        envelope: Envelope {
            from: "bob@example.net".parse().ok(),
            recipients: vec![Recipient::plain("+447700900123".parse().unwrap())],
            ..Envelope::default()
        },
        traits: Traits {
            message_id: "1@example.net".to_owned(),
            subject: Some(subject.to_owned()),
            class: Class::Informational,
            priority: Priority::High,
            expires: Timestamp(1),
            deliver_after: None,
            read_report: false,
            hide_sender: false,
        },
        mail: Mail { headers: Headers(vec![("X-Origin".to_owned(), "office".to_owned())]), root },
        content: ContentRef { length: start, ..ContentRef::default() },
    }
}

#[test]
fn a_program_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Program>();
}

#[test]
fn a_recipient_is_screened_before_the_message_is_known() {
    let program = program(
        r#"
        [[rule]]
        name = "not after hours"
        when = 'now.hour >= 18'
        reject = "closed"
        [[rule]]
        name = "no films"
        to = "+44*"
        when = 'message.parts.exists(p, p.type.startsWith("video/"))'
        reject = "no films"
        [[rule]]
        name = "barred"
        to = "+4477009009*"
        reject = "barred"
        [[rule]]
        name = "small"
        to = "+44*"
        when = 'message.size < 1000'
        route = ["direct"]
        [[rule]]
        name = "phones of users only"
        to = "+49*"
        when = 'identity.kind == "user" && message.size < 1000'
        route = ["direct"]
        "#,
    );
    assert_eq!(screen(&program, "+447700900900"), Screen::Rejected { rule: "barred", text: "barred" });
    assert_eq!(screen(&program, "+447700900123"), Screen::Taken, "it may be small");
    assert_eq!(screen(&program, "+491711234567"), Screen::NoRule, "whatever the size, nobody vouches for the sender");
    assert_eq!(screen(&program, "+33612345678"), Screen::NoRule);
}

#[test]
fn a_message_is_decided_from_what_it_holds() {
    let program = program(
        r#"
        [[rule]]
        name = "everything at once"
        to = "+4477*"
        from = "*@example.net"
        when = '''
        message.size == 30 && message.subject == "Hello" && message.class == "informational"
        && message.priority == "high" && message.kind == "personal" && message.headers["x-origin"] == "office"
        && message.headers["x-other"] == "" && message.parts.size() == 2 && message.parts[1].name == "a.jpg"
        && message.parts.map(p, p.type) == ["text/plain", "image/jpeg"] && message.parts[1].size == 20
        && to.number == "+447700900123" && to.kind == "phone" && to.domain == "" && to.local == ""
        && from.kind == "mail" && from.local == "bob" && from.domain == "example.net" && from.number == ""
        && from.address == "bob@example.net" && listener == "mail" && identity.kind == "user"
        && identity.name == "bob" && now.date == "1970-01-02" && now.hour == 10 && now.minute == 17
        && now.weekday == "fri" && now.seconds == 123456
        '''
        route = [{ via = "direct", wait = "90s" }, "mail"]
        "#,
    );
    let (message, to) = (message("Hello", &[("text/plain", "", 10), ("image/jpeg", "a.jpg", 20)]), "+447700900123");
    let to: Party = to.parse().unwrap();
    let facts = Facts::of(&message, &to, Timestamp(123_456_789));
    let steps =
        [Step { via: "direct".to_owned(), wait_ms: Some(90_000) }, Step { via: "mail".to_owned(), wait_ms: None }];
    let decision = program.decide(&facts);
    assert_eq!(
        decision.outcome,
        Outcome::Route { rule: "everything at once", steps: &steps, provision: None },
        "{:?}",
        decision.trace
    );
    assert!(decision.trace.is_empty());
    let why: Vec<Why> = program.explain(&facts).trace.into_iter().map(|looked| looked.why).collect();
    assert_eq!(why, [Why::Matches]);
}

#[test]
fn a_failing_when_is_told_without_being_asked() {
    let program = program("[[rule]]\nname = \"x\"\nwhen = '1 / message.size == 1'\nroute = [\"a\"]\n");
    let (message, to) = (message("", &[]), "7777".parse().unwrap());
    let decision = program.decide(&Facts::of(&message, &to, Timestamp(0)));
    assert_eq!(decision.outcome, Outcome::NoRule);
    assert_eq!(decision.explain(), "rules.toml:1 \"x\": `when` failed: division by zero\nno rule matches\n");
}

#[test]
fn unknown_transports_are_named_with_the_nearest() {
    let program = program("[[rule]]\nname = \"x\"\nroute = [\"direct\", { via = \"wap-push\" }, \"fax\"]\n");
    let errors = program.check_transports(&["direct", "wap_push", "mail"]);
    let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(
        errors,
        [
            "rules.toml:3:20: rule \"x\".route: unknown transport \"wap-push\"; did you mean \"wap_push\"?",
            "rules.toml:3:42: rule \"x\".route: unknown transport \"fax\"; valid here: direct, wap_push, mail",
        ]
    );
}

#[test]
fn files_are_found_by_pattern_in_name_order() {
    let folder = tempfile::tempdir().unwrap();
    let put = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    fs::create_dir(folder.path().join("rules")).unwrap();
    put("rules/20-b.toml", "[[rule]]\nname = \"b\"\nto = { table = \"numbers\" }\nroute = [\"b\"]\n");
    put("rules/10-a.toml", "[[rule]]\nname = \"a\"\nto = \"+1*\"\nroute = [\"a\"]\n");
    put("rules/numbers.csv", "prefix\n+44\n");
    put("rules/.10-a.toml.swp", "not for us");
    put("last.toml", "[[rule]]\nname = \"c\"\nreject = \"no\"\n");
    let program = Program::load(&["rules/*.toml", "rules/10-*.toml", "last.toml"], folder.path()).unwrap();
    let names: Vec<_> = program.files().iter().map(|file| file.strip_prefix(folder.path()).unwrap()).collect();
    assert_eq!(names, [Path::new("rules/10-a.toml"), Path::new("rules/20-b.toml"), Path::new("last.toml")]);
    assert_eq!((program.len(), program.is_empty()), (3, false));
    assert_eq!(screen(&program, "+447700900123"), Screen::Taken);

    let errors = Program::load(&["rulez/*.toml", "rules/30*.toml"], folder.path()).unwrap_err();
    assert_eq!(errors.len(), 2, "{errors:?}");
    assert!(errors[1].to_string().ends_with("rules/30*.toml: no file is called so"), "{}", errors[1]);
    let errors = Program::load(&["missing.toml", "rules/numbers.csv"], folder.path()).unwrap_err();
    assert_eq!(errors.len(), 2, "a missing file does not hide the mistakes of another: {errors:?}");
}

#[test]
fn everything_has_a_maximum() {
    let refused = |text: String| {
        let sources = vec![Source { path: PathBuf::from("rules.toml"), text }];
        let errors = Program::compile(sources, |_, _| Ok(String::new())).unwrap_err();
        errors.into_iter().map(|error| error.message).collect::<Vec<_>>().join("; ")
    };
    let rule = |key: &str, value: &str| format!("[[rule]]\nname = \"x\"\n{key} = {value}\n");
    let many = |one: &str, count: usize| format!("[{}]", vec![one; count].join(", "));
    let masks = rule("to", &many("\"+44*\"", limits::MASKS + 1)) + "route = [\"a\"]";
    assert_eq!(refused(masks), "there are more than 1000 masks; put them into a table");
    assert_eq!(refused(rule("route", &many("\"a\"", limits::ROUTE_STEPS + 1))), "a route has at most 10 steps");
    let long = "x".repeat(limits::REJECT_LENGTH + 1);
    assert!(refused(rule("reject", &format!("\"{long}\""))).contains("1 to 400"));
    let when = rule("when", &format!("'true{}'", " || true".repeat(limits::WHEN_LENGTH / 8))) + "route = [\"a\"]";
    assert_eq!(refused(when), "`when` has more than 4000 characters");
    let rules = (0..=limits::RULES).map(|n| format!("[[rule]]\nname = \"{n}\"\nreject = \"no\"\n")).collect();
    assert_eq!(refused(rules), "there are 10001 rules; the most is 10000");
}

#[test]
fn the_rule_file_we_ship_passes_its_own_tests() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/rules");
    let program = Program::load(&["*.toml"], &folder).unwrap();
    assert_eq!(program.warnings(), []);
    assert_eq!(program.check_transports(&["direct", "mail"]), []);
    let results = program.run_tests();
    assert!(results.len() >= 4 && results.iter().all(|result| result.ok), "{results:?}");
}
