//! Receipts become evidence, and what arrives is taken from whom the settings say.

mod support;

use std::net::SocketAddr;
use std::sync::Arc;

use packetboat_api::roles::{Arrival, SmsBody};
use support::{Gateway, World, build, call, push, serve_callbacks};

const FORM: &str = "application/x-www-form-urlencoded";

/// A bearer that sent a push of `length` octets: its world, where it takes callbacks, and the bodies of its requests, which
/// are the address and the token of each receipt.
async fn sent(length: usize, more: &str) -> (Arc<World>, SocketAddr, Vec<(String, String)>) {
    let gateway = Gateway::start(&[]).await;
    let world = Arc::new(World::default());
    let toml = format!(
        "callback_listen = [\"127.0.0.1:0\"]\ncallback_secret = {{ file = \"callback\" }}\n\
         push.url = \"http://{}/\"\npush.body = \"{{{{ callback_url }}}} {{{{ token }}}}\"\n{more}",
        gateway.address
    );
    let bearer = build(&toml, world.clone()).unwrap_or_else(|errors| panic!("{}", errors.join("\n")));
    let address = serve_callbacks(bearer.clone().callbacks().unwrap()).await;
    bearer.send(push(&vec![1; length])).await.unwrap();
    let body = |body: String| body.split_once(' ').map(|(url, token)| (url.to_owned(), token.to_owned())).unwrap();
    (world, address, gateway.asked().into_iter().map(|asked| body(asked.body)).collect())
}

fn path(address: SocketAddr, url: &str) -> String {
    url.strip_prefix(&format!("http://{address}")).unwrap_or(url).to_owned()
}

#[tokio::test]
async fn words_of_a_gateway_become_evidence() {
    let more = "receipts = { status = \"status\", id = \"id\", ignored = [\"billed\"] }";
    let (world, address, receipts) = sent(100, more).await;
    let path = path(address, &receipts[0].0);
    assert!(path.starts_with("/receipt/") && path.ends_with(&receipts[0].1));
    for status in ["enroute", "BILLED", "Delivered", "Failed"] {
        assert_eq!(call(address, "GET", &format!("{path}?status={status}&id=a%2Fb"), "", "").await, 200);
    }
    assert_eq!(call(address, "POST", &path, FORM, "id=7&status=UNDELIV").await, 200);
    assert_eq!(
        world.lines(),
        [
            "push_sent gateway: enroute (short message 1 of 1, id a/b)",
            "push_delivered gateway: Delivered (short message 1 of 1, id a/b)",
            "push_failed gateway: Failed (short message 1 of 1, id a/b)",
            "push_failed gateway: UNDELIV (short message 1 of 1, id 7)",
        ]
    );
}

#[tokio::test]
async fn json_receipts_may_bear_the_token_and_all_of_them_count() {
    let more = "receipts = { status = \"/event/status\", token = \"/event/reference\", delivered = [\"DONE\"] }";
    let (world, address, receipts) = sent(200, more).await;
    let body = |at: usize| format!("{{\"event\": {{\"status\": \"done\", \"reference\": \"{}\"}}}}", receipts[at].1);
    for at in [0, 0, 1] {
        assert_eq!(call(address, "POST", "/hooks/receipt", "application/json", &body(at)).await, 200);
    }
    let line = |fact: &str, part: u8| format!("{fact} gateway: done (short message {part} of 2)");
    assert_eq!(world.lines(), [line("push_sent", 1), line("push_sent", 1), line("push_delivered", 2)]);
}

#[tokio::test]
async fn a_gateway_that_cuts_reports_on_the_whole() {
    let more =
        "push.segmentation = \"gateway\"\nreceipts.status = \"s\"\ncallback_public_url = \"https://mms.example/gw/\"";
    let (world, address, receipts) = sent(200, more).await;
    assert!(receipts.len() == 1 && receipts[0].0.starts_with("https://mms.example/gw/receipt/"), "{receipts:?}");
    let path = format!("/receipt/{}?s=delivered", receipts[0].1);
    assert_eq!(call(address, "GET", &path, "", "").await, 200);
    assert_eq!(world.lines(), ["push_delivered gateway: delivered (short message 1 of 1)"]);
}

#[tokio::test]
async fn receipts_that_are_not_ours_or_not_readable_are_nothing() {
    let (world, address, receipts) = sent(100, "receipts = { status = \"s\", token = \"t\" }").await;
    let token = &receipts[0].1;
    let other = token.replacen(".1.1.", ".1.2.", 1);
    for target in
        ["/", "/receipt", "/receipt/", "/receipt/x?s=delivered", &format!("/receipt/{other}?s=delivered"), "/sms?s=x"]
    {
        assert_eq!(call(address, "GET", target, "", "").await, 404, "{target}");
    }
    assert_eq!(call(address, "GET", &format!("/receipt/{token}"), "", "").await, 400);
    assert_eq!(call(address, "DELETE", &format!("/receipt/{token}?s=delivered"), "", "").await, 405);
    assert_eq!(call(address, "POST", &format!("/receipt/{token}"), FORM, &"x".repeat(300 << 10)).await, 413);
    assert!(world.lines().is_empty());
    *world.broken.lock().unwrap() = true;
    assert_eq!(call(address, "GET", &format!("/receipt?t={token}&s=delivered"), "", "").await, 503);
    *world.broken.lock().unwrap() = false;
    assert_eq!(call(address, "GET", &format!("/receipt?t={token}&s=delivered"), "", "").await, 200);
    assert_eq!(world.lines().len(), 1);
}

/// What a POST to the door for short messages is answered, and what it came to.
async fn brought(arrivals: &str, media_type: &str, body: &str) -> (u16, Vec<Arrival>) {
    let world = Arc::new(World::default());
    let toml = format!(
        "callback_listen = [\"127.0.0.1:0\"]\ntext.url = \"http://gw.example/\"\n[arrivals]\ntoken = {{ file = \"token\" }}\n{arrivals}"
    );
    let bearer = build(&toml, world.clone()).unwrap_or_else(|errors| panic!("{}", errors.join("\n")));
    let address = serve_callbacks(bearer.callbacks().unwrap()).await;
    for wrong in ["/sms", "/sms/x", "/receipt/s3cret-token.of_ours"] {
        assert_eq!(call(address, "POST", wrong, media_type, body).await, 404);
    }
    (call(address, "POST", "/sms/s3cret-token.of_ours", media_type, body).await, world.taken())
}

fn arrival(body: SmsBody) -> (u16, Vec<Arrival>) {
    (200, vec![Arrival { bearer: "gw".into(), from: "+358401".into(), to: "100".into(), body }])
}

#[tokio::test]
async fn short_messages_arrive_in_the_gateways_own_form() {
    let json = "from = \"/msg/from\"\nto = \"/msg/to\"\ntext = \"/msg/text\"\nuser_data = \"/msg/ud\"";
    let said = |rest: &str| format!("{{\"msg\": {{\"from\": \"+358401\", \"to\": 100, {rest}}}}}");
    let found = brought(json, "application/json", &said("\"text\": \"Grüße\"")).await;
    assert_eq!(found, arrival(SmsBody::Text("Grüße".into())));
    let found = brought(json, "application/json", &said("\"text\": \"\", \"ud\": \"0605040B8423F0010600fF\"")).await;
    assert_eq!(found, arrival(SmsBody::Push(vec![1, 6, 0, 255].into())));
    for bad in ["\"ud\": \"0605040B8423\"", "\"ud\": \"xyz\"", "\"text\": null"] {
        assert_eq!(brought(json, "application/json", &said(bad)).await, (400, vec![]), "{bad}");
    }
    assert_eq!(brought(json, "application/json", "{\"msg\": {").await, (400, vec![]));

    let form = "from = \"f\"\nto = \"t\"\ntext = \"x\"\ndata = \"d\"\nudh = \"h\"";
    let found =
        brought(&format!("{form}\nencoding = \"base64\""), FORM, "f=%2B358401&t=100&d=AQYA/w&h=BgUEC4Qj8A%3D%3D").await;
    assert_eq!(found, arrival(SmsBody::Push(vec![1, 6, 0, 255].into())));
    let raw = "f=%2B358401&t=100&d=%01%06%00%FF&h=%06%05%04%0B%84%23%F0";
    assert_eq!(
        brought(&format!("{form}\nencoding = \"raw\""), FORM, raw).await,
        arrival(SmsBody::Push(vec![1, 6, 0, 255].into()))
    );
    assert_eq!(brought(form, FORM, "f=%2B358401&t=100&x=a+b").await, arrival(SmsBody::Text("a b".into())));
}
