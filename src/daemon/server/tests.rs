//! PROXY headers, as real balancers send them and as nobody should.

use std::net::SocketAddr;

use super::proxied;

/// The peer a header tells of, or the error; and what of the input is left.
async fn read(input: &[u8]) -> (Result<Option<SocketAddr>, String>, usize) {
    let mut rest = input;
    let found = proxied(&mut rest).await.map_err(|e| e.to_string());
    (found, rest.len())
}

fn v2(command: u8, family: u8, addresses: &[u8]) -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    header.extend([0x20 | command, family]);
    header.extend(u16::try_from(addresses.len()).expect("a short header").to_be_bytes());
    header.extend(addresses);
    header
}

#[tokio::test]
async fn headers_are_read_to_their_last_octet_and_no_further() {
    let v4 = Some("192.0.2.7:40000".parse().expect("an address"));
    let v6 = Some("[2001:db8::7]:40000".parse().expect("an address"));
    let text = |header: &str| [header.as_bytes(), b"EHLO x\r\n"].concat();
    let binary = |command, family, addresses: &[u8]| [&v2(command, family, addresses)[..], b"EHLO x\r\n"].concat();
    let four = [192, 0, 2, 7, 10, 0, 0, 1, 0x9c, 0x40, 0, 25];
    let mut six = [0u8; 36];
    six[..16].copy_from_slice(&[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
    six[32..34].copy_from_slice(&[0x9c, 0x40]);
    let with_tlv = [&four[..], &[0x04, 0, 3, 1, 2, 3]].concat();
    for (input, peer) in [
        (text("PROXY TCP4 192.0.2.7 10.0.0.1 40000 25\r\n"), v4),
        (text("PROXY TCP6 2001:db8::7 ::1 40000 25\r\n"), v6),
        (text("PROXY UNKNOWN\r\n"), None),
        (text("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n"), None),
        (binary(1, 0x11, &four), v4),
        (binary(1, 0x11, &with_tlv), v4),
        (binary(1, 0x21, &six), v6),
        (binary(1, 0x00, &[]), None),
        (binary(0, 0x00, &[]), None),
        // A health check of the balancer: what it says of addresses means nothing.
        (binary(0, 0x11, &four), None),
    ] {
        let (found, left) = read(&input).await;
        assert_eq!(found, Ok(peer), "{}", String::from_utf8_lossy(&input));
        assert_eq!(left, "EHLO x\r\n".len(), "{}", String::from_utf8_lossy(&input));
    }
}

#[tokio::test]
async fn what_is_no_header_is_refused_at_once() {
    let (found, left) = read(b"EHLO mail.example.net\r\n").await;
    assert!(found.is_err() && left > 10, "{found:?}, {left} left");
    for input in [
        "GET / HTTP/1.1\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 40000\r\n",
        "PROXY TCP4 300.0.2.7 10.0.0.1 40000 25\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 99999 25\r\n",
        "PROXY TCP4 2001:db8::7 ::1 40000 25\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 40000 25",
        "",
    ] {
        assert!(read(input.as_bytes()).await.0.is_err(), "{input}");
    }
    assert!(read(format!("PROXY TCP4 {}", "1".repeat(4000)).as_bytes()).await.0.is_err(), "one without an end");
    assert!(read(&v2(1, 0x11, &[0; 4000])).await.0.is_err(), "one that is longer than any");
}
