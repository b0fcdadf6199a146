//! Rules in OCI registries: the Wasm artifact layout, pushed and pulled.
//!
//! ```text
//! oci://ghcr.io/contoso/rules/account:1.2.0
//!   manifest   application/vnd.oci.image.manifest.v1+json
//!   config     application/vnd.wasm.config.v0+json
//!   one layer  application/wasm                            the component
//! ```
//!
//! The protocol only: what sends is an argument, so that there is no HTTP client
//! here. Async, no clock. Promises: what is pulled has the digests that manifest
//! and address say; a tag that stands for other bytes is not written over; a
//! password goes to the registry and its token service alone, never in clear over
//! a network. Deliberately not here: what a component is, and whom to trust.
//!
//! Source: CNCF, *Wasm OCI Artifact layout*; OCI, *Distribution Specification*
//! 1.1; Docker, *Token authentication*.

mod address;
mod challenge;
mod client;
mod error;
mod layout;

pub use address::Address;
pub use client::{Client, Credentials};
pub use error::OciError;
pub use layout::{Artifact, Pulled};
