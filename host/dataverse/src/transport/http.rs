//! The network: reqwest over rustls.
//!
//! HTTP/1.1 only: one HTTP/2 connection would carry all requests to one web
//! server, and the service's limits are per web server. The crypto provider is
//! passed explicitly, so no process-wide default is needed or set.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{Phase, Transport, TransportError, TransportFault};
use crate::error::ClientError;

/// How connections are made.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// PEM file with certificates to trust besides those of the system: a
    /// company proxy's, or the emulator's.
    pub ca_file: Option<PathBuf>,
    /// Which proxy requests go through.
    pub proxy: Proxy,
    /// Longest wait for a connection; must be well below the request time-out,
    /// else a service that is down looks like one that may have acted.
    pub connect_timeout: Duration,
    /// Connections that are unused for so long are closed. Above the service's
    /// own idle limit, requests meet connections that are being closed.
    pub idle_max: Duration,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            ca_file: None,
            proxy: Proxy::System,
            connect_timeout: Duration::from_secs(10),
            idle_max: Duration::from_secs(60),
        }
    }
}

/// Which proxy requests go through.
#[derive(Debug, Clone, Default)]
pub enum Proxy {
    /// What the system says (`HTTPS_PROXY` and so on).
    #[default]
    System,
    /// None, whatever the system says.
    Direct,
    /// This one, by URL.
    Url(String),
}

/// Sends over the network.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: reqwest::Client,
    /// Why https cannot work here, found when the trust store was loaded;
    /// plain http (the emulator) works all the same.
    tls_problem: Option<Arc<str>>,
}

impl HttpTransport {
    /// Builds the connection pool.
    ///
    /// # Errors
    /// The CA file cannot be read, or the proxy URL is none.
    pub fn new(settings: &HttpSettings) -> Result<Self, ClientError> {
        let (tls, tls_problem) = tls_config(settings)?;
        let mut builder = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .http1_only()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .gzip(true)
            .tcp_nodelay(true)
            .tcp_keepalive(Duration::from_secs(30))
            .connect_timeout(settings.connect_timeout)
            .pool_idle_timeout(settings.idle_max)
            .user_agent(concat!("dvsync/", env!("CARGO_PKG_VERSION")));
        match &settings.proxy {
            Proxy::System => {}
            Proxy::Direct => builder = builder.no_proxy(),
            Proxy::Url(url) => {
                let proxy = reqwest::Proxy::all(url)
                    .map_err(|error| ClientError::settings("proxy", "the URL", url, error))?;
                builder = builder.no_proxy().proxy(proxy);
            }
        }
        let client = builder.build().map_err(|error| ClientError::Settings {
            setting: "transport",
            message: chain(&error),
        })?;
        Ok(Self { client, tls_problem })
    }

    async fn exchange(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> Result<http::Response<Bytes>, TransportError> {
        if let (Some(problem), Some("https")) = (&self.tls_problem, request.uri().scheme_str()) {
            return Err(TransportError {
                phase: Phase::NotSent,
                kind: TransportFault::Tls,
                message: problem.to_string(),
            });
        }
        let mut request = reqwest::Request::try_from(request).map_err(|error| not_sent(&error))?;
        *request.timeout_mut() = Some(timeout);
        let reply = self.client.execute(request).await.map_err(|error| before_reply(&error))?;
        let mut response = http::Response::builder().status(reply.status());
        if let Some(headers) = response.headers_mut() {
            headers.extend(reply.headers().iter().map(|(k, v)| (k.clone(), v.clone())));
        }
        let body = reply.bytes().await.map_err(|error| within_reply(&error))?;
        response.body(body).map_err(|error| TransportError {
            phase: Phase::ReplyCut,
            kind: TransportFault::Other,
            message: error.to_string(),
        })
    }
}

impl Transport for HttpTransport {
    fn send(
        &self,
        request: http::Request<Bytes>,
        timeout: Duration,
    ) -> BoxFuture<'_, Result<http::Response<Bytes>, TransportError>> {
        self.exchange(request, timeout).boxed()
    }
}

fn tls_config(
    settings: &HttpSettings,
) -> Result<(rustls::ClientConfig, Option<Arc<str>>), ClientError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut extra = Vec::new();
    if let Some(path) = &settings.ca_file {
        let shown = path.display().to_string();
        let problem = |error: &dyn std::fmt::Display| ClientError::Settings {
            setting: "ca_file",
            message: format!("cannot read certificates from `{shown}`: {error}"),
        };
        let found = CertificateDer::pem_file_iter(path).map_err(|error| problem(&error))?;
        for certificate in found {
            extra.push(certificate.map_err(|error| problem(&error))?);
        }
        if extra.is_empty() {
            return Err(problem(&"it holds no certificate"));
        }
    }
    let builder = rustls::ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| ClientError::Settings { setting: "tls", message: error.to_string() })?;
    let system = rustls_platform_verifier::Verifier::new_with_extra_roots(extra.clone(), provider);
    let (builder, problem) = match system {
        Ok(verifier) => {
            (builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier)), None)
        }
        Err(error) => {
            // A container without CA certificates: what `ca_file` names is
            // trusted alone; without it, only plain http works.
            let problem = extra.is_empty().then(|| {
                Arc::from(format!("cannot load the system's trusted certificates: {error}"))
            });
            let mut roots = rustls::RootCertStore::empty();
            roots.add_parsable_certificates(extra);
            (builder.with_root_certificates(roots), problem)
        }
    };
    let mut config = builder.with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok((config, problem))
}

fn not_sent(error: &reqwest::Error) -> TransportError {
    TransportError { phase: Phase::NotSent, kind: TransportFault::Other, message: chain(error) }
}

/// Before the reply began: only what certainly happened before the first byte
/// of the request was written is `NotSent`.
fn before_reply(error: &reqwest::Error) -> TransportError {
    let phase = if error.is_connect() || error.is_builder() { Phase::NotSent } else { Phase::Sent };
    let kind = if error.is_timeout() {
        TransportFault::Timeout
    } else if find::<rustls::Error>(error).is_some() {
        TransportFault::Tls
    } else if error.is_connect() {
        TransportFault::Connect
    } else if find::<std::io::Error>(error).is_some() || error.is_request() {
        TransportFault::Reset
    } else {
        TransportFault::Other
    };
    TransportError { phase, kind, message: chain(error) }
}

fn within_reply(error: &reqwest::Error) -> TransportError {
    let kind = if error.is_timeout() {
        TransportFault::Timeout
    } else if find::<std::io::Error>(error)
        .is_some_and(|error| error.kind() == std::io::ErrorKind::ConnectionReset)
    {
        TransportFault::Reset
    } else {
        TransportFault::Truncated
    };
    TransportError { phase: Phase::ReplyCut, kind, message: chain(error) }
}

/// An error of that type among the causes. rustls errors travel inside
/// [`std::io::Error`]s, whose `source` skips the inner error itself.
fn find<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        if let Some(inner) = error.downcast_ref::<std::io::Error>().and_then(|e| e.get_ref())
            && let Some(found) = find::<T>(inner)
        {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The innermost cause says most; the URL is left out, it may hold data.
fn chain(error: &dyn Error) -> String {
    let mut text = None;
    let mut next = Some(error);
    while let Some(error) = next {
        text = Some(error.to_string());
        next = error.source();
    }
    text.unwrap_or_default()
}

#[cfg(test)]
mod tests;
