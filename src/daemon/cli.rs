//! The command line. One definition per option: help, man page and shell completions come from here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use packetboat_api::delivery::State;
use packetboat_api::party::Msisdn;

/// A mail-bridge daemon that treats MMS as mail.
#[derive(Debug, Parser)]
#[command(name = "packetboat", version, about, arg_required_else_help = true, max_term_width = 110)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the daemon.
    Run(ConfigFile),
    /// Check the configuration and the rules' own tests, without opening the store or a socket.
    Check(ConfigFile),
    /// Run a laboratory on loopback: the daemon, two virtual handsets and a mailbox, in a temporary directory.
    Lab(LabOptions),
    /// Send a mail, with a photo if you like, through a running daemon's SMTP listener.
    Send(SendOptions),
    /// Look at the deliveries of a running (or stopped) daemon.
    Queue(QueueOptions),
    /// Show everything that happened to a message.
    Trace(TraceOptions),
    /// Show what is remembered of a phone and its network.
    Handset(HandsetOptions),
    /// Send settings (OMA client provisioning) to a phone, so that it can fetch from where they say.
    Provision(ProvisionOptions),
    /// Read an MMS PDU, a WAP push, or short messages, and say what is in them.
    Decode(DecodeOptions),
    /// List the plugins of this build and their roles.
    Plugins(Json),
    /// Print the documentation that is made from the program itself.
    Doc(DocOptions),
}

/// Where the configuration is.
#[derive(Clone, Debug, Args)]
pub struct ConfigFile {
    /// The config file.
    #[arg(
        short,
        long,
        value_name = "FILE",
        env = "PACKETBOAT_CONFIG",
        default_value = "/etc/packetboat/packetboat.toml"
    )]
    pub config: PathBuf,
}

/// Machine-readable output.
#[derive(Clone, Copy, Debug, Args)]
pub struct Json {
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `lab`
#[derive(Clone, Debug, Args)]
pub struct LabOptions {
    /// Send this photo instead of the sample.
    #[arg(long, value_name = "FILE")]
    pub photo: Option<PathBuf>,
    /// Send it to this number instead of the first virtual handset's.
    #[arg(long, value_name = "NUMBER")]
    pub to: Option<String>,
    /// End as soon as the sample has been retrieved: 0 when it was, 1 with the reason when it was not within 30 seconds.
    #[arg(long)]
    pub once: bool,
    /// Keep the data in this directory instead of a temporary one.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Take any free ports instead of the usual ones.
    #[arg(long)]
    pub any_port: bool,
}

/// `send`
#[derive(Clone, Debug, Args)]
pub struct SendOptions {
    /// The recipient: a number or a mail address; may be given more than once.
    #[arg(long, value_name = "ADDRESS", required = true)]
    pub to: Vec<String>,
    /// The sender's mail address.
    #[arg(long, value_name = "ADDRESS", default_value = "someone@localhost")]
    pub from: String,
    /// The subject.
    #[arg(long, default_value = "")]
    pub subject: String,
    /// The text.
    #[arg(long, default_value = "")]
    pub text: String,
    /// A photo, or any other file; may be given more than once.
    #[arg(long, value_name = "FILE")]
    pub photo: Vec<PathBuf>,
    /// The SMTP listener.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:2525")]
    pub server: String,
    /// The domain at which numbers are handsets there.
    #[arg(long, default_value = "mms.localhost")]
    pub domain: String,
}

/// `queue`
#[derive(Clone, Debug, Args)]
pub struct QueueOptions {
    /// What to do.
    #[command(subcommand)]
    pub action: QueueAction,
}

/// What to do with the queue.
#[derive(Clone, Debug, Subcommand)]
pub enum QueueAction {
    /// List deliveries, newest first.
    List {
        /// Where the configuration is.
        #[command(flatten)]
        config: ConfigFile,
        /// Only those in this state; may be given more than once.
        #[arg(long, value_name = "STATE", value_delimiter = ',', value_parser = State::ALL.map(State::word))]
        state: Vec<String>,
        /// Only those to this recipient.
        #[arg(long, value_name = "ADDRESS")]
        to: Option<String>,
        /// Only those from this sender.
        #[arg(long, value_name = "ADDRESS")]
        from: Option<String>,
        /// Only those now with this transport.
        #[arg(long, value_name = "TRANSPORT")]
        via: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 50)]
        limit: usize,
        /// Print JSON.
        #[command(flatten)]
        json: Json,
    },
    /// Show one delivery, or all of a message.
    Show(TraceOptions),
    /// Withdraw a delivery, or all of a message: what is behind its address or page cannot be fetched any more.
    Revoke(TraceOptions),
}

/// `handset`
#[derive(Clone, Debug, Args)]
pub struct HandsetOptions {
    /// The phone's number, in E.164 form.
    #[arg(value_name = "NUMBER")]
    pub number: Msisdn,
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigFile,
    /// Print JSON.
    #[command(flatten)]
    pub json: Json,
}

/// `provision`
#[derive(Clone, Debug, Args)]
pub struct ProvisionOptions {
    /// The phone's number, in E.164 form.
    #[arg(value_name = "NUMBER")]
    pub number: Msisdn,
    /// The profile: the name of a file in the provision transport's directory, without ".toml".
    #[arg(long, value_name = "NAME")]
    pub profile: String,
    /// The subscriber must type this to accept the settings (USERPIN).
    #[arg(long, value_name = "DIGITS")]
    pub pin: Option<String>,
    /// The number of the SIM: settings that come with it are taken without asking (NETWPIN).
    #[arg(long, value_name = "DIGITS")]
    pub imsi: Option<String>,
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigFile,
    /// Print JSON.
    #[command(flatten)]
    pub json: Json,
}

/// `trace`
#[derive(Clone, Debug, Args)]
pub struct TraceOptions {
    /// The message: its id, a delivery's id, or its Message-ID.
    #[arg(value_name = "ID")]
    pub id: String,
    /// Where the configuration is.
    #[command(flatten)]
    pub config: ConfigFile,
    /// Print JSON.
    #[command(flatten)]
    pub json: Json,
}

/// `decode`
#[derive(Clone, Debug, Args)]
pub struct DecodeOptions {
    /// The file; `-` reads standard input.
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// It is a WAP push, or the hex of the user data of one or several short messages (one a line).
    #[arg(long)]
    pub push: bool,
    /// Check settings that are signed by this PIN (with `--imsi`: by both).
    #[arg(long, value_name = "DIGITS", requires = "push")]
    pub pin: Option<String>,
    /// Check settings that are signed by this IMSI.
    #[arg(long, value_name = "DIGITS", requires = "push")]
    pub imsi: Option<String>,
    /// Print JSON.
    #[command(flatten)]
    pub json: Json,
}

/// `doc`
#[derive(Clone, Debug, Args)]
pub struct DocOptions {
    /// Which.
    pub what: Doc,
    /// For `completions`: which shell.
    #[arg(long, default_value = "bash")]
    pub shell: clap_complete::Shell,
}

/// Which documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Doc {
    /// `packetboat.toml` with every key and its sentence.
    Config,
    /// The settings as Markdown.
    Reference,
    /// The settings as JSON schema.
    Schema,
    /// The metrics as Markdown.
    Metrics,
    /// The manual page.
    Man,
    /// Shell completions.
    Completions,
}
