//! The header fields of every answer, and what an answer's body is.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use packetboat_api::store::StoreError;

use crate::part::Stored;

/// An answer.
pub type Answer = Response<Outgoing>;

/// What goes out.
pub enum Outgoing {
    /// Octets at hand.
    Whole(Bytes),
    /// Octets in the store.
    Stored(Stored),
}

/// A part is never a page: if a browser took it for one, it would have no rights.
const NO_RIGHTS: HeaderValue = HeaderValue::from_static("default-src 'none'; sandbox");
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");
const RESOURCES: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const OPENERS: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
/// A year, in seconds.
const ONLY_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// An answer with the fields all have: nobody indexes it, keeps it, or learns from it where its reader came from (case J-01).
pub fn answer(status: StatusCode, media: HeaderValue, body: Outgoing) -> Answer {
    let mut fields = HeaderMap::with_capacity(16);
    fields.insert(CONTENT_TYPE, media);
    fields.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    fields.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    fields.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    fields.insert(ROBOTS, HeaderValue::from_static("noindex, nofollow, noarchive, nosnippet, noimageindex"));
    fields.insert(CONTENT_SECURITY_POLICY, NO_RIGHTS);
    fields.insert(RESOURCES, HeaderValue::from_static("same-origin"));
    fields.insert(OPENERS, HeaderValue::from_static("same-origin"));
    let mut answer = Response::new(body);
    *answer.status_mut() = status;
    *answer.headers_mut() = fields;
    answer
}

/// An answer of octets at hand.
pub fn whole(status: StatusCode, media: &'static str, body: impl Into<Bytes>) -> Answer {
    answer(status, HeaderValue::from_static(media), Outgoing::Whole(body.into()))
}

/// Says that only TLS will do from now on, to a browser that came by it (RFC 6797 7.2).
pub fn only_tls(answer: &mut Answer) {
    answer.headers_mut().insert(STRICT_TRANSPORT_SECURITY, ONLY_TLS);
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = StoreError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, StoreError>>> {
        match self.get_mut() {
            Outgoing::Whole(octets) if octets.is_empty() => Poll::Ready(None),
            Outgoing::Whole(octets) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(octets))))),
            Outgoing::Stored(stored) => Pin::new(stored).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Outgoing::Whole(octets) => octets.is_empty(),
            Outgoing::Stored(stored) => stored.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Outgoing::Whole(octets) => SizeHint::with_exact(octets.len() as u64),
            Outgoing::Stored(stored) => stored.size_hint(),
        }
    }
}
