//! Settings of the transport.

use packetboat_api::units::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `[transport.NAME] plugin = "wap_push"`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct WapPushSettings {
    /// The bearer that carries the link; may be left out when there is only one.
    #[schemars(example = &"smsc")]
    pub bearer: Option<String>,
    /// The listener that shows messages as pages; may be left out when there is only one.
    #[schemars(example = &"pages")]
    pub pages: Option<String>,
    /// How the link goes: as a text, as a Service Indication, by Service Loading, or as suits what is known of the phone.
    pub link: Link,
    /// What the text says. Variables: `url`, `sender`, `subject` and `expires` (a date such as 2026-05-28); `url` must be there,
    /// the others may be empty. When it does not fit one short message, the subject is left out first, then the sender.
    pub text: String,
    /// What a Service Indication says beside its link, with the same variables except `url`.
    pub indication: String,
    /// Whom the text is from, as the phone shows it: a number, a short code or up to 11 letters and digits. The bearer's own
    /// setting when left out.
    #[schemars(example = &"Pictures")]
    pub sender_id: Option<String>,
    /// Name the sender in what is sent, unless the sender asked to be hidden.
    pub show_sender: bool,
    /// Put the subject in what is sent, when it does not make it a second short message.
    pub show_subject: bool,
    /// When somebody who did not open the link is reminded: after so long each time.
    pub again: Vec<Period>,
}

/// How a link is pushed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Link {
    /// A Service Indication for phones known to be of the time that followed them, a text for all others.
    #[default]
    Auto,
    /// A text with the address in it.
    Text,
    /// A Service Indication (WAP-167): a title and a link.
    Si,
    /// Service Loading (WAP-168): the phone opens the page by itself. Phones of today ignore it.
    Sl,
}

impl Default for WapPushSettings {
    fn default() -> Self {
        WapPushSettings {
            bearer: None,
            pages: None,
            link: Link::Auto,
            text: "{% if sender %}{{ sender }} sent you a picture message{% else %}You have a picture message\
                   {% endif %}{% if subject %}: {{ subject }}{% endif %}. Open it until {{ expires }}: {{ url }}"
                .to_owned(),
            indication: "{% if sender %}Picture message from {{ sender }}{% else %}You have a picture message\
                         {% endif %}{% if subject %}: {{ subject }}{% endif %}"
                .to_owned(),
            sender_id: None,
            show_sender: true,
            show_subject: true,
            again: vec![Period::days(1)],
        }
    }
}
