//! The conversation with a registry: what is asked, in which order, with which
//! credentials. What sends is an argument.

use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use dvsync_model::Secret;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use serde::Deserialize;
use url::Url;

use crate::address::{Address, is_local};
use crate::challenge::Challenge;
use crate::error::OciError;
use crate::layout::{Artifact, Descriptor, MANIFEST, Manifest, Pulled, sha256};

/// Redirects that are followed for one piece of content.
const REDIRECTS_MAX: usize = 5;
/// The specification's own limit for manifests.
const MANIFEST_BYTES_MAX: usize = 4 << 20;

/// User and password for a registry.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Its name.
    pub user: String,
    /// Its password, or a token in its place.
    pub password: Secret,
}

/// Speaks to one registry.
pub struct Client<S> {
    send: S,
    address: Address,
    credentials: Option<Credentials>,
    /// `Authorization` that the registry has taken.
    authorization: Mutex<Option<HeaderValue>>,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

impl<S> Client<S>
where
    S: AsyncFn(Request<Bytes>) -> Result<Response<Bytes>, String>,
{
    /// For the registry of an address. `send` sends one request and follows no
    /// redirect; its error says why, and no secret.
    pub fn new(address: Address, credentials: Option<Credentials>, send: S) -> Self {
        Self { send, address, credentials, authorization: Mutex::new(None) }
    }

    /// Pushes an artifact under the address' tag; gives the manifest's digest. A
    /// tag that is there already, with the same component, is left alone.
    ///
    /// # Errors
    /// [`OciError::Taken`] by another component, or what the registry says.
    pub async fn push(&self, artifact: &Artifact) -> Result<String, OciError> {
        let Some(tag) = self.address.tag.clone().filter(|_| self.address.digest.is_none()) else {
            return Err(OciError::Address(self.address.to_string()));
        };
        let pieces = artifact.pieces();
        match self.manifest(&tag).await {
            Ok((there, digest)) => {
                return match there.layers.first() {
                    Some(layer) if layer.digest == pieces.layer.digest => Ok(digest),
                    other => Err(OciError::Taken {
                        address: self.address.to_string(),
                        there: other.map_or_else(String::new, |layer| layer.digest.clone()),
                        here: pieces.layer.digest,
                    }),
                };
            }
            Err(OciError::Missing(_)) => {}
            Err(error) => return Err(error),
        }
        self.upload(&pieces.layer, artifact.wasm.clone()).await?;
        self.upload(&pieces.config.0, pieces.config.1.clone()).await?;
        let url = self.url(&format!("manifests/{tag}"))?;
        let request = request(Method::PUT, &url, pieces.manifest.clone(), Some(MANIFEST));
        let reply = self.ask(request).await?;
        match reply.status() {
            StatusCode::CREATED | StatusCode::OK => Ok(sha256(&pieces.manifest)),
            status => Err(self.unexpected("a manifest", status)),
        }
    }

    /// Pulls the component at the address.
    ///
    /// # Errors
    /// It is not there, is no Wasm artifact, has other digests than promised, or
    /// what the registry says.
    pub async fn pull(&self) -> Result<Pulled, OciError> {
        let Some(reference) = self.address.reference() else {
            return Err(OciError::Address(self.address.to_string()));
        };
        let (manifest, digest) = self.manifest(reference).await?;
        if self.address.digest.as_ref().is_some_and(|wanted| *wanted != digest) {
            return Err(OciError::Digest(self.address.to_string()));
        }
        let Some(layer) = manifest.layers.first() else {
            return Err(OciError::Missing(self.address.to_string()));
        };
        let wasm = self.blob(layer).await?;
        Ok(Pulled { wasm, manifest: digest, annotations: manifest.annotations })
    }

    async fn manifest(&self, reference: &str) -> Result<(Manifest, String), OciError> {
        let url = self.url(&format!("manifests/{reference}"))?;
        let mut asked = request(Method::GET, &url, Bytes::new(), None);
        asked.headers_mut().insert(ACCEPT, HeaderValue::from_static(MANIFEST));
        let reply = self.ask(asked).await?;
        match reply.status() {
            StatusCode::OK if reply.body().len() <= MANIFEST_BYTES_MAX => {
                let manifest = Manifest::read(reply.body(), &self.address.to_string())?;
                Ok((manifest, sha256(reply.body())))
            }
            StatusCode::NOT_FOUND => Err(OciError::Missing(self.address.to_string())),
            status => Err(self.unexpected("the manifest", status)),
        }
    }

    async fn blob(&self, layer: &Descriptor) -> Result<Bytes, OciError> {
        let mut url = self.url(&format!("blobs/{}", layer.digest))?;
        let mut reply = self.ask(request(Method::GET, &url, Bytes::new(), None)).await?;
        for _ in 0..REDIRECTS_MAX {
            if !reply.status().is_redirection() {
                break;
            }
            url = self.location(&url, &reply)?;
            let asked = request(Method::GET, &url, Bytes::new(), None);
            // To where content lies our credentials do not go.
            reply =
                if self.is_own(&url) { self.ask(asked).await? } else { self.sent(asked).await? };
        }
        match reply.status() {
            StatusCode::OK if layer.is_of(reply.body()) => Ok(reply.into_body()),
            StatusCode::OK => Err(OciError::Digest(layer.digest.clone())),
            StatusCode::NOT_FOUND => Err(OciError::Missing(layer.digest.clone())),
            status => Err(self.unexpected("the component", status)),
        }
    }

    async fn upload(&self, piece: &Descriptor, bytes: Bytes) -> Result<(), OciError> {
        let there = self.url(&format!("blobs/{}", piece.digest))?;
        let reply = self.ask(request(Method::HEAD, &there, Bytes::new(), None)).await?;
        if reply.status() == StatusCode::OK {
            return Ok(());
        }
        let begin = self.url("blobs/uploads/")?;
        let reply = self.ask(request(Method::POST, &begin, Bytes::new(), None)).await?;
        if reply.status() != StatusCode::ACCEPTED {
            return Err(self.unexpected("an upload", reply.status()));
        }
        let mut place = self.location(&begin, &reply)?;
        place.query_pairs_mut().append_pair("digest", &piece.digest);
        let put = request(Method::PUT, &place, bytes, Some("application/octet-stream"));
        let reply = if self.is_own(&place) { self.ask(put).await? } else { self.sent(put).await? };
        match reply.status() {
            StatusCode::CREATED => Ok(()),
            status => Err(self.unexpected("an upload", status)),
        }
    }

    /// Asks with the credentials that the registry wants.
    async fn ask(&self, request: Request<Bytes>) -> Result<Response<Bytes>, OciError> {
        let reply = self.sent(self.authorized(request.clone())).await?;
        if reply.status() != StatusCode::UNAUTHORIZED {
            return self.allowed(reply);
        }
        let challenge = reply
            .headers()
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .find_map(|header| Challenge::read(header.to_str().ok()?));
        let authorization = match (challenge, &self.credentials) {
            (Some(Challenge::Basic), Some(credentials)) => Some(basic(credentials)),
            (Some(Challenge::Bearer { realm, service, scope }), _) => {
                self.token(&realm, service.as_deref(), scope.as_deref()).await?
            }
            _ => None,
        };
        let Some(Some(authorization)) = authorization.map(secret_header) else {
            return self.allowed(reply);
        };
        if let Ok(mut known) = self.authorization.lock() {
            *known = Some(authorization);
        }
        let reply = self.sent(self.authorized(request)).await?;
        self.allowed(reply)
    }

    fn authorized(&self, mut request: Request<Bytes>) -> Request<Bytes> {
        let known = self.authorization.lock().ok().and_then(|known| known.clone());
        if let Some(known) = known {
            request.headers_mut().insert(AUTHORIZATION, known);
        }
        request
    }

    fn allowed(&self, reply: Response<Bytes>) -> Result<Response<Bytes>, OciError> {
        match reply.status() {
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                let host = self.address.host.clone();
                Err(OciError::NotAllowed { host, status: status.as_u16() })
            }
            _ => Ok(reply),
        }
    }

    /// A token of the service that the registry names.
    async fn token(
        &self,
        realm: &str,
        service: Option<&str>,
        scope: Option<&str>,
    ) -> Result<Option<Secret>, OciError> {
        let mut url = self.safe(realm)?;
        for (name, value) in [("service", service), ("scope", scope)] {
            if let Some(value) = value {
                url.query_pairs_mut().append_pair(name, value);
            }
        }
        let mut asked = request(Method::GET, &url, Bytes::new(), None);
        if let Some(header) = self.credentials.as_ref().map(basic).and_then(secret_header) {
            asked.headers_mut().insert(AUTHORIZATION, header);
        }
        let reply = self.sent(asked).await?;
        if reply.status() != StatusCode::OK {
            return Ok(None);
        }
        let token = serde_json::from_slice::<Token>(reply.body()).ok();
        let token = token.and_then(|token| token.token.or(token.access_token));
        Ok(token.map(|token| Secret::new(format!("Bearer {token}"))))
    }

    async fn sent(&self, request: Request<Bytes>) -> Result<Response<Bytes>, OciError> {
        let host = request.uri().host().unwrap_or(&self.address.host).to_owned();
        (self.send)(request).await.map_err(|why| OciError::Unreachable { host, why })
    }

    fn url(&self, path: &str) -> Result<Url, OciError> {
        let Address { repository, .. } = &self.address;
        self.safe(&format!("{}/v2/{repository}/{path}", self.address.origin()))
    }

    fn location(&self, from: &Url, reply: &Response<Bytes>) -> Result<Url, OciError> {
        let to = reply.headers().get(LOCATION).and_then(|to| to.to_str().ok()).unwrap_or("");
        let elsewhere =
            || OciError::Elsewhere { host: self.address.host.clone(), to: to.to_owned() };
        let url = from.join(to).map_err(|_| elsewhere())?;
        if to.is_empty() { Err(elsewhere()) } else { self.safe(url.as_str()) }
    }

    /// An address to which something may be sent: https, or on this machine.
    fn safe(&self, text: &str) -> Result<Url, OciError> {
        let url = Url::parse(text).ok();
        let safe = url.filter(|url| match url.scheme() {
            "https" => true,
            "http" => url.host_str().is_some_and(is_local),
            _ => false,
        });
        safe.ok_or_else(|| OciError::Elsewhere {
            host: self.address.host.clone(),
            to: text.to_owned(),
        })
    }

    /// Whether it is the registry itself.
    fn is_own(&self, url: &Url) -> bool {
        Url::parse(&self.address.origin()).is_ok_and(|own| own.origin() == url.origin())
    }

    fn unexpected(&self, what: &'static str, status: StatusCode) -> OciError {
        OciError::Reply { host: self.address.host.clone(), what, status: status.as_u16() }
    }
}

fn request(method: Method, url: &Url, body: Bytes, kind: Option<&'static str>) -> Request<Bytes> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    // What `url` has read `http` reads, too.
    *request.uri_mut() = url.as_str().parse().unwrap_or_default();
    if let Some(kind) = kind {
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    }
    request
}

fn basic(credentials: &Credentials) -> Secret {
    let pair = format!("{}:{}", credentials.user, credentials.password.expose());
    Secret::new(format!("Basic {}", BASE64.encode(pair)))
}

fn secret_header(text: Secret) -> Option<HeaderValue> {
    let mut header = HeaderValue::from_str(text.expose()).ok()?;
    header.set_sensitive(true);
    Some(header)
}
