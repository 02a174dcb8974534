//! From a MIME message to a PDU.

use packetboat_mime::{Headers, Mail, addresses};

use super::content::wap_content;
use super::fields::{add, one_line};
use super::mm1_address;
use crate::codes::SenderVisibility;
use crate::tables::Field;
use crate::value::{FromValue, Version};
use crate::{Pdu, date, limits, names};

/// The m-retrieve-conf that hands `mail` out. A transaction id asks for an m-acknowledge-ind; `now`, in seconds since
/// 1970, is its date when the mail has none that can be read.
///
/// A sender who hides is left out. Recipients are those of To and Cc; there is no Bcc in this PDU.
pub fn retrieve_conf<B: Clone>(mail: &Mail<B>, transaction_id: Option<&str>, version: Version, now: u64) -> Pdu<B> {
    let content = wap_content(&mail.root);
    let date = mail.headers.first("Date").and_then(date::parse).unwrap_or(now);
    let mut pdu = Pdu::retrieve_conf(transaction_id, version, date, content);
    let visibility = mail.headers.first(names::SENDER_VISIBILITY).and_then(SenderVisibility::from_name);
    if visibility != Some(SenderVisibility::Hide) {
        pdu = pdu.with_some(Field::From, shown(&mail.headers, "From").next().map(FromValue::Address));
    }
    finish(pdu, mail, &[Field::To, Field::Cc], version)
}

/// The m-send-req that hands `mail` in to another relay, as `from`. Recipients are those of To, Cc and Bcc.
pub fn send_req<B: Clone>(mail: &Mail<B>, transaction_id: &str, version: Version, from: FromValue) -> Pdu<B> {
    let pdu = Pdu::send_req(transaction_id, version, from, wap_content(&mail.root));
    finish(pdu, mail, &[Field::To, Field::Cc, Field::Bcc], version)
}

/// Adds recipients and what else the mail says, as far as `version` has the fields.
fn finish<B>(mut pdu: Pdu<B>, mail: &Mail<B>, recipients: &[Field], version: Version) -> Pdu<B> {
    for field in recipients {
        for address in shown(&mail.headers, &field.to_string()).take(limits::SHOWN_RECIPIENTS) {
            pdu = pdu.with(field.clone(), address);
        }
    }
    let dated = pdu.date().is_some();
    let mut pdu = add(pdu, &mail.headers);
    if dated {
        let mut seen = false; // the one with the fallback stays
        pdu.headers.retain(|header| header.field != Field::Date || !std::mem::replace(&mut seen, true));
    }
    pdu.headers.retain(|header| header.field.spec().is_none_or(|spec| spec.since <= version));
    pdu
}

/// The addresses of every header field of that name, without display names, as MM1 writes them.
fn shown(headers: &Headers, name: &str) -> impl Iterator<Item = String> {
    let values: Vec<String> = headers.all(name).map(one_line).collect();
    values.into_iter().flat_map(|value| addresses(&value)).map(|mailbox| mm1_address(&mailbox.address))
}
