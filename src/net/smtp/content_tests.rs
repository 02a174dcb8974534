//! Line ends, octets by reference, and what is told of them.

use super::*;

fn content(chunks: &[&'static str]) -> Content {
    Content::new(chunks.iter().map(|chunk| Bytes::from_static(chunk.as_bytes())).collect())
}

fn text(content: &Content) -> String {
    String::from_utf8(content.chunks.concat()).expect("text")
}

#[test]
fn line_ends_become_crlf_wherever_the_cuts_fall() {
    let wanted = "A: b\r\n\r\nx\r\n.\r\ny\r\n";
    for whole in [wanted, "A: b\n\nx\n.\ny\n", "A: b\r\rx\r.\ry", "A: b\r\n\nx\n.\r\ny\r"] {
        for cut in 0..=whole.len() {
            let (one, other) = whole.split_at(cut);
            let made = content(&[one, "", other]);
            assert_eq!(text(&made), wanted, "{whole:?} cut at {cut}");
            assert_eq!(made.size(), wanted.len() as u64);
            let sent: Vec<u8> = made.without_last_line_end().flatten().copied().collect();
            assert_eq!(sent, wanted.as_bytes()[..wanted.len() - 2]);
        }
    }
}

#[test]
fn what_is_right_is_not_copied() {
    let body = Bytes::from(vec![b'x'; 100]);
    let chunks = vec![Bytes::from_static(b"A: b\r\n\r\n"), body.clone(), Bytes::from_static(b"\r\n")];
    let made = Content::new(chunks);
    assert_eq!(made.chunks[1].as_ptr(), body.as_ptr());
}

#[test]
fn an_empty_message_is_one_empty_line() {
    assert_eq!(text(&content(&[])), "\r\n");
}

#[test]
fn eight_bit_octets_are_told_apart_by_where_they_are() {
    let flags = |made: Content| (made.is_eight_bit(), made.has_utf8_headers());
    assert_eq!(flags(content(&["A: b\r\n\r\nx\r\n"])), (false, false));
    assert_eq!(flags(content(&["A: b\r\n", "\r\n", "é\r\n"])), (true, false));
    assert_eq!(flags(content(&["A: é\r\n\r\nx\r\n"])), (true, true));
}
