//! The transport against mail servers that others wrote: Postfix, which reports back, and aiosmtpd, which fails on
//! command.

mod support;

#[path = "../../../src/net/tests/peer/mod.rs"]
mod peer;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use packetboat_api::roles::{Transport, Verdict};
use packetboat_api::units::Period;
use packetboat_harness::peers::openssl::Certificate;
use packetboat_harness::peers::postfix::{Postfix, Setup};
use packetboat_harness::peers::scripted_mx::{Script as Faults, ScriptedMx};
use packetboat_harness::{DEADLINE, Peer as Needed, Scene, wait_for};
use packetboat_plugin_mail::settings::{MailSettings, Tls};
use packetboat_plugin_mail::transport::MailTransport;
use peer::{Peer, Script};
use support::{Domains, PHOTO, World, jobs};

fn transport(world: &World, address: SocketAddr, change: impl FnOnce(&mut MailSettings)) -> MailTransport {
    let mut settings = MailSettings {
        smart_host: Some(address.to_string()),
        domain: Some("mms.test".to_owned()),
        tls: Tls::None,
        ..MailSettings::default()
    };
    change(&mut settings);
    MailTransport::with_lookup(settings, &world.env, Arc::new(Domains)).expect("transport")
}

async fn deliver(world: &World, transport: &MailTransport, to: &[&str]) -> Vec<Verdict> {
    transport.deliver(&jobs(world.message(Some("+447700900123"), to, PHOTO))).await
}

fn words(verdicts: &[Verdict]) -> Vec<String> {
    let word = |verdict: &Verdict| match verdict {
        Verdict::HandedOver { reports, .. } => format!("handed over, reports {reports}"),
        Verdict::Deferred { .. } => "deferred".to_owned(),
        Verdict::Failed(failure) => format!("failed {}", failure.status),
        other => format!("{other:?}"),
    };
    verdicts.iter().map(word).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postfix_takes_mail_over_tls_and_reports_back() {
    let needed = [Needed::Postfix, Needed::Openssl];
    let Some(scene) = Scene::with_peers("postfix_takes_mail_over_tls_and_reports_back", &needed) else { return };
    // Where Postfix brings mail for mms.test: reports to the phone.
    let home = Peer::start(Script { keywords: vec!["8BITMIME"], ..Script::default() }).await;
    let certificate = Certificate::make(&scene);
    let setup = Setup { mms_test: Some(home.address), certificate: Some(certificate.clone()), ..Setup::default() };
    let postfix = Postfix::start(&scene, &Setup { require_tls: true, ..setup });
    let world = World::new(scene.path());
    let transport = transport(&world, postfix.address(), |settings| {
        settings.tls = Tls::Required;
        settings.ca_file = Some(certificate.certificate.clone());
    });

    let to = ["ann@mail.test", "unknown1@mail.test", "full@mail.test", "zed@nowhere.test", "bob@mail.test"];
    let verdicts = deliver(&world, &transport, &to).await;
    let wanted = ["handed over, reports true", "failed 5.1.1", "deferred", "failed 5.1.2", "handed over, reports true"];
    assert_eq!(words(&verdicts), wanted, "{verdicts:?}");
    assert!(
        matches!(&verdicts[0], Verdict::HandedOver { detail, .. } if detail.contains(" over TLS: 250 2.0.0 Ok: queued as "))
    );

    let mail = postfix.wait_for_mail("ann", 1).remove(0);
    for line in [
        "Return-Path: <+447700900123@mms.test>",
        "From: +447700900123@mms.test",
        "To: +447700900456@mms.test, Bob <bob@one.test>",
        "Subject: =?utf-8?B?R3LDvMOfZQ==?= vom Meer",
    ] {
        assert!(mail.lines().any(|found| found.eq_ignore_ascii_case(line)), "{line} not in\n{mail}");
    }

    // One report with both, or one for each: Postfix's choice.
    let wanted = ["ann@mail.test", "bob@mail.test"].map(|to| format!("Original-Recipient: rfc822;{to}"));
    let reports = wait_for(DEADLINE, "a report for both", || {
        let all = home.messages().join("\n");
        wanted.iter().all(|line| all.contains(line)).then_some(all)
    });
    let job = jobs(world.message(None, &["ann@mail.test"], PHOTO)).remove(0);
    let (id, proof) = (job.message.id, job.delivery.transaction().to_owned());
    for line in [
        format!("Original-Envelope-Id: {id}.{proof}.0"),
        "Action: delivered".to_owned(),
        format!("Message-ID: <{id}@mmsc.test>"),
    ] {
        assert!(reports.lines().any(|found| found == line), "{line} not in\n{reports}");
    }
    assert!(home.lines_of("MAIL").iter().all(|line| line.starts_with("MAIL FROM:<>")));
    assert!(home.lines_of("RCPT").iter().all(|line| line.starts_with("RCPT TO:<+447700900123@mms.test>")));

    // A mailbox that turns out not to be there after all: the bounce comes to the phone too.
    let verdicts = deliver(&world, &transport, &["bounced@mail.test"]).await;
    assert_eq!(words(&verdicts), ["handed over, reports true"]);
    wait_for(DEADLINE, "the bounce", || {
        home.messages().iter().any(|mail| mail.contains("Action: failed")).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_nobody_vouches_for_is_good_enough_only_when_plain_text_is() {
    let needed = [Needed::Postfix, Needed::Openssl];
    let Some(scene) = Scene::with_peers("a_certificate_nobody_vouches_for", &needed) else { return };
    let certificate = Some(Certificate::make(&scene));
    let postfix = Postfix::start(&scene, &Setup { certificate, require_tls: true, ..Setup::default() });
    let world = World::new(scene.path());
    for (tls, wanted) in [(Tls::Opportunistic, "handed over"), (Tls::Required, "deferred"), (Tls::None, "failed")] {
        let transport = transport(&world, postfix.address(), |settings| settings.tls = tls);
        let verdicts = deliver(&world, &transport, &["ann@mail.test"]).await;
        assert!(words(&verdicts)[0].starts_with(wanted), "{tls:?}: {verdicts:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aiosmtpd_fails_in_every_way() {
    let Some(scene) = Scene::with_peers("aiosmtpd_fails_in_every_way", &[Needed::Aiosmtpd]) else { return };
    let world = World::new(scene.path());
    let short = |settings: &mut MailSettings| settings.data_timeout = Period(Duration::from_millis(500));

    let server = ScriptedMx::start(&scene, "tempfail", &Faults { tempfail: 1, ..Faults::default() });
    let one = transport(&world, server.address(), |_| ());
    assert_eq!(words(&deliver(&world, &one, &["a@x.test"]).await), ["deferred"]);
    assert_eq!(words(&deliver(&world, &one, &["a@x.test"]).await), ["handed over, reports false"], "it knows no DSN");
    let taken = server.wait_for_messages(1).remove(0);
    assert_eq!((taken.sender.as_str(), taken.recipients), ("+447700900123@mms.test", vec!["a@x.test".to_owned()]));

    let server = ScriptedMx::start(&scene, "drop", &Faults { drop_at: 1, ..Faults::default() });
    let verdicts = deliver(&world, &transport(&world, server.address(), |_| ()), &["a@x.test"]).await;
    assert!(
        matches!(&verdicts[0], Verdict::Deferred { why, .. } if why.contains("may have been taken")),
        "{verdicts:?}"
    );

    let server = ScriptedMx::start(&scene, "delay", &Faults { delay: Duration::from_secs(5), ..Faults::default() });
    let verdicts = deliver(&world, &transport(&world, server.address(), short), &["a@x.test"]).await;
    assert!(matches!(&verdicts[0], Verdict::Deferred { why, .. } if why.contains("within 500ms")), "{verdicts:?}");

    let server = ScriptedMx::start(&scene, "reject", &Faults { reject: "^gone".to_owned(), ..Faults::default() });
    let verdicts = deliver(&world, &transport(&world, server.address(), |_| ()), &["gone@x.test", "a@x.test"]).await;
    assert_eq!(words(&verdicts), ["failed 5.1.1", "handed over, reports false"], "{verdicts:?}");

    let server = ScriptedMx::start(&scene, "size", &Faults { size: 100, ..Faults::default() });
    let verdicts = deliver(&world, &transport(&world, server.address(), |_| ()), &["a@x.test"]).await;
    assert_eq!(words(&verdicts), ["failed 5.3.4"], "{verdicts:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn aiosmtpd_wants_a_password() {
    let needed = [Needed::Aiosmtpd, Needed::Openssl];
    let Some(scene) = Scene::with_peers("aiosmtpd_wants_a_password", &needed) else { return };
    let world = World::new(scene.path());
    let certificate = Some(Certificate::make(&scene));
    let auth = Some(("boat".to_owned(), "s3cret".to_owned()));
    let server = ScriptedMx::start(&scene, "auth", &Faults { certificate, auth, ..Faults::default() });
    scene.file("password", "s3cret\n");
    scene.file("wrong", "guess\n");
    for (file, wanted) in [("password", "handed over, reports false"), ("wrong", "deferred")] {
        let transport = transport(&world, server.address(), |settings| {
            settings.tls = Tls::Opportunistic;
            settings.username = Some("boat".to_owned());
            settings.password = Some(packetboat_api::settings::Secret::File(file.into()));
        });
        assert_eq!(words(&deliver(&world, &transport, &["a@x.test"]).await), [wanted]);
    }
    let taken = server.wait_for_messages(1).remove(0);
    assert!(taken.auth && taken.tls);
}
