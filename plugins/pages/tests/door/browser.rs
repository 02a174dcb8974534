//! Chromium on the page: what it lays out counts as opened, what only fetches does not, and it fits a small screen.

use std::sync::Arc;

use image::GenericImageView;
use packetboat_api::evidence::Fact;
use packetboat_api::serve::Connection;
use packetboat_harness::peers::Chromium;
use packetboat_harness::{Peer, Scene};

use crate::support::{Draft, Pages, Road, TOKEN};

/// A red picture, so that it is found in a screenshot, and a text that is too long for a line.
fn message() -> Draft {
    let mut picture = std::io::Cursor::new(Vec::new());
    let red = image::RgbImage::from_pixel(1600, 400, image::Rgb([255, 0, 0]));
    red.write_to(&mut picture, image::ImageFormat::Jpeg).unwrap();
    Draft::new().with("image/jpeg", "red.jpg", picture.into_inner()).with(
        "text/plain",
        "",
        format!("See https://example.net/{}", "long".repeat(40)),
    )
}

/// Serves whoever comes, for as long as the test runs.
async fn serving(pages: Pages) -> (Arc<Road>, String) {
    let (road, address) = (pages.road.clone(), pages.socket.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((stream, peer)) = pages.socket.accept().await {
            let (stream, local) = (Box::new(stream), address);
            let connection =
                Connection { stream, peer, local, secure: false, upgrade: None, drain: pages.drain.clone() };
            let listener = pages.listener.clone();
            tokio::spawn(async move { listener.serve(connection).await });
        }
    });
    (road, format!("http://{address}/{TOKEN}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_browser_lays_out_was_opened() {
    let Some(scene) = Scene::with_peers("what_a_browser_lays_out_was_opened", &[Peer::Chromium]) else { return };
    let (road, url) = serving(Pages::open("", message()).await).await;

    let seen = tokio::task::block_in_place(|| Chromium::new(&scene).unmasked().open(&url));
    assert!(
        seen.contains("Show the message") && !seen.contains("red.jpg"),
        "a browser without a window is a robot: {seen}"
    );
    assert_eq!(road.facts(), []);

    let seen = tokio::task::block_in_place(|| Chromium::new(&scene).open(&url));
    assert!(seen.contains("0/640"), "{seen}");
    assert_eq!(road.facts(), [Fact::LinkOpened]);
}

/// Every pixel of it: the picture is as wide as its column and nothing stands out to the right.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_fits_a_small_screen_light_and_dark() {
    let Some(scene) = Scene::with_peers("the_page_fits_a_small_screen_light_and_dark", &[Peer::Chromium]) else {
        return;
    };
    let (_road, url) = serving(Pages::open("", message()).await).await;
    for (dark, width, height) in [(false, 320, 568), (true, 360, 740), (false, 1280, 800)] {
        let browser = Chromium::new(&scene).sized(width, height);
        let browser = if dark { browser.dark() } else { browser };
        let file = tokio::task::block_in_place(|| browser.screenshot(&url, &format!("page-{width}")));
        let shot = image::open(&file).unwrap();
        assert_eq!(shot.dimensions(), (width, height));
        let ground = shot.get_pixel(1, 1).0;
        assert_eq!(ground[0] < 60, dark, "{ground:?}");
        let is_red = |x: u32, y: u32| matches!(shot.get_pixel(x, y).0, [200..=255, ..60, ..60, _]);
        let row = (0..height).find(|y| is_red(width / 2, *y)).expect("the picture");
        let red: Vec<u32> = (0..width).filter(|x| is_red(*x, row + 20)).collect();
        let (left, right) = (red[0], width - 1 - red[red.len() - 1]);
        assert!(left.abs_diff(right) <= 2 && left >= 8, "in the middle at {width}: {left}, {right}");
        // A shadow reaches that far, words do not.
        let alike = |pixel: [u8; 4]| pixel.iter().zip(&ground).all(|(one, other)| one.abs_diff(*other) < 24);
        let edge = (0..height).all(|y| alike(shot.get_pixel(width - 1, y).0));
        assert!(edge, "something stands out to the right at {width}; see {}", file.display());
    }
}
