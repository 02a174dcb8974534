//! What the SMSC delivers: receipts become evidence, messages go to the api (I-1).
//!
//! The SMSC is answered when what it said is on disk. When it cannot be written now the answer is ESME_RX_T_APPN, and the
//! SMSC comes again; what can never be taken is answered with ESME_RX_R_APPN.
//!
//! | state | becomes |
//! |---|---|
//! | DELIVRD | push_delivered once all short messages of the push are; until then recorded with push_sent |
//! | EXPIRED, DELETED, UNDELIV, REJECTD | push_failed |
//! | ENROUTE, ACCEPTD, UNKNOWN, none | recorded with push_sent |

use std::sync::Arc;

use bytes::Bytes;
use packetboat_api::evidence::{Evidence, Fact};
use packetboat_net::bearer::Coding;
use packetboat_sms::{Concatenation, Ports, Reference, Udh, UserData};
use tokio::time::Instant;

use crate::core::Core;
use crate::limits::EARLY_RECEIPT;
use crate::receipt::{Kind, Receipt, kind};
use crate::status::{State, Status};
use crate::submit::UDHI;
use crate::tickets::Found;
use crate::wire::{Delivered, latin, tag};

/// Takes one delivery; gives the status of the answer.
pub async fn take(core: Arc<Core>, delivered: Delivered) -> Status {
    match kind(&delivered) {
        Kind::Receipt(receipt) => take_receipt(&core, &receipt, &delivered.source.text).await,
        Kind::Acknowledgement => {
            tracing::debug!(bearer = core.name, "the SMSC passed on an acknowledgement nobody asked for");
            Status::OK
        }
        Kind::Message => take_message(&core, &delivered).await,
    }
}

async fn take_receipt(core: &Core, receipt: &Receipt, phone: &str) -> Status {
    if receipt.ids.is_empty() {
        tracing::warn!(bearer = core.name, "a receipt without a message id: acknowledged, and of no use");
        return Status::OK;
    }
    // A receipt can overtake the answer to its submission.
    let found = match core.tickets.find(&receipt.ids, phone) {
        None if core.unanswered() > 0 => {
            core.tickets.wait_for(&receipt.ids, phone, Instant::now() + EARLY_RECEIPT).await
        }
        found => found,
    };
    let Some(found) = found else {
        let id = receipt.ids.first();
        tracing::info!(bearer = core.name, id, "a receipt for nothing that is known here: from before a restart?");
        return Status::OK;
    };
    let state = receipt.state.unwrap_or(State::Unknown);
    // The SMSC says it again when our answer was lost.
    if found.recorded == Some(state) {
        return Status::OK;
    }
    let evidence = evidence(core, &found, receipt, state);
    match core.witness.witness(found.ticket.delivery, evidence).await {
        Ok(()) => {
            core.tickets.recorded(&found, state);
            Status::OK
        }
        Err(error) => {
            let delivery = found.ticket.delivery;
            tracing::warn!(bearer = core.name, %delivery, %error, "a receipt could not be written; the SMSC is to say it again");
            Status::TRY_LATER
        }
    }
}

fn evidence(core: &Core, found: &Found, receipt: &Receipt, state: State) -> Evidence {
    let ticket = &found.ticket;
    let (fact, said) = match state {
        State::Delivered if core.tallies.delivered(ticket) => (Fact::PushDelivered, "reached the phone"),
        State::Delivered => (Fact::PushSent, "reached the phone"),
        State::Expired => (Fact::PushFailed, "its time ran out at the SMSC"),
        State::Deleted => (Fact::PushFailed, "deleted at the SMSC"),
        State::Undeliverable => (Fact::PushFailed, "cannot be delivered"),
        State::Rejected => (Fact::PushFailed, "refused by the network"),
        State::Enroute => (Fact::PushSent, "on its way"),
        State::Accepted => (Fact::PushSent, "taken by the network"),
        State::Unknown => (Fact::PushSent, "the SMSC does not know what became of it"),
    };
    let id = receipt.ids.first().map_or("", String::as_str);
    let error = receipt.error.as_ref().map_or_else(String::new, |error| format!(", error {error}"));
    let (part, parts, word) = (ticket.part, ticket.parts, state.word());
    ticket.evidence(fact, format!("SMSC: {said} ({word}, short message {part} of {parts}, id {id}{error})"))
}

async fn take_message(core: &Core, delivered: &Delivered) -> Status {
    let (data, coding) = match user_data(delivered) {
        Ok(read) => read,
        Err(why) => {
            tracing::warn!(bearer = core.name, why, "a message that arrived cannot be read: refused");
            return Status::REJECTED;
        }
    };
    let (from, to) = (delivered.source.to_string(), delivered.destination.to_string());
    match core.inbox.take(&from, &to, data, coding).await {
        Ok(()) => Status::OK,
        Err(refusal) if refusal.is_temporary() => {
            tracing::warn!(bearer = core.name, %refusal, "a message that arrived could not be taken; it is to come again");
            Status::TRY_LATER
        }
        Err(refusal) => {
            tracing::warn!(bearer = core.name, %refusal, "a message that arrived was refused");
            Status::REJECTED
        }
    }
}

/// Header and payload, from wherever the SMSC put them.
fn user_data(delivered: &Delivered) -> Result<(UserData, Coding), String> {
    let octets = &delivered.message;
    let (mut header, payload) = match delivered.esm_class & UDHI {
        0 => (None, octets.clone()),
        _ => {
            let (header, taken) = Udh::parse(octets).map_err(|error| error.to_string())?;
            (Some(header), octets.slice(taken..))
        }
    };
    if header.is_none() {
        header = parameters(delivered).map_err(|error| error.to_string())?;
    }
    let (payload, coding) = match delivered.data_coding {
        0x01 | 0x03 => (ucs2(&latin(&payload)), Coding::Ucs2),
        0x08 | 0xE0..=0xEF => (payload, Coding::Ucs2),
        0x00 | 0xC0..=0xDF => (payload, Coding::Septets),
        // TS 23.038 4: the group of message classes; its bit 2 says 8-bit data.
        group @ 0xF0..=0xFF if group & 0x04 == 0 => (payload, Coding::Septets),
        _ => (payload, Coding::Octets),
    };
    Ok((UserData { header, payload }, coding))
}

/// The header that optional parameters stand for.
fn parameters(delivered: &Delivered) -> Result<Option<Udh>, packetboat_sms::UserDataError> {
    let number = |tag| delivered.tlvs.number(tag);
    let mut elements = Vec::new();
    if let Some(destination) = number(tag::DESTINATION_PORT) {
        let originator = number(tag::SOURCE_PORT).unwrap_or(0);
        elements.push(Ports { destination, originator }.into());
    }
    let octet = |tag| number(tag).and_then(|number| u8::try_from(number).ok());
    let sar = number(tag::SAR_REFERENCE).zip(octet(tag::SAR_TOTAL)).zip(octet(tag::SAR_SEQUENCE));
    if let Some(((reference, total), sequence)) = sar
        && let Some(part) = Concatenation::new(Reference::Sixteen(reference), total, sequence)
    {
        elements.push(part.into());
    }
    if elements.is_empty() { Ok(None) } else { Udh::new(elements).map(Some) }
}

fn ucs2(text: &str) -> Bytes {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}
