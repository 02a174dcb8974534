//! Decode and re-encode a 100 kB m-send-req on one core; a bare copy of the same octets beside it.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use packetboat_mms::decode;

use crate::Result;
use crate::load::content::{Delivery, SendReq};
use crate::report::{Line, Owed};
use crate::rows::Bench;

/// Its name.
pub const NAME: &str = "codec";

const SIZE: usize = 100_000;
/// Between two looks at the clock.
const BATCH: usize = 100;

/// Measures it.
pub fn measure(bench: &Bench<'_>) -> Result<Vec<Line>> {
    let pdu = SendReq::new(SIZE, "c", "+447710000000", Delivery::Now)?.octets().clone();
    if decode(&pdu)?.to_vec() != pdu {
        return Err("what was decoded is not re-encoded as it was".into());
    }
    let (mut whole, mut chunks, mut copies) = (Vec::new(), Vec::new(), Vec::new());
    let time = bench.options.load_time().min(Duration::from_secs(1));
    for round in bench.rounds() {
        let again = |pdu: &Bytes| decode(pdu).map_or(0, |pdu| pdu.to_vec().len());
        bench.note(round, "decoded and encoded in one piece, GB/s", rate(&pdu, time, again), &mut whole);
        let vectored = |pdu: &Bytes| decode(pdu).map_or(0, |pdu| black_box(pdu.encode()).length as usize);
        bench.note(round, "decoded and encoded for a vectored write, GB/s", rate(&pdu, time, vectored), &mut chunks);
        bench.note(round, "copied, GB/s", rate(&pdu, time, |pdu| black_box(pdu.to_vec()).len()), &mut copies);
    }
    let line = |work: &str, ours, owed| Line {
        row: NAME,
        work: work.to_owned(),
        unit: "GB/s",
        ours,
        reference: Some(("a bare copy".to_owned(), copies.clone())),
        owed,
        notes: Vec::new(),
    };
    Ok(vec![
        line("decode + encode m-send-req of 100 kB in one piece, one core", whole, Owed::AtLeast(1.0)),
        line("the same, encoded as the daemon does, for a vectored write", chunks, Owed::Nothing),
    ])
}

/// GB/s of the PDU through `work`, which says how many octets it made.
fn rate(pdu: &Bytes, time: Duration, work: impl Fn(&Bytes) -> usize) -> f64 {
    let (started, mut octets) = (Instant::now(), 0);
    while started.elapsed() < time {
        for _ in 0..BATCH {
            octets += work(black_box(pdu));
        }
    }
    octets as f64 / started.elapsed().as_secs_f64() / 1e9
}
