//! Parts: scaled pictures, ranges, files, contacts.

use bytes::Bytes;
use image::{DynamicImage, GenericImageView, ImageFormat, RgbImage};

use crate::support::{Draft, Pages, TOKEN};

fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, y| image::Rgb([(x % 256) as u8, (y % 256) as u8, 128]));
    let mut octets = std::io::Cursor::new(Vec::new());
    DynamicImage::from(picture).write_to(&mut octets, ImageFormat::Jpeg).unwrap();
    octets.into_inner()
}

fn sound() -> Bytes {
    (0..700_000).map(|at| (at * 31 % 251) as u8).collect::<Vec<u8>>().into()
}

#[tokio::test]
async fn a_picture_is_scaled_and_its_original_one_tap_away() {
    let original = jpeg(1500, 900);
    let pages = Pages::open("", Draft::new().with("image/jpeg", "photo.jpg", original.clone())).await;
    let page = pages.browse("").await;
    for part in
        ["src=\"0/640\"", "0/1280 1280w", "width=\"1500\" height=\"900\"", "alt=\"Picture 1 of 1\"", "href=\"0\""]
    {
        assert!(page.text().contains(part), "{part}: {}", page.text());
    }
    for (size, dimensions) in [("120", (120, 72)), ("640", (640, 384)), ("1280", (1280, 768))] {
        let answer = pages.below(&format!("0/{size}"), "").await;
        assert_eq!((answer.status, answer.field("content-type")), (200, Some("image/jpeg")));
        assert_eq!(image::load_from_memory(&answer.body).unwrap().dimensions(), dimensions);
    }
    pages.road.ranges.lock().unwrap().clear();
    pages.below("0/640", "").await;
    assert_eq!(*pages.road.ranges.lock().unwrap(), [], "it is kept");
    let whole = pages.below("0", "").await;
    assert_eq!((whole.field("content-type"), whole.field("content-disposition")), (Some("image/jpeg"), None));
    assert_eq!(whole.body, original);
    assert_eq!(whole.field("content-security-policy"), Some("default-src 'none'; sandbox"));
    assert_eq!(pages.below("1/640", "").await.status, 404);
    assert_eq!(pages.below("0/641", "").await.status, 404);
}

#[tokio::test]
async fn players_get_the_ranges_they_ask_for() {
    let sound = sound();
    let pages =
        Pages::open("", Draft::new().with("text/plain", "", "x").with("audio/mpeg", "a.mp3", sound.clone())).await;
    let whole = pages.below("1", "").await;
    assert_eq!((whole.status, whole.field("accept-ranges")), (200, Some("bytes")));
    assert_eq!((whole.field("content-type"), whole.field("content-length")), (Some("audio/mpeg"), Some("700000")));
    assert_eq!(whole.body, sound);
    let tag = whole.field("etag").expect("a tag").to_owned();
    for (asked, range) in [
        ("bytes=0-1", 0..2),
        ("bytes=100-", 100..700_000),
        ("bytes=-5", 699_995..700_000),
        ("bytes=-9999999", 0..700_000),
        ("bytes=262143-262145", 262_143..262_146),
        ("bytes=699999-999999999999999999999", 699_999..700_000),
    ] {
        let part = pages.below("1", &format!("Range: {asked}\r\n")).await;
        assert_eq!(part.status, 206, "{asked}");
        let said = format!("bytes {}-{}/700000", range.start, range.end - 1);
        assert_eq!(part.field("content-range"), Some(said.as_str()), "{asked}");
        assert!(part.body == sound[range], "{asked}");
    }
    for beyond in ["bytes=700000-", "bytes=900000-900001", "bytes=-0"] {
        let answer = pages.below("1", &format!("Range: {beyond}\r\n")).await;
        assert_eq!((answer.status, answer.field("content-range")), (416, Some("bytes */700000")), "{beyond}");
        assert!(answer.body.is_empty());
    }
    for whole in ["bytes=0-1,5-6", "lines=1-2", "bytes=5-2", "bytes=a-b", "bytes=-"] {
        assert_eq!(pages.below("1", &format!("Range: {whole}\r\n")).await.status, 200, "{whole}");
    }
    let same = pages.below("1", &format!("Range: bytes=0-1\r\nIf-Range: {tag}\r\n")).await;
    let other = pages.below("1", "Range: bytes=0-1\r\nIf-Range: \"other\"\r\n").await;
    assert_eq!((same.status, other.status), (206, 200));
    let most = pages.road.ranges.lock().unwrap().iter().map(|range| range.end - range.start).max();
    assert_eq!(most, Some(256 << 10), "in pieces");
}

#[tokio::test]
async fn a_card_is_a_contact_and_other_things_are_files() {
    let card = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:Example;Ann;;Dr.;\r\nTEL;TYPE=CELL:+44 7700 900125\r\nEMAIL:ann@example.net\r\n\
                END:VCARD\r\n";
    let draft = Draft::new()
        .with("text/x-vCard", "ann.vcf", card)
        .with("text/x-vCalendar", "x.vcs", "BEGIN:VCALENDAR")
        .with("application/pdf", "Karte München.pdf", "pdf")
        .with("image/heic", "IMG_1.HEIC", "heic");
    let pages = Pages::open("", draft).await;
    let page = pages.browse("").await;
    for part in
        ["Dr. Ann Example", "href=\"tel:+447700900125\"", "mailto:ann@example.net", "Add to contacts", "Calendar entry"]
    {
        assert!(page.text().contains(part), "{part}: {}", page.text());
    }
    let saved = pages.below("0/save", "").await;
    assert_eq!((saved.field("content-type"), saved.body.as_ref()), (Some("text/x-vcard"), card.as_bytes()));
    assert_eq!(saved.field("content-disposition"), Some("attachment; filename=\"ann.vcf\""));
    assert_eq!(
        pages.below("2/save", "").await.field("content-disposition"),
        Some("attachment; filename=\"Karte M_nchen.pdf\"; filename*=UTF-8''Karte%20M%C3%BCnchen.pdf")
    );
    let heic = pages.below("3/save", "").await;
    assert_eq!(heic.field("content-type"), Some("application/octet-stream"));
}

#[tokio::test]
async fn what_has_no_name_is_given_one() {
    let draft = Draft::new()
        .with("application/pdf", "", "pdf")
        .with("text/x-vcard", "", "BEGIN:VCARD\nFN:Ann\nEND:VCARD")
        .with("application/x-strange", "", "x");
    let pages = Pages::open("", draft).await;
    for (part, name) in [(0, "document.pdf"), (1, "contact.vcf"), (2, "file")] {
        let saved = pages.below(&format!("{part}/save"), "").await;
        assert_eq!(saved.field("content-disposition"), Some(format!("attachment; filename=\"{name}\"").as_str()));
    }
}

#[tokio::test]
async fn a_long_text_is_cut_and_can_be_had_whole() {
    let long = "Räksmörgås. ".repeat(10_000);
    let pages = Pages::open("", Draft::new().with("text/plain; charset=utf-8", "long.txt", long.clone())).await;
    let page = pages.browse("").await;
    assert!(page.body.len() < 60_000, "{}", page.body.len());
    assert!(page.text().contains('…') && !page.text().contains('\u{FFFD}'));
    assert!(page.text().contains("href=\"0/save\">The whole text"));
    assert_eq!(pages.below("0/save", "").await.body, long);
}

#[tokio::test]
async fn the_address_holds_below_a_folder_and_with_what_people_append() {
    let pages = Pages::open("", Draft::new().with("image/jpeg", "a.jpg", jpeg(700, 10))).await;
    let browser = crate::support::BROWSER;
    for path in [format!("/m/{TOKEN}"), format!("/{TOKEN}/"), format!("/{TOKEN}."), format!("/{TOKEN}?x=1")] {
        assert_eq!(pages.get(&path, browser).await.status, 200, "{path}");
    }
    assert_eq!(pages.get(&format!("/m/{TOKEN}/0/640"), browser).await.status, 200);
}
