//! Against a registry in this process, which is as strict as the specification.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::collections::BTreeMap;
use std::sync::Mutex;

use bytes::Bytes;
use dvsync_model::Secret;
use dvsync_oci::{Artifact, Client, Credentials, OciError};
use http::{Method, Request, Response};
use sha2::{Digest, Sha256};

const HOST: &str = "registry.example";
const BASIC: &str = "Basic bWU6aHVudGVyMg==";

/// What the registry holds, and how it behaves.
#[derive(Default)]
struct Registry {
    blobs: Mutex<BTreeMap<String, Bytes>>,
    /// By tag and by digest.
    manifests: Mutex<BTreeMap<String, Bytes>>,
    asked: Mutex<Vec<String>>,
    wants_token: bool,
    wants_basic: bool,
    /// Components lie at another host.
    elsewhere: bool,
    /// Uploads are sent there in clear.
    in_clear: bool,
}

fn digest(bytes: &[u8]) -> String {
    format!(
        "sha256:{}",
        Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect::<String>()
    )
}

fn reply(status: u16, body: impl Into<Bytes>) -> Response<Bytes> {
    Response::builder().status(status).body(body.into()).unwrap()
}

fn with(status: u16, name: &str, value: &str) -> Response<Bytes> {
    Response::builder().status(status).header(name, value).body(Bytes::new()).unwrap()
}

impl Registry {
    fn answer(&self, request: &Request<Bytes>) -> Response<Bytes> {
        let uri = request.uri();
        let header = |name: &str| request.headers().get(name).map(|v| v.to_str().unwrap());
        let authorization = header("authorization");
        self.asked.lock().unwrap().push(format!("{} {uri}", request.method()));
        match uri.host().unwrap() {
            "token.example" => {
                assert_eq!(
                    uri.query(),
                    Some("service=r&scope=repository%3Arules%2Faccount%3Apull")
                );
                return match authorization {
                    Some(BASIC) => reply(200, r#"{"token": "t0ken"}"#),
                    _ => reply(401, ""),
                };
            }
            "content.example" => {
                assert_eq!(authorization, None, "a token went to another host");
                let blobs = self.blobs.lock().unwrap();
                return reply(200, blobs[uri.path().trim_start_matches('/')].clone());
            }
            host => assert_eq!((uri.scheme_str(), host), (Some("https"), HOST)),
        }
        if self.wants_token && authorization != Some("Bearer t0ken") {
            let challenge = "Bearer realm=\"https://token.example/token\",service=\"r\",\
                             scope=\"repository:rules/account:pull\"";
            return with(401, "www-authenticate", challenge);
        }
        if self.wants_basic && authorization != Some(BASIC) {
            return with(401, "www-authenticate", "Basic realm=\"r\"");
        }
        let path = uri.path().strip_prefix("/v2/rules/account/").unwrap();
        match (request.method(), path.split_once('/').unwrap()) {
            (&Method::GET, ("manifests", reference)) => {
                assert_eq!(header("accept"), Some("application/vnd.oci.image.manifest.v1+json"));
                let manifests = self.manifests.lock().unwrap();
                manifests.get(reference).map_or_else(|| reply(404, ""), |m| reply(200, m.clone()))
            }
            (&Method::PUT, ("manifests", reference)) => {
                let manifest: serde_json::Value = serde_json::from_slice(request.body()).unwrap();
                let blobs = self.blobs.lock().unwrap();
                for piece in [&manifest["config"], &manifest["layers"][0]] {
                    let bytes = &blobs[piece["digest"].as_str().unwrap()];
                    assert_eq!(piece["size"], bytes.len());
                }
                let mut manifests = self.manifests.lock().unwrap();
                manifests.insert(reference.to_owned(), request.body().clone());
                manifests.insert(digest(request.body()), request.body().clone());
                reply(201, "")
            }
            (&Method::HEAD, ("blobs", of)) => {
                let there = self.blobs.lock().unwrap().contains_key(of);
                reply(if there { 200 } else { 404 }, "")
            }
            (&Method::GET, ("blobs", of)) if self.elsewhere => {
                with(307, "location", &format!("https://content.example/{of}"))
            }
            (&Method::GET, ("blobs", of)) => reply(200, self.blobs.lock().unwrap()[of].clone()),
            (&Method::POST, ("blobs", "uploads/")) if self.in_clear => {
                with(202, "location", "http://registry.example/upload")
            }
            (&Method::POST, ("blobs", "uploads/")) => {
                with(202, "location", "/v2/rules/account/blobs/uploads/7?state=x")
            }
            (&Method::PUT, ("blobs", "uploads/7")) => {
                let of = uri.query().unwrap().strip_prefix("state=x&digest=").unwrap();
                let of = of.replace("%3A", ":");
                assert_eq!(digest(request.body()), of);
                self.blobs.lock().unwrap().insert(of, request.body().clone());
                reply(201, "")
            }
            other => panic!("nobody asks {other:?}"),
        }
    }

    fn client(
        &self,
        of: &str,
    ) -> Client<impl AsyncFn(Request<Bytes>) -> Result<Response<Bytes>, String>> {
        let credentials = Credentials { user: "me".to_owned(), password: Secret::new("hunter2") };
        let address = format!("oci://{HOST}/rules/account{of}").parse().unwrap();
        Client::new(address, Some(credentials), async |request| Ok(self.answer(&request)))
    }
}

fn artifact(wasm: &'static [u8]) -> Artifact {
    Artifact {
        wasm: wasm.into(),
        imports: vec![],
        exports: vec!["dvsync:rules/plugin@0.1.0".to_owned()],
        created: "2026-02-01T00:00:00Z".parse().unwrap(),
        annotations: [("dvsync.signed".to_owned(), "{}".to_owned())].into(),
    }
}

#[tokio::test]
async fn what_is_pushed_is_pulled_by_tag_and_by_digest() {
    for (wants_token, wants_basic, elsewhere) in
        [(false, false, false), (true, false, true), (false, true, false)]
    {
        let registry = Registry { wants_token, wants_basic, elsewhere, ..Registry::default() };
        let manifest = registry.client(":1.2.0").push(&artifact(b"one")).await.unwrap();
        let pulled = registry.client(":1.2.0").pull().await.unwrap();
        assert_eq!((&pulled.wasm[..], &pulled.manifest), (&b"one"[..], &manifest));
        assert_eq!(pulled.annotations["dvsync.signed"], "{}");
        let by_digest = registry.client(&format!(":1.2.0@{manifest}")).pull().await.unwrap();
        assert_eq!(by_digest, pulled);
        // The layout, as other tools read it.
        let text = registry.manifests.lock().unwrap()["1.2.0"].clone();
        let text: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(text["config"]["mediaType"], "application/vnd.wasm.config.v0+json");
        assert_eq!(text["layers"][0]["mediaType"], "application/wasm");
        let config = &registry.blobs.lock().unwrap()[text["config"]["digest"].as_str().unwrap()];
        let config: serde_json::Value = serde_json::from_slice(config).unwrap();
        assert_eq!(
            (config["architecture"].as_str(), config["os"].as_str()),
            (Some("wasm"), Some("wasip2"))
        );
        assert_eq!(config["layerDigests"][0], digest(b"one"));
        assert_eq!(config["component"]["exports"][0], "dvsync:rules/plugin@0.1.0");
    }
}

#[tokio::test]
async fn a_tag_stands_for_one_component_for_ever() {
    let registry = Registry::default();
    let first = registry.client(":1.2.0").push(&artifact(b"one")).await.unwrap();
    registry.asked.lock().unwrap().clear();
    // Made at another time, it is the same component.
    let later = Artifact { created: jiff::Timestamp::UNIX_EPOCH, ..artifact(b"one") };
    assert_eq!(registry.client(":1.2.0").push(&later).await.unwrap(), first);
    assert_eq!(registry.asked.lock().unwrap().len(), 1);
    let taken = registry.client(":1.2.0").push(&artifact(b"two")).await.unwrap_err();
    assert!(matches!(&taken, OciError::Taken { there, .. } if *there == digest(b"one")), "{taken}");
    assert!(registry.client(&format!("@{first}")).push(&artifact(b"one")).await.is_err());
}

#[tokio::test]
async fn bytes_that_were_changed_are_not_given_away() {
    let registry = Registry::default();
    let manifest = registry.client(":1.2.0").push(&artifact(b"one")).await.unwrap();
    registry.blobs.lock().unwrap().insert(digest(b"one"), "two".into());
    let error = registry.client(":1.2.0").pull().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("the registry gave other bytes than `{}`", digest(b"one"))
    );
    registry.blobs.lock().unwrap().insert(digest(b"one"), "one".into());
    // A manifest that is not the one asked for.
    let changed = [&registry.manifests.lock().unwrap()[&manifest][..], b" "].concat();
    registry.manifests.lock().unwrap().insert(manifest.clone(), changed.into());
    let error = registry.client(&format!("@{manifest}")).pull().await.unwrap_err();
    assert!(matches!(error, OciError::Digest(_)), "{error}");
}

#[tokio::test]
async fn what_is_no_rule_or_not_there_or_not_ours_is_told() {
    let registry = Registry::default();
    let missing = registry.client(":9").pull().await.unwrap_err();
    assert_eq!(missing.to_string(), "the registry has no `oci://registry.example/rules/account:9`");
    let image = br#"{"schemaVersion": 2, "layers": [], "config":
        {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "x", "size": 1}}"#;
    registry.manifests.lock().unwrap().insert("1".to_owned(), Bytes::from_static(image));
    let image = registry.client(":1").pull().await.unwrap_err();
    assert!(
        image.to_string().ends_with("its config is `application/vnd.oci.image.config.v1+json`")
    );

    let forbidden =
        Client::new("oci://registry.example/rules/account:1".parse().unwrap(), None, async |_| {
            Ok(with(401, "www-authenticate", "Basic realm=\"r\""))
        });
    let error = forbidden.pull().await.unwrap_err();
    assert!(matches!(error, OciError::NotAllowed { status: 401, .. }), "{error}");
    assert!(!format!("{error} {error:?}").contains("hunter2"));

    let in_clear = Registry { in_clear: true, ..Registry::default() };
    let error = in_clear.client(":1").push(&artifact(b"one")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the registry `registry.example` sends us to `http://registry.example/upload`"
    );
}
