//! Turns are fair, and what arrives in pieces becomes whole.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use packetboat_api::async_trait;
use packetboat_api::clock::{ManualClock, Timestamp};
use packetboat_api::message::Priority;
use packetboat_api::road::{Arrivals, Refusal, RefusalKind};
use packetboat_api::roles::{Arrival, SmsBody};
use packetboat_net::bearer::{Coding, Inbox, Turns};
use packetboat_sms::{Ports, Reference, segment};

/// Lets every task that can move do so.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn one_bulk_job_delays_nobody() {
    let turns = Turns::new(1);
    let first = turns.take(Priority::Normal, "bulk").await;
    let served = Arc::new(Mutex::new(Vec::new()));
    let wait = |name: &'static str, sender: &'static str, priority| {
        let (turns, served) = (turns.clone(), served.clone());
        tokio::spawn(async move {
            let _turn = turns.take(priority, sender).await;
            served.lock().unwrap().push(name);
        })
    };
    for name in ["bulk 1", "bulk 2", "bulk 3"] {
        wait(name, "bulk", Priority::Normal);
        settle().await;
    }
    wait("low", "other", Priority::Low);
    settle().await;
    wait("only one", "ann", Priority::Normal);
    settle().await;
    wait("urgent", "bulk", Priority::High);
    settle().await;
    assert_eq!(turns.waiting(), 6);
    drop(first);
    settle().await;
    assert_eq!(*served.lock().unwrap(), ["urgent", "bulk 1", "only one", "bulk 2", "bulk 3", "low"]);
}

#[tokio::test]
async fn who_stops_waiting_leaves_no_hole() {
    let turns = Turns::new(1);
    let first = turns.take(Priority::Normal, "a").await;
    let gone = tokio::spawn({
        let turns = turns.clone();
        async move { drop(turns.take(Priority::High, "b").await) }
    });
    settle().await;
    gone.abort();
    settle().await;
    drop(first);
    let again = turns.take(Priority::Normal, "c");
    let _turn = tokio::time::timeout(std::time::Duration::from_secs(5), again).await.expect("the turn came back");
}

/// Takes what arrives, or says "later" as often as it is told to.
#[derive(Default)]
struct Desk {
    later: Mutex<u32>,
    taken: Mutex<Vec<Arrival>>,
}

#[async_trait]
impl Arrivals for Desk {
    async fn arrived(&self, arrival: Arrival) -> Result<(), Refusal> {
        let mut later = self.later.lock().unwrap();
        if *later > 0 {
            *later -= 1;
            return Err(Refusal::new(RefusalKind::TryLater, "later"));
        }
        self.taken.lock().unwrap().push(arrival);
        Ok(())
    }
}

#[tokio::test]
async fn segments_become_a_push_and_are_offered_until_taken() {
    let desk = Arc::new(Desk::default());
    *desk.later.lock().unwrap() = 1;
    let inbox = Inbox::new("smsc", desk.clone(), Arc::new(ManualClock::new(Timestamp(0))));
    let payload = Bytes::from(vec![7; 200]);
    let parts = segment(&payload, Ports::WAP_PUSH, Reference::Eight(9)).unwrap();
    let take = |at: usize| inbox.take("+358401", "100", parts[at].clone(), Coding::Octets);
    assert_eq!(take(1).await, Ok(()));
    assert!(take(0).await.unwrap_err().is_temporary());
    assert_eq!(take(0).await, Ok(()), "the network offers the last one again");
    let taken = desk.taken.lock().unwrap();
    let [arrival] = &taken[..] else { panic!("{taken:?}") };
    assert_eq!((&arrival.from[..], &arrival.to[..], &arrival.bearer[..]), ("+358401", "100", "smsc"));
    assert_eq!(arrival.body, SmsBody::Push(payload));
}
