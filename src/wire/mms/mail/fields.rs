//! Which header field of a MIME message carries which field of a PDU, and how its value reads there. One table for
//! both directions.

use packetboat_mime::Headers;

use crate::codes;
use crate::tables::{Field, Kind, PduType};
use crate::value::{TimeValue, Value};
use crate::{Pdu, date, names};

/// One row: a field, its MIME name, and the PDUs made from mail that have it. Addresses have their own rules.
pub(super) struct Mapping {
    pub(super) field: Field,
    pub(super) name: &'static str,
    pdus: &'static [PduType],
}

const SENT: &[PduType] = &[PduType::SendReq];
const RETRIEVED: &[PduType] = &[PduType::RetrieveConf];
const BOTH: &[PduType] = &[PduType::SendReq, PduType::RetrieveConf];

const fn mapping(field: Field, name: &'static str, pdus: &'static [PduType]) -> Mapping {
    Mapping { field, name, pdus }
}

/// Every field that has a place in a MIME message, in the order it is written.
pub(super) const MAPPINGS: &[Mapping] = &[
    mapping(Field::Subject, "Subject", BOTH),
    mapping(Field::Date, "Date", BOTH),
    mapping(Field::MessageId, "Message-ID", RETRIEVED),
    mapping(Field::MessageClass, names::MESSAGE_CLASS, BOTH),
    mapping(Field::Priority, names::PRIORITY, BOTH),
    mapping(Field::Expiry, names::EXPIRY, SENT),
    mapping(Field::DeliveryTime, names::DELIVERY_TIME, SENT),
    mapping(Field::DeliveryReport, names::DELIVERY_REPORT, BOTH),
    mapping(Field::ReadReport, names::READ_REPLY, BOTH),
    mapping(Field::SenderVisibility, names::SENDER_VISIBILITY, SENT),
    mapping(Field::ReplyCharging, names::REPLY_CHARGING, BOTH),
    mapping(Field::ReplyChargingDeadline, names::REPLY_CHARGING_DEADLINE, BOTH),
    mapping(Field::ReplyChargingId, names::REPLY_CHARGING_ID, BOTH),
    mapping(Field::ReplyChargingSize, names::REPLY_CHARGING_SIZE, BOTH),
    mapping(Field::PreviouslySentBy, names::PREVIOUSLY_SENT_BY, RETRIEVED),
    mapping(Field::PreviouslySentDate, names::PREVIOUSLY_SENT_DATE, RETRIEVED),
    mapping(Field::ApplicId, names::APPLIC_ID, BOTH),
    mapping(Field::ReplyApplicId, names::REPLY_APPLIC_ID, BOTH),
    mapping(Field::AuxApplicInfo, names::AUX_APPLIC_INFO, BOTH),
    mapping(Field::ContentClass, names::CONTENT_CLASS, BOTH),
    mapping(Field::DrmContent, names::DRM_CONTENT, BOTH),
    mapping(Field::AdaptationAllowed, names::ADAPTATION_ALLOWED, SENT),
    mapping(Field::ReplaceId, names::REPLACE_ID, RETRIEVED),
];

/// Text that may stand in a header field: controls become blanks.
pub(super) fn one_line(text: &str) -> String {
    let blanked: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    blanked.trim().to_owned()
}

/// A value as a MIME header field has it; `None` for one that has no meaning there.
pub(super) fn render(field: &Field, value: &Value) -> Option<String> {
    let text = match (value, field.kind()?) {
        (Value::Text(text), _) if *field == Field::MessageId && !text.is_empty() => {
            format!("<{}>", one_line(text).trim_start_matches('<').trim_end_matches('>'))
        }
        (Value::Text(text), _) => text.clone(),
        (Value::Code(octet), Kind::Code(table)) => codes::name_of(table, *octet)?.to_owned(),
        (Value::Number(time), Kind::Date) => date::rfc5322(*time),
        (Value::Number(number), _) => number.to_string(),
        (Value::Time(TimeValue::Absolute(time)), _) => date::rfc5322(*time),
        (Value::Time(TimeValue::Relative(seconds)), _) => seconds.to_string(),
        (Value::PreviouslySentBy(count, address), _) => format!("{count}, {address}"),
        (Value::PreviouslySentDate(count, time), _) => format!("{count}, {}", date::rfc5322(*time)),
        _ => return None,
    };
    Some(one_line(&text)).filter(|text| !text.is_empty())
}

/// The value of a field from what a MIME header field says; `None` for what it cannot have.
fn parse(field: &Field, text: &str) -> Option<Value> {
    let text = text.trim();
    match field.kind()? {
        _ if text.is_empty() => None,
        Kind::Text if *field == Field::MessageId => {
            Some(Value::Text(text.trim_start_matches('<').trim_end_matches('>').to_owned()))
        }
        Kind::Text | Kind::Encoded => Some(Value::Text(text.to_owned())),
        Kind::Code(table) => match codes::octet_of(table, text) {
            Some(octet) => Some(Value::Code(octet)),
            None if *field == Field::MessageClass && text.is_ascii() => Some(Value::Text(text.to_owned())),
            None => None,
        },
        Kind::Date => date::parse(text).map(Value::Number),
        Kind::Long | Kind::Integer => text.parse().ok().map(Value::Number),
        Kind::Time => {
            let relative = text.parse().ok().map(TimeValue::Relative);
            relative.or_else(|| date::parse(text).map(TimeValue::Absolute)).map(Value::Time)
        }
        Kind::PreviouslySentBy => {
            let (count, address) = text.split_once(',')?;
            Some(Value::PreviouslySentBy(count.trim().parse().ok()?, super::mm1_address(address)))
        }
        Kind::PreviouslySentDate => {
            let (count, time) = text.split_once(',')?;
            Some(Value::PreviouslySentDate(count.trim().parse().ok()?, date::parse(time)?))
        }
        _ => None,
    }
}

/// Adds to `pdu` what the header fields of a mail say, as far as its type has the fields.
pub(super) fn add<B>(mut pdu: Pdu<B>, headers: &Headers) -> Pdu<B> {
    let kind = pdu.kind;
    for row in MAPPINGS.iter().filter(|row| row.pdus.contains(&kind)) {
        let repeatable = matches!(row.field.kind(), Some(Kind::PreviouslySentBy | Kind::PreviouslySentDate));
        let values = headers.all(row.name).filter_map(|text| parse(&row.field, text));
        for value in values.take(if repeatable { crate::limits::FORWARDS } else { 1 }) {
            pdu = pdu.with(row.field.clone(), value);
        }
    }
    add_mail_fields(pdu, headers)
}

/// What ordinary mail says in its own fields (RFC 4356 2.1.3): importance, and the wish for a read report.
fn add_mail_fields<B>(mut pdu: Pdu<B>, headers: &Headers) -> Pdu<B> {
    if pdu.code(Field::Priority).is_none() {
        let importance = headers.first("Importance").and_then(codes::Priority::from_name);
        pdu = pdu.with_some(Field::Priority, importance.or_else(|| x_priority(headers.first("X-Priority")?)));
    }
    if pdu.code(Field::ReadReport).is_none() && headers.first("Disposition-Notification-To").is_some() {
        pdu = pdu.with(Field::ReadReport, true);
    }
    pdu
}

/// X-Priority: 1 and 2 are high, 4 and 5 low, 3 says nothing.
fn x_priority(text: &str) -> Option<codes::Priority> {
    match text.trim().bytes().next()? {
        b'1' | b'2' => Some(codes::Priority::High),
        b'4' | b'5' => Some(codes::Priority::Low),
        _ => None,
    }
}
