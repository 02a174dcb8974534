//! Status reports and what they are about: the reference the network gave, and the number (TS 23.040 9.2.3.6).
//!
//! References come round again after 256 messages, so that the number must fit too, and the newest message that fits is
//! meant. A report may come before the answer to its message: such ones are kept until that answer.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use packetboat_net::bearer::Ticket;
use packetboat_sms::tpdu::{Class, StatusReport};

use crate::limits::{AWAITED, EARLY};

/// Digits at the end of two numbers that must be the same when one of them is not international.
const ENOUGH: usize = 6;

/// Messages whose reports are waited for. In memory: what a report is about is not known after a restart.
#[derive(Debug, Default)]
pub struct Awaited(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Newest first.
    sent: VecDeque<Sent>,
    /// Newest first.
    early: VecDeque<StatusReport>,
}

#[derive(Debug)]
struct Sent {
    reference: u8,
    to: String,
    ticket: Ticket,
}

impl Awaited {
    /// A message was sent; gives the reports on it that are there already, oldest first.
    pub fn sent(&self, reference: u8, to: &str, ticket: Ticket) -> Vec<StatusReport> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.sent.truncate(AWAITED - 1);
        inner.sent.push_front(Sent { reference, to: to.to_owned(), ticket });
        let (fit, others): (VecDeque<_>, _) = inner
            .early
            .drain(..)
            .partition(|report| report.reference == reference && same(report.recipient.text(), to));
        inner.early = others;
        fit.into_iter().rev().collect()
    }

    /// What a report is about. After a report that is the last word the message is forgotten.
    pub fn ticket(&self, report: &StatusReport) -> Option<Ticket> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = |sent: &Sent| sent.reference == report.reference && same(report.recipient.text(), &sent.to);
        let Some(at) = inner.sent.iter().position(fits) else {
            inner.early.truncate(EARLY - 1);
            inner.early.push_front(report.clone());
            return None;
        };
        match report.status.class() {
            Class::Trying => inner.sent.get(at).map(|sent| sent.ticket.clone()),
            Class::Delivered | Class::Unconfirmed | Class::Failed => inner.sent.remove(at).map(|sent| sent.ticket),
        }
    }
}

/// Whether two ways to write a number mean the same one: centres leave out the country now and then.
fn same(one: &str, other: &str) -> bool {
    let (one, other) = (one.trim_start_matches('0'), other.trim_start_matches('0'));
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    one == other || short.len() >= ENOUGH && long.ends_with(short)
}
