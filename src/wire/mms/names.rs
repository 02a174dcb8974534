//! The header fields that carry MMS fields in a MIME message, by name (TS 23.140 8.4.5, RFC 4356 2.1).

/// X-Mms-3GPP-MMS-Version
pub const MMS_VERSION: &str = "X-Mms-3GPP-MMS-Version";
/// X-Mms-Message-Type
pub const MESSAGE_TYPE: &str = "X-Mms-Message-Type";
/// X-Mms-Transaction-ID
pub const TRANSACTION_ID: &str = "X-Mms-Transaction-ID";
/// X-Mms-Message-ID
pub const MESSAGE_ID: &str = "X-Mms-Message-ID";
/// X-Mms-Message-Class
pub const MESSAGE_CLASS: &str = "X-Mms-Message-Class";
/// X-Mms-Priority
pub const PRIORITY: &str = "X-Mms-Priority";
/// X-Mms-Expiry: seconds, or a date
pub const EXPIRY: &str = "X-Mms-Expiry";
/// X-Mms-Delivery-Time: seconds, or a date
pub const DELIVERY_TIME: &str = "X-Mms-Delivery-Time";
/// X-Mms-Delivery-Report
pub const DELIVERY_REPORT: &str = "X-Mms-Delivery-Report";
/// X-Mms-Read-Reply: X-Mms-Read-Report of MMS encapsulation
pub const READ_REPLY: &str = "X-Mms-Read-Reply";
/// X-Mms-Sender-Visibility
pub const SENDER_VISIBILITY: &str = "X-Mms-Sender-Visibility";
/// X-Mms-Reply-Charging
pub const REPLY_CHARGING: &str = "X-Mms-Reply-Charging";
/// X-Mms-Reply-Charging-Deadline: seconds, or a date
pub const REPLY_CHARGING_DEADLINE: &str = "X-Mms-Reply-Charging-Deadline";
/// X-Mms-Reply-Charging-Size
pub const REPLY_CHARGING_SIZE: &str = "X-Mms-Reply-Charging-Size";
/// X-Mms-Reply-Charging-ID
pub const REPLY_CHARGING_ID: &str = "X-Mms-Reply-Charging-ID";
/// X-Mms-Previously-sent-by: `0, address`, repeatable
pub const PREVIOUSLY_SENT_BY: &str = "X-Mms-Previously-sent-by";
/// X-Mms-Previously-sent-date-and-time: `0, date`, repeatable
pub const PREVIOUSLY_SENT_DATE: &str = "X-Mms-Previously-sent-date-and-time";
/// X-Mms-Forward-Counter
pub const FORWARD_COUNTER: &str = "X-Mms-Forward-Counter";
/// X-Mms-Applic-ID
pub const APPLIC_ID: &str = "X-Mms-Applic-ID";
/// X-Mms-Reply-Applic-ID
pub const REPLY_APPLIC_ID: &str = "X-Mms-Reply-Applic-ID";
/// X-Mms-Aux-Applic-Info
pub const AUX_APPLIC_INFO: &str = "X-Mms-Aux-Applic-Info";
/// X-Mms-Content-Class
pub const CONTENT_CLASS: &str = "X-Mms-Content-Class";
/// X-Mms-Drm-Content
pub const DRM_CONTENT: &str = "X-Mms-Drm-Content";
/// X-Mms-Adaptation-Allowed
pub const ADAPTATION_ALLOWED: &str = "X-Mms-Adaptation-Allowed";
/// X-Mms-Replace-ID
pub const REPLACE_ID: &str = "X-Mms-Replace-ID";
/// X-Mms-Read-Status
pub const READ_STATUS: &str = "X-Mms-Read-Status";
/// X-Mms-MM-Status-Code
pub const MM_STATUS_CODE: &str = "X-Mms-MM-Status-Code";
/// X-Mms-Status-Text
pub const STATUS_TEXT: &str = "X-Mms-Status-Text";
/// X-Mms-Request-Status-Code
pub const REQUEST_STATUS_CODE: &str = "X-Mms-Request-Status-Code";
/// X-Mms-Ack-Request
pub const ACK_REQUEST: &str = "X-Mms-Ack-Request";
/// X-Mms-Originator-System
pub const ORIGINATOR_SYSTEM: &str = "X-Mms-Originator-System";
