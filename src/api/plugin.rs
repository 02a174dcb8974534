//! What a plugin is: a name, the roles it plays, and how each is built from its settings.
//!
//! ```ignore
//! pub static PLUGIN: Plugin =
//!     Plugin { name: "smtp", about: "Receives mail by SMTP.", roles: &[Role::listener::<SmtpListener>()] };
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::clock::{Clock, Random};
use crate::numbers::NumberPlan;
use crate::road::{Arrivals, Content, Handsets, Intake, Witness};
use crate::roles::{Bearer, Filter, Listener, Resolver, Transport};
use crate::serve::Door;
use crate::settings::{ConfigError, Declared, Section, Settings, declared};
use crate::spool::SpoolBudget;

/// A plugin.
pub struct Plugin {
    /// What `plugin = "…"` says.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// What it can be.
    pub roles: &'static [Role],
}

/// A role a plugin plays, with how to build it.
#[derive(Clone, Copy)]
pub enum Role {
    /// Receives messages.
    Listener(Factory<dyn Listener>),
    /// Inspects or edits.
    Filter(Factory<dyn Filter>),
    /// Answers a question.
    Resolver(Factory<dyn Resolver>),
    /// Takes a delivery one hop further.
    Transport(Factory<dyn Transport>),
    /// Carries one push.
    Bearer(Factory<dyn Bearer>),
}

/// How one role of a plugin is built.
pub struct Factory<T: ?Sized> {
    /// What its settings are.
    pub settings: fn() -> Declared,
    /// Decodes the settings and builds an instance. No side effects.
    pub build: Build<T>,
}

/// Settings in, instance out.
pub type Build<T> = fn(&Section<'_>, &Env) -> Result<Arc<T>, Vec<ConfigError>>;

impl<T: ?Sized> Clone for Factory<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: ?Sized> Copy for Factory<T> {}

/// What is built from settings.
pub trait Configured: Sized + 'static {
    /// Its settings.
    type Settings: Settings;

    /// Builds it. No side effects: no socket, no file written, no task. An error is `(key, message)`.
    fn build(settings: Self::Settings, env: &Env) -> Result<Self, (&'static str, String)>;
}

fn built<T: Configured>(section: &Section<'_>, env: &Env) -> Result<Arc<T>, Vec<ConfigError>> {
    let settings = section.decode::<T::Settings>()?;
    T::build(settings, env).map(Arc::new).map_err(|(key, message)| vec![section.error(key, message)])
}

macro_rules! role {
    ($(#[$doc:meta])* $make:ident, $variant:ident, $trait:ident) => {
        $(#[$doc])*
        pub const fn $make<T: Configured + $trait>() -> Role {
            Role::$variant(Factory {
                settings: declared::<T::Settings>,
                build: |section, env| built::<T>(section, env).map(|it| it as Arc<dyn $trait>),
            })
        }
    };
}

impl Role {
    role!(
        /// The listener role of `T`.
        listener, Listener, Listener
    );
    role!(
        /// The filter role of `T`.
        filter, Filter, Filter
    );
    role!(
        /// The resolver role of `T`.
        resolver, Resolver, Resolver
    );
    role!(
        /// The transport role of `T`.
        transport, Transport, Transport
    );
    role!(
        /// The bearer role of `T`.
        bearer, Bearer, Bearer
    );

    /// The word the config file uses.
    pub fn word(&self) -> &'static str {
        match self {
            Role::Listener(_) => "listener",
            Role::Filter(_) => "filter",
            Role::Resolver(_) => "resolver",
            Role::Transport(_) => "transport",
            Role::Bearer(_) => "bearer",
        }
    }

    /// What its settings are.
    pub fn declared(&self) -> Declared {
        match self {
            Role::Listener(f) => (f.settings)(),
            Role::Filter(f) => (f.settings)(),
            Role::Resolver(f) => (f.settings)(),
            Role::Transport(f) => (f.settings)(),
            Role::Bearer(f) => (f.settings)(),
        }
    }
}

/// What an instance is given when it is built. Each handle is narrow; there is no way from here to the store.
#[derive(Clone)]
pub struct Env {
    /// The instance's name: the `mail` of `[listener.mail]`.
    pub name: String,
    /// This node's host name.
    pub node: String,
    /// The directory relative file names start from: the config file's.
    pub base: PathBuf,
    /// How national numbers are read.
    pub numbers: NumberPlan,
    /// Whether logs may show whole numbers and addresses.
    pub show_addresses: bool,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// The budget for what is being received.
    pub spool: SpoolBudget,
    /// Takes messages in.
    pub intake: Arc<dyn Intake>,
    /// The handset door's handle.
    pub handsets: Arc<dyn Handsets>,
    /// Reads content.
    pub content: Arc<dyn Content>,
    /// Takes evidence.
    pub witness: Arc<dyn Witness>,
    /// Takes what arrives by short message.
    pub arrivals: Arc<dyn Arrivals>,
    /// The handset doors by listener name.
    pub doors: BTreeMap<String, Door>,
    /// Where messages are shown as pages, by listener name.
    pub pages: BTreeMap<String, Door>,
    /// The bearers by name, for transports.
    pub bearers: BTreeMap<String, Arc<dyn Bearer>>,
}

impl Env {
    /// A file name from the settings, as a path.
    pub fn path(&self, path: &Path) -> PathBuf {
        self.base.join(path)
    }

    /// An address for the log (I-11).
    pub fn shown(&self, party: &crate::party::Party) -> String {
        if self.show_addresses { party.to_string() } else { party.masked() }
    }

    /// The door of that name, or the only one.
    pub fn door(&self, name: Option<&str>) -> Result<Door, String> {
        pick(&self.doors, name, "listener with a handset door")
    }

    /// The pages of that listener, or of the only one that has some.
    pub fn page_door(&self, name: Option<&str>) -> Result<Door, String> {
        pick(&self.pages, name, "listener with pages")
    }

    /// The bearer of that name, or the only one.
    pub fn bearer(&self, name: Option<&str>) -> Result<Arc<dyn Bearer>, String> {
        pick(&self.bearers, name, "bearer")
    }
}

fn pick<T: Clone>(from: &BTreeMap<String, T>, name: Option<&str>, what: &str) -> Result<T, String> {
    let names = || from.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
    match name {
        Some(name) => {
            from.get(name).cloned().ok_or_else(|| format!("there is no {what} \"{name}\"; there are: {}", names()))
        }
        None if from.len() == 1 => from.values().next().cloned().ok_or_else(String::new),
        None if from.is_empty() => Err(format!("this needs a {what}, and none is configured")),
        None => Err(format!("say which {what}: {}", names())),
    }
}
