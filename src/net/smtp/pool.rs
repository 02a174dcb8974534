//! The client: connections kept per destination, bounded in number, use and age (I-8).

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use packetboat_api::clock::{Clock, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::connection::{Connection, open};
use super::transaction::{End, run};
use super::{Destination, Fault, Mail, Options, Outcome, RECIPIENTS, Refused};
use crate::dns::{DnsError, Lookup};
use crate::tls::TlsClient;

/// Most addresses of a destination that are tried for one message.
const ATTEMPTS: usize = 5;

/// Sends mail. Cheap to clone; clones share the connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    options: Options,
    tls: TlsClient,
    lookup: Arc<dyn Lookup>,
    clock: Arc<dyn Clock>,
    pools: Mutex<HashMap<String, Arc<Pool>>>,
}

struct Pool {
    permits: Arc<Semaphore>,
    idle: Mutex<Vec<Connection>>,
    /// A task looks after the idle connections.
    watched: AtomicBool,
}

impl Client {
    /// A client; nothing is opened yet.
    pub fn new(options: Options, tls: TlsClient, lookup: Arc<dyn Lookup>, clock: Arc<dyn Clock>) -> Client {
        Client(Arc::new(Inner { options, tls, lookup, clock, pools: Mutex::default() }))
    }

    /// Sends one message to the recipients of one destination. Never fails as a whole: every recipient has its result.
    pub async fn send(&self, destination: &Destination, mail: &Mail) -> Outcome {
        let count = mail.recipients.len();
        if count > RECIPIENTS {
            let text = format!("{count} recipients in one transaction, {RECIPIENTS} are the most");
            return Outcome::refused(count, &Refused::new(Fault::Temporary, (4, 5, 3), text));
        }
        let pool = self.0.pool(&destination.name);
        let outcome = match self.0.permit(&pool, destination).await {
            Ok(permit) => {
                let outcome = self.0.send(&pool, destination, mail).await;
                drop(permit);
                outcome
            }
            Err(refused) => Outcome::refused(count, &refused),
        };
        self.0.forget_unused(&destination.name, pool);
        outcome
    }

    /// Whether the destination answers: opens a connection, as far as AUTH, and ends it.
    pub async fn probe(&self, destination: &Destination) -> Result<(), Refused> {
        let connection = self.0.connect(destination).await?;
        connection.quit().await;
        Ok(())
    }

    /// Connections kept open without use, over all destinations.
    pub fn idle(&self) -> usize {
        lock(&self.0.pools).values().map(|pool| lock(&pool.idle).len()).sum()
    }

    /// Ends the connections that are not in use.
    pub async fn close(&self) {
        let pools: Vec<Arc<Pool>> = lock(&self.0.pools).drain().map(|(_, pool)| pool).collect();
        for pool in pools {
            let idle = std::mem::take(&mut *lock(&pool.idle));
            for connection in idle {
                connection.quit().await;
            }
        }
    }
}

impl Inner {
    fn pool(&self, name: &str) -> Arc<Pool> {
        let mut pools = lock(&self.pools);
        let new = || {
            let permits = Arc::new(Semaphore::new(self.options.max_connections.max(1)));
            Arc::new(Pool { permits, idle: Mutex::default(), watched: AtomicBool::new(false) })
        };
        pools.entry(name.to_owned()).or_insert_with(new).clone()
    }

    /// Takes a pool out of the table when nobody uses it and it keeps nothing.
    fn forget_unused(&self, name: &str, pool: Arc<Pool>) {
        let mut pools = lock(&self.pools);
        drop(pool);
        if pools.get(name).is_some_and(|pool| Arc::strong_count(pool) == 1 && lock(&pool.idle).is_empty()) {
            pools.remove(name);
        }
    }

    async fn permit(&self, pool: &Pool, destination: &Destination) -> Result<OwnedSemaphorePermit, Refused> {
        match timeout(self.options.connect_timeout, pool.permits.clone().acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            _ => {
                let most = self.options.max_connections;
                let text = format!("all {most} connections to {} are in use", destination.name);
                Err(Refused::new(Fault::Busy, (4, 4, 5), text))
            }
        }
    }

    async fn send(self: &Arc<Self>, pool: &Arc<Pool>, destination: &Destination, mail: &Mail) -> Outcome {
        let count = mail.recipients.len();
        let mut kept = self.kept(pool);
        loop {
            let reused = kept.is_some();
            let mut connection = match kept.take() {
                Some(connection) => connection,
                None => match self.connect(destination).await {
                    Ok(connection) => connection,
                    Err(refused) => return Outcome::refused(count, &refused),
                },
            };
            match run(&mut connection, mail, &self.options).await {
                End::Done { outcome, reusable } => {
                    self.put_back(pool, connection, reusable);
                    return outcome;
                }
                // The server had closed a connection that was kept: it has seen nothing of this message.
                End::Lost { untouched: true, .. } if reused => kept = self.kept(pool),
                End::Lost { refused, .. } => return Outcome::refused(count, &refused),
            }
        }
    }

    /// A connection that was kept and may still be used, the one used last first.
    fn kept(&self, pool: &Pool) -> Option<Connection> {
        let now = self.clock.now();
        let mut idle = lock(&pool.idle);
        while let Some(connection) = idle.pop() {
            if self.is_fresh(&connection, now) {
                return Some(connection);
            }
            tokio::spawn(connection.quit());
        }
        None
    }

    fn is_fresh(&self, connection: &Connection, now: Timestamp) -> bool {
        connection.used.until(now) < self.options.max_idle
            && connection.opened.until(now) < self.options.max_age
            && connection.messages < self.options.max_messages
    }

    fn put_back(self: &Arc<Self>, pool: &Arc<Pool>, mut connection: Connection, reusable: bool) {
        let now = self.clock.now();
        connection.messages += 1;
        connection.used = now;
        if !reusable {
            return;
        }
        if !self.is_fresh(&connection, now) {
            tokio::spawn(connection.quit());
            return;
        }
        lock(&pool.idle).push(connection);
        if !pool.watched.swap(true, Ordering::SeqCst) {
            tokio::spawn(watch(Arc::downgrade(self), Arc::downgrade(pool)));
        }
    }

    /// Opens a connection to the first host and address that answers.
    async fn connect(&self, destination: &Destination) -> Result<Connection, Refused> {
        let nowhere = format!("{} has no mail host", destination.name);
        let mut last = Refused::new(Fault::NotReached, (4, 4, 4), nowhere);
        let mut left = ATTEMPTS;
        for host in &destination.hosts {
            let addresses = match self.lookup.addresses(host).await {
                Ok(addresses) => addresses,
                Err(error) => {
                    last = unknown_host(&error);
                    continue;
                }
            };
            for address in addresses {
                if left == 0 {
                    return Err(last);
                }
                left -= 1;
                let address = SocketAddr::new(address, destination.port);
                match open(host, address, &self.options, &self.tls, self.clock.now()).await {
                    Ok(connection) => return Ok(connection),
                    Err(refused) => last = refused,
                }
            }
        }
        Err(last)
    }
}

/// A host without an address is a mistake in somebody's set-up, not the end of the mailbox: it may be set right.
fn unknown_host(error: &DnsError) -> Refused {
    Refused::new(Fault::NotReached, (4, 4, 4), error.to_string())
}

/// Ends connections that were kept too long, until there are none.
async fn watch(inner: Weak<Inner>, pool: Weak<Pool>) {
    loop {
        let Some((clock, pause)) = inner.upgrade().map(|it| (it.clock.clone(), it.options.max_idle)) else { return };
        clock.sleep_until(clock.now().after(pause)).await;
        let (Some(inner), Some(pool)) = (inner.upgrade(), pool.upgrade()) else { return };
        let now = clock.now();
        let (stale, done) = {
            let mut idle = lock(&pool.idle);
            let all = std::mem::take(&mut *idle);
            let (fresh, stale): (Vec<_>, Vec<_>) = all.into_iter().partition(|it| inner.is_fresh(it, now));
            *idle = fresh;
            if idle.is_empty() {
                // Under the lock: whoever puts the next connection in starts the next watch.
                pool.watched.store(false, Ordering::SeqCst);
            }
            (stale, idle.is_empty())
        };
        for connection in stale {
            connection.quit().await;
        }
        if done {
            let name = lock(&inner.pools).iter().find(|(_, it)| Arc::ptr_eq(it, &pool)).map(|(name, _)| name.clone());
            if let Some(name) = name {
                inner.forget_unused(&name, pool);
            }
            return;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
