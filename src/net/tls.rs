//! TLS as a client: whom to believe, and the handshake.
//!
//! One place for the choice between the machine's certificate authorities and a file of them, shared by SMTP and HTTP.
//! A machine without any authorities still gets a client: plain connections work, and a handshake that has to verify
//! fails with that reason.

use std::io;
use std::path::Path;
use std::sync::Arc;

use packetboat_api::serve::Stream;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;
use tokio_rustls::TlsConnector;

use crate::dns::literal;

/// A TLS client. Cheap to clone; clones share the session cache.
#[derive(Clone, Debug)]
pub struct TlsClient {
    verified: Arc<ClientConfig>,
    unverified: Arc<ClientConfig>,
}

impl TlsClient {
    /// A client that believes the authorities of the file (PEM), or those of the machine.
    ///
    /// The error is in words: the file cannot be read, or holds no certificate.
    pub fn new(ca_file: Option<&Path>) -> Result<TlsClient, String> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier: Arc<dyn ServerCertVerifier> = match ca_file {
            Some(path) => file_verifier(path, &provider)?,
            None => match Verifier::new(provider.clone()) {
                Ok(verifier) => Arc::new(verifier),
                Err(error) => Arc::new(Nobody(error)),
            },
        };
        let opportunist = Arc::new(Anybody(provider.clone()));
        Ok(TlsClient {
            verified: Arc::new(config(&provider, verifier)?),
            unverified: Arc::new(config(&provider, opportunist)?),
        })
    }

    /// The settings with verification, for a client that does its own handshakes.
    pub(crate) fn verified(&self) -> ClientConfig {
        self.verified.as_ref().clone()
    }

    /// The client side of a handshake with the host of that name or address.
    ///
    /// With `verify` off any certificate is taken: encryption against onlookers where plain text would have been the
    /// alternative (RFC 7435), and nothing more.
    pub async fn handshake(&self, stream: Box<dyn Stream>, host: &str, verify: bool) -> io::Result<Box<dyn Stream>> {
        let name =
            ServerName::try_from(server_name(host)).map_err(|e| io::Error::new(io::ErrorKind::InvalidInput, e))?;
        let config = if verify { &self.verified } else { &self.unverified };
        let secure = TlsConnector::from(config.clone()).connect(name, stream).await?;
        Ok(Box::new(secure))
    }
}

/// The name a certificate has to bear: a literal address without its brackets, a host name without its last dot.
fn server_name(host: &str) -> String {
    match literal(host) {
        Some(address) => address.to_string(),
        None => host.trim_end_matches('.').to_owned(),
    }
}

fn config(provider: &Arc<CryptoProvider>, verifier: Arc<dyn ServerCertVerifier>) -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(provider.clone());
    let builder = builder.with_safe_default_protocol_versions().map_err(|e| e.to_string())?;
    Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

fn file_verifier(path: &Path, provider: &Arc<CryptoProvider>) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let wrong = |why: &dyn std::fmt::Display| format!("the certificate file {} cannot be used: {why}", path.display());
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|e| wrong(&e))? {
        roots.add(certificate.map_err(|e| wrong(&e))?).map_err(|e| wrong(&e))?;
    }
    if roots.is_empty() {
        return Err(wrong(&"it holds no certificate"));
    }
    let built = WebPkiServerVerifier::builder_with_provider(roots.into(), provider.clone()).build();
    built.map(|verifier| verifier as Arc<dyn ServerCertVerifier>).map_err(|e| wrong(&e))
}

/// Believes any certificate; the handshake's signatures still have to be right.
#[derive(Debug)]
struct Anybody(Arc<CryptoProvider>);

/// Believes no certificate, because the machine names no authority.
#[derive(Debug)]
struct Nobody(Error);

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

impl ServerCertVerifier for Nobody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Err(self.0.clone())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(self.0.clone())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(self.0.clone())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}
