//! What the tests share.

use packetboat_mms::{Field, Pdu};

/// The PDU with its fields in the order in which it is written, and its content with a type.
pub fn sorted(mut pdu: Pdu) -> Pdu {
    pdu.untyped = false;
    pdu.headers.sort_by_key(|header| match header.field {
        Field::TransactionId => 0,
        Field::MmsVersion => 1,
        _ => 2,
    });
    pdu
}
