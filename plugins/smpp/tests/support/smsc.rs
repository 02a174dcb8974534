//! An SMSC that does nothing by itself: a test takes each PDU and says what is answered. It reads and writes with rusmpp, so
//! that what the bearer sends is judged by another reading than its own.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use rusmpp::encode::Length;
use rusmpp::encode::owned::Encode;
use rusmpp::pdus::{DeliverSm, SubmitSm, SubmitSmResp};
use rusmpp::tlvs::{Tlv, TlvValue};
use rusmpp::types::COctetString;
use rusmpp::{Command, CommandId, CommandStatus, Pdu};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::DEADLINE;

/// Where connections come in.
pub struct Smsc {
    socket: TcpListener,
}

/// One connection.
pub struct Connection {
    stream: TcpStream,
    read: BytesMut,
    pub sequence: u32,
}

/// A short message that was submitted.
#[derive(Debug)]
pub struct Submission {
    pub sequence: u32,
    pub pdu: SubmitSm,
}

impl Smsc {
    pub async fn start() -> Smsc {
        Smsc { socket: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    /// The next connection, nothing said.
    pub async fn accept(&self) -> Connection {
        let accepted = tokio::time::timeout(DEADLINE, self.socket.accept()).await;
        let (stream, _) = accepted.expect("a connection in time").unwrap();
        stream.set_nodelay(true).unwrap();
        Connection { stream, read: BytesMut::new(), sequence: 0 }
    }

    /// The next connection, bound.
    pub async fn accept_bound(&self) -> Connection {
        let mut connection = self.accept().await;
        connection.answer_bind(0).await;
        connection
    }
}

impl Connection {
    /// The next PDU; `None` when the connection ends.
    pub async fn next(&mut self) -> Option<Command> {
        loop {
            if let Some(length) = self.read.first_chunk::<4>().map(|octets| u32::from_be_bytes(*octets) as usize)
                && self.read.len() >= length
            {
                let mut body = self.read.split_to(length);
                let _ = body.split_to(4);
                let decoded = rusmpp::decode::DecodeWithLength::decode(&mut body, length - 4);
                let (command, _): (Command, usize) = decoded.expect("a PDU that rusmpp can read");
                return Some(command);
            }
            let read = tokio::time::timeout(DEADLINE, self.stream.read_buf(&mut self.read)).await;
            if read.expect("a PDU in time").unwrap_or(0) == 0 {
                return None;
            }
        }
    }

    /// The next PDU that is no enquire_link; those are answered.
    pub async fn next_but_enquiries(&mut self) -> Command {
        loop {
            let command = self.next().await.expect("the connection stays");
            if command.id() != CommandId::EnquireLink {
                return command;
            }
            self.say(0, command.sequence_number(), Pdu::EnquireLinkResp).await;
        }
    }

    /// The next submission.
    pub async fn submission(&mut self) -> Submission {
        let command = self.next_but_enquiries().await;
        match command.pdu() {
            Some(Pdu::SubmitSm(pdu)) => Submission { sequence: command.sequence_number(), pdu: pdu.clone() },
            other => panic!("expected a submit_sm, got {other:?}"),
        }
    }

    /// Takes the bind and answers it with this status. The bind.
    pub async fn answer_bind(&mut self, status: u32) -> Command {
        let command = self.next().await.expect("a bind");
        let octets = match command.id() {
            CommandId::BindTransceiver => 0x8000_0009,
            CommandId::BindTransmitter => 0x8000_0002,
            CommandId::BindReceiver => 0x8000_0001,
            other => panic!("expected a bind, got {other:?}"),
        };
        self.raw(&pdu(octets, status, command.sequence_number(), b"smsc\0")).await;
        command
    }

    pub async fn take(&mut self, submission: &Submission, id: &str) {
        let answer = SubmitSmResp::builder().message_id(COctetString::from_string(id.to_owned()).unwrap()).build();
        self.say(0, submission.sequence, answer).await;
    }

    /// Refuses as the protocol wants it: without a body.
    pub async fn refuse(&mut self, submission: &Submission, status: u32) {
        self.raw(&pdu(0x8000_0004, status, submission.sequence, b"")).await;
    }

    pub async fn say(&mut self, status: u32, sequence: u32, pdu: impl Into<Pdu>) {
        let command = Command::new(CommandStatus::from(status), sequence, pdu);
        let mut octets = BytesMut::new();
        octets.extend_from_slice(&((4 + command.length()) as u32).to_be_bytes());
        command.encode(&mut octets);
        self.raw(&octets).await;
    }

    /// Delivers something; its sequence number.
    pub async fn deliver(&mut self, deliver: DeliverSm) -> u32 {
        self.sequence += 1;
        self.say(0, self.sequence, deliver).await;
        self.sequence
    }

    pub async fn raw(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).await.unwrap();
    }

    /// The status of the next answer to this number.
    pub async fn answer_to(&mut self, sequence: u32) -> (CommandId, u32) {
        let command = self.next_but_enquiries().await;
        assert_eq!(command.sequence_number(), sequence, "{command:?}");
        (command.id(), command.status().into())
    }

    /// Whether nothing comes for so long.
    pub async fn is_silent(&mut self, span: Duration) -> bool {
        tokio::time::timeout(span, self.stream.read_buf(&mut self.read)).await.is_err()
    }
}

/// A PDU from its parts.
pub fn pdu(id: u32, status: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    let words = [16 + body.len() as u32, id, status, sequence];
    words.iter().flat_map(|word| word.to_be_bytes()).chain(body.iter().copied()).collect()
}

/// What a submission carries, header first.
pub fn message(pdu: &SubmitSm) -> Vec<u8> {
    pdu.short_message().as_ref().to_vec()
}

/// An optional parameter.
pub fn tlv(tlvs: &[Tlv], wanted: impl Fn(&TlvValue) -> Option<u64>) -> Option<u64> {
    tlvs.iter().filter_map(Tlv::value).find_map(wanted)
}

/// A receipt in the form of appendix B.
pub fn receipt(text: &str) -> DeliverSm {
    let phone = COctetString::from_string("358401234567".to_owned()).unwrap();
    let text = rusmpp::types::OctetString::from_bytes(Bytes::copy_from_slice(text.as_bytes())).unwrap();
    DeliverSm::builder().source_addr(phone).esm_class(0x04.into()).short_message(text).build()
}
