//! m-send-req: a phone submits (OMA-TS-MMS_ENC 6.1.1). The answer is always an m-send-conf the phone can show, and `Ok` only
//! once the message is on disk (I-1). A repeated request with the same transaction id gets the same Message-ID (I-2).

use bytes::Bytes;
use packetboat_api::message::{Envelope, Identity, Kind, Recipient};
use packetboat_api::mime::{Entity, Mail};
use packetboat_api::numbers::NumberPlan;
use packetboat_api::party::{Msisdn, Party};
use packetboat_api::road::{Intake, Receipt, Refusal, RefusalKind, Submission};
use packetboat_mms::codes::ResponseStatus;
use packetboat_mms::{Field, Pdu, Version, mail};

use crate::answers::{response_status, version};

/// Takes an m-send-req.
pub async fn submit(intake: &dyn Intake, numbers: &NumberPlan, sender: Option<Msisdn>, pdu: Pdu) -> Pdu {
    let (version, tid) = (version(pdu.version()), pdu.transaction_id().unwrap_or_default().to_owned());
    let taken = match submission(&pdu, numbers, sender) {
        Ok((sender, envelope)) => {
            let mail = mail::to_mail(pdu);
            take(intake, sender, envelope, mail, &tid).await
        }
        Err(refusal) => Err(refusal),
    };
    answer(taken, Pdu::send_conf(&tid, version, ResponseStatus::Ok), version)
}

/// Hands a phone's message in, under the key that makes its repetition recognisable; without a transaction id there is none.
pub async fn take(
    intake: &dyn Intake,
    sender: Msisdn,
    envelope: Envelope,
    mail: Mail<Bytes>,
    tid: &str,
) -> Result<Receipt, Refusal> {
    let dedupe = (!tid.is_empty()).then(|| repetition(&sender, tid, &envelope, &mail));
    let identity = Identity::Subscriber(sender);
    intake.submit(Submission { kind: Kind::Personal, identity, envelope, mail, dedupe }).await
}

/// What makes a repetition of a request recognisable: the phone, its transaction id, to whom it goes and what it holds,
/// since there are phones that begin to count anew when they are switched on (I-2, case A-13).
fn repetition(sender: &Msisdn, tid: &str, envelope: &Envelope, mail: &Mail<Bytes>) -> Vec<u8> {
    let mut to: Vec<String> = envelope.recipients.iter().map(|recipient| recipient.to.to_string()).collect();
    to.sort_unstable();
    let mut content = crc32fast::Hasher::new();
    mail.root.leaves().into_iter().filter_map(Entity::content).for_each(|body| content.update(body));
    let (octets, crc) = (mail.root.content_length(), content.finalize());
    format!("{sender} {octets}-{crc:08x} {} {tid}", to.join(" ")).into_bytes()
}

/// The confirmation with what became of it.
pub fn answer(taken: Result<Receipt, Refusal>, confirmation: Pdu, version: Version) -> Pdu {
    let mut confirmation = confirmation;
    match taken {
        Ok(receipt) => {
            confirmation = confirmation.with(Field::MessageId, receipt.message_id.as_str());
            if let Some((party, refusal)) = receipt.refused.first() {
                let count = receipt.refused.len();
                let text = format!("{count} of the recipients refused, {party} first: {refusal}");
                confirmation.set(Field::ResponseStatus, ResponseStatus::TransientPartialSuccess.fold(version));
                confirmation.set(Field::ResponseText, text.as_str());
            }
        }
        Err(refusal) => {
            confirmation.set(Field::ResponseStatus, response_status(&refusal).fold(version));
            confirmation.set(Field::ResponseText, refusal.text.as_str());
        }
    }
    confirmation
}

/// The answer to a submission that cannot be read, or is too large to be read, when enough of it could be read to answer
/// it at all (cases B-02, B-06).
pub fn refuse(tid: &str, asked: Option<Version>, refusal: &Refusal) -> Pdu {
    let version = version(asked);
    answer(Err(refusal.clone()), Pdu::send_conf(tid, version, ResponseStatus::Ok), version)
}

fn submission(pdu: &Pdu, numbers: &NumberPlan, sender: Option<Msisdn>) -> Result<(Msisdn, Envelope), Refusal> {
    let sender = known(sender)?;
    if pdu.version().is_some_and(|version| version.major != 1) {
        return Err(Refusal::new(RefusalKind::Malformed, "only MMS versions 1.x are understood"));
    }
    let missing: Vec<&str> = pdu.check().into_iter().filter(|name| *name != "From").collect();
    if !missing.is_empty() {
        return Err(Refusal::new(
            RefusalKind::Malformed,
            format!("mandatory fields are missing: {}", missing.join(", ")),
        ));
    }
    let recipients = recipients(pdu, numbers)?;
    let envelope = Envelope { from: Some(Party::Phone(sender.clone())), recipients, ..Envelope::default() };
    Ok((sender, envelope))
}

/// The sender, if the network told us who it is.
pub fn known(sender: Option<Msisdn>) -> Result<Msisdn, Refusal> {
    let unknown = "the network did not say which phone this is; check the MMSC address in the phone's settings";
    sender.ok_or_else(|| Refusal::new(RefusalKind::SenderUnknown, unknown))
}

/// To, Cc and Bcc as parties, each once.
pub fn recipients(pdu: &Pdu, numbers: &NumberPlan) -> Result<Vec<Recipient>, Refusal> {
    let mut found: Vec<Recipient> = Vec::new();
    for address in pdu.to().chain(pdu.cc()).chain(pdu.bcc()).filter(|address| !address.trim().is_empty()) {
        let party = numbers.parse(address).map(Party::Phone).or_else(|| Party::parse(address));
        let unreadable = || Refusal::new(RefusalKind::BadAddress, format!("\"{address}\" is not an address"));
        let party = party.ok_or_else(unreadable)?;
        if !found.iter().any(|recipient| recipient.to == party) {
            found.push(Recipient::plain(party));
        }
    }
    match found.is_empty() {
        true => Err(Refusal::new(RefusalKind::BadAddress, "the message names no recipient")),
        false => Ok(found),
    }
}
