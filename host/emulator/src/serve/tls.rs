//! TLS by a given certificate and key.

use std::sync::Arc;

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::error::EmulatorError;

/// A certificate chain and its key.
#[derive(Clone)]
pub struct Tls(TlsAcceptor);

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls(***)")
    }
}

impl Tls {
    /// From PEM text: the chain, the server's certificate first, and its key.
    ///
    /// # Errors
    /// No certificate, no key, or a key that does not belong to it.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, EmulatorError> {
        let tls = |error: &dyn std::fmt::Display| EmulatorError::Tls(error.to_string());
        let chain = CertificateDer::pem_slice_iter(chain)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| tls(&error))?;
        if chain.is_empty() {
            return Err(EmulatorError::Tls("there is no certificate in the file".to_owned()));
        }
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| tls(&error))?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| tls(&error))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|error| tls(&error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }

    pub(super) async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        self.0.accept(stream).await
    }
}

/// A certificate that the emulator made for itself, for this machine's names.
#[derive(Debug, Clone)]
pub struct SelfSigned {
    /// What the server needs.
    pub tls: Tls,
    /// The certificate as PEM: what a client must trust.
    pub certificate_pem: String,
}

impl SelfSigned {
    /// A new certificate for `localhost`, `127.0.0.1`, `::1` and these names; a
    /// client trusts it by itself.
    ///
    /// # Errors
    /// A name that cannot stand in a certificate.
    pub fn new(names: &[String]) -> Result<Self, EmulatorError> {
        let tls = |error: rcgen::Error| EmulatorError::Tls(error.to_string());
        let mut all: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
        all.extend(names.iter().cloned());
        let mut params = rcgen::CertificateParams::new(all).map_err(tls)?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, "dvsync emulator");
        // Not an authority: some clients take none as a server's own certificate.
        params.is_ca = rcgen::IsCa::ExplicitNoCa;
        params.key_usages = vec![rcgen::KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        let key = rcgen::KeyPair::generate().map_err(tls)?;
        let certificate = params.self_signed(&key).map_err(tls)?;
        let certificate_pem = certificate.pem();
        let tls = Tls::from_pem(certificate_pem.as_bytes(), key.serialize_pem().as_bytes())?;
        Ok(Self { tls, certificate_pem })
    }
}
