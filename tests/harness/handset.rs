//! A phone driven by hand, for requests that no real handset program would ever send.
//!
//! It speaks MM1 with the mini codec of [`crate::mms`]. Where a story can use a real handset program it uses
//! [`crate::peers::mmsd`] instead.

use crate::http::{Fields, Reply, Request};
use crate::mms::{self, MEDIA_TYPE, Pdu};

/// A phone: the URL of its MMSC and the header fields that its network adds.
#[derive(Debug, Clone)]
pub struct Handset {
    mmsc: String,
    fields: Fields,
}

impl Handset {
    /// A phone whose MMSC is at this URL.
    pub fn new(mmsc: &str) -> Self {
        Handset { mmsc: mmsc.to_owned(), fields: Vec::new() }
    }

    /// Adds a header field to every request, such as the number as a gateway passes it on.
    #[must_use]
    pub fn field(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The request that posts a PDU to a URL, for a story that wants to change it first.
    pub fn request(&self, url: &str, pdu: &[u8]) -> Request {
        self.with_fields(Request::new("POST", url).field("Content-Type", MEDIA_TYPE)).body(pdu)
    }

    /// Posts a PDU to the MMSC and returns the answer as it is.
    ///
    /// # Panics
    /// When there is no answer.
    #[track_caller]
    pub fn post(&self, pdu: &[u8]) -> Reply {
        self.request(&self.mmsc, pdu).send()
    }

    /// Posts an m-send-req and returns the m-send-conf.
    ///
    /// # Panics
    /// When the answer is not 200 with a PDU of that type.
    #[track_caller]
    pub fn submit(&self, send_req: &[u8]) -> Pdu {
        let reply = self.post(send_req).expect_status(200);
        let conf = Pdu::read(&reply.body);
        assert_eq!(conf.kind(), mms::kind::SEND_CONF, "{conf:?}");
        conf
    }

    /// Gets a content URL and returns the answer as it is.
    ///
    /// # Panics
    /// When there is no answer.
    #[track_caller]
    pub fn get(&self, url: &str) -> Reply {
        self.with_fields(Request::new("GET", url)).send()
    }

    /// Gets a content URL and returns the m-retrieve-conf.
    ///
    /// # Panics
    /// When the answer is not 200 with a PDU of that type.
    #[track_caller]
    pub fn fetch(&self, url: &str) -> Pdu {
        let reply = self.get(url).expect_status(200);
        let conf = Pdu::read(&reply.body);
        assert_eq!(conf.kind(), mms::kind::RETRIEVE_CONF, "{conf:?}");
        conf
    }

    /// Fetches what a notification offers and answers m-notifyresp-ind "Retrieved", as phones do at once.
    ///
    /// # Panics
    /// When either fails.
    #[track_caller]
    pub fn retrieve(&self, notification: &Pdu) -> Pdu {
        let message = self.fetch(&notification.content_location());
        let response = mms::notifyresp_ind(&notification.transaction_id(), mms::status::RETRIEVED);
        let reply = self.post(&response);
        assert!((200..300).contains(&reply.status), "m-notifyresp-ind was answered {}", reply.status);
        message
    }

    fn with_fields(&self, request: Request) -> Request {
        self.fields.iter().fold(request, |request, (name, value)| request.field(name, value))
    }
}
