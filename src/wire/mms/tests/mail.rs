//! PDUs as MIME messages and back, and what handsets get to see.

use bytes::Bytes;
use packetboat_mime::{Entity, Headers, Mail, MediaType};
use packetboat_mms::codes::{MessageClass, Priority, SenderVisibility};
use packetboat_mms::{Field, FromValue, Pdu, TimeValue, Value, Version, date, mail};

fn leaf(media: &str, body: &'static [u8]) -> Entity {
    Entity::leaf(MediaType::parse(media), Bytes::from_static(body))
}

fn named(media: &str, name: &str) -> Entity {
    let mut entity = leaf(media, b"x");
    entity.content_id = Some(name.to_owned());
    entity.location = Some(name.to_owned());
    entity
}

fn message(fields: &[(&str, &str)], root: Entity) -> Mail {
    Mail { headers: Headers(fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect()), root }
}

fn shape(pdu: &Pdu) -> Vec<String> {
    let content = pdu.content.as_ref().expect("content");
    let part = |part: &&Entity| {
        let ids = [part.content_id.as_deref(), part.location.as_deref()].map(Option::unwrap_or_default);
        format!("{} id={} location={}", part.media, ids[0], ids[1])
    };
    [content.media.to_string()].into_iter().chain(content.leaves().iter().map(part)).collect()
}

#[test]
fn a_submitted_message_becomes_mail() {
    let related = MediaType::parse("application/vnd.wap.multipart.related; type=\"application/smil\"; start=s");
    let content = Entity::multipart(related, vec![named("application/smil", "s"), named("text/x-vcard", "c.vcf")]);
    let pdu = Pdu::send_req("T1", Version::V1_2, FromValue::InsertAddress, content)
        .with(Field::To, "+447700900123/TYPE=PLMN")
        .with(Field::To, "Doe, Jane <jane@example.net>")
        .with(Field::Bcc, "7777")
        .with(Field::Subject, "=?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\nX-Evil: yes")
        .with(Field::Date, 1_760_000_000u64)
        .with(Field::MessageClass, MessageClass::Personal)
        .with(Field::Priority, Priority::High)
        .with(Field::Expiry, TimeValue::Relative(86_400))
        .with(Field::DeliveryTime, TimeValue::Absolute(1_760_000_060))
        .with(Field::DeliveryReport, true)
        .with(Field::ReadReport, false)
        .with(Field::SenderVisibility, SenderVisibility::Hide)
        .with(Field::PreviouslySentBy, Value::PreviouslySentBy(0, "+1555/TYPE=PLMN".to_owned()))
        .with(Field::PreviouslySentDate, Value::PreviouslySentDate(0, 1_760_000_000));
    let mail = mail::to_mail(pdu);
    let lines: Vec<String> = mail.headers.0.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(
        lines,
        [
            "To: +447700900123/TYPE=PLMN, \"Doe, Jane\" <jane@example.net>",
            "Bcc: 7777",
            "Subject: Grüße  X-Evil: yes",
            "Date: Thu, 09 Oct 2025 08:53:20 +0000",
            "X-Mms-Message-Class: Personal",
            "X-Mms-Priority: High",
            "X-Mms-Expiry: 86400",
            "X-Mms-Delivery-Time: Thu, 09 Oct 2025 08:54:20 +0000",
            "X-Mms-Delivery-Report: Yes",
            "X-Mms-Read-Reply: No",
            "X-Mms-Sender-Visibility: Hide",
            "X-Mms-Previously-sent-by: 0, +1555/TYPE=PLMN",
            "X-Mms-Previously-sent-date-and-time: 0, Thu, 09 Oct 2025 08:53:20 +0000",
        ]
    );
    assert_eq!(mail.root.media.to_string(), "multipart/related; type=\"application/smil\"; start=\"<s>\"");
    assert_eq!(mail.root.leaves()[1].media.essence(), "text/vcard");
}

#[test]
fn what_mail_carries_comes_back() {
    let mail = message(
        &[
            ("From", "+447700900123/TYPE=PLMN"),
            ("To", "\"Smith, Bob\" <bob@example.net>, +447700900124, +447700900125/TYPE=PLMN@mms.example.net"),
            ("Cc", "447700900126"),
            ("Bcc", "hidden@example.net"),
            ("Subject", "Grüße"),
            ("Date", "Thu, 9 Oct 2025 10:53:20 +0200"),
            ("Message-ID", "<m77@mms.example>"),
            ("X-Mms-Message-Class", "auto"),
            ("X-Mms-Expiry", "3600"),
            ("X-Mms-Delivery-Report", "yes"),
            ("X-Mms-Read-Reply", "No"),
            ("X-Mms-Previously-sent-by", "0, +1555"),
            ("X-Mms-Content-Class", "image-basic"),
            ("X-Mms-Priority", "nonsense"),
            ("X-Priority", "1 (Highest)"),
        ],
        leaf("text/plain; charset=utf-8", b"hello"),
    );
    let pdu = mail::retrieve_conf(&mail, Some("t1"), Version::V1_2, 5);
    let lines: Vec<String> = pdu.describe().iter().map(|(name, value)| format!("{name}: {value}")).collect();
    assert_eq!(
        lines,
        [
            "X-Mms-Message-Type: m-retrieve-conf",
            "X-Mms-Transaction-Id: t1",
            "X-Mms-MMS-Version: 1.2",
            "Date: 2025-10-09T08:53:20Z",
            "From: +447700900123/TYPE=PLMN",
            "To: bob@example.net",
            "To: +447700900124/TYPE=PLMN",
            "To: +447700900125/TYPE=PLMN",
            "Cc: 447700900126/TYPE=PLMN",
            "Subject: Grüße",
            "Message-ID: m77@mms.example",
            "X-Mms-Message-Class: Auto",
            "X-Mms-Delivery-Report: Yes",
            "X-Mms-Read-Report: No",
            "X-Mms-Previously-Sent-By: 0, +1555/TYPE=PLMN",
            "X-Mms-Priority: High",
            "Content-Type: application/vnd.wap.multipart.mixed",
        ]
    ); // X-Mms-Content-Class is 1.3's
    let pdu = mail::send_req(&mail, "t1", Version::V1_3, FromValue::InsertAddress);
    assert_eq!(pdu.bcc().collect::<Vec<_>>(), ["hidden@example.net"]);
    assert_eq!(pdu.expiry(), Some(TimeValue::Relative(3600)));
    assert_eq!(pdu.content_class().map(|class| class.to_string()).as_deref(), Some("image-basic"));
    assert!(pdu.message_id().is_none(), "the other relay gives the id");
    assert_eq!(pdu.check(), Vec::<&str>::new());
}

#[test]
fn a_hidden_sender_stays_hidden() {
    let mail = message(&[("From", "+1555"), ("X-Mms-Sender-Visibility", "Hide")], leaf("text/plain", b""));
    assert!(mail::retrieve_conf(&mail, None, Version::V1_0, 5).from().is_none());
}

#[test]
fn a_date_nobody_can_read_is_now() {
    let mail = message(&[("Date", "yesterday")], leaf("text/plain", b""));
    assert_eq!(mail::retrieve_conf(&mail, None, Version::V1_0, 5).date(), Some(5));
}

#[test]
fn case_c_01_every_part_has_one_name_in_three_places() {
    let mixed = Entity::multipart(
        MediaType::parse("multipart/mixed; boundary=b"),
        vec![
            leaf("text/plain; charset=utf-8; format=flowed", b"hi"),
            leaf("image/jpg; name=\"Foto sch\u{f6}n.JPG\"", b"1"),
            leaf("image/jpeg; name=\"Foto sch\u{f6}n.JPG\"", b"2"),
            leaf("audio/amr; name=../../etc/a", b"3"),
        ],
    );
    assert_eq!(
        shape(&mail::retrieve_conf(&message(&[], mixed), None, Version::V1_0, 0)),
        [
            "application/vnd.wap.multipart.mixed",
            "text/plain; charset=utf-8; name=part1.txt id=part1.txt location=part1.txt",
            "image/jpeg; name=Foto_sch_n.JPG id=Foto_sch_n.JPG location=Foto_sch_n.JPG",
            "image/jpeg; name=Foto_sch_n1.JPG id=Foto_sch_n1.JPG location=Foto_sch_n1.JPG",
            "audio/amr; name=a.amr id=a.amr location=a.amr",
        ]
    );
}

#[test]
fn a_presentation_comes_first_and_keeps_the_names_it_refers_to() {
    let mut picture = named("image/jpeg", "Mamma Mia.jpg");
    picture.content_id = Some("<1@phone>".to_owned());
    let related = Entity::multipart(
        MediaType::parse("multipart/mixed; boundary=b"),
        vec![picture, named("text/plain; charset=utf-8", "t.txt"), leaf("application/smil; name=x.smil", b"<smil/>")],
    );
    assert_eq!(
        shape(&mail::retrieve_conf(&message(&[], related), None, Version::V1_0, 0)),
        [
            "application/vnd.wap.multipart.related; type=\"application/smil\"; start=\"<x.smil>\"",
            "application/smil; name=x.smil id=x.smil location=x.smil",
            "image/jpeg; name=\"Mamma Mia.jpg\" id=1@phone location=Mamma Mia.jpg",
            "text/plain; charset=utf-8; name=t.txt id=t.txt location=t.txt",
        ]
    );
}

#[test]
fn multiparts_inside_are_opened_but_for_alternatives() {
    let alternative = Entity::multipart(
        MediaType::parse("multipart/alternative"),
        vec![leaf("text/plain; charset=utf-8", b"hi"), leaf("text/html", b"<p>hi")],
    );
    let related = Entity::multipart(MediaType::parse("multipart/related"), vec![alternative, leaf("image/png", b"p")]);
    let signed = leaf("multipart/signed; boundary=s; protocol=x", b"--s");
    let mixed = Entity::multipart(MediaType::parse("multipart/mixed"), vec![related, signed]);
    let pdu = mail::retrieve_conf(&message(&[], mixed), None, Version::V1_0, 0);
    assert_eq!(
        shape(&pdu),
        [
            "application/vnd.wap.multipart.mixed",
            "text/plain; charset=utf-8; name=part1.txt id=part1.txt location=part1.txt",
            "text/html; name=part1.html id=part1.html location=part1.html",
            "image/png; name=part1.png id=part1.png location=part1.png",
            "multipart/signed; boundary=s; protocol=x id= location=",
        ]
    );
    let again = packetboat_mms::decode(&pdu.to_vec().into()).expect("what was written");
    assert_eq!(again.content, pdu.content);
}

#[test]
fn case_c_09_cards_have_the_names_that_handsets_know() {
    let mixed = Entity::multipart(
        MediaType::parse("multipart/mixed"),
        vec![leaf("text/vcard; charset=utf-8", b"BEGIN:VCARD"), leaf("text/calendar", b"BEGIN:VCALENDAR")],
    );
    let octets = mail::retrieve_conf(&message(&[], mixed), None, Version::V1_0, 0).to_vec();
    assert!(octets.windows(3).any(|window| window == [0x87, 0x81, 0xEA]), "text/x-vCard, charset UTF-8");
    assert!(octets.windows(2).any(|window| window == [0x86, 0x85]), "text/x-vCalendar, name");
}

#[test]
fn case_c_15_a_signed_multipart_is_not_taken_apart() {
    let octets =
        [&b"\x8c\x84\x8d\x92\x85\x01\x05\x84"[..], b"multipart/signed; boundary=b\0--b\r\n\r\nx\r\n--b--"].concat();
    let pdu = packetboat_mms::decode(&Bytes::from(octets)).expect("a PDU");
    assert_eq!(pdu.parts()[0].content().map(Bytes::as_ref), Some(&b"--b\r\n\r\nx\r\n--b--"[..]));
}

#[test]
fn case_d_01_numbers_have_a_type() {
    let cases = [
        ("+447700900123", "+447700900123/TYPE=PLMN"),
        ("447700900123", "447700900123/TYPE=PLMN"),
        ("+447700900123/type=plmn", "+447700900123/TYPE=plmn"),
        ("+447700900123/TYPE=PLMN@mms.example.net", "+447700900123/TYPE=PLMN"),
        ("192.0.2.1/TYPE=IPv4@mms.example.net", "192.0.2.1/TYPE=IPv4"),
        ("bob@example.net", "bob@example.net"),
        ("+447700900123@mms.example.net", "+447700900123@mms.example.net"),
        ("", ""),
    ];
    for (address, expected) in cases {
        assert_eq!(mail::mm1_address(address), expected);
    }
}

#[test]
fn dates_go_both_ways() {
    for seconds in [0, 951_782_400, 1_760_000_000, 4_102_444_800, 253_402_300_799] {
        assert_eq!(date::parse(&date::rfc5322(seconds)), Some(seconds));
        assert_eq!(date::parse(&date::rfc3339(seconds)), Some(seconds));
    }
    assert_eq!(date::rfc5322(951_782_400), "Tue, 29 Feb 2000 00:00:00 +0000");
    let readable = [
        "Thu, 09 Oct 2025 08:53:20 +0000",
        "9 oct 2025 08:53:20 GMT",
        "Thu, 9 Oct 25 03:53:20 CDT (Central)",
        "Thu Oct 09 2025 10:53:20 GMT+0200 (CEST)",
        "2025-10-09T10:53:20.123+02:00",
    ];
    for text in readable {
        assert_eq!(date::parse(text), Some(1_760_000_000), "{text}");
    }
    for text in ["", "soon", "Thu, 99 Oct 2025 08:53:20", "1 Jan 1969 00:00:00 +0000", "9 Oct 2025"] {
        assert_eq!(date::parse(text), None, "{text}");
    }
    date::rfc5322(u64::MAX);
}
