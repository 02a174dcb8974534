//! The keys of `[bearer.NAME]` with `plugin = "smpp"`.

use std::path::PathBuf;

use packetboat_api::settings::Secret;
use packetboat_api::units::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// An SMSC and how to use it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct SmppSettings {
    /// Where the SMSC is, as `host:port`; port 2775 when left out. With several, each gets its own connections.
    #[schemars(example = ["smsc.example.net:2775"])]
    pub addresses: Vec<String>,
    /// Connections to each address; the least loaded one is used.
    #[schemars(example = 2)]
    pub connections: usize,
    /// How to bind: for sending, receiving or both.
    pub bind: Bind,
    /// Our name at the SMSC, at most 15 characters.
    #[schemars(example = &"packetboat")]
    pub system_id: String,
    /// Our password at the SMSC, at most 8 characters.
    #[schemars(example = Secret::File("/etc/packetboat/smsc.secret".into()))]
    pub password: Option<Secret>,
    /// What the SMSC calls systems like ours, at most 12 characters; most want it empty.
    #[schemars(example = &"VMA")]
    pub system_type: String,
    /// Numbers whose messages we want, as the SMSC writes ranges; most want it empty.
    #[schemars(example = "^1234")]
    pub address_range: String,
    /// Encryption of the connections.
    pub tls: Tls,
    /// File with the certificate authorities (PEM) to believe instead of the machine's.
    pub ca_file: Option<PathBuf>,
    /// The name the SMSC's certificate has to bear. The host of the address when left out.
    #[schemars(example = &"smsc.example.net")]
    pub tls_name: Option<String>,
    /// Most short messages without an answer on one connection.
    pub window: usize,
    /// How the port of the phone's application and the parts of a long message are told.
    pub addressing: Addressing,
    /// `data_coding` of pushes and other octets: 4 or 2, or 245 (0xF5) for an SMSC that passes it on as it is.
    pub binary_data_coding: u8,
    /// `data_coding` of texts in the GSM 7-bit alphabet, which go one character an octet.
    pub text_data_coding: u8,
    /// `data_coding` of texts in UCS-2.
    pub ucs2_data_coding: u8,
    /// Number parts with 16 bits instead of 8; with `addressing = "udh"` each part then holds one octet less.
    pub wide_reference: bool,
    /// Sender of the short messages, unless a message names its own: a number, a short code or up to 11 letters. The SMSC's
    /// own choice when empty.
    #[schemars(example = "1234")]
    pub source: String,
    /// Type of number of `source`. Read off `source` when left out: 1 international, 3 short code, 5 letters, 0 empty.
    pub source_ton: Option<u8>,
    /// Numbering plan of `source`. Read off `source` when left out: 1 for international numbers, else 0.
    pub source_npi: Option<u8>,
    /// Type of number of the phones' numbers; 1 is international.
    pub dest_ton: u8,
    /// Numbering plan of the phones' numbers; 1 is E.164.
    pub dest_npi: u8,
    /// What stands before the digits of a phone's international number.
    #[schemars(example = "00")]
    pub number_prefix: String,
    /// Service of the SMSC to use, at most 5 characters.
    #[schemars(example = &"WAP")]
    pub service_type: String,
    /// How the time at which a message is of no more use is told to the SMSC.
    pub validity: Validity,
    /// Which receipts are asked for.
    pub registered_delivery: Receipts,
    /// Longest time to connect, for the TLS handshake, and for the answer to the bind, each.
    pub connect_timeout: Period,
    /// How long an answer of the SMSC is waited for. A push without one goes back to the queue, the connection still waits.
    pub response_timeout: Period,
    /// How long an answer may be late in all. Then the connection is given up, and what it left open is sent again.
    pub late_timeout: Period,
    /// After so long without a sign of the SMSC it is asked whether it is there.
    pub enquire_link: Period,
    /// A connection over which nothing was sent and nothing delivered for so long is ended, and made again when there is
    /// something to send; receipts wait meanwhile. Never when left out.
    #[schemars(example = Period::minutes(30))]
    pub inactivity_timeout: Option<Period>,
    /// First wait before a lost connection is made again; it doubles from try to try.
    pub reconnect_min: Period,
    /// Longest wait before a lost connection is made again.
    pub reconnect_max: Period,
}

/// How to bind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Bind {
    /// One connection sends and receives.
    #[default]
    Transceiver,
    /// Sends only: no receipts, no messages from phones.
    Transmitter,
    /// Receives only.
    Receiver,
    /// Sends on one connection and receives on another, for an SMSC without transceivers.
    TransmitterAndReceiver,
}

/// Encryption.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// None.
    #[default]
    None,
    /// TLS from the first octet on, with a certificate that verifies.
    Required,
    /// TLS from the first octet on, whatever the certificate: against onlookers only.
    Unverified,
}

/// How ports and parts are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Addressing {
    /// In a user data header at the front of the message (esm_class 0x40): what every GSM network understands.
    #[default]
    Udh,
    /// In optional parameters: source_port, destination_port, sar_msg_ref_num and so on; the SMSC makes the header.
    Sar,
    /// Whole in message_payload, with source_port and destination_port; the SMSC cuts it.
    Payload,
}

/// How the end of a message's use is told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Validity {
    /// As a time of day in UTC.
    #[default]
    Absolute,
    /// As a span of time.
    Relative,
    /// Not at all: the SMSC's own applies.
    None,
}

/// Which receipts are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Receipts {
    /// None.
    None,
    /// One at the end, whatever it is.
    #[default]
    Final,
    /// One when the phone was not reached.
    Failure,
}

impl Bind {
    /// Whether it sends.
    pub fn sends(self) -> bool {
        self != Bind::Receiver
    }

    /// Whether receipts and messages can arrive.
    pub fn receives(self) -> bool {
        self != Bind::Transmitter
    }
}

impl Receipts {
    /// The octet (SMPP 3.4 5.2.17).
    pub fn octet(self) -> u8 {
        match self {
            Receipts::None => 0,
            Receipts::Final => 1,
            Receipts::Failure => 2,
        }
    }
}

impl Default for SmppSettings {
    fn default() -> Self {
        SmppSettings {
            addresses: Vec::new(),
            connections: 1,
            bind: Bind::default(),
            system_id: String::new(),
            password: None,
            system_type: String::new(),
            address_range: String::new(),
            tls: Tls::default(),
            ca_file: None,
            tls_name: None,
            window: 10,
            addressing: Addressing::default(),
            binary_data_coding: 0x04,
            text_data_coding: 0x00,
            ucs2_data_coding: 0x08,
            wide_reference: false,
            source: String::new(),
            source_ton: None,
            source_npi: None,
            dest_ton: 1,
            dest_npi: 1,
            number_prefix: String::new(),
            service_type: String::new(),
            validity: Validity::default(),
            registered_delivery: Receipts::default(),
            connect_timeout: Period::seconds(10),
            response_timeout: Period::seconds(30),
            late_timeout: Period::minutes(5),
            enquire_link: Period::seconds(30),
            inactivity_timeout: None,
            reconnect_min: Period::seconds(1),
            reconnect_max: Period::minutes(1),
        }
    }
}
