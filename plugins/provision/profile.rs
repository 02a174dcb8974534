//! Profiles: files of settings, and the documents that phones are sent.
//!
//! ```toml
//! name = "Example Mobile MMS"         # what the phone shows
//!
//! [access_point]
//! apn = "mms.example"
//!
//! [mms]
//! url = "http://mms.example.net:8002"
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use packetboat_api::message::PhoneSettings;
use packetboat_api::roles::SmsBody;
use packetboat_api::settings::Secret;
use packetboat_push::ota::{self, BrowserSettings};
use packetboat_push::provisioning::security::{Imsi, Security};
use packetboat_push::provisioning::settings::{AccessPoint, Login, MmsAccount, Proxy, Via, bootstrap};
use packetboat_push::{Push, provisioning::Provisioning};
use serde::Deserialize;

use crate::limits::{PIN, PROFILE_SIZE, PROFILES};

/// What the settings of a document call each other.
const ACCESS_POINT: &str = "ap";
const PROXY: &str = "px";
/// Where a browser-settings push comes from; phones look at the destination only.
const ORIGINATOR: u16 = 9200;

/// One file of settings.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// What the phone shows for all of it.
    pub name: String,
    /// How it is written.
    #[serde(default)]
    pub form: Form,
    /// Where the phone gets onto the network.
    pub access_point: Point,
    /// A proxy on the way.
    #[serde(default)]
    pub proxy: Option<Gateway>,
    /// The MMS centre.
    #[serde(default)]
    pub mms: Centre,
    /// The access point's secret, read from where `password` says.
    #[serde(skip)]
    secret: String,
}

/// How settings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Form {
    /// OMA Client Provisioning 1.1: phones since about 2003.
    #[default]
    Oma,
    /// Nokia's and Ericsson's over-the-air settings: phones before that. They cannot be signed.
    Ota,
}

/// The access point.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// The access point name.
    pub apn: String,
    /// The name it wants to know.
    #[serde(default)]
    pub login: Option<String>,
    /// The secret that goes with it.
    #[serde(default)]
    pub password: Option<Secret>,
    /// CHAP instead of PAP.
    #[serde(default)]
    pub chap: bool,
    /// It leads to the internet, and not to the operator's own network only.
    #[serde(default)]
    pub internet: bool,
}

/// The proxy.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Gateway {
    /// Its host name or address.
    pub address: String,
    /// Its port.
    pub port: u16,
    /// It speaks WSP with connections, and not HTTP.
    #[serde(default)]
    pub wsp: bool,
}

/// The MMS centre.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Centre {
    /// Its address; the handset door's when there is none.
    #[serde(default)]
    pub url: Option<String>,
}

/// Reads the profiles in a directory, by name. A directory that is not there has none.
pub fn load(directory: &Path, base: &Path) -> Result<BTreeMap<String, Profile>, String> {
    let mut profiles = BTreeMap::new();
    let cannot = |path: &Path, why: String| format!("{}: {why}", path.display());
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(profiles),
        Err(error) => return Err(cannot(directory, error.to_string())),
        Ok(entries) => entries,
    };
    for entry in entries {
        let path = entry.map_err(|e| cannot(directory, e.to_string()))?.path();
        if path.extension().is_none_or(|extension| extension != "toml") {
            continue;
        }
        let Some(name) = path.file_stem().and_then(|name| name.to_str()) else { continue };
        if profiles.len() >= PROFILES {
            return Err(cannot(directory, format!("there are more than {PROFILES} profiles")));
        }
        profiles.insert(name.to_owned(), read(&path, base).map_err(|why| cannot(&path, why))?);
    }
    Ok(profiles)
}

fn read(path: &Path, base: &Path) -> Result<Profile, String> {
    let size = std::fs::metadata(path).map_err(|e| e.to_string())?.len();
    if size > PROFILE_SIZE {
        return Err(format!("it has {size} octets, {PROFILE_SIZE} are the most"));
    }
    let text = std::fs::read_to_string(path).map_err(|e| e.to_string())?;
    // The error's own words name line and column.
    let mut profile: Profile = toml::from_str(&text).map_err(|e| e.to_string().trim_end().to_owned())?;
    for (key, value) in [("name", &profile.name), ("access_point.apn", &profile.access_point.apn)] {
        if value.trim().is_empty() {
            return Err(format!("{key} is empty"));
        }
    }
    let point = &profile.access_point;
    if point.password.is_some() && point.login.is_none() {
        return Err("access_point.password is of no use without access_point.login".to_owned());
    }
    if let Some(password) = &point.password {
        profile.secret = password.read(base).map_err(|why| format!("access_point.password: {why}"))?;
    }
    Ok(profile)
}

/// Why settings cannot be signed, in words.
fn security(settings: &PhoneSettings) -> Result<Option<Security>, String> {
    let pin = match &settings.pin {
        Some(pin) if PIN.contains(&pin.len()) && pin.bytes().all(|digit| digit.is_ascii_digit()) => Some(pin.clone()),
        Some(_) => return Err(format!("a PIN has {} to {} digits", PIN.start(), PIN.end())),
        None => None,
    };
    let imsi = settings.imsi.as_deref().map(Imsi::parse).transpose().map_err(|e| e.to_string())?;
    Ok(match (imsi, pin) {
        (Some(imsi), Some(pin)) => Some(Security::UserNetwPin { imsi, pin }),
        (Some(imsi), None) => Some(Security::NetwPin(imsi)),
        (None, Some(pin)) => Some(Security::UserPin(pin)),
        (None, None) => None,
    })
}

impl Profile {
    /// What the phone is sent, and in words how. `door` is the MMS centre of a profile that says none.
    pub fn body(&self, settings: &PhoneSettings, door: &str, transaction: u8) -> Result<(SmsBody, String), String> {
        let url = self.mms.url.as_deref().unwrap_or(door);
        let security = security(settings)?;
        match (self.form, security) {
            (Form::Oma, security) => {
                let how = security.as_ref().map_or("unsigned", |security| security.method().as_str());
                let push = Push::provisioning(transaction, &self.document(url), security.as_ref());
                Ok((SmsBody::Push(push.encode()), format!("client provisioning, {how}")))
            }
            (Form::Ota, Some(_)) => {
                Err("settings of the form \"ota\" cannot be signed; leave PIN and IMSI out".to_owned())
            }
            (Form::Ota, None) => {
                let octets = Push::browser_settings(transaction, &self.browser_settings(url)).encode();
                let body = SmsBody::Data { destination: ota::PORT, originator: ORIGINATOR, octets };
                Ok((body, "browser settings".to_owned()))
            }
        }
    }

    fn document(&self, url: &str) -> Provisioning {
        let point = AccessPoint {
            id: ACCESS_POINT.to_owned(),
            name: self.name.clone(),
            apn: self.access_point.apn.clone(),
            login: self.login(),
            internet: self.access_point.internet,
        };
        let proxy = self.proxy.as_ref().map(|proxy| Proxy {
            id: PROXY.to_owned(),
            name: self.name.clone(),
            address: proxy.address.clone(),
            port: proxy.port,
            service: proxy.wsp.then(|| "CO-WSP".to_owned()),
            access_point: ACCESS_POINT.to_owned(),
            start_page: None,
        });
        let via = match &proxy {
            Some(_) => Via::Proxy(PROXY.to_owned()),
            None => Via::AccessPoint(ACCESS_POINT.to_owned()),
        };
        let account = MmsAccount { name: self.name.clone(), url: url.to_owned(), via };
        let mut all = vec![bootstrap(&self.name)];
        all.extend(proxy.map(|proxy| proxy.characteristic()));
        all.extend([point.characteristic(), account.characteristic()]);
        Provisioning::new(all)
    }

    fn login(&self) -> Option<Login> {
        let name = self.access_point.login.clone()?;
        Some(Login { chap: self.access_point.chap, name, secret: self.secret.clone() })
    }

    fn browser_settings(&self, url: &str) -> BrowserSettings {
        let point = &self.access_point;
        let mut address =
            ota::Characteristic::address().with("BEARER", "GPRS").with("GPRS_ACCESSPOINTNAME", &point.apn);
        if let Some(proxy) = &self.proxy {
            // 9201 is WSP with connections; other ports are written as they are.
            let port = proxy.port.to_string();
            address = address.with("PROXY", &proxy.address).with("PORT", &port);
        }
        if let Some(login) = &point.login {
            let kind = if point.chap { "CHAP" } else { "PAP" };
            address =
                address.with("PPP_AUTHTYPE", kind).with("PPP_AUTHNAME", login).with("PPP_AUTHSECRET", &self.secret);
        }
        let characteristics = vec![address, ota::Characteristic::name(&self.name), ota::Characteristic::mms_url(url)];
        BrowserSettings { characteristics }
    }
}
