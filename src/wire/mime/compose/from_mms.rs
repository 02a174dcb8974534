//! MMS to mail: the text is the body, the pictures are attachments in the order they were shown.

use bytes::Bytes;

use crate::compose::fields::{first_words, mail_fields, subject};
use crate::compose::names::{Namer, normal_type};
use crate::compose::{Piece, text};
use crate::history::tidy;
use crate::smil::{arrange, is_smil, parse};
use crate::{Body, Disposition, Entity, Headers, Length, Mail, MediaType, charset};

/// How an MMS becomes a mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailOptions {
    /// Attach the presentation too. Default: false.
    pub keep_presentation: bool,
    /// Give a message without a subject the first words of its text as one; without text it stays without.
    /// Default: true.
    pub subject_from_text: bool,
}

impl Default for MailOptions {
    fn default() -> Self {
        MailOptions { keep_presentation: false, subject_from_text: true }
    }
}

/// An MMS about to become a mail; see [`mail_from_mms`].
#[derive(Clone, Debug)]
pub struct MailPlan<B> {
    headers: Headers,
    root: Entity<B>,
    options: MailOptions,
}

/// The plan for an MMS whose header fields are those of TS 23.140 (`From`, `To`, `Subject`, `X-Mms-*`). The header
/// fields of the mail follow [`mail_fields`]; From and To keep the forms they have, and the envelope is the caller's.
pub fn mail_from_mms<B: Clone>(mail: &Mail<B>, options: &MailOptions) -> MailPlan<B> {
    MailPlan { headers: mail_fields(&mail.headers), root: mail.root.clone(), options: options.clone() }
}

impl<B: Clone + Length> MailPlan<B> {
    /// The presentation, when there is one, and the texts: to be read for [`MailPlan::finish`], in this order.
    pub fn needs(&self) -> Vec<&B> {
        self.root.leaves().into_iter().filter(|leaf| is_read(leaf)).filter_map(Entity::content).collect()
    }

    /// The mail. Texts stand in its body in the order they were shown, an empty line between them; everything else
    /// is attached with a file name. What was not given counts as empty.
    pub fn finish(self, read: Vec<Bytes>) -> Mail<Piece<B>> {
        let leaves = self.root.leaves();
        let mut read = read.into_iter();
        let given: Vec<Option<Bytes>> =
            leaves.iter().map(|leaf| is_read(leaf).then(|| read.next().unwrap_or_default())).collect();
        let presentation = leaves.iter().zip(&given).find(|(leaf, _)| is_smil(leaf.media.essence()));
        let slides = match presentation {
            Some((_, Some(octets))) => parse(&charset::decode(octets, "")),
            _ => Vec::new(),
        };
        let (mut texts, mut attached, mut namer) = (Vec::new(), Vec::new(), Namer::default());
        for leaf in arrange(&self.root, &slides) {
            let octets = leaves.iter().zip(&given).find(|(other, _)| std::ptr::eq(**other, leaf));
            match octets.and_then(|(_, octets)| octets.as_ref()) {
                Some(octets) => texts.push(readable(octets)),
                None => attached.extend(attachment(leaf, &mut namer)),
            }
        }
        if self.options.keep_presentation
            && let Some((leaf, _)) = presentation
        {
            attached.extend(attachment(leaf, &mut namer));
        }
        texts.retain(|text| !text.is_empty());
        let text = texts.join("\n\n");
        let mut headers = self.headers;
        if self.options.subject_from_text
            && subject(&headers).is_none()
            && let Some(words) = first_words(&text)
        {
            headers.set("Subject", words);
        }
        Mail { headers, root: root(&text, attached) }
    }
}

/// Leaves whose octets are needed: the presentation and plain texts.
fn is_read<B>(leaf: &Entity<B>) -> bool {
    is_smil(leaf.media.essence()) || leaf.media.essence() == "text/plain"
}

fn readable(octets: &[u8]) -> String {
    let text = charset::decode(octets, "utf-8").replace("\r\n", "\n");
    tidy(&text.lines().collect::<Vec<_>>())
}

fn root<B>(text: &str, attached: Vec<Entity<Piece<B>>>) -> Entity<Piece<B>> {
    let mut octets = text.to_owned();
    if !octets.is_empty() {
        octets.push('\n');
    }
    let media = MediaType::new("text/plain").with("charset", "utf-8");
    let body = Entity::leaf(media, Piece::Made(text::body(&octets)));
    if attached.is_empty() {
        return body;
    }
    let mut parts = attached;
    if !text.is_empty() {
        parts.insert(0, body);
    }
    Entity::multipart(MediaType::new("multipart/mixed"), parts)
}

fn attachment<B: Clone>(leaf: &Entity<B>, namer: &mut Namer) -> Option<Entity<Piece<B>>> {
    let Body::Leaf(body) = &leaf.body else { return None };
    let usual = normal_type(&leaf.media);
    let essence = if usual.essence() == "text/x-vcard" { "text/vcard" } else { usual.essence() };
    let mut media = MediaType::new(essence);
    if let Some(charset) = usual.param("charset") {
        media.set("charset", charset);
    }
    let name = namer.name(leaf.file_name(), &media);
    media.set("name", name.as_str());
    let mut part = Entity::leaf(media, Piece::Kept(body.clone()));
    part.disposition = Some(Disposition { kind: "attachment".to_owned(), filename: Some(name) });
    Some(part)
}
