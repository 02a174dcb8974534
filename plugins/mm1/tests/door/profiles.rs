//! What phones show of themselves, and their descriptions from a server of their vendor.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use packetboat_api::clock::ManualClock;
use packetboat_api::evidence::Fact;
use packetboat_api::memory::{Profile, Sighting};
use packetboat_api::message::Identity;
use packetboat_api::mime::{Entity, MediaType};
use packetboat_api::party::Msisdn;
use packetboat_mms::codes::Status;
use packetboat_mms::{Pdu, Version};
use packetboat_plugin_mm1::limits::{FAILURE_AGES, FETCHES, MAX_ASKED, MAX_KEPT, PROFILE_AGES};
use packetboat_plugin_mm1::profile::{Kept, Profiles};
use packetboat_plugin_mm1::settings::ProfileSource;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use crate::support::{BOB, CAROL, Door, Handle, NOW, Road, SECRET, TOKEN, fetch};

const PATIENCE: Duration = Duration::from_secs(20);

/// A vendor's server: counts who asks, and answers when it may.
struct Vendor {
    base: String,
    /// Paths in the order they were asked for.
    asked: watch::Receiver<Vec<String>>,
    /// One permit for each answer.
    may_answer: Arc<Semaphore>,
    /// The most that were asked for at once.
    most: Arc<Mutex<usize>>,
}

impl Vendor {
    async fn open(answer: &'static str, answers: usize) -> Vendor {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
        let base = format!("http://{}", listener.local_addr().expect("address"));
        let (note, asked) = watch::channel(Vec::new());
        let may_answer = Arc::new(Semaphore::new(answers));
        let (may, most, note) = (may_answer.clone(), Arc::new(Mutex::new(0)), Arc::new(note));
        let (highest, open) = (most.clone(), Arc::new(Mutex::new(0)));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let (may, highest, open, note) = (may.clone(), highest.clone(), open.clone(), note.clone());
                tokio::spawn(async move {
                    let mut request = [0; 4096];
                    let length = stream.read(&mut request).await.expect("a request");
                    let text = String::from_utf8_lossy(&request[..length]).into_owned();
                    let path = text.split(' ').nth(1).unwrap_or_default().to_owned();
                    let now = {
                        let mut open = open.lock().unwrap();
                        *open += 1;
                        *open
                    };
                    {
                        let mut highest = highest.lock().unwrap();
                        *highest = now.max(*highest);
                    }
                    note.send_modify(|paths| paths.push(path));
                    may.acquire().await.expect("leave to answer").forget();
                    *open.lock().unwrap() -= 1;
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        Vendor { base, asked, may_answer, most }
    }

    /// Waits until so many have asked.
    async fn asked(&mut self, count: usize) -> Vec<String> {
        let asked = self.asked.wait_for(|paths| paths.len() >= count);
        tokio::time::timeout(PATIENCE, asked).await.expect("requests in time").expect("a server").clone()
    }
}

const PROFILE: &str = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n\
    <RDF><Vendor>Acme</Vendor><Model>One</Model><ScreenSize>240x320</ScreenSize></RDF>";
const MISSING: &str = "HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";

fn acme(url: &str) -> Profile {
    Profile { url: url.to_owned(), model: "Acme One".to_owned(), screen: Some((240, 320)), ..Profile::default() }
}

fn get(fields: &str) -> Vec<u8> {
    format!("GET /{TOKEN} HTTP/1.1\r\nHost: x\r\n{fields}\r\n").into_bytes()
}

/// Waits until the road has so many sightings.
async fn sightings(road: &Road, count: usize) -> Vec<(String, Sighting)> {
    let there = async {
        loop {
            let seen = road.sightings.lock().unwrap().clone();
            if seen.len() >= count {
                return seen;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, there).await.expect("sightings in time")
}

#[tokio::test]
async fn a_fetch_shows_the_phone_and_what_it_could_show() {
    let door = Door::open("").await;
    door.road.holds(vec![7; 5000].into());
    door.ask(&get("User-Agent: Acme/1\r\nAccept: */*, Image/PNG;q=0.5\r\n")).await;
    let seen = Sighting {
        user_agent: Some("Acme/1".to_owned()),
        accepts: vec!["*/*".to_owned(), "image/png".to_owned()],
        picture: Some(5000),
        ..Sighting::default()
    };
    assert_eq!(sightings(&door.road, 1).await, [(BOB.to_owned(), seen)]);

    // No header field, no picture: nothing was seen.
    door.road.sightings.lock().unwrap().clear();
    let mut text = fetch(10, Identity::User("ann".to_owned()));
    let message = Arc::make_mut(&mut text.message);
    message.mail.root.media = MediaType::new("text/plain");
    *door.road.fetch.lock().unwrap() = Some(text.clone());
    door.ask(&get("")).await;
    assert_eq!(door.road.sightings.lock().unwrap().len(), 0);

    // The largest of several pictures, however deep.
    let message = Arc::make_mut(&mut text.message);
    message.identity = Identity::Subscriber(Msisdn::new(CAROL).unwrap());
    let leaf =
        |media: &str, length| Entity::leaf(MediaType::new(media), packetboat_api::message::Span { start: 0, length });
    let inner =
        Entity::multipart(MediaType::new("multipart/related"), vec![leaf("image/gif", 3), leaf("Image/PNG", 9)]);
    let parts = vec![leaf("video/mp4", 10), leaf("image/jpeg", 4), inner];
    message.mail.root = Entity::multipart(MediaType::new("multipart/mixed"), parts);
    *door.road.fetch.lock().unwrap() = Some(text);
    door.ask(&get("")).await;
    assert_eq!(sightings(&door.road, 1).await[0].1, Sighting { picture: Some(9), ..Sighting::default() });
    assert_eq!(door.road.facts(), [Fact::Fetched; 3]);
}

#[tokio::test]
async fn a_phone_that_breaks_off_was_seen_without_its_picture() {
    let door = Door::open("").await;
    door.road.holds(vec![7; 4 << 20].into());
    let (mut client, served) = door.connect().await;
    client.write_all(&get("User-Agent: Acme/1\r\n")).await.unwrap();
    client.read_exact(&mut [0; 1000]).await.unwrap();
    drop(client);
    served.await.unwrap();
    let seen = Sighting { user_agent: Some("Acme/1".to_owned()), ..Sighting::default() };
    assert_eq!(sightings(&door.road, 1).await, [(BOB.to_owned(), seen)]);
    assert_eq!(door.road.facts(), []);
}

#[tokio::test]
async fn posts_show_the_phones_that_are_known() {
    let door = Door::open("").await;
    let pdu = Pdu::notifyresp_ind(&TOKEN[..12], Version::V1_2, Status::Deferred).to_vec();
    let post = |path: &str| {
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: Acme/2\r\nContent-Length: {}\r\n\r\n", pdu.len());
        [head.as_bytes(), &pdu].concat()
    };
    door.ask(&post("/mms")).await;
    assert_eq!(door.road.sightings.lock().unwrap().len(), 0, "nobody knows who that was");
    door.ask(&post(&format!("/mms/{SECRET}"))).await;
    let seen = Sighting { user_agent: Some("Acme/2".to_owned()), ..Sighting::default() };
    assert_eq!(*door.road.sightings.lock().unwrap(), [(CAROL.to_owned(), seen)]);
}

#[tokio::test]
async fn a_profile_is_fetched_once_and_no_delivery_waits_for_it() {
    let mut vendor = Vendor::open(PROFILE, 0).await;
    let door = Door::open("profiles = \"any\"").await;
    door.road.holds(vec![7; 100].into());
    let url = format!("{}/acme.xml", vendor.base);
    let request = get(&format!("x-wap-profile: \"{url}\"\r\n"));
    // The vendor's server is silent, the message goes out all the same.
    for _ in 0..3 {
        assert_eq!(door.ask(&request).await.status, 200);
    }
    assert_eq!(door.road.facts(), [Fact::Fetched; 3]);
    vendor.asked(1).await;
    assert!(sightings(&door.road, 3).await.iter().all(|(_, seen)| seen.profile.is_none()));
    vendor.may_answer.add_permits(1);
    let seen = sightings(&door.road, 4).await;
    assert_eq!(seen[3], (BOB.to_owned(), Sighting { profile: Some(acme(&url)), ..Sighting::default() }));
    // From now on it is at hand.
    door.ask(&request).await;
    let seen = sightings(&door.road, 5).await;
    assert_eq!((seen[4].1.picture, seen[4].1.profile.as_ref()), (Some(100), Some(&acme(&url))));
    assert_eq!(vendor.asked(1).await, ["/acme.xml"]);
}

#[tokio::test]
async fn a_bad_profile_blocks_nothing_and_is_not_asked_for_again() {
    let mut vendor = Vendor::open(MISSING, 10).await;
    let door = Door::open("profiles = \"any\"").await;
    door.road.holds(vec![7; 100].into());
    for (path, count) in [("/gone.xml", 1), ("/gone.xml", 1), ("/other.xml", 2)] {
        let url = format!("{}{path}", vendor.base);
        assert_eq!(door.ask(&get(&format!("Profile: {url}\r\n"))).await.status, 200);
        assert_eq!(vendor.asked(count).await.len(), count);
    }
    for value in ["", "\"", "http://", "http://127.0.0.1:1/none.xml", "nonsense \u{fe}"] {
        assert_eq!(door.ask(&get(&format!("x-wap-profile: {value}\r\n"))).await.status, 200, "{value}");
    }
    assert_eq!(door.road.facts(), [Fact::Fetched; 8]);
    assert!(door.road.sightings.lock().unwrap().iter().all(|(_, seen)| seen.profile.is_none()));
    assert_eq!(vendor.asked(2).await, ["/gone.xml", "/other.xml"]);
}

/// Profiles from there, with the road they are told to and the clock they age by.
fn profiles(from: ProfileSource) -> (Profiles, Arc<Road>, Arc<ManualClock>) {
    let (road, clock) = (Arc::new(Road::default()), Arc::new(ManualClock::new(NOW)));
    let profiles = Profiles::new(from, Arc::new(Handle(road.clone())), clock.clone()).expect("a client");
    (profiles, road, clock)
}

fn phone(number: &str) -> Msisdn {
    Msisdn::new(number).unwrap()
}

/// Waits until nothing is being fetched.
async fn quiet(profiles: &Profiles) {
    let quiet = async {
        while profiles.waiting() > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, quiet).await.expect("an end in time");
}

#[tokio::test]
async fn two_at_once_so_many_in_all_and_one_fetch_for_all_who_ask() {
    let mut vendor = Vendor::open(PROFILE, 0).await;
    let (profiles, road, _) = profiles(ProfileSource::Any);
    let url = |at: usize| format!("{}/{at}", vendor.base);
    let urls: Vec<String> = (0..MAX_ASKED + 10).map(url).collect();
    for url in &urls {
        profiles.ask(url, &phone(BOB));
        profiles.ask(url, &phone(BOB));
    }
    profiles.ask(&urls[0], &phone(CAROL));
    assert_eq!(profiles.waiting(), MAX_ASKED);
    vendor.asked(FETCHES).await;
    vendor.may_answer.add_permits(1000);
    quiet(&profiles).await;
    let seen = sightings(&road, MAX_ASKED + 1).await;
    assert_eq!(seen.len(), MAX_ASKED + 1);
    let who: HashSet<&str> = seen.iter().map(|(who, _)| who.as_str()).collect();
    assert_eq!(who, HashSet::from([BOB, CAROL]));
    let asked: HashSet<String> = vendor.asked(MAX_ASKED).await.into_iter().collect();
    assert_eq!((asked.len(), *vendor.most.lock().unwrap()), (MAX_ASKED, FETCHES));
    // What found no place is asked for when its phone comes again.
    assert_eq!(profiles.known(&urls[MAX_ASKED]), None);
    profiles.ask(&urls[MAX_ASKED], &phone(BOB));
    quiet(&profiles).await;
    assert_eq!(profiles.known(&urls[MAX_ASKED]), Some(acme(&urls[MAX_ASKED])));
}

#[tokio::test]
async fn profiles_age_and_so_do_failures() {
    for (answer, ages) in [(PROFILE, PROFILE_AGES), (MISSING, FAILURE_AGES)] {
        let mut vendor = Vendor::open(answer, 10).await;
        let (profiles, _, clock) = profiles(ProfileSource::Any);
        let url = format!("{}/acme.xml", vendor.base);
        let second = Duration::from_secs(1);
        for (later, asked) in [(Duration::ZERO, 1), (ages - second, 1), (second, 2)] {
            clock.advance(later);
            profiles.ask(&url, &phone(BOB));
            quiet(&profiles).await;
            assert_eq!(vendor.asked(asked).await.len(), asked, "{answer}");
            assert_eq!(profiles.known(&url).is_some(), answer == PROFILE);
        }
    }
}

#[tokio::test]
async fn size_kind_and_redirects_are_bounded() {
    for answer in [
        "HTTP/1.1 200 OK\r\nContent-Length: 262145\r\n\r\n<RDF><Model>x</Model>",
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n<html>no phone</html>",
        "HTTP/1.1 302 Found\r\nLocation: /round\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "nothing of the kind",
    ] {
        let vendor = Vendor::open(answer, 10).await;
        let (profiles, road, _) = profiles(ProfileSource::Any);
        let url = format!("{}/acme.xml", vendor.base);
        profiles.ask(&url, &phone(BOB));
        quiet(&profiles).await;
        assert_eq!((profiles.known(&url), road.sightings.lock().unwrap().len()), (None, 0), "{answer}");
        assert!((1..=4).contains(&vendor.asked.borrow().len()), "{answer}");
    }
}

/// A phone cannot make us ask inside our own network, by whatever name.
#[tokio::test]
async fn public_is_public() {
    let vendor = Vendor::open(PROFILE, 10).await;
    let port = vendor.base.rsplit(':').next().unwrap().to_owned();
    let (profiles, road, _) = profiles(ProfileSource::Public);
    let hosts = ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "10.0.0.1", "169.254.169.254"];
    for host in hosts {
        for url in
            [format!("http://{host}:{port}/p.xml"), format!("http://{host}/p.xml"), format!("https://{host}:8080/")]
        {
            profiles.ask(&url, &phone(BOB));
            quiet(&profiles).await;
            assert_eq!(profiles.known(&url), None, "{url}");
        }
    }
    assert_eq!((vendor.asked.borrow().len(), road.sightings.lock().unwrap().len()), (0, 0));
}

#[tokio::test]
async fn off_is_off_and_what_drains_begins_nothing() {
    let vendor = Vendor::open(PROFILE, 10).await;
    let url = format!("{}/acme.xml", vendor.base);
    let (off, ..) = profiles(ProfileSource::Off);
    off.ask(&url, &phone(BOB));
    let (closed, ..) = profiles(ProfileSource::Any);
    closed.close();
    closed.ask(&url, &phone(BOB));
    assert_eq!((off.waiting(), closed.waiting(), off.known(&url), closed.known(&url)), (0, 0, None, None));
    assert_eq!(vendor.asked.borrow().len(), 0);
}

#[test]
fn what_is_kept_has_a_bound_and_the_oldest_goes() {
    let mut kept = Kept::default();
    let later = |seconds: usize| NOW.after(Duration::from_secs(seconds as u64));
    for at in 0..=MAX_KEPT {
        kept.keep(at.to_string(), Some(acme("x")), later(at));
    }
    let now = later(MAX_KEPT);
    let there = (0..=MAX_KEPT).filter(|at| kept.look_up(&at.to_string(), now).is_some()).count();
    assert_eq!((there, kept.look_up("0", now)), (MAX_KEPT, None));
    // One that is kept already takes nobody's place; a failure goes before profiles do.
    kept.keep("1".to_owned(), None, now);
    assert_eq!((kept.look_up("1", now), kept.look_up("2", now).is_some()), (Some(None), true));
    kept.keep("new".to_owned(), Some(acme("x")), now);
    assert_eq!((kept.look_up("1", now), kept.look_up("2", now).is_some()), (None, true));
}
