//! Typed looks at a PDU's header fields. Each gives the first field of its kind whose value is of the right nature;
//! a value that came broken counts as absent.

use crate::Pdu;
use crate::codes::{
    CancelStatus, ContentClass, MessageClass, Priority, ReadStatus, ReplyCharging, ResponseStatus, RetrieveStatus,
    SenderVisibility, Status, StoreStatus, YesNo, octet_of,
};
use crate::tables::Field;
use crate::value::{FromValue, TimeValue, Value, Version};

impl<B> Pdu<B> {
    /// The values of every field of that kind, in order.
    pub fn values(&self, field: Field) -> impl Iterator<Item = &Value> {
        self.headers.iter().filter(move |header| header.field == field).map(|header| &header.value)
    }

    /// The text of a field.
    pub fn text(&self, field: Field) -> Option<&str> {
        self.values(field).find_map(|value| match value {
            Value::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// The texts of every field of that kind, counted ones included, in order; empty ones are left out.
    pub fn texts(&self, field: Field) -> impl Iterator<Item = &str> {
        self.values(field)
            .filter_map(|value| match value {
                Value::Text(text) => Some(text.as_str()),
                Value::Counted(_, value) => match &**value {
                    Value::Text(text) => Some(text.as_str()),
                    _ => None,
                },
                _ => None,
            })
            .filter(|text| !text.is_empty())
    }

    /// The number or date of a field.
    pub fn number(&self, field: Field) -> Option<u64> {
        self.values(field).find_map(|value| match value {
            Value::Number(number) => Some(*number),
            _ => None,
        })
    }

    /// The octet of an enumerated field.
    pub fn code(&self, field: Field) -> Option<u8> {
        self.values(field).find_map(|value| match value {
            Value::Code(octet) => Some(*octet),
            _ => None,
        })
    }

    /// A yes-or-no field.
    pub fn flag(&self, field: Field) -> Option<bool> {
        match YesNo::from_octet(self.code(field)?) {
            YesNo::Yes => Some(true),
            YesNo::No => Some(false),
            YesNo::Other(_) => None,
        }
    }

    /// A time limit.
    pub fn time(&self, field: Field) -> Option<TimeValue> {
        self.values(field).find_map(|value| match value {
            Value::Time(time) => Some(*time),
            _ => None,
        })
    }

    /// X-Mms-Transaction-Id.
    pub fn transaction_id(&self) -> Option<&str> {
        self.text(Field::TransactionId)
    }

    /// X-Mms-MMS-Version.
    pub fn version(&self) -> Option<Version> {
        self.values(Field::MmsVersion).find_map(|value| match value {
            Value::Version(version) => Some(*version),
            _ => None,
        })
    }

    /// Message-ID, without angle brackets.
    pub fn message_id(&self) -> Option<&str> {
        let id = self.text(Field::MessageId)?.trim();
        let id = id.strip_prefix('<').unwrap_or(id);
        Some(id.strip_suffix('>').unwrap_or(id))
    }

    /// From; `None` when it is absent, as for a hidden sender.
    pub fn from(&self) -> Option<&FromValue> {
        self.values(Field::From).find_map(|value| match value {
            Value::From(from) => Some(from),
            _ => None,
        })
    }

    /// Every To.
    pub fn to(&self) -> impl Iterator<Item = &str> {
        self.texts(Field::To)
    }

    /// Every Cc.
    pub fn cc(&self) -> impl Iterator<Item = &str> {
        self.texts(Field::Cc)
    }

    /// Every Bcc.
    pub fn bcc(&self) -> impl Iterator<Item = &str> {
        self.texts(Field::Bcc)
    }

    /// Subject.
    pub fn subject(&self) -> Option<&str> {
        self.text(Field::Subject)
    }

    /// Date, in seconds since 1970.
    pub fn date(&self) -> Option<u64> {
        self.number(Field::Date)
    }

    /// X-Mms-Expiry.
    pub fn expiry(&self) -> Option<TimeValue> {
        self.time(Field::Expiry)
    }

    /// X-Mms-Delivery-Time.
    pub fn delivery_time(&self) -> Option<TimeValue> {
        self.time(Field::DeliveryTime)
    }

    /// X-Mms-Message-Class; `None` also for a class of the sender's own, see [`Pdu::text`].
    pub fn message_class(&self) -> Option<MessageClass> {
        let named = || octet_of(MessageClass::TABLE, self.text(Field::MessageClass)?);
        self.code(Field::MessageClass).or_else(named).map(MessageClass::from_octet)
    }

    /// X-Mms-Message-Size, in octets.
    pub fn message_size(&self) -> Option<u64> {
        self.number(Field::MessageSize)
    }

    /// X-Mms-Content-Location: the first one, counted or not.
    pub fn content_location(&self) -> Option<&str> {
        self.texts(Field::ContentLocation).next()
    }

    /// X-Mms-Priority.
    pub fn priority(&self) -> Option<Priority> {
        self.code(Field::Priority).map(Priority::from_octet)
    }

    /// X-Mms-Sender-Visibility.
    pub fn sender_visibility(&self) -> Option<SenderVisibility> {
        self.code(Field::SenderVisibility).map(SenderVisibility::from_octet)
    }

    /// X-Mms-Delivery-Report.
    pub fn delivery_report(&self) -> Option<bool> {
        self.flag(Field::DeliveryReport)
    }

    /// X-Mms-Read-Report (X-Mms-Read-Reply in 1.0).
    pub fn read_report(&self) -> Option<bool> {
        self.flag(Field::ReadReport)
    }

    /// X-Mms-Report-Allowed; absent means yes.
    pub fn report_allowed(&self) -> bool {
        self.flag(Field::ReportAllowed).unwrap_or(true)
    }

    /// X-Mms-Response-Status, not counted.
    pub fn response_status(&self) -> Option<ResponseStatus> {
        self.code(Field::ResponseStatus).map(ResponseStatus::from_octet)
    }

    /// X-Mms-Response-Text, not counted.
    pub fn response_text(&self) -> Option<&str> {
        self.text(Field::ResponseText)
    }

    /// X-Mms-Status.
    pub fn status(&self) -> Option<Status> {
        self.code(Field::Status).map(Status::from_octet)
    }

    /// X-Mms-Retrieve-Status.
    pub fn retrieve_status(&self) -> Option<RetrieveStatus> {
        self.code(Field::RetrieveStatus).map(RetrieveStatus::from_octet)
    }

    /// X-Mms-Retrieve-Text.
    pub fn retrieve_text(&self) -> Option<&str> {
        self.text(Field::RetrieveText)
    }

    /// X-Mms-Read-Status.
    pub fn read_status(&self) -> Option<ReadStatus> {
        self.code(Field::ReadStatus).map(ReadStatus::from_octet)
    }

    /// X-Mms-Store-Status.
    pub fn store_status(&self) -> Option<StoreStatus> {
        self.code(Field::StoreStatus).map(StoreStatus::from_octet)
    }

    /// X-Mms-Reply-Charging.
    pub fn reply_charging(&self) -> Option<ReplyCharging> {
        self.code(Field::ReplyCharging).map(ReplyCharging::from_octet)
    }

    /// X-Mms-Content-Class.
    pub fn content_class(&self) -> Option<ContentClass> {
        self.code(Field::ContentClass).map(ContentClass::from_octet)
    }

    /// X-Mms-Cancel-Status.
    pub fn cancel_status(&self) -> Option<CancelStatus> {
        self.code(Field::CancelStatus).map(CancelStatus::from_octet)
    }
}
