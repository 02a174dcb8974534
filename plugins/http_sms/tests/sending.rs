//! What the gateway is asked, and what its answers mean.

mod support;

use std::sync::Arc;
use std::time::Duration;

use packetboat_api::message::Priority;
use packetboat_api::roles::{Bearer, BearerError, Health, Sms, SmsBody};
use support::{Gateway, build, push, sms, text};

/// A gateway and a bearer for it; `ADDRESS` in the settings is the gateway's.
async fn gateway(toml: &str, answers: &[Option<(&str, &str)>]) -> (Gateway, Arc<dyn Bearer>) {
    let gateway = Gateway::start(answers).await;
    let toml = toml.replace("ADDRESS", &gateway.address.to_string());
    let bearer = build(&toml, Arc::default()).unwrap_or_else(|errors| panic!("{}", errors.join("\n")));
    (gateway, bearer)
}

const JSON: &str = r#"
    bearer_token = { file = "password" }
    from = "100"
    id = { json = "/messages/0/id" }
    success.json = "/messages/0/status"
    success.matches = "^(accepted|queued)$"
    permanent = "unknown_subscriber"
    temporary = "no_credit"

    [secrets]
    key = { file = "key" }

    [push]
    url = "http://ADDRESS/v1/messages"
    headers = { Content-Type = "application/json", X-Api-Key = "{{ secrets.key }}" }
    body = '''{"to": {{ to | json }}, "from": {{ from | json }}, "key": {{ secrets.key | json }}, "udh": "{{ udh | hex_upper }}",
        "data": "{{ data | base64 }}", "all": "{{ user_data | hex }}", "coding": {{ coding | json }},
        "ports": [{{ destination_port }}, {{ originator_port }}], "part": "{{ part }}/{{ parts }}", "reference": {{ reference }},
        "ttl": {{ validity_seconds }}, "priority": "{{ priority }}", "ref": "{{ delivery }}"}'''

    [text]
    url = "http://ADDRESS/v1/messages"
    headers = { Content-Type = "application/json" }
    body = '{"to": {{ to | json }}, "from": {{ from | json }}, "text": {{ text | json }}}'
"#;

const FINE: Option<(&str, &str)> = Some(("201 Created", r#"{"messages": [{"id": "m-1", "status": "accepted"}]}"#));

#[tokio::test]
async fn a_json_gateway_gets_each_short_message_of_a_push() {
    let (gateway, bearer) = gateway(JSON, &[FINE, FINE]).await;
    let urgent = Sms { priority: Priority::High, from: Some("Sh\"p".into()), ..push(&[0xfe; 200]) };
    let sent = bearer.send(urgent).await.unwrap();
    assert_eq!((sent.segments, &sent.detail[..]), (2, "gateway: id m-1, id m-1"));
    let asked = gateway.asked();
    assert_eq!(asked[0].line, "POST /v1/messages HTTP/1.1");
    assert_eq!(asked[0].field("authorization"), Some("Bearer p w&d%"));
    assert_eq!(
        (asked[0].field("content-type"), asked[0].field("x-api-key")),
        (Some("application/json"), Some("k\"3y"))
    );
    let body = |at: usize| serde_json::from_str::<serde_json::Value>(&asked[at].body).unwrap();
    let (first, second) = (body(0), body(1));
    assert_eq!(
        (&first["to"], &first["from"], &first["key"]),
        (&"+358401234567".into(), &"Sh\"p".into(), &"k\"3y".into())
    );
    let reference = first["reference"].as_u64().unwrap();
    let udh = |part: u8| format!("0B05040B8423F00003{reference:02X}02{part:02X}");
    assert_eq!((&first["udh"], &second["udh"]), (&udh(1).into(), &udh(2).into()));
    assert_eq!(first["data"], format!("{}/v4=", "/v7+".repeat(42)).as_str());
    assert_eq!(first["all"].as_str().unwrap(), format!("{}{}", udh(1).to_lowercase(), "fe".repeat(128)));
    assert_eq!((&first["coding"], &first["ports"]), (&"binary".into(), &serde_json::json!([2948, 9200])));
    assert_eq!((&first["part"], &second["part"]), (&"1/2".into(), &"2/2".into()));
    assert_eq!((&first["ttl"], &first["priority"]), (&3600.into(), &"high".into()));
    assert_eq!(first["ref"], push(&[]).delivery.to_string().as_str());
    assert_eq!(bearer.health(), Health::Well);
}

#[tokio::test]
async fn words_are_quoted_and_cut_by_the_gateway() {
    let (gateway, bearer) = gateway(JSON, &[FINE]).await;
    assert!(bearer.carries_text());
    let words = "\"Grüße\" \\ {{ to }}\n".repeat(20);
    assert_eq!(bearer.send(text(&words)).await.unwrap().segments, 4);
    let asked = gateway.asked();
    let body: serde_json::Value = serde_json::from_str(&asked[0].body).unwrap();
    assert_eq!((asked.len(), body["text"].as_str(), &body["from"]), (1, Some(&words[..]), &"100".into()));
}

#[tokio::test]
async fn a_get_gateway_gets_everything_in_its_address() {
    let toml = r#"
        username = "u"
        password = { file = "password" }
        number_format = "00"
        wide_reference = true
        id.regex = "^OK (\\d+)"
        success.matches = "^OK"
        push = { method = "GET", url = "http://ADDRESS/send?to={{ to }}&udh={{ udh | hex }}&data={{ data | percent }}", segmentation = "gateway" }
        text.method = "GET"
        text.segmentation = "packetboat"
        text.url = "http://ADDRESS/send?to={{ to_digits }}&c={{ coding }}&hex={{ text | ucs2 | hex }}&text={{ text | percent }}&udh={{ udh | hex }}"
    "#;
    let (gateway, bearer) = gateway(toml, &[Some(("200 OK", "OK 4711 queued")), Some(("200 OK", "OK"))]).await;
    let sent = bearer.send(push(&[b'a', 0, b'&', 0xff])).await.unwrap();
    assert_eq!(sent.detail, "gateway: id 4711");
    let data = SmsBody::Data { destination: 49999, originator: 0, octets: vec![1; 300].into() };
    assert_eq!(bearer.send(sms(data)).await.unwrap().segments, 3);
    let asked = gateway.asked();
    assert_eq!(asked[0].line, "GET /send?to=00358401234567&udh=0605040b8423f0&data=a%00%26%FF HTTP/1.1");
    assert_eq!(asked[0].field("authorization"), Some("Basic dTpwIHcmZCU="));
    assert_eq!(
        asked[1].line,
        format!("GET /send?to=00358401234567&udh=060504c34f0000&data={} HTTP/1.1", "%01".repeat(300))
    );

    let (gateway, bearer) = self::gateway(toml, &[Some(("200 OK", "OK")), Some(("200 OK", "OK"))]).await;
    bearer.send(text(&"Я+".repeat(36))).await.unwrap();
    let asked = gateway.asked();
    let line = |at: usize| asked[at].line.clone();
    assert_eq!(asked.len(), 2);
    let half = ("042f002b".repeat(33), "%D0%AF%2B".repeat(33));
    let start = format!("GET /send?to=358401234567&c=ucs2&hex={}&text={}&udh=060804", half.0, half.1);
    assert!(line(0).starts_with(&start) && line(0).ends_with("0201 HTTP/1.1"), "{}", line(0));
    assert!(
        line(1).contains("&text=%D0%AF%2B%D0%AF%2B%D0%AF%2B&") && line(1).ends_with("0202 HTTP/1.1"),
        "{}",
        line(1)
    );
}

#[tokio::test]
async fn answers_are_taken_for_what_they_are() {
    type Outcome<'a> = Result<&'a str, (bool, &'a str)>;
    let accepted = r#"{"messages": [{"id": 17, "status": "queued"}]}"#;
    let rows: [(&str, &str, Outcome<'_>); 16] = [
        ("202 Accepted", accepted, Ok("gateway: id 17")),
        ("200 OK", r#"{"messages": [{"status": "queued"}]}"#, Ok(r#"gateway: {"messages": [{"status": "queued"}]}"#)),
        (
            "200 OK",
            r#"{"messages": [{"status": "held"}]}"#,
            Err((
                true,
                r#"the gateway does not say that it took the message (200): {"messages": [{"status": "held"}]}"#,
            )),
        ),
        ("200 OK", "<html>", Err((true, "the gateway does not say that it took the message (200): <html>"))),
        ("200 OK", "unknown_subscriber", Err((false, "the gateway refused (200): unknown_subscriber"))),
        ("400 Bad", "no_credit", Err((true, "the gateway says later (400): no_credit"))),
        ("503 No", "unknown_subscriber", Err((false, "the gateway refused (503): unknown_subscriber"))),
        ("400 Bad Request", "to?\r\n", Err((false, "the gateway refused (400): to?"))),
        ("401 Who", "", Err((true, "the gateway does not let us (401): ; look at user, password and secrets"))),
        ("403 No", "ip", Err((true, "the gateway does not let us (403): ip; look at user, password and secrets"))),
        ("404 No", "x", Err((true, "the gateway has nothing at this address (404): x; look at url"))),
        ("408 Slow", "x", Err((true, "the gateway says later (408): x"))),
        ("425 Early", "x", Err((true, "the gateway says later (425): x"))),
        ("429 Slow", "x", Err((true, "the gateway says later (429): x"))),
        ("500 No", "x", Err((true, "the gateway cannot now (500): x"))),
        (
            "302 Found\r\nLocation: http://elsewhere.example/",
            "x",
            Err((true, "the gateway gave no answer of a gateway (302): x; look at url and success.status")),
        ),
    ];
    for (status, body, expected) in rows {
        let (_gateway, bearer) = gateway(JSON, &[Some((status, body))]).await;
        let result = bearer.send(text("x")).await;
        let found = result.as_ref().map(|sent| &sent.detail[..]).map_err(|error| match error {
            BearerError::Retry { why, .. } => (true, &why[..]),
            BearerError::Permanent { why } => (false, &why[..]),
        });
        assert_eq!(found, expected);
        assert_eq!(bearer.health() == Health::Well, !matches!(expected, Err((true, _))));
    }
}

#[tokio::test]
async fn ids_stand_in_headers_too_and_retry_after_is_passed_on() {
    let toml = "success.status = [\"204\"]\nid.header = \"X-Id\"\ntext.url = \"http://ADDRESS/\"";
    let answers = [Some(("204 No\r\nX-Id: h7", "")), Some(("200 OK", "")), Some(("429 No\r\nRetry-After: 90", "busy"))];
    let (_gateway, bearer) = gateway(toml, &answers).await;
    assert_eq!(bearer.send(text("x")).await.unwrap().detail, "gateway: id h7");
    assert!(bearer.send(text("x")).await.is_err(), "200 is none of its statuses");
    let error = bearer.send(text("x")).await.unwrap_err();
    let why = "the gateway says later (429): busy".to_owned();
    assert_eq!(error, BearerError::Retry { after: Some(Duration::from_secs(90)), why });
}

#[tokio::test]
async fn a_gateway_that_is_not_there_or_breaks_off_is_tried_again() {
    let (_gateway, bearer) = gateway(JSON, &[None, FINE]).await;
    let error = bearer.send(text("x")).await.unwrap_err();
    assert!(
        matches!(&error, BearerError::Retry { why, .. } if why.starts_with("the gateway does not answer")),
        "{error}"
    );
    assert!(matches!(bearer.health(), Health::Degraded(_)));
    bearer.send(text("x")).await.unwrap();
    assert_eq!(bearer.health(), Health::Well);

    let (_gateway, bearer) = gateway(JSON, &[FINE, Some(("503 No", "busy"))]).await;
    let error = bearer.send(push(&[1; 300])).await.unwrap_err();
    assert_eq!(error.to_string(), "the gateway cannot now (503): busy (short message 2 of 3)");
}

#[tokio::test]
async fn a_push_that_fails_midway_goes_on_there() {
    let toml = "text.url = \"http://ADDRESS/\"\npush = { method = \"GET\", url = \"http://ADDRESS/?id={{ id }}&udh={{ \
                udh | hex }}&data={{ data | hex }}\" }";
    let fine = Some(("200 OK", "fine"));
    let (gateway, bearer) = gateway(toml, &[fine, Some(("503 No", "busy")), None]).await;
    // The same push each time, with another expiry in the middle and at the end of what it says.
    let expiring = |expiry: u8| {
        let mut octets = [&[1, 6, 1, 0xBE][..], &[7; 300]].concat();
        (octets[200], octets[303]) = (expiry, expiry);
        push(&octets)
    };
    bearer.send(expiring(1)).await.unwrap_err();
    bearer.send(expiring(2)).await.unwrap_err();
    let sent = bearer.send(expiring(3)).await.unwrap();
    assert_eq!((sent.segments, &sent.detail[..]), (3, "gateway: fine, fine, fine"));
    let asked = gateway.asked();
    let line = |at: usize| asked[at].line.as_str();
    let reference = line(0).split_once("00003").unwrap().1[..2].to_owned();
    for (at, part) in [1, 2, 2, 2, 3].into_iter().enumerate() {
        assert!(line(at).contains(&format!("00003{reference}030{part}&")), "{}", line(at));
    }
    assert_eq!((asked.len(), line(1), line(1)), (5, line(2), line(3)), "the same octets under the same id");
    assert!(line(4).ends_with("0701 HTTP/1.1"), "{}", line(4));
}

#[tokio::test]
async fn what_has_no_request_is_refused_for_good() {
    let only = |kind: &str| format!("{kind}.url = \"http://ADDRESS/\"");
    let (_gateway, bearer) = gateway(&only("push"), &[]).await;
    assert!(!bearer.carries_text());
    let error = bearer.send(text("x")).await.unwrap_err();
    let why = "this gateway is given no such request (text.url of gw is empty)".to_owned();
    assert_eq!(error, BearerError::Permanent { why });
    let (_gateway, bearer) = gateway(&only("text"), &[]).await;
    let error = bearer.send(push(&[1])).await.unwrap_err();
    assert!(matches!(error, BearerError::Permanent { .. }), "{error}");
    assert!(bearer.check().iter().any(|doubt| doubt.starts_with("push.url is empty")));
}

#[tokio::test]
async fn a_message_that_a_template_cannot_take_fails_alone() {
    let (_gateway, bearer) =
        gateway("text.url = \"http://ADDRESS/\"\ntext.headers = { X-Text = \"{{ text }}\" }", &[]).await;
    let error = bearer.send(text("two\r\nlines")).await.unwrap_err();
    let why = "text.headers: x-text: what the template makes has a line break or another control in it";
    assert_eq!(error, BearerError::Permanent { why: why.to_owned() });
    bearer.send(text("one line")).await.unwrap();
}
