//! The pieces pages are made of, each by itself.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use image::{DynamicImage, GenericImageView, ImageFormat, RgbImage, RgbaImage};
use packetboat_api::clock::Timestamp;
use packetboat_api::store::StoreError;
use packetboat_plugin_pages::asker::{Asker, Markup, address, is_robot};
use packetboat_plugin_pages::contact;
use packetboat_plugin_pages::generations::Generations;
use packetboat_plugin_pages::limits::{CARD, CARD_LINES, PICTURE, READING_MIB};
use packetboat_plugin_pages::lock::Lock;
use packetboat_plugin_pages::picture::{Measured, Size, Studio, Unscalable, measure, scale};
use packetboat_plugin_pages::place::Place;
use packetboat_plugin_pages::throttle::{Throttle, Token};
use packetboat_plugin_pages::view::linked;
use packetboat_plugin_pages::words::Language;
use proptest::prelude::*;
use tokio::sync::Semaphore;

const TOKEN: &Token = b"Abcdefghijkl0123456789";

/// What robots that fetch links from messengers call themselves, as they do.
const ROBOTS: &[&str] = &[
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "WhatsApp/2.23.20.0 A",
    "Twitterbot/1.0",
    "TelegramBot (like TwitterBot)",
    "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "Slack-ImgProxy (+https://api.slack.com/robots)",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.1.1 Safari/605.1.15 (Applebot/0.1)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko; Google-PageRenderer Google (+https://developers.google.com/+/web/snippet/)) Chrome/123.0 Safari/537.36",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5 skype-url-preview@microsoft.com",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "Mozilla/5.0 (compatible; Google-Safety; +http://www.google.com/bot.html)",
    "Snap URL Preview Service; bot; snapchat; https://developers.snap.com/robots",
    "kakaotalk-scrap/1.0; +https://devtalk.kakao.com",
    "Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)",
    "Mozilla/5.0 AppleWebKit/537.36 HeadlessChrome/120.0.0.0 Safari/537.36",
    "http.rb/5.1.1 (Mastodon/4.2.0; +https://mastodon.example/)",
    "curl/8.5.0",
    "Wget/1.21",
    "python-requests/2.31.0",
    "Go-http-client/2.0",
    "okhttp/4.12.0",
    "Java/17.0.1",
    "",
];

/// What people's phones call themselves.
const PEOPLE: &[&str] = &[
    "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Linux; Android 9; CUBOT_X18_Plus) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/99.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Android 14; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0",
    "Mozilla/5.0 (Linux; Android 14; SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Linux; Android 14; wv) AppleWebKit/537.36 Version/4.0 Chrome/142.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/500.0;]",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148 Twitter for iPhone/10.0",
    "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/142.0 Mobile Safari/537.36 Telegram-Android/11.0",
    "Mozilla/5.0 (Linux; Android 8.1.0; EDA50K ScanPal) AppleWebKit/537.36 Chrome/80.0 Mobile Safari/537.36",
    "Opera/9.80 (J2ME/MIDP; Opera Mini/7.1.32052/29.3709; U; en) Presto/2.8.119 Version/11.10",
    "Nokia6230/2.0 (04.44) Profile/MIDP-2.0 Configuration/CLDC-1.1",
    "SonyEricssonK750i/R1CA Browser/SEMC-Browser/4.2 Profile/MIDP-2.0 Configuration/CLDC-1.1",
    "BlackBerry8100/4.2.0 Profile/MIDP-2.0 Configuration/CLDC-1.1 VendorID/100",
    "Mozilla/5.0 (Mobile; Nokia 8110 4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5",
];

#[test]
fn robots_are_told_from_people() {
    for robot in ROBOTS {
        assert!(is_robot(robot), "{robot}");
    }
    for person in PEOPLE {
        assert!(!is_robot(person), "{person}");
    }
}

fn fields(all: &[(&'static str, &str)]) -> HeaderMap {
    all.iter()
        .map(|(name, value)| (http::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()))
        .collect()
}

#[test]
fn everybody_gets_what_they_can_show() {
    let of = |accept: &str, agent: &str| {
        let fields = fields(&[("accept", accept), ("user-agent", agent)]);
        let asker = Asker::of(&Method::GET, &fields, IpAddr::from([127, 0, 0, 1]), Language::English);
        (asker.markup, Asker::asks_for_a_page(&fields))
    };
    assert_eq!(of("text/html,application/xhtml+xml", "Mozilla/5.0"), (Markup::Html, true));
    assert_eq!(of("application/vnd.wap.xhtml+xml,text/html", "Nokia6230"), (Markup::Mobile, true));
    assert_eq!(of("application/vnd.wap.xhtml+xml,text/html", "Mozilla/5.0"), (Markup::Html, true));
    assert_eq!(of("text/vnd.wap.wml, image/gif", "Nokia7110"), (Markup::Wml, true));
    assert_eq!(of("text/html;q=0, text/vnd.wap.wml;q=0.5", "x"), (Markup::Wml, true));
    assert_eq!(of("application/vnd.wap.wmlc, */*", "x"), (Markup::Wml, true));
    assert_eq!(of("application/xhtml+xml", "x"), (Markup::Xhtml, true));
    assert_eq!(of("TEXT/HTML ; charset=x", "x"), (Markup::Html, true));
    assert_eq!(of("*/*", "Mozilla/5.0"), (Markup::Html, false));
    assert_eq!(of("image/png,image/*", "Mozilla/5.0"), (Markup::Html, false));
}

#[test]
fn only_trusted_proxies_say_who_asks() {
    let of = |peer: &str, forwarded: &str| {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        address(peer.parse().unwrap(), &fields(&[("x-forwarded-for", forwarded)]), &trusted).to_string()
    };
    assert_eq!(of("192.0.2.1", "198.51.100.7"), "192.0.2.1");
    assert_eq!(of("10.0.0.1", "198.51.100.7"), "198.51.100.7");
    assert_eq!(of("10.0.0.1", "203.0.113.9, 198.51.100.7, 10.0.0.2"), "198.51.100.7", "who wrote the rest is unknown");
    assert_eq!(of("10.0.0.1", "nonsense"), "10.0.0.1");
    assert_eq!(of("::ffff:10.0.0.1", "2001:db8::1"), "2001:db8::1");
}

#[test]
fn addresses_lead_where_they_say() {
    let token = String::from_utf8(TOKEN.to_vec()).unwrap();
    let of = |below: &str| Place::of(&format!("/{token}{below}"));
    assert_eq!(of(""), Place::Page(*TOKEN));
    assert_eq!(Place::of(&format!("/some/folder/{token}.")), Place::Page(*TOKEN));
    assert_eq!(of("/seen"), Place::Seen(*TOKEN));
    assert_eq!(of("/3"), Place::Part(*TOKEN, 3));
    assert_eq!(of("/3/save"), Place::Save(*TOKEN, 3));
    assert_eq!(of("/3/1280"), Place::Scaled(*TOKEN, 3, Size::Large));
    assert_eq!(of("/p/2"), Place::Further(*TOKEN, 2));
    assert_eq!(Place::of("/robots.txt"), Place::RobotsTxt);
    for nowhere in ["/x", "/-1", "/99999", "/3/641", "/3/save/x", "/p/x", "/3x", "/../1x"] {
        assert_eq!(of(nowhere), Place::Nowhere, "{nowhere}");
    }
    for nowhere in [&token[..21], &token[..12], "AAAAAAAAAAAAAAAAAAAAA-", "", "%41bcdefghijkl0123456789"] {
        assert_eq!(Place::of(&format!("/{nowhere}")), Place::Nowhere, "{nowhere}");
    }
}

/// A red picture whose left quarter is blue.
fn marked(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(
        width,
        height,
        |x, _| if x < width / 4 { image::Rgb([0, 0, 255]) } else { image::Rgb([255, 0, 0]) },
    )
}

fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Bytes {
    let mut octets = std::io::Cursor::new(Vec::new());
    picture.into().write_to(&mut octets, format).unwrap();
    octets.into_inner().into()
}

/// The JPEG with an EXIF block that turns it, and says where it was taken.
fn turned(jpeg: &[u8], orientation: u8) -> Bytes {
    let mut tiff = b"Exif\0\0MM\0*\0\0\0\x08\0\x02\x01\x12\0\x03\0\0\0\x01".to_vec();
    tiff.extend([0, orientation, 0, 0]);
    tiff.extend(b"\x88\x25\0\x04\0\0\0\x01\0\0\0\x26\0\0\0\0GPS-SECRET-PLACE");
    let length = u16::try_from(tiff.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xFF, 0xE1], &length, &tiff, &jpeg[2..]].concat().into()
}

#[test]
fn pictures_stand_upright_and_say_nothing_of_where_they_were_taken() {
    let jpeg = turned(&encoded(marked(800, 400), ImageFormat::Jpeg), 6);
    assert_eq!(measure(&jpeg), Measured::Is(400, 800));
    let scaled = scale(&jpeg, Size::Small, false).unwrap();
    assert_eq!(scaled.media, "image/jpeg");
    let picture = image::load_from_memory(&scaled.octets).unwrap();
    assert_eq!(picture.dimensions(), (120, 240));
    // Turned to the right, what was on the left is at the top.
    assert!(picture.get_pixel(60, 10).0[2] > 200 && picture.get_pixel(60, 200).0[0] > 200);
    let holds = |octets: &[u8], what: &[u8]| octets.windows(what.len()).any(|window| window == what);
    assert!(holds(&jpeg, b"GPS-SECRET-PLACE"));
    assert!(!holds(&scaled.octets, b"SECRET") && !holds(&scaled.octets, b"Exif"));
    let same = scale(&turned(&encoded(marked(100, 50), ImageFormat::Jpeg), 1), Size::Large, false).unwrap();
    assert!(!holds(&same.octets, b"SECRET"), "nor when it keeps its size");
    assert_eq!(image::load_from_memory(&same.octets).unwrap().dimensions(), (100, 50), "it is not made larger");
}

#[test]
fn what_is_transparent_stays_so_and_what_moves_moves() {
    let clear = RgbaImage::from_pixel(900, 300, image::Rgba([0, 200, 0, 100]));
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let scaled = scale(&encoded(clear.clone(), format), Size::Medium, false).unwrap();
        assert_eq!(scaled.media, "image/png");
        assert_eq!(image::load_from_memory(&scaled.octets).unwrap().to_rgba8().get_pixel(5, 5).0[3], 100);
    }
    let opaque = scale(&encoded(marked(900, 300), ImageFormat::Bmp), Size::Medium, false).unwrap();
    assert_eq!(opaque.media, "image/jpeg");
    let gif = scale(&encoded(marked(900, 300), ImageFormat::Jpeg), Size::Small, true).unwrap();
    assert_eq!((gif.media, image::load_from_memory(&gif.octets).unwrap().width()), ("image/gif", 120));

    let mut moving = Vec::new();
    {
        let mut encoder = image::codecs::gif::GifEncoder::new(&mut moving);
        let frame = || image::Frame::new(RgbaImage::from_pixel(700, 10, image::Rgba([1, 2, 3, 255])));
        encoder.encode_frames([frame(), frame()]).unwrap();
    }
    let moving = Bytes::from(moving);
    assert_eq!(scale(&moving, Size::Medium, false).unwrap().octets, moving);
    assert_ne!(scale(&moving, Size::Small, false).unwrap().octets, moving);
}

#[test]
fn a_very_long_picture_is_made_narrower() {
    let scaled = scale(&encoded(RgbImage::new(200, 6000), ImageFormat::Png), Size::Small, false).unwrap();
    assert_eq!(image::load_from_memory(&scaled.octets).unwrap().dimensions(), (24, 720));
}

#[test]
fn what_cannot_be_a_picture_is_said() {
    assert_eq!(scale(&Bytes::from_static(b"nonsense"), Size::Medium, false), Err(Unscalable::Unreadable));
    assert_eq!(measure(b""), Measured::Unknown);
    // A BMP header of 30,000 by 30,000 pixels.
    let mut bomb = b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0".to_vec();
    bomb.extend(30_000u32.to_le_bytes());
    bomb.extend(30_000u32.to_le_bytes());
    bomb.extend(b"\x01\0\x18\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0");
    assert_eq!(measure(&bomb), Measured::TooLarge);
    assert_eq!(scale(&bomb.into(), Size::Medium, false), Err(Unscalable::TooLarge));
}

/// However many ask at once, only so many octets are in memory: the others wait before anything is read for them.
#[tokio::test]
async fn pictures_are_read_in_their_turn() {
    let (studio, release) = (Arc::new(Studio::default()), Arc::new(Semaphore::new(0)));
    let (now, most, all) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)), 50);
    let asked: Vec<_> = (0..all)
        .map(|part| {
            let (studio, release, now, most) = (studio.clone(), release.clone(), now.clone(), most.clone());
            tokio::spawn(async move {
                let read = async {
                    most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    release.acquire().await.expect("it is open").forget();
                    now.fetch_sub(1, Ordering::SeqCst);
                    Ok(Bytes::from_static(b"nonsense"))
                };
                studio.scale((*TOKEN, part, Size::Medium, false), PICTURE, read).await
            })
        })
        .collect();
    // On one thread everybody has asked when this one is let go on.
    tokio::task::yield_now().await;
    let room = u64::from(READING_MIB) / (PICTURE >> 20);
    assert_eq!(now.load(Ordering::SeqCst), room);
    release.add_permits(all);
    for one in asked {
        assert_eq!(one.await.expect("an end"), Err(Unscalable::Unreadable));
    }
    assert_eq!(most.load(Ordering::SeqCst), room);
}

#[tokio::test]
async fn what_cannot_be_scaled_is_remembered() {
    let (studio, key) = (Studio::default(), (*TOKEN, 0, Size::Medium, false));
    let lost = studio.scale(key, 8, async { Err(StoreError::Missing("octets".to_owned())) }).await;
    assert_eq!((lost, studio.made(&key)), (Err(Unscalable::Busy), None), "it may be read the next time");
    let whole = encoded(marked(900, 300), ImageFormat::Png);
    let cut = whole.slice(..whole.len() / 2);
    assert_eq!(studio.scale(key, cut.len() as u64, async { Ok(cut) }).await, Err(Unscalable::Unreadable));
    assert_eq!(studio.made(&key), Some(Err(Unscalable::Unreadable)));
    let again = studio.scale(key, 8, async { panic!("it is not read again") }).await;
    assert_eq!(again, Err(Unscalable::Unreadable));
    let other = (*TOKEN, 1, Size::Medium, false);
    assert!(studio.scale(other, whole.len() as u64, async { Ok(whole) }).await.is_ok());
    assert!(studio.made(&other).is_some_and(|made| made.is_ok()));
}

#[test]
fn cards_are_read_as_phones_write_them() {
    let old = "BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BC=\r\nller;J=C3=B6rg\r\n\
               TEL;CELL:+49 170 1234567\r\nitem1.EMAIL;INTERNET:joerg@example.net\r\nADR;HOME:;;Hauptstr. 1;Berlin;;10115;\r\n\
               ORG:Example\\, Inc.;Sales\r\nURL:javascript:alert(1)\r\nPHOTO:xxxx\r\nEND:VCARD\r\nTEL:1234567\r\n";
    let contact = contact::read(old.as_bytes(), "").expect("a contact");
    assert_eq!((contact.name.as_str(), contact.organisation.as_str()), ("Jörg Müller", "Example, Inc., Sales"));
    let lines: Vec<_> = contact.lines.iter().map(|line| (line.text.as_str(), line.href.as_str())).collect();
    assert_eq!(
        lines,
        [
            ("+49 170 1234567", "tel:+491701234567"),
            ("joerg@example.net", "mailto:joerg@example.net"),
            ("Hauptstr. 1, Berlin, 10115", ""),
            ("javascript:alert(1)", ""),
        ]
    );
    let folded = contact::read(b"BEGIN:VCARD\nFN:Ann\n Example\nTEL:*100#\nEND:VCARD", "").expect("a contact");
    assert_eq!((folded.name.as_str(), folded.lines[0].href.as_str()), ("AnnExample", "tel:*100%23"));
    assert_eq!(contact::read(b"TEL:123", ""), None);
    assert_eq!(contact::read(b"BEGIN:VCARD\nEND:VCARD", ""), None);
}

/// A card costs what it is long, and no more: quoted-printable is looked for in a line's head only, once, and so many lines are
/// read.
#[test]
fn a_hostile_card_is_bounded() {
    let card = |head: &str, lines: usize| {
        let text = format!("BEGIN:VCARD\nFN:Ann\n{head}{}\nTEL:1234567\nEND:VCARD", "a=\n".repeat(lines));
        assert!(text.len() <= CARD as usize + 100);
        contact::read(text.as_bytes(), "").expect("a contact")
    };
    // `=` continues a line in quoted-printable, and then the whole of what follows is the name.
    let quoted = card("N;ENCODING=QUOTED-PRINTABLE:", 1_000);
    assert_eq!((quoted.name.as_str(), quoted.lines.len()), ("Ann", 1));
    // A value that speaks of quoted-printable is not in it.
    let spoken = contact::read(b"BEGIN:VCARD\nFN:Ann\nNOTE:quoted-printable=\nTEL:1234567\nEND:VCARD", "");
    assert_eq!(spoken.expect("a contact").lines.len(), 1);
    let most = CARD as usize / "a=\n".len();
    for head in ["", "NOTE:QUOTED-PRINTABLE", "NOTE;ENCODING=QUOTED-PRINTABLE:"] {
        assert_eq!(card(head, CARD_LINES - 10).lines.len(), 1, "{head}");
        assert_eq!(card(head, most).lines.len(), 0, "{head}: what is beyond is not read");
    }
}

#[test]
fn rates_are_kept_evenly() {
    let throttle = Throttle::new(60, 0, 1);
    let at = |seconds: i64| Timestamp::from_seconds(1_000 + seconds);
    assert!((0..60).all(|_| throttle.message(TOKEN, at(0)).is_ok()), "a minute's worth at once");
    assert_eq!(throttle.message(TOKEN, at(0)), Err(Duration::from_secs(1)));
    assert!(throttle.message(TOKEN, at(1)).is_ok());
    assert!(throttle.message(TOKEN, at(1)).is_err());
    assert!(throttle.message(b"Bbcdefghijkl0123456789", at(1)).is_ok(), "another message");
    let six: IpAddr = "2001:db8::1".parse().unwrap();
    let neighbour: IpAddr = "2001:db8::ffff:1".parse().unwrap();
    assert!(throttle.missed(six, at(0)).is_ok());
    assert_eq!(throttle.missed(neighbour, at(0)), Err(Duration::from_secs(60)), "one network is one asker");
    assert!(throttle.address(six, at(0)).is_ok(), "what is there can be asked for");
    assert!(throttle.missed("2001:db8:1::1".parse().unwrap(), at(0)).is_ok());
    assert!(throttle.missed(six, at(60)).is_ok());
    let throttle = Throttle::new(0, 1, 0);
    assert!(throttle.address(six, at(0)).is_ok() && throttle.address(neighbour, at(0)).is_err());
    assert!((0..1_000).all(|_| throttle.missed(six, at(0)).is_ok()), "0 does not count");
}

#[test]
fn cookies_open_their_own_message_only() {
    let lock = Lock::new(b"key");
    let cookie = lock.cookie(TOKEN, 10, true);
    assert!(cookie.ends_with("; Max-Age=10; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    let sent = fields(&[("cookie", &format!("a=b; {}", cookie.split(';').next().unwrap()))]);
    assert!(lock.opens(&sent, TOKEN));
    assert!(!lock.opens(&sent, b"Bbcdefghijkl0123456789"));
    assert!(!Lock::new(b"other").opens(&sent, TOKEN));
    assert!(!lock.opens(&HeaderMap::new(), TOKEN));
    let name = cookie.split('=').next().unwrap();
    for forged in ["", "=", "AAAA", &"A".repeat(32), "%%%"] {
        assert!(!lock.opens(&fields(&[("cookie", &format!("{name}={forged}"))]), TOKEN), "{forged}");
    }
}

#[test]
fn every_language_has_its_words() {
    for language in Language::ALL {
        let words = language.words();
        assert!(words.until.contains("{date}") && words.from.contains("{name}"), "{language:?}");
        assert!([&words.slide, &words.picture].iter().all(|text| text.contains("{n}") && text.contains("{all}")));
        let moment = words.moment(Timestamp(1_780_000_000_000));
        assert!(moment.starts_with("28") && moment.contains("2026") && moment.contains("20:26"), "{moment}");
    }
    assert_eq!(Language::chosen("sv-FI;q=0.4, de;q=0.5"), Some(Language::German));
    assert_eq!(Language::chosen("*, xx;q=1, de;q=0"), None);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_map_that_forgets_is_bounded(puts in proptest::collection::vec((0u8..40, 1usize..30), 0..300)) {
        let mut map = Generations::new(100);
        for (key, weight) in puts {
            map.put(key, weight, weight);
            prop_assert_eq!(map.find(&key).copied(), Some(weight));
            let kept: usize = (0..40).filter_map(|key| map.find(&key).copied()).sum();
            prop_assert!(kept <= 100, "{}", kept);
        }
    }

    #[test]
    fn linking_loses_nothing(text in "([a-z<>\"' .,()]|https?://|/|\\n){0,40}") {
        let pieces = linked(&text);
        prop_assert_eq!(pieces.iter().map(|piece| piece.text.as_str()).collect::<String>(), text);
        prop_assert!(pieces.iter().all(|piece| !piece.link || piece.text.starts_with("http")));
    }

    #[test]
    fn no_card_and_no_path_does_harm(octets in proptest::collection::vec(any::<u8>(), 0..300), path in ".{0,60}") {
        let card = [b"BEGIN:VCARD\nTEL;ENCODING=QUOTED-PRINTABLE:", &octets[..]].concat();
        if let Some(contact) = contact::read(&card, "") {
            prop_assert!(contact.lines.len() <= 24);
        }
        let _ = Place::of(&path);
        let _ = measure(&octets);
    }
}
