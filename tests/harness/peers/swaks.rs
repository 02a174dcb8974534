//! swaks: a mail client from the command line, for TLS and AUTH as somebody else does them.

use crate::mail::Mail;
use crate::process::Output;
use crate::scene::Scene;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

/// A mail to send with swaks.
#[derive(Debug)]
pub struct Swaks<'scene> {
    scene: &'scene Scene,
    command: Command,
}

/// How sending went.
#[derive(Debug)]
pub struct Sent {
    /// 0 when every recipient was taken; swaks' own codes otherwise (25 when some recipient was refused and so on).
    pub code: i32,
    /// What was said: `->` and `~>` are the client's lines, `<-` and `<~` the server's (plain and in TLS), `**` in
    /// their second and third column marks errors.
    pub transcript: String,
}

impl Sent {
    /// The same, after a look at its code.
    ///
    /// # Panics
    /// When the code is not 0.
    #[track_caller]
    pub fn expect_success(self) -> Self {
        assert_eq!(self.code, 0, "swaks failed\n{}", self.transcript);
        self
    }

    /// The server's lines, without swaks' marks.
    pub fn replies(&self) -> Vec<&str> {
        let lines = self.transcript.lines();
        let marks = ["<-  ", "<~  ", "<** ", "<~* "];
        lines.filter_map(|line| marks.iter().find_map(|mark| line.strip_prefix(mark))).collect()
    }
}

impl<'scene> Swaks<'scene> {
    /// A mail to the server at this address.
    pub fn new(scene: &'scene Scene, server: SocketAddr) -> Self {
        let mut command = Command::new("swaks");
        command.args(["--server", &server.to_string(), "--ehlo", "client.test", "--timeout", "30s"]);
        // Without it a number is taken for an option, for the plus that it starts with.
        command.env("POSIXLY_CORRECT", "1");
        Swaks { scene, command }
    }

    /// Sends this mail with its envelope.
    #[must_use]
    pub fn mail(mut self, mail: &Mail) -> Self {
        let file = self.scene.file(&format!("{}.eml", mail.message_id()), mail.bytes());
        self.command.args(["--from", mail.sender(), "--to", &mail.recipients().join(",")]);
        self.command.arg("--data").arg(format!("@{}", file.display()));
        self
    }

    /// Insists on STARTTLS and verifies the server's certificate against this one, for `localhost`.
    #[must_use]
    pub fn starttls(mut self, authority: &Path) -> Self {
        self.command.args(["--tls", "--tls-verify", "--tls-sni", "localhost"]).arg("--tls-ca-path").arg(authority);
        self
    }

    /// Speaks TLS from the first byte and verifies the server's certificate against this one.
    #[must_use]
    pub fn implicit_tls(mut self, authority: &Path) -> Self {
        self.command.args(["--tlsc", "--tls-verify", "--tls-sni", "localhost"]).arg("--tls-ca-path").arg(authority);
        self
    }

    /// Insists on AUTH with this mechanism, `PLAIN` or `LOGIN`.
    #[must_use]
    pub fn auth(mut self, mechanism: &str, user: &str, password: &str) -> Self {
        self.command.args(["--auth", mechanism, "--auth-user", user, "--auth-password", password]);
        self
    }

    /// Adds an option of swaks.
    #[must_use]
    pub fn option(mut self, arguments: &[&str]) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sends it.
    ///
    /// # Panics
    /// When swaks does not start.
    pub fn send(mut self) -> Sent {
        let output = Output::of(&mut self.command);
        Sent { code: output.status.code().unwrap_or(-1), transcript: output.text() + &output.stderr }
    }
}
