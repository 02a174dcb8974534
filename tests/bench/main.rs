//! What the daemon does in a second, beside what something known does in the same minute on the same disk.
//!
//! Black box: starts the release binary with a config of its own, drives it over its ports, and drives the reference the
//! same way, in turns. `README.md` is the method and how to read the table.
//!
//! The tour:
//! - [`rows`]: one file a row of the table: what is measured, against what, what is owed;
//! - [`load`]: the generators: SMTP, HTTP, and what they send;
//! - [`peers`]: the other side: the daemon, a private Postfix, bare HTTP servers, a bare append loop, the bearer's sink;
//! - [`measure`]: medians, settling the disk, CPU time; [`environment`]: the machine; [`report`]: the table.

mod environment;
mod load;
mod measure;
mod options;
mod peers;
mod report;
mod rows;
#[cfg(test)]
mod tests;

use std::process::ExitCode;

use clap::Parser;

use options::{Command, Options};

/// What may go wrong in a benchmark is only ever shown.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> ExitCode {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let done = runtime.map_err(Into::into).and_then(|runtime| match &options.command {
        Some(Command::Reference(reference)) => runtime.block_on(peers::reference::serve(reference)),
        None => runtime.block_on(run(&options)),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("packetboat-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(options: &Options) -> Result<()> {
    allow_many_descriptors();
    let bench = rows::Bench::new(options)?;
    let before = environment::Facts::collect(&bench)?;
    let mut lines = Vec::new();
    let mut left_out = Vec::new();
    for row in options.wanted()? {
        eprintln!("== {}", row.name);
        match (row.measure)(&bench).await {
            Ok(found) => lines.extend(found),
            Err(error) => {
                eprintln!("{}: left out: {error}", row.name);
                left_out.push((row.name, error.to_string()));
            }
        }
    }
    let report = report::Report { facts: before.finished(), lines, left_out };
    match options.json {
        true => println!("{:#}", report.json()),
        false => print!("{}", report.table()),
    }
    match report.left_out.is_empty() {
        true => Ok(()),
        false => Err("not every row could be measured".into()),
    }
}

/// A thousand sessions need a descriptor each, here and in the daemon, which inherits the limit.
fn allow_many_descriptors() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}
