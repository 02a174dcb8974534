//! Where the mail of a domain goes, and where a host is (RFC 5321 5.1, RFC 7505).
//!
//! Failure story: a [`DnsError`] says whether asking again can help. That a domain does not exist, has no address or
//! takes no mail is for good; a name server that fails, refuses or is silent is for now.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{RData, Record};
use packetboat_api::async_trait;
use packetboat_api::clock::Random;

/// Most mail hosts of one domain that are tried.
pub const MAIL_HOSTS: usize = 16;
/// Most addresses of one host that are tried.
pub const ADDRESSES: usize = 8;

/// Why a name leads nowhere.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// There is no such domain, or it names no host with an address.
    #[error("{0}")]
    NotFound(String),
    /// The domain says that it takes no mail (a null MX, RFC 7505).
    #[error("{0} takes no mail")]
    NoMail(String),
    /// The name servers did not give an answer; a later attempt may get one.
    #[error("{0}")]
    NoAnswer(String),
}

impl DnsError {
    /// Whether asking again can help.
    pub fn is_temporary(&self) -> bool {
        matches!(self, DnsError::NoAnswer(_))
    }
}

/// What finds hosts (I-12: tests bring their own).
#[async_trait]
pub trait Lookup: Send + Sync {
    /// The hosts that take mail for a domain, the one to try first first; never empty.
    async fn mail_hosts(&self, domain: &str) -> Result<Vec<String>, DnsError>;

    /// The addresses of a host, in the order to try; never empty.
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsError>;
}

/// A domain in the form DNS and SMTP without SMTPUTF8 know: lower-case ASCII, U-labels as A-labels (RFC 5890). `None`
/// when it is no domain.
pub fn ascii_domain(domain: &str) -> Option<String> {
    if domain.starts_with('[') {
        return Some(domain.to_owned());
    }
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
    idna::domain_to_ascii(domain).ok().filter(|ascii| !ascii.is_empty() && ascii.bytes().all(allowed))
}

/// The address of a domain literal, `[192.0.2.1]` or `[IPv6:2001:db8::1]` (RFC 5321 4.1.3), or of a bare address.
pub fn literal(host: &str) -> Option<IpAddr> {
    let inner = host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(host);
    match inner.get(..5) {
        Some(tag) if tag.eq_ignore_ascii_case("IPv6:") => inner.get(5..)?.parse().ok(),
        _ => inner.parse().ok(),
    }
}

/// Asks name servers.
#[derive(Clone)]
pub struct Resolver {
    inner: TokioResolver,
    random: Arc<dyn Random>,
}

impl Resolver {
    /// Asks the name server at that address, or those the machine is set up with (`/etc/resolv.conf`, `/etc/hosts`).
    /// A question is asked again, once, after `patience` without an answer. Nothing is sent yet. The error is in words.
    pub fn new(
        nameserver: Option<SocketAddr>,
        patience: Duration,
        random: Arc<dyn Random>,
    ) -> Result<Resolver, String> {
        let mut builder = match nameserver {
            Some(address) => {
                let config = ResolverConfig::from_name_servers(vec![server(address)]);
                TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
            None => TokioResolver::builder_tokio().map_err(|e| format!("the resolver's set-up cannot be read: {e}"))?,
        };
        tune(builder.options_mut(), patience);
        let inner = builder.build().map_err(|e| format!("no resolver can be made: {e}"))?;
        Ok(Resolver { inner, random })
    }
}

fn server(address: SocketAddr) -> NameServerConfig {
    let (mut udp, mut tcp) = (ConnectionConfig::udp(), ConnectionConfig::tcp());
    udp.port = address.port();
    tcp.port = address.port();
    NameServerConfig::new(address.ip(), true, vec![udp, tcp])
}

fn tune(options: &mut ResolverOpts, patience: Duration) {
    options.ip_strategy = LookupIpStrategy::Ipv4AndIpv6;
    options.timeout = patience;
    options.attempts = 2;
}

#[async_trait]
impl Lookup for Resolver {
    async fn mail_hosts(&self, domain: &str) -> Result<Vec<String>, DnsError> {
        if literal(domain).is_some() {
            return Ok(vec![domain.to_owned()]);
        }
        match self.inner.mx_lookup(rooted(domain)?).await {
            Ok(found) => choose(domain, exchanges(found.answers()), self.random.as_ref()),
            // No MX but a domain: the domain is its own mail host (RFC 5321 5.1), if it has an address at all.
            Err(error) if error.is_no_records_found() && !error.is_nx_domain() => {
                self.addresses(domain).await.map(|_| vec![domain.to_owned()])
            }
            Err(error) => Err(failed(domain, &error)),
        }
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsError> {
        if let Some(address) = literal(host) {
            return Ok(vec![address]);
        }
        // A name without a dot may be one of the machine's own (/etc/hosts, the search list); others are whole names.
        let name = if host.contains('.') { rooted(host)? } else { host.to_owned() };
        let found = self.inner.lookup_ip(name).await.map_err(|e| failed(host, &e))?;
        let mut addresses: Vec<IpAddr> = Vec::new();
        for address in found.iter() {
            if !addresses.contains(&address) && addresses.len() < ADDRESSES {
                addresses.push(address);
            }
        }
        match addresses.is_empty() {
            true => Err(DnsError::NotFound(format!("{host} has no address"))),
            false => Ok(addresses),
        }
    }
}

/// The whole name, so that no search list is applied to it.
fn rooted(domain: &str) -> Result<String, DnsError> {
    let ascii = ascii_domain(domain.trim_end_matches('.'));
    ascii.map(|name| format!("{name}.")).ok_or_else(|| DnsError::NotFound(format!("{domain} is not a domain name")))
}

fn exchanges(answers: &[Record]) -> Vec<(u16, String)> {
    let found = answers.iter().filter_map(|record| match &record.data {
        RData::MX(mx) => Some((mx.preference, mx.exchange.to_ascii().trim_end_matches('.').to_owned())),
        _ => None,
    });
    found.collect()
}

/// By preference, and by chance among equals (RFC 5321 5.1).
fn choose(domain: &str, mut found: Vec<(u16, String)>, random: &dyn Random) -> Result<Vec<String>, DnsError> {
    if found.is_empty() {
        return Ok(vec![domain.to_owned()]);
    }
    found.retain(|(_, host)| !host.is_empty()); // an exchange of "." is no host: with nothing else it is a null MX
    if found.is_empty() {
        return Err(DnsError::NoMail(domain.to_owned()));
    }
    found.sort_by_cached_key(|(preference, _)| (*preference, random.number()));
    found.dedup_by(|one, other| one.1 == other.1);
    found.truncate(MAIL_HOSTS);
    Ok(found.into_iter().map(|(_, host)| host).collect())
}

fn failed(name: &str, error: &NetError) -> DnsError {
    if error.is_nx_domain() {
        return DnsError::NotFound(format!("there is no domain {name}"));
    }
    if error.is_no_records_found() {
        return DnsError::NotFound(format!("{name} has no address"));
    }
    DnsError::NoAnswer(format!("the name servers gave no answer about {name}: {error}"))
}
