//! How far a client may reach: everywhere, or the public internet only.
//!
//! An address that a stranger named must not lead into the operator's own network, nor back to this machine. What counts is
//! the address that is really connected to: a name is looked up here, once, and only what may be reached of what it leads to
//! is handed on to be connected to. A name server that changes its mind between two questions gains nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::Url;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::dns::{Lookup, literal};

/// The ports that are reached in the public internet: those of the web, and no other service's.
pub const WEB_PORTS: [u16; 3] = [80, 443, 8080];

/// What a client may connect to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// Whatever it is told.
    #[default]
    Anywhere,
    /// Hosts by name, at addresses that are reachable by all the internet ([`is_public`]), on [`WEB_PORTS`]. Every redirect is
    /// held to the same.
    PublicOnly,
}

impl Reach {
    /// Whether this URL may be asked for, as far as the URL says; the error is in words and without the URL.
    pub(crate) fn allows(self, url: &Url) -> Result<(), String> {
        if self == Reach::Anywhere {
            return Ok(());
        }
        let host = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https"));
        let host = host.ok_or("the address is not one of the web")?;
        // A host of figures in any notation is an address by now (WHATWG URL 3.5).
        if literal(host).is_some() {
            return Err("the address names its host by figures, not by name".to_owned());
        }
        match url.port_or_known_default() {
            Some(port) if WEB_PORTS.contains(&port) => Ok(()),
            _ => Err(format!("the address has a port that is none of {WEB_PORTS:?}")),
        }
    }

    fn takes(self, address: IpAddr) -> bool {
        self == Reach::Anywhere || is_public(address)
    }
}

/// Finds hosts for the HTTP client, and keeps to itself what may not be reached.
pub(crate) struct Names {
    pub(crate) reach: Reach,
    /// What finds them; without one the machine does (`getaddrinfo`).
    pub(crate) lookup: Option<Arc<dyn Lookup>>,
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, lookup) = (self.reach, self.lookup.clone());
        Box::pin(async move {
            let name = name.as_str();
            let mut found: Vec<SocketAddr> = match lookup {
                Some(lookup) => lookup.addresses(name).await?.into_iter().map(|ip| SocketAddr::new(ip, 0)).collect(),
                None => tokio::net::lookup_host((name, 0)).await?.collect(),
            };
            found.retain(|address| reach.takes(address.ip()));
            if found.is_empty() {
                return Err("the host has no address in the public internet".into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Whether an address is a global unicast address of the public internet, by the special-purpose registries (RFC 6890): not
/// of this host, a private or shared network, a link, a group, documentation or benchmarks, and no IPv6 form of such an IPv4
/// address.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    match address.octets() {
        // "This network", private (RFC 1918), loopback.
        [0 | 10 | 127, ..] => false,
        [172, 16..=31, ..] | [192, 168, ..] => false,
        // Shared by an operator's customers (RFC 6598).
        [100, 64..=127, ..] => false,
        // Link-local (RFC 3927): clouds answer for their machines here.
        [169, 254, ..] => false,
        // Protocol assignments, the former 6to4 relays (RFC 7526).
        [192, 0, 0, _] | [192, 88, 99, _] => false,
        // Documentation (RFC 5737), benchmarks (RFC 2544).
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [198, 18 | 19, ..] => false,
        // Groups, reserved, broadcast.
        [224..=255, ..] => false,
        _ => true,
    }
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let embedded = |high: u16, low: u16| is_public_v4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low)));
    match [a, b, c, d, e, f] {
        // IPv4-mapped (RFC 4291 2.5.5.2), NAT64 (RFC 6052 2.1), 6to4 (RFC 3056): as the IPv4 address in them.
        [0, 0, 0, 0, 0, 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => embedded(g, h),
        [0x2002, ..] => embedded(b, c),
        // Protocol assignments with Teredo, benchmarks and ORCHID (RFC 2928); documentation (RFC 3849, RFC 9637).
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // The rest of global unicast (RFC 4291 2.4); unique-local, link-local, groups and loopback are outside of it.
        _ => a & 0xe000 == 0x2000,
    }
}
