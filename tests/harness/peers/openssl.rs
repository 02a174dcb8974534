//! A certificate for the name `localhost` and the address 127.0.0.1, signed by itself, made with the openssl program.

use crate::process::Output;
use crate::scene::Scene;
use std::path::PathBuf;
use std::process::Command;

/// A self-signed certificate and its key, in PEM. The certificate is its own authority.
#[derive(Debug, Clone)]
pub struct Certificate {
    /// The certificate.
    pub certificate: PathBuf,
    /// The key, PKCS#8 and without a password.
    pub key: PathBuf,
}

impl Certificate {
    /// Makes one. Needs [`crate::Peer::Openssl`].
    ///
    /// # Panics
    /// When openssl fails.
    pub fn make(scene: &Scene) -> Self {
        let directory = scene.directory("tls");
        let made = Certificate { certificate: directory.join("certificate.pem"), key: directory.join("key.pem") };
        let mut command = Command::new("openssl");
        command
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
            .args(["-days", "30", "-subj", "/CN=localhost"])
            .args(["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .arg("-keyout")
            .arg(&made.key)
            .arg("-out")
            .arg(&made.certificate);
        Output::of(&mut command).expect_success();
        made
    }
}
