//! The daemon: composition and command line only, no mail logic.
//!
//! - [`cli`]: every command and option; [`config`]: the config file; [`system`]: config → running system;
//! - [`server`], [`tls`]: listening, once for all plugins; [`admin`], [`metrics`]: what operators and monitors see;
//! - [`run`], [`check`], [`lab`], [`send`], [`view`], [`decode`], [`doc`]: the commands.

mod admin;
mod check;
mod cli;
mod config;
mod decode;
mod doc;
mod lab;
mod metrics;
mod run;
mod send;
mod server;
mod system;
mod tls;
mod view;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command, QueueAction};

/// Contents come and go in pieces of every size on all threads: the system's allocator spends a tenth of the time on that.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    // One TLS provider for everything; a second installation is not an error worth a word.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match cli.command {
        Command::Run(file) => run::command(&file.config),
        Command::Check(file) => check::command(&file.config),
        Command::Lab(options) => lab::command(&options),
        Command::Send(options) => send::command(&options),
        Command::Queue(options) => match options.action {
            QueueAction::List { config, state, to, from, via, limit, json } => {
                let filter = view::Wanted { states: state, to, from, via, limit };
                view::list(&config.config, &filter, json.json)
            }
            QueueAction::Show(options) => view::trace(&options),
            QueueAction::Revoke(options) => view::revoke(&options),
        },
        Command::Trace(options) => view::trace(&options),
        Command::Handset(options) => view::handset(&options),
        Command::Provision(options) => view::provision(&options),
        Command::Decode(options) => decode::command(&options),
        Command::Plugins(json) => doc::plugins(json.json),
        Command::Doc(options) => doc::command(&options),
    }
}

/// An async runtime for commands that need one.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// Prints what went wrong, and gives the exit status that says so.
fn failed(message: impl std::fmt::Display) -> ExitCode {
    eprintln!("packetboat: {message}");
    ExitCode::FAILURE
}
