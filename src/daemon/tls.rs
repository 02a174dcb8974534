//! TLS for listeners: certificates from PEM files.

use std::io;
use std::path::Path;
use std::sync::Arc;

use packetboat_api::async_trait;
use packetboat_api::serve::{Listen, Stream, Upgrade};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::TlsAcceptor;

/// The server side of TLS with one certificate.
pub struct Tls(TlsAcceptor);

impl Tls {
    /// From the files a listener names; `None` when it names none. Errors name the key and the file.
    pub fn load(listen: &Listen, base: &Path) -> Result<Option<Arc<Tls>>, (&'static str, String)> {
        let (certificate, key) = match (&listen.tls_certificate, &listen.tls_key) {
            (None, None) if listen.implicit_tls => {
                return Err(("implicit_tls", "TLS needs tls_certificate and tls_key".to_owned()));
            }
            (None, None) => return Ok(None),
            (Some(certificate), Some(key)) => (base.join(certificate), base.join(key)),
            (Some(_), None) => return Err(("tls_certificate", "tls_key is missing beside it".to_owned())),
            (None, Some(_)) => return Err(("tls_key", "tls_certificate is missing beside it".to_owned())),
        };
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&certificate)
            .and_then(Iterator::collect)
            .map_err(|e| ("tls_certificate", format!("{} cannot be read: {e}", certificate.display())))?;
        let key = PrivateKeyDer::from_pem_file(&key)
            .map_err(|e| ("tls_key", format!("{} cannot be read: {e}", key.display())))?;
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain, key);
        let config =
            config.map_err(|e| ("tls_certificate", format!("the certificate and key do not work together: {e}")))?;
        Ok(Some(Arc::new(Tls(TlsAcceptor::from(Arc::new(config))))))
    }
}

#[async_trait]
impl Upgrade for Tls {
    async fn upgrade(&self, stream: Box<dyn Stream>) -> io::Result<Box<dyn Stream>> {
        Ok(Box::new(self.0.accept(stream).await?))
    }
}
