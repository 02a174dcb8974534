//! Reports as mail, judged by what a mail program finds in them.

mod support;

use packetboat_api::message::{DeliveryReport, Kind, ReadReport, ReportedStatus};
use packetboat_api::mime::{Transport, render_to_bytes};
use packetboat_api::roles::Job;
use packetboat_plugin_mail::names::Names;
use packetboat_plugin_mail::report;
use support::{NOW, World, jobs};

fn names() -> Names {
    Names { domain: "mms.test".to_owned() }
}

fn job(kind: Kind) -> Job {
    let world = World::new(&std::env::temp_dir());
    let mut message = world.message(None, &["ann@three.test"], "Subject: the sea\n\n");
    message.kind = kind;
    jobs(message).remove(0)
}

fn text(mail: &packetboat_api::mime::Mail) -> String {
    let octets = render_to_bytes(mail, Transport::SevenBit, || "B0".to_owned());
    String::from_utf8(octets.to_vec()).expect("ASCII").replace("\r\n", "\n")
}

fn delivery(status: ReportedStatus, recipient: &str) -> String {
    let about = DeliveryReport {
        about: "orig@three.test".to_owned(),
        recipient: recipient.parse().expect("party"),
        status,
        text: "The words.".to_owned(),
        at: NOW,
        envelope_id: Some("env42".to_owned()),
        original: Some("rfc822;07700900123@mms.test".to_owned()),
    };
    let job = job(Kind::DeliveryReport(about.clone()));
    text(&report::delivery(&about, &job, "mmsc.test", &names()))
}

#[test]
fn a_delivery_report_is_a_dsn() {
    let wanted = "From: +447700900123@mms.test
To: ann@three.test
Date: Thu, 09 Oct 2025 08:53:20 +0000
Subject: Delivered: the sea
Message-ID: <0SK4BYM000001@mmsc.test>
In-Reply-To: <orig@three.test>
References: <orig@three.test>
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=B0

--B0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 7bit

The words.

--B0
Content-Type: message/delivery-status
Content-Transfer-Encoding: 7bit

Original-Envelope-Id: env42
Reporting-MTA: dns; mmsc.test
DSN-Gateway: dns; mmsc.test

Original-Recipient: rfc822;07700900123@mms.test
Final-Recipient: rfc822; +447700900123@mms.test
Action: delivered
Status: 2.0.0

--B0
Content-Type: text/rfc822-headers; charset=utf-8
Content-Transfer-Encoding: 7bit

Message-ID: <orig@three.test>
From: ann@three.test
To: +447700900123@mms.test
Subject: the sea

--B0--
";
    let got = delivery(ReportedStatus::Retrieved, "+447700900123");
    let id = got.lines().find(|line| line.starts_with("Message-ID: <")).expect("id").to_owned();
    assert_eq!(got.replace(&id, "Message-ID: <0SK4BYM000001@mmsc.test>"), wanted);
}

#[test]
fn every_status_has_its_action_and_code() {
    for (status, subject, action, code) in [
        (ReportedStatus::Rejected, "Not delivered: the sea", "failed", "5.7.1"),
        (ReportedStatus::Expired, "Not delivered: the sea", "failed", "5.4.7"),
        (ReportedStatus::Unreachable, "Not delivered: the sea", "failed", "5.4.0"),
        (ReportedStatus::Forwarded, "Handed on: the sea", "relayed", "2.0.0"),
        (ReportedStatus::Indeterminate, "Handed on: the sea", "relayed", "2.0.0"),
    ] {
        let got = delivery(status, "+447700900123");
        for line in [format!("Subject: {subject}"), format!("Action: {action}"), format!("Status: {code}")] {
            assert!(got.lines().any(|found| found == line), "{line} not in\n{got}");
        }
    }
}

#[test]
fn nobody_speaks_from_a_foreign_domain() {
    let got = delivery(ReportedStatus::Expired, "zed@four.test");
    assert!(got.starts_with("From: MAILER-DAEMON@mms.test\n"), "{got}");
    assert!(got.contains("Final-Recipient: rfc822; zed@four.test\n"), "{got}");
}

#[test]
fn a_read_report_is_an_mdn() {
    for (read, subject, disposition) in
        [(true, "Read: the sea", "displayed"), (false, "Deleted without being read: the sea", "deleted")]
    {
        let recipient = "+447700900123".parse().expect("party");
        let about = ReadReport { about: "orig@three.test".to_owned(), recipient, read, at: NOW };
        let job = job(Kind::ReadReport(about.clone()));
        let got = text(&report::read(&about, &job, "mmsc.test", &names()));
        for line in [
            "From: +447700900123@mms.test".to_owned(),
            "To: ann@three.test".to_owned(),
            format!("Subject: {subject}"),
            "Auto-Submitted: auto-replied".to_owned(),
            "Final-Recipient: rfc822; +447700900123@mms.test".to_owned(),
            "Original-Message-ID: <orig@three.test>".to_owned(),
            format!("Disposition: manual-action/MDN-sent-automatically; {disposition}"),
        ] {
            assert!(got.lines().any(|found| found == line), "{line} not in\n{got}");
        }
        assert!(got.contains("report-type=disposition-notification"), "{got}");
    }
}
