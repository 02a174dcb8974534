//! Delivery callbacks become evidence, and only those we asked for.

mod support;

use std::sync::Arc;

use support::{Gateway, Memory, build, call, push, serve_callbacks, settings};

/// A bearer that sent a push of `length` octets: its witness, where it takes callbacks, and the paths it gave out.
async fn sent(length: usize, more: &str) -> (Arc<Memory>, std::net::SocketAddr, Vec<String>) {
    let gateway = Gateway::start(&[]).await;
    let witness = Arc::new(Memory::default());
    let toml = settings(gateway.address, &format!("dlr_listen = [\"127.0.0.1:0\"]\n{more}"));
    let bearer = build(&toml, witness.clone()).unwrap();
    let address = serve_callbacks(bearer.clone().callbacks().unwrap()).await;
    bearer.send(push(vec![1; length])).await.unwrap();
    let requests = gateway.requests();
    let urls = requests.iter().map(|request| String::from_utf8(request["dlr-url"].clone()).unwrap());
    let base = format!("http://{address}");
    let paths = urls.map(|url| url.strip_prefix(&base).unwrap_or(&url).to_owned()).collect();
    assert!(requests.iter().all(|request| request["dlr-mask"] == b"31"));
    (witness, address, paths)
}

fn filled(path: &str, kind: u8, id: &str) -> String {
    assert!(path.starts_with("/dlr/") && path.ends_with("?type=%d&id=%F"), "{path}");
    path.replace("%d", &kind.to_string()).replace("%F", id)
}

#[tokio::test]
async fn each_type_becomes_its_evidence() {
    let (witness, address, paths) = sent(100, "").await;
    for kind in [8, 4, 1, 2, 16] {
        assert_eq!(call(address, "GET", &filled(&paths[0], kind, "4f%2D1%0A")).await, 200);
    }
    assert_eq!(
        witness.lines(),
        [
            "push_sent Kannel: taken by the SMSC (short message 1 of 1, SMSC id 4f-1)",
            "push_sent Kannel: buffered by the SMSC (short message 1 of 1, SMSC id 4f-1)",
            "push_delivered Kannel: reached the phone (short message 1 of 1, SMSC id 4f-1)",
            "push_failed Kannel: not delivered (short message 1 of 1, SMSC id 4f-1)",
            "push_failed Kannel: refused by the SMSC (short message 1 of 1, SMSC id 4f-1)",
        ]
    );
    assert!(witness.seen().iter().all(|(delivery, _)| *delivery == push(vec![]).delivery));
}

#[tokio::test]
async fn a_long_push_is_delivered_when_all_of_it_is() {
    let (witness, address, paths) = sent(300, "").await;
    for path in [&paths[2], &paths[0], &paths[2], &paths[1]] {
        assert_eq!(call(address, "GET", &filled(path, 1, "")).await, 200);
    }
    assert_eq!(
        witness.lines(),
        [
            "push_sent Kannel: reached the phone (short message 3 of 3)",
            "push_sent Kannel: reached the phone (short message 1 of 3)",
            "push_sent Kannel: reached the phone (short message 3 of 3)",
            "push_delivered Kannel: reached the phone (short message 2 of 3)",
        ]
    );
}

#[tokio::test]
async fn what_kannel_cut_is_not_delivered_by_the_receipt_of_its_first_part() {
    let (witness, address, paths) = sent(300, "segmentation = \"kannel\"").await;
    assert_eq!(paths.len(), 1);
    assert_eq!(call(address, "GET", &filled(&paths[0], 1, "")).await, 200);
    assert_eq!(witness.lines(), ["push_sent Kannel: reached the phone (short message 1 of 3)"]);
}

#[tokio::test]
async fn a_token_we_did_not_make_is_nothing() {
    let (witness, address, paths) = sent(100, "").await;
    let good = filled(&paths[0], 1, "");
    let token = good.strip_prefix("/dlr/").unwrap();
    let other = format!("/dlr/{}", token.replacen(".1.1.", ".1.2.", 1));
    let another_delivery = format!("/dlr/{}", token.replacen("-1.", "-2.", 1));
    for wrong in ["/", "/dlr/", "/dlr/x?type=1", &other, &another_delivery, &good[..good.len() - 30]] {
        assert_eq!(call(address, "GET", wrong).await, 404, "{wrong}");
    }
    assert_eq!(call(address, "POST", &good).await, 405);
    assert_eq!(call(address, "GET", good.split('?').next().unwrap()).await, 400);
    assert_eq!(call(address, "GET", &filled(&paths[0], 3, "")).await, 400);
    assert!(witness.lines().is_empty());
    assert_eq!(call(address, "GET", &format!("/behind/a/proxy{good}")).await, 200);
    assert_eq!(witness.lines().len(), 1);
}

#[tokio::test]
async fn a_receipt_that_cannot_be_written_is_not_acknowledged() {
    let (witness, address, paths) = sent(100, "").await;
    *witness.broken.lock().unwrap() = true;
    assert_eq!(call(address, "GET", &filled(&paths[0], 1, "")).await, 503);
}

#[tokio::test]
async fn the_public_address_is_the_operators() {
    let (_, _, paths) = sent(100, "dlr_public_url = \"https://mms.example.net/sms/\"").await;
    assert!(paths[0].starts_with("https://mms.example.net/sms/dlr/"), "{}", paths[0]);
}
