//! A link to a message whose time is over, that was withdrawn, or that never was, says so in words a person understands.
//! Case J-01.

use crate::node::{BOB, CAROL, Node, mail_to, post, wait_for_state};
use packetboat_harness::peers::chromium::PHONE;
use packetboat_harness::{DEADLINE, Scene, SmsTap, http, wait_for};

const RULES: &str = "[[rule]]\nname = \"links\"\nto = [\"+447700900*\"]\nroute = [\"wap_push\"]\n";

fn ask(url: &str) -> http::Reply {
    http::Request::new("GET", url).field("User-Agent", PHONE).field("Accept", "text/html,*/*").send()
}

#[test]
fn expired_link_says_so() {
    let scene = Scene::new("expired_link_says_so");
    let tap = SmsTap::start();
    let daemon = Node::new(&scene, &tap).with_links().rules(RULES).start();

    let mail = mail_to(BOB).subject("for a moment").text("hello").field("X-Mms-Expiry", "3");
    post(&daemon, &mail);
    let link = tap.wait_for_link(BOB);
    let page = ask(&link).expect_status(200);
    assert!(page.text().contains("hello"));
    assert!(page.field("X-Robots-Tag").is_some_and(|value| value.contains("noindex")));
    assert!(page.field("Content-Security-Policy").is_some_and(|value| value.contains("default-src 'none'")));
    assert!(page.field("Referrer-Policy").is_some_and(|value| value == "no-referrer"));
    wait_for_state(&daemon, mail.message_id(), BOB, "expired");
    let gone = wait_for(DEADLINE, "the page to be gone", || Some(ask(&link)).filter(|reply| reply.status == 410));
    assert!(gone.text().to_lowercase().contains("expired"), "{}", gone.text());
    assert!(!gone.text().contains("hello"));

    let mail = mail_to(CAROL).subject("withdrawn").text("secret");
    post(&daemon, &mail);
    let link = tap.wait_for_link(CAROL);
    ask(&link).expect_status(200);
    assert_eq!(daemon.cli_json(&["queue", "revoke", mail.message_id()])["withdrawn"], 1);
    let gone = ask(&link);
    assert_eq!((gone.status, gone.text().contains("secret")), (410, false), "{}", gone.text());
    assert_eq!(daemon.cli_json(&["queue", "revoke", mail.message_id()])["withdrawn"], 0);

    let (base, token) = link.rsplit_once('/').expect("a token");
    let other: String = token.chars().rev().collect();
    assert_eq!(ask(&format!("{base}/{other}")).status, 404);
    assert_eq!(ask(&format!("{base}/robots.txt")).text(), "User-agent: *\nDisallow: /\n");
}
