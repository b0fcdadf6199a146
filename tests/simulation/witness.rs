//! Looks whether a request that leaves is on the disk: with its power cut at that
//! moment, the journal that is left must know the records.

use std::path::{Path, PathBuf};

use dvsync_engine::journal::Reader;
use fastrand::Rng;

use crate::disk;

/// Of so many writes one is looked at.
const SHARE: usize = 4;

pub(crate) struct Witness {
    journal: PathBuf,
    seed: u64,
}

impl Witness {
    pub(crate) fn new(journal: &Path, seed: u64) -> Self {
        Self { journal: journal.to_owned(), seed }
    }

    /// The so manieth write is about to leave.
    pub(crate) fn look(&self, number: usize, body: &[u8]) {
        let body = String::from_utf8_lossy(body);
        let ids = ids(&body);
        if ids.is_empty() || !number.is_multiple_of(SHARE) {
            return;
        }
        let mut rng = Rng::with_seed(self.seed ^ u64::try_from(number).unwrap());
        let left = disk::left(&self.journal, &mut rng);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("left.db");
        for (suffix, bytes) in left {
            std::fs::write(format!("{}{suffix}", path.display()), bytes).unwrap();
        }
        let reader = Reader::open(&path).unwrap_or_else(|error| panic!("{error}"));
        let doubts: Vec<_> = reader.doubts().map(Result::unwrap).collect();
        let known = |id: &str| {
            let id = id.parse().unwrap();
            doubts.iter().any(|doubt| doubt.ids.contains(&Some(id)))
        };
        let unknown: Vec<_> = ids.iter().filter(|id| !known(id)).collect();
        drop(reader);
        disk::forget(folder.path());
        assert!(unknown.is_empty(), "{unknown:?} left and are not in the journal");
    }
}

/// Ids of the records that a body writes: not of those that it points or looks to.
fn ids(body: &str) -> Vec<&str> {
    const LENGTH: usize = 36;
    let after = |mark: &'static str| {
        body.match_indices(mark).filter_map(move |(at, _)| {
            let start = at + mark.len();
            body.get(start..start + LENGTH)
        })
    };
    let addressed = body.lines().filter(|line| line.starts_with("PATCH ")).filter_map(|line| {
        let start = line.find("new_things(")? + "new_things(".len();
        let id = line.get(start..start + LENGTH)?;
        (!id.contains('=')).then_some(id)
    });
    after("\"new_thingid\":\"").chain(addressed).collect()
}
