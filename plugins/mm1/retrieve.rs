//! A stored message as m-retrieve-conf (OMA-TS-MMS_ENC 6.3). The PDU's header octets are made here; the parts are ranges
//! of the stored content and are streamed (I-6).

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use packetboat_api::clock::Timestamp;
use packetboat_api::message::{Identity, Message, Span};
use packetboat_api::mime::compose::{self, Options, Piece};
use packetboat_api::mime::{self, Entity, Length, Mail};
use packetboat_api::road::{Content, Fetch};
use packetboat_api::store::StoreError;
use packetboat_mms::{Chunk, Encoded, Field, Version, mail, names};

use crate::forward::slice;

/// Content up to this size is read at once; larger content in pieces of this size.
const PIECE: u64 = 256 << 10;

type Reading = Pin<Box<dyn Future<Output = Result<Bytes, StoreError>> + Send>>;

/// An answer's body, read from the store as it goes out.
pub struct Retrieval {
    content: Arc<dyn Content>,
    message: Arc<Message>,
    chunks: VecDeque<Chunk<Piece<Span>>>,
    /// All the content, when it is small enough to be read at once.
    whole: Option<Bytes>,
    reading: Option<Reading>,
    left: u64,
    picture: Option<u64>,
}

/// Encodes the message for this delivery.
pub async fn retrieve(fetch: &Fetch, content: Arc<dyn Content>, now: Timestamp) -> Result<Retrieval, StoreError> {
    let message = fetch.message.clone();
    let whole = match message.size() {
        size if size <= PIECE => Some(content.read(&message, 0..size).await?),
        _ => None,
    };
    let mail = for_phone(&message, content.as_ref(), whole.as_ref()).await?;
    let picture = largest_picture(&mail.root);
    let seconds = u64::try_from(now.seconds()).unwrap_or(0);
    let mut pdu = mail::retrieve_conf(&mail, Some(fetch.delivery.transaction()), Version::V1_2, seconds);
    pdu.set(Field::MessageId, message.wire_id());
    let asked = message.envelope.recipients.get(fetch.delivery.id.index as usize).is_some_and(|r| r.notify.success);
    pdu.set(Field::DeliveryReport, asked);
    pdu.set(Field::ReadReport, message.traits.read_report);
    let Encoded { chunks, length } = pdu.encode();
    Ok(Retrieval { content, message, chunks: chunks.into(), whole, reading: None, left: length, picture })
}

/// The message as phones take it: what came from a phone as it is, a mail with what of it becomes the MMS.
async fn for_phone(
    message: &Message,
    content: &dyn Content,
    whole: Option<&Bytes>,
) -> Result<Mail<Piece<Span>>, StoreError> {
    if matches!(message.identity, Identity::Subscriber(_)) {
        return Ok(Mail {
            headers: message.mail.headers.clone(),
            root: message.mail.root.clone().map(&mut Piece::Kept),
        });
    }
    let plan = compose::plan(&message.mail, &Options::default());
    let mut texts = Vec::new();
    for span in plan.needs() {
        texts.push(match whole {
            Some(whole) => slice(whole, *span),
            None => content.read(message, span.start..span.start + span.length).await?,
        });
    }
    let mut headers = compose::mms_fields(&message.mail.headers, message.envelope.from.is_none());
    headers.remove(names::MMS_VERSION);
    if let Some(from) = &message.envelope.from
        && headers.first("From").is_none()
    {
        headers.set("From", from.to_mms());
    }
    Ok(Mail { headers, root: plan.finish(texts) })
}

/// Octets of the largest picture in it.
fn largest_picture<B: Length>(entity: &Entity<B>) -> Option<u64> {
    match &entity.body {
        mime::Body::Leaf(body) => (entity.media.top() == "image").then(|| body.length()),
        mime::Body::Parts(parts) => parts.iter().filter_map(largest_picture).max(),
    }
}

impl Retrieval {
    /// Octets of the largest picture in the answer.
    pub fn picture(&self) -> Option<u64> {
        self.picture
    }

    /// Takes the next octets to go out, if they are at hand.
    fn next(&mut self) -> Option<Bytes> {
        loop {
            match self.chunks.pop_front()? {
                Chunk::Head(octets) | Chunk::Body(Piece::Made(octets)) => return Some(octets),
                Chunk::Body(Piece::Kept(span)) => match &self.whole {
                    Some(whole) => return Some(slice(whole, span)),
                    None => self.begin(span),
                },
            }
            if self.reading.is_some() {
                return None;
            }
        }
    }

    /// Begins to read a span; what is beyond one piece stays in the queue.
    fn begin(&mut self, span: Span) {
        let piece = span.length.min(PIECE);
        if piece < span.length {
            let rest = Span { start: span.start + piece, length: span.length - piece };
            self.chunks.push_front(Chunk::Body(Piece::Kept(rest)));
        }
        let (content, message) = (self.content.clone(), self.message.clone());
        self.reading = Some(Box::pin(async move { content.read(&message, span.start..span.start + piece).await }));
    }
}

impl Body for Retrieval {
    type Data = Bytes;
    type Error = StoreError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StoreError>>> {
        loop {
            if let Some(reading) = self.reading.as_mut() {
                let read = ready!(reading.as_mut().poll(cx));
                self.reading = None;
                return Poll::Ready(Some(read.map(|octets| {
                    self.left = self.left.saturating_sub(octets.len() as u64);
                    Frame::data(octets)
                })));
            }
            if let Some(octets) = self.next() {
                self.left = self.left.saturating_sub(octets.len() as u64);
                return Poll::Ready(Some(Ok(Frame::data(octets))));
            }
            if self.reading.is_none() {
                return Poll::Ready(None);
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
