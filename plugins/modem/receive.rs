//! What arrives: short messages and status reports, passed on at once or from a memory.
//!
//! Failure story: a message in a memory is deleted only after it was taken; one that nobody can take now stays there and is
//! offered again at the next check. One that is passed on at once is refused instead, where the modem can say so to the
//! network, which keeps it. One that cannot be deleted is taken once and said to be there; the others are looked at all the
//! same. What cannot be read is said in the log and not kept: it would come back for ever.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use bytes::Bytes;
use packetboat_api::evidence::Fact;
use packetboat_net::bearer::{Coding, Ticket};
use packetboat_sms::at::{Information, Unsolicited, answers};
use packetboat_sms::tpdu::{self, Class, Deliver, DeliverReport, StatusReport, TpduError, read_service_centre};

use crate::dialogue::{Transfer, Trouble};
use crate::limits::{OFFER, UNDELETED};
use crate::session::Session;

/// States of a message in a memory that arrived: not read yet, and read (TS 27.005 3.1).
const ARRIVED: std::ops::RangeInclusive<u8> = 0..=1;

/// Messages that were taken and are still in a memory, by memory and place, with what they say: they are not taken twice.
#[derive(Debug, Default)]
pub(crate) struct Undeleted(BTreeMap<(String, u16), u64>);

/// Whether something was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    Yes,
    Later,
}

impl Session {
    /// Looks at everything that came unasked.
    pub(crate) async fn attend(&mut self) -> Result<(), Trouble> {
        while let Some(unsolicited) = self.dialogue.next_unsolicited() {
            match unsolicited {
                Unsolicited::Message(pdu) => {
                    let taken = self.take(pdu).await;
                    self.acknowledge(taken).await?;
                }
                Unsolicited::Report(pdu) => {
                    let taken = self.take(pdu).await;
                    self.acknowledge(taken).await?;
                }
                Unsolicited::MessageStored { memory, index } | Unsolicited::ReportStored { memory, index } => {
                    self.stored(&memory, index).await?;
                }
            }
        }
        Ok(())
    }

    /// Says to the network what became of what was passed on at once (TS 27.005 3.4.4).
    async fn acknowledge(&mut self, taken: Taken) -> Result<(), Trouble> {
        if !self.setup.acknowledges {
            return Ok(());
        }
        let limit = self.shared.limit();
        if taken == Taken::Yes {
            return match self.dialogue.command("AT+CNMA", limit).await {
                Ok(_) => Ok(()),
                // It came too late, or the modem was set up anew meanwhile: the network offers it once more.
                Err(Trouble::Failed(_, failure)) => {
                    tracing::debug!(bearer = self.shared.name, %failure, "an acknowledgement was not wanted");
                    Ok(())
                }
                Err(trouble) => Err(trouble),
            };
        }
        let report = DeliverReport::TRY_LATER.encode();
        match self.dialogue.transfer(&format!("AT+CNMA=2,{}", report.len()), &report, (limit, limit)).await {
            Ok(_) => Ok(()),
            // The network hears nothing and tries again; the modem stops passing on, which the next check mends.
            Err(Transfer::NotSent(Trouble::Failed(..))) => Ok(()),
            Err(Transfer::NotSent(trouble) | Transfer::Unknown(trouble)) => Err(trouble),
        }
    }

    /// Reads a message from a memory, and deletes it if it was taken.
    async fn stored(&mut self, memory: &str, index: u16) -> Result<(), Trouble> {
        self.select(memory).await?;
        let lines = match self.dialogue.command(&format!("AT+CMGR={index}"), self.shared.limit()).await {
            Ok(lines) => lines,
            Err(Trouble::Failed(..)) => return Ok(()), // it was taken with the others already
            Err(trouble) => return Err(trouble),
        };
        match lines.into_iter().find(|line| line.of("CMGR").is_some()) {
            Some(Information { pdu: Some(pdu), .. }) => self.dispose(memory, index, pdu).await,
            _ => Ok(()), // somebody else took it, or the line lost octets: the next look finds it
        }
    }

    /// Reads whatever arrived and is still in the memory.
    pub(crate) async fn sweep(&mut self) -> Result<(), Trouble> {
        if self.shared.settings.incoming == crate::settings::Incoming::Off {
            return Ok(());
        }
        let Some(memory) = self.setup.arriving.clone() else { return Ok(()) };
        self.select(&memory).await?;
        const ALL: &str = "AT+CMGL=4";
        let lines = match self.dialogue.command(ALL, self.shared.limit()).await {
            Ok(lines) => lines,
            Err(Trouble::Failed(..)) => return Ok(()),
            Err(trouble) => return Err(trouble),
        };
        for line in lines {
            let listed = line.of("CMGL").and_then(answers::listed).filter(|listed| ARRIVED.contains(&listed.status));
            if let (Some(listed), Some(pdu)) = (listed, line.pdu.clone()) {
                self.dispose(&memory, listed.index, pdu).await?;
            }
        }
        Ok(())
    }

    /// Takes what lies at a place and deletes it.
    async fn dispose(&mut self, memory: &str, index: u16, pdu: Bytes) -> Result<(), Trouble> {
        let mut hasher = DefaultHasher::new();
        pdu.hash(&mut hasher);
        let (place, says) = ((memory.to_owned(), index), hasher.finish());
        if self.undeleted.0.get(&place) != Some(&says) && self.take(pdu).await == Taken::Later {
            return Ok(());
        }
        match self.dialogue.command(&format!("AT+CMGD={index}"), self.shared.limit()).await {
            Ok(_) => drop(self.undeleted.0.remove(&place)),
            Err(trouble) => {
                let known = self.undeleted.0.contains_key(&place);
                if known || self.undeleted.0.len() < UNDELETED {
                    self.undeleted.0.insert(place, says);
                }
                let Trouble::Failed(_, failure) = trouble else { return Err(trouble) };
                // The other places are looked at all the same.
                let what = format!("the modem does not delete the message at place {index} of {memory} ({failure})");
                if !known {
                    tracing::warn!(
                        bearer = self.shared.name,
                        what,
                        "it was taken; its place is lost until somebody deletes it"
                    );
                }
                self.remark(what);
            }
        }
        Ok(())
    }

    /// Makes a memory the one that is read from.
    async fn select(&mut self, memory: &str) -> Result<(), Trouble> {
        if self.setup.memory.as_deref() != Some(memory) {
            self.dialogue.command(&format!("AT+CPMS=\"{memory}\""), self.shared.limit()).await?;
            self.setup.memory = Some(memory.to_owned());
        }
        Ok(())
    }

    /// Takes what the modem hands over: the centre's address and a TPDU.
    async fn take(&self, pdu: Bytes) -> Taken {
        let read = read_service_centre(&pdu).and_then(|(_, tpdu)| match tpdu.first().map(|first| first & 0b11) {
            Some(0b10) => StatusReport::parse(&tpdu).map(Err),
            _ => Deliver::parse(&tpdu).map(Ok),
        });
        match read {
            Ok(Ok(message)) => self.message(message).await,
            Ok(Err(report)) => self.report(&report).await,
            Err(error) => self.unreadable(error),
        }
    }

    fn unreadable(&self, error: TpduError) -> Taken {
        tracing::warn!(bearer = self.shared.name, %error, "something arrived that cannot be read; it is not kept");
        self.remark(format!("something arrived that cannot be read: {error}"));
        Taken::Yes
    }

    async fn message(&self, message: Deliver) -> Taken {
        let coding = match message.coding.coding() {
            tpdu::Coding::Septets => Coding::Septets,
            tpdu::Coding::Octets => Coding::Octets,
            tpdu::Coding::Ucs2 => Coding::Ucs2,
        };
        let from = message.originator.to_string();
        let offer = self.shared.inbox.take(&from, &self.shared.settings.number, message.user_data, coding);
        let offered = tokio::select! {
            offered = offer => offered,
            () = self.shared.pause(OFFER) => {
                tracing::warn!(bearer = self.shared.name, "nobody took in time what arrived; it is offered again");
                return Taken::Later;
            }
        };
        match offered {
            Ok(()) => Taken::Yes,
            Err(refusal) if refusal.is_temporary() => Taken::Later,
            Err(refusal) => {
                tracing::warn!(bearer = self.shared.name, why = %refusal, "a short message that arrived was refused");
                Taken::Yes
            }
        }
    }

    pub(crate) async fn report(&self, report: &StatusReport) -> Taken {
        let Some(ticket) = self.shared.awaited.ticket(report) else {
            tracing::debug!(bearer = self.shared.name, "a status report on nothing that is known (yet)");
            return Taken::Yes;
        };
        if self.witness(&ticket, report).await {
            return Taken::Yes;
        }
        self.shared.awaited.sent(report.reference, report.recipient.text(), ticket);
        Taken::Later
    }

    /// Writes down what a report proves; whether that could be done.
    async fn witness(&self, ticket: &Ticket, report: &StatusReport) -> bool {
        let fact = match report.status.class() {
            Class::Delivered if self.shared.tallies.delivered(ticket) => Fact::PushDelivered,
            Class::Delivered | Class::Unconfirmed | Class::Trying => Fact::PushSent,
            Class::Failed => Fact::PushFailed,
        };
        let words = format!("modem: {} (short message {} of {})", report.status, ticket.part, ticket.parts);
        match self.shared.witness.witness(ticket.delivery, ticket.evidence(fact, words)).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(
                    bearer = self.shared.name, delivery = %ticket.delivery, %error, "a receipt could not be written"
                );
                false
            }
        }
    }
}
