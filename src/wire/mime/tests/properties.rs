//! Properties: nothing panics on any input; what is written reads as what it was.

use bytes::Bytes;
use packetboat_mime::compose::{self, MailOptions, Options};
use packetboat_mime::report::{dsn, loop_facts, mdn};
use packetboat_mime::smil::{self, Media, MediaKind, Slide};
use packetboat_mime::{
    Disposition, Entity, Headers, Mail, MediaType, Transport, addresses, decode_text, html_to_text, parse, render,
    render_to_bytes, strip_history,
};
use proptest::prelude::*;

/// Everything this crate does with a mail, once.
fn use_all(input: &Bytes) {
    let Ok(mail) = parse(input) else { return };
    let plan = compose::plan(&mail, &Options::default());
    let texts: Vec<Bytes> = plan.needs().into_iter().cloned().collect();
    assert!(!plan.finish(texts).leaves().is_empty(), "no phone takes an MMS without parts");
    let plan = compose::mail_from_mms(&mail, &MailOptions { keep_presentation: true, ..MailOptions::default() });
    let read: Vec<Bytes> = plan.needs().into_iter().cloned().collect();
    plan.finish(read);
    compose::mms_fields(&mail.headers, false);
    loop_facts(&mail.headers);
    dsn::parse(&mail);
    mdn::parse(&mail);
    smil::order(&mail.root);
    mail.headers.0.iter().for_each(|(_, value)| drop(addresses(value)));
    let rendered = render_to_bytes(&mail, Transport::SevenBit, || "=_b".to_owned());
    check_lines(&rendered);
    parse(&rendered).expect("what is rendered is within the limits");
}

/// CRLF only, lines of at most 998 octets, 7-bit except where an address is not (RFC 6531).
fn check_lines(rendered: &[u8]) {
    for line in rendered.split(|byte| *byte == b'\n') {
        assert!(line.len() <= 999, "a line of {} octets", line.len());
    }
    for (at, byte) in rendered.iter().enumerate() {
        match byte {
            b'\r' => assert_eq!(rendered.get(at + 1), Some(&b'\n')),
            b'\n' => assert_eq!(rendered.get(at.wrapping_sub(1)), Some(&b'\r')),
            _ => {}
        }
    }
}

/// Pieces of mail, good and bad, that random octets would not hit on.
fn fragment() -> impl Strategy<Value = Vec<u8>> {
    let pieces: Vec<&'static [u8]> = vec![
        b"Content-Type: multipart/mixed; boundary=b\r\n",
        b"Content-Type: multipart/alternative\r\n",
        b"\r\n--b\r\n",
        b"--b--\r\n",
        b"Content-Type: text/html; charset=utf-16\r\n",
        b"Content-Transfer-Encoding: base64\r\n",
        b"SGVsbG8=",
        b"SGVsbG8gd29ybGQh\r\n",
        b"Content-Transfer-Encoding: quoted-printable\r\n",
        b"=E4=\r\n",
        b"=3D=?utf-8?q?=C3?= =?utf-8?q?=A9?=",
        b"Subject: =?x?B?//?=\r\n",
        b"From: \"a\\\" <b@c>, (x (y) <z@",
        b"To: g: a@b, <+4477/TYPE=PLMN@h>;\r\n",
        b"\r\n\r\n",
        b"\n",
        b"\r",
        b" \t",
        b"\0\xff\xfe",
        b"Content-Disposition: attachment; filename*0*=utf-8''%e2%82; filename*1=x\r\n",
        b"<p>a<br>b<a href='http://x'>y</a><ul><li>",
        b"<smil><par dur=5s><img src=\"cid:<a>\"><text src=t",
        b"On Monday x wrote:\r\n> hello\r\n",
        b"-- \r\n",
        b"Sent from my iPhone\r\n",
        b"Content-Type: message/delivery-status\r\n\r\nAction: failed\r\n",
        b"Content-Type: application/smil\r\n\r\n<par><ref src=x/></par>",
        b"Content-ID: <a@b>\r\n",
        b"Content-Location: a.jpg\r\n",
        b"X-Mms-Previously-Sent-By: 0, a@b\r\n",
        b"&amp;&#x41;&#99999999;&",
        b"<blockquote>",
        b"<!--",
        b"-->",
        b"<script>",
        b"Content-Type: image/jpeg; name==?utf-8?b?w6k=?=.jpg\r\n",
        "é€😀".as_bytes(),
    ];
    prop_oneof![
        4 => prop::sample::select(pieces).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ]
}

fn text() -> impl Strategy<Value = String> {
    "[ -~äé€😀]{0,60}(\r\n[ -~ü]{0,90}){0,4}"
}

/// A header value as the tree has it: trimmed, no controls.
fn value() -> impl Strategy<Value = String> {
    "[!-~é€😀]([ -~é€ü]{0,120}[!-~😀])?"
}

fn name() -> impl Strategy<Value = Option<String>> {
    prop::option::of("[a-zA-Z0-9äß€ ;\"\\\\'%*=._-]{0,50}[a-zé]")
}

fn leaf() -> impl Strategy<Value = Entity<Bytes>> {
    let body = prop_oneof![
        text().prop_map(|text| (MediaType::new("text/plain").with("charset", "utf-8"), Bytes::from(text))),
        prop::collection::vec(any::<u8>(), 0..3000)
            .prop_map(|octets| (MediaType::new("image/jpeg"), Bytes::from(octets))),
    ];
    (body, name(), name(), prop::option::of("[a-z0-9.@_-]{1,30}"), prop::option::of(value())).prop_map(
        |((mut media, body), param, filename, id, description)| {
            if let Some(param) = param {
                media.set("name", param);
            }
            let mut leaf = Entity::leaf(media, body);
            leaf.disposition = filename.map(|name| Disposition { kind: "attachment".into(), filename: Some(name) });
            leaf.content_id = id;
            leaf.other.extend(description.map(|value| ("Content-Description".to_owned(), value)));
            leaf
        },
    )
}

fn tree() -> impl Strategy<Value = Entity<Bytes>> {
    let parts = leaf().prop_recursive(4, 20, 4, |inner| {
        (
            prop::sample::select(vec!["multipart/mixed", "multipart/related", "multipart/alternative"]),
            prop::collection::vec(inner, 0..4),
        )
            .prop_map(|(essence, parts)| Entity::multipart(MediaType::new(essence), parts))
    });
    prop::collection::vec(parts, 1..4).prop_map(|parts| Entity::multipart(MediaType::new("multipart/mixed"), parts))
}

fn mail() -> impl Strategy<Value = Mail<Bytes>> {
    (prop::collection::vec(("X-[A-Za-z]{1,20}|Subject", value()), 0..5), tree())
        .prop_map(|(headers, root)| Mail { headers: Headers(headers), root })
}

fn slides() -> impl Strategy<Value = Vec<Slide>> {
    let kind = prop::sample::select(vec![
        MediaKind::Image,
        MediaKind::Text,
        MediaKind::Audio,
        MediaKind::Video,
        MediaKind::Reference,
    ]);
    let media = (kind, "[ -~é]{1,30}").prop_map(|(kind, src)| {
        let region = match kind {
            MediaKind::Image | MediaKind::Video => Some("Image".to_owned()),
            MediaKind::Text => Some("Text".to_owned()),
            _ => None,
        };
        Media { kind, src, region }
    });
    let slide = (prop::option::of(0u32..10_000_000), prop::collection::vec(media, 0..4))
        .prop_map(|(duration, media)| Slide { duration, media });
    prop::collection::vec(slide, 0..6)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_octets_never_panic(octets in prop::collection::vec(any::<u8>(), 0..2000)) {
        use_all(&octets.into());
    }

    #[test]
    fn broken_mails_never_panic(pieces in prop::collection::vec(fragment(), 0..40)) {
        use_all(&pieces.concat().into());
    }

    #[test]
    fn mutated_mails_never_panic(mail in mail(), cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..10)) {
        let mut octets = render_to_bytes(&mail, Transport::SevenBit, || "b".to_owned()).to_vec();
        for (at, byte) in cuts {
            let at = at.index(octets.len());
            if byte % 3 == 0 { octets.remove(at); } else { octets[at] = byte; }
        }
        use_all(&octets.into());
    }

    #[test]
    fn text_tools_never_panic(input in "(<[a-z/!]{0,12}|[&#;\"'=> \n-]{0,6}|\\PC{0,10}|On .{0,9} wrote:\n){0,40}") {
        html_to_text(&input);
        strip_history(&input);
        smil::parse(&input);
        addresses(&input);
        MediaType::parse(&input);
    }

    #[test]
    fn every_charset_decodes_anything(octets in prop::collection::vec(any::<u8>(), 0..200), label in "utf-7|utf-16|iso-2022-(jp|kr)|ibm850|gb18030|x|latin1|\\PC{0,60}") {
        decode_text(&octets, &label);
    }

    #[test]
    fn rendered_reads_as_it_was(mail in mail()) {
        let rendered = render_to_bytes(&mail, Transport::SevenBit, || "b".to_owned());
        check_lines(&rendered);
        prop_assert!(rendered.is_ascii());
        prop_assert_eq!(parse(&rendered).unwrap(), mail);
    }

    #[test]
    fn binary_transport_keeps_every_octet(mail in mail()) {
        let rendered: Bytes = render(&mail, Transport::Binary, || "b".to_owned()).concat().into();
        prop_assert_eq!(parse(&rendered).unwrap(), mail);
    }

    #[test]
    fn a_presentation_reads_as_it_was(slides in slides()) {
        prop_assert_eq!(smil::parse(&smil::generate(&slides)), slides);
    }

    #[test]
    fn media_types_read_as_they_were(essence in "[a-z]{1,9}/[a-z0-9.+-]{1,20}", value in "[ -~é]{0,30}") {
        let media = MediaType::new(essence).with("name", value);
        prop_assert_eq!(MediaType::parse(&media.to_string()), media);
    }
}
