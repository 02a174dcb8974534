//! A private Postfix: smtpd → queue → `discard:`. Its own configuration, queue and port; nothing of /etc/postfix is read.
//!
//! As it comes, except for what would slow it down in this test: no limits on one client's connections, no pause when mail
//! comes in faster than it goes out, no name look-ups. It syncs every queue file before its 250, as by default.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::Result;
use crate::peers::daemon::DOMAIN;
use crate::peers::free_address;

const PROGRAMS: &str = "/usr/lib/postfix/sbin";
/// How long it may take to start, to stop or to empty its queue.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running Postfix.
#[derive(Debug)]
pub struct Postfix {
    master: Child,
    directory: PathBuf,
    /// Where it takes mail.
    pub address: SocketAddr,
}

impl Postfix {
    /// Starts one in `directory`.
    pub fn start(directory: &Path) -> Result<Self> {
        if !Path::new(PROGRAMS).join("smtpd").exists() {
            return Err("no Postfix here; install it (Debian: apt-get install postfix)".into());
        }
        if !rustix::process::getuid().is_root() {
            return Err("Postfix needs root: it gives its own processes other users".into());
        }
        let address = free_address()?;
        let configuration = directory.join("etc");
        for folder in ["etc", "spool", "data"] {
            fs::create_dir_all(directory.join(folder))?;
        }
        fs::set_permissions(directory, fs::Permissions::from_mode(0o755))?;
        fs::write(configuration.join("main.cf"), main_cf(directory))?;
        fs::write(configuration.join("master.cf"), master_cf(address))?;
        done(Command::new("chown").arg("postfix").arg(directory.join("data")))?;
        done(Command::new("postfix").arg("-c").arg(&configuration).arg("check"))?;
        let master = Command::new(Path::new(PROGRAMS).join("master"))
            .arg("-c")
            .arg(&configuration)
            .arg("-d")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let postfix = Postfix { master, directory: directory.to_owned(), address };
        let started = Instant::now();
        while TcpStream::connect(address).is_err() {
            if started.elapsed() > PATIENCE {
                let log = fs::read_to_string(directory.join("postfix.log")).unwrap_or_default();
                return Err(format!("Postfix does not listen: {}", log.lines().last().unwrap_or("no log")).into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(postfix)
    }

    /// Its master process, whose children do the work.
    pub fn pid(&self) -> u32 {
        self.master.id()
    }

    /// Waits until its queue is empty.
    pub async fn drained(&self) -> Result<()> {
        let started = Instant::now();
        while self.queued() > 0 {
            if started.elapsed() > PATIENCE {
                return Err(format!("Postfix still has {} mails", self.queued()).into());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    fn queued(&self) -> usize {
        let folder = |name: &str| fs::read_dir(self.directory.join("spool").join(name)).map_or(0, Iterator::count);
        folder("incoming") + folder("active")
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        let _ = kill_process(Pid::from_child(&self.master), Signal::TERM);
        let _ = self.master.wait();
    }
}

fn done(command: &mut Command) -> Result<()> {
    let output = command.output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim()).into()),
    }
}

fn main_cf(directory: &Path) -> String {
    let directory = directory.display();
    format!(
        "compatibility_level = 3.6
queue_directory = {directory}/spool
data_directory = {directory}/data
daemon_directory = {PROGRAMS}
command_directory = /usr/sbin
mail_owner = postfix
setgid_group = postdrop
maillog_file = {directory}/postfix.log
maillog_file_prefixes = {directory}
myhostname = reference.test
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
relay_domains = {DOMAIN}
transport_maps = static:discard:
smtpd_relay_restrictions = permit_mynetworks, reject
message_size_limit = 20000000
in_flow_delay = 0
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_client_event_limit_exceptions = static:all
smtpd_peername_lookup = no
smtp_dns_support_level = disabled
"
    )
}

fn master_cf(address: SocketAddr) -> String {
    format!(
        "{address} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
discard unix - - n - - discard
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
"
    )
}
