//! From a core module to a component, and onto the disk in one step.

use std::path::Path;

use wit_component::ComponentEncoder;

use crate::BuildError;

/// Makes a component of a core module that `wit-bindgen` generated, without
/// WASI and without adapters.
///
/// # Errors
///
/// When `core` is not such a module, or imports what its world does not name.
pub fn componentize(core: &[u8]) -> Result<Vec<u8>, BuildError> {
    let encode = || ComponentEncoder::default().module(core)?.validate(true).encode();
    encode().map_err(|error| BuildError::Component { said: format!("{error:#}") })
}

/// Puts the file in place in one step, so that a reader in another process
/// sees the old one or the new one.
pub(crate) fn publish(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    let temporary = path.with_extension(format!("{}.tmp", std::process::id()));
    std::fs::write(&temporary, bytes).map_err(|source| BuildError::write(&temporary, source))?;
    std::fs::rename(&temporary, path).map_err(|source| BuildError::write(path, source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_module_is_refused_in_words() {
        let error = componentize(b"not wasm").expect_err("text is no module");
        assert!(error.to_string().starts_with("cannot make a component: "), "{error}");
    }
}
