//! What goes to sendsms, and what its answers mean.

mod support;

use std::sync::Arc;

use bytes::Bytes;
use packetboat_api::message::Priority;
use packetboat_api::roles::{Bearer, BearerError, Health, Sms, SmsBody};
use packetboat_push::Push as WspPush;
use support::{Gateway, Memory, build, carrying, push, settings};

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
async fn words_go_in_the_alphabet_that_has_them() {
    let gateway = Gateway::start(&[]).await;
    let bearer = build(&settings(gateway.address, ""), Arc::default()).unwrap();
    let long = "x".repeat(161);
    for (text, segments) in [("Grüße {€}", 1), ("Привет & 你好 🎉", 1), (&long[..], 2)] {
        assert_eq!(bearer.send(carrying(SmsBody::Text(text.into()))).await.unwrap().segments, segments);
    }
    let requests = gateway.requests();
    let said = |at: usize, name: &str| String::from_utf8_lossy(&requests[at][name]).into_owned();
    assert_eq!(
        (said(0, "coding"), said(0, "charset"), said(0, "text")),
        ("0".into(), "UTF-8".into(), "Grüße {€}".into())
    );
    assert_eq!((said(1, "coding"), said(1, "charset")), ("2".into(), "UTF-8".into()));
    assert_eq!(said(1, "text"), "Привет & 你好 🎉");
    assert!(!requests[0].contains_key("udh"));
    let reference = requests[2]["udh"][3];
    assert_eq!((&requests[2]["udh"], requests[2]["text"].len()), (&vec![5, 0, 3, reference, 2, 1], 153));
    assert_eq!((&requests[3]["udh"], said(3, "text")), (&vec![5, 0, 3, reference, 2, 2], "x".repeat(8)));

    let by_kannel = build(&settings(gateway.address, "segmentation = \"kannel\""), Arc::default()).unwrap();
    assert_eq!(by_kannel.send(carrying(SmsBody::Text(long.clone()))).await.unwrap().segments, 2);
    let last = &gateway.requests()[4];
    assert!(last["text"] == long.as_bytes() && !last.contains_key("udh"));
}

#[tokio::test]
async fn data_goes_to_its_port() {
    let gateway = Gateway::start(&[]).await;
    let bearer = build(&settings(gateway.address, ""), Arc::default()).unwrap();
    let data = |octets: Vec<u8>| SmsBody::Data { destination: 49999, originator: 49154, octets: octets.into() };
    assert_eq!(bearer.send(carrying(data(vec![0; 10]))).await.unwrap().segments, 1);
    assert_eq!(bearer.send(carrying(data(vec![0; 200]))).await.unwrap().segments, 2);
    let requests = gateway.requests();
    assert_eq!(
        (&requests[0]["udh"][..], &requests[0]["coding"][..]),
        (&b"\x06\x05\x04\xc3\x4f\xc0\x02"[..], &b"1"[..])
    );
    assert_eq!(requests[2]["udh"][..9], *b"\x0b\x05\x04\xc3\x4f\xc0\x02\x00\x03");
}

#[tokio::test]
async fn each_message_says_its_sender_and_its_urgency() {
    let gateway = Gateway::start(&[]).await;
    let bearer = build(&settings(gateway.address, "from = \"100\""), Arc::default()).unwrap();
    let urgent = Sms { from: Some("Ship & Co".into()), priority: Priority::High, ..push(vec![1]) };
    let idle = Sms { priority: Priority::Low, ..push(vec![1]) };
    for sms in [urgent, idle, push(vec![1])] {
        bearer.send(sms).await.unwrap();
    }
    let requests = gateway.requests();
    let said: Vec<_> = requests.iter().map(|request| (&request["from"][..], &request["priority"][..])).collect();
    assert_eq!(said, [(&b"Ship & Co"[..], &b"2"[..]), (b"100", b"0"), (b"100", b"0")]);
}

#[tokio::test]
async fn retry_after_is_passed_on() {
    let gateway = Gateway::start(&[Some(("503 No\r\nRetry-After: 7", "busy"))]).await;
    let bearer = build(&settings(gateway.address, ""), Arc::default()).unwrap();
    let error = bearer.send(push(vec![1])).await.unwrap_err();
    let seven = Some(std::time::Duration::from_secs(7));
    assert_eq!(error, BearerError::Retry { after: seven, why: "Kannel cannot now (503): busy".into() });
}

/// Sends so many pushes at once.
async fn send_together(bearer: &Arc<dyn Bearer>, count: usize) {
    let one = |_| {
        let bearer = bearer.clone();
        tokio::spawn(async move { bearer.send(push(vec![1])).await })
    };
    let sending: Vec<_> = (0..count).map(one).collect();
    for task in sending {
        task.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn the_window_is_how_many_go_at_once() {
    let gateway = Gateway::start(&[]).await;
    gateway.answer_when_there_are(3);
    let bearer = build(&settings(gateway.address, "window = 3"), Arc::default()).unwrap();
    send_together(&bearer, 6).await;
    assert_eq!(gateway.most_at_once(), 3);
}

#[tokio::test]
async fn a_gateway_that_only_queues_gets_less_at_once() {
    let queued = Some(("202 Accepted", "3: Queued for later delivery"));
    let gateway = Gateway::start(&[queued]).await;
    let bearer = build(&settings(gateway.address, "window = 2"), Arc::default()).unwrap();
    bearer.send(push(vec![1])).await.unwrap();
    send_together(&bearer, 2).await;
    assert_eq!(gateway.most_at_once(), 1);
    gateway.answer_when_there_are(2);
    send_together(&bearer, 2).await;
    assert_eq!(gateway.most_at_once(), 2, "what goes well is trusted again");
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
        let retried = matches!(expected, Err((true, _)));
        assert_eq!(bearer.health() == Health::Well, !retried, "what is refused for good is the message's fault");
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

/// A push of 300 octets that says `expiry` behind its headers, as a notification does.
fn expiring(expiry: u8) -> Vec<u8> {
    let mut octets = WspPush::mms(1, vec![7; 300].into()).encode().to_vec();
    let last = octets.len() - 1;
    (octets[200], octets[last]) = (expiry, expiry);
    octets
}

/// Reference, total and number of each request, and the last octet of what it carries.
fn parts(gateway: &Gateway) -> Vec<(Vec<u8>, u8)> {
    let part = |request: &std::collections::BTreeMap<String, Vec<u8>>| {
        (request["udh"][9..].to_vec(), *request["text"].last().unwrap())
    };
    gateway.requests().iter().map(part).collect()
}

#[tokio::test]
async fn a_push_that_fails_midway_says_where_and_goes_on_there() {
    let answers = [Some(("202 Accepted", "0: ok")), Some(("503 No", "busy")), None];
    let gateway = Gateway::start(&answers).await;
    let bearer = build(&settings(gateway.address, ""), Arc::default()).unwrap();
    let error = bearer.send(push(expiring(1))).await.unwrap_err();
    assert_eq!(error.to_string(), "Kannel cannot now (503): busy (short message 2 of 3)");
    // Its repetitions say another expiry; the second gets no answer.
    let error = bearer.send(push(expiring(2))).await.unwrap_err();
    assert!(error.to_string().contains("(short message 2 of 3)"), "{error}");
    assert_eq!(bearer.send(push(expiring(3))).await.unwrap().segments, 3);
    let sent = parts(&gateway);
    let reference = sent[0].0[0];
    let numbers: Vec<_> = sent.iter().map(|(part, _)| part.clone()).collect();
    assert_eq!(numbers, [1, 2, 2, 2, 3].map(|number| vec![reference, 3, number]));
    assert_eq!(sent[4].1, 1, "the octets of the first attempt");
    // Done: what says the same is another push.
    bearer.send(push(expiring(3))).await.unwrap();
    let sent = parts(&gateway);
    assert_eq!((sent.len(), sent[5].0[2], sent[7].1), (8, 1, 3));
    assert_ne!(sent[5].0[0], reference);
}

#[tokio::test]
async fn a_push_of_which_nothing_was_taken_is_sent_anew() {
    let gateway = Gateway::start(&[Some(("503 No", "busy"))]).await;
    let bearer = build(&settings(gateway.address, ""), Arc::default()).unwrap();
    bearer.send(push(expiring(1))).await.unwrap_err();
    bearer.send(push(expiring(2))).await.unwrap();
    let sent = parts(&gateway);
    assert_eq!((sent.len(), sent[1].0[2], sent[3].1), (4, 1, 2), "what is right now, not what was");
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
    assert!(refused(&format!("{good}dlr_listen = [\"8013\"]")).contains("bearer.smsc.dlr_listen: "));
    assert!(refused(&format!("{good}window = 0")).contains("bearer.smsc.window: 0 is not from 1 to 1000"));
    assert!(refused(&format!("{good}sms_token = {{ file = \"short-token\" }}")).contains("bearer.smsc.sms_token: "));
    assert!(refused(&format!("{good}segmentation = \"phone\"")).contains("packetboat"));
    assert!(refused(&format!("{good}usernme = \"u\"")).contains("did you mean \"username\"?"));
    assert!(refused("username = \"u\"\npassword = { file = \"none\" }").contains("bearer.smsc.password: "));
    let doubtful = build(good, Arc::default()).unwrap().check();
    assert!(doubtful.len() == 1 && doubtful[0].starts_with("dlr_listen is empty"));
}
