//! The page a browser of today gets, and the pages that say why there is none.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use packetboat_api::message::Identity;
use packetboat_api::party::Party;
use packetboat_api::road::FetchError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{BROWSER, Draft, PATIENCE, Pages, Road, TOKEN, listener};

fn slides() -> Draft {
    let smil =
        r#"<smil><body><par><text src="b.txt"/><text src="c.txt"/></par><par><text src="a.txt"/></par></body></smil>"#;
    Draft::new()
        .with("application/smil", "x.smil", smil)
        .with("text/plain", "a.txt", "third")
        .with("text/plain", "b.txt", "first")
        .with("text/plain", "c.txt", "second")
        .with("text/plain", "d.txt", "unnamed")
}

/// Where each stands, in order of the page.
#[track_caller]
fn in_order(page: &str, words: &[&str]) {
    let places: Vec<_> =
        words.iter().map(|word| page.find(word).unwrap_or_else(|| panic!("no {word} in {page}"))).collect();
    assert!(places.is_sorted(), "{places:?} of {words:?}");
}

#[tokio::test]
async fn the_message_is_shown_in_the_order_of_its_slides() {
    let pages = Pages::open("operator = \"Example Mobile\"", slides()).await;
    let answer = pages.browse("").await;
    assert_eq!((answer.status, answer.field("content-type")), (200, Some("text/html; charset=utf-8")));
    let page = answer.text();
    in_order(
        page,
        &[
            "<title>hello</title>",
            "<h1",
            ">first<",
            ">second<",
            ">third<",
            ">unnamed<",
            "29 May 2026",
            "Example Mobile",
        ],
    );
    assert_eq!(page.matches("<section").count(), 3, "two slides and what none names");
    assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"), "{page}");
    assert!(!page.contains("<script"));
    assert!(!page.contains("+4477"), "no numbers (case J-01)");
}

#[tokio::test]
async fn a_mail_is_shown_as_the_message_it_would_have_become() {
    let mut mail = Draft::new()
        .with("text/html", "", "<p>Dear <b>Bob</b></p><p>See you</p><script>alert(1)</script>")
        .with("application/pdf", "map.pdf", "pdf");
    mail.identity = Identity::Anonymous;
    mail.from = Party::parse("ann@example.net");
    mail.from_field = "Ann Example <ann@example.net>".to_owned();
    let pages = Pages::open("reply = \"mail\"", mail).await;
    let answer = pages.browse("").await;
    in_order(answer.text(), &["Ann Example", "Dear Bob", "See you", "map.pdf"]);
    assert!(!answer.text().contains("alert"));
    assert!(answer.text().contains("mailto:ann@example.net?subject=Re%3A%20hello"), "{}", answer.text());
    assert_eq!(pages.below("1/save", "").await.body, "pdf");
}

/// Case J-01.
#[tokio::test]
async fn nothing_of_it_is_indexed_kept_or_told_to_others() {
    let pages = Pages::open("", slides()).await;
    let answer = pages.browse("").await;
    assert_eq!(answer.field("cache-control"), Some("private, no-store"));
    assert_eq!(answer.field("referrer-policy"), Some("no-referrer"));
    assert_eq!(answer.field("x-content-type-options"), Some("nosniff"));
    assert!(answer.field("x-robots-tag").is_some_and(|said| said.starts_with("noindex, nofollow, noarchive")));
    assert_eq!(answer.field("strict-transport-security"), None, "it came without TLS");
    let policy = answer.field("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'; img-src 'self'; media-src 'self'; style-src 'sha256-"), "{policy}");
    assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("script") && !policy.contains("unsafe"));
    let robots = pages.get("/robots.txt", "").await;
    assert_eq!(robots.body, "User-agent: *\nDisallow: /\n");

    let pages = Pages { secure: true, ..pages };
    assert_eq!(pages.browse("").await.field("strict-transport-security"), Some("max-age=31536000"));
}

#[tokio::test]
async fn who_sent_it_is_shown_as_the_settings_say() {
    let named = || {
        let mut draft = slides();
        draft.from_field = "\"Carol C.\" <+447700900124/TYPE=PLMN>".to_owned();
        draft
    };
    let shown = async |toml: &str, draft: Draft| {
        let page = Pages::open(toml, draft).await.browse("").await;
        (page.text().contains("Carol C."), page.text().contains("+447700900124"))
    };
    assert_eq!(shown("", named()).await, (true, false));
    assert_eq!(shown("", slides()).await, (false, false), "a number is no name");
    assert_eq!(shown("sender = \"address\"", slides()).await, (false, true));
    assert_eq!(shown("sender = \"hidden\"", named()).await, (false, false));
    let mut hidden = named();
    hidden.hide_sender = true;
    assert_eq!(shown("sender = \"address\"\nreply = \"sms\"", hidden).await, (false, false));
    let mut number = slides();
    number.from_field = "\"+44 7700 900124\" <+447700900124/TYPE=PLMN>".to_owned();
    let page = Pages::open("", number).await.browse("").await;
    assert!(!page.text().contains("7700"), "a number in the place of a name");
}

#[tokio::test]
async fn an_answer_goes_where_the_settings_say() {
    let reply = async |toml: &str| {
        let page = Pages::open(toml, slides()).await.browse("").await;
        let act = page.text().split("<a class=\"act\" href=\"").nth(1).map(str::to_owned);
        act.and_then(|rest| rest.split('"').next().map(str::to_owned))
    };
    assert_eq!(reply("").await, None);
    assert_eq!(reply("reply = \"sms\"").await.as_deref(), Some("sms:+447700900124"));
    assert_eq!(reply("reply = \"mms\"").await.as_deref(), Some("mms:+447700900124"));
    assert_eq!(reply("reply = \"mail\"").await, None);
    assert_eq!(reply("reply = \"mms\"\nreply_to = \"7777\"").await.as_deref(), Some("sms:7777"));
}

#[tokio::test]
async fn expired_link_says_so() {
    let pages = Pages::open("", slides()).await;
    for (error, status, words) in [
        (FetchError::Unknown, 404, "There is no message here"),
        (FetchError::Expired, 410, "This message has expired"),
        (FetchError::Gone, 410, "This message is no longer available"),
        (FetchError::TryLater, 503, "Please try again in a moment"),
    ] {
        *pages.road.fetch_error.lock().unwrap() = Some(error);
        let answer = pages.browse("").await;
        assert_eq!(answer.status, status);
        assert!(answer.text().contains(words), "{}", answer.text());
        assert_eq!(pages.below("0/640", "").await.status, status, "nor what belongs to it");
    }
    // It may also have been refused, or could not be delivered: no language says that it was withdrawn.
    *pages.road.fetch_error.lock().unwrap() = Some(FetchError::Gone);
    for (language, words) in [
        ("en", "Please ask the sender if you still need it."),
        ("de", "Bitte fragen Sie den Absender, wenn Sie sie noch brauchen."),
        ("es", "Consulte al remitente si aún lo necesita."),
        ("fi", "Kysy lähettäjältä, jos tarvitset sitä vielä."),
        ("fr", "Demandez à l’expéditeur si vous en avez encore besoin."),
        ("it", "Chiedi al mittente se ti serve ancora."),
        ("nl", "Vraag de afzender als u het nog nodig hebt."),
        ("sv", "Fråga avsändaren om du fortfarande behöver det."),
    ] {
        let answer = pages.browse(&format!("Accept-Language: {language}\r\n")).await;
        assert!(answer.text().contains(&format!(">{words}<")), "{language}: {}", answer.text());
    }
    *pages.road.fetch_error.lock().unwrap() = None;
    assert_eq!(pages.browse("").await.status, 200);
    // The road finds it until it has counted it as expired; the page does not wait for that.
    pages.road.clock.advance(Duration::from_secs(86_400));
    assert_eq!(pages.browse("").await.status, 410);
    for path in ["/", "/favicon.ico", &format!("/{}", &TOKEN[..12]), &format!("/{TOKEN}x"), &format!("/{TOKEN}/x/y")] {
        assert_eq!(pages.get(path, BROWSER).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn the_page_speaks_its_readers_language() {
    let pages = Pages::open("language = \"fi\"", slides()).await;
    for (accepted, code, words) in [
        ("", "fi", "asti"),
        ("Accept-Language: de-AT,en;q=0.8\r\n", "de", "Abrufbar bis 29. Mai 2026, 20:26 UTC."),
        ("Accept-Language: xx, en;q=0.3, fr;q=0.9\r\n", "fr", "29 mai 2026"),
        ("Accept-Language: xx\r\n", "fi", "29. toukokuuta 2026"),
    ] {
        let answer = pages.browse(accepted).await;
        assert!(answer.text().contains(&format!("<html lang=\"{code}\">")), "{accepted}");
        assert!(answer.text().contains(words), "{accepted}: {}", answer.text());
    }
}

/// The hot path: a page that was made is not made again.
#[tokio::test]
async fn a_page_costs_one_look_at_the_store() {
    let pages = Pages::open("", slides()).await;
    pages.browse("").await;
    pages.road.ranges.lock().unwrap().clear();
    *pages.road.fetches.lock().unwrap() = 0;
    let first = pages.browse("").await.body;
    assert_eq!((pages.browse("").await.body, *pages.road.fetches.lock().unwrap()), (first, 2));
    assert_eq!(*pages.road.ranges.lock().unwrap(), [], "nothing is read");
}

#[tokio::test]
async fn too_many_requests_are_put_off() {
    let pages = Pages::open("requests_per_message = 3", slides()).await;
    for _ in 0..3 {
        assert_eq!(pages.browse("").await.status, 200);
    }
    let answer = pages.browse("").await;
    assert_eq!((answer.status, answer.field("retry-after")), (429, Some("21")));
    assert!(answer.text().contains("Too many requests"));
    pages.road.clock.advance(Duration::from_secs(20));
    assert_eq!(pages.browse("").await.status, 200);

    // Whoever guesses is stopped, and nobody else: not even a reader behind the same address.
    let toml = "misses_per_address = 2\ntrusted_proxies = [\"127.0.0.0/8\"]";
    let pages = Pages::open(toml, slides()).await;
    let guess = "/Bbcdefghijkl0123456789";
    let from = |address: &str| format!("{BROWSER}X-Forwarded-For: 192.0.2.1, {address}\r\n");
    for _ in 0..2 {
        assert_eq!(pages.get(guess, &from("198.51.100.7")).await.status, 404);
    }
    let stopped = pages.get(guess, &from("198.51.100.7")).await;
    assert_eq!((stopped.status, stopped.field("retry-after")), (429, Some("31")));
    assert_eq!(pages.get(guess, &from("198.51.100.8")).await.status, 404);
    for reader in ["198.51.100.7", "198.51.100.8", "2001:db8::1"] {
        assert_eq!(pages.get(&format!("/{TOKEN}"), &from(reader)).await.status, 200, "{reader}");
    }
    assert_eq!(pages.get(guess, &from("198.51.100.7")).await.status, 429, "a message that is there buys no guesses");
}

#[tokio::test]
async fn a_connection_is_kept_until_the_daemon_drains() {
    let pages = Pages::open("", slides()).await;
    let (mut client, served) = pages.connect().await;
    let request = format!("GET /{TOKEN} HTTP/1.1\r\nHost: x\r\n{BROWSER}\r\n");
    let mut buffer = vec![0; 1 << 16];
    for _ in 0..2 {
        client.write_all(request.as_bytes()).await.unwrap();
        let mut said = Vec::new();
        while !String::from_utf8_lossy(&said).contains("</html>") {
            let read = tokio::time::timeout(PATIENCE, client.read(&mut buffer)).await.expect("an answer").unwrap();
            assert_ne!(read, 0, "it closed");
            said.extend_from_slice(&buffer[..read]);
        }
    }
    pages.drain.cancel();
    tokio::time::timeout(PATIENCE, served).await.expect("it ends").unwrap();
}

#[tokio::test]
async fn what_is_wrong_in_the_settings_is_named() {
    let road = Arc::new(Road::default());
    let build = |toml: &str| listener(&road, Path::new(""), toml);
    for (bad, said) in [
        ("public_url = \"pic.example.net\"", "listener.pages.public_url: \"pic.example.net\" must be absolute"),
        ("public_url = \"https://pic.example.net/?x\"", "have no query"),
        ("language = \"xx\"", "there are no words in \"xx\"; there are: en, de,"),
        ("reply_to = \"?\"", "listener.pages.reply_to: \"?\" is neither a number nor a mail address"),
        ("secret = { file = \"/nowhere\" }", "the secret file /nowhere cannot be read"),
        ("foward_lock = true", "did you mean \"forward_lock\""),
    ] {
        let error = build(bad).err().unwrap_or_default();
        assert!(error.contains(said), "{bad}: {error}");
    }
    assert_eq!(build("").expect("defaults").check(), [""; 0]);
    let doubts = build("public_url = \"http://pic.example.net\"\nforward_lock = true\ntls_certificate = \"x\"");
    assert_eq!(doubts.expect("a listener").check().len(), 4);
    let behind = |listen: &str, more: &str| {
        let toml = format!("public_url = \"https://pic.example.net\"\nlisten = [{listen}]\n{more}");
        build(&toml).expect("a listener").check()
    };
    for loopback in ["\"127.0.0.1:8081\"", "\"[::1]:8081\", \"localhost:8081\""] {
        let doubts = behind(loopback, "");
        assert!(matches!(&doubts[..], [doubt] if doubt.contains("trusted_proxies")), "{loopback}: {doubts:?}");
        assert_eq!(behind(loopback, "trusted_proxies = [\"127.0.0.0/8\"]"), [""; 0]);
        assert_eq!(behind(loopback, "proxy_protocol = [\"127.0.0.0/8\"]"), [""; 0]);
    }
    assert_eq!(behind("\"127.0.0.1:8081\", \"0.0.0.0:8082\"", ""), [""; 0], "not only a web server reaches it");
    let toml = "public_url = \"https://pic.example.net/m/\"\ntrusted_proxies = [\"127.0.0.0/8\"]";
    let well = build(toml).expect("a listener");
    assert_eq!(well.check(), [""; 0]);
    assert_eq!(
        well.pages().and_then(|door| door.url().map(str::to_owned)).as_deref(),
        Some("https://pic.example.net/m")
    );
}
