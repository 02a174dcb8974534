//! The device: a serial line, or a TCP connection to whatever passes one on.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_serial::{FlowControl as Flow, SerialPortBuilderExt};

use crate::settings::{FlowControl, ModemSettings};

/// Octets both ways.
pub trait Line: AsyncRead + AsyncWrite + Send + Sync + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Sync + Unpin> Line for T {}

/// Where the modem is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Device {
    /// A serial line, by its device file.
    Serial(String),
    /// A server, as `host:port`.
    Tcp(String),
}

impl Device {
    /// As `device` says.
    ///
    /// # Errors
    /// In words, when it is neither.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Err("say where the modem is, such as \"/dev/ttyUSB0\" or \"tcp:192.0.2.7:4001\"".to_owned());
        }
        let Some(address) = text.strip_prefix("tcp:") else { return Ok(Device::Serial(text.to_owned())) };
        let port = address.rsplit_once(':').filter(|(host, _)| !host.is_empty()).map(|(_, port)| port.parse::<u16>());
        match port {
            Some(Ok(1..)) => Ok(Device::Tcp(address.to_owned())),
            _ => Err(format!("\"{text}\" is not a host and a port; write \"tcp:192.0.2.7:4001\"")),
        }
    }

    /// Opens it.
    ///
    /// # Errors
    /// What the system says.
    pub async fn open(&self, settings: &ModemSettings) -> io::Result<Box<dyn Line>> {
        match self {
            Device::Serial(path) => {
                let flow = match settings.flow_control {
                    FlowControl::None => Flow::None,
                    FlowControl::Hardware => Flow::Hardware,
                    FlowControl::Software => Flow::Software,
                };
                let builder = tokio_serial::new(path, settings.baud).flow_control(flow);
                Ok(Box::new(builder.open_native_async().map_err(io::Error::from)?))
            }
            Device::Tcp(address) => {
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                Ok(Box::new(stream))
            }
        }
    }
}
