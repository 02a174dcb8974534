//! What every codec must do with any octets at all (I-4): give a value or an error with its place, never a panic, never
//! more than it was given — and what it writes, it must read back as what it wrote.
//!
//! One function a target. `tests/fuzz/run` says how inputs come about; `seeds.rs` makes the first ones from the golden
//! vectors.

#![forbid(unsafe_code)]

mod mail;
mod modem;
mod pushed;
mod session;

use std::time::Duration;

use bytes::Bytes;
use packetboat_mime::Entity;
use packetboat_mms::{Version, mail as mms_mail};
use packetboat_push::Push;
use packetboat_sms::{Reassembler, UserData};
use packetboat_wsp::{Reader, Writer, content_type, read_entity, write_content_type, write_entity};

pub use mail::mime;
pub use modem::{at_lines, tpdu};
pub use pushed::{indication, pap, provisioning, wbxml};
pub use session::smtp_session;

/// A Content-Type value and the body it speaks of (WAP-230-WSP 8.4.2.24, 8.5); before that, every kind of value there is.
pub fn wsp(input: &[u8]) {
    let octets = Bytes::copy_from_slice(input);
    values(&octets);
    let mut reader = Reader::new(&octets);
    let Ok(media) = content_type(&mut reader) else { return };
    let mut head = Writer::new();
    write_content_type(&mut head, &media);
    let head = Bytes::from(head.into_vec());
    content_type(&mut Reader::new(&head)).expect("a type that was written");
    match read_entity(media, reader) {
        Ok(entity) => {
            assert!(entity.content_length() <= octets.len() as u64, "more content than input");
            let first = rewritten(&entity);
            assert_eq!(rewritten(&first), first, "what is written reads as what was written");
        }
        Err(error) => assert!(error.offset <= octets.len() && !error.to_string().is_empty()),
    }
}

fn rewritten(entity: &Entity) -> Entity {
    let again = Bytes::from(write_entity(Writer::new(), entity).to_vec());
    let mut reader = Reader::new(&again);
    let media = content_type(&mut reader).expect("a type that was written");
    read_entity(media, reader).expect("an entity that was written")
}

/// Every reader of a value, from every place the one before left off.
fn values(octets: &Bytes) {
    let readers: [fn(&mut Reader<'_>) -> bool; 9] = [
        |reader| reader.uintvar().is_ok(),
        |reader| reader.short_integer().is_ok(),
        |reader| reader.long_integer().is_ok(),
        |reader| reader.integer().is_ok(),
        |reader| reader.length_prefixed().is_ok(),
        |reader| reader.value().is_ok(),
        |reader| reader.text_string().is_ok(),
        |reader| reader.text_value().is_ok(),
        |reader| reader.encoded_string().is_ok(),
    ];
    for read in readers {
        let mut reader = Reader::new(octets);
        while !reader.is_empty() {
            let before = reader.offset();
            if !read(&mut reader) {
                break;
            }
            assert!(before < reader.offset() && reader.offset() <= octets.len(), "a value has octets, and no others");
        }
    }
}

/// A PDU (OMA-TS-MMS_ENC 7), then as mail and as the PDU of that mail.
pub fn mms(input: &[u8]) {
    let octets = Bytes::copy_from_slice(input);
    let pdu = match packetboat_mms::decode(&octets) {
        Ok(pdu) => pdu,
        Err(error) => {
            assert!(error.offset <= octets.len() && !error.to_string().is_empty());
            return;
        }
    };
    pdu.describe();
    pdu.check();
    assert!(pdu.parts().iter().all(|part| part.content().is_some_and(|body| body.len() <= octets.len())));
    let encoded = pdu.encode();
    let written = Bytes::from(encoded.to_vec());
    assert_eq!(written.len() as u64, encoded.length);
    let first = packetboat_mms::decode(&written).expect("what was written");
    assert_eq!(first.kind, pdu.kind);
    let again = packetboat_mms::decode(&first.to_vec().into()).expect("what was written again");
    assert_eq!(again, first, "what is written reads as what was written");
    let mail = mms_mail::to_mail(pdu);
    let lines = |(name, value): &(String, String)| !name.contains(['\r', '\n']) && !value.contains(['\r', '\n']);
    assert!(mail.headers.0.iter().all(lines), "a field is one line");
    let retrieved = mms_mail::retrieve_conf(&mail, Some("t"), Version::V1_2, 0);
    packetboat_mms::decode(&retrieved.to_vec().into()).expect("what was made of a mail");
}

/// User data of several short messages, a length octet before each (TS 23.040 9.2.3.24), and the push they carry.
pub fn sms(input: &[u8]) {
    let messages = strings(input);
    let mut sets = Reassembler::new(3, Duration::from_secs(5));
    for (second, octets) in (0..).zip(&messages) {
        for has_header in [true, false] {
            match UserData::parse(octets, has_header) {
                Ok(data) => {
                    let _ = (data.ports(), data.concatenation());
                    if let Ok(again) = data.encode() {
                        assert_eq!(again, octets, "what was read is written as it was");
                    }
                    let _ = sets.accept(0, data, Duration::from_secs(second));
                    assert!(sets.open_sets() <= 3, "more sets than allowed");
                }
                Err(error) => assert!(error.offset().is_some_and(|offset| offset <= octets.len())),
            }
        }
    }
    let _ = (packetboat_push::analyse(&messages), packetboat_push::from_user_data(&messages));
}

/// Octet strings with a length octet before each.
fn strings(mut input: &[u8]) -> Vec<Bytes> {
    let mut found = Vec::new();
    while let Some((length, rest)) = input.split_first() {
        let (string, rest) = rest.split_at(rest.len().min(usize::from(*length)));
        found.push(Bytes::copy_from_slice(string));
        input = rest;
    }
    found
}

/// A push (WAP-230-WSP 8.2.4.1), and all that an operator may hand to the decoder.
pub fn push(input: &[u8]) {
    let octets = Bytes::copy_from_slice(input);
    match Push::parse(&octets) {
        Ok(push) => {
            push.others.iter().for_each(|field| drop((field.name.to_text(), field.to_text())));
            let again = Push::parse(&push.encode()).expect("a push that was written");
            assert_eq!(again.payload, push.payload, "what is written reads as what was written");
            assert_eq!(again.content_type.essence(), push.content_type.essence());
        }
        Err(error) => assert!(error.offset <= octets.len()),
    }
    if let Err(error) = packetboat_push::analyse(&[octets]) {
        assert!(error.offset().is_none_or(|offset| offset <= input.len()));
    }
}
