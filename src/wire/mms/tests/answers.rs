//! What an answer needs: builders that are complete, statuses that the client knows, errors that say enough.

use bytes::Bytes;
use packetboat_mms::codes::{ResponseStatus, RetrieveStatus, Status, StoreStatus};
use packetboat_mms::tables::{FIELDS, PDUS};
use packetboat_mms::{Field, FromValue, Pdu, PduType, Version, decode};

#[test]
fn rows_stand_where_their_numbers_say() {
    for (at, row) in FIELDS.iter().enumerate() {
        assert_eq!(usize::from(row.number), at + 1);
        assert_eq!(row.field.spec().map(|spec| spec.name), Some(row.name));
        assert_eq!(Field::from_number(row.number), row.field);
    }
    for (at, row) in PDUS.iter().enumerate() {
        assert_eq!(usize::from(row.octet), at + 0x80);
        assert_eq!(PduType::from_octet(row.octet), Some(row.kind));
        assert_eq!(row.kind.to_string(), row.name);
    }
}

#[test]
fn a_client_of_1_0_gets_what_it_knows() {
    for (octet, name) in ResponseStatus::TABLE {
        let folded = ResponseStatus::from_octet(*octet).fold(Version::V1_0);
        assert!((0x80..=0x88).contains(&folded.octet()), "{name} becomes {folded}");
        let folded = ResponseStatus::from_octet(*octet).fold(Version::V1_3);
        assert!(!(0x81..=0x88).contains(&folded.octet()), "{name} becomes {folded}");
    }
    let conf = Pdu::send_conf("t", Version::V1_0, ResponseStatus::PermanentMessageFormatCorrupt);
    assert_eq!(conf.response_status(), Some(ResponseStatus::MessageFormatCorrupt));
    let conf = Pdu::send_conf("t", Version::V1_1, ResponseStatus::TransientPartialSuccess);
    assert_eq!(conf.response_status(), Some(ResponseStatus::Ok));
    let conf = Pdu::send_conf("t", Version::V1_2, ResponseStatus::PermanentLackOfPrepaid);
    assert_eq!(conf.response_status(), Some(ResponseStatus::PermanentServiceDenied));
}

#[test]
fn reserved_octets_stand_for_their_range() {
    assert_eq!(ResponseStatus::from_octet(0xC9).known(), ResponseStatus::TransientFailure);
    assert_eq!(ResponseStatus::from_octet(0xF0).known(), ResponseStatus::PermanentFailure);
    assert_eq!(ResponseStatus::from_octet(0x99).known(), ResponseStatus::PermanentFailure);
    assert_eq!(RetrieveStatus::from_octet(0xC3).known(), RetrieveStatus::TransientFailure);
    assert_eq!(StoreStatus::from_octet(0xE9).known(), StoreStatus::PermanentFailure);
    assert!(RetrieveStatus::from_octet(0xDF).is_transient() && !RetrieveStatus::Ok.is_transient());
}

#[test]
fn an_older_client_is_not_told_what_is_not_known() {
    assert_eq!(Status::Unreachable.fold(Version::V1_1), Some(Status::Expired));
    assert_eq!(Status::Unreachable.fold(Version::V1_2), Some(Status::Unreachable));
    assert_eq!(Status::Forwarded.fold(Version::V1_0), None);
    assert_eq!(Status::Retrieved.fold(Version::V1_0), Some(Status::Retrieved));
}

#[test]
fn a_broken_submission_says_enough_to_be_answered() {
    let error = decode(&Bytes::from_static(b"\x8c\x80\x98T1\0\x8d\x90\x89\x01\x81\x84\xa3\x01\x01\x09\x83half"));
    let error = error.expect_err("half a part");
    assert_eq!((error.pdu, error.transaction_id.as_deref()), (Some(PduType::SendReq), Some("T1")));
    assert_eq!(error.version, Some(Version::V1_0));
    assert_eq!(error.to_string(), "octet 14 (0xe), reading content: part body is 9 octets long, 4 left");
}

#[test]
fn what_is_missing_has_a_name() {
    let pdu: Pdu =
        Pdu::new(PduType::SendReq).with(Field::TransactionId, "").with(Field::From, FromValue::InsertAddress);
    assert_eq!(pdu.check(), ["X-Mms-MMS-Version", "X-Mms-Transaction-Id", "Content-Type", "To, Cc or Bcc"]);
}
