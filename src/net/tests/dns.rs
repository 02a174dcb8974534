//! The resolver against a name server of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::proto::op::{Message, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, AAAA, MX};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use packetboat_api::clock::SeededRandom;
use packetboat_net::dns::{DnsError, Lookup, Resolver, ascii_domain, literal};
use tokio::net::UdpSocket;

fn name(text: &str) -> Name {
    Name::from_ascii(text).expect("name")
}

fn mx(preference: u16, host: &str) -> RData {
    RData::MX(MX::new(preference, name(host)))
}

/// What the name server says, by name and type.
fn zone(asked: &str, kind: RecordType) -> Result<Vec<RData>, ResponseCode> {
    let found = match (asked, kind) {
        ("three.test.", RecordType::MX) => {
            vec![mx(20, "c.three.test."), mx(10, "a.three.test."), mx(10, "b.three.test.")]
        }
        ("xn--exmple-cua.test.", RecordType::MX) => vec![mx(5, "mx.three.test.")],
        ("null.test.", RecordType::MX) => vec![mx(0, ".")],
        ("half.test.", RecordType::MX) => vec![mx(0, "."), mx(10, "a.three.test.")],
        ("bare.test.", RecordType::A) => vec![RData::A(A::new(192, 0, 2, 1))],
        ("bare.test.", RecordType::AAAA) => vec![RData::AAAA(AAAA::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))],
        ("bare.test." | "empty.test.", _) => vec![],
        ("broken.test.", _) => return Err(ResponseCode::ServFail),
        _ => return Err(ResponseCode::NXDomain),
    };
    Ok(found)
}

async fn name_server() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("bind");
    let address = socket.local_addr().expect("address");
    tokio::spawn(async move {
        let mut packet = [0; 1500];
        while let Ok((length, from)) = socket.recv_from(&mut packet).await {
            let Ok(query) = Message::from_vec(&packet[..length]) else { continue };
            let question = query.queries[0].clone();
            let mut answer = query.into_response();
            match zone(&question.name().to_ascii().to_ascii_lowercase(), question.query_type()) {
                Ok(found) => {
                    for data in found {
                        answer.add_answer(Record::from_rdata(question.name().clone(), 60, data));
                    }
                }
                Err(code) => answer.metadata.response_code = code,
            }
            let _ = socket.send_to(&answer.to_vec().expect("encode"), from).await;
        }
    });
    address
}

async fn resolver() -> Resolver {
    resolver_at(name_server().await)
}

fn resolver_at(address: SocketAddr) -> Resolver {
    let patience = Duration::from_millis(500);
    Resolver::new(Some(address), patience, Arc::new(SeededRandom::new(1))).expect("resolver")
}

#[tokio::test]
async fn mail_hosts_by_preference_and_by_chance_among_equals() {
    let resolver = resolver().await;
    let mut seen = Vec::new();
    for _ in 0..50 {
        let hosts = resolver.mail_hosts("three.test").await.expect("hosts");
        assert_eq!((hosts.len(), hosts[2].as_str()), (3, "c.three.test"));
        if !seen.contains(&hosts) {
            seen.push(hosts);
        }
    }
    assert_eq!(seen.len(), 2);
    assert_eq!(resolver.mail_hosts("exämple.test").await.expect("hosts"), ["mx.three.test"]);
}

#[tokio::test]
async fn a_domain_without_mx_is_its_own_mail_host() {
    let resolver = resolver().await;
    assert_eq!(resolver.mail_hosts("bare.test").await.expect("hosts"), ["bare.test"]);
    let addresses = resolver.addresses("bare.test").await.expect("addresses");
    assert_eq!(addresses.len(), 2, "{addresses:?}");
    assert_eq!(resolver.mail_hosts("[192.0.2.7]").await.expect("hosts"), ["[192.0.2.7]"]);
    assert_eq!(resolver.addresses("[192.0.2.7]").await.expect("addresses").len(), 1);
}

#[tokio::test]
async fn null_mx_is_for_good_and_beside_others_it_is_nothing() {
    let resolver = resolver().await;
    let error = resolver.mail_hosts("null.test").await.expect_err("null mx");
    assert_eq!((error.is_temporary(), error), (false, DnsError::NoMail("null.test".to_owned())));
    assert_eq!(resolver.mail_hosts("half.test").await.expect("hosts"), ["a.three.test"]);
}

#[tokio::test]
async fn what_does_not_exist_is_for_good_and_what_fails_is_for_now() {
    let resolver = resolver().await;
    assert!(!resolver.mail_hosts("missing.test").await.expect_err("missing").is_temporary());
    assert!(!resolver.addresses("missing.test").await.expect_err("missing").is_temporary());
    assert!(!resolver.mail_hosts("empty.test").await.expect_err("no address").is_temporary());
    assert!(!resolver.addresses("empty.test").await.expect_err("no address").is_temporary());
    assert!(resolver.mail_hosts("broken.test").await.expect_err("broken").is_temporary());
    assert!(resolver.addresses("broken.test").await.expect_err("broken").is_temporary());
    let silent = UdpSocket::bind("127.0.0.1:0").await.expect("bind");
    let resolver = resolver_at(silent.local_addr().expect("address"));
    assert!(resolver.mail_hosts("three.test").await.expect_err("silent").is_temporary());
}

#[test]
fn domains_in_the_form_dns_knows() {
    assert_eq!(ascii_domain("Exämple.ORG").as_deref(), Some("xn--exmple-cua.org"));
    assert_eq!(ascii_domain("[192.0.2.1]").as_deref(), Some("[192.0.2.1]"));
    assert_eq!(ascii_domain("a b"), None);
    assert_eq!(literal("[IPv6:2001:db8::1]"), "2001:db8::1".parse().ok());
    assert_eq!(literal("mx.example.net"), None);
}
