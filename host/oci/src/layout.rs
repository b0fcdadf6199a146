//! The Wasm artifact layout: manifest, config, one layer. Pure.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::OciError;

pub(crate) const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub(crate) const CONFIG: &str = "application/vnd.wasm.config.v0+json";
pub(crate) const LAYER: &str = "application/wasm";

/// A component to be pushed.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// The component.
    pub wasm: Bytes,
    /// Interfaces that it imports.
    pub imports: Vec<String>,
    /// Interfaces that it exports.
    pub exports: Vec<String>,
    /// When it was made into an artifact.
    pub created: Timestamp,
    /// Of the manifest.
    pub annotations: BTreeMap<String, String>,
}

/// A component that was pulled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    /// The component; it has the digest that the manifest says.
    pub wasm: Bytes,
    /// `sha256:...` of the manifest.
    pub manifest: String,
    /// Of the manifest.
    pub annotations: BTreeMap<String, String>,
}

/// A piece of content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: String,
    pub(crate) size: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Manifest {
    schema_version: u32,
    #[serde(default)]
    media_type: Option<String>,
    pub(crate) config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
    #[serde(default)]
    pub(crate) annotations: BTreeMap<String, String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'a> {
    created: Timestamp,
    architecture: &'static str,
    /// A component, as the layout calls it; no promise of WASI.
    os: &'static str,
    layer_digests: [&'a str; 1],
    component: Component<'a>,
}

#[derive(Debug, Serialize)]
struct Component<'a> {
    exports: &'a [String],
    imports: &'a [String],
    target: Option<()>,
}

/// An artifact in pieces.
pub(crate) struct Pieces {
    pub(crate) config: (Descriptor, Bytes),
    pub(crate) layer: Descriptor,
    pub(crate) manifest: Bytes,
}

impl Artifact {
    pub(crate) fn pieces(&self) -> Pieces {
        let layer = Descriptor::of(LAYER, &self.wasm);
        let config = Config {
            created: self.created,
            architecture: "wasm",
            os: "wasip2",
            layer_digests: [&layer.digest],
            component: Component { exports: &self.exports, imports: &self.imports, target: None },
        };
        // Texts and lists of texts always make JSON.
        let config = Bytes::from(serde_json::to_vec(&config).unwrap_or_default());
        let manifest = Manifest {
            schema_version: 2,
            media_type: Some(MANIFEST.to_owned()),
            config: Descriptor::of(CONFIG, &config),
            layers: vec![layer.clone()],
            annotations: self.annotations.clone(),
        };
        let bytes = serde_json::to_vec(&manifest).unwrap_or_default().into();
        Pieces { config: (manifest.config, config), layer, manifest: bytes }
    }
}

impl Descriptor {
    fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: sha256(bytes),
            size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        }
    }

    /// Whether these are the bytes.
    pub(crate) fn is_of(&self, bytes: &[u8]) -> bool {
        u64::try_from(bytes.len()).is_ok_and(|size| size == self.size)
            && sha256(bytes) == self.digest
    }
}

impl Manifest {
    /// Reads a manifest that should be one of a component.
    pub(crate) fn read(bytes: &[u8], address: &str) -> Result<Self, OciError> {
        let not = |why: String| OciError::NotWasm { address: address.to_owned(), why };
        let manifest: Self =
            serde_json::from_slice(bytes).map_err(|error| not(error.to_string()))?;
        if manifest.config.media_type != CONFIG {
            return Err(not(format!("its config is `{}`", manifest.config.media_type)));
        }
        match manifest.layers.as_slice() {
            [layer] if layer.media_type == LAYER => Ok(manifest),
            [layer] => Err(not(format!("its layer is `{}`", layer.media_type))),
            layers => Err(not(format!("it has {} layers", layers.len()))),
        }
    }
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    let digits: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{digits}")
}
