//! What goes to the phone: the right kind for it, within one short message where that can be done.

use std::sync::Arc;

use packetboat_api::memory::{Handset, Profile};
use packetboat_api::party::Msisdn;
use packetboat_api::roles::{Job, SmsBody, Verdict};
use packetboat_plugin_wap_push::words::short_messages;
use packetboat_push::{ApplicationId, Indication, Push, ServiceLoading, fits_one_sms};

use crate::support::{BOB, NOW, Radio, TOKEN, URL, good_radio, job, party, transport};

async fn sent(radio: &Arc<Radio>, known: Option<Handset>, toml: &str, job: Job) -> SmsBody {
    let verdicts = transport(Some(URL), radio, known, toml).unwrap().deliver(&[job]).await;
    assert!(matches!(verdicts[0], Verdict::Notified { .. }), "{verdicts:?}");
    radio.sent.lock().unwrap().pop().unwrap().body
}

async fn text(toml: &str, job: Job) -> String {
    match sent(&good_radio(), None, toml, job).await {
        SmsBody::Text(text) => text,
        other => panic!("not a text: {other:?}"),
    }
}

fn push(body: SmsBody) -> Push {
    match body {
        SmsBody::Push(octets) => {
            assert!(fits_one_sms(octets.len()), "{} octets", octets.len());
            Push::parse(&octets).unwrap()
        }
        other => panic!("not a push: {other:?}"),
    }
}

fn named(name: &str) -> Job {
    let mut job = job(Some("Holiday"));
    Arc::make_mut(&mut job.message).mail.headers.push("From", format!("\"{name}\" <ann@example.net>"));
    job
}

/// Case A-10.
#[tokio::test]
async fn a_text_fits_one_short_message() {
    let link = format!("Open it until 2026-05-31: {URL}/{TOKEN}");
    assert_eq!(
        text("", job(Some("Holiday"))).await,
        format!("+447700900124 sent you a picture message: Holiday. {link}")
    );
    assert_eq!(text("", job(None)).await, format!("+447700900124 sent you a picture message. {link}"));
    assert_eq!(
        text("", named("Ann Example")).await,
        format!("Ann Example sent you a picture message: Holiday. {link}")
    );
    let long = text("", job(Some(&"long ".repeat(40)))).await;
    assert!(long.contains(&format!(": {}. {link}", "long ".repeat(8).trim_end())), "cut: {long}");
    let mut talkative = named("Ann with a very long name, in fact so long that it is cut");
    Arc::make_mut(&mut talkative.message).traits.subject = Some("Holiday by the lake where we were in May".to_owned());
    let named = text("", talkative).await;
    assert!(named.starts_with("Ann with a very long name, in fact so lo") && !named.contains("Holiday"), "{named}");
    assert_eq!(short_messages(&named), Some(1), "the subject goes first");
    let slow = format!("{{{{ sender }}}} {{{{ subject }}}} {} {{{{ url }}}}", "x".repeat(105));
    let bare = text(&format!("text = \"{slow}\""), job(Some("Holiday"))).await;
    assert!(!bare.contains("Holiday") && !bare.contains("+44"), "then the sender: {bare}");
    // What needs UCS-2 would need two.
    let greek = text("", job(Some("Καλημέρα σας"))).await;
    assert_eq!((short_messages(&greek), greek.contains("Καλη")), (Some(1), false));
    let folded = text("", job(Some("two\r\nlines\u{0}"))).await;
    assert!(folded.contains(": two lines. "), "{folded}");
}

/// The only link in the operator's text is the operator's.
#[tokio::test]
async fn strangers_put_no_links_in_the_text() {
    let bare = format!("+447700900124 sent you a picture message. Open it until 2026-05-31: {URL}/{TOKEN}");
    for link in [
        "Pay at https://bank.example/x",
        "HTTP://192.0.2.1",
        "ftp://x",
        "see WWW.bank",
        "bank.example",
        "Your bank.example/login",
        "(bank-secure.co.uk)",
        "now!bank.example:8443",
        "b\u{200B}ank.exa\u{AD}mple",
        "bank\u{FF0E}example",
        "пример.рф",
        "bank.xn--p1ai",
        "192.0.2.1/pay",
        "ann@bank.example",
    ] {
        assert_eq!(text("", job(Some(link))).await, bare, "{link}");
        let mut from = named(link);
        Arc::make_mut(&mut from.message).traits.subject = None;
        assert_eq!(text("", from.clone()).await, bare, "{link}");
        let indicated = push(sent(&good_radio(), None, "link = \"si\"", from).await);
        assert_eq!(Indication::from_wbxml(&indicated.payload).unwrap().text, "Picture message from +447700900124");
    }
    // What is cut off is left out with the rest.
    let late = format!("{} bank.example", "x".repeat(50));
    assert_eq!(text("", job(Some(&late))).await, bare);
    for harmless in ["J. R. Smith", "Dr. Ann", "24.12.2026", "e.g. 3.50 or 1.5kg", "So... what?", "and/or: U.S.A."] {
        assert!(text("", job(Some(harmless))).await.contains(&format!("message: {harmless}. Open")), "{harmless}");
        assert!(text("", named(harmless)).await.starts_with(&format!("{harmless} sent")), "{harmless}");
    }
}

#[tokio::test]
async fn nothing_turns_the_text_round() {
    let turned = text("", job(Some("a\u{202E}b\u{2066}c\u{7}d"))).await;
    assert!(turned.contains(": a b c d. Open"), "{turned}");
    let named = text("", named("A\u{202E}nn\u{2069}")).await;
    assert!(named.starts_with("A nn sent"), "{named}");
}

#[tokio::test]
async fn a_sender_without_a_name_is_an_address() {
    let mut job = job(None);
    Arc::make_mut(&mut job.message).envelope.from = Some(party("ann@mail.example"));
    assert!(text("", job.clone()).await.starts_with("ann@mail.example sent you"));
    Arc::make_mut(&mut job.message).envelope.from = Some(party("www.bank.example/pay@mail.example"));
    assert!(text("", job).await.starts_with("You have a picture message"));
}

#[tokio::test]
async fn what_does_not_fit_anyhow_goes_whole() {
    let toml = "text = \"Привет {{ sender }} {{ subject }} {{ url }} и ещё много слов, которые не помещаются\"";
    let said = text(toml, job(Some("Тема"))).await;
    assert!(said.contains("+447700900124") && said.contains("Тема"), "{said}");
    assert_eq!(short_messages(&said), Some(2));
}

#[tokio::test]
async fn who_is_hidden_is_not_named() {
    let mut hidden = named("Ann");
    Arc::make_mut(&mut hidden.message).traits.hide_sender = true;
    let said = text("", hidden).await;
    assert!(said.starts_with("You have a picture message: Holiday."), "{said}");
    let said = text("show_sender = false\nshow_subject = false", named("Ann")).await;
    assert!(said.starts_with("You have a picture message. Open"), "{said}");
}

#[tokio::test]
async fn a_service_indication_has_its_link_and_its_dates() {
    let push = push(sent(&good_radio(), None, "link = \"si\"", job(Some("Holiday"))).await);
    assert_eq!(
        (push.content_type.essence(), &push.application_id),
        ("application/vnd.wap.sic", &Some(ApplicationId::BROWSER))
    );
    let indication = Indication::from_wbxml(&push.payload).unwrap();
    assert_eq!(indication.href, Some(format!("{URL}/{TOKEN}")));
    assert_eq!(indication.text, "Picture message from +447700900124: Holiday");
    assert_eq!((indication.created, indication.expires), (Some(NOW.seconds()), Some(NOW.seconds() + 3 * 86_400)));
}

#[tokio::test]
async fn an_indication_fits_one_short_message_too() {
    let long = job(Some("A subject that is rather long for this"));
    let body = sent(&good_radio(), None, "link = \"si\"", long).await;
    let indication = Indication::from_wbxml(&push(body).payload).unwrap();
    assert_eq!(indication.text, "Picture message from +447700900124");
}

#[tokio::test]
async fn service_loading_has_its_address() {
    let push = push(sent(&good_radio(), None, "link = \"sl\"", job(None)).await);
    let loading = ServiceLoading::from_wbxml(&push.payload).unwrap();
    assert_eq!(loading.href, format!("{URL}/{TOKEN}"));
}

#[tokio::test]
async fn the_link_suits_the_phone() {
    let phone = |agent: &str, accepts: &[&str], screen: Option<(u32, u32)>| {
        let profile = screen.map(|screen| Profile { screen: Some(screen), ..Profile::default() });
        Handset {
            user_agent: (!agent.is_empty()).then(|| agent.to_owned()),
            accepts: accepts.iter().map(|accept| (*accept).to_owned()).collect(),
            profile,
            ..Handset::new(Msisdn::new(BOB).unwrap(), NOW)
        }
    };
    let wml = ["image/jpeg", "text/vnd.wap.wml"];
    for (handset, indicated) in [
        (phone("Nokia6230/2.0 (04.44) Profile/MIDP-2.0 Configuration/CLDC-1.1", &[], None), true),
        (phone("SonyEricssonK750i/R1CA", &[], None), true),
        (phone("LGE-CU8080 Obigo/WAP2.0", &[], None), true),
        (phone("Android-Mms/2.0", &wml, Some((240, 320))), false),
        (phone("SM-G991B", &[], Some((1080, 2400))), false),
        (phone("SomePhone/1.0", &[], Some((176, 220))), true),
        (phone("SomePhone/1.0", &wml, None), true),
        (phone("SomePhone/1.0", &["image/jpeg"], None), false),
        (phone("", &[], None), false),
    ] {
        let body = sent(&good_radio(), Some(handset.clone()), "", job(None)).await;
        assert_eq!(matches!(body, SmsBody::Push(_)), indicated, "{handset:?}");
        let forced = sent(&good_radio(), Some(handset), "link = \"text\"", job(None)).await;
        assert!(matches!(forced, SmsBody::Text(_)), "by setting");
    }
}

#[tokio::test]
async fn a_bearer_without_texts_gets_an_indication() {
    for toml in ["", "link = \"text\""] {
        let radio = Arc::new(Radio { texts: false, ..Arc::into_inner(good_radio()).unwrap() });
        assert!(matches!(sent(&radio, None, toml, job(None)).await, SmsBody::Push(_)), "{toml}");
    }
}
