//! PDUs from what they must say (OMA-TS-MMS_ENC 6). Each builder sets the mandatory fields; optional ones follow with
//! [`Pdu::with`].

use bytes::Bytes;
use packetboat_mime::{Entity, MediaType};

use crate::Pdu;
use crate::codes::{CancelStatus, MessageClass, ReadStatus, ResponseStatus, RetrieveStatus, Status, StoreStatus};
use crate::tables::{Field, PduType};
use crate::value::{FromValue, TimeValue, Value, Version};

impl<B> Pdu<B> {
    fn start(kind: PduType, transaction_id: Option<&str>, version: Version) -> Self {
        Pdu::new(kind).with_some(Field::TransactionId, transaction_id).with(Field::MmsVersion, version)
    }

    /// m-send-req: a message handed in. Recipients follow with `with(Field::To, …)`.
    pub fn send_req(transaction_id: &str, version: Version, from: FromValue, content: Entity<B>) -> Self {
        let head: Self = Self::start(PduType::SendReq, Some(transaction_id), version).with(Field::From, from);
        head.with_content(content)
    }

    /// m-retrieve-conf: a message handed out. A transaction id asks for an m-acknowledge-ind. `date` is in seconds
    /// since 1970.
    pub fn retrieve_conf(transaction_id: Option<&str>, version: Version, date: u64, content: Entity<B>) -> Self {
        let head: Self = Self::start(PduType::RetrieveConf, transaction_id, version).with(Field::Date, date);
        head.with_content(content)
    }

    /// m-mbox-view-conf: what an MMBox holds; `content` is a multipart of m-mbox-descr.
    pub fn mbox_view_conf(transaction_id: &str, version: Version, status: ResponseStatus, content: Entity<B>) -> Self {
        let head: Self = Self::start(PduType::MboxViewConf, Some(transaction_id), version);
        head.with(Field::ResponseStatus, status).with_content(content)
    }

    /// m-mbox-upload-req: a message for an MMBox; `content` is an m-mbox-descr.
    pub fn mbox_upload_req(transaction_id: &str, version: Version, content: Entity<B>) -> Self {
        let head: Self = Self::start(PduType::MboxUploadReq, Some(transaction_id), version);
        head.with_content(content)
    }

    /// m-mbox-descr: a message in an MMBox. It travels as a part.
    pub fn mbox_descr(version: Version, content: Entity<B>) -> Self {
        let head: Self = Self::start(PduType::MboxDescr, None, version);
        head.with_content(content)
    }
}

impl Pdu<Bytes> {
    /// m-send-conf: the answer to m-send-req. The status is folded to what `version` knows.
    pub fn send_conf(transaction_id: &str, version: Version, status: ResponseStatus) -> Self {
        let head = Self::start(PduType::SendConf, Some(transaction_id), version);
        head.with(Field::ResponseStatus, status.fold(version))
    }

    /// m-notification-ind: a message waits at `location`. `size` is in octets, `expiry` in seconds from now.
    pub fn notification_ind(
        transaction_id: &str,
        version: Version,
        class: MessageClass,
        size: u64,
        expiry: u64,
        location: &str,
    ) -> Self {
        Self::start(PduType::NotificationInd, Some(transaction_id), version)
            .with(Field::MessageClass, class)
            .with(Field::MessageSize, size)
            .with(Field::Expiry, TimeValue::Relative(expiry))
            .with(Field::ContentLocation, location)
    }

    /// m-notifyresp-ind: what the handset does about a notification.
    pub fn notifyresp_ind(transaction_id: &str, version: Version, status: Status) -> Self {
        Self::start(PduType::NotifyRespInd, Some(transaction_id), version).with(Field::Status, status)
    }

    /// m-retrieve-conf that says why there is no message. It has a date and a multipart with `text` as its one part,
    /// because handsets refuse the whole PDU without them. `date` is in seconds since 1970.
    pub fn retrieve_error(
        transaction_id: Option<&str>,
        version: Version,
        date: u64,
        status: RetrieveStatus,
        text: &str,
    ) -> Self {
        let plain = MediaType::new("text/plain").with("charset", "utf-8");
        let part = Entity::leaf(plain, Bytes::copy_from_slice(text.as_bytes()));
        let mixed = MediaType::new("application/vnd.wap.multipart.mixed");
        Self::retrieve_conf(transaction_id, version, date, Entity::multipart(mixed, vec![part]))
            .with(Field::RetrieveStatus, status)
            .with(Field::RetrieveText, text)
    }

    /// m-acknowledge-ind: the handset has the message.
    pub fn acknowledge_ind(transaction_id: &str, version: Version) -> Self {
        Self::start(PduType::AcknowledgeInd, Some(transaction_id), version)
    }

    /// m-delivery-ind: what became of a message at one recipient. `date` is in seconds since 1970.
    pub fn delivery_ind(version: Version, message_id: &str, to: &str, date: u64, status: Status) -> Self {
        Self::start(PduType::DeliveryInd, None, version)
            .with(Field::MessageId, message_id)
            .with(Field::To, to)
            .with(Field::Status, status) // not last: Wireshark takes a closing 0x84 for a Content-Type
            .with(Field::Date, date)
    }

    /// m-read-rec-ind: the handset says what its user did with a message. `to` is who sent that message.
    pub fn read_rec_ind(version: Version, message_id: &str, to: &str, from: FromValue, status: ReadStatus) -> Self {
        Self::start(PduType::ReadRecInd, None, version)
            .with(Field::MessageId, message_id)
            .with(Field::To, to)
            .with(Field::From, from)
            .with(Field::ReadStatus, status)
    }

    /// m-read-orig-ind: the same, passed on to who sent the message. `date` is in seconds since 1970.
    pub fn read_orig_ind(
        version: Version,
        message_id: &str,
        to: &str,
        from: &str,
        date: u64,
        status: ReadStatus,
    ) -> Self {
        Self::start(PduType::ReadOrigInd, None, version)
            .with(Field::MessageId, message_id)
            .with(Field::To, to)
            .with(Field::From, FromValue::Address(from.to_owned()))
            .with(Field::Date, date)
            .with(Field::ReadStatus, status)
    }

    /// m-forward-req: the message at `location` is to go on, unseen. Recipients follow with `with(Field::To, …)`.
    pub fn forward_req(transaction_id: &str, version: Version, from: FromValue, location: &str) -> Self {
        Self::start(PduType::ForwardReq, Some(transaction_id), version)
            .with(Field::From, from)
            .with(Field::ContentLocation, location)
    }

    /// m-forward-conf: the answer to m-forward-req. The status is folded to what `version` knows.
    pub fn forward_conf(transaction_id: &str, version: Version, status: ResponseStatus) -> Self {
        let head = Self::start(PduType::ForwardConf, Some(transaction_id), version);
        head.with(Field::ResponseStatus, status.fold(version))
    }

    /// m-mbox-store-req: the message at `location` is to be kept.
    pub fn mbox_store_req(transaction_id: &str, version: Version, location: &str) -> Self {
        Self::start(PduType::MboxStoreReq, Some(transaction_id), version).with(Field::ContentLocation, location)
    }

    /// m-mbox-store-conf: the answer to m-mbox-store-req.
    pub fn mbox_store_conf(transaction_id: &str, version: Version, status: StoreStatus) -> Self {
        Self::start(PduType::MboxStoreConf, Some(transaction_id), version).with(Field::StoreStatus, status)
    }

    /// m-mbox-view-req: what is in the MMBox?
    pub fn mbox_view_req(transaction_id: &str, version: Version) -> Self {
        Self::start(PduType::MboxViewReq, Some(transaction_id), version)
    }

    /// m-mbox-upload-conf: the answer to m-mbox-upload-req.
    pub fn mbox_upload_conf(transaction_id: &str, version: Version, status: StoreStatus) -> Self {
        Self::start(PduType::MboxUploadConf, Some(transaction_id), version).with(Field::StoreStatus, status)
    }

    /// m-mbox-delete-req: the messages at `locations` are to go.
    pub fn mbox_delete_req(transaction_id: &str, version: Version, locations: &[&str]) -> Self {
        let head = Self::start(PduType::MboxDeleteReq, Some(transaction_id), version);
        locations.iter().fold(head, |pdu, location| pdu.with(Field::ContentLocation, *location))
    }

    /// m-mbox-delete-conf: the answer to m-mbox-delete-req, a status for each location.
    pub fn mbox_delete_conf(transaction_id: &str, version: Version, results: &[(&str, ResponseStatus)]) -> Self {
        counted(Self::start(PduType::MboxDeleteConf, Some(transaction_id), version), results)
    }

    /// m-delete-req: the deferred messages at `locations` are to go.
    pub fn delete_req(transaction_id: &str, version: Version, locations: &[&str]) -> Self {
        let head = Self::start(PduType::DeleteReq, Some(transaction_id), version);
        locations.iter().fold(head, |pdu, location| pdu.with(Field::ContentLocation, *location))
    }

    /// m-delete-conf: the answer to m-delete-req, a status for each location.
    pub fn delete_conf(transaction_id: &str, version: Version, results: &[(&str, ResponseStatus)]) -> Self {
        counted(Self::start(PduType::DeleteConf, Some(transaction_id), version), results)
    }

    /// m-cancel-req: the message of that id is to be withdrawn.
    pub fn cancel_req(transaction_id: &str, version: Version, cancel_id: &str) -> Self {
        Self::start(PduType::CancelReq, Some(transaction_id), version).with(Field::CancelId, cancel_id)
    }

    /// m-cancel-conf: the answer to m-cancel-req.
    pub fn cancel_conf(transaction_id: &str, version: Version, status: CancelStatus) -> Self {
        Self::start(PduType::CancelConf, Some(transaction_id), version).with(Field::CancelStatus, status)
    }
}

/// Locations and statuses that belong together have the same count, from 0 in the order of the request.
fn counted(head: Pdu, results: &[(&str, ResponseStatus)]) -> Pdu {
    (0..).zip(results).fold(head, |pdu, (count, (location, status))| {
        pdu.with(Field::ContentLocation, Value::Counted(count, Box::new((*location).into())))
            .with(Field::ResponseStatus, Value::Counted(count, Box::new((*status).into())))
    })
}
