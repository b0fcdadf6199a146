//! Compiled code on disk: private, authenticated, and never the reason that
//! something fails.

use std::fs;
use std::path::{Path, PathBuf};

use dvsync_rules::{RuleError, Sandbox, SandboxSettings};

use crate::guests::wasm;

fn with_cache(folder: &Path) -> Sandbox {
    let cache_dir = Some(folder.to_owned());
    Sandbox::new(SandboxSettings { cache_dir, ..SandboxSettings::default() }).expect("a sandbox")
}

fn compiled(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "cwasm"))
        .collect()
}

#[test]
fn compiled_rules_are_kept_for_their_owner_only_and_loaded_again() {
    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().join("compiled");
    let wasm = wasm("guest-honest");
    with_cache(&folder).admit(&wasm, "honest").expect("admitted");
    let files = compiled(&folder);
    assert_eq!(files.len(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| fs::metadata(path).expect("a file").permissions().mode() & 0o777;
        assert_eq!(mode(&folder), 0o700);
        assert_eq!(mode(&folder.join("key")), 0o600);
        assert_eq!(mode(&files[0]), 0o600);
    }
    let written = fs::metadata(&files[0]).expect("a file").modified().expect("a time");
    with_cache(&folder).admit(&wasm, "honest").expect("admitted");
    let again = fs::metadata(&files[0]).expect("a file").modified().expect("a time");
    assert_eq!(written, again, "loaded, not compiled again");
}

#[test]
fn a_compiled_rule_that_was_tampered_with_is_compiled_again() {
    let place = tempfile::tempdir().expect("a folder");
    let wasm = wasm("guest-honest");
    with_cache(place.path()).admit(&wasm, "honest").expect("admitted");
    let file = compiled(place.path()).remove(0);
    let genuine = fs::read(&file).expect("the file");
    let mut flipped = genuine.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 1;
    for tampered in [flipped, genuine[..100].to_vec(), Vec::new()] {
        fs::write(&file, tampered).expect("written");
        with_cache(place.path()).admit(&wasm, "honest").expect("admitted");
        assert_eq!(fs::read(&file).expect("the file").len(), genuine.len());
    }
    // Another rule's code under this name.
    with_cache(place.path()).admit(&crate::guests::wasm("guest-hostile"), "x").expect("admitted");
    let other = compiled(place.path()).into_iter().find(|path| *path != file).expect("two files");
    fs::copy(other, &file).expect("copied");
    let rule = with_cache(place.path()).admit(&wasm, "honest").expect("admitted");
    assert_eq!(rule.description().name, "honest");
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let place = tempfile::tempdir().expect("a folder");
    drop(with_cache(place.path()));
    let key = place.path().join("key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).expect("set");
    let settings =
        SandboxSettings { cache_dir: Some(place.path().to_owned()), ..SandboxSettings::default() };
    let error = Sandbox::new(settings).err().expect("refused");
    assert!(matches!(error, RuleError::CacheFolder { .. }), "{error}");
}

#[test]
fn the_oldest_give_way_when_the_folder_is_full() {
    let place = tempfile::tempdir().expect("a folder");
    let settings = SandboxSettings {
        cache_dir: Some(place.path().to_owned()),
        cache_bytes_max: 1,
        ..SandboxSettings::default()
    };
    let sandbox = Sandbox::new(settings).expect("a sandbox");
    for guest in ["guest-honest", "guest-hostile"] {
        sandbox.admit(&wasm(guest), guest).expect("admitted");
        assert_eq!(compiled(place.path()).len(), 1);
    }
}

#[test]
fn many_sandboxes_may_share_a_new_folder() {
    let place = tempfile::tempdir().expect("a folder");
    let wasm = wasm("guest-honest");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| with_cache(place.path()).admit(&wasm, "honest").expect("admitted"));
        }
    });
    assert_eq!(compiled(place.path()).len(), 1);
}
