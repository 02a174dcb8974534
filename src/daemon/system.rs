//! Composition: a decoded config becomes a running system. Construct → decode → build → check → start → drain, in one
//! place; `packetboat check` is this path without the store and the sockets (I-9).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use packetboat_api::clock::{SystemClock, SystemRandom};
use packetboat_api::plugin::{Env, Role};
use packetboat_api::roles::{Bearer, Filter, Health, Instance, Listener, Resolver, Transport};
use packetboat_api::serve::{CancellationToken, Serve};
use packetboat_api::settings::ConfigError;
use packetboat_api::spool::SpoolBudget;
use packetboat_api::store::Store;
use packetboat_pipeline::queue::Queue;
use packetboat_pipeline::{Observer, Parts, Policy, Road, TransportSlot, Workers};
use packetboat_rules::Program;
use packetboat_store::EmbeddedStore;
use tokio_util::task::TaskTracker;

use crate::config::{Config, InstanceConfig};
use crate::server::Bound;
use crate::tls::Tls;

/// How long connections and attempts may take to finish while draining.
const DRAIN: Duration = Duration::from_secs(30);

/// How long one instance may take to end its work after that.
const INSTANCE_DRAIN: Duration = Duration::from_secs(5);

/// What serves connections: the instance's name, the server, its certificate.
type Server = (String, Arc<dyn Serve>, Option<Arc<Tls>>);

/// All instances, built.
#[derive(Default)]
pub struct Instances {
    /// Listeners by name.
    pub listeners: BTreeMap<String, Arc<dyn Listener>>,
    /// Bearers by name.
    pub bearers: BTreeMap<String, Arc<dyn Bearer>>,
    /// Transports by name, with their own back-off.
    pub transports: BTreeMap<String, (Arc<dyn Transport>, Option<packetboat_pipeline::Retry>)>,
    /// Filters in order of name.
    pub filters: BTreeMap<String, Arc<dyn Filter>>,
    /// Resolvers by name.
    pub resolvers: BTreeMap<String, Arc<dyn Resolver>>,
    /// Certificates by listener name.
    tls: BTreeMap<String, Arc<Tls>>,
}

impl Instances {
    /// Builds all of them, in the order in which they need each other. Reports every mistake.
    pub fn build(config: &Config<'_>, env: &Env, road: Option<&Road>) -> Result<Self, Vec<ConfigError>> {
        let mut built = Instances::default();
        let mut env = env.clone();
        let mut errors = Vec::new();
        for instance in &config.instances {
            env.name.clone_from(&instance.name);
            if let Some(road) = road {
                env.intake = road.intake(&instance.name);
            }
            if let Err(mistakes) = built.add(instance, &mut env) {
                errors.extend(mistakes);
            }
        }
        if errors.is_empty() { Ok(built) } else { Err(errors) }
    }

    fn add(&mut self, instance: &InstanceConfig<'_>, env: &mut Env) -> Result<(), Vec<ConfigError>> {
        let (name, section) = (instance.name.clone(), &instance.section);
        match instance.role {
            Role::Listener(factory) => {
                let listener = (factory.build)(section, env)?;
                let listen = listener.listen();
                let tls = listen.check().and_then(|()| Tls::load(&listen, &env.base));
                let tls = tls.map_err(|(key, message)| vec![section.error(key, message)])?;
                self.tls.extend(tls.map(|tls| (name.clone(), tls)));
                env.doors.extend(listener.door().map(|door| (name.clone(), door)));
                env.pages.extend(listener.pages().map(|door| (name.clone(), door)));
                self.listeners.insert(name, listener);
            }
            Role::Bearer(factory) => {
                let bearer = (factory.build)(section, env)?;
                env.bearers.insert(name.clone(), bearer.clone());
                self.bearers.insert(name, bearer);
            }
            Role::Transport(factory) => {
                let transport = (factory.build)(section, env)?;
                self.transports.insert(name, (transport, instance.common.retry.clone()));
            }
            Role::Filter(factory) => {
                self.filters.insert(name, (factory.build)(section, env)?);
            }
            Role::Resolver(factory) => {
                self.resolvers.insert(name, (factory.build)(section, env)?);
            }
        }
        Ok(())
    }

    /// Every instance with its role word and name.
    pub fn all(&self) -> Vec<(&'static str, &str, &dyn Instance)> {
        let mut all: Vec<(&'static str, &str, &dyn Instance)> = Vec::new();
        all.extend(self.listeners.iter().map(|(n, i)| ("listener", n.as_str(), i.as_ref() as &dyn Instance)));
        all.extend(self.bearers.iter().map(|(n, i)| ("bearer", n.as_str(), i.as_ref() as &dyn Instance)));
        all.extend(self.transports.iter().map(|(n, i)| ("transport", n.as_str(), i.0.as_ref() as &dyn Instance)));
        all.extend(self.filters.iter().map(|(n, i)| ("filter", n.as_str(), i.as_ref() as &dyn Instance)));
        all.extend(self.resolvers.iter().map(|(n, i)| ("resolver", n.as_str(), i.as_ref() as &dyn Instance)));
        all
    }

    /// How well they are: the ones that are not well.
    pub fn unwell(&self) -> Vec<(String, Health)> {
        let all = self.all().into_iter();
        let named = all.map(|(role, name, instance)| (format!("{role}.{name}"), instance.health()));
        named.filter(|(_, health)| *health != Health::Well).collect()
    }

    /// Everything that serves connections, with its certificate. A bearer's callbacks have none.
    fn servers(&self) -> Vec<Server> {
        let listeners = self.listeners.iter();
        let listeners = listeners.map(|(n, l)| (n.clone(), l.clone() as Arc<dyn Serve>, self.tls.get(n).cloned()));
        let callbacks = self.bearers.iter().filter_map(|(n, b)| Some((n.clone(), b.clone().callbacks()?, None)));
        listeners.chain(callbacks).collect()
    }

    fn workers(&self) -> Workers {
        let slot = |(n, (t, retry)): (&String, &(Arc<dyn Transport>, Option<packetboat_pipeline::Retry>))| {
            (n.clone(), TransportSlot::new(t.clone(), retry.clone()))
        };
        Workers {
            filters: self.filters.iter().map(|(n, f)| (n.clone(), f.clone())).collect(),
            transports: self.transports.iter().map(slot).collect(),
        }
    }
}

/// The environment every instance is built in; handles are the road's, or lead nowhere for `check`.
fn environment(config: &Config<'_>, road: Option<&Road>) -> Env {
    let spool_directory = config.store_path().join("receiving");
    let memory = usize::try_from(config.limits.receiving_memory.0).unwrap_or(usize::MAX);
    let env = Env {
        node: config.node.name.clone(),
        numbers: config.numbers.clone(),
        show_addresses: config.log.show_addresses,
        spool: SpoolBudget::new(memory, &spool_directory),
        ..Env::nowhere("", &config.base)
    };
    let Some(road) = road else { return env };
    Env {
        handsets: road.as_handsets(),
        content: road.as_content(),
        witness: road.as_witness(),
        arrivals: road.as_arrivals(),
        ..env
    }
}

/// Loads the rules and checks that they name transports there are.
pub fn rules(config: &Config<'_>) -> Result<Program, Vec<ConfigError>> {
    let program = Program::load(&config.rules.files, &config.base)?;
    let transports = config.instances.iter().filter(|i| i.role.word() == "transport");
    let names: Vec<&str> = transports.map(|i| i.name.as_str()).collect();
    let errors = program.check_transports(&names);
    if errors.is_empty() { Ok(program) } else { Err(errors) }
}

/// Builds everything as `run` would, without the store and the sockets.
pub fn rehearse(config: &Config<'_>) -> Result<(Instances, Program), Vec<ConfigError>> {
    let mut errors = Vec::new();
    let built = Instances::build(config, &environment(config, None), None).map_err(|e| errors.extend(e)).ok();
    let program = rules(config).map_err(|e| errors.extend(e)).ok();
    if let (Some(built), Some(program)) = (&built, &program) {
        let profiles = built.transports.values().flat_map(|(transport, _)| transport.profiles()).collect::<Vec<_>>();
        errors.extend(program.check_profiles(&profiles));
    }
    match (built, program) {
        (Some(built), Some(program)) if errors.is_empty() => Ok((built, program)),
        _ => Err(errors),
    }
}

/// A running system.
pub struct System {
    /// The road.
    pub road: Road,
    /// The store.
    pub store: Arc<dyn Store>,
    /// All instances.
    pub instances: Arc<Instances>,
    /// The addresses listeners (and bearers' callbacks) are really bound to, by instance name.
    pub addresses: BTreeMap<String, Vec<SocketAddr>>,
    tasks: TaskTracker,
    drain: CancellationToken,
    work: CancellationToken,
}

/// Why a system did not start.
#[derive(Debug)]
pub enum StartError {
    /// The configuration is wrong.
    Config(Vec<ConfigError>),
    /// Something else, in words.
    Other(String),
}

impl System {
    /// Opens the store, builds everything, binds, starts.
    pub async fn start(config: &Config<'_>, observer: Arc<dyn Observer>) -> Result<System, StartError> {
        // Everything that can be wrong with the configuration is found before anything is touched (I-9).
        let (_, program) = rehearse(config).map_err(StartError::Config)?;
        let other = |what: &str, path: &std::path::Path, e: std::io::Error| {
            StartError::Other(format!("{what} {} cannot be made: {e}", path.display()))
        };
        let receiving = config.store_path().join("receiving");
        std::fs::create_dir_all(&receiving).map_err(|e| other("the data directory", &receiving, e))?;
        let settings = packetboat_store::Settings { path: config.store_path(), ..config.store.embedded.clone() };
        let opened = tokio::task::spawn_blocking(move || EmbeddedStore::open(settings, Arc::new(SystemClock))).await;
        let opened = opened.map_err(|e| StartError::Other(e.to_string()))?;
        let store: Arc<dyn Store> =
            Arc::new(opened.map_err(|e| StartError::Other(format!("the store cannot be opened: {e}")))?);
        let road = Road::new(Parts {
            store: store.clone(),
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            node: config.node.name.clone(),
            program: Arc::new(program),
            policy: Policy { limits: config.limits.clone(), queue: config.queue.clone() },
            observer,
        });
        let env = environment(config, Some(&road));
        let instances = Arc::new(Instances::build(config, &env, Some(&road)).map_err(StartError::Config)?);
        let system = System {
            road,
            store,
            instances,
            addresses: BTreeMap::new(),
            tasks: TaskTracker::new(),
            drain: CancellationToken::new(),
            work: CancellationToken::new(),
        };
        system.open_up().await.map_err(StartError::Other)
    }

    async fn open_up(mut self) -> Result<System, String> {
        let mut bound = Vec::new();
        for (name, server, tls) in self.instances.servers() {
            let server = Bound::bind(&name, server, tls).await?;
            self.addresses.entry(name).or_default().extend(server.addresses());
            bound.push(server);
        }
        for (role, name, instance) in self.instances.all() {
            instance.start().await.map_err(|e| format!("{role}.{name}: {e}"))?;
        }
        self.road.engage(self.instances.workers());
        for server in bound {
            server.run(&self.tasks, &self.drain);
        }
        let (queue, work) = (Queue::new(&self.road), self.work.clone());
        self.tasks.spawn(queue.run(work));
        let (road, work) = (self.road.clone(), self.work.clone());
        self.tasks.spawn(async move { road.run_janitor(work).await });
        Ok(self)
    }

    /// Takes nothing new, finishes what is under way, closes the store. False when something had to be given up.
    pub async fn drain(self) -> bool {
        self.drain.cancel();
        self.work.cancel();
        self.tasks.close();
        let finished = tokio::time::timeout(DRAIN, self.tasks.wait()).await.is_ok();
        for (role, name, instance) in self.instances.all() {
            if tokio::time::timeout(INSTANCE_DRAIN, instance.drain()).await.is_err() {
                tracing::warn!("{role}.{name} did not finish its work in time");
            }
        }
        self.road.flush().await;
        self.store.close().await;
        finished
    }

    /// Runs `task` until it ends; draining waits for it.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// Cancelled when the system drains.
    pub fn draining(&self) -> CancellationToken {
        self.drain.clone()
    }
}
