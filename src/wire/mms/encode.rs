//! A PDU into octets (OMA-TS-MMS_ENC 7), strictly (I-5): X-Mms-Message-Type, X-Mms-Transaction-Id and
//! X-Mms-MMS-Version first, Content-Type last, everything between in the order given.

use bytes::Bytes;
use packetboat_mime::Length;
use packetboat_wsp::{Chunk, Encoded, Writer, write_entity};

use crate::tables::Field;
use crate::{Header, Pdu};

impl<B: Length + Clone> Pdu<B> {
    /// The PDU as header octets and bodies, to be written one after the other.
    pub fn encode(&self) -> Encoded<B> {
        let mut head = Writer::new();
        head.octet(Field::MessageType.number().unwrap_or_default() | 0x80).octet(self.kind.octet());
        for rank in 0..=2 {
            for header in self.headers.iter().filter(|header| self::rank(&header.field) == rank) {
                write_header(&mut head, header);
            }
        }
        match &self.content {
            Some(content) => {
                head.octet(Field::ContentType.number().unwrap_or_default() | 0x80);
                write_entity(head, content)
            }
            None => {
                let mut encoded = Encoded::default();
                encoded.push(Chunk::Head(Bytes::from(head.into_vec())));
                encoded
            }
        }
    }
}

impl Pdu<Bytes> {
    /// The PDU in one piece.
    pub fn to_vec(&self) -> Vec<u8> {
        self.encode().to_vec()
    }
}

fn rank(field: &Field) -> u8 {
    match field {
        Field::TransactionId => 0,
        Field::MmsVersion => 1,
        _ => 2,
    }
}

/// Type and content have their own places; a name that could not be read back is left out.
fn write_header(out: &mut Writer, header: &Header) {
    match &header.field {
        Field::MessageType | Field::ContentType => return,
        Field::Application(name) if name.bytes().next().is_none_or(|first| !(0x21..0x7F).contains(&first)) => return,
        Field::Application(name) => out.text_string(name),
        field => out.short_integer(field.number().unwrap_or_default()),
    };
    header.value.write(header.field.kind(), out);
}
