//! TLS: the certificate must be for the host that was decided and lead to a trusted root. There is no way to turn that off, and a failure
//! is never retried in clear text.

use super::connect::Failed;
use customs_policy::Host;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::sync::{Arc, OnceLock};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use wasmtime_wasi_http::Error;

type Roots = Box<dyn Fn() -> Result<RootCertStore, String> + Send + Sync>;

/// The trusted certificates. Reading them is put off until a request needs them: most tools make none.
pub struct Tls {
    roots: Roots,
    config: OnceLock<Result<Arc<ClientConfig>, String>>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("ready", &self.config.get().is_some()).finish_non_exhaustive()
    }
}

impl Tls {
    /// TLS 1.2 and 1.3 with these roots. The closure is called once, at the first request over TLS; its error is one sentence.
    pub fn trusting(roots: impl Fn() -> Result<RootCertStore, String> + Send + Sync + 'static) -> Tls {
        Tls { roots: Box::new(roots), config: OnceLock::new() }
    }

    fn config(&self) -> Result<Arc<ClientConfig>, String> {
        self.config.get_or_init(|| configure((self.roots)()?)).clone()
    }

    /// The handshake, for `host` on a connection that was made to it.
    pub(crate) async fn handshake(&self, host: &Host, stream: TcpStream) -> Result<TlsStream<TcpStream>, Failed> {
        let config = self.config().map_err(|why| Failed::new(Error::ConfigurationError, format!("tls: {why}")))?;
        let name = match host {
            Host::Address(address) => ServerName::IpAddress((*address).into()),
            Host::Name(name) => ServerName::try_from(name.clone())
                .map_err(|_| Failed::new(Error::TlsCertificateError, "tls: no certificate can be for this name"))?,
        };
        TlsConnector::from(config).connect(name, stream).await.map_err(failure)
    }
}

fn configure(roots: RootCertStore) -> Result<Arc<ClientConfig>, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let versions = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let mut config = versions.map_err(|e| e.to_string())?.with_root_certificates(roots).with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    // A ticket would tell a server that two calls come from the same place.
    config.resumption = rustls::client::Resumption::disabled();
    Ok(Arc::new(config))
}

fn failure(error: std::io::Error) -> Failed {
    let inner = error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>());
    match inner {
        Some(e @ rustls::Error::InvalidCertificate(_)) => Failed::new(Error::TlsCertificateError, format!("tls: {e}")),
        Some(e) => Failed::new(Error::TlsProtocolError, format!("tls: {e}")),
        None => Failed::new(Error::TlsProtocolError, format!("tls: {}", error.kind())),
    }
}
