//! Where the laboratory lives: a directory with the configuration it runs on, and its ports.
//!
//! The directory is temporary and readable by its owner only; it is removed when the laboratory ends, unless it was named
//! with `--keep`. A named directory is used only when it is empty or was a laboratory's before.

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use packetboat_api::clock::{Random, SystemRandom};
use packetboat_api::party::Msisdn;

/// The domain at which numbers are handsets.
pub const DOMAIN: &str = "mms.localhost";
/// The ports of the laboratory: mail, handsets, page and administration.
const SMTP: u16 = 2525;
const MM1: u16 = 8002;
const ADMIN: u16 = 8080;
const PAGES: u16 = 8003;
/// The profile of settings with which a phone reaches the laboratory.
pub const PROFILE: &str = "lab";
/// How long direct delivery has before a link is sent instead: short, so that it can be watched.
const DIRECT: &str = "20s";
/// How the configuration file begins; how a laboratory's directory is known.
const MARK: &str = "# Written by `packetboat lab`";
const CONFIG: &str = "packetboat.toml";

const PROVISIONING: &str = "# Written by `packetboat lab`: settings with which a phone reaches the laboratory.
name = \"The laboratory\"

[access_point]
apn = \"lab\"
";

/// The directory.
pub struct Place {
    directory: PathBuf,
    temporary: bool,
}

impl Place {
    /// The named directory, or a temporary one.
    pub fn make(keep: Option<&Path>) -> Result<Place, String> {
        let place = match keep {
            Some(directory) => {
                Place { directory: std::path::absolute(directory).map_err(|e| e.to_string())?, temporary: false }
            }
            None => {
                let name = format!("packetboat-lab-{}", SystemRandom.token(10));
                Place { directory: std::env::temp_dir().join(name), temporary: true }
            }
        };
        place.check()?;
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&place.directory);
        made.map_err(|e| format!("{} cannot be made: {e}", place.directory.display()))?;
        Ok(place)
    }

    fn check(&self) -> Result<(), String> {
        let Ok(mut entries) = fs::read_dir(&self.directory) else { return Ok(()) };
        let ours = fs::read_to_string(self.config()).is_ok_and(|text| text.starts_with(MARK));
        match ours || entries.next().is_none() {
            true => Ok(()),
            false => {
                Err(format!("{} is not empty and was no laboratory; name another directory", self.directory.display()))
            }
        }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// The configuration file in it.
    pub fn config(&self) -> PathBuf {
        self.directory.join(CONFIG)
    }

    /// Whether it stays.
    pub fn stays(&self) -> bool {
        !self.temporary
    }

    /// Writes the configuration, the rules and the subscribers.
    pub fn furnish(&self, plan: &Plan) -> Result<(), String> {
        let files = [
            (self.config(), plan.config()),
            (self.directory.join("rules").join("10-lab.toml"), plan.rules()),
            (self.directory.join("provisioning").join(format!("{PROFILE}.toml")), PROVISIONING.to_owned()),
            (self.directory.join("subscribers.toml"), plan.subscribers()),
        ];
        let cannot = |path: &Path, e: std::io::Error| format!("{} cannot be written: {e}", path.display());
        for (path, text) in files {
            let parent = path.parent().unwrap_or(&self.directory);
            fs::create_dir_all(parent).map_err(|e| cannot(parent, e))?;
            fs::write(&path, text).map_err(|e| cannot(&path, e))?;
        }
        Ok(())
    }

    /// Removes it, if it is temporary.
    pub fn clear(&self) {
        if self.temporary {
            let _ = fs::remove_dir_all(&self.directory);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Which addresses the laboratory listens on.
#[derive(Clone, Copy, Debug)]
pub struct Ports {
    /// The SMTP listener.
    pub smtp: SocketAddr,
    /// The handset door.
    pub mm1: SocketAddr,
    /// Where messages are shown as pages.
    pub pages: SocketAddr,
    /// The page, the short messages and the administration.
    pub admin: SocketAddr,
}

impl Ports {
    /// The usual ones, or any. The error names those that are taken, and the way out.
    pub fn choose(any: bool) -> Result<Ports, String> {
        let local = |port: u16| SocketAddr::from((Ipv4Addr::LOCALHOST, if any { 0 } else { port }));
        let ports = Ports { smtp: local(SMTP), mm1: local(MM1), pages: local(PAGES), admin: local(ADMIN) };
        let uses = [(ports.smtp, "mail"), (ports.mm1, "handsets"), (ports.pages, "pages"), (ports.admin, "the page")];
        let taken = uses.iter().filter_map(|(address, what)| {
            let error = std::net::TcpListener::bind(address).err()?;
            Some(format!("port {} ({what}) cannot be used: {error}", address.port()))
        });
        let taken: Vec<String> = taken.collect();
        match taken.is_empty() {
            true => Ok(ports),
            false => Err(format!(
                "{}\nIs another laboratory running? `packetboat lab --any-port` takes free ports.",
                taken.join("\n")
            )),
        }
    }
}

/// What the configuration is written from.
pub struct Plan<'a> {
    /// The addresses.
    pub ports: Ports,
    /// Where the mailbox takes mail.
    pub mailbox: SocketAddr,
    /// The numbers of the handsets with the secrets in their MMSC addresses.
    pub phones: &'a [(Msisdn, String)],
}

impl Plan<'_> {
    fn config(&self) -> String {
        let Plan { ports: Ports { smtp, mm1, pages, admin }, mailbox, .. } = self;
        format!(
            r#"{MARK}: what the laboratory runs on. Try things out here; it is written anew each time.

[node]
name = "lab.localhost"

[store]
path = "data"

[numbers]                           # 07700 900101 is +44 7700 900101
country_code         = "44"
international_prefix = "00"
national_prefix      = "0"
national_lengths     = [10]

[log]
level          = "warn"             # the road is on the terminal already
show_addresses = true

[admin]
listen = "{admin}"

[listener.mail]
plugin  = "smtp"
listen  = ["{smtp}"]
domains = ["{DOMAIN}"]
trusted_networks = ["127.0.0.0/8", "::1/128"]

[listener.handsets]
plugin      = "mm1"
listen      = ["{mm1}"]
subscribers = "subscribers.toml"

[listener.pages]                    # messages as web pages, for phones that cannot fetch
plugin = "pages"
listen = ["{pages}"]

[bearer.air]
plugin     = "lab"
deliver_to = "http://{admin}/lab/sms"

[transport.direct]
plugin = "direct"

[transport.wap_push]                # a text message with the address of such a page
plugin    = "wap_push"
sender_id = "packetboat"

[transport.settings]                # settings with which a phone reaches us
plugin = "provision"

[transport.mail]
plugin     = "mail"
smart_host = "{mailbox}"
tls        = "none"
domain     = "{DOMAIN}"

[rules]
files = ["rules/*.toml"]
"#
        )
    }

    fn rules(&self) -> String {
        let numbers: Vec<String> = self.phones.iter().map(|(number, _)| format!("\"{number}\"")).collect();
        let mut text = format!(
            r#"{MARK}.

[[rule]]                            # not again, when it did not work the last time
name  = "phones that do not reach us"
to    = [{0}]
when  = 'message.kind == "personal" && handset.direct_fails'
route = ["wap_push"]

[[rule]]
name  = "the phones of the laboratory"
to    = [{0}]
route = [{{ via = "direct", wait = "{DIRECT}" }}, "wap_push"]

[[rule]]
name  = "mailboxes"
to    = ["*@*"]
route = ["mail"]

[[rule]]
name   = "nobody else"
reject = "the laboratory has only these phones: {1}"
"#,
            numbers.join(", "),
            numbers.join(" and ").replace('"', "")
        );
        for number in &numbers {
            let _ = write!(text, "\n[[test]]\nto     = {number}\nexpect = [\"direct\", \"wap_push\"]\n");
        }
        if let Some(number) = numbers.first() {
            let fails = "handset = \"direct fails\"\nexpect = [\"wap_push\"]";
            let _ = write!(text, "\n[[test]]\nto      = {number}\n{fails}\n");
        }
        text + "\n[[test]]\nto     = \"anybody@example.org\"\nexpect = [\"mail\"]\n"
    }

    fn subscribers(&self) -> String {
        let mut text = format!("{MARK}. The secret is in the MMSC address of the phone: http://…/mms/SECRET\n");
        for (number, secret) in self.phones {
            let _ = write!(text, "\n[[subscriber]]\nnumber = \"{number}\"\nsecret = \"{secret}\"\n");
        }
        text
    }
}
