//! What is submitted, and what a gateway's answers mean.

mod support;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use packetboat_api::message::Priority;
use packetboat_api::roles::{Bearer, BearerError, Health, Sms, SmsBody};
use packetboat_push::pap::{self, DeliveryMethod, PushMessage, Quality};
use packetboat_push::{Field, FieldName, Indication, Push};
use support::{Gateway, Memory, NOW, build, push, sms};

/// A gateway and a bearer for it.
async fn gateway(more: &str, answers: &[Option<(&str, &str)>]) -> (Gateway, Arc<dyn Bearer>) {
    let gateway = Gateway::start(answers).await;
    let toml = format!("url = \"http://{}/pap\"\ntimeout = \"5s\"\n{more}", gateway.address);
    let bearer = build(&toml, Arc::default()).unwrap_or_else(|errors| panic!("{}", errors.join("\n")));
    (gateway, bearer)
}

fn notification() -> Bytes {
    Push::mms(1, Bytes::from_static(b"\x8c\x82\x98n9\0\r\n--\xff")).encode()
}

/// Control document and content of a submission.
fn read(asked: &support::Asked) -> (PushMessage, pap::Content) {
    let body = pap::parse_multipart(asked.field("content-type").unwrap(), &asked.body).unwrap();
    (PushMessage::from_xml(&body.control).unwrap(), body.content.unwrap())
}

#[tokio::test]
async fn a_notification_becomes_a_submission() {
    let more = "username = \"boat\"\npassword = { file = \"password\" }\nppg_host = \"ppg.example\"";
    let (gateway, bearer) = gateway(more, &[]).await;
    let sent = bearer.send(push(notification())).await.unwrap();
    let asked = gateway.asked();
    assert!(asked[0].head.starts_with("POST /pap HTTP/1.1\r\n"));
    assert_eq!(asked[0].field("authorization"), Some("Basic Ym9hdDpzZWNyZXQ="));
    assert!(asked[0].field("content-type").unwrap().starts_with("multipart/related; boundary="));
    let (message, content) = read(&asked[0]);
    assert_eq!(message.address, "WAPPUSH=+358401234567/TYPE=PLMN@ppg.example");
    assert!(
        message.push_id.starts_with(&push(vec![]).delivery.to_string()) && message.push_id.ends_with("@mms.example")
    );
    assert_eq!(message.deliver_before, Some(NOW.seconds() + 3600));
    assert_eq!((message.notify_to, message.source_reference), (None, None));
    let medium = Quality {
        priority: Some(pap::Priority::Medium),
        method: Some(DeliveryMethod::NotSpecified),
        network: None,
        bearer: None,
    };
    assert_eq!(message.quality, Some(medium));
    assert_eq!(content.media.to_string(), "application/vnd.wap.mms-message");
    assert_eq!(content.headers, [("X-Wap-Application-Id".to_owned(), "x-wap-application:mms.ua".to_owned())]);
    assert_eq!(&content.octets[..], b"\x8c\x82\x98n9\0\r\n--\xff");
    let detail = "PPG: 1001 accepted for processing (The request has been accepted for processing.), push-id ";
    assert_eq!((sent.segments, sent.detail), (1, format!("{detail}{}", message.push_id)));
    assert!(!bearer.carries_text());
}

#[tokio::test]
async fn what_the_settings_say_of_quality_is_said() {
    let more = "delivery_method = \"preferconfirmed\"\nnetwork = \"GSM\"\nbearer = \"SMS\"\nbearer_required = true\n\
                source_reference = \"us & them\"\nversion = \"1.0\"";
    let (gateway, bearer) = gateway(more, &[]).await;
    let mut pushed =
        Push::indication(3, &Indication { href: Some("http://a.example/".into()), ..Indication::default() });
    pushed.others.push(Field::text(FieldName::CONTENT_URI, "http://b.example/"));
    pushed.initiator = Some("http://c.example/".into());
    bearer.send(Sms { priority: Priority::High, ..push(pushed.encode()) }).await.unwrap();
    bearer.send(Sms { priority: Priority::Low, ..push(notification()) }).await.unwrap();
    let asked = gateway.asked();
    assert!(String::from_utf8_lossy(&asked[0].body).contains("-//WAPFORUM//DTD PAP 1.0//EN"));
    let (message, content) = read(&asked[0]);
    let quality = message.quality.unwrap();
    assert_eq!((quality.priority, quality.method), (Some(pap::Priority::High), Some(DeliveryMethod::PreferConfirmed)));
    assert_eq!((quality.network, quality.bearer), (Some(("GSM".into(), true)), Some(("SMS".into(), true))));
    assert_eq!(message.source_reference.as_deref(), Some("us & them"));
    assert_eq!(message.address, "WAPPUSH=+358401234567/TYPE=PLMN@127.0.0.1");
    assert_eq!((content.media.essence(), &content.octets), ("application/vnd.wap.sic", &pushed.payload));
    let field = |name: &str| content.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str());
    assert_eq!(field("X-Wap-Application-Id"), Some("x-wap-application:wml.ua"));
    assert_eq!(field("X-Wap-Initiator-URI"), Some("http://c.example/"));
    assert_eq!(field("X-Wap-Content-URI"), Some("http://b.example/"));
    let (second, _) = read(&asked[1]);
    assert_ne!(second.push_id, message.push_id, "each submission has a name of its own");
    assert_eq!(second.quality.unwrap().priority, Some(pap::Priority::Low));
}

fn document(code: u32, description: &str) -> String {
    format!(
        "<pap><push-response push-id=\"p\"><response-result code=\"{code}\" desc=\"{description}\"/></push-response></pap>"
    )
}

/// What a submission came to: whether it was taken, or may be tried again and why it failed.
type Outcome<'a> = Result<(), (bool, &'a str)>;

#[tokio::test]
async fn answers_are_taken_for_what_they_are() {
    let bad =
        "<pap><badmessage-response code=\"2000\" desc=\"Not understood\" bad-message-fragment=\"&lt;pup&gt;\"/></pap>";
    let rows: [(&str, String, Outcome<'_>); 17] = [
        ("200 OK", document(1000, ""), Ok(())),
        ("202 Accepted", document(1999, "fine"), Ok(())),
        ("202 Accepted", document(2001, ""), Err((false, "the gateway refused: 2001 forbidden"))),
        (
            "202 Accepted",
            document(2002, "bad &amp; so on"),
            Err((false, "the gateway refused: 2002 address error (bad & so on)")),
        ),
        ("202 Accepted", document(2999, ""), Err((false, "the gateway refused: 2999"))),
        ("202 Accepted", document(3000, ""), Err((true, "the gateway cannot now: 3000 internal server error"))),
        ("400 Bad", document(4001, ""), Err((true, "the gateway cannot now: 4001 service unavailable"))),
        (
            "202 Accepted",
            bad.into(),
            Err((false, "the gateway refused: 2000 bad request (Not understood), at \"<pup>\"")),
        ),
        (
            "202 Accepted",
            "<html>hello</html>".into(),
            Err((true, "not an answer of a push proxy gateway (202): no document of PAP: ")),
        ),
        (
            "202 Accepted",
            String::new(),
            Err((true, "not an answer of a push proxy gateway (202): no document of PAP: ")),
        ),
        ("401 Who", "x".into(), Err((true, "the gateway does not let us (401); look at username and password"))),
        ("403 No", "x".into(), Err((true, "the gateway does not let us (403); look at username and password"))),
        ("404 No", "x".into(), Err((true, "the gateway takes no submissions at this address (404); look at url"))),
        ("413 Long", "too long".into(), Err((false, "the gateway refused (413): too long"))),
        ("429 Slow", document(1000, ""), Err((true, "the gateway says later (429)"))),
        ("500 No", "oops".into(), Err((true, "the gateway cannot now (500): oops"))),
        (
            "302 Found",
            document(1001, ""),
            Err((true, "not an answer of a push proxy gateway (302): it says success all the same")),
        ),
    ];
    for (status, body, expected) in rows {
        let (_gateway, bearer) = gateway("", &[Some((status, &body))]).await;
        let result = bearer.send(push(notification())).await;
        match (&result, expected) {
            (Ok(_), Ok(())) => {}
            (Err(BearerError::Retry { why, .. }), Err((true, said))) => assert!(why.starts_with(said), "{why}"),
            (Err(BearerError::Permanent { why }), Err((false, said))) => assert_eq!(why, said),
            _ => panic!("{status} {body}: {result:?}"),
        }
        assert_eq!(bearer.health() == Health::Well, !matches!(expected, Err((true, _))), "{status} {body}");
    }
}

#[tokio::test]
async fn a_gateway_that_is_not_there_or_breaks_off_is_tried_again() {
    let answers = [None, Some(("503 No\r\nRetry-After: 30", ""))];
    let (_gateway, bearer) = gateway("", &answers).await;
    let error = bearer.send(push(notification())).await.unwrap_err();
    assert!(
        matches!(&error, BearerError::Retry { why, .. } if why.starts_with("the gateway broke off, or its answer is not HTTP: ")),
        "{error}"
    );
    let error = bearer.send(push(notification())).await.unwrap_err();
    assert!(matches!(error, BearerError::Retry { after: Some(after), .. } if after == Duration::from_secs(30)));
    assert!(matches!(bearer.health(), Health::Degraded(_)));
    bearer.send(push(notification())).await.unwrap();
    assert_eq!(bearer.health(), Health::Well);
}

#[tokio::test]
async fn a_push_that_may_have_been_taken_keeps_its_push_id() {
    let duplicate = document(2007, "");
    let answers = [None, Some(("503 No", "")), Some(("202 Accepted", duplicate.as_str()))];
    let (gateway, bearer) = gateway("", &answers).await;
    let push_id = |at: usize| read(&gateway.asked()[at]).0.push_id;
    // The same notification, whose content is kept for a shorter time each time.
    let expiring = |expiry: u8| {
        let mut octets = notification().to_vec();
        *octets.last_mut().unwrap() = expiry;
        push(octets)
    };
    bearer.send(expiring(3)).await.unwrap_err();
    bearer.send(expiring(2)).await.unwrap_err();
    let sent = bearer.send(expiring(1)).await.unwrap();
    assert_eq!(sent.detail, format!("PPG: taken before, only its answer was lost, push-id {}", push_id(0)));
    assert_eq!((push_id(1), push_id(2)), (push_id(0), push_id(0)));
    assert_eq!(bearer.health(), Health::Well);
    // What is sent next is a push of its own.
    bearer.send(expiring(1)).await.unwrap();
    assert_ne!(push_id(3), push_id(0));
}

#[tokio::test]
async fn a_push_that_was_not_taken_gets_a_new_push_id() {
    let duplicate = document(2007, "");
    let answers = [Some(("503 No", "")), Some(("202 Accepted", duplicate.as_str()))];
    let (gateway, bearer) = gateway("", &answers).await;
    bearer.send(push(notification())).await.unwrap_err();
    let error = bearer.send(push(notification())).await.unwrap_err();
    assert!(matches!(&error, BearerError::Permanent { why } if why.contains("2007 duplicate push id")), "{error}");
    let asked = gateway.asked();
    assert_ne!(read(&asked[0]).0.push_id, read(&asked[1]).0.push_id);
}

#[tokio::test]
async fn what_is_no_push_never_goes_this_way() {
    let (gateway, bearer) = gateway("", &[]).await;
    let data = SmsBody::Data { destination: 49999, originator: 0, octets: Bytes::from_static(b"x") };
    let rows = [
        (data, "a push proxy gateway carries WAP pushes only, and no data for port 49999"),
        (SmsBody::Text("x".into()), "a push proxy gateway carries WAP pushes only, and no words"),
        (SmsBody::Push(Bytes::from_static(b"\x01\x05")), "what is to be pushed is no WAP push: "),
    ];
    for (body, expected) in rows {
        let error = bearer.send(sms(body)).await.unwrap_err();
        assert!(matches!(&error, BearerError::Permanent { why } if why.starts_with(expected)), "{error}");
    }
    assert!(gateway.asked().is_empty());
}

#[test]
fn settings_that_cannot_work_are_refused() {
    let refused = |toml: &str| match build(toml, Arc::<Memory>::default()) {
        Ok(_) => panic!("taken: {toml}"),
        Err(errors) => errors.join("\n"),
    };
    assert!(refused("").contains("bearer.ppg.url: \"\" is not an http:// or https:// address"));
    let rows = [
        ("ppg_host = \"a/b\"", "ppg_host: \"a/b\" is not the name of a host"),
        ("username = \"u\"", "password: a user wants a password"),
        ("password = { file = \"password\" }", "username: a password wants a user"),
        ("window = 0", "window: 0 is not from 1 to 1000"),
        ("version = \"3.0\"", "version: "),
        ("callback_listen = [\"8015\"]", "callback_listen: \"8015\""),
        ("callback_listen = [\"127.0.0.1:0\"]", "callback_secret: notifications want a secret"),
        (
            "callback_listen = [\"127.0.0.1:0\"]\ncallback_secret = { file = \"short\" }",
            "callback_secret: is shorter than 16",
        ),
        ("callback_public_url = \"ppg\"", "callback_public_url: \"ppg\" is not"),
        ("ca_file = \"none.pem\"", "ca_file: "),
        ("usernme = \"u\"", "usernme: unknown key \"usernme\"; did you mean \"username\"?"),
    ];
    for (toml, expected) in rows {
        let said = refused(&format!("url = \"https://ppg.example/pap\"\n{toml}"));
        assert!(said.contains(&format!("bearer.ppg.{expected}")), "{said}");
    }
    let toml = "url = \"http://ppg.example/\"\nusername = \"u\"\npassword = { file = \"password\" }";
    let doubts = build(toml, Arc::default()).unwrap().check();
    assert!(doubts.len() == 2 && doubts[1].starts_with("url is http://"), "{doubts:?}");
}
