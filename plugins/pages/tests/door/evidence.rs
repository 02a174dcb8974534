//! What counts as opened, and what does not.

use packetboat_api::evidence::Fact;
use packetboat_api::memory::Sighting;

use crate::support::{BOB, BROWSER, Draft, Pages, TOKEN};

fn hello() -> Draft {
    Draft::new().with("text/plain", "", "a secret of Carol's")
}

#[tokio::test]
async fn a_page_that_is_laid_out_was_opened() {
    let pages = Pages::open("", hello()).await;
    assert!(pages.browse("").await.text().contains("Carol"));
    assert_eq!(pages.road.facts(), [], "it was fetched, by whomever");
    let seen = pages.below("seen", "Sec-Fetch-Site: same-origin\r\n").await;
    assert_eq!((seen.status, seen.field("content-type")), (200, Some("image/gif")));
    assert_eq!(pages.road.facts(), [Fact::LinkOpened]);
    pages.browse("").await;
    pages.below("seen", "").await;
    assert_eq!(pages.road.facts(), [Fact::LinkOpened], "once is enough");
    let opened = Sighting { opened_link: true, ..Sighting::default() };
    assert_eq!(
        *pages.road.sightings.lock().unwrap(),
        [(BOB.to_owned(), opened)],
        "and no browser in place of the phone"
    );
}

#[tokio::test]
async fn what_was_not_fetched_before_was_not_laid_out() {
    let pages = Pages::open("", hello()).await;
    pages.below("seen", "").await;
    assert_eq!(pages.road.facts(), [], "nobody saw a page");
    pages.browse("").await;
    pages.below("seen", "Sec-Fetch-Site: cross-site\r\n").await;
    let other = "User-Agent: Mozilla/5.0 (iPhone)\r\nAccept: image/*\r\n";
    pages.get(&format!("/{TOKEN}/seen"), other).await;
    assert_eq!(pages.road.facts(), [], "from another site, by another browser");
    pages.below("seen", "").await;
    assert_eq!(pages.road.facts(), [Fact::LinkOpened]);
}

#[tokio::test]
async fn preview_robot_is_not_a_reader() {
    let pages = Pages::open("", hello()).await;
    let accept = "Accept: text/html,*/*\r\n";
    let robots = [
        "facebookexternalhit/1.1 Facebot Twitterbot/1.0",
        "WhatsApp/2.23.20.0 A",
        "TelegramBot (like TwitterBot)",
        "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
        "Mozilla/5.0 (Macintosh) AppleWebKit/601.2.4 Version/9.0.1 Safari/601.2.4 facebookexternalhit/1.1",
        "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
        "curl/8.0",
    ];
    let mut requests: Vec<String> = robots.iter().map(|robot| format!("User-Agent: {robot}\r\n{accept}")).collect();
    requests.push(accept.to_owned()); // no name at all
    requests.push("User-Agent: Mozilla/5.0 Chrome/142\r\nAccept: */*\r\n".to_owned());
    requests.push("User-Agent: Mozilla/5.0 Chrome/142\r\n".to_owned());
    requests.push(format!("{BROWSER}Sec-Purpose: prefetch;prerender\r\n"));
    requests.push(format!("{BROWSER}Purpose: prefetch\r\n"));
    for fields in &requests {
        let answer = pages.get(&format!("/{TOKEN}"), fields).await;
        let page = answer.text();
        assert_eq!(answer.status, 200, "{fields}");
        assert!(page.contains("<title>A picture message</title>") && page.contains("noindex"), "{fields}: {page}");
        for private in ["Carol", "hello", "<img", "og:", "seen\"", "+4477"] {
            assert!(!page.contains(private), "{fields}: {private}");
        }
        pages.get(&format!("/{TOKEN}/seen"), fields).await;
    }
    let head = format!("HEAD /{TOKEN} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{BROWSER}\r\n");
    let head = pages.ask(&head).await;
    assert_eq!((head.status, head.body.len()), (200, 0));
    assert_eq!(pages.road.facts(), []);
    assert!(pages.road.sightings.lock().unwrap().is_empty());
    // After all of them, a person.
    pages.browse("").await;
    pages.below("seen", "").await;
    assert_eq!(pages.road.facts(), [Fact::LinkOpened]);
}

/// No list is perfect: who is taken for a robot presses a button.
#[tokio::test]
async fn a_person_taken_for_a_robot_gets_through() {
    let pages = Pages::open("", hello()).await;
    let odd = "User-Agent: Previewer of things 1.0\r\nAccept: text/html\r\n";
    let waiting = pages.get(&format!("/{TOKEN}"), odd).await;
    assert!(waiting.text().contains(&format!("<form method=\"post\" action=\"{TOKEN}\">")), "{}", waiting.text());
    let pressed = pages.press("").await;
    assert_eq!((pressed.status, pressed.field("location")), (303, Some(TOKEN)));
    assert_eq!(pages.road.facts(), [Fact::LinkOpened], "a person did that");
    let shown = pages.get(&format!("/{TOKEN}"), &format!("{odd}{}", pressed.cookie())).await;
    assert!(shown.text().contains("Carol"));
    assert!(!pages.get(&format!("/{TOKEN}"), odd).await.text().contains("Carol"), "not without its cookie");
}
