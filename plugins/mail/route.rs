//! The next hop: the smart host, or the mail hosts of the recipient's domain (RFC 5321 5.1).

use std::sync::Arc;

use packetboat_api::party::{MailAddress, Party};
use packetboat_api::roles::{Failure, Verdict};
use packetboat_net::dns::{DnsError, Lookup, ascii_domain};
use packetboat_net::smtp::Destination;

/// How the next hop is found.
pub enum Route {
    /// Always this one.
    SmartHost(Destination),
    /// Through DNS.
    Mx {
        /// What asks.
        lookup: Arc<dyn Lookup>,
        /// The port of mail hosts.
        port: u16,
        /// The names of this node: mail that would come back here has no next hop.
        own: Vec<String>,
    },
}

impl Route {
    /// What recipients of one transaction have in common; `None` for what is no mail address.
    pub fn group(&self, to: &Party) -> Option<String> {
        let address = to.mail()?;
        match self {
            Route::SmartHost(destination) => Some(destination.name.clone()),
            Route::Mx { .. } => Some(address.domain().to_owned()),
        }
    }

    /// The next hop for an address. The error is the verdict.
    pub async fn destination(&self, to: &MailAddress) -> Result<Destination, Verdict> {
        let (lookup, port, own) = match self {
            Route::SmartHost(destination) => return Ok(destination.clone()),
            Route::Mx { lookup, port, own } => (lookup, *port, own),
        };
        let Some(domain) = ascii_domain(to.domain()) else {
            return Err(Verdict::Failed(Failure::new("5.1.2", format!("{} is not a domain", to.domain()))));
        };
        let mut hosts = lookup.mail_hosts(&domain).await.map_err(no_route)?;
        // Hosts behind ourselves would send it back to us (RFC 5321 5.1).
        let before_us = hosts.iter().position(|host| own.iter().any(|name| name.eq_ignore_ascii_case(host)));
        hosts.truncate(before_us.unwrap_or(hosts.len()));
        if hosts.is_empty() {
            let why = format!("mail for {domain} comes back to this node, which does not take it");
            return Err(Verdict::Failed(Failure::new("5.4.6", why)));
        }
        Ok(Destination { name: domain, hosts, port })
    }
}

fn no_route(error: DnsError) -> Verdict {
    match error {
        DnsError::NoMail(_) => Verdict::Failed(Failure::new("5.1.10", error.to_string())),
        DnsError::NotFound(_) => Verdict::Failed(Failure::new("5.1.2", error.to_string())),
        DnsError::NoAnswer(_) => Verdict::Deferred { after: None, why: error.to_string() },
    }
}

/// Reads `host`, `host:port`, `192.0.2.1:25` or `[2001:db8::1]:25`.
pub fn smart_host(text: &str) -> Result<Destination, String> {
    let wrong = || format!("\"{text}\" is not a host; write it as \"smtp.example.net:25\" or \"[2001:db8::1]:25\"");
    let text = text.trim();
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !text.ends_with(']') => (host, port.parse::<u16>().map_err(|_| wrong())?),
        _ => (text, 25),
    };
    let bracketed = host.starts_with('[') && host.ends_with(']');
    if host.is_empty() || port == 0 || (host.contains(':') && !bracketed) || host.contains(char::is_whitespace) {
        return Err(wrong());
    }
    Ok(Destination { name: format!("{host}:{port}"), hosts: vec![host.to_owned()], port })
}
