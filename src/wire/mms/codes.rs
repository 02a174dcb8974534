//! Every enumerated value of MMS encapsulation (OMA-TS-MMS_ENC 7.3), once: octet, variant and name.
//!
//! The names are those of the specification and of MM4 alike. An octet that has no name here is kept as `Other`;
//! what it stands for is said by the reserved ranges (`known` and `fold` of the status types).

use std::fmt;

use crate::Value;

macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $octet:literal $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $(#[doc = $text] $variant,)*
            /// An octet without a name.
            Other(u8),
        }

        impl $name {
            /// Octet and name of every value.
            pub const TABLE: &'static [(u8, &'static str)] = &[$(($octet, $text)),*];

            /// The value of an octet.
            pub fn from_octet(octet: u8) -> Self {
                match octet {
                    $($octet => $name::$variant,)*
                    other => $name::Other(other),
                }
            }

            /// The octet on the wire.
            pub fn octet(self) -> u8 {
                match self {
                    $($name::$variant => $octet,)*
                    $name::Other(octet) => octet,
                }
            }

            /// The value of a name, in any case.
            pub fn from_name(name: &str) -> Option<Self> {
                octet_of(Self::TABLE, name).map(Self::from_octet)
            }
        }

        /// The name, or the octet in hexadecimal.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match name_of(Self::TABLE, self.octet()) {
                    Some(name) => f.write_str(name),
                    None => write!(f, "0x{:02x}", self.octet()),
                }
            }
        }

        impl From<$name> for Value {
            fn from(code: $name) -> Value {
                Value::Code(code.octet())
            }
        }
    };
}

/// The name of an octet in a table of codes.
pub fn name_of(table: &[(u8, &'static str)], octet: u8) -> Option<&'static str> {
    table.iter().find(|row| row.0 == octet).map(|row| row.1)
}

/// The octet of a name in a table of codes, in any case.
pub fn octet_of(table: &[(u8, &'static str)], name: &str) -> Option<u8> {
    table.iter().find(|row| row.1.eq_ignore_ascii_case(name.trim())).map(|row| row.0)
}

codes! {
    /// Every yes-or-no field.
    YesNo {
        Yes = 0x80 "Yes",
        No = 0x81 "No",
    }
}

codes! {
    /// X-Mms-Message-Class; a class may also be any token.
    MessageClass {
        Personal = 0x80 "Personal",
        Advertisement = 0x81 "Advertisement",
        Informational = 0x82 "Informational",
        Auto = 0x83 "Auto",
    }
}

codes! {
    /// X-Mms-Priority.
    Priority {
        Low = 0x80 "Low",
        Normal = 0x81 "Normal",
        High = 0x82 "High",
    }
}

codes! {
    /// X-Mms-Sender-Visibility.
    SenderVisibility {
        Hide = 0x80 "Hide",
        Show = 0x81 "Show",
    }
}

codes! {
    /// X-Mms-Response-Status. 0x81–0x88 are all that 1.0 knows and are obsolete since.
    ResponseStatus {
        Ok = 0x80 "Ok",
        Unspecified = 0x81 "Error-unspecified",
        ServiceDenied = 0x82 "Error-service-denied",
        MessageFormatCorrupt = 0x83 "Error-message-format-corrupt",
        SendingAddressUnresolved = 0x84 "Error-sending-address-unresolved",
        MessageNotFound = 0x85 "Error-message-not-found",
        NetworkProblem = 0x86 "Error-network-problem",
        ContentNotAccepted = 0x87 "Error-content-not-accepted",
        UnsupportedMessage = 0x88 "Error-unsupported-message",
        TransientFailure = 0xC0 "Error-transient-failure",
        TransientSendingAddressUnresolved = 0xC1 "Error-transient-sending-address-unresolved",
        TransientMessageNotFound = 0xC2 "Error-transient-message-not-found",
        TransientNetworkProblem = 0xC3 "Error-transient-network-problem",
        TransientPartialSuccess = 0xC4 "Error-transient-partial-success",
        PermanentFailure = 0xE0 "Error-permanent-failure",
        PermanentServiceDenied = 0xE1 "Error-permanent-service-denied",
        PermanentMessageFormatCorrupt = 0xE2 "Error-permanent-message-format-corrupt",
        PermanentSendingAddressUnresolved = 0xE3 "Error-permanent-sending-address-unresolved",
        PermanentMessageNotFound = 0xE4 "Error-permanent-message-not-found",
        PermanentContentNotAccepted = 0xE5 "Error-permanent-content-not-accepted",
        PermanentReplyChargingLimitationsNotMet = 0xE6 "Error-permanent-reply-charging-limitations-not-met",
        PermanentReplyChargingRequestNotAccepted = 0xE7 "Error-permanent-reply-charging-request-not-accepted",
        PermanentReplyChargingForwardingDenied = 0xE8 "Error-permanent-reply-charging-forwarding-denied",
        PermanentReplyChargingNotSupported = 0xE9 "Error-permanent-reply-charging-not-supported",
        PermanentAddressHidingNotSupported = 0xEA "Error-permanent-address-hiding-not-supported",
        PermanentLackOfPrepaid = 0xEB "Error-permanent-lack-of-prepaid",
    }
}

codes! {
    /// X-Mms-Status.
    Status {
        Expired = 0x80 "Expired",
        Retrieved = 0x81 "Retrieved",
        Rejected = 0x82 "Rejected",
        Deferred = 0x83 "Deferred",
        Unrecognised = 0x84 "Unrecognised",
        Indeterminate = 0x85 "Indeterminate",
        Forwarded = 0x86 "Forwarded",
        Unreachable = 0x87 "Unreachable",
    }
}

codes! {
    /// X-Mms-Retrieve-Status.
    RetrieveStatus {
        Ok = 0x80 "Ok",
        TransientFailure = 0xC0 "Error-transient-failure",
        TransientMessageNotFound = 0xC1 "Error-transient-message-not-found",
        TransientNetworkProblem = 0xC2 "Error-transient-network-problem",
        PermanentFailure = 0xE0 "Error-permanent-failure",
        PermanentServiceDenied = 0xE1 "Error-permanent-service-denied",
        PermanentMessageNotFound = 0xE2 "Error-permanent-message-not-found",
        PermanentContentUnsupported = 0xE3 "Error-permanent-content-unsupported",
    }
}

codes! {
    /// X-Mms-Store-Status.
    StoreStatus {
        Success = 0x80 "Success",
        TransientFailure = 0xC0 "Error-transient-failure",
        TransientNetworkProblem = 0xC1 "Error-transient-network-problem",
        PermanentFailure = 0xE0 "Error-permanent-failure",
        PermanentServiceDenied = 0xE1 "Error-permanent-service-denied",
        PermanentMessageFormatCorrupt = 0xE2 "Error-permanent-message-format-corrupt",
        PermanentMessageNotFound = 0xE3 "Error-permanent-message-not-found",
        PermanentMmboxFull = 0xE4 "Error-permanent-mmbox-full",
    }
}

codes! {
    /// X-Mms-Read-Status.
    ReadStatus {
        Read = 0x80 "Read",
        DeletedWithoutBeingRead = 0x81 "Deleted without being read",
    }
}

codes! {
    /// X-Mms-Reply-Charging.
    ReplyCharging {
        Requested = 0x80 "Requested",
        RequestedTextOnly = 0x81 "Requested text only",
        Accepted = 0x82 "Accepted",
        AcceptedTextOnly = 0x83 "Accepted text only",
    }
}

codes! {
    /// X-Mms-MM-State.
    MmState {
        Draft = 0x80 "Draft",
        Sent = 0x81 "Sent",
        New = 0x82 "New",
        Retrieved = 0x83 "Retrieved",
        Forwarded = 0x84 "Forwarded",
    }
}

codes! {
    /// What X-Mms-MM-Flags does with its keyword.
    FlagOperation {
        Add = 0x80 "Add",
        Remove = 0x81 "Remove",
        Filter = 0x82 "Filter",
    }
}

codes! {
    /// What X-Mms-Mbox-Totals and X-Mms-Mbox-Quotas count.
    MboxUnit {
        Messages = 0x80 "messages",
        Octets = 0x81 "octets",
    }
}

codes! {
    /// X-Mms-Recommended-Retrieval-Mode.
    RetrievalMode {
        Manual = 0x80 "Manual",
    }
}

codes! {
    /// X-Mms-Content-Class (OMA-TS-MMS-CONF).
    ContentClass {
        Text = 0x80 "text",
        ImageBasic = 0x81 "image-basic",
        ImageRich = 0x82 "image-rich",
        VideoBasic = 0x83 "video-basic",
        VideoRich = 0x84 "video-rich",
        Megapixel = 0x85 "megapixel",
        ContentBasic = 0x86 "content-basic",
        ContentRich = 0x87 "content-rich",
    }
}

codes! {
    /// X-Mms-Cancel-Status.
    CancelStatus {
        RequestSuccessfullyReceived = 0x80 "Request-successfully-received",
        RequestCorrupted = 0x81 "Request-corrupted",
    }
}
