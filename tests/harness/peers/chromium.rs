//! Chromium without its window: a phone's browser, of a size and a colour scheme, under a name of its own.

use crate::process::Output;
use crate::scene::Scene;
use std::path::PathBuf;
use std::process::Command;

/// What a phone of today calls its browser.
pub const PHONE: &str = "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Mobile Safari/537.36";

/// A browser.
#[derive(Debug)]
pub struct Chromium<'scene> {
    scene: &'scene Scene,
    options: Vec<String>,
}

impl<'scene> Chromium<'scene> {
    /// A phone's browser, 360 by 740 pixels, light. Needs [`crate::Peer::Chromium`].
    pub fn new(scene: &'scene Scene) -> Self {
        let options = ["--window-size=360,740".to_owned(), format!("--user-agent={PHONE}")];
        Chromium { scene, options: options.to_vec() }
    }

    /// The browser under its own name, which says that it has no window.
    #[must_use]
    pub fn unmasked(mut self) -> Self {
        self.options.retain(|option| !option.starts_with("--user-agent"));
        self
    }

    /// A window of another size, in pixels.
    #[must_use]
    pub fn sized(mut self, width: u32, height: u32) -> Self {
        self.options[0] = format!("--window-size={width},{height}");
        self
    }

    /// Dark.
    #[must_use]
    pub fn dark(mut self) -> Self {
        self.options.push("--blink-settings=preferredColorScheme=0".to_owned());
        self
    }

    /// Opens a page, lets it lay out, and returns its document as it then stands.
    ///
    /// # Panics
    /// When Chromium fails.
    pub fn open(&self, url: &str) -> String {
        Output::of(self.command(url).arg("--dump-dom")).expect_success().text()
    }

    /// Opens a page and returns a PNG of the window.
    ///
    /// # Panics
    /// When Chromium fails.
    pub fn screenshot(&self, url: &str, name: &str) -> PathBuf {
        let file = self.scene.path().join(format!("{name}.png"));
        Output::of(self.command(url).arg(format!("--screenshot={}", file.display()))).expect_success();
        file
    }

    fn command(&self, url: &str) -> Command {
        let mut command = Command::new("chromium");
        command.args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--disable-dev-shm-usage"]);
        // Nothing of its own to talk to: there is nobody but the page.
        command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
        command.args(["--disable-quic", "--no-first-run", "--virtual-time-budget=20000"]).args(&self.options);
        command.arg(format!("--user-data-dir={}", self.scene.directory("chromium").display())).arg(url);
        command
    }
}
