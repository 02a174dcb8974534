//! What encoding yields: header octets and bodies, in the order they go out (I-6).

use bytes::Bytes;
use packetboat_mime::Length;

/// One piece of an encoded message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chunk<B> {
    /// Octets the encoder made.
    Head(Bytes),
    /// A body, as it was given.
    Body(B),
}

/// An encoded message: pieces to be written one after the other, made for vectored writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded<B = Bytes> {
    /// The pieces; no two heads stand side by side and none is empty.
    pub chunks: Vec<Chunk<B>>,
    /// Octets of all pieces together.
    pub length: u64,
}

impl<B> Default for Encoded<B> {
    fn default() -> Self {
        Encoded { chunks: Vec::new(), length: 0 }
    }
}

impl<B: Length> Length for Chunk<B> {
    fn length(&self) -> u64 {
        match self {
            Chunk::Head(head) => head.len() as u64,
            Chunk::Body(body) => body.length(),
        }
    }
}

impl<B: Length> Encoded<B> {
    /// Adds a piece; an empty one is left out.
    pub fn push(&mut self, chunk: Chunk<B>) {
        let length = chunk.length();
        if length > 0 {
            self.length += length;
            self.chunks.push(chunk);
        }
    }
}

impl Encoded<Bytes> {
    /// Everything in one piece, for those who cannot write vectored.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(usize::try_from(self.length).unwrap_or(0));
        for chunk in &self.chunks {
            match chunk {
                Chunk::Head(octets) | Chunk::Body(octets) => out.extend_from_slice(octets),
            }
        }
        out
    }
}
