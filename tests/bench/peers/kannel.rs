//! Kannel: smsbox, which takes short messages by HTTP, and bearerbox, which keeps them in its store file and gives them to
//! the SMSC. As it comes, with its window made equal to ours and its logs off.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::Result;
use crate::load::http::get_once;
use crate::peers::free_address;
use crate::peers::smsc::{PASSWORD, USER};

/// How long it may take to start.
const PATIENCE: Duration = Duration::from_secs(20);
/// Where Debian puts it, which is not on everybody's path.
const PROGRAMS: &str = "/usr/sbin";

/// A running Kannel, bound to its SMSC.
#[derive(Debug)]
pub struct Kannel {
    bearerbox: Child,
    smsbox: Child,
    /// Where it takes short messages.
    pub sendsms: SocketAddr,
}

impl Kannel {
    /// Starts one in `directory`, bound to the SMSC with so many short messages without an answer at most.
    pub async fn start(directory: &Path, smsc: SocketAddr, window: usize) -> Result<Self> {
        for program in ["bearerbox", "smsbox"] {
            if !Path::new(PROGRAMS).join(program).exists() {
                return Err("no Kannel here; install it (Debian: apt-get install kannel)".into());
            }
        }
        let [admin, boxes, sendsms] = [free_address()?, free_address()?, free_address()?];
        let config = directory.join("kannel.conf");
        fs::write(&config, kannel_conf(directory, [admin, boxes, sendsms, smsc], window))?;
        let run = |program: &str| {
            // Only what makes it end is said.
            let mut command = Command::new(Path::new(PROGRAMS).join(program));
            command.args(["-v", "4"]).arg(&config).current_dir(directory);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()
        };
        let status = format!("/status.txt?password={PASSWORD}");
        let bearerbox = run("bearerbox")?;
        let started = Instant::now();
        // smsbox ends when it finds no bearerbox.
        while get_once(admin, &status, "Connection: close\r\n").await.is_err() {
            wait(started, "bearerbox does not listen").await?;
        }
        let kannel = Kannel { bearerbox, smsbox: run("smsbox")?, sendsms };
        loop {
            let answer = get_once(admin, &status, "Connection: close\r\n").await.unwrap_or_default();
            let said = String::from_utf8_lossy(&answer);
            let takes = tokio::net::TcpStream::connect(sendsms).await.is_ok();
            if takes && said.contains("smsbox:box") && said.contains("(online") {
                return Ok(kannel);
            }
            wait(started, "Kannel is not bound to the SMSC").await?;
        }
    }

    /// The paths of so many requests, each for a phone of its own, for a short message of these octets.
    pub fn requests(user_data: &[u8], count: usize) -> Result<Vec<String>> {
        let length = 1 + usize::from(*user_data.first().ok_or("an empty short message")?);
        let (header, text) = user_data.split_at_checked(length).ok_or("half a user data header")?;
        let escaped = |octets: &[u8]| octets.iter().map(|octet| format!("%{octet:02X}")).collect::<String>();
        let rest = format!("&coding=1&udh={}&text={}", escaped(header), escaped(text));
        let path = |n| format!("/cgi-bin/sendsms?username={USER}&password={PASSWORD}&from=100&to=%2B44771{n:07}{rest}");
        Ok((0..count).map(path).collect())
    }

    /// Its processes: bearerbox, smsbox.
    pub fn pids(&self) -> [u32; 2] {
        [self.bearerbox.id(), self.smsbox.id()]
    }
}

impl Drop for Kannel {
    fn drop(&mut self) {
        for process in [&mut self.smsbox, &mut self.bearerbox] {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// A moment, unless it has taken too long already.
async fn wait(since: Instant, what: &str) -> Result<()> {
    tokio::time::sleep(Duration::from_millis(20)).await;
    match since.elapsed() > PATIENCE {
        true => Err(what.into()),
        false => Ok(()),
    }
}

fn kannel_conf(directory: &Path, [admin, boxes, sendsms, smsc]: [SocketAddr; 4], window: usize) -> String {
    let (directory, host) = (directory.display(), smsc.ip());
    let (admin, boxes, sendsms, smsc) = (admin.port(), boxes.port(), sendsms.port(), smsc.port());
    format!(
        r#"group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = {PASSWORD}
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
box-deny-ip = "*.*.*.*"
box-allow-ip = "127.0.0.1"
dlr-storage = internal
store-type = file
store-location = "{directory}/kannel.store"
log-level = 4
syslog-level = none

group = smsc
smsc = smpp
smsc-id = SMPP
host = {host}
port = {smsc}
transceiver-mode = true
smsc-username = {USER}
smsc-password = {PASSWORD}
system-type = ""
interface-version = 34
max-pending-submits = {window}
reconnect-delay = 1

group = smsbox
smsbox-id = box
bearerbox-host = 127.0.0.1
bearerbox-port = {boxes}
sendsms-port = {sendsms}
sendsms-interface = 127.0.0.1
global-sender = 100
log-level = 4
syslog-level = none

group = sendsms-user
username = {USER}
password = {PASSWORD}
concatenation = true
max-messages = 20
user-deny-ip = "*.*.*.*"
user-allow-ip = "127.0.0.1"

group = sms-service
keyword = default
catch-all = yes
text = ""
max-messages = 0
"#
    )
}
