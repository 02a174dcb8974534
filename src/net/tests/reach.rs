//! A client that is kept to the public internet: what it does not ask for, whoever names it and however.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use packetboat_api::async_trait;
use packetboat_net::dns::{DnsError, Lookup};
use packetboat_net::http::{Client, ErrorKind, Options};
use packetboat_net::reach::{Reach, is_public};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// Every name leads to these addresses.
struct Leads(&'static [&'static str]);

#[async_trait]
impl Lookup for Leads {
    async fn mail_hosts(&self, domain: &str) -> Result<Vec<String>, DnsError> {
        Err(DnsError::NoMail(domain.to_owned()))
    }

    async fn addresses(&self, _: &str) -> Result<Vec<IpAddr>, DnsError> {
        Ok(self.0.iter().map(|address| address.parse().expect("an address")).collect())
    }
}

fn client(reach: Reach, addresses: &'static [&'static str]) -> Client {
    Client::with_lookup(&Options { reach, max_redirects: 3, ..Options::default() }, Arc::new(Leads(addresses)))
        .expect("client")
}

#[test]
fn public_is_what_all_the_internet_reaches() {
    for address in
        ["1.1.1.1", "8.8.8.8", "100.63.0.1", "100.128.0.1", "172.15.0.1", "172.32.0.1", "192.0.1.1", "198.20.0.1"]
            .into_iter()
            .chain(["223.255.255.255", "2606:4700::1111", "2001:200::1", "2a00::1", "2620:0:2d0:200::7"])
            .chain(["::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2002:808:808::1"])
    {
        assert!(is_public(address.parse().expect("an address")), "{address}");
    }
    for address in ["0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.0.1"]
        .into_iter()
        .chain(["169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1"])
        .chain(["192.168.1.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1", "224.0.0.1"])
        .chain(["239.1.1.1", "240.0.0.1", "255.255.255.255"])
        .chain(["::", "::1", "::127.0.0.1", "fc00::1", "fdff::1", "fe80::1", "fec0::1", "ff02::1", "100::1"])
        .chain(["2001::1", "2001:2::1", "2001:10::1", "2001:1ff::1", "2001:db8::1", "3fff::1", "3fff:fff::1"])
        .chain(["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::127.0.0.1"])
        .chain(["64:ff9b:1::8.8.8.8", "2002:7f00:1::1", "2002:a00:1::1", "2002:c0a8:101::1", "2002:6440:1::"])
        .chain(["4000::1", "5f00::1"])
    {
        assert!(!is_public(address.parse().expect("an address")), "{address}");
    }
}

#[tokio::test]
async fn urls_that_name_no_public_host_are_not_asked_for() {
    let client = client(Reach::PublicOnly, &["8.8.8.8"]);
    for url in
        ["http://127.0.0.1/", "http://[::1]/", "http://10.1.2.3/p.xml", "http://8.8.8.8/", "http://[2606:4700::1]/"]
            .into_iter()
            // The same in other notations, which a name server would never see.
            .chain([
                "http://2130706433/",
                "http://0x7f.1/",
                "http://0177.0.0.1/",
                "http://127.0.0.1./",
                "http://127.1:8080/",
            ])
            .chain(["http://[::ffff:127.0.0.1]/", "http://user@127.0.0.1/", "http://１２７.0.0.1/"])
            .chain([
                "http://phones.test:25/",
                "https://phones.test:22/p",
                "ftp://phones.test/",
                "file:///etc/passwd",
                "data:,x",
            ])
            .chain(["", "no url", "http://", "//phones.test/x"])
    {
        let error = client.get(url).await.expect_err(url);
        assert_eq!(error.kind, ErrorKind::Request, "{url}: {}", error.detail);
        assert_eq!(client.post(url, "text/plain", "x").await.expect_err(url).kind, ErrorKind::Request, "{url}");
    }
}

#[tokio::test]
async fn names_that_lead_inside_are_not_connected_to() {
    for addresses in
        [&["127.0.0.1"][..], &["::1"], &["10.0.0.1", "fd00::1"], &["169.254.169.254"], &["::ffff:127.0.0.1"], &[]]
    {
        for url in ["http://phones.test/p.xml", "https://phones.test/p.xml", "http://phones.test:8080/"] {
            let error = client(Reach::PublicOnly, addresses).get(url).await.expect_err("nowhere to go");
            assert_eq!(error.kind, ErrorKind::Connect);
            assert!(error.detail.contains("no address in the public internet"), "{addresses:?}: {}", error.detail);
        }
    }
    // The machine's own look-up is held to the same.
    let own = Client::new(&Options { reach: Reach::PublicOnly, ..Options::default() }).expect("client");
    let error = own.get("http://localhost:8080/").await.expect_err("it leads here");
    assert!(error.detail.contains("no address in the public internet"), "{}", error.detail);
}

/// Serves connections one after the other with these answers.
async fn serving(answers: Vec<String>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let address = listener.local_addr().expect("address");
    tokio::spawn(async move {
        for answer in answers {
            let (mut stream, _) = listener.accept().await.expect("accept");
            let _ = stream.read(&mut [0; 4096]).await.expect("read");
            stream.write_all(answer.as_bytes()).await.expect("write");
        }
    });
    address
}

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

/// The look-up that is refused above is the one that is used, and leads there when it may.
#[tokio::test]
async fn anywhere_is_anywhere_and_redirects_have_an_end() {
    let fine = "HTTP/1.1 204 Fine\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned();
    let address = serving([vec![redirect("/again"); 3], vec![fine]].concat()).await;
    let url = format!("http://phones.test:{}/p.xml", address.port());
    assert_eq!(client(Reach::Anywhere, &["127.0.0.1"]).get(&url).await.expect("an answer").status, 204);

    let address = serving(vec![redirect("/again"); 4]).await;
    let url = format!("http://phones.test:{}/p.xml", address.port());
    let error = client(Reach::Anywhere, &["127.0.0.1"]).get(&url).await.expect_err("no end");
    assert!(error.detail.contains("too many redirects"), "{}", error.detail);
}
