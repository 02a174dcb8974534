//! What a message may try on its reader.

use crate::support::{BROWSER, Draft, Pages, TOKEN};

#[tokio::test]
async fn markup_in_a_message_is_words() {
    let evil =
        "<script>alert(1)</script> \"'&<img src=x onerror=alert(1)> {{ 7*7 }} javascript:alert(1) \u{0}\u{7}\u{1b}[2J";
    let mut draft = Draft::new().with("text/plain; charset=utf-8", "", evil).with("application/pdf", evil, "x");
    draft.subject = Some(evil.to_owned());
    draft.from_field = "\"<b>Carol</b> \\\" onmouseover=x\" <carol@example.net>".to_owned();
    let pages = Pages::open("operator = \"<i>A & B</i>\"", draft).await;
    let page = pages.browse("").await;
    let page = page.text();
    for bad in [
        "<script",
        "<img src=x",
        "<b>Carol",
        "<i>",
        "49",
        "href=\"javascript",
        "\" onmouseover",
        "\u{0}",
        "\u{7}",
        "\u{1b}",
    ] {
        assert!(!page.contains(bad), "{bad}: {page}");
    }
    assert!(page.contains("&lt;script&gt;"));
    for accept in ["application/vnd.wap.xhtml+xml", "text/vnd.wap.wml"] {
        let old = pages.get(&format!("/{TOKEN}"), &format!("User-Agent: Nokia6100/1.0\r\nAccept: {accept}\r\n")).await;
        for bad in ["<script", "<img src=x", "<b>", "\u{0}", "\u{1b}", "\u{7}"] {
            assert!(!old.text().contains(bad), "{accept}: {bad}: {}", old.text());
        }
    }
}

#[tokio::test]
async fn only_addresses_of_the_web_become_links() {
    let text = "see https://a.example/x?y=\"z, (http://b.example/). javascript:alert(1) data:text/html,x https:// end";
    let page = Pages::open("", Draft::new().with("text/plain", "", text)).await.browse("").await;
    let page = page.text();
    let links: Vec<&str> = page.split("<a href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(links, ["https://a.example/x?y=", "http://b.example/"]);
}

#[tokio::test]
async fn nothing_is_shown_as_a_page_that_came_in_a_message() {
    let html = "<html><script>alert(1)</script></html>";
    let draft = Draft::new()
        .with("text/html", "a.html", html)
        .with("image/svg+xml", "a.svg", "<svg onload='alert(1)'/>")
        .with("image/jpeg", "b.jpg", html)
        .with("application/xhtml+xml", "c.xhtml", html)
        .with("audio/x\" onload=\"", "d", html)
        .with("text/xml", "e.xml", html);
    let pages = Pages::open("", draft).await;
    for part in 0..6 {
        for path in [format!("{part}"), format!("{part}/save"), format!("{part}/640")] {
            let answer = pages.below(&path, "").await;
            if answer.status == 404 {
                assert!(!answer.text().contains("alert"), "{path}");
                continue;
            }
            assert_eq!(answer.field("content-type"), Some("application/octet-stream"), "{path}");
            assert!(answer.field("content-disposition").is_some_and(|said| said.starts_with("attachment; ")), "{path}");
            assert_eq!(answer.field("content-security-policy"), Some("default-src 'none'; sandbox"), "{path}");
            assert_eq!(answer.field("x-content-type-options"), Some("nosniff"), "{path}");
        }
    }
}

#[tokio::test]
async fn file_names_stay_in_their_field() {
    let name = "../../a\"b\\c\r\nSet-Cookie: x=1;é\u{202E}gpj.exe";
    let pages = Pages::open("", Draft::new().with("application/zip", name, "zip")).await;
    let answer = pages.below("0/save", "").await;
    let said = answer.field("content-disposition").expect("a name");
    assert_eq!(
        said,
        "attachment; filename=\"c Set-Cookie: x=1__ gpj.exe\"; filename*=UTF-8''c%20Set-Cookie%3A%20x%3D1%3B%C3%A9%20gpj.exe"
    );
    assert_eq!(answer.field("set-cookie"), None);
    assert!(!pages.browse("").await.text().contains('\u{202E}'));
}

#[tokio::test]
async fn damaged_and_monstrous_pictures_do_no_harm() {
    // A PNG that says it has 60,000 by 60,000 pixels, and a JPEG cut off in the middle.
    let mut bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xEA\x60\0\0\xEA\x60\x08\x02\0\0\0".to_vec();
    bomb.extend(crc32(&bomb[12..29]).to_be_bytes());
    bomb.extend(b"\0\0\0\x01IDAT\0");
    let mut cut = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_fn(200, 200, |x, y| image::Rgb([x as u8, y as u8, (x * y) as u8]))
        .write_to(&mut cut, image::ImageFormat::Jpeg)
        .unwrap();
    let mut cut = cut.into_inner();
    cut.truncate(cut.len() / 2);
    let mut half = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(200, 200).write_to(&mut half, image::ImageFormat::Png).unwrap();
    let mut half = half.into_inner();
    half.truncate(half.len() / 2);
    let draft = Draft::new()
        .with("image/png", "bomb.png", bomb)
        .with("image/jpeg", "cut.jpg", cut)
        .with("image/gif", "empty.gif", "")
        .with("image/jpeg", "rubbish.jpg", vec![0x5A; 5000])
        .with("image/png", "half.png", half.clone());
    let pages = Pages::open("", draft).await;
    let page = pages.browse("").await;
    assert_eq!(page.status, 200);
    assert!(!page.text().contains("\"0/640\""), "too large to be shown: {}", page.text());
    assert!(page.text().contains("bomb.png"), "but it can be saved");
    assert_eq!(pages.below("0/640", "").await.status, 404);
    let cut = pages.below("1/640", "").await;
    assert_eq!((cut.status, cut.field("content-type")), (200, Some("image/jpeg")));
    assert_eq!(pages.below("2/640", "").await.status, 404);
    assert_eq!(pages.below("3/640", "").await.field("content-type"), Some("application/octet-stream"));
    assert_eq!(pages.get(&format!("/{TOKEN}"), BROWSER).await.status, 200, "and it goes on");
    // Asked for again, none is read to be decoded again; the one cut short goes out as it is.
    assert!(pages.below("4/640", "").await.body == half);
    let reads = || std::mem::take(&mut *pages.road.ranges.lock().unwrap()).len();
    reads();
    assert_eq!((pages.below("0/640", "").await.status, reads()), (404, 0));
    assert_eq!((pages.below("4/640", "").await.body == half, reads()), (true, 2), "its mark, and itself");
}

fn crc32(octets: &[u8]) -> u32 {
    !octets.iter().fold(!0u32, |crc, octet| {
        (0..8).fold(crc ^ u32::from(*octet), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

#[tokio::test]
async fn odd_requests_get_http_answers() {
    let pages = Pages::open("", Draft::new().with("text/plain", "", "x")).await;
    let answer = pages.ask(&format!("DELETE /{TOKEN} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")).await;
    assert_eq!((answer.status, answer.field("allow")), (405, Some("GET, HEAD, POST")));
    assert_eq!(pages.ask("nonsense\r\n\r\n").await.status, 400);
    let post =
        format!("POST /{TOKEN}/seen HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n{BROWSER}\r\n");
    assert_eq!(pages.ask(&post).await.status, 404);
    for path in ["/%00", "/../../etc/passwd", "/\u{e9}", &"/x".repeat(3000)] {
        let path = path.replace('\u{e9}', "%C3%A9");
        assert_eq!(pages.get(&path, BROWSER).await.status, 404, "{path:.40}");
    }
}
