//! Mails and PDUs, built before the clock starts; only what must differ from one to the next is made while it runs.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use packetboat_mime::{Entity, MediaType};
use packetboat_mms::codes::ResponseStatus;
use packetboat_mms::{Field, FromValue, Pdu, TimeValue, Version};

use crate::Result;

/// The media type of PDUs (OMA-TS-MMS_ENC 9).
pub const MEDIA_TYPE: &str = "application/vnd.wap.mms-message";
/// Different attachments, so that no two mails in a row are the same.
const PICTURES: u64 = 8;
/// Octets of a line of base64 with its end (RFC 2045 6.8), and what it encodes.
const LINE: (usize, usize) = (78, 57);
/// Seconds that a delayed message waits: longer than any run.
const DELAY: u64 = 86_400;

const TEXT: &str = "Hello,\r\n\r\nthis is the picture I told you about.\r\nSee you soon!\r\n";

/// When the messages are to be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// At once.
    Now,
    /// Tomorrow (X-Mms-Delivery-Time): the receiver accepts, and that is all.
    Tomorrow,
}

/// Octets that look like nothing, always the same: a picture, to whom does not look inside.
pub fn noise(length: usize) -> Vec<u8> {
    noise_of(0, length)
}

fn noise_of(seed: u64, length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64 ^ (seed << 32 | 1);
    let mut octets = Vec::with_capacity(length + 8);
    octets.extend_from_slice(&[0xFF, 0xD8, 0xFF, 0xE0]);
    while octets.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        octets.extend_from_slice(&state.to_le_bytes());
    }
    octets.truncate(length);
    octets
}

/// Mails with a text and a picture, of one size.
#[derive(Debug)]
pub struct Mails {
    bodies: Vec<Bytes>,
    run: String,
    delivery: Delivery,
    decoded: usize,
}

impl Mails {
    /// Mails of about `size` octets on the wire. `run` makes their Message-IDs different from another set's.
    pub fn new(size: usize, run: &str, delivery: Delivery) -> Self {
        let mut mails = Mails { bodies: Vec::new(), run: run.to_owned(), delivery, decoded: 0 };
        let bare = mails.head(0).len() + body(&[]).len();
        let picture = size.saturating_sub(bare) / LINE.0 * LINE.1;
        mails.bodies = (0..PICTURES).map(|n| body(&noise_of(n, picture)).into()).collect();
        mails.decoded = TEXT.len() + picture;
        mails
    }

    /// The header of mail `n`.
    pub fn head(&self, n: u64) -> String {
        let run = &self.run;
        let mut head = format!(
            "From: Pat <pat@mail.test>\r\nTo: {to}\r\nDate: Sun, 22 Nov 2026 12:00:00 +0000\r\n\
             Message-ID: <{n:012}.{run}@mail.test>\r\nSubject: a picture\r\n",
            to = self.recipient(n),
        );
        if self.delivery == Delivery::Tomorrow {
            head.push_str(&format!("X-Mms-Delivery-Time: {DELAY}\r\n"));
        }
        head.push_str("MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"=_bench\"\r\n\r\n");
        head
    }

    /// Who mail `n` is for.
    pub fn recipient(&self, n: u64) -> String {
        format!("+44771{:07}@{}", n % 10_000_000, crate::peers::daemon::DOMAIN)
    }

    /// The body of mail `n`; no line begins with a dot.
    pub fn body(&self, n: u64) -> &Bytes {
        &self.bodies[(n % PICTURES) as usize]
    }

    /// A whole mail, as it is on the wire.
    pub fn whole(&self, n: u64) -> Bytes {
        [self.head(n).as_bytes(), self.body(n)].concat().into()
    }

    /// Octets of its parts, decoded.
    pub fn decoded(&self) -> usize {
        self.decoded
    }
}

fn body(picture: &[u8]) -> Vec<u8> {
    let mut body = format!(
        "--=_bench\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{TEXT}\
         --=_bench\r\nContent-Type: image/jpeg; name=\"picture.jpg\"\r\nContent-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"picture.jpg\"\r\n\r\n"
    )
    .into_bytes();
    for line in picture.chunks(LINE.1) {
        body.extend_from_slice(STANDARD.encode(line).as_bytes());
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"--=_bench--\r\n");
    body
}

/// An m-send-req of one size whose transaction id can be changed in place.
#[derive(Debug)]
pub struct SendReq {
    octets: Bytes,
    at: usize,
    run: String,
}

/// Characters of a transaction id.
const TRANSACTION: usize = 20;

impl SendReq {
    /// An m-send-req of exactly `size` octets: SMIL, text and picture.
    pub fn new(size: usize, run: &str, to: &str, delivery: Delivery) -> Result<Self> {
        let id = transaction_id(run, 0);
        let made = |picture: usize| pdu(&id, to, delivery, picture).to_vec();
        // The lengths before the picture may grow with it: settled by trying once more.
        let mut picture = size.saturating_sub(made(size).len() - size);
        picture = (picture + size).saturating_sub(made(picture).len());
        let octets = Bytes::from(made(picture));
        let at = octets.windows(TRANSACTION).position(|window| window == id.as_bytes());
        Ok(SendReq { at: at.ok_or("no transaction id in the PDU")?, octets, run: run.to_owned() })
    }

    /// PDU `n` in two pieces: up to the end of its transaction id, and the rest.
    pub fn pieces(&self, n: u64) -> (Vec<u8>, Bytes) {
        let mut head = self.octets[..self.at].to_vec();
        head.extend_from_slice(transaction_id(&self.run, n).as_bytes());
        (head, self.octets.slice(self.at + TRANSACTION..))
    }

    /// Octets of one PDU.
    pub fn len(&self) -> usize {
        self.octets.len()
    }

    /// PDU 0.
    pub fn octets(&self) -> &Bytes {
        &self.octets
    }
}

fn transaction_id(run: &str, n: u64) -> String {
    let width = TRANSACTION - run.len();
    format!("{run}{n:0width$}")
}

fn pdu(id: &str, to: &str, delivery: Delivery, picture: usize) -> Pdu {
    let smil = "<smil><head><layout><root-layout width=\"320\" height=\"480\"/><region id=\"Image\" width=\"320\" height=\"320\"/>\
                <region id=\"Text\" top=\"320\" width=\"320\" height=\"160\"/></layout></head><body><par dur=\"5s\">\
                <img src=\"picture.jpg\" region=\"Image\"/><text src=\"text.txt\" region=\"Text\"/></par></body></smil>";
    let part = |essence: &str, name: &str, octets: Vec<u8>| Entity {
        content_id: Some(name.to_owned()),
        location: Some(name.to_owned()),
        ..Entity::leaf(MediaType::new(essence).with("name", name), Bytes::from(octets))
    };
    let related = MediaType::new("application/vnd.wap.multipart.related");
    let content = Entity::multipart(
        related.with("type", "application/smil").with("start", "<smil.smil>"),
        vec![
            part("application/smil", "smil.smil", smil.as_bytes().to_vec()),
            part("text/plain", "text.txt", TEXT.as_bytes().to_vec()),
            part("image/jpeg", "picture.jpg", noise(picture)),
        ],
    );
    let later = (delivery == Delivery::Tomorrow).then_some(TimeValue::Relative(DELAY));
    Pdu::send_req(id, Version::V1_2, FromValue::InsertAddress, content)
        .with(Field::To, format!("{to}/TYPE=PLMN").as_str())
        .with(Field::Subject, "a picture")
        .with_some(Field::DeliveryTime, later)
}

/// The answer of a server that took a message: an m-send-conf that says Ok.
pub fn confirmation() -> Bytes {
    let pdu: Pdu = Pdu::send_conf(&transaction_id("r", 0), Version::V1_2, ResponseStatus::Ok);
    pdu.with(Field::MessageId, "0123456789abcdef@reference.test").to_vec().into()
}

/// Whether an answer is an m-send-conf that says Ok (X-Mms-Response-Status 0x92, Ok 0x80).
pub fn is_confirmed(octets: &[u8]) -> bool {
    octets.starts_with(&[0x8C, 0x81]) && octets.windows(2).any(|pair| pair == [0x92, 0x80])
}
