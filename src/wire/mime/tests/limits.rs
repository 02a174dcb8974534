//! Limits answer by name, and what attacks try stays linear.

use bytes::Bytes;
use packetboat_mime::{Body, MimeError, Transport, html_to_text, limits, parse, render_to_bytes, smil, strip_history};

#[test]
fn too_many_parts() {
    let mail = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", "--b\r\n\r\nx\r\n".repeat(limits::PARTS));
    assert!(matches!(parse(&mail.into()), Err(MimeError::TooManyParts { offset }) if offset > 9_000));
}

#[test]
fn too_deep() {
    let nested = |depth: usize| {
        let open = (0..depth).map(|at| format!("Content-Type: multipart/mixed; boundary=b{at}x\r\n\r\n--b{at}x\r\n"));
        Bytes::from(open.collect::<String>() + "\r\nend")
    };
    assert!(parse(&nested(limits::DEPTH)).is_ok());
    assert!(matches!(parse(&nested(limits::DEPTH + 1)), Err(MimeError::TooDeep { .. })));
}

#[test]
fn too_many_fields() {
    let mail = |count: usize| Bytes::from("A: b\r\n".repeat(count) + "\r\n");
    assert_eq!(parse(&mail(limits::FIELDS)).unwrap().headers.0.len(), limits::FIELDS);
    assert_eq!(parse(&mail(limits::FIELDS + 1)), Err(MimeError::TooManyFields { offset: limits::FIELDS * 6 }));
}

#[test]
fn field_too_long() {
    let long = format!("A: b\r\nTo: {}\r\n\r\n", "x, \r\n ".repeat(limits::FIELD_LENGTH / 5));
    assert_eq!(parse(&long.into()), Err(MimeError::FieldTooLong { offset: 6 }));
    let long = format!("To: {}\r\n\r\n", "x".repeat(limits::FIELD_LENGTH));
    assert_eq!(parse(&long.into()), Err(MimeError::FieldTooLong { offset: 0 }));
}

#[test]
fn a_presentation_is_read_up_to_its_limits() {
    let slides = smil::parse(&"<par><img src=x/></par>".repeat(limits::SLIDES + 1));
    assert_eq!(slides.len(), limits::SLIDES);
    let slides = smil::parse(&format!("<par>{}", "<img src=x/>".repeat(limits::SLIDE_MEDIA + 1)));
    assert_eq!(slides[0].media.len(), limits::SLIDE_MEDIA);
    assert!(smil::parse(&("é".repeat(limits::SMIL_LENGTH) + "<par/>")).is_empty());
}

/// Each would take minutes if it were not linear.
#[test]
fn hostile_texts_take_no_time() {
    let many = 50_000;
    for piece in [
        "<script>",
        "<a b='",
        "<!--",
        "<a href=\"x\">",
        "<blockquote>",
        "<ul><li>",
        "&",
        "<",
        "<div hidden style='display:none'>",
    ] {
        html_to_text(&piece.repeat(many));
        smil::parse(&piece.repeat(many));
    }
    for piece in
        ["\n", "From:\n", "On a wrote:\n", "> x\n", "--\n\n", "disclaimer\n\n", "____________________\n", "x\n\n"]
    {
        strip_history(&piece.repeat(many));
    }
    for piece in ["--b", "\r\n--b", "\r\n--bb", "\n", "a\n", "=?", "=?a?b?"] {
        let mail = format!(
            "Content-Type: multipart/mixed; boundary=b\r\nX: {}\r\n\r\n{}",
            "=?a?Q?x".repeat(18_000),
            piece.repeat(many)
        );
        let _ = parse(&mail.into());
    }
}

#[test]
fn boundaries_never_occur_in_what_they_bound() {
    let mail = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx--x and 0_x\r\n--b\r\n\
                Content-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\n\r\ny\r\n--c--\r\n--b--\r\n";
    let mail = parse(&mail.into()).unwrap();
    for asked in ["x", "", "\r\n--", "x x", "é"] {
        let rendered = render_to_bytes(&mail, Transport::SevenBit, || asked.to_owned());
        assert_eq!(parse(&rendered).unwrap(), mail, "{asked:?}");
    }
}

#[test]
fn bodies_are_ranges_of_the_input() {
    let input = Bytes::from(
        "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nplain\r\n--b\r\nContent-Type: image/x\r\n\r\n\u{1}raw\r\n--b--",
    );
    let mail = parse(&input).unwrap();
    let Body::Parts(parts) = mail.root.body else { panic!("parts") };
    for part in &parts {
        let body = part.content().unwrap();
        assert!(input.as_ptr_range().contains(&body.as_ptr()));
    }
}
