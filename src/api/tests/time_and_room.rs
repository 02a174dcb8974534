//! The clock that tests move, and the bounded buffer for what is being received.

use std::sync::Arc;
use std::time::Duration;

use packetboat_api::clock::{Clock, ManualClock, Random, SeededRandom, SystemRandom, Timestamp};
use packetboat_api::spool::SpoolBudget;

const KIB: usize = 1 << 10;

#[test]
fn time_saturates_instead_of_wrapping() {
    let now = Timestamp(1_000);
    assert_eq!(now.after(Duration::MAX), Timestamp(i64::MAX));
    assert_eq!(now.until(Timestamp(3_500)), Duration::from_millis(2_500));
    assert_eq!(now.until(Timestamp(999)), Duration::ZERO);
    assert_eq!(Timestamp(i64::MAX).until(Timestamp(i64::MIN)), Duration::ZERO);
    assert_eq!((Timestamp(-1).seconds(), Timestamp(1_999).seconds()), (-1, 1));
    assert_eq!(Timestamp(1_751_710_800_123).to_string(), "2025-07-05T10:20:00.123Z");
    for extreme in [Timestamp(i64::MAX), Timestamp(i64::MIN), Timestamp(-1), Timestamp::from_seconds(i64::MAX)] {
        assert!(extreme.to_string().ends_with('Z'));
    }
}

#[tokio::test]
async fn who_sleeps_on_the_clock_wakes_when_it_is_moved_far_enough() {
    let clock = ManualClock::new(Timestamp(0));
    let sleeper = clock.clone();
    let asleep = tokio::spawn(async move { sleeper.sleep_until(Timestamp(100)).await });
    for _ in 0..3 {
        clock.advance(Duration::from_millis(30));
        tokio::task::yield_now().await;
        assert!(!asleep.is_finished());
    }
    clock.advance(Duration::from_millis(10));
    asleep.await.expect("awake");
    clock.sleep_until(Timestamp(50)).await; // long past
}

#[test]
fn tokens_are_letters_and_digits_only() {
    let tokens: Vec<String> = (0..200).map(|_| SystemRandom.token(22)).collect();
    assert!(tokens.iter().all(|t| t.len() == 22 && t.bytes().all(|b| b.is_ascii_alphanumeric())));
    let seen: std::collections::BTreeSet<char> = tokens.concat().chars().collect();
    assert_eq!(seen.len(), 62);
    assert_eq!(SeededRandom::new(7).token(100), SeededRandom::new(7).token(100));
    assert_ne!(SeededRandom::new(7).token(22), SeededRandom::new(8).token(22));
    assert_eq!(SystemRandom.token(0), "");
}

/// Octets a budget still has, found out by taking them.
fn left(budget: &SpoolBudget) -> usize {
    let mut spools = Vec::new();
    let mut left = 0;
    loop {
        let mut spool = budget.spool();
        spool.push(&vec![0; 64 * KIB]).expect("room");
        if spool.is_on_disk() {
            return left;
        }
        left += 64 * KIB;
        spools.push(spool);
    }
}

#[tokio::test]
async fn what_does_not_fit_in_memory_waits_in_a_file_and_all_is_given_back() {
    let directory = tempfile::tempdir().expect("a directory");
    let budget = SpoolBudget::new(256 * KIB, directory.path());
    assert_eq!(left(&budget), 256 * KIB);

    let mut small = budget.spool();
    small.push(b"hello ").expect("room");
    small.push(b"there").expect("room");
    assert_eq!((small.len(), small.is_empty(), small.is_on_disk()), (11, false, false));
    let small = small.finish().await.expect("octets");
    assert_eq!(&small.bytes[..], b"hello there");
    assert!(left(&budget) < 256 * KIB, "what is finished and still held counts");
    drop(small);
    assert_eq!(left(&budget), 256 * KIB);

    let mut large = budget.spool();
    let piece: Vec<u8> = (0..=255).cycle().take(50_000).collect();
    for _ in 0..20 {
        large.push(&piece).expect("a disk");
    }
    assert!(large.is_on_disk());
    assert_eq!(large.len(), 1_000_000);
    assert_eq!(left(&budget), 256 * KIB, "a file needs no memory");
    let large = large.finish().await.expect("octets");
    assert_eq!(large.bytes.len(), 1_000_000);
    assert!(large.bytes.chunks(50_000).all(|chunk| chunk == piece));
    assert_eq!(std::fs::read_dir(directory.path()).expect("a directory").count(), 0, "files have no name");
}

#[tokio::test]
async fn an_announced_size_is_set_aside_within_bounds() {
    let directory = tempfile::tempdir().expect("a directory");
    let budget = SpoolBudget::new(256 * KIB, directory.path());
    let mut spool = budget.spool();
    spool.expect(u64::MAX);
    assert_eq!(left(&budget), 256 * KIB, "what cannot be is not set aside");
    spool.expect(100_000);
    assert_eq!(left(&budget), 128 * KIB);
    spool.push(&[1; 100_000]).expect("room");
    assert_eq!((left(&budget), spool.is_on_disk()), (128 * KIB, false));
    drop(spool);
    assert_eq!(left(&budget), 256 * KIB);
}

#[tokio::test]
async fn many_senders_share_one_budget() {
    let directory = tempfile::tempdir().expect("a directory");
    let budget = SpoolBudget::new(512 * KIB, directory.path());
    let tasks: Vec<_> = (0..32u8)
        .map(|number| {
            let mut spool = budget.spool();
            tokio::spawn(async move {
                for _ in 0..30 {
                    spool.push(&[number; 5_000]).expect("a disk");
                    tokio::task::yield_now().await;
                }
                let spooled = spool.finish().await.expect("octets");
                spooled.bytes.len() == 150_000 && spooled.bytes.iter().all(|octet| *octet == number)
            })
        })
        .collect();
    for task in tasks {
        assert!(task.await.expect("a task that ends"));
    }
    assert_eq!(left(&budget), 512 * KIB);
}

/// More is being turned into messages than there is memory for: the later ones wait for the earlier, none fails.
#[tokio::test]
async fn finishing_is_bounded_too() {
    let directory = tempfile::tempdir().expect("a directory");
    let budget = SpoolBudget::new(0, directory.path());
    let mut first = budget.spool();
    first.push(&[1; 300_000]).expect("a disk");
    let mut second = budget.spool();
    second.push(&[2; 10]).expect("a disk");
    let first = first.finish().await.expect("octets");
    let waits = Arc::new(tokio::sync::Notify::new());
    let told = waits.clone();
    let second = tokio::spawn(async move {
        told.notify_one();
        second.finish().await.map(|spooled| spooled.bytes)
    });
    waits.notified().await;
    tokio::task::yield_now().await;
    assert!(!second.is_finished(), "the first is still in memory");
    drop(first);
    assert_eq!(&second.await.expect("a task").expect("octets")[..], [2; 10]);
}

#[test]
fn no_disk_is_an_error_not_a_panic() {
    let directory = tempfile::tempdir().expect("a directory");
    let budget = SpoolBudget::new(0, &directory.path().join("not there"));
    let mut spool = budget.spool();
    assert!(spool.push(b"x").is_err());
    assert!(spool.push(b"x").is_err());
}
