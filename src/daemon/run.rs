//! `packetboat run`: starts, says so in one line, runs until it is told to stop, drains.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use packetboat_api::mask::masked;
use packetboat_api::settings::ConfigError;
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::config::{Config, LogFormat, LogSettings, read};
use crate::metrics::Metrics;
use crate::system::{StartError, System};
use crate::{admin, failed, runtime};

/// Exit status for a configuration that is wrong, so that a service manager need not try again.
const WRONG_CONFIG: u8 = 2;

/// The command.
pub fn command(path: &Path) -> ExitCode {
    with_config(path, run)
}

/// Reads and decodes a config file for a command; mistakes are printed.
pub fn with_config(path: &Path, command: impl FnOnce(&Config<'_>) -> ExitCode) -> ExitCode {
    let source = match read(path) {
        Ok(source) => source,
        Err(error) => return wrong_config(&[error]),
    };
    match Config::decode(&source, packetboat_plugins::all()) {
        Ok(config) => command(&config),
        Err(errors) => wrong_config(&errors),
    }
}

fn run(config: &Config<'_>) -> ExitCode {
    if let Err(error) = start_logging(&config.log) {
        return failed(error);
    }
    match runtime() {
        Ok(runtime) => runtime.block_on(serve(config)),
        Err(error) => failed(error),
    }
}

/// Prints every mistake.
pub fn wrong_config(errors: &[ConfigError]) -> ExitCode {
    for error in errors {
        eprintln!("packetboat: {error}");
    }
    ExitCode::from(WRONG_CONFIG)
}

/// Sends log lines to standard error; standard output is for machines.
pub fn start_logging(settings: &LogSettings) -> Result<(), String> {
    let filter = EnvFilter::try_new(&settings.level)
        .map_err(|e| format!("log.level \"{}\" is not a log filter: {e}", settings.level))?;
    let logger = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer({
            let whole = settings.show_addresses;
            move || LogLines { whole }
        })
        .with_ansi(std::io::stderr().is_terminal());
    match settings.format {
        LogFormat::Text => logger.with_target(false).init(),
        LogFormat::Json => logger.json().flatten_event(true).init(),
    }
    Ok(())
}

/// Standard error, with numbers and addresses hidden unless the operator wants to see them (I-11). The logger hands over
/// one whole line at a time.
struct LogLines {
    whole: bool,
}

impl Write for LogLines {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        let mut out = std::io::stderr().lock();
        match self.whole {
            true => out.write_all(line)?,
            false => out.write_all(masked(&String::from_utf8_lossy(line)).as_bytes())?,
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

async fn serve(config: &Config<'_>) -> ExitCode {
    let socket = match admin::bind(config).await {
        Ok(socket) => socket,
        Err(error) => return failed(error),
    };
    let metrics = Metrics::new();
    let system = match System::start(config, metrics.clone()).await {
        Ok(system) => system,
        Err(StartError::Config(errors)) => return wrong_config(&errors),
        Err(StartError::Other(error)) => return failed(error),
    };
    let admin = match admin::serve(socket, config, &system, metrics, axum::Router::new()) {
        Ok(address) => address,
        Err(error) => return failed(error),
    };
    println!("{}", ready_line(&system.addresses, admin));
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Ready]);
    stop_signal().await;
    let _ = sd_notify::notify(&[sd_notify::NotifyState::Stopping]);
    tracing::info!("draining: nothing new is taken, what is under way is finished");
    tokio::spawn(async {
        stop_signal().await;
        std::process::exit(1); // told twice: at once, and the store is made for it
    });
    if !system.drain().await {
        tracing::warn!("some connections were given up; nothing acknowledged is lost");
    }
    ExitCode::SUCCESS
}

/// The one line by which supervisors and tests know where everything is.
pub fn ready_line(listeners: &BTreeMap<String, Vec<SocketAddr>>, admin: SocketAddr) -> String {
    json!({ "event": "ready", "listeners": listeners, "admin": admin }).to_string()
}

/// Returns when the process is told to stop.
pub async fn stop_signal() {
    let (Ok(mut term), Ok(mut int)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
}
