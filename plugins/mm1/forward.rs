//! m-forward-req: a phone sends a message on without fetching it (OMA-TS-MMS_ENC 6.5). It becomes a new message with the
//! same content, which says by whom it was sent before (TS 23.140 8.1.8).

use bytes::Bytes;
use packetboat_api::message::{Envelope, Message, Span};
use packetboat_api::mime::{Entity, Headers, Mail};
use packetboat_api::numbers::NumberPlan;
use packetboat_api::party::{Msisdn, Party};
use packetboat_api::road::{FetchError, Handsets, Intake, Receipt, Refusal, RefusalKind};
use packetboat_mms::codes::ResponseStatus;
use packetboat_mms::{Field, Pdu, date, mail, names};

use crate::answers::version;
use crate::receive::token_of;
use crate::submit::{answer, known, recipients, take};

/// Most times a message is forwarded before it is taken for a loop.
const FORWARDS: usize = 20;

/// Takes an m-forward-req.
pub async fn forward(
    intake: &dyn Intake,
    handsets: &dyn Handsets,
    numbers: &NumberPlan,
    sender: Option<Msisdn>,
    pdu: Pdu,
) -> Pdu {
    let (version, tid) = (version(pdu.version()), pdu.transaction_id().unwrap_or_default().to_owned());
    let taken = sent_on(intake, handsets, numbers, sender, &pdu, &tid).await;
    answer(taken, Pdu::forward_conf(&tid, version, ResponseStatus::Ok), version)
}

async fn sent_on(
    intake: &dyn Intake,
    handsets: &dyn Handsets,
    numbers: &NumberPlan,
    sender: Option<Msisdn>,
    pdu: &Pdu,
    tid: &str,
) -> Result<Receipt, Refusal> {
    let sender = known(sender)?;
    let location = pdu.text(Field::ContentLocation).unwrap_or_default();
    let gone = || Refusal::new(RefusalKind::UnknownRecipient, "there is no such message to forward");
    let found = handsets.fetch(token_of(location)).await.map_err(|error| match error {
        FetchError::TryLater => Refusal::new(RefusalKind::TryLater, error.to_string()),
        _ => gone(),
    })?;
    if found.delivery.to != Party::Phone(sender.clone()) {
        return Err(gone());
    }
    let recipients = recipients(pdu, numbers)?;
    let envelope = Envelope { from: Some(Party::Phone(sender.clone())), recipients, ..Envelope::default() };
    let headers = headers(&found.message, pdu)?;
    let root = content(handsets, &found.message).await?;
    take(intake, sender, envelope, Mail { headers, root }, tid).await
}

/// The new message's header fields: what the request says, what the original says of its content, and who sent it before.
fn headers(original: &Message, pdu: &Pdu) -> Result<Headers, Refusal> {
    let mut headers = mail::headers(pdu);
    let before: Vec<&str> = original.mail.headers.all(names::PREVIOUSLY_SENT_BY).collect();
    if before.len() >= FORWARDS {
        return Err(Refusal::new(RefusalKind::NotAllowed, "this message was forwarded too often"));
    }
    for name in [names::PREVIOUSLY_SENT_BY, names::PREVIOUSLY_SENT_DATE] {
        original.mail.headers.all(name).for_each(|value| headers.push(name, value));
    }
    let count = before.len();
    if let Some(from) = &original.envelope.from {
        headers.push(names::PREVIOUSLY_SENT_BY, format!("{count}, {}", from.to_mms()));
    }
    let sent = u64::try_from(original.received.seconds()).unwrap_or(0);
    headers.push(names::PREVIOUSLY_SENT_DATE, format!("{count}, {}", date::rfc5322(sent)));
    if let Some(subject) = &original.traits.subject {
        headers.set("Subject", subject.clone());
    }
    Ok(headers)
}

async fn content(handsets: &dyn Handsets, message: &Message) -> Result<Entity<Bytes>, Refusal> {
    let all = handsets.content().read(message, 0..message.size()).await?;
    Ok(message.mail.root.clone().map(&mut |span| slice(&all, span)))
}

/// A span of content that was read from its start.
pub fn slice(all: &Bytes, span: Span) -> Bytes {
    let start = usize::try_from(span.start).unwrap_or(usize::MAX).min(all.len());
    let end = usize::try_from(span.start.saturating_add(span.length)).unwrap_or(usize::MAX).min(all.len());
    all.slice(start..end.max(start))
}
