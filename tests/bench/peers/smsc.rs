//! Where short messages go by SMPP: an SMSC in this program, which takes each at once, or the simulator of the stories, on
//! node-smpp. Both can keep what they get without an answer until they are told: the window fills, and then the queue.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::Result;
use crate::load::http::get_once;
use crate::peers::free_address;

/// Who may bind at the simulator.
pub const USER: &str = "bench";
/// The password.
pub const PASSWORD: &str = "secret";
/// The simulator, and the Node packages that `tests/run` installs for it.
const SIMULATOR: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../peers/smsc/smsc.js");
const PACKAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/peers-node/node_modules");
/// How long the simulator may take to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// An SMSC.
#[derive(Debug)]
pub enum Smsc {
    /// In this program.
    Bare(Bare),
    /// On node-smpp, in a process of its own.
    Simulator(Simulator),
}

impl Smsc {
    /// Where it takes binds.
    pub fn address(&self) -> SocketAddr {
        match self {
            Smsc::Bare(bare) => bare.address,
            Smsc::Simulator(simulator) => simulator.address,
        }
    }

    /// Short messages it got so far.
    pub async fn count(&self) -> Result<u64> {
        match self {
            Smsc::Bare(bare) => Ok(bare.seen.count.load(Ordering::Relaxed)),
            Smsc::Simulator(simulator) => {
                let stat = simulator.tell("/stat").await?;
                stat["submissions"].as_u64().ok_or_else(|| "the simulator does not count".into())
            }
        }
    }

    /// From now on everything is answered.
    pub async fn release(&self) -> Result<()> {
        match self {
            Smsc::Bare(bare) => {
                let _ = bare.holds.send(false); // with nobody connected there is nobody to tell
                Ok(())
            }
            // It forgets what it does not answer: cut off, its client sends that again.
            Smsc::Simulator(simulator) => {
                simulator.tell("/set?mute=0").await?;
                simulator.tell("/kick").await.map(|_| ())
            }
        }
    }
}

/// The SMSC in this program.
#[derive(Debug)]
pub struct Bare {
    address: SocketAddr,
    seen: Arc<Seen>,
    holds: watch::Sender<bool>,
    task: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Seen {
    count: AtomicU64,
    first: Mutex<Option<Bytes>>,
}

impl Bare {
    /// Opens one on a free port of loopback. One that `holds` answers no submission until it is released.
    pub async fn open(holds: bool) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let seen = Arc::new(Seen::default());
        let (holds, held) = watch::channel(holds);
        let shared = seen.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let _ = stream.set_nodelay(true);
                tokio::spawn(serve(stream, shared.clone(), held.clone()));
            }
        });
        Ok(Bare { address, seen, holds, task })
    }

    /// The first short message there was: its user data, header and all.
    pub fn first(&self) -> Option<Bytes> {
        self.seen.first.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// `command_length`, `command_id`, `command_status`, `sequence_number` (SMPP 3.4 3.2).
const HEADER: usize = 16;
const SUBMIT_SM: u32 = 0x0000_0004;
const RESPONSE: u32 = 0x8000_0000;
/// A longer PDU than any client sends here.
const LONGEST: usize = 64 << 10;

async fn serve(mut stream: TcpStream, seen: Arc<Seen>, mut held: watch::Receiver<bool>) {
    let (mut read, mut answers, mut kept) = (BytesMut::with_capacity(LONGEST), BytesMut::new(), BytesMut::new());
    loop {
        tokio::select! {
            got = stream.read_buf(&mut read) => if !matches!(got, Ok(1..)) { return },
            Ok(()) = held.changed() => {}
        }
        let holds = *held.borrow_and_update();
        while let Some(pdu) = next_pdu(&mut read) {
            let (id, sequence) = ((&pdu[4..]).get_u32(), (&pdu[12..]).get_u32());
            if id & RESPONSE != 0 {
                continue;
            }
            if id == SUBMIT_SM && seen.count.fetch_add(1, Ordering::Relaxed) == 0 {
                *seen.first.lock().unwrap_or_else(PoisonError::into_inner) = user_data(&pdu);
            }
            let answers = if id == SUBMIT_SM && holds { &mut kept } else { &mut answers };
            // Everything that is answered here is answered with a name: system_id, or message_id.
            answers.put_u32(HEADER as u32 + 9);
            answers.put_u32(id | RESPONSE);
            answers.put_u32(0);
            answers.put_u32(sequence);
            answers.put_slice(format!("{sequence:08x}\0").as_bytes());
        }
        if !holds {
            answers.unsplit(kept.split());
        }
        if stream.write_all(&answers).await.is_err() || read.len() > LONGEST {
            return;
        }
        answers.clear();
    }
}

fn next_pdu(read: &mut BytesMut) -> Option<Bytes> {
    let length = (read.get(..4)?).get_u32() as usize;
    (read.len() >= length.max(HEADER)).then(|| read.split_to(length.max(HEADER)).freeze())
}

/// What a `submit_sm` carries (SMPP 3.4 4.4.1): strings and single octets stand before it.
fn user_data(pdu: &Bytes) -> Option<Bytes> {
    let mut at = HEADER;
    let string = |at: usize| pdu.get(at..)?.iter().position(|octet| *octet == 0).map(|length| at + length + 1);
    at = string(at)?; // service_type
    at = string(at + 2)?; // source_addr, behind its type and plan
    at = string(at + 2)? + 3; // destination_addr; esm_class, protocol_id, priority_flag
    at = string(at)?; // schedule_delivery_time
    at = string(at)? + 4; // validity_period; registered_delivery, replace_if_present_flag, data_coding, sm_default_msg_id
    let length = usize::from(*pdu.get(at)?);
    (at + 1 + length <= pdu.len()).then(|| pdu.slice(at + 1..at + 1 + length))
}

/// The simulator.
#[derive(Debug)]
pub struct Simulator {
    child: Child,
    address: SocketAddr,
    control: SocketAddr,
}

impl Simulator {
    /// Starts one, with its log thrown away. One that `holds` answers no submission until it is released.
    pub async fn start(holds: bool) -> Result<Self> {
        let packages = std::env::var_os("NODE_PATH").map_or_else(|| PathBuf::from(PACKAGES), PathBuf::from);
        if !packages.join("smpp").is_dir() {
            let place = packages.display();
            return Err(
                format!("no node-smpp in {place}; tests/run installs it, and NODE_PATH names another place").into()
            );
        }
        let (address, control) = (free_address()?, free_address()?);
        let options = serde_json::json!({
            "port": address.port(), "control": control.port(), "user": USER, "password": PASSWORD,
            "receipts": "none", "mute": u8::from(holds),
        });
        let mut node = Command::new("node");
        node.arg(Path::new(SIMULATOR)).arg(options.to_string()).env("NODE_PATH", packages);
        let child = node.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.map_err(|e| format!("node cannot be started: {e}"))?;
        let simulator = Simulator { child, address, control };
        let started = Instant::now();
        while simulator.tell("/stat").await.is_err() {
            if started.elapsed() > PATIENCE {
                return Err("the simulator does not listen".into());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(simulator)
    }

    async fn tell(&self, what: &str) -> Result<Value> {
        let answer = get_once(self.control, what, "").await?;
        let at = answer.iter().position(|octet| *octet == b'{').ok_or("the simulator answers no JSON")?;
        Ok(serde_json::from_slice(&answer[at..])?)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
