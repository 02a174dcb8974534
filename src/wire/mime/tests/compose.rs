//! Composing with bodies that are not octets: only what is needed is read, everything else passes by reference.

use bytes::Bytes;
use packetboat_mime::compose::{self, MailOptions, Options, Piece, Why};
use packetboat_mime::{Entity, Headers, Length, Mail, MediaType, smil};

/// A stored body: known by number and length only.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Span(u32, u64);

impl Length for Span {
    fn length(&self) -> u64 {
        self.1
    }
}

fn leaf(essence: &str, name: &str, span: Span) -> Entity<Span> {
    let mut leaf = Entity::leaf(MediaType::new(essence).with("name", name), span);
    leaf.content_id = Some(name.to_owned());
    leaf
}

fn mail(parts: Vec<Entity<Span>>) -> Mail<Span> {
    Mail { headers: Headers::default(), root: Entity::multipart(MediaType::new("multipart/mixed"), parts) }
}

#[test]
fn only_texts_are_read() {
    let mail = mail(vec![
        leaf("text/plain", "t", Span(1, 100)),
        leaf("image/jpeg", "IMG 1.JPG", Span(2, 300_000)),
        leaf("video/mp4", "img_1.jpg", Span(3, 900_000)),
        leaf("image/jpeg", "again.jpg", Span(2, 300_000)),
    ]);
    let plan = compose::plan(&mail, &Options::default());
    assert_eq!(plan.needs(), [&Span(1, 100)]);
    assert_eq!(plan.left_out().iter().map(|left| left.why).collect::<Vec<_>>(), [Why::Duplicate]);
    let mms = plan.finish(vec![Bytes::from_static(b"Hello")]);
    let names: Vec<_> = mms.leaves().iter().map(|leaf| leaf.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["presentation.smil", "text_0.txt", "IMG_1.jpg", "img_1.mp4"]);
    assert_eq!(mms.leaves()[2].content(), Some(&Piece::Kept(Span(2, 300_000))));
    assert_eq!(mms.leaves()[3].content().unwrap().length(), 900_000);
}

#[test]
fn every_part_agrees_with_itself_and_the_presentation() {
    let mail = mail(vec![
        leaf("image/jpeg", "Ünï cödé.jpeg", Span(1, 999)),
        leaf("image/jpeg", "写真", Span(2, 998)),
        leaf("audio/amr", "", Span(3, 9)),
    ]);
    let mms = compose::plan(&mail, &Options::default()).finish(Vec::new());
    let leaves = mms.leaves();
    for leaf in &leaves {
        let name = leaf.media.param("name").unwrap();
        assert_eq!((leaf.content_id.as_deref(), leaf.location.as_deref()), (Some(name), Some(name)));
        assert!(name.is_ascii() && name.contains('.'));
    }
    let Some(Piece::Made(presentation)) = leaves[0].content() else { panic!("a presentation") };
    let slides = smil::parse(std::str::from_utf8(presentation).unwrap());
    let shown: Vec<_> = slides.iter().flat_map(|slide| &slide.media).map(|media| media.src.as_str()).collect();
    assert_eq!(shown, ["Ueni_coede.jpeg", "image1.jpg", "audio1.amr"]);
}

#[test]
fn texts_not_given_count_as_empty() {
    let mail = mail(vec![leaf("text/html", "a", Span(1, 10)), leaf("image/jpeg", "b.jpg", Span(2, 1000))]);
    let mms = compose::plan(&mail, &Options { presentation: false, ..Options::default() }).finish(Vec::new());
    assert_eq!(mms.media.essence(), "multipart/mixed");
    assert_eq!(mms.leaves().len(), 1);
}

#[test]
fn documents_can_be_left_out() {
    let mail = mail(vec![leaf("application/pdf", "a.pdf", Span(1, 10)), leaf("text/vcard", "b.vcf", Span(2, 1000))]);
    let plan = compose::plan(&mail, &Options { keep_other: false, rewrite_cards: false, ..Options::default() });
    assert_eq!(plan.left_out()[0].why, Why::Other);
    assert_eq!(plan.finish(Vec::new()).leaves()[1].media.essence(), "text/vcard");
}

#[test]
fn a_presentation_is_attached_when_asked_for() {
    let mail = mail(vec![leaf("application/smil", "s.smil", Span(1, 10)), leaf("image/jpeg", "a.jpg", Span(2, 1000))]);
    let plan = compose::mail_from_mms(&mail, &MailOptions { keep_presentation: true, ..MailOptions::default() });
    assert_eq!(plan.needs(), [&Span(1, 10)]);
    let made = plan.finish(Vec::new());
    let names: Vec<_> = made.root.leaves().iter().map(|leaf| leaf.file_name().unwrap().to_owned()).collect();
    assert_eq!(names, ["a.jpg", "s.smil"]);
    assert_eq!(made.headers.first("Subject"), None, "no subject is made up");
}

#[test]
fn mail_fields_become_mms_fields() {
    let fields =
        |pairs: &[(&str, &str)]| Headers(pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect());
    let mail = fields(&[
        ("Received", "x"),
        ("X-Priority", "1 (Highest)"),
        ("Disposition-Notification-To", "a@b"),
        ("Subject", "(no subject)"),
        ("X-Spam-Score", "1"),
        ("From", "a@b"),
    ]);
    let mms = compose::mms_fields(&mail, false);
    assert_eq!(
        mms,
        fields(&[
            ("From", "a@b"),
            ("X-Mms-Priority", "High"),
            ("X-Mms-Read-Reply", "Yes"),
            ("X-Mms-Message-Class", "Personal")
        ])
    );
    assert_eq!(compose::mms_fields(&mail, true).first("X-Mms-Message-Class"), Some("Auto"));
}

#[test]
fn a_mail_is_stored_and_read_back() {
    let mail = mail(vec![leaf("text/plain", "t", Span(1, 100))]).root.map(&mut |span| span.0);
    let stored = serde_json::to_string(&mail).unwrap();
    assert_eq!(serde_json::from_str::<Entity<u32>>(&stored).unwrap(), mail);
}
