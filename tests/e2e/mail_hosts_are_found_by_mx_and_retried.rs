//! Mail goes to the hosts its domain names, in their order; what fails for now is tried again, what fails for good is not.

use crate::node::{BOB, Node, delivery, handset, steps, text_part, wait_for_state, wait_for_step};
use packetboat_harness::mms;
use packetboat_harness::peers::scripted_mx::Script;
use packetboat_harness::peers::{Dns, ScriptedMx};
use packetboat_harness::{Peer, Scene, SmsTap};

/// The exchange named first is not there: nobody listens at 127.0.0.9.
const ZONE: &str = "
good.test.        60 IN MX 10 down.good.test.
good.test.        60 IN MX 20 up.good.test.
down.good.test.   60 IN A 127.0.0.9
up.good.test.     60 IN A 127.0.0.1
plain.test.       60 IN A 127.0.0.1
nomail.test.      60 IN MX 0 .
broken.test.      60 IN MX 10 up.good.test.
; @servfail broken.test
";

#[test]
fn mail_hosts_are_found_by_mx_and_retried() {
    let story = "mail_hosts_are_found_by_mx_and_retried";
    let Some(scene) = Scene::with_peers(story, &[Peer::Aiosmtpd, Peer::Dnslib]) else { return };
    let script = Script { tempfail: 2, reject: "^nobody@".to_owned(), ..Script::default() };
    let mx = ScriptedMx::start(&scene, "mx", &script);
    let dns = Dns::start(&scene, ZONE);
    let tap = SmsTap::start();
    let node = Node::new(&scene, &tap)
        .with_mail_host(mx.address())
        .without("transport.mail", "smart_host")
        .set("transport.mail", "route", "\"mx\"")
        .set("transport.mail", "port", &mx.address().port().to_string())
        .set("transport.mail", "nameserver", &format!("\"{}\"", dns.address()));
    let daemon = node.start();
    let bob = handset(&daemon, BOB);
    let send = |tid: &str, to: &str| {
        let conf = bob.submit(&mms::send_req(tid, &[to], "hello").body(&text_part("hello")));
        assert_eq!(conf.response_status(), Some(mms::OK), "{to}");
        conf.message_id()
    };

    // Twice "later", then yes; over the second exchange all the time.
    let id = send("t1", "zoe@good.test");
    let trace = wait_for_state(&daemon, &id, "zoe@good.test", "handed_over");
    let deferred = steps(&trace, "zoe@good.test").iter().filter(|step| *step == "deferred").count();
    assert_eq!(deferred, 2, "{trace:#}");
    assert_eq!(mx.messages().len(), 1);
    assert!(dns.queries().contains(&("good.test".to_owned(), "MX".to_owned())), "{:?}", dns.queries());

    let id = send("t2", "zoe@plain.test");
    wait_for_state(&daemon, &id, "zoe@plain.test", "handed_over");
    assert_eq!(mx.messages().len(), 2, "a domain without MX is its own mail host");

    for (tid, to, status) in
        [("t3", "nobody@good.test", "5.1.1"), ("t4", "zoe@nomail.test", "5.1.10"), ("t5", "zoe@nowhere.test", "5.1.2")]
    {
        let id = send(tid, to);
        let trace = wait_for_state(&daemon, &id, to, "failed");
        let reason = delivery(&trace, to)["reason"].as_str().unwrap_or_default();
        assert!(reason.contains(status), "{to}: no {status} in {reason:?}");
        assert!(!steps(&trace, to).contains(&"deferred".to_owned()), "{to}: {trace:#}");
    }

    let id = send("t6", "zoe@broken.test");
    let trace = wait_for_step(&daemon, &id, "zoe@broken.test", "deferred");
    assert_eq!(delivery(&trace, "zoe@broken.test")["state"], "queued", "a name server that fails is no verdict");
    assert_eq!(mx.messages().len(), 2);
}
