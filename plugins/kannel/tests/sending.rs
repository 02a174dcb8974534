//! What goes to sendsms, and what its answers mean.

mod support;

use std::sync::Arc;

use bytes::Bytes;
use packetboat_api::roles::{BearerError, Health};
use packetboat_push::Push as WspPush;
use support::{Gateway, Memory, build, push, settings};

const PORTS: &[u8] = b"\x06\x05\x04\x0b\x84\x23\xf0";

#[tokio::test]
async fn a_short_push_is_one_request() {
    let gateway = Gateway::start(&[]).await;
    let bearer = build(&settings(gateway.address, "from = \"12 3\"\nsmsc = \"a&b\""), Arc::default()).unwrap();
    let every_octet = WspPush::mms(1, (0..=126).collect::<Vec<u8>>().into()).encode();
    let sent = bearer.send(push(every_octet.clone())).await.unwrap();
    assert_eq!((sent.segments, &sent.detail[..]), (1, "Kannel: 0: Accepted for delivery"));
    let requests = gateway.requests();
    let said = |name: &str| String::from_utf8_lossy(&requests[0][name]).into_owned();
    assert_eq!(requests.len(), 1);
    assert_eq!((said("username"), said("password")), ("mm s".into(), "p w&d%".into()));
    assert_eq!((said("to"), said("from"), said("smsc")), ("+358401234567".into(), "12 3".into(), "a&b".into()));
    assert_eq!((said("coding"), said("validity")), ("1".into(), "60".into()));
    assert_eq!((&requests[0]["udh"][..], &requests[0]["text"]), (PORTS, &every_octet.to_vec()));
    assert!(!requests[0].contains_key("dlr-url"), "nobody listens for callbacks");
    assert_eq!(bearer.health(), Health::Well);
}

#[tokio::test]
async fn a_long_push_is_a_request_for_each_short_message() {
    let gateway = Gateway::start(&[]).await;
    let bearer = build(&settings(gateway.address, ""), Arc::default()).unwrap();
    let payload = Bytes::from((0..=255).cycle().take(300).collect::<Vec<u8>>());
    for _ in 0..2 {
        assert_eq!(bearer.send(push(payload.clone())).await.unwrap().segments, 3);
    }
    let requests = gateway.requests();
    let joined: Vec<u8> = requests[..3].iter().flat_map(|request| request["text"].clone()).collect();
    assert_eq!(joined, payload);
    for (index, request) in requests[..3].iter().enumerate() {
        let udh = &request["udh"];
        assert_eq!(udh[..9], *b"\x0b\x05\x04\x0b\x84\x23\xf0\x00\x03");
        assert_eq!(udh[9..], [requests[0]["udh"][9], 3, index as u8 + 1]);
    }
    assert_ne!(requests[0]["udh"][9], requests[3]["udh"][9], "another push, another reference");
}

#[tokio::test]
async fn a_wide_reference_takes_sixteen_bits() {
    let gateway = Gateway::start(&[]).await;
    let bearer = build(&settings(gateway.address, "wide_reference = true"), Arc::default()).unwrap();
    assert_eq!(bearer.send(push(vec![1; 256])).await.unwrap().segments, 3);
    assert_eq!(gateway.requests()[2]["udh"][..9], *b"\x0c\x05\x04\x0b\x84\x23\xf0\x08\x04");
    assert_eq!(gateway.requests()[2]["text"].len(), 2);
}

#[tokio::test]
async fn kannel_may_cut_a_push_itself() {
    let gateway = Gateway::start(&[]).await;
    let more = "segmentation = \"kannel\"\nnumber_prefix = \"00\"";
    let bearer = build(&settings(gateway.address, more), Arc::default()).unwrap();
    assert_eq!(bearer.send(push(vec![7; 300])).await.unwrap().segments, 3);
    let requests = gateway.requests();
    assert_eq!((requests.len(), &requests[0]["udh"][..], requests[0]["text"].len()), (1, PORTS, 300));
    assert_eq!(requests[0]["to"], b"00358401234567");
}

/// What a sending came to: its words, or whether it may be tried again and why it failed.
type Outcome<'a> = Result<&'a str, (bool, &'a str)>;

#[tokio::test]
async fn answers_are_taken_for_what_they_are() {
    let rows: [(&str, &str, Outcome<'_>); 10] = [
        ("202 Accepted", "0: Accepted for delivery", Ok("Kannel: 0: Accepted for delivery")),
        ("202 Accepted", "3: Queued for later delivery", Ok("Kannel: 3: Queued for later delivery")),
        ("200 OK", "Sent.", Ok("Kannel: Sent.")),
        ("202 Accepted", "4: Rejected", Err((false, "Kannel refused: 4: Rejected"))),
        (
            "403 Forbidden",
            "Authorization failed\r\n",
            Err((true, "Kannel does not let us (403): Authorization failed; look at username and password")),
        ),
        ("404 No", "gone", Err((true, "there is no sendsms at this address (404): gone; look at url"))),
        ("400 Bad Request", "Missing receiver", Err((false, "Kannel refused (400): Missing receiver"))),
        ("429 Slow down", "later", Err((true, "Kannel says later (429): later"))),
        ("503 No", "Temporal failure", Err((true, "Kannel cannot now (503): Temporal failure"))),
        ("302 Found", "elsewhere", Err((true, "not an answer of sendsms (302): elsewhere; look at url"))),
    ];
    for (status, body, expected) in rows {
        let gateway = Gateway::start(&[Some((status, body))]).await;
        let bearer = build(&settings(gateway.address, ""), Arc::default()).unwrap();
        let result = bearer.send(push(vec![1; 10])).await;
        let found = result.as_ref().map(|sent| &sent.detail[..]).map_err(|error| match error {
            BearerError::Retry { why, .. } => (true, &why[..]),
            BearerError::Permanent { why } => (false, &why[..]),
        });
        assert_eq!(found, expected);
        assert_eq!(bearer.health() == Health::Well, expected.is_ok());
    }
}

#[tokio::test]
async fn a_gateway_that_is_not_there_or_breaks_off_is_tried_again() {
    let gateway = Gateway::start(&[None]).await;
    let bearer = build(&settings(gateway.address, ""), Arc::default()).unwrap();
    let error = bearer.send(push(vec![1; 10])).await.unwrap_err();
    assert!(matches!(&error, BearerError::Retry { why, .. } if why.starts_with("Kannel does not answer: ")), "{error}");
    assert!(matches!(bearer.health(), Health::Degraded(_)));
    bearer.send(push(vec![1; 10])).await.unwrap();
    assert_eq!(bearer.health(), Health::Well);

    let nobody = settings("127.0.0.1:9".parse().unwrap(), "");
    let error = build(&nobody, Arc::default()).unwrap().send(push(vec![1; 10])).await.unwrap_err();
    assert!(matches!(&error, BearerError::Retry { .. }), "{error}");
    assert!(!error.to_string().contains("password"), "{error}");
}

#[tokio::test]
async fn a_push_that_fails_midway_says_where_and_is_sent_anew() {
    let gateway = Gateway::start(&[Some(("202 Accepted", "0: ok")), Some(("503 No", "busy"))]).await;
    let bearer = build(&settings(gateway.address, ""), Arc::default()).unwrap();
    let error = bearer.send(push(vec![1; 300])).await.unwrap_err();
    assert_eq!(error.to_string(), "Kannel cannot now (503): busy (short message 2 of 3)");
    assert_eq!(gateway.requests().len(), 2);
    assert_eq!(bearer.send(push(vec![1; 300])).await.unwrap().segments, 3);
}

#[tokio::test]
async fn a_push_too_long_for_any_number_of_short_messages_fails_for_good() {
    let gateway = Gateway::start(&[]).await;
    let bearer = build(&settings(gateway.address, ""), Arc::default()).unwrap();
    let error = bearer.send(push(vec![1; 255 * 128 + 1])).await.unwrap_err();
    assert!(matches!(error, BearerError::Permanent { .. }));
    assert!(gateway.requests().is_empty());
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused() {
    let refused = |toml: &str| match build(toml, Arc::<Memory>::default()) {
        Ok(_) => panic!("taken: {toml}"),
        Err(errors) => errors.join("\n"),
    };
    let good = "username = \"u\"\npassword = { file = \"secret\" }\n";
    assert!(refused("username = \"u\"").contains("bearer.smsc.password: Kannel's sendsms wants a password"));
    assert!(refused("password = { file = \"secret\" }").contains("bearer.smsc.username: "));
    assert!(refused(&format!("{good}url = \"127.0.0.1\"")).contains("packetboat.toml:3:1: bearer.smsc.url: "));
    assert!(refused(&format!("{good}dlr_public_url = \"x\"")).contains("bearer.smsc.dlr_public_url: "));
    assert!(refused(&format!("{good}segmentation = \"phone\"")).contains("packetboat"));
    assert!(refused(&format!("{good}usernme = \"u\"")).contains("did you mean \"username\"?"));
    assert!(refused("username = \"u\"\npassword = { file = \"none\" }").contains("bearer.smsc.password: "));
    let doubtful = build(good, Arc::default()).unwrap().check();
    assert!(doubtful.len() == 1 && doubtful[0].starts_with("dlr_listen is empty"));
}
