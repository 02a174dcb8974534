//! The config file: read, checked, decoded (I-9). Unknown keys, duplicate names and impossible values are errors that
//! name the file, the line and the nearest valid key.

use std::path::{Path, PathBuf};

use packetboat_api::numbers::NumberPlan;
use packetboat_api::plugin::{Plugin, Role};
use packetboat_api::serve::Listen;
use packetboat_api::settings::{ConfigError, Section, Settings, Source, unknown};
use packetboat_pipeline::{Impossible, LimitSettings, QueueSettings, Retry};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use tracing_subscriber::EnvFilter;

/// `[node]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct NodeSettings {
    /// This node's host name, as other systems and people see it in Message-IDs, greetings and reports.
    pub name: String,
}

impl Default for NodeSettings {
    fn default() -> Self {
        NodeSettings { name: "localhost".to_owned() }
    }
}

impl NodeSettings {
    /// What cannot be: it stands in Message-IDs and greetings.
    fn check(&self) -> Result<(), Impossible> {
        let label =
            |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        match self.name.len() <= 253 && self.name.split('.').all(label) {
            true => Ok(()),
            false => Err(("name", format!("\"{}\" is not a host name, such as \"mmsc1.example.net\"", self.name))),
        }
    }
}

/// `[store]`
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct StoreSettings {
    /// Which store.
    pub kind: StoreKind,
    /// Its settings.
    #[serde(flatten)]
    pub embedded: packetboat_store::Settings,
}

/// Which store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StoreKind {
    /// One machine: SQLite and content segments in a directory.
    #[default]
    Embedded,
}

/// `[rules]`
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct RuleSettings {
    /// Rule files, read in file-name order; `*` stands for any part of a file name.
    #[schemars(example = ["rules/*.toml"])]
    pub files: Vec<String>,
}

/// `[log]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct LogSettings {
    /// What to log: `error`, `warn`, `info`, `debug`, `trace`, or a filter such as `info,packetboat_smtp=debug`.
    pub level: String,
    /// `text` for people, `json` for machines.
    pub format: LogFormat,
    /// Write whole numbers and addresses; otherwise most of them is hidden.
    pub show_addresses: bool,
}

impl Default for LogSettings {
    fn default() -> Self {
        LogSettings { level: "info".to_owned(), format: LogFormat::Text, show_addresses: false }
    }
}

impl LogSettings {
    /// What cannot be.
    fn check(&self) -> Result<(), Impossible> {
        let wrong = |e| ("level", format!("\"{}\" is not a log filter: {e}", self.level));
        EnvFilter::try_new(&self.level).map(drop).map_err(wrong)
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One line of text.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// `[admin]`
#[derive(Clone, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct AdminSettings {
    /// Where `/health`, `/metrics` and the command line's queue view are served; keep it off public networks.
    pub listen: String,
}

impl Default for AdminSettings {
    fn default() -> Self {
        AdminSettings { listen: "127.0.0.1:8080".to_owned() }
    }
}

impl AdminSettings {
    /// What cannot be.
    fn check(&self) -> Result<(), Impossible> {
        Listen { listen: vec![self.listen.clone()], ..Listen::default() }.check()
    }
}

/// What every `[transport.NAME]` may say beside its plugin's own keys.
#[derive(Clone, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct TransportCommon {
    /// Back-off between attempts, instead of `[queue.retry]`.
    pub retry: Option<Retry>,
}

/// One configured instance: which plugin, in which role, with what settings.
#[derive(Clone)]
pub struct InstanceConfig<'a> {
    /// Its name.
    pub name: String,
    /// Its plugin's role.
    pub role: Role,
    /// Its own table, without the keys that are not the plugin's.
    pub section: Section<'a>,
    /// What transports may say beside.
    pub common: TransportCommon,
}

/// The whole file.
pub struct Config<'a> {
    /// `[node]`
    pub node: NodeSettings,
    /// `[numbers]`
    pub numbers: NumberPlan,
    /// `[store]`
    pub store: StoreSettings,
    /// `[rules]`
    pub rules: RuleSettings,
    /// `[limits]`
    pub limits: LimitSettings,
    /// `[queue]`
    pub queue: QueueSettings,
    /// `[log]`
    pub log: LogSettings,
    /// `[admin]`
    pub admin: AdminSettings,
    /// All instances, listeners first, then bearers, transports, filters and resolvers, each by name.
    pub instances: Vec<InstanceConfig<'a>>,
    /// The directory relative names start from.
    pub base: PathBuf,
}

/// The role words, in the order instances are built.
pub const ROLES: [&str; 5] = ["listener", "bearer", "transport", "filter", "resolver"];
/// The plain tables.
pub const TABLES: [&str; 8] = ["node", "numbers", "store", "rules", "limits", "queue", "log", "admin"];

/// Reads a file.
pub fn read(path: &Path) -> Result<Source, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|e| ConfigError {
        file: path.to_owned(),
        place: None,
        key: String::new(),
        message: format!("cannot be read: {e}; `packetboat doc config` prints a commented one to start from"),
    })?;
    Ok(Source { path: path.to_owned(), text })
}

impl<'a> Config<'a> {
    /// Decodes all of it; every mistake is reported, not just the first.
    pub fn decode(source: &'a Source, plugins: &[&'static Plugin]) -> Result<Self, Vec<ConfigError>> {
        let root = source.parse().map_err(|e| vec![e])?;
        let mut errors = Vec::new();
        for (key, value) in root.get_ref() {
            let known = TABLES.iter().chain(&ROLES);
            if !known.clone().any(|name| *name == key.get_ref()) {
                errors.push(source.error(Some(key.span()), key.get_ref(), unknown(key.get_ref(), known.copied())));
            } else if !value.get_ref().is_table() {
                errors.push(source.error(
                    Some(key.span()),
                    key.get_ref(),
                    format!("[{}] must be a table", key.get_ref()),
                ));
            }
        }
        let base = source.path.parent().map(Path::to_owned).unwrap_or_default();
        let config = Config {
            node: plain(source, root.get_ref(), "node", NodeSettings::check, &mut errors),
            numbers: plain(source, root.get_ref(), "numbers", NumberPlan::check, &mut errors),
            store: plain(source, root.get_ref(), "store", |_: &StoreSettings| Ok(()), &mut errors),
            rules: plain(source, root.get_ref(), "rules", |_: &RuleSettings| Ok(()), &mut errors),
            limits: plain(source, root.get_ref(), "limits", LimitSettings::check, &mut errors),
            queue: plain(source, root.get_ref(), "queue", QueueSettings::check, &mut errors),
            log: plain(source, root.get_ref(), "log", LogSettings::check, &mut errors),
            admin: plain(source, root.get_ref(), "admin", AdminSettings::check, &mut errors),
            instances: instances(source, root.get_ref(), plugins, &mut errors),
            base,
        };
        if errors.is_empty() { Ok(config) } else { Err(errors) }
    }

    /// The data directory.
    pub fn store_path(&self) -> PathBuf {
        self.base.join(&self.store.embedded.path)
    }
}

fn table_of<'s, 'a>(root: &'s DeTable<'a>, name: &str) -> Option<(std::ops::Range<usize>, &'s DeTable<'a>)> {
    let (key, value) = root.iter().find(|(key, _)| key.get_ref() == name)?;
    Some((key.span(), value.get_ref().as_table()?))
}

fn plain<S: Settings>(
    source: &Source,
    root: &DeTable<'_>,
    name: &str,
    check: impl Fn(&S) -> Result<(), Impossible>,
    errors: &mut Vec<ConfigError>,
) -> S {
    let Some((span, table)) = table_of(root, name) else { return S::default() };
    let section = Section { source, key: name.to_owned(), span, table: table.clone() };
    let decoded = section.decode().and_then(|settings| match check(&settings) {
        Ok(()) => Ok(settings),
        Err((key, message)) => Err(vec![section.error(key, message)]),
    });
    decoded.unwrap_or_else(|found| {
        errors.extend(found);
        S::default()
    })
}

fn instances<'a>(
    source: &'a Source,
    root: &DeTable<'a>,
    plugins: &[&'static Plugin],
    errors: &mut Vec<ConfigError>,
) -> Vec<InstanceConfig<'a>> {
    let mut found = Vec::new();
    for word in ROLES {
        let Some((_, tables)) = table_of(root, word) else { continue };
        for (name, value) in tables {
            match instance(source, word, name, value, plugins) {
                Ok(instance) => found.push(instance),
                Err(mistakes) => errors.extend(mistakes),
            }
        }
    }
    found
}

fn instance<'a>(
    source: &'a Source,
    word: &str,
    name: &Spanned<std::borrow::Cow<'a, str>>,
    value: &Spanned<DeValue<'a>>,
    plugins: &[&'static Plugin],
) -> Result<InstanceConfig<'a>, Vec<ConfigError>> {
    let key = format!("{word}.{}", name.get_ref());
    let one = |message: String| vec![source.error(Some(name.span()), &key, message)];
    let Some(table) = value.get_ref().as_table() else { return Err(one(format!("[{key}] must be a table"))) };
    let mut table = table.clone();
    let plugin = table.remove("plugin").ok_or_else(|| one("plugin = \"…\" is missing".to_owned()))?;
    let Some(wanted) = plugin.get_ref().as_str().map(str::to_owned) else {
        let message = "plugin must be a name in quotes";
        return Err(vec![source.error(Some(plugin.span()), &format!("{key}.plugin"), message)]);
    };
    let able = plugins.iter().filter(|p| p.roles.iter().any(|role| role.word() == word));
    let role = able.clone().find(|p| p.name == wanted).and_then(|p| p.roles.iter().find(|role| role.word() == word));
    let Some(role) = role else {
        let names: Vec<&str> = able.map(|p| p.name).collect();
        let message = format!("there is no {word} plugin \"{wanted}\"; there are: {}", names.join(", "));
        return Err(vec![source.error(Some(plugin.span()), &format!("{key}.plugin"), message)]);
    };
    let mut common = TransportCommon::default();
    if let (true, Some(retry)) = (word == "transport", table.remove_entry("retry")) {
        let only: DeTable<'a> = std::iter::once(retry).collect();
        let section = Section { source, key: key.clone(), span: name.span(), table: only };
        common = section.decode()?;
        let impossible = common.retry.as_ref().map_or(Ok(()), Retry::check);
        impossible.map_err(|(key, message)| vec![section.error(key, message)])?;
    }
    let section = Section { source, key, span: name.span(), table };
    Ok(InstanceConfig { name: name.get_ref().to_string(), role: *role, section, common })
}

#[cfg(test)]
mod tests;
