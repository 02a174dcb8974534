//! Every header field and every PDU of MMS encapsulation (OMA-TS-MMS_ENC 6 and 7), once.

use std::fmt;

use crate::codes::{
    CancelStatus, ContentClass, MessageClass, MmState, Priority, ReadStatus, ReplyCharging, ResponseStatus,
    RetrievalMode, RetrieveStatus, SenderVisibility, Status, StoreStatus, YesNo,
};
use crate::value::Version;

/// The grammar of a field's value (OMA-TS-MMS_ENC 7.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// X-Mms-Attributes: the number or name of a header field.
    Attribute,
    /// One octet with a meaning, from a table of octets and names.
    Code(&'static [(u8, &'static str)]),
    /// Content-Type-value, and the content after it.
    Content,
    /// Date-value: seconds since 1970 as a Long-integer.
    Date,
    /// X-Mms-Element-Descriptor.
    Element,
    /// Encoded-string-value.
    Encoded,
    /// X-Mms-MM-Flags.
    Flags,
    /// From-value.
    From,
    /// Integer-value.
    Integer,
    /// Long-integer.
    Long,
    /// A name that stands in X-Mms-Attributes only.
    Name,
    /// X-Mms-Previously-Sent-By.
    PreviouslySentBy,
    /// X-Mms-Previously-Sent-Date.
    PreviouslySentDate,
    /// Text-string.
    Text,
    /// An absolute or relative time.
    Time,
    /// X-Mms-Mbox-Totals and X-Mms-Mbox-Quotas.
    Totals,
    /// The octet of a PDU type.
    Type,
    /// Version-value.
    Version,
}

/// One row of [`FIELDS`].
#[derive(Clone, Debug)]
pub struct FieldSpec {
    /// The field.
    pub field: Field,
    /// The assigned number; 0x80 is added on the wire.
    pub number: u8,
    /// The name in the specification.
    pub name: &'static str,
    /// The grammar of the value.
    pub kind: Kind,
    /// The version that brought it.
    pub since: Version,
}

macro_rules! fields {
    ($($variant:ident $number:literal $name:literal $kind:expr, $since:ident;)*) => {
        /// A header field.
        #[derive(Clone, Debug, PartialEq, Eq, Hash)]
        pub enum Field {
            $(#[doc = $name] $variant,)*
            /// A number that is not assigned (0–127).
            Unknown(u8),
            /// An application header field, by name (OMA-TS-MMS_ENC 7.1).
            Application(String),
        }

        /// Every header field, by number.
        pub const FIELDS: &[FieldSpec] = &[$(FieldSpec {
            field: Field::$variant,
            number: $number,
            name: $name,
            kind: $kind,
            since: Version::$since,
        },)*];

        impl Field {
            /// The field of a number, the 0x80 taken off.
            pub fn from_number(number: u8) -> Self {
                match number {
                    $($number => Field::$variant,)*
                    other => Field::Unknown(other & 0x7F),
                }
            }

            /// The assigned number; `None` for application header fields.
            pub fn number(&self) -> Option<u8> {
                match self {
                    $(Field::$variant => Some($number),)*
                    Field::Unknown(number) => Some(number & 0x7F),
                    Field::Application(_) => None,
                }
            }
        }
    };
}

const BOOLEAN: Kind = Kind::Code(YesNo::TABLE);

fields! {
    Bcc 0x01 "Bcc" Kind::Encoded, V1_0;
    Cc 0x02 "Cc" Kind::Encoded, V1_0;
    ContentLocation 0x03 "X-Mms-Content-Location" Kind::Text, V1_0;
    ContentType 0x04 "Content-Type" Kind::Content, V1_0;
    Date 0x05 "Date" Kind::Date, V1_0;
    DeliveryReport 0x06 "X-Mms-Delivery-Report" BOOLEAN, V1_0;
    DeliveryTime 0x07 "X-Mms-Delivery-Time" Kind::Time, V1_0;
    Expiry 0x08 "X-Mms-Expiry" Kind::Time, V1_0;
    From 0x09 "From" Kind::From, V1_0;
    MessageClass 0x0A "X-Mms-Message-Class" Kind::Code(MessageClass::TABLE), V1_0;
    MessageId 0x0B "Message-ID" Kind::Text, V1_0;
    MessageType 0x0C "X-Mms-Message-Type" Kind::Type, V1_0;
    MmsVersion 0x0D "X-Mms-MMS-Version" Kind::Version, V1_0;
    MessageSize 0x0E "X-Mms-Message-Size" Kind::Long, V1_0;
    Priority 0x0F "X-Mms-Priority" Kind::Code(Priority::TABLE), V1_0;
    ReadReport 0x10 "X-Mms-Read-Report" BOOLEAN, V1_0;
    ReportAllowed 0x11 "X-Mms-Report-Allowed" BOOLEAN, V1_0;
    ResponseStatus 0x12 "X-Mms-Response-Status" Kind::Code(ResponseStatus::TABLE), V1_0;
    ResponseText 0x13 "X-Mms-Response-Text" Kind::Encoded, V1_0;
    SenderVisibility 0x14 "X-Mms-Sender-Visibility" Kind::Code(SenderVisibility::TABLE), V1_0;
    Status 0x15 "X-Mms-Status" Kind::Code(Status::TABLE), V1_0;
    Subject 0x16 "Subject" Kind::Encoded, V1_0;
    To 0x17 "To" Kind::Encoded, V1_0;
    TransactionId 0x18 "X-Mms-Transaction-Id" Kind::Text, V1_0;
    RetrieveStatus 0x19 "X-Mms-Retrieve-Status" Kind::Code(RetrieveStatus::TABLE), V1_1;
    RetrieveText 0x1A "X-Mms-Retrieve-Text" Kind::Encoded, V1_1;
    ReadStatus 0x1B "X-Mms-Read-Status" Kind::Code(ReadStatus::TABLE), V1_1;
    ReplyCharging 0x1C "X-Mms-Reply-Charging" Kind::Code(ReplyCharging::TABLE), V1_1;
    ReplyChargingDeadline 0x1D "X-Mms-Reply-Charging-Deadline" Kind::Time, V1_1;
    ReplyChargingId 0x1E "X-Mms-Reply-Charging-ID" Kind::Text, V1_1;
    ReplyChargingSize 0x1F "X-Mms-Reply-Charging-Size" Kind::Long, V1_1;
    PreviouslySentBy 0x20 "X-Mms-Previously-Sent-By" Kind::PreviouslySentBy, V1_1;
    PreviouslySentDate 0x21 "X-Mms-Previously-Sent-Date" Kind::PreviouslySentDate, V1_1;
    Store 0x22 "X-Mms-Store" BOOLEAN, V1_2;
    MmState 0x23 "X-Mms-MM-State" Kind::Code(MmState::TABLE), V1_2;
    MmFlags 0x24 "X-Mms-MM-Flags" Kind::Flags, V1_2;
    StoreStatus 0x25 "X-Mms-Store-Status" Kind::Code(StoreStatus::TABLE), V1_2;
    StoreStatusText 0x26 "X-Mms-Store-Status-Text" Kind::Encoded, V1_2;
    Stored 0x27 "X-Mms-Stored" BOOLEAN, V1_2;
    Attributes 0x28 "X-Mms-Attributes" Kind::Attribute, V1_2;
    Totals 0x29 "X-Mms-Totals" BOOLEAN, V1_2;
    MboxTotals 0x2A "X-Mms-Mbox-Totals" Kind::Totals, V1_2;
    Quotas 0x2B "X-Mms-Quotas" BOOLEAN, V1_2;
    MboxQuotas 0x2C "X-Mms-Mbox-Quotas" Kind::Totals, V1_2;
    MessageCount 0x2D "X-Mms-Message-Count" Kind::Integer, V1_2;
    Content 0x2E "Content" Kind::Name, V1_2;
    Start 0x2F "X-Mms-Start" Kind::Integer, V1_2;
    AdditionalHeaders 0x30 "Additional-headers" Kind::Name, V1_2;
    DistributionIndicator 0x31 "X-Mms-Distribution-Indicator" BOOLEAN, V1_2;
    ElementDescriptor 0x32 "X-Mms-Element-Descriptor" Kind::Element, V1_2;
    Limit 0x33 "X-Mms-Limit" Kind::Integer, V1_2;
    RecommendedRetrievalMode 0x34 "X-Mms-Recommended-Retrieval-Mode" Kind::Code(RetrievalMode::TABLE), V1_3;
    RecommendedRetrievalModeText 0x35 "X-Mms-Recommended-Retrieval-Mode-Text" Kind::Encoded, V1_3;
    StatusText 0x36 "X-Mms-Status-Text" Kind::Encoded, V1_3;
    ApplicId 0x37 "X-Mms-Applic-ID" Kind::Text, V1_3;
    ReplyApplicId 0x38 "X-Mms-Reply-Applic-ID" Kind::Text, V1_3;
    AuxApplicInfo 0x39 "X-Mms-Aux-Applic-Info" Kind::Text, V1_3;
    ContentClass 0x3A "X-Mms-Content-Class" Kind::Code(ContentClass::TABLE), V1_3;
    DrmContent 0x3B "X-Mms-DRM-Content" BOOLEAN, V1_3;
    AdaptationAllowed 0x3C "X-Mms-Adaptation-Allowed" BOOLEAN, V1_3;
    ReplaceId 0x3D "X-Mms-Replace-ID" Kind::Text, V1_3;
    CancelId 0x3E "X-Mms-Cancel-ID" Kind::Text, V1_3;
    CancelStatus 0x3F "X-Mms-Cancel-Status" Kind::Code(CancelStatus::TABLE), V1_3;
}

impl Field {
    /// The row of the table; `None` for unknown and application header fields.
    pub fn spec(&self) -> Option<&'static FieldSpec> {
        // Rows stand in number order from 1 without a gap.
        FIELDS.get(usize::from(self.number()?).checked_sub(1)?)
    }

    /// The grammar of the value; `None` where there is none to know.
    pub fn kind(&self) -> Option<Kind> {
        self.spec().map(|spec| spec.kind)
    }
}

/// The name in the specification; `Header-0x45` for a number without one.
impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self, self.spec()) {
            (Field::Application(name), _) => f.write_str(name),
            (_, Some(spec)) => f.write_str(spec.name),
            (_, None) => write!(f, "Header-0x{:02x}", self.number().unwrap_or_default()),
        }
    }
}

/// One row of [`PDUS`].
#[derive(Clone, Debug)]
pub struct PduSpec {
    /// The PDU type.
    pub kind: PduType,
    /// The octet of X-Mms-Message-Type.
    pub octet: u8,
    /// The name in the specification.
    pub name: &'static str,
    /// The version that brought it.
    pub since: Version,
    /// The fields it must have besides X-Mms-Message-Type and X-Mms-MMS-Version.
    pub mandatory: &'static [Field],
    /// Whether it must have a To, Cc or Bcc.
    pub recipients: bool,
    /// Whether locations, statuses and texts are counted (Status-count, OMA-TS-MMS_ENC 7.3.48).
    pub counted: bool,
}

macro_rules! pdus {
    ($($variant:ident $octet:literal $name:literal $since:ident [$($field:ident)*] $recipients:literal $counted:literal;)*) => {
        /// A PDU type.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum PduType {
            $(#[doc = $name] $variant,)*
        }

        /// Every PDU, by octet.
        pub const PDUS: &[PduSpec] = &[$(PduSpec {
            kind: PduType::$variant,
            octet: $octet,
            name: $name,
            since: Version::$since,
            mandatory: &[$(Field::$field),*],
            recipients: $recipients,
            counted: $counted,
        },)*];

        impl PduType {
            /// The PDU type of an octet of X-Mms-Message-Type.
            pub fn from_octet(octet: u8) -> Option<Self> {
                match octet {
                    $($octet => Some(PduType::$variant),)*
                    _ => None,
                }
            }

            /// The octet of X-Mms-Message-Type.
            pub fn octet(self) -> u8 {
                match self {
                    $(PduType::$variant => $octet,)*
                }
            }
        }
    };
}

pdus! {
    SendReq 0x80 "m-send-req" V1_0 [TransactionId From ContentType] true false;
    SendConf 0x81 "m-send-conf" V1_0 [TransactionId ResponseStatus] false false;
    NotificationInd 0x82 "m-notification-ind" V1_0
        [TransactionId MessageClass MessageSize Expiry ContentLocation] false false;
    NotifyRespInd 0x83 "m-notifyresp-ind" V1_0 [TransactionId Status] false false;
    RetrieveConf 0x84 "m-retrieve-conf" V1_0 [Date ContentType] false false;
    AcknowledgeInd 0x85 "m-acknowledge-ind" V1_0 [TransactionId] false false;
    DeliveryInd 0x86 "m-delivery-ind" V1_0 [MessageId To Date Status] false false;
    ReadRecInd 0x87 "m-read-rec-ind" V1_1 [MessageId To From ReadStatus] false false;
    ReadOrigInd 0x88 "m-read-orig-ind" V1_1 [MessageId To From Date ReadStatus] false false;
    ForwardReq 0x89 "m-forward-req" V1_1 [TransactionId From ContentLocation] true false;
    ForwardConf 0x8A "m-forward-conf" V1_1 [TransactionId ResponseStatus] false false;
    MboxStoreReq 0x8B "m-mbox-store-req" V1_2 [TransactionId ContentLocation] false false;
    MboxStoreConf 0x8C "m-mbox-store-conf" V1_2 [TransactionId StoreStatus] false false;
    MboxViewReq 0x8D "m-mbox-view-req" V1_2 [TransactionId] false false;
    MboxViewConf 0x8E "m-mbox-view-conf" V1_2 [TransactionId ResponseStatus ContentType] false false;
    MboxUploadReq 0x8F "m-mbox-upload-req" V1_2 [TransactionId ContentType] false false;
    MboxUploadConf 0x90 "m-mbox-upload-conf" V1_2 [TransactionId StoreStatus] false false;
    MboxDeleteReq 0x91 "m-mbox-delete-req" V1_2 [TransactionId ContentLocation] false false;
    MboxDeleteConf 0x92 "m-mbox-delete-conf" V1_2 [TransactionId ResponseStatus] false true;
    MboxDescr 0x93 "m-mbox-descr" V1_2 [ContentType] false false;
    DeleteReq 0x94 "m-delete-req" V1_3 [TransactionId ContentLocation] false false;
    DeleteConf 0x95 "m-delete-conf" V1_3 [TransactionId ResponseStatus] false true;
    CancelReq 0x96 "m-cancel-req" V1_3 [TransactionId CancelId] false false;
    CancelConf 0x97 "m-cancel-conf" V1_3 [TransactionId CancelStatus] false false;
}

impl PduType {
    /// The row of the table.
    pub fn spec(self) -> &'static PduSpec {
        // Rows stand in octet order from 0x80 without a gap, and the enumeration has no other values.
        &PDUS[usize::from(self.octet() - 0x80)]
    }
}

/// The name in the specification, as in `m-send-req`.
impl fmt::Display for PduType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.spec().name)
    }
}
