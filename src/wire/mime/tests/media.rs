//! Media types as phones and mailers write them.

use packetboat_mime::MediaType;

fn read(text: &str) -> String {
    MediaType::parse(text).to_string()
}

#[test]
fn what_phones_send_is_read() {
    assert_eq!(read("TEXT/Plain ; Charset = x"), "text/plain; charset=x");
    assert_eq!(
        read("multipart/related; start=<x@y>;type=\"application/smil\""),
        "multipart/related; start=\"<x@y>\"; type=\"application/smil\""
    );
    assert_eq!(read("image/jpeg; name=été.jpg"), "image/jpeg; name=\"été.jpg\"");
    assert_eq!(read("image/jpeg;;name=\"a;b\\\"c\" ; x"), "image/jpeg; name=\"a;b\\\"c\"");
    assert_eq!(read("text/plain; name=\"never closed"), "text/plain; name=\"never closed\"");
    assert_eq!(read("a / b"), "a/b");
}

#[test]
fn what_is_no_type_is_octets() {
    for text in ["", "text", "/", "text/", "te xt/plain(", "\u{0}"] {
        assert_eq!(MediaType::parse(text).essence(), "application/octet-stream", "{text:?}");
    }
}

#[test]
fn the_first_of_two_parameters_counts() {
    assert_eq!(MediaType::parse("a/b; c=1; C=2").param("c"), Some("1"));
}

#[test]
fn parameters_are_set_and_unset_without_case() {
    let mut media = MediaType::new("Text/Plain").with("Charset", "x").with("charset", "y");
    assert_eq!(media.params(), [("charset".to_owned(), "y".to_owned())]);
    media.unset("CHARSET");
    assert_eq!(media.to_string(), "text/plain");
    assert!(MediaType::new("application/vnd.wap.multipart.related").is_multipart());
}
