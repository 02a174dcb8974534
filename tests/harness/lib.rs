//! Starts the real binary and real peers for the stories of `tests/e2e`.
//!
//! A story is a black box: it knows the path of a binary, the text of a configuration file and programs that somebody
//! else wrote. So this crate imports nothing of the product: what it says on a wire it encodes itself, in as few lines
//! as will do, and what it reads there it reads no deeper than a story asks.
//!
//! The tour, from the ground up:
//!
//! * [`scene`] is where a story plays: a directory, reserved ports, the logs that are shown when it fails.
//! * [`wait`] turns "sooner or later" into a condition with a deadline. Nothing here sleeps for a fixed time.
//! * [`process`] starts programs and makes sure that none outlives its story, not even when the story is killed.
//! * [`daemon`] is packetboat itself: start, ready line, kill -9, start again on the same disk, command line, admin port.
//! * [`http`], [`smtp`], [`mail`], [`mms`], [`push`] are small clients and encoders written without product code.
//! * [`sms_tap`] plays the SMS gateway where a story needs one that fails on command.
//! * [`gateway`] is the proxy of a mobile network, which vouches for a phone's number.
//! * [`handset`] is a hand-driven phone for what no real handset program would ever send.
//! * [`peers`] are the real programs: Kannel, Postfix, mmsd-tng, swaks, tshark and others.
//! * [`faults`] fills the disk and breaks fsync for one process.
//!
//! # A story
//!
//! ```no_run
//! use packetboat_harness::mail::{Mail, png};
//! use packetboat_harness::peers::mmsd::{Mmsd, Phone};
//! use packetboat_harness::{Gateway, Peer, Scene, SmsTap, smtp};
//!
//! # const BINARY: &str = "/path/to/packetboat";
//! # const CONFIG: &str = "";
//! // In tests/e2e: const BINARY: &str = env!("CARGO_BIN_EXE_packetboat");
//! # fn handset_fetches_a_mailed_photo() {
//! let Some(scene) = Scene::with_peers("handset_fetches_a_mailed_photo", &[Peer::Mmsd]) else { return };
//! let tap = SmsTap::start();
//! // CONFIG has `listen = ["127.0.0.1:{port:handsets}"]` and `public_url = "http://127.0.0.1:{port:handsets}"`.
//! let daemon = scene.daemon(BINARY).config(&CONFIG.replace("{sendsms}", &tap.url())).start();
//! let gateway = Gateway::start(&[("X-MSISDN", "+447700900123")]);
//! let mmsc = format!("http://{}/mms", daemon.listener("handsets"));
//! let phone = Mmsd::start(&scene, &Phone::new("+447700900123", &mmsc).behind(gateway.address()));
//!
//! let photo = png(200, 150, 1);
//! let mail = Mail::new("ann@example.org", "+447700900123@mms.test").text("look").attach("p.png", "image/png", &photo);
//! smtp::Client::connect(daemon.listener("mail")).deliver(&mail).expect_code(250);
//!
//! phone.push(&tap.wait_for_push("+447700900123", |_| true).wsp);
//! let message = phone.wait_for_message("the photo", |message| message.status == "received");
//! assert_eq!(message.part("image/png").map(|part| &part.data), Some(&photo));
//! # }
//! ```

pub mod daemon;
pub mod faults;
pub mod gateway;
pub mod handset;
pub mod http;
pub mod mail;
pub mod mms;
pub mod peers;
pub mod ports;
pub mod process;
pub mod push;
pub mod scene;
pub mod sms_tap;
pub mod smtp;
pub mod wait;

pub use daemon::Daemon;
pub use gateway::Gateway;
pub use handset::Handset;
pub use peers::{Missing, Peer};
pub use scene::Scene;
pub use sms_tap::SmsTap;
pub use wait::{DEADLINE, wait_for, wait_until};
