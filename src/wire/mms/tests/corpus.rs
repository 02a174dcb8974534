//! What real handsets and operators sent. Expectations were confirmed with Wireshark's decoder; the sizes of parts
//! are those after a Content-Transfer-Encoding was undone.

use std::path::Path;

use bytes::Bytes;
use packetboat_mms::{Pdu, PduType, decode, mail};

struct Expected {
    file: &'static str,
    kind: PduType,
    transaction_id: Option<&'static str>,
    subject: Option<&'static str>,
    parts: &'static [(&'static str, usize)],
}

const fn expected(
    file: &'static str,
    kind: PduType,
    transaction_id: Option<&'static str>,
    subject: Option<&'static str>,
    parts: &'static [(&'static str, usize)],
) -> Expected {
    Expected { file, kind, transaction_id, subject, parts }
}

const BEELINE: Option<&str> = Some("m10l9m7u03mct2jbc12@mms.beeline.ru");

const FILES: &[Expected] = &[
    expected(
        "BTMMS.MMS",
        PduType::RetrieveConf,
        None,
        Some("BT Ignite MMS"),
        &[("application/smil", 494), ("image/gif", 10430), ("audio/amr", 9638), ("text/plain", 25)],
    ),
    expected("SEC-SGHS300M.mms", PduType::SendReq, Some("31887"), Some("IL"), &[("text/plain", 2)]),
    expected("SIMPLE.MMS", PduType::RetrieveConf, None, Some("Simple message"), &[("text/plain", 58)]),
    expected(
        "iPhone.mms",
        PduType::SendReq,
        Some("1262957356-3"),
        None,
        &[("application/smil", 300), ("image/jpeg", 213_580)],
    ),
    expected(
        "invalid-subject.m-retrieve.conf",
        PduType::RetrieveConf,
        Some("9gO0009JS7k0"),
        Some("=?utf-8?B??="),
        &[("application/smil", 432), ("image/jpeg", 209_413)],
    ),
    expected("m-acknowledge.ind", PduType::AcknowledgeInd, Some("BH6WJE2N9CSG1@xma.724.com"), None, &[]),
    expected("m-delivery_1.ind", PduType::DeliveryInd, None, None, &[]),
    expected("m-notification_1.ind", PduType::NotificationInd, BEELINE, None, &[]),
    expected("m-notification_2.ind", PduType::NotificationInd, Some("BH1CFPLK7PMO1@xma.724.com"), None, &[]),
    expected("m-notifyresp.ind", PduType::NotifyRespInd, BEELINE, None, &[]),
    expected("m-read-rec.ind", PduType::ReadRecInd, None, None, &[]),
    expected(
        "m-retrieve_1.conf",
        PduType::RetrieveConf,
        BEELINE,
        None,
        &[("application/smil", 438), ("text/plain", 127), ("image/jpeg", 13641)],
    ),
    expected("m-retrieve_4.conf", PduType::RetrieveConf, Some("23wE4C01E0DWM00"), Some(""), &[("text/plain", 191)]),
    expected("m-retrieve_5.conf", PduType::RetrieveConf, None, None, &[("text/plain", 22)]),
    expected(
        "m-retrieve_8.conf",
        PduType::RetrieveConf,
        Some("C10422151301222000000020000"),
        None,
        &[("application/smil", 345), ("text/x-vcard", 164), ("text/plain", 27)],
    ),
    expected("m-send_1.conf", PduType::SendConf, Some("UZSWBX"), None, &[]),
    expected(
        "m-send_1.req",
        PduType::SendReq,
        Some("c024802b-2ebf-428d-b4d6-a8f991deed44"),
        Some("Fw: another test"),
        &[("application/smil", 234), ("image/jpeg", 114_857)],
    ),
    expected(
        "m.mms",
        PduType::RetrieveConf,
        Some("0000000001"),
        Some("GOLD"),
        &[
            ("text/plain", 5),
            ("application/smil", 1440),
            ("text/plain", 6),
            ("text/plain", 17),
            ("audio/amr", 25926),
            ("text/plain", 105),
            ("text/plain", 14),
            ("text/plain", 13),
            ("text/plain", 4),
        ],
    ),
    expected(
        "openwave.mms",
        PduType::SendReq,
        Some("1067263672"),
        Some("rubrik"),
        &[("application/smil", 356), ("text/plain", 6)],
    ),
    expected(
        "projekt_exempel.mms",
        PduType::SendReq,
        Some("4-fc60"),
        Some("Hej"),
        &[("text/plain", 18), ("image/gif", 1891), ("application/smil", 381)],
    ),
    expected(
        "quoted-printable.m-retrieve.conf",
        PduType::RetrieveConf,
        Some("BQXQLF3OH0101@xma.724.com"),
        None,
        &[("application/smil", 408), ("image/jpeg", 165_297), ("text/plain", 39)],
    ),
];

#[test]
fn every_file_reads_as_others_read_it() {
    let Some(files) = corpus() else { return };
    assert_eq!(files.len(), FILES.len());
    for (expected, pdu) in &files {
        assert_eq!(pdu.kind, expected.kind, "{}", expected.file);
        assert_eq!(pdu.transaction_id(), expected.transaction_id, "{}", expected.file);
        assert_eq!(pdu.subject(), expected.subject, "{}", expected.file);
        let parts = pdu.parts();
        let parts: Vec<_> =
            parts.iter().map(|part| (part.media.essence(), part.content().map_or(0, Bytes::len))).collect();
        assert_eq!(parts, expected.parts, "{}", expected.file);
        assert_eq!(pdu.check(), Vec::<&str>::new(), "{}", expected.file);
    }
}

#[test]
fn every_file_survives_encoding() {
    for (expected, pdu) in corpus().unwrap_or_default() {
        let again = decode(&pdu.to_vec().into()).expect("what was written");
        assert_eq!(again.describe().len(), pdu.describe().len(), "{}", expected.file);
        assert_eq!(again.content, pdu.content, "{}", expected.file);
    }
}

#[test]
fn every_body_survives_the_way_through_mail() {
    for (expected, pdu) in corpus().unwrap_or_default() {
        let Some(content) = pdu.content.clone() else { continue };
        let again = mail::retrieve_conf(&mail::to_mail(pdu), Some("t"), packetboat_mms::Version::V1_3, 0);
        let sorted = |entity: &packetboat_mime::Entity| {
            let mut bodies: Vec<_> = entity.leaves().iter().filter_map(|leaf| leaf.content().cloned()).collect();
            bodies.sort(); // the presentation moves to the front
            bodies
        };
        assert_eq!(sorted(again.content.as_ref().expect("content")), sorted(&content), "{}", expected.file);
        assert!(!again.is_single_part(), "{}", expected.file);
    }
}

#[test]
fn quoted_printable_is_undone() {
    let files = corpus().unwrap_or_default();
    for (_, pdu) in files.iter().filter(|(expected, _)| expected.file.starts_with("quoted")) {
        let parts = pdu.parts();
        let text = parts.last().and_then(|part| part.content()).expect("the text");
        assert_eq!(std::str::from_utf8(text), Ok("Tämmönen 😈 tää lähtee huomenna."));
    }
}

/// Every file with what it should say; `None` where the corpus is not there.
fn corpus() -> Option<Vec<(&'static Expected, Pdu)>> {
    let Some(root) = std::env::var_os("PACKETBOAT_CORPUS") else {
        eprintln!("left out: PACKETBOAT_CORPUS is not set");
        return None;
    };
    let read = |expected: &'static Expected| {
        let octets = std::fs::read(Path::new(&root).join("pdus").join(expected.file)).expect(expected.file);
        let pdu = decode(&octets.into()).unwrap_or_else(|error| panic!("{}: {error}", expected.file));
        (expected, pdu)
    };
    Some(FILES.iter().map(read).collect())
}
