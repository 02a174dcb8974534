//! Programs that look at links before people do learn nothing of the message, and are not taken for its reader.

use crate::node::{BOB, Node, mail_to, post, steps, wait_for_step};
use packetboat_harness::peers::Chromium;
use packetboat_harness::peers::chromium::PHONE;
use packetboat_harness::wait::never_within;
use packetboat_harness::{Peer, Scene, SmsTap, http};
use std::time::Duration;

const RULES: &str = "[[rule]]\nname = \"links\"\nto = [\"+447700900*\"]\nroute = [\"wap_push\"]\n";
/// As they really introduce themselves; iMessage's preview says it is two of the others.
const ROBOTS: [&str; 8] = [
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "WhatsApp/2.23.20.0 A",
    "TelegramBot (like TwitterBot)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_11_1) AppleWebKit/601.2.4 (KHTML, like Gecko) Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1 Facebot Twitterbot/1.0",
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "curl/8.5.0",
    "python-requests/2.31.0",
];

#[test]
fn preview_robot_is_not_a_reader() {
    let Some(scene) = Scene::with_peers("preview_robot_is_not_a_reader", &[Peer::Chromium]) else { return };
    let tap = SmsTap::start();
    let daemon = Node::new(&scene, &tap).with_links().rules(RULES).start();
    let mail = mail_to(BOB).subject("Confidential").text("between us");
    post(&daemon, &mail);
    let link = tap.wait_for_link(BOB);

    for robot in ROBOTS {
        let ask = |url: &str| {
            http::Request::new("GET", url).field("User-Agent", robot).field("Accept", "text/html,*/*").send()
        };
        let page = ask(&link).expect_status(200);
        for word in ["Confidential", "between us", "og:image", "mail.test"] {
            assert!(!page.text().contains(word), "{robot} reads {word:?}:\n{}", page.text());
        }
        ask(&format!("{link}/seen"));
    }
    // A browser without a person before it says so too, and one that only looks ahead.
    let headless = Chromium::new(&scene).unmasked().open(&link);
    assert!(!headless.contains("between us"), "{headless}");
    let ahead = http::Request::new("GET", &link).field("User-Agent", PHONE).field("Accept", "text/html");
    let ahead = ahead.field("Sec-Purpose", "prefetch;prerender").send();
    assert!(!ahead.text().contains("between us"), "{}", ahead.text());
    http::Request::new("HEAD", &link).field("User-Agent", PHONE).send().expect_status(200);
    never_within(Duration::from_millis(500), "a robot taken for a reader", || {
        steps(&daemon.trace(mail.message_id()), BOB).contains(&"link_opened".to_owned())
    });

    let page = Chromium::new(&scene).open(&link);
    assert!(page.contains("between us"), "{page}");
    wait_for_step(&daemon, mail.message_id(), BOB, "link_opened");
}
