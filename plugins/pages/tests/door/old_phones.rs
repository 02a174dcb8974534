//! XHTML-MP and WML for phones that ask for it.

use packetboat_api::evidence::Fact;

use crate::support::{Answer, Draft, Pages, TOKEN};

const MOBILE: &str = "User-Agent: Nokia6230/2.0 Profile/MIDP-2.0\r\nAccept: application/vnd.wap.xhtml+xml, text/html, text/vnd.wap.wml, image/jpeg\r\n";
const WML: &str = "User-Agent: Nokia7110/1.0\r\nAccept: text/vnd.wap.wml, image/gif, image/vnd.wap.wbmp\r\n";

fn picture() -> Vec<u8> {
    let mut octets = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(300, 200, image::Rgb([200, 100, 50]))
        .write_to(&mut octets, image::ImageFormat::Png)
        .unwrap();
    octets.into_inner()
}

fn message() -> Draft {
    let words = "It costs $5 & <more>. ".repeat(120);
    Draft::new().with("image/png", "a.png", picture()).with("text/plain", "", words).with(
        "application/pdf",
        "a.pdf",
        "pdf",
    )
}

/// Well-formed, as far as balance of tags goes: what a strict parser in a phone asks for first.
#[track_caller]
fn well_formed(answer: &Answer) {
    let mut open = Vec::new();
    for piece in answer.text().split('<').skip(1) {
        let (tag, text) = piece.split_once('>').expect("a closed tag");
        assert!(!text.contains('>'), "{piece}");
        let name = tag.split([' ', '/']).find(|name| !name.is_empty()).unwrap_or_default();
        match tag {
            _ if tag.starts_with(['?', '!']) || tag.ends_with('/') => {}
            _ if tag.starts_with('/') => assert_eq!(open.pop(), Some(name), "{}", answer.text()),
            _ => open.push(name),
        }
        assert_eq!(tag.matches('"').count() % 2, 0, "{tag}");
    }
    assert_eq!(open, [""; 0]);
}

#[tokio::test]
async fn a_phone_with_xhtml_gets_xhtml() {
    let pages = Pages::open("", message()).await;
    let page = pages.get(&format!("/{TOKEN}"), MOBILE).await;
    assert_eq!(page.field("content-type"), Some("application/vnd.wap.xhtml+xml; charset=utf-8"));
    well_formed(&page);
    assert!(page.text().contains(&format!("<img src=\"{TOKEN}/0/120\" alt=\"Picture 1 of 1\"/>")), "{}", page.text());
    assert!(page.text().contains("$5 &amp; &lt;more&gt;"));
    assert_eq!(pages.road.facts(), [Fact::LinkOpened], "its browser fetches nothing else for sure");
    let small = pages.get(&format!("/{TOKEN}/0/120"), MOBILE).await;
    assert_eq!(small.field("content-type"), Some("image/jpeg"));
    assert_eq!(image::load_from_memory(&small.body).unwrap().width(), 120);
}

#[tokio::test]
async fn a_phone_with_wml_gets_small_decks() {
    let pages = Pages::open("", message()).await;
    let mut address = format!("/{TOKEN}");
    let (mut words, mut decks) = (String::new(), 0);
    loop {
        let deck = pages.get(&address, WML).await;
        assert_eq!(
            (deck.status, deck.field("content-type")),
            (200, Some("text/vnd.wap.wml; charset=utf-8")),
            "{address}"
        );
        well_formed(&deck);
        assert!(deck.body.len() < 1_700, "{} octets of text, less when compiled", deck.body.len());
        decks += 1;
        words.push_str(deck.text());
        if decks == 2 {
            assert!(deck.text().contains(&format!("<a href=\"../../{TOKEN}\">Back</a>")));
        }
        let Some(more) = deck.text().split("<a href=\"").find(|link| link.contains(">More<")) else { break };
        let more = more.split('"').next().unwrap();
        address = if decks == 1 { format!("/{more}") } else { format!("/{TOKEN}/p/{more}") };
    }
    assert!((3..10).contains(&decks), "{decks}");
    assert_eq!(words.matches("$$5").count(), 120, "a dollar is written twice");
    assert!(words.contains("../2/save") || words.contains(&format!("{TOKEN}/2/save")));
    assert_eq!(pages.get(&format!("/{TOKEN}/p/99"), WML).await.text().matches("There is no message").count(), 1);
    assert_eq!(pages.road.facts(), [Fact::LinkOpened]);
    let gif = pages.get(&format!("/{TOKEN}/0/120"), WML).await;
    assert_eq!(gif.field("content-type"), Some("image/gif"));
    assert_eq!(image::load_from_memory(&gif.body).unwrap().width(), 120);
}

#[tokio::test]
async fn notices_and_the_button_are_in_their_markup_too() {
    let pages = Pages::open("forward_lock = true", message()).await;
    for fields in [MOBILE, WML] {
        let waiting = pages.get(&format!("/{TOKEN}"), fields).await;
        well_formed(&waiting);
        assert!(waiting.text().contains("post") && waiting.text().contains("Show the message"), "{}", waiting.text());
        let nothing = pages.get("/Bbcdefghijkl0123456789", fields).await;
        well_formed(&nothing);
        assert!(nothing.text().contains("There is no message here"));
        assert_eq!(
            nothing.status,
            if fields == WML { 200 } else { 404 },
            "phones of that time show no page of an error"
        );
    }
}

#[tokio::test]
async fn a_browser_of_today_gets_html_whatever_else_it_takes() {
    let pages = Pages::open("", message()).await;
    let both =
        "User-Agent: Mozilla/5.0 (Linux; Android 10)\r\nAccept: text/html, application/vnd.wap.xhtml+xml, */*\r\n";
    assert_eq!(pages.get(&format!("/{TOKEN}"), both).await.field("content-type"), Some("text/html; charset=utf-8"));
}
