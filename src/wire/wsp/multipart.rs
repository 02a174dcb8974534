//! Bodies read as entities (WAP-230-WSP 8.5).
//!
//! A part's body is a range of the input (I-6); only where a Content-Transfer-Encoding had to be undone is it a new
//! one. A part that runs past the end is an error, never padded: half a picture must not be stored as a whole one.

use bytes::Bytes;
use packetboat_mime::{Body, Entity, MediaType};

use crate::part::PartHeaders;
use crate::{Reader, WspError, WspErrorKind, limits, transfer};

const TRANSFER_ENCODING: &str = "Content-Transfer-Encoding";

/// What WAP calls its multiparts, before the subtype.
pub(crate) const WAP_MULTIPART: &str = "application/vnd.wap.multipart.";

/// Reads all that `reader` has left as the body of type `media`.
pub fn read_entity(media: MediaType, mut reader: Reader<'_>) -> Result<Entity<Bytes>, WspError> {
    Tree { parts: 0 }.body(PartHeaders::new(media), &mut reader, 1)
}

/// Whether a body of that type is in WSP's binary multipart format. A textual multipart that names its boundary is
/// MIME's own format and stays a leaf: a signature would not survive being taken apart.
fn is_binary_multipart(media: &MediaType) -> bool {
    media.essence().starts_with(WAP_MULTIPART) || media.top() == "multipart" && media.param("boundary").is_none()
}

/// What has been read of one message.
struct Tree {
    /// Parts at all depths: the limit holds for the message, since a part takes far more memory than input.
    parts: usize,
}

impl Tree {
    fn body(&mut self, headers: PartHeaders, reader: &mut Reader<'_>, depth: usize) -> Result<Entity<Bytes>, WspError> {
        let PartHeaders { media, content_id, location, disposition, transfer_encoding, mut other } = headers;
        let body = match is_binary_multipart(&media) {
            true => Body::Parts(self.multipart(reader, depth)?),
            false => {
                let raw = reader.rest_bytes();
                Body::Leaf(match transfer_encoding {
                    None => raw,
                    Some((place, encoding)) => match transfer::undo(&encoding, &raw) {
                        Some(decoded) => {
                            // Whatever else was said of its encoding is not true of it now.
                            other.retain(|(name, _)| !name.eq_ignore_ascii_case(TRANSFER_ENCODING));
                            decoded
                        }
                        None => {
                            other.insert(place, (TRANSFER_ENCODING.to_owned(), encoding));
                            raw
                        }
                    },
                })
            }
        };
        Ok(Entity { media, content_id, location, disposition, other, body })
    }

    fn multipart(&mut self, reader: &mut Reader<'_>, depth: usize) -> Result<Vec<Entity<Bytes>>, WspError> {
        let too_many = |what, count, limit| WspErrorKind::TooMany { what, count, limit };
        if depth > limits::DEPTH {
            return Err(reader.error(too_many("nested multiparts", depth, limits::DEPTH)));
        }
        if reader.is_empty() {
            return Ok(Vec::new());
        }
        let start = *reader;
        let count = reader.uintvar()? as usize;
        self.parts = self.parts.saturating_add(count);
        if self.parts > limits::PARTS {
            return Err(start.error(too_many("parts", self.parts, limits::PARTS)));
        }
        (0..count).map(|_| self.part(reader, depth)).collect()
    }

    fn part(&mut self, reader: &mut Reader<'_>, depth: usize) -> Result<Entity<Bytes>, WspError> {
        let start = *reader;
        let overrun = |what, length, left| start.error(WspErrorKind::Overrun { what, length, left });
        let headers_length = reader.uintvar()? as usize;
        let data_length = reader.uintvar()? as usize;
        let left = reader.remaining();
        let headers = reader.window(headers_length).map_err(|_| overrun("part header", headers_length, left))?;
        let left = reader.remaining();
        let mut data = reader.window(data_length).map_err(|_| overrun("part body", data_length, left))?;
        self.body(PartHeaders::read(headers), &mut data, depth + 1)
    }
}
