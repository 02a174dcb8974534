//! What a phone says of a message it was told of: m-notifyresp-ind, m-acknowledge-ind, m-read-rec-ind, m-delete-req.
//!
//! Each is evidence (I-3). Nothing in them is trusted beyond what the phone may say: a phone speaks for itself only (I-7),
//! and one that names what we do not know is answered kindly and logged.

use packetboat_api::delivery::Delivery;
use packetboat_api::evidence::{Evidence, Fact};
use packetboat_api::mime::{Entity, MediaType};
use packetboat_api::party::{Msisdn, Party};
use packetboat_api::road::{FetchError, Handsets};
use packetboat_mms::codes::{ReadStatus, ResponseStatus, Status, StoreStatus};
use packetboat_mms::{Field, Pdu, PduType};

use crate::answers::version;

/// Why a phone's word did not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// No such message, or no more.
    Unknown,
    /// It is another phone's message.
    NotYours,
    /// It could not be recorded now: the phone should say it again.
    TryLater,
}

/// Takes an m-notifyresp-ind or m-acknowledge-ind. `location` is the path it was posted to: phones that leave the
/// transaction id out may still be known by it.
pub async fn acknowledged(
    handsets: &dyn Handsets,
    who: Option<&Msisdn>,
    location: &str,
    pdu: &Pdu,
) -> Result<(), Ignored> {
    let named = pdu.transaction_id().unwrap_or_default();
    let found = match handsets.fetch(named).await {
        Err(FetchError::Unknown) => handsets.fetch(location).await,
        found => found,
    };
    let delivery = found.map_err(ignored)?.delivery;
    yours(&delivery, who)?;
    let (fact, how) = match (pdu.kind, pdu.status()) {
        (PduType::AcknowledgeInd, _) => (Fact::Retrieved, "m-acknowledge-ind"),
        (_, Some(Status::Retrieved)) => (Fact::Retrieved, "m-notifyresp-ind Retrieved"),
        (_, Some(Status::Deferred)) => (Fact::Deferred, "m-notifyresp-ind Deferred"),
        (_, Some(Status::Rejected)) => (Fact::Rejected, "the phone rejected it (m-notifyresp-ind Rejected)"),
        (_, Some(Status::Expired)) => (Fact::Rejected, "the phone says it has expired (m-notifyresp-ind Expired)"),
        _ => (Fact::Unrecognised, "the phone does not understand the notification (m-notifyresp-ind Unrecognised)"),
    };
    let recorded = async {
        if !pdu.report_allowed() {
            handsets.report_allowed(delivery.id, false).await?;
        }
        handsets.witness(delivery.id, Evidence::now(fact, how)).await
    };
    recorded.await.map_err(|_| Ignored::TryLater)
}

/// Takes an m-read-rec-ind.
pub async fn read(handsets: &dyn Handsets, who: Option<&Msisdn>, pdu: &Pdu) -> Result<(), Ignored> {
    let reader = who.ok_or(Ignored::NotYours)?;
    let message_id = pdu.message_id().ok_or(Ignored::Unknown)?;
    let read = pdu.read_status() != Some(ReadStatus::DeletedWithoutBeingRead);
    let taken = handsets.read_report(message_id, reader, read).await;
    taken.map_err(|refusal| if refusal.is_temporary() { Ignored::TryLater } else { Ignored::Unknown })
}

/// Takes an m-delete-req: the phone will not fetch these (OMA-TS-MMS_ENC 1.3, 6.9).
pub async fn delete(handsets: &dyn Handsets, who: Option<&Msisdn>, pdu: &Pdu) -> Pdu {
    let locations: Vec<&str> = pdu.texts(Field::ContentLocation).collect();
    let mut results = Vec::with_capacity(locations.len());
    for location in locations {
        results.push((location, dropped(handsets, who, location).await));
    }
    Pdu::delete_conf(pdu.transaction_id().unwrap_or_default(), version(pdu.version()), &results)
}

async fn dropped(handsets: &dyn Handsets, who: Option<&Msisdn>, location: &str) -> ResponseStatus {
    let found = match handsets.fetch(token_of(location)).await {
        Ok(found) => found,
        Err(FetchError::TryLater) => return ResponseStatus::TransientFailure,
        Err(_) => return ResponseStatus::PermanentMessageNotFound,
    };
    if who.is_none() || yours(&found.delivery, who).is_err() {
        return ResponseStatus::PermanentServiceDenied;
    }
    let evidence = Evidence::now(Fact::Rejected, "the phone deleted it without fetching (m-delete-req)");
    match handsets.witness(found.delivery.id, evidence).await {
        Ok(()) => ResponseStatus::Ok,
        Err(_) => ResponseStatus::TransientFailure,
    }
}

fn ignored(error: FetchError) -> Ignored {
    match error {
        FetchError::TryLater => Ignored::TryLater,
        FetchError::Unknown | FetchError::Expired | FetchError::Gone => Ignored::Unknown,
    }
}

/// A phone whose number the network told us speaks for its own messages only. One that is not known at all is believed
/// if it knows the unguessable name.
fn yours(delivery: &Delivery, who: Option<&Msisdn>) -> Result<(), Ignored> {
    match who {
        Some(number) if delivery.to != Party::Phone(number.clone()) => Err(Ignored::NotYours),
        _ => Ok(()),
    }
}

/// The token in a content URL or its path: the last segment, whatever phones append to it (case A-01).
pub fn token_of(location: &str) -> &str {
    let path = location.split(['?', '#']).next().unwrap_or(location);
    path.rsplit('/').next().unwrap_or(path)
}

/// The answer to requests about a network mailbox, which there is not (OMA-TS-MMS_ENC 6.6 to 6.8); `None` for other PDUs.
pub fn no_mailbox(pdu: &Pdu) -> Option<Pdu> {
    let (tid, version) = (pdu.transaction_id().unwrap_or_default(), version(pdu.version()));
    let text = "This MMSC keeps no mailbox for phones.";
    let confirmation = match pdu.kind {
        PduType::MboxStoreReq => Pdu::mbox_store_conf(tid, version, StoreStatus::PermanentServiceDenied),
        PduType::MboxUploadReq => Pdu::mbox_upload_conf(tid, version, StoreStatus::PermanentServiceDenied),
        PduType::MboxViewReq => {
            let empty = Entity::multipart(MediaType::new("application/vnd.wap.multipart.mixed"), Vec::new());
            let denied = Pdu::mbox_view_conf(tid, version, ResponseStatus::PermanentServiceDenied, empty);
            return Some(denied.with(Field::ResponseText, text));
        }
        PduType::MboxDeleteReq => {
            let locations: Vec<&str> = pdu.texts(Field::ContentLocation).collect();
            let denied: Vec<_> = locations.iter().map(|at| (*at, ResponseStatus::PermanentServiceDenied)).collect();
            return Some(Pdu::mbox_delete_conf(tid, version, &denied));
        }
        _ => return None,
    };
    Some(confirmation.with(Field::StoreStatusText, text))
}
