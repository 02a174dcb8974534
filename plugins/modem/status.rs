//! What is known of the modem, and what health says of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use packetboat_api::clock::Timestamp;
use packetboat_api::roles::Health;
use packetboat_sms::at::Registration;

/// Below this, in dBm, messages fail more often than not.
const WEAK: i16 = -107;

/// What is known of the modem.
#[derive(Debug, Default)]
pub struct Status(Mutex<State>);

/// What is known of the modem.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// How far things are.
    pub link: Link,
    /// Whether it can reach the network, when it said so.
    pub registration: Option<Registration>,
    /// The network.
    pub operator: Option<String>,
    /// The signal in dBm.
    pub signal: Option<i16>,
    /// The memory for what arrives: its name, what is used, what there is.
    pub memory: Option<(String, u16, u16)>,
    /// Why the last message was refused; `None` after one that was not.
    pub trouble: Option<String>,
    /// What went wrong with the modem itself, and when.
    pub remark: Option<(Timestamp, String)>,
    /// The SIM did not take the PIN; it is not tried again.
    pub pin_refused: bool,
}

/// How far things are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// Nothing was begun.
    #[default]
    Idle,
    /// The modem cannot be used: in words.
    Down(String),
    /// It is being set up.
    Starting,
    /// It is set up.
    Ready,
}

impl Status {
    /// A copy.
    pub fn state(&self) -> State {
        self.lock().clone()
    }

    /// Changes it.
    pub fn update(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Why nothing can be sent now; `None` when it can be tried.
    pub fn obstacle(&self) -> Option<String> {
        match &self.link {
            Link::Idle => Some("the modem is not in use yet".to_owned()),
            Link::Down(why) => Some(why.clone()),
            Link::Starting => Some("the modem is being set up".to_owned()),
            Link::Ready => None,
        }
    }

    /// What health says; `roaming` is as it should be or not.
    pub fn health(&self, roaming: bool) -> Health {
        if let Link::Down(why) = &self.link {
            return Health::Down(why.clone());
        }
        if let Some(why) = self.obstacle() {
            return Health::Degraded(why);
        }
        let mut remarks = Vec::new();
        match self.registration {
            Some(Registration::Roaming) if roaming => {}
            Some(Registration::Home) => {}
            Some(other) => {
                let with = self.operator.as_ref().map_or_else(String::new, |operator| format!(" with {operator}"));
                remarks.push(format!("the modem is {other}{with}"));
            }
            None => remarks.push("the modem does not say whether it is registered".to_owned()),
        }
        if self.signal.is_some_and(|signal| signal <= WEAK) {
            remarks.push("the signal is weak".to_owned());
        }
        if let Some((name, used, total)) = &self.memory
            && used >= total
        {
            remarks.push(format!("the memory {name} is full ({used} of {total}): nothing more arrives"));
        }
        for trouble in self.trouble.iter().chain(self.remark.as_ref().map(|(_, what)| what)) {
            remarks.push(format!("last error: {trouble}"));
        }
        if remarks.is_empty() {
            return Health::Well;
        }
        Health::Degraded(format!("{} (signal {})", remarks.join("; "), strength(self.signal)))
    }
}

/// A signal with a word for it.
pub fn strength(signal: Option<i16>) -> String {
    let Some(signal) = signal else { return "unknown".to_owned() };
    let words = [(WEAK, "weak"), (-95, "fair"), (-80, "good")];
    let word = words.iter().find(|(most, _)| signal <= *most).map_or("very good", |(_, word)| word);
    format!("{signal} dBm, {word}")
}
