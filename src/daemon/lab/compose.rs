//! What a person writes on a virtual handset becomes an m-send-req (OMA-TS-MMS_ENC 6.1.1): a presentation, the picture and
//! the text that belongs to it on one slide.

use bytes::Bytes;
use packetboat_api::mime::smil::{MEDIA_TYPE, Media, MediaKind, Slide, generate};
use packetboat_api::mime::{Entity, MediaType};
use packetboat_api::party::Party;
use packetboat_mms::codes::{MessageClass, Priority};
use packetboat_mms::{Field, FromValue, Pdu, Version};

use crate::send::Attachment;

/// The version the handset speaks.
pub const VERSION: Version = Version::V1_2;
/// How long the slide is shown, in milliseconds.
const SLIDE: u32 = 5_000;
/// The name of the presentation part.
const PRESENTATION: &str = "slides.smil";

/// A message as it is written.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// Numbers and mail addresses.
    pub to: Vec<String>,
    /// The subject; empty for none.
    pub subject: String,
    /// The text; empty for none.
    pub text: String,
    /// A picture, or any other file.
    pub file: Option<Attachment>,
    /// A delivery report is wanted.
    pub delivery_report: bool,
    /// A read report is wanted.
    pub read_report: bool,
}

impl Draft {
    /// The PDU. The error says what is missing, in words for its writer.
    pub fn into_pdu(self, transaction: &str) -> Result<Pdu<Bytes>, String> {
        if self.to.is_empty() {
            return Err("Say to whom it goes: a number or a mail address.".to_owned());
        }
        if self.text.trim().is_empty() && self.file.is_none() {
            return Err("Write something, or choose a picture.".to_owned());
        }
        let mut recipients = Vec::with_capacity(self.to.len());
        for to in &self.to {
            // A national number stays as it was dialled: which network that is, only the MMSC knows.
            let party = Party::parse(to).ok_or_else(|| format!("\"{to}\" is neither a number nor a mail address."))?;
            recipients.push(party.to_mms());
        }
        let subject = (!self.subject.trim().is_empty()).then(|| self.subject.trim().to_owned());
        let (delivery, read) = (self.delivery_report, self.read_report);
        let pdu = Pdu::send_req(transaction, VERSION, FromValue::InsertAddress, content(self.text, self.file));
        let pdu = recipients.into_iter().fold(pdu, |pdu, to| pdu.with(Field::To, to));
        Ok(pdu
            .with_some(Field::Subject, subject)
            .with(Field::MessageClass, MessageClass::Personal)
            .with(Field::Priority, Priority::Normal)
            .with(Field::DeliveryReport, delivery)
            .with(Field::ReadReport, read))
    }
}

fn content(text: String, file: Option<Attachment>) -> Entity<Bytes> {
    let mut parts = Vec::new();
    let mut slide = Slide { duration: Some(SLIDE), media: Vec::new() };
    if let Some(file) = file {
        let name = plain_name(&file.name);
        let kind = match file.media.top() {
            "image" => MediaKind::Image,
            "audio" => MediaKind::Audio,
            "video" => MediaKind::Video,
            _ => MediaKind::Reference,
        };
        slide.media.push(Media { kind, src: name.clone(), region: None });
        parts.push(named(file.media, &name, file.content));
    }
    if !text.trim().is_empty() {
        slide.media.push(Media { kind: MediaKind::Text, src: "text.txt".to_owned(), region: None });
        let media = MediaType::new("text/plain").with("charset", "utf-8");
        parts.push(named(media, "text.txt", Bytes::from(text)));
    }
    parts.insert(0, named(MediaType::new(MEDIA_TYPE), PRESENTATION, Bytes::from(generate(&[slide]))));
    let media = MediaType::new("application/vnd.wap.multipart.related").with("type", MEDIA_TYPE);
    Entity::multipart(media.with("start", format!("<{PRESENTATION}>")), parts)
}

/// A part with one name in Content-Type, Content-ID and Content-Location, as handsets write it.
fn named(media: MediaType, name: &str, body: Bytes) -> Entity<Bytes> {
    let (content_id, location) = (Some(name.to_owned()), Some(name.to_owned()));
    Entity { content_id, location, ..Entity::leaf(media.with("name", name), body) }
}

/// A file name that every phone can refer to.
fn plain_name(name: &str) -> String {
    let keep = |c: char| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '_' };
    let plain: String = name.chars().map(keep).take(40).collect();
    if plain.trim_matches(['_', '.']).is_empty() { "file".to_owned() } else { plain }
}
