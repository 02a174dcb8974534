//! The settings people need: where to get on the network, which proxy, which MMS centre.

use std::net::IpAddr;

use super::Characteristic;

/// A name the phone shows for all the settings of a document (BOOTSTRAP, OMA-WAP-ProvCont-v1_1 4.6.9).
pub fn bootstrap(name: &str) -> Characteristic {
    Characteristic::new("BOOTSTRAP").with("NAME", name)
}

/// A way onto the packet network (NAPDEF with the bearer GSM-GPRS, which stands for everything after it too).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AccessPoint {
    /// What the other settings refer to it by.
    pub id: String,
    /// What the phone shows.
    pub name: String,
    /// The access point name, such as `mms.example`.
    pub apn: String,
    /// What it wants to know before it lets anybody in.
    pub login: Option<Login>,
    /// Whether it leads to the internet, and not to the operator's own network only.
    pub internet: bool,
}

/// A name and a secret for an access point.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// CHAP; otherwise PAP, in which the secret is sent as it is.
    pub chap: bool,
    /// The name.
    pub name: String,
    /// The secret.
    pub secret: String,
}

impl AccessPoint {
    /// As the document wants it.
    pub fn characteristic(&self) -> Characteristic {
        let mut napdef = Characteristic::new("NAPDEF")
            .with("NAPID", &self.id)
            .with("NAME", &self.name)
            .with("BEARER", "GSM-GPRS")
            .with("NAP-ADDRESS", &self.apn)
            .with("NAP-ADDRTYPE", "APN");
        if self.internet {
            napdef = napdef.with_flag("INTERNET");
        }
        match &self.login {
            Some(Login { chap, name, secret }) => napdef.containing(
                Characteristic::new("NAPAUTHINFO")
                    .with("AUTHTYPE", if *chap { "CHAP" } else { "PAP" })
                    .with("AUTHNAME", name)
                    .with("AUTHSECRET", secret),
            ),
            None => napdef,
        }
    }
}

/// A proxy for HTTP or WSP (PXLOGICAL with one PXPHYSICAL).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxy {
    /// What the other settings refer to it by.
    pub id: String,
    /// What the phone shows.
    pub name: String,
    /// Its IP address or its host name.
    pub address: String,
    /// Its port: 9201 is WSP with connections, 80 or 8080 is HTTP.
    pub port: u16,
    /// What is spoken there, such as `CO-WSP`; HTTP proxies need nothing said.
    pub service: Option<String>,
    /// The [`id`](AccessPoint::id) of the access point that leads to it.
    pub access_point: String,
    /// The page a browser opens first.
    pub start_page: Option<String>,
}

impl Proxy {
    /// As the document wants it.
    pub fn characteristic(&self) -> Characteristic {
        let mut logical = Characteristic::new("PXLOGICAL").with("PROXY-ID", &self.id).with("NAME", &self.name);
        if let Some(page) = &self.start_page {
            logical = logical.with("STARTPAGE", page);
        }
        let kind = match self.address.parse() {
            Ok(IpAddr::V4(_)) => "IPV4",
            Ok(IpAddr::V6(_)) => "IPV6",
            Err(_) => "ALPHA",
        };
        let mut port = Characteristic::new("PORT").with("PORTNBR", &self.port.to_string());
        if let Some(service) = &self.service {
            port = port.with("SERVICE", service);
        }
        let physical = Characteristic::new("PXPHYSICAL")
            .with("PHYSICAL-PROXY-ID", &self.id)
            .with("PXADDR", &self.address)
            .with("PXADDRTYPE", kind)
            .with("TO-NAPID", &self.access_point);
        logical.containing(physical.containing(port))
    }
}

/// An MMS account (APPLICATION `w4`; OMNA registered application ids).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MmsAccount {
    /// What the phone shows.
    pub name: String,
    /// The address of the MMS centre, such as `http://mms.example/`.
    pub url: String,
    /// How it is reached.
    pub via: Via,
}

/// How an application gets to its server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// Through the proxy of this [`id`](Proxy::id).
    Proxy(String),
    /// Right from the access point of this [`id`](AccessPoint::id).
    AccessPoint(String),
}

impl MmsAccount {
    /// As the document wants it.
    pub fn characteristic(&self) -> Characteristic {
        let account = Characteristic::new("APPLICATION").with("APPID", "w4").with("NAME", &self.name);
        let account = match &self.via {
            Via::Proxy(id) => account.with("TO-PROXY", id),
            Via::AccessPoint(id) => account.with("TO-NAPID", id),
        };
        account.with("ADDR", &self.url)
    }
}
