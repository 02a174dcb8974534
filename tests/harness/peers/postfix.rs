//! Postfix 3.7: the mail server next door. It takes mail for mail.test, and sends bounces and reports to the story.
//!
//! Who a recipient at mail.test is follows from the name:
//!
//! * `unknown…` is refused at RCPT with 550 5.1.1;
//! * `full…` is refused at RCPT with 452 4.2.2, for ever;
//! * `bounced…` is accepted and bounces afterwards, with a DSN to the sender;
//! * anybody else has a mailbox.
//!
//! Mail for mms.test goes to the address that the story names, which is where the daemon listens: so does a DSN. Every
//! other domain is refused at RCPT with 550 5.1.2.

use super::openssl::Certificate;
use super::{peer_file, template};
use crate::ports::{Port, accepts};
use crate::process::{Process, read_lossy};
use crate::scene::Scene;
use crate::wait::{DEADLINE, wait_for};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The program that runs everything else of Postfix.
pub(super) const MASTER: &str = "/usr/lib/postfix/sbin/master";

/// What Postfix needs to give its processes their users.
pub(super) const PRIVILEGES: &str = "root, or sudo without a password";

/// Delivers mail with rights that are nobody's in particular when the story runs as root.
const NOBODY: u32 = 65_534;

/// How a Postfix is to behave.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// Where mail for mms.test goes; without it such mail is refused.
    pub mms_test: Option<SocketAddr>,
    /// Offers STARTTLS with this certificate.
    pub certificate: Option<Certificate>,
    /// Refuses mail without TLS.
    pub require_tls: bool,
    /// More lines for `main.cf`.
    pub more: String,
}

/// A running mail server.
#[derive(Debug)]
pub struct Postfix {
    directory: PathBuf,
    process: Process,
    port: Port,
}

impl Postfix {
    /// Starts it and waits until it listens.
    ///
    /// # Panics
    /// When it does not come up.
    pub fn start(scene: &Scene, setup: &Setup) -> Self {
        let directory = scene.directory("postfix");
        let port = Port::reserve();
        let user = mail_owner();
        write_config(scene, &directory, port.number(), user, setup);
        let run = peer_file("postfix/run");
        let mut command = as_root(&run);
        command.arg(&directory).arg(user.to_string());
        let mut process = Process::spawn("master", &directory, &mut command);
        process.wait_ready(DEADLINE, "its port", |_| accepts(port.address()));
        Postfix { directory, process, port }
    }

    /// Where it takes mail.
    pub fn address(&self) -> SocketAddr {
        self.port.address()
    }

    /// The messages in a mailbox at mail.test, oldest first, with the lines of the header that Postfix put on top.
    pub fn mailbox(&self, user: &str) -> Vec<String> {
        let new = self.directory.join("mail/all/new");
        let entries = std::fs::read_dir(&new).into_iter().flatten().flatten();
        let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
        // The name starts with the second of delivery; within one second the inode number tells.
        files.sort();
        let header = format!("Delivered-To: {user}@mail.test");
        let mails = files.iter().map(|file| read_lossy(file));
        mails.filter(|mail| mail.lines().take_while(|line| !line.is_empty()).any(|line| line == header)).collect()
    }

    /// Waits until a mailbox holds at least this many messages.
    ///
    /// # Panics
    /// When it does not within the deadline.
    #[track_caller]
    pub fn wait_for_mail(&self, user: &str, count: usize) -> Vec<String> {
        let what = format!("{count} messages for {user}@mail.test");
        wait_for(DEADLINE, &what, || Some(self.mailbox(user)).filter(|mails| mails.len() >= count))
    }

    /// What it logged.
    pub fn log(&self) -> String {
        read_lossy(&self.directory.join("postfix.log"))
    }
}

impl Drop for Postfix {
    fn drop(&mut self) {
        if !rustix::process::geteuid().is_root() {
            // Root's processes are killed by root.
            let group = format!("-{}", self.process.id());
            let _ = as_root(Path::new("kill")).args(["-KILL", "--", &group]).status();
        }
    }
}

/// Whether a program can be run as root, without a password.
pub(super) fn may_be_root() -> bool {
    let quiet = |command: &mut Command| {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|it| it.success())
    };
    rustix::process::geteuid().is_root() || quiet(Command::new("sudo").args(["-n", "true"]))
}

fn as_root(program: &Path) -> Command {
    if rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.arg("-n").arg(program);
    command
}

fn mail_owner() -> u32 {
    let user = rustix::process::geteuid();
    if user.is_root() { NOBODY } else { user.as_raw() }
}

fn write_config(scene: &Scene, directory: &Path, port: u16, user: u32, setup: &Setup) {
    let certificate = setup.certificate.as_ref();
    let path = |path: Option<&Path>| path.map(|path| path.to_string_lossy().into_owned()).unwrap_or_default();
    let level = match (certificate.is_some(), setup.require_tls) {
        (false, _) => "none",
        (true, false) => "may",
        (true, true) => "encrypt",
    };
    let values = [
        ("DIR", directory.to_string_lossy().into_owned()),
        ("UID", user.to_string()),
        ("GID", user.to_string()),
        ("CERTIFICATE", path(certificate.map(|it| it.certificate.as_path()))),
        ("KEY", path(certificate.map(|it| it.key.as_path()))),
        ("TLS", level.to_owned()),
        ("PORT", port.to_string()),
    ];
    let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
    scene.file("postfix/etc/main.cf", template("postfix/main.cf.in", &values) + &setup.more);
    scene.file("postfix/etc/master.cf", template("postfix/master.cf.in", &values));
    let mms_test = setup
        .mms_test
        .map_or_else(String::new, |address| format!("/@mms\\.test$/ smtp:[{}]:{}\n", address.ip(), address.port()));
    let transport = [
        // The pipe ends with EX_NOUSER, after the mail was taken. An error transport would refuse it at RCPT.
        "/^bounced.*@mail\\.test$/ closed:\n",
        "/@mail\\.test$/ virtual:\n",
        &mms_test,
        "/@/ error:5.1.2 no such domain here\n",
    ];
    scene.file("postfix/etc/transport", transport.concat());
    scene.file(
        "postfix/etc/recipients",
        "/^unknown.*@mail\\.test$/ 550 5.1.1 no such user\n/^full.*@mail\\.test$/ 452 4.2.2 this mailbox is full\n",
    );
}
