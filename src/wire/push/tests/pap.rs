//! PAP documents as gateways write them, the errors of those that are none, and laws.

use bytes::Bytes;
use packetboat_push::XmlErrorKind;
use packetboat_push::pap::*;
use proptest::prelude::*;

const MADE: i64 = 1_760_000_000;

fn message() -> PushMessage {
    PushMessage {
        push_id: "n1@mms.example".to_owned(),
        notify_to: Some("http://mms.example/pap?a=1&b=\"2\"".to_owned()),
        source_reference: Some("packetboat".to_owned()),
        deliver_before: Some(MADE),
        address: address("+447700900999", "ppg.example"),
        quality: Some(Quality {
            method: Some(DeliveryMethod::Unconfirmed),
            bearer: Some(("SMS".to_owned(), true)),
            ..Quality::default()
        }),
    }
}

#[test]
fn a_submission_is_a_document() {
    let text = message().to_xml();
    let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
        <!DOCTYPE pap PUBLIC \"-//WAPFORUM//DTD PAP 2.0//EN\" \"http://www.wapforum.org/DTD/pap_2.0.dtd\" \
        [<?wap-pap-ver supported-versions=\"2.0,1.*\"?>]>\n\
        <pap>\n\
        <push-message push-id=\"n1@mms.example\" deliver-before-timestamp=\"2025-10-09T08:53:20Z\" \
        source-reference=\"packetboat\" ppg-notify-requested-to=\"http://mms.example/pap?a=1&amp;b=&quot;2&quot;\">\n\
        <address address-value=\"WAPPUSH=+447700900999/TYPE=PLMN@ppg.example\"/>\n\
        <quality-of-service delivery-method=\"unconfirmed\" bearer=\"SMS\" bearer-required=\"true\"/>\n\
        </push-message>\n</pap>\n";
    assert_eq!(text, expected);
    assert_eq!(PushMessage::from_xml(text.as_bytes()), Ok(message()));
    let old = message().to_xml_of(Version::V1_0);
    assert!(old.contains("\"-//WAPFORUM//DTD PAP 1.0//EN\" \"http://www.wapforum.org/DTD/pap_1.0.dtd\">"), "{old}");
    assert_eq!(PushMessage::from_xml(old.as_bytes()), Ok(message()));
}

#[test]
fn addresses() {
    assert_eq!(address("+447700900999", "ppg.example"), "WAPPUSH=+447700900999/TYPE=PLMN@ppg.example");
    assert_eq!(number("WAPPUSH=+447700900999/TYPE=PLMN@ppg.example"), Some("+447700900999"));
    assert_eq!(number("wappush=1/type=plmn"), Some("1"));
    for other in ["", "WAPPUSH=a%40b/TYPE=USER@ppg", "+447700900999", "WAPPUSH=1", "ä/ö", "WAPPUSHä/TYPE=PLMN"] {
        assert_eq!(number(other), None, "{other}");
    }
}

/// As Kannel's gateway writes it.
#[test]
fn responses_are_read() {
    let text = b"<?xml version=\"1.0\"?><!DOCTYPE pap PUBLIC \"-//WAPFORUM//DTD PAP 1.0//EN\" \
        \"http://www.wapforum.org/DTD/pap_1.0.dtd\"><pap product-name=\"kannel 1.4.5\"><push-response push-id=\"9fjeo39jf084@pi.com\" \
        sender-name=\"gw; WAP/1.3\" sender-address=\"http://127.0.0.1/\" reply-time=\"2025-10-09T08:53:20Z\">\
        <progress-note stage=\"Validation\" note=\"ok\"/><response-result code=\"1001\" desc=\"The request has been accepted\"></response-result>\
        </push-response></pap>";
    let response = Response::from_xml(text).expect("a response");
    assert_eq!((response.push_id.as_deref(), response.code), (Some("9fjeo39jf084@pi.com"), Code::ACCEPTED));
    assert_eq!((response.reply_time, response.code.class()), (Some(MADE), Class::Success));
    let text = b"<pap><badmessage-response code='2000' desc='Not understood' bad-message-fragment='&lt;pap>'/></pap>";
    let bad = Response::from_xml(text).expect("a response");
    assert_eq!((bad.push_id.as_deref(), bad.code.class()), (None, Class::Permanent));
    assert_eq!((bad.code.meaning(), bad.bad_fragment.as_deref()), (Some("bad request"), Some("<pap>")));
}

#[test]
fn results_are_read_and_answered() {
    let text = b"<?xml version='1.0'?>\n<pap>\n<resultnotification-message push-id='n1' sender-address='x' event-time='2025-10-09T08:53:20Z' \
        message-state='delivered' code='1000' desc='OK'>\n<address address-value='WAPPUSH=+447700900999/TYPE=PLMN@ppg'/>\n\
        </resultnotification-message></pap>";
    let result = ResultNotification::from_xml(text).expect("a result");
    assert_eq!((result.state, result.code, result.happened), (State::Delivered, Code::OK, Some(MADE)));
    assert_eq!(number(&result.address), Some("+447700900999"));
    let answer = ResultNotificationResponse {
        push_id: result.push_id.clone(),
        address: result.address.clone(),
        code: Code::OK,
        description: None,
    };
    let written = answer.to_xml();
    assert!(written.contains("<resultnotification-response push-id=\"n1\" code=\"1000\">"), "{written}");
    assert_eq!(ResultNotificationResponse::from_xml(written.as_bytes()), Ok(answer));
    assert_eq!(ResultNotification::from_xml(result.to_xml().as_bytes()), Ok(result));
}

#[test]
fn a_code_says_whether_to_try_again() {
    let classes = [
        (1000, Class::Success),
        (1234, Class::Success),
        (2002, Class::Permanent),
        (2999, Class::Permanent),
        (3000, Class::Temporary),
        (3002, Class::Permanent),
        (4000, Class::Temporary),
        (4999, Class::Temporary),
        (5027, Class::Permanent),
        (5028, Class::Temporary),
        (0, Class::Permanent),
        (9999, Class::Permanent),
    ];
    for (code, class) in classes {
        assert_eq!(Code(code).class(), class, "{code}");
    }
}

#[test]
fn errors_name_their_place() {
    let said = |text: &[u8]| Response::from_xml(text).expect_err("none").to_string();
    assert_eq!(said(b""), "octet 0: expected an element, or its end");
    assert_eq!(said(b"<pap>"), "octet 5: expected an element, or its end");
    assert_eq!(said(b"<pap></pap>"), "octet 0: expected push-response");
    assert_eq!(said(b"<pap><x/></pap>"), "octet 5: expected push-response, found \"x\"");
    assert_eq!(said(b"  <html>"), "octet 8: expected an element, or its end");
    assert_eq!(said(b"  <html/>"), "octet 2: expected pap, found \"html\"");
    assert_eq!(said(b"hello"), "octet 0: expected an element, not text");
    assert_eq!(said(b"<pap>\xff</pap>"), "octet 5: not UTF-8");
    assert_eq!(said(b"<pap>&x;</pap>"), "octet 5: the entity \"x\" is not resolved: write its character");
    assert_eq!(said(b"<pap a='1' b='2' a='3'/>"), "octet 0: the attribute \"a\" stands twice");
    assert_eq!(said(b"<pap><push-response push-id='1'/></pap>"), "octet 5: expected a response-result");
    assert_eq!(
        said(b"<pap><push-response><response-result code='ok'/></push-response></pap>"),
        "octet 20: expected a code, such as 1001, found \"ok\""
    );
    assert_eq!(said(b"<pap><badmessage-response/></pap>"), "octet 5: expected a code");
    assert!(said(b"<pap><a></b></pap>").starts_with("octet 8: "), "{}", said(b"<pap><a></b></pap>"));
    let declared = b"<!DOCTYPE pap [<!ENTITY x SYSTEM 'file:///etc/passwd'><!ENTITY y '&x;&x;'>]><pap a='&y;'/>";
    assert_eq!(said(declared), "octet 76: the entity \"y\" is not resolved: write its character");
    let deep = "<pap>".repeat(5000);
    assert_eq!(said(deep.as_bytes()), "octet 80: more than 16 levels of elements");
    let wide = format!("<pap>{}", "<a/>".repeat(5000));
    assert!(
        said(wide.as_bytes()).ends_with("more than 4096 elements, attributes and texts"),
        "{}",
        said(wide.as_bytes())
    );
    let name = format!("<{}/>", "x".repeat(10_000));
    assert_eq!(said(name.as_bytes()), format!("octet 0: expected pap, found \"{}\"", "x".repeat(64)));
    let long = vec![b' '; 300_000];
    assert_eq!(said(&long), "octet 262144: more than 262144 octets");
    let two = Response::from_xml(b"<pap><badmessage-response code='2000'/></pap>").map(|found| found.code);
    assert_eq!(two, Ok(Code::BAD_REQUEST));
    let kind = PushMessage::from_xml(b"<pap><push-message push-id='1'/></pap>").expect_err("no address").kind;
    assert_eq!(kind, XmlErrorKind::Missing("an address"));
}

#[test]
fn a_submission_has_two_parts_or_three() {
    let control = message().to_xml();
    let content = b"\x8c\x82\r\n--not the boundary\r\n\x00\xff";
    let headers = [
        ("Content-Type", "application/vnd.wap.mms-message"),
        ("X-Wap-Application-Id", "x-wap-application:mms.ua"),
        ("X-Bad", "a\r\nb"),
        ("", "x"),
    ];
    let body = multipart("b1", &control, &headers, content);
    let head = "--b1\r\nContent-Type: application/xml; charset=UTF-8\r\n\r\n<?xml";
    assert!(body.starts_with(head.as_bytes()), "{}", String::from_utf8_lossy(&body));
    assert!(body.ends_with(b"\xff\r\n--b1--\r\n"));
    let type_of = multipart::content_type("b1");
    assert_eq!(type_of, "multipart/related; boundary=\"b1\"; type=\"application/xml\"");
    let read = parse_multipart(&type_of, &body.clone().into()).expect("a submission");
    assert_eq!(PushMessage::from_xml(&read.control), Ok(message()));
    let pushed = read.content.expect("content");
    assert_eq!((pushed.media.essence(), &pushed.octets[..]), ("application/vnd.wap.mms-message", &content[..]));
    assert_eq!(pushed.headers, [("X-Wap-Application-Id".to_owned(), "x-wap-application:mms.ua".to_owned())]);
    assert_eq!(read.capabilities, None);
    let mut three = body[..body.len() - 4].to_vec();
    three.extend_from_slice(b"\r\nContent-Type: application/xml\r\n\r\n<rdf/>\r\n--b1--\r\n");
    let read = parse_multipart(&type_of, &three.into()).expect("a submission");
    assert_eq!(read.capabilities.as_deref(), Some(&b"<rdf/>"[..]));
    let alone = parse_multipart("application/xml", &Bytes::from_static(b"<pap/>")).expect("a document alone");
    assert_eq!((&alone.control[..], alone.content), (&b"<pap/>"[..], None));
    for (kind, body) in [("application/xml", ""), ("multipart/related", "<pap/>"), (type_of.as_str(), "nothing")] {
        let error = parse_multipart(kind, &Bytes::from(body)).expect_err(kind).to_string();
        assert!(error.contains("octet 0"), "{error}");
    }
}

/// The documents that gateways and initiators exchange; the gateway's answers are Kannel's own.
#[test]
fn documents_of_others_are_read() {
    let file = |name: &str| {
        let path = format!("{}/../../../tests/vectors/pap/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read(&path).expect(&path)
    };
    let submission = PushMessage::from_xml(&file("submission.xml")).expect("a submission");
    assert_eq!((submission.push_id.as_str(), submission.deliver_before), ("n1@mms.example", Some(2_000_000_000)));
    assert_eq!(submission.to_xml().as_bytes(), file("submission.xml"));
    let accepted = Response::from_xml(&file("accepted.xml")).expect("a response");
    assert_eq!((accepted.push_id.as_deref(), accepted.code), (Some("id2@mms.example"), Code::ACCEPTED));
    assert_eq!(accepted.description.as_deref(), Some("The request has been accepted for processing"));
    let bad = Response::from_xml(&file("not_understood.xml")).expect("a response");
    assert_eq!((bad.code, bad.bad_fragment.as_deref()), (Code::BAD_REQUEST, Some("nonsense")));
    for response in [accepted, bad] {
        assert_eq!(Response::from_xml(response.to_xml().as_bytes()), Ok(response));
    }
    let result = ResultNotification::from_xml(&file("result.xml")).expect("a result");
    assert_eq!((result.state, result.code.meaning()), (State::Undeliverable, Some("address not found")));
    assert_eq!((result.received, result.happened), (Some(MADE), Some(MADE + 60)));
    let answer = ResultNotificationResponse {
        push_id: result.push_id,
        address: result.address,
        code: Code::OK,
        description: Some("OK".to_owned()),
    };
    assert_eq!(answer.to_xml().as_bytes(), file("result_response.xml"));
    let posted = file("multipart.txt");
    let line = posted.iter().position(|octet| *octet == b'\n').expect("a Content-Type");
    let type_of = String::from_utf8_lossy(&posted[..line]);
    let body = parse_multipart(&type_of, &Bytes::copy_from_slice(&posted[line..])).expect("a submission");
    assert_eq!(body.content.expect("content").octets, &b"\x8c\x82"[..], "base64 is undone");
    assert_eq!((&body.control[..], body.capabilities.as_deref()), (&b"<pap/>"[..], Some(&b"<rdf/>"[..])));
}

fn texts() -> impl Strategy<Value = String> {
    "[^\0-\x08\x0b\x0c\x0e-\x1f\u{fffe}\u{ffff}]{0,20}"
}

fn messages() -> impl Strategy<Value = PushMessage> {
    let quality = (
        prop::option::of(prop::sample::select(vec![Priority::High, Priority::Medium, Priority::Low])),
        prop::option::of(prop::sample::select(vec![DeliveryMethod::Confirmed, DeliveryMethod::PreferConfirmed])),
        prop::option::of((texts(), any::<bool>())),
        prop::option::of((texts(), any::<bool>())),
    );
    let quality = quality.prop_map(|(priority, method, network, bearer)| Quality { priority, method, network, bearer });
    let times = prop::option::of(0i64..4_000_000_000);
    let parts =
        (texts(), prop::option::of(texts()), prop::option::of(texts()), times, texts(), prop::option::of(quality));
    parts.prop_map(|(push_id, notify_to, source_reference, deliver_before, address, quality)| PushMessage {
        push_id,
        notify_to,
        source_reference,
        deliver_before,
        address,
        quality,
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read(message in messages()) {
        prop_assert_eq!(PushMessage::from_xml(message.to_xml().as_bytes()), Ok(message));
    }

    #[test]
    fn what_is_packed_is_unpacked(content in prop::collection::vec(any::<u8>(), 0..300)) {
        let body = multipart("a-long-boundary", "<pap/>", &[("Content-Type", "x/y")], &content);
        let read = parse_multipart(&multipart::content_type("a-long-boundary"), &body.into()).expect("a submission");
        prop_assert_eq!(&read.content.expect("content").octets[..], &content[..]);
    }

    #[test]
    fn no_text_breaks_it(text in "(<|>|/|&|;|#|\"|'|=|!|\\?|\\[|\\]| |pap|a|x|CDATA|DOCTYPE|--|1){0,60}") {
        for text in [text.clone(), format!("<pap>{text}"), format!("<pap><push-message {text}></push-message></pap>")] {
            if let Err(error) = PushMessage::from_xml(text.as_bytes()) {
                prop_assert!(error.offset <= text.len(), "{error}");
            }
        }
    }
}
