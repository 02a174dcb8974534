//! Reports built, sent and read again.

use bytes::Bytes;
use packetboat_mime::report::{Envelope, dsn, loop_facts, mdn};
use packetboat_mime::{Headers, Mail, Transport, parse, render_to_bytes};

fn sent(mail: &Mail<Bytes>) -> Mail<Bytes> {
    parse(&render_to_bytes(mail, Transport::SevenBit, || "=_r".to_owned())).unwrap()
}

fn envelope() -> Envelope {
    Envelope {
        from: "15550100@mms.example".to_owned(),
        to: "bob@example.net".to_owned(),
        date: "Thu, 09 Oct 2025 08:54:00 +0000".to_owned(),
        message_id: "<r1@mms.example>".to_owned(),
        subject: "Zu groß".to_owned(),
    }
}

fn original() -> Headers {
    Headers(vec![
        ("Message-ID".to_owned(), "<orig@example.net>".to_owned()),
        ("Subject".to_owned(), "Grüße".to_owned()),
    ])
}

#[test]
fn a_delivery_status_says_what_happened_to_whom() {
    let failed = dsn::DsnRecipient {
        original_recipient: Some("15550100@mms.example".to_owned()),
        final_recipient: Some("x-phone; +15550100".to_owned()),
        action: dsn::Action::Failed,
        status: "5.2.3".to_owned(),
        diagnostic: Some("x-mms; 195 message size".to_owned()),
        remote_mta: None,
    };
    let delivered = dsn::DsnRecipient {
        original_recipient: None,
        final_recipient: Some("carol@mms.example".to_owned()),
        action: dsn::Action::Delivered,
        status: "2.0.0".to_owned(),
        diagnostic: None,
        remote_mta: Some("dns; mx.example".to_owned()),
    };
    let spec = dsn::DsnSpec {
        envelope: envelope(),
        text: "The recipient's carrier takes 600 kB;\nyour picture is 2.1 MB – too large.\n".to_owned(),
        reporting_mta: "mmsc.example".to_owned(),
        gateway: Some("mmsc.example".to_owned()),
        envelope_id: Some("env 42\r\nAction: delivered".to_owned()),
        arrival_date: Some("Thu, 09 Oct 2025 08:53:00 +0000".to_owned()),
        recipients: vec![failed.clone(), delivered.clone()],
        original: original(),
    };
    let mail = sent(&dsn::build(&spec));
    assert_eq!(mail.headers.first("In-Reply-To"), Some("<orig@example.net>"));
    assert!(loop_facts(&mail.headers).is_automatic());
    let read = dsn::parse(&mail).unwrap();
    assert_eq!(read.recipients, [failed, delivered]);
    assert_eq!(read.envelope_id.as_deref(), Some("env 42 Action: delivered"), "no field can be smuggled in");
    assert_eq!(read.reporting_mta.as_deref(), Some("mmsc.example"));
    assert_eq!(read.original_message_id.as_deref(), Some("<orig@example.net>"));
    assert!(read.text.contains("2.1 MB – too large"));
    assert_eq!(mdn::parse(&mail), None);
}

#[test]
fn a_read_report_says_who_read_what() {
    use mdn::Disposition::{Deleted, Denied, Dispatched, Displayed, Failed, Processed};
    for disposition in [Displayed, Deleted, Dispatched, Processed, Denied, Failed] {
        let spec = mdn::MdnSpec {
            envelope: envelope(),
            text: "The message was displayed.".to_owned(),
            reporting_ua: Some("mmsc.example; MMS".to_owned()),
            gateway: None,
            original_recipient: None,
            final_recipient: "15550100@mms.example".to_owned(),
            original_message_id: Some("<orig@example.net>".to_owned()),
            disposition,
            automatic: disposition == Processed,
            original: Headers::default(),
        };
        let mail = sent(&mdn::build(&spec));
        let read = mdn::parse(&mail).unwrap();
        assert_eq!((read.disposition, read.automatic), (disposition, disposition == Processed));
        assert_eq!(read.final_recipient.as_deref(), Some("15550100@mms.example"));
        assert_eq!(read.original_message_id.as_deref(), Some("<orig@example.net>"));
        assert_eq!(dsn::parse(&mail), None);
    }
}

#[test]
fn ordinary_mail_is_no_report() {
    let mail = parse(&Bytes::from_static(b"Subject: x\r\n\r\nAction: failed\r\n")).unwrap();
    assert_eq!((dsn::parse(&mail), mdn::parse(&mail)), (None, None));
}
