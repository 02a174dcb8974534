//! The keys of `[bearer.NAME]` with `plugin = "modem"`.

use packetboat_api::settings::Secret;
use packetboat_api::units::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A GSM modem and how to use it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct ModemSettings {
    /// The modem: a serial device, or `tcp:HOST:PORT` of a server that passes one on.
    #[schemars(example = &"tcp:192.0.2.7:4001")]
    pub device: String,
    /// Speed of the serial line in bits per second. Modems on USB and behind TCP do not care.
    pub baud: u32,
    /// How the two ends of the serial line hold each other up.
    pub flow_control: FlowControl,
    /// The SIM's PIN. A wrong one is tried once and not again before a restart, as a SIM blocks itself after three.
    #[schemars(example = Secret::File("/etc/packetboat/sim.pin".into()))]
    pub pin: Option<Secret>,
    /// The SIM's own number, for those who take what arrives. Not said when empty.
    #[schemars(example = &"+447700900123")]
    pub number: String,
    /// The service centre's number in international form. The one on the SIM when empty.
    #[schemars(example = &"+447700900000")]
    pub service_centre: String,
    /// How short messages that arrive are taken.
    pub incoming: Incoming,
    /// The memory in which they are kept until taken, such as "SM" for the SIM and "ME" for the modem. The modem's choice when
    /// empty.
    #[schemars(example = &"ME")]
    pub memory: String,
    /// Ask for a status report on each short message. Without them it is not known whether one reached its phone.
    pub status_reports: bool,
    /// Number segments with 16 bits instead of 8; segments then hold one octet less.
    pub wide_reference: bool,
    /// Roaming is as it should be; otherwise health mentions it.
    pub roaming: bool,
    /// Commands of this modem's own, sent after its reset.
    #[schemars(example = ["AT^CURC=0"])]
    pub commands: Vec<String>,
    /// Longest time for an answer to a command.
    pub command_timeout: Period,
    /// Longest time until the network has taken a short message.
    pub send_timeout: Period,
    /// How often registration, signal and memory are looked at.
    pub check_interval: Period,
    /// Longest pause before a device that went away is opened again.
    pub reconnect_pause: Period,
}

/// Flow control of a serial line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FlowControl {
    /// Not at all.
    #[default]
    None,
    /// By the lines RTS and CTS.
    Hardware,
    /// By the characters XON and XOFF.
    Software,
}

/// How short messages that arrive are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Incoming {
    /// The modem stores them, they are read from its memory, and deleted once they were taken.
    #[default]
    Stored,
    /// The modem passes them on at once and the network waits for our acknowledgement. A modem that knows no
    /// acknowledgement stores them.
    Direct,
    /// They are left where they are.
    Off,
}

impl Default for ModemSettings {
    fn default() -> Self {
        ModemSettings {
            device: "/dev/ttyUSB0".to_owned(),
            baud: 115_200,
            flow_control: FlowControl::default(),
            pin: None,
            number: String::new(),
            service_centre: String::new(),
            incoming: Incoming::default(),
            memory: String::new(),
            status_reports: true,
            wide_reference: false,
            roaming: false,
            commands: Vec::new(),
            command_timeout: Period::seconds(10),
            send_timeout: Period::minutes(1),
            check_interval: Period::minutes(1),
            reconnect_pause: Period::minutes(1),
        }
    }
}
