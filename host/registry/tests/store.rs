//! A store as several processes use it: what is bound stays bound, what is
//! needed stays, and damage is found.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::path::Path;

use dvsync_registry::{
    Digest, Key, Pin, Reference, RegistryError, Statement, Store, Trust, Untrusted, Version,
};
use jiff::Timestamp;
use tempfile::TempDir;

struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("rules")
    }

    fn store(&self) -> Store {
        Store::create(&self.path()).unwrap()
    }
}

fn now() -> Timestamp {
    "2026-02-01T00:00:00Z".parse().unwrap()
}

fn statement(label: &str, bytes: &[u8]) -> Statement {
    let (name, version) = label.split_once('@').unwrap();
    let version: Version = version.parse().unwrap();
    Statement::new(name.parse().unwrap(), version, Digest::of(bytes), "dvsync:rules@0.1.0").unwrap()
}

fn push(store: &Store, label: &str, bytes: &[u8]) -> Result<bool, RegistryError> {
    store.push(&statement(label, bytes), bytes, &[], now()).map(|pushed| !pushed.was_there)
}

fn resolved(store: &Store, reference: &str) -> Result<String, String> {
    let reference: Reference = reference.parse().unwrap();
    match store.resolve(&reference) {
        Ok(resolved) => {
            Ok(format!("{} {}", resolved.found.label(), String::from_utf8(resolved.bytes).unwrap()))
        }
        Err(error) => Err(format!("{error} ({})", error.hint().unwrap_or_default())),
    }
}

#[test]
fn a_version_is_bound_to_its_bytes_for_ever() {
    let place = Place::new();
    let store = place.store();
    assert!(push(&store, "account@1.0.0", b"one").unwrap());
    assert!(!push(&store, "account@1.0.0", b"one").unwrap());
    let error = push(&store, "account@1.0.0", b"two").unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "`account@1.0.0` is `{}` for ever, and this is `{}`",
            Digest::of(b"one"),
            Digest::of(b"two")
        )
    );
    assert_eq!(error.hint().unwrap(), "give what you have changed a new version");
    assert_eq!(resolved(&store, "account").unwrap(), "account@1.0.0 one");
    let metadata = push(&store, "account@1.0.0+linux", b"one").unwrap_err();
    assert!(matches!(metadata, RegistryError::BuildMetadata(_)), "{metadata}");
    let lie = Statement { digest: Digest::of(b"x"), ..statement("account@2.0.0", b"one") };
    assert!(store.push(&lie, b"one", &[], now()).is_err());
}

#[test]
fn a_reference_stands_for_the_newest_version_that_fits() {
    let place = Place::new();
    let store = place.store();
    for version in ["1.2.0", "1.10.0", "1.2.9", "2.0.0-rc.1", "0.9.0"] {
        push(&store, &format!("account@{version}"), version.as_bytes()).unwrap();
    }
    let by_digest = format!("account@{}", Digest::of(b"1.2.9"));
    for (reference, expect) in [
        ("account", "account@1.10.0 1.10.0"),
        ("account@1", "account@1.10.0 1.10.0"),
        ("account@1.2", "account@1.2.9 1.2.9"),
        ("account@2.0.0-rc.1", "account@2.0.0-rc.1 2.0.0-rc.1"),
        (&by_digest, "account@1.2.9 1.2.9"),
    ] {
        assert_eq!(resolved(&store, reference).unwrap(), expect, "{reference}");
    }
    assert_eq!(
        resolved(&store, "account@2").unwrap_err(),
        "the store of rules has no `account@2` (it has `0.9.0`, `1.2.0`, `1.2.9`, `1.10.0`, \
         `2.0.0-rc.1`)"
    );
    let missing = resolved(&store, "acount").unwrap_err();
    assert!(missing.ends_with("has no rule `acount` (did you mean `account`?)"), "{missing}");
}

#[test]
fn a_version_in_quarantine_is_passed_over_and_not_taken_by_name() {
    let place = Place::new();
    let store = place.store();
    push(&store, "account@1.0.0", b"one").unwrap();
    push(&store, "account@1.1.0", b"two").unwrap();
    let (name, version) = ("account".parse().unwrap(), Version::new(1, 1, 0));
    store.quarantine(&name, &version, "it traps", now()).unwrap();
    assert_eq!(resolved(&store, "account@1").unwrap(), "account@1.0.0 one");
    assert_eq!(
        resolved(&store, "account@1.1.0").unwrap_err(),
        "`account@1.1.0` is in quarantine: it traps (use another version, or push a mended one \
         under a new version)"
    );
    // To push it again brings it no freedom.
    assert!(!push(&store, "account@1.1.0", b"two").unwrap());
    assert!(resolved(&store, "account@1.1.0").is_err());
    store.release(&name, &version).unwrap();
    assert_eq!(resolved(&store, "account@1").unwrap(), "account@1.1.0 two");
}

#[test]
fn damage_is_found_on_every_read_and_mended_by_a_push() {
    let place = Place::new();
    let store = place.store();
    push(&store, "account@1.0.0", b"one").unwrap();
    let blob = place.path().join("blobs/sha256").join(Digest::of(b"one").hex());
    for (bytes, said) in [
        (b"two".as_slice(), format!("its digest is `{}`", Digest::of(b"two"))),
        (b"ones".as_slice(), "it has not the 3 bytes that it had".to_owned()),
    ] {
        std::fs::write(&blob, bytes).unwrap();
        let error = resolved(&store, "account").unwrap_err();
        assert!(error.contains(&said), "{error}");
    }
    push(&store, "account@1.0.0", b"one").unwrap();
    assert_eq!(resolved(&store, "account").unwrap(), "account@1.0.0 one");

    let record = place.path().join("names/account/1.0.0.json");
    std::fs::write(&record, "{}").unwrap();
    let error = resolved(&store, "account").unwrap_err();
    assert!(error.contains("1.0.0.json` is damaged: missing field `digest`"), "{error}");
    // What is no version is none.
    std::fs::remove_file(&record).unwrap();
    std::fs::write(place.path().join("names/account/live.json"), "{}").unwrap();
    assert!(resolved(&store, "account").unwrap_err().contains("has no rule `account`"));
}

#[test]
fn what_a_run_needs_or_jobs_follow_cannot_be_removed() {
    let place = Place::new();
    let store = place.store();
    push(&store, "account@1.0.0", b"one").unwrap();
    push(&store, "account@1.1.0", b"one").unwrap();
    push(&store, "account@2.0.0", b"two").unwrap();
    let journal = place.folder.path().join("a.db");
    std::fs::write(&journal, "").unwrap();
    let name: dvsync_registry::RuleName = "account".parse().unwrap();
    let pin = |run: &str, version: u64, bytes: &[u8], journal: &Path| Pin {
        run: run.to_owned(),
        name: name.clone(),
        version: Version::new(version, 0, 0),
        digest: Digest::of(bytes),
        journal: journal.to_owned(),
        at: now(),
    };
    store.pin(&pin("20260201T000000-0001", 1, b"one", &journal)).unwrap();
    let refused = store.remove(&name, &Version::new(1, 0, 0)).unwrap_err();
    assert!(
        refused.to_string().starts_with(
            "`account@1.0.0` is needed by run 20260201T000000-0001, which is not finished"
        ),
        "{refused}"
    );
    // The next run of that journal needs something else.
    store.pin(&pin("20260201T000001-0002", 2, b"two", &journal)).unwrap();
    store.unpin_others(&journal, "20260201T000001-0002").unwrap();
    assert_eq!(store.pins().unwrap().len(), 1);
    store.remove(&name, &Version::new(1, 0, 0)).unwrap();
    // Another version has the same component: that stays.
    assert_eq!(resolved(&store, "account@1").unwrap(), "account@1.1.0 one");
    assert!(store.remove(&name, &Version::new(2, 0, 0)).is_err());
    store.unpin("20260201T000001-0002").unwrap();
    assert!(store.pins().unwrap().is_empty());

    let live = place.path().join("names/account/live.json");
    std::fs::write(&live, r#"{"version": "2.0.0"}"#).unwrap();
    let live = store.remove(&name, &Version::new(2, 0, 0)).unwrap_err();
    assert_eq!(live.to_string(), "`account@2.0.0` is live");
    // The pin of a journal that is gone holds nothing.
    store.pin(&pin("20260201T000003-0003", 2, b"two", Path::new("/nowhere/b.db"))).unwrap();
    std::fs::remove_file(place.path().join("names/account/live.json")).unwrap();
    store.remove(&name, &Version::new(2, 0, 0)).unwrap();
    assert!(!place.path().join("blobs/sha256").join(Digest::of(b"two").hex()).exists());
    let gone = store.pin(&pin("20260201T000004-0004", 2, b"two", &journal)).unwrap_err();
    assert!(gone.is_missing(), "{gone}");
    assert!(store.pin(&pin("../../x", 2, b"two", &journal)).is_err());
}

#[test]
fn of_many_who_push_one_version_at_once_one_wins_and_nothing_is_torn() {
    let place = Place::new();
    drop(place.store());
    let wins: Vec<bool> = std::thread::scope(|scope| {
        let pushes: Vec<_> = (0..8_u8)
            .map(|number| {
                let path = place.path();
                scope.spawn(move || {
                    let store = Store::open(&path).unwrap().unwrap();
                    let bytes = vec![number; 100_000];
                    let won = push(&store, "account@1.0.0", &bytes).is_ok();
                    let own = format!("own-{number}@1.0.0");
                    push(&store, &own, &bytes).unwrap();
                    store.resolve(&"account@1.0.0".parse().unwrap()).unwrap();
                    won
                })
            })
            .collect();
        pushes.into_iter().map(|push| push.join().unwrap()).collect()
    });
    assert_eq!(wins.iter().filter(|won| **won).count(), 1, "{wins:?}");
    let store = place.store();
    assert_eq!(store.names().unwrap().len(), 9);
    for name in store.names().unwrap() {
        let reference = Reference { name, wanted: dvsync_registry::Wanted::Newest };
        store.resolve(&reference).unwrap();
    }
    let left_over: Vec<_> =
        std::fs::read_dir(place.path().join("names/account")).unwrap().collect();
    assert_eq!(left_over.len(), 1, "{left_over:?}");
}

#[test]
fn signatures_stay_with_a_version_and_the_policy_is_the_stores() {
    let place = Place::new();
    let store = place.store();
    assert_eq!(store.policy().unwrap(), Trust::default());
    let (key, _) = Key::generate().unwrap();
    let statement = statement("account@1.0.0", b"one");
    push(&store, "account@1.0.0", b"one").unwrap();
    let policy = format!("require = true\nkeys = [\"{}\"]\n", key.public());
    std::fs::write(place.path().join("policy.toml"), policy).unwrap();
    let check = || {
        let found = store.find(&"account".parse().unwrap()).unwrap();
        store.policy().unwrap().check(&found.statement().unwrap(), &found.record.signatures)
    };
    assert_eq!(check(), Err(Untrusted::Unsigned));
    store.sign(&statement.name, &statement.version, key.sign(&statement)).unwrap();
    assert_eq!(check(), Ok(vec![key.public().id()]));
    // Whoever changes what the version stands for has no signature for it.
    let record = place.path().join("names/account/1.0.0.json");
    let text = std::fs::read_to_string(&record).unwrap();
    let other = Digest::of(b"two");
    std::fs::write(&record, text.replace(Digest::of(b"one").hex(), other.hex())).unwrap();
    assert_eq!(check(), Err(Untrusted::Wrong(key.public().id())));

    for (policy, said) in [
        ("requires = true", "unknown field `requires`"),
        ("require = true", "it requires signatures and names no key"),
        ("require = yes", "is damaged"),
        ("keys = [\"ed25519:AA==\"]", "`ed25519:AA==` is no public key"),
    ] {
        std::fs::write(place.path().join("policy.toml"), policy).unwrap();
        let error = store.policy().unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
    }
}

#[test]
fn a_store_that_is_not_there_is_none() {
    let place = Place::new();
    assert!(Store::open(&place.path()).unwrap().is_none());
    std::fs::write(place.path(), "").unwrap();
    assert!(matches!(Store::open(&place.path()), Err(RegistryError::Folder { .. })));
}
