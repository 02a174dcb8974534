//! What a modem may say: TPDUs and lines.

use bytes::Bytes;
use packetboat_sms::at::{Event, Parser, Unsolicited, answers};
use packetboat_sms::limits::{MAX_LINE, MAX_TPDU};
use packetboat_sms::tpdu::{Deliver, StatusReport, Submit, SubmitReport, TpduError, read_service_centre};
use packetboat_sms::{from_septets, from_ucs2};

/// A TPDU as each of those that it may be (TS 23.040 9.2.2), with and without a service centre's address before it.
pub fn tpdu(input: &[u8]) {
    let octets = Bytes::copy_from_slice(input);
    one(&octets);
    match read_service_centre(&octets) {
        Ok((_, tpdu)) => one(&tpdu),
        Err(error) => placed(&error, &octets),
    }
}

fn one(octets: &Bytes) {
    match Submit::parse(octets) {
        Ok(submit) => {
            if let Ok(again) = submit.encode() {
                assert_eq!(Submit::parse(&again), Ok(submit), "what is written reads as what was written");
            }
        }
        Err(error) => placed(&error, octets),
    }
    match Deliver::parse(octets) {
        Ok(deliver) => {
            let payload = &deliver.user_data.payload;
            let _ = (from_septets(payload), from_ucs2(payload), deliver.time.seconds(), deliver.time.to_string());
            if let Ok(again) = deliver.encode() {
                assert_eq!(Deliver::parse(&again), Ok(deliver), "what is written reads as what was written");
            }
        }
        Err(error) => placed(&error, octets),
    }
    match StatusReport::parse(octets) {
        Ok(report) => {
            assert_eq!(StatusReport::parse(&report.encode()), Ok(report), "what is written reads as what was written");
        }
        Err(error) => placed(&error, octets),
    }
    for refused in [true, false] {
        if let Err(error) = SubmitReport::parse(octets, refused) {
            placed(&error, octets);
        }
    }
}

fn placed(error: &TpduError, octets: &Bytes) {
    assert!(error.offset().is_some_and(|offset| offset <= octets.len()) && !error.to_string().is_empty());
}

/// A modem's lines (TS 27.005), whole and an octet at a time; then what they say.
pub fn at_lines(input: &[u8]) {
    let whole = Parser::new().feed(input);
    let mut parser = Parser::new();
    let pieces: Vec<Event> = input.iter().flat_map(|octet| parser.feed(std::slice::from_ref(octet))).collect();
    assert_eq!(pieces, whole, "it does not matter how octets come");
    assert!(whole.len() <= 2 * input.len(), "no more events than octets to make them of");
    for event in whole {
        match event {
            Event::Information(line) => {
                assert!(line.text.len() <= 3 * MAX_LINE && line.pdu.is_none_or(|pdu| pdu.len() <= MAX_TPDU));
                let value = &line.text;
                let _ = (answers::registration(value), answers::signal(value), answers::operator(value));
                let _ = (answers::pin_retries(value), answers::sent(value), answers::listed(value));
                let _ = (answers::memories(value), answers::offers(value));
            }
            Event::Unsolicited(Unsolicited::Message(pdu) | Unsolicited::Report(pdu)) => tpdu(&pdu),
            Event::Final(end) => assert!(!format!("{end:?}").is_empty()),
            Event::Prompt | Event::Unsolicited(_) | Event::Noise(_) => {}
        }
    }
}
