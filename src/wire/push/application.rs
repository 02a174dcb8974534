//! X-Wap-Application-Id: which application of the handset a push is for (WAP-235-PushOTA 6; OMNA push application ids).

/// The assigned numbers and names; a name stands behind `x-wap-application:` when it is written as text.
const ASSIGNED: [(u64, &str); 12] = [
    (0x00, "*"),
    (0x01, "push.sia"),
    (0x02, "wml.ua"),
    (0x03, "wta.ua"),
    (0x04, "mms.ua"),
    (0x05, "push.syncml"),
    (0x06, "loc.ua"),
    (0x07, "syncml.dm"),
    (0x08, "drm.ua"),
    (0x09, "emn.ua"),
    (0x0A, "wv.ua"),
    (0x1A, "lwm2m.dm"),
];

const PREFIX: &str = "x-wap-application:";

/// An application, by its assigned number or as the sender wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ApplicationId {
    /// By number, assigned or not.
    Number(u64),
    /// As text, such as `x-wap-application:mms.ua`.
    Text(String),
}

impl ApplicationId {
    /// The browser.
    pub const BROWSER: ApplicationId = ApplicationId::Number(0x02);

    /// The MMS user agent.
    pub const MMS: ApplicationId = ApplicationId::Number(0x04);

    /// The application's name without the `x-wap-application:`; `None` for a number that is not assigned.
    pub fn name(&self) -> Option<&str> {
        match self {
            ApplicationId::Number(number) => ASSIGNED.iter().find(|(n, _)| n == number).map(|(_, name)| *name),
            ApplicationId::Text(text) => match text.get(..PREFIX.len()) {
                Some(prefix) if prefix.eq_ignore_ascii_case(PREFIX) => text.get(PREFIX.len()..),
                _ => Some(text),
            },
        }
    }

    /// Whether this is the MMS user agent, however it is written.
    pub fn is_mms(&self) -> bool {
        self.name().is_some_and(|name| name.eq_ignore_ascii_case("mms.ua"))
    }
}
