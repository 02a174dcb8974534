//! Forward lock: opened once, by a person, in one browser; nothing is saved.

use std::fs;

use packetboat_api::evidence::Fact;

use crate::support::{BROWSER, Draft, Pages, TOKEN};

fn message() -> Draft {
    let mut picture = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(4, 4).write_to(&mut picture, image::ImageFormat::Png).unwrap();
    Draft::new()
        .with("text/plain", "", "for your eyes only")
        .with("image/png", "a.png", picture.into_inner())
        .with("audio/amr", "a.amr", "#!AMR\n sound")
        .with("application/pdf", "a.pdf", "pdf")
}

#[tokio::test]
async fn it_is_seen_in_the_browser_it_was_opened_in_only() {
    let pages = Pages::open("forward_lock = true", message()).await;
    let closed = pages.browse("").await;
    assert!(closed.text().contains("opened once") && !closed.text().contains("eyes"));
    for path in ["1/640", "1", "2", "3/save"] {
        assert_ne!(pages.below(path, "").await.status, 200, "{path}");
    }
    pages.below("seen", "").await;
    assert_eq!(pages.road.facts(), [], "looking at the button opens nothing");

    let opened = pages.press("").await;
    assert_eq!(pages.road.facts(), [Fact::LinkOpened]);
    let set = opened.field("set-cookie").expect("a cookie");
    assert!(set.contains("; Max-Age=86400; HttpOnly; SameSite=Lax") && !set.contains("Secure"), "{set}");
    let mine = opened.cookie();
    assert!(pages.browse(&mine).await.text().contains("eyes"));
    assert_eq!(pages.browse("").await.status, 410);
    assert_eq!(pages.press("").await.status, 410);
    for forged in ["Cookie: m=1\r\n".to_owned(), format!("{}x\r\n", mine.trim_end()), mine.replace("=1", "")] {
        let forged = if forged == mine.replace("=1", "") { forged.replace(';', ";x") } else { forged };
        assert_eq!(pages.browse(&forged).await.status, 410, "{forged}");
    }
    assert_eq!(pages.press(&mine).await.status, 303, "in its own browser as often as one likes");
    assert_eq!(pages.road.facts(), [Fact::LinkOpened]);
}

#[tokio::test]
async fn nothing_of_it_can_be_saved() {
    let pages = Pages::open("forward_lock = true", message()).await;
    let mine = pages.press("").await.cookie();
    let page = pages.browse(&mine).await;
    for offer in ["/save\"", "Original", "class=\"tap\""] {
        assert!(!page.text().contains(offer), "{offer}: {}", page.text());
    }
    assert!(page.text().contains("controlslist=\"nodownload\"") && page.text().contains("cannot be saved"));
    assert_eq!(pages.below("1/640", &mine).await.status, 200);
    assert_eq!(pages.below("2", &mine).await.status, 200, "a player has to have it");
    for path in ["1", "1/save", "2/save", "3", "3/save", "0", "0/save"] {
        assert_eq!(pages.below(path, &mine).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn two_who_press_at_once_do_not_both_get_it() {
    let pages = Pages::open("forward_lock = true", message()).await;
    let (one, two) = tokio::join!(pages.press(""), pages.press(""));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 410]);
    assert_eq!(pages.road.facts(), [Fact::LinkOpened]);
}

#[tokio::test]
async fn with_a_secret_the_cookie_outlives_the_daemon() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("secret");
    fs::write(&file, "what nobody knows\n").unwrap();
    let keyed = format!("forward_lock = true\nsecret = {{ file = {:?} }}", file.to_str().unwrap());
    let pages = Pages { secure: true, ..Pages::open(&keyed, message()).await };
    let opened = pages.press("").await;
    assert!(opened.field("set-cookie").is_some_and(|set| set.ends_with("; Secure")));
    let mine = opened.cookie();
    let pages = pages.again(&keyed).await;
    assert_eq!(pages.browse(&mine).await.status, 200);
    let pages = pages.again("forward_lock = true").await;
    assert_eq!(pages.browse(&mine).await.status, 410, "another key");
}

#[tokio::test]
async fn a_robot_is_told_nothing_of_it() {
    let pages = Pages::open("forward_lock = true", message()).await;
    pages.press("").await;
    let robot = pages.get(&format!("/{TOKEN}"), "User-Agent: Twitterbot/1.0\r\nAccept: */*\r\n").await;
    assert_eq!(robot.status, 200, "not that it was opened");
    assert!(BROWSER.contains("Mozilla"));
    assert!(!robot.text().contains("already"));
}
