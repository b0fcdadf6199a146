//! A disk that can lose its power: what was written and not synced may then be
//! there, or not, or in part.
//!
//! SQLite's files go to the real disk; beside it this keeps what of them is
//! certain, and the changes since. A cut keeps, drops or tears each of these by
//! chance, sector by sector, in any order: a later one may be there without an
//! earlier one. What is written to bytes beside a torn write is left alone, as
//! SQLite expects of a disk (`SQLITE_IOCAP_POWERSAFE_OVERWRITE`).

mod vfs;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastrand::Rng;

pub(crate) use vfs::install;

/// Bytes that are written as one.
const SECTOR: usize = 512;

/// The journal and its log after a cut, by suffix.
pub(crate) type Left = BTreeMap<&'static str, Vec<u8>>;

/// Every file that SQLite has opened in this process.
static DISK: Mutex<Disk> = Mutex::new(Disk { files: BTreeMap::new(), cuts: BTreeMap::new() });

#[derive(Debug)]
struct Disk {
    files: BTreeMap<String, File>,
    /// By the journal's path.
    cuts: BTreeMap<String, Cut>,
}

#[derive(Debug, Default)]
struct File {
    certain: Vec<u8>,
    since: Vec<Change>,
    /// It was removed, which is not certain either.
    is_gone: bool,
}

#[derive(Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

/// Cuts of the power under one journal.
#[derive(Debug, Default)]
struct Cut {
    changes: usize,
    /// Before these changes, ascending.
    at: Vec<usize>,
    rng: Rng,
    /// How much its user has been told is certain.
    told: Arc<AtomicUsize>,
    /// What each has left, and what had been told by then.
    left: Vec<(Left, usize)>,
    /// There is no power after the last one.
    is_final: bool,
    /// The disk says that it has synced, and has not.
    lies: bool,
}

impl Cut {
    fn is_dead(&self) -> bool {
        self.is_final && self.left.len() == self.at.len()
    }
}

/// How a disk behaves under one journal.
#[derive(Debug, Clone, Default)]
pub(crate) struct Power {
    /// Cut before these changes of the files, ascending.
    pub(crate) at: Vec<usize>,
    pub(crate) is_final: bool,
    pub(crate) lies: bool,
    pub(crate) seed: u64,
}

/// From now on: what happens under the journal at this path. Gives the number
/// that its user raises when it is told that something is certain.
pub(crate) fn watch(journal: &Path, power: Power) -> Arc<AtomicUsize> {
    let Power { at, is_final, lies, seed } = power;
    let cut = Cut { at, is_final, lies, rng: Rng::with_seed(seed), ..Cut::default() };
    let told = Arc::clone(&cut.told);
    disk().cuts.insert(name(journal), cut);
    told
}

/// What the cuts so far have left, and how many changes there were.
pub(crate) fn cuts(journal: &Path) -> (Vec<(Left, usize)>, usize) {
    match disk().cuts.get_mut(&name(journal)) {
        Some(cut) => (std::mem::take(&mut cut.left), cut.changes),
        None => (Vec::new(), 0),
    }
}

/// What a cut at this moment would leave.
pub(crate) fn left(journal: &Path, rng: &mut Rng) -> Left {
    disk().left(&name(journal), rng)
}

/// Files in this folder are not looked after any more.
pub(crate) fn forget(folder: &Path) {
    let (mut disk, folder) = (disk(), name(folder));
    disk.files.retain(|path, _| !path.starts_with(&folder));
    disk.cuts.retain(|path, _| !path.starts_with(&folder));
}

fn name(path: &Path) -> String {
    path.to_str().unwrap_or_default().to_owned()
}

fn disk() -> MutexGuard<'static, Disk> {
    DISK.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Disk {
    /// A file as it lies there when it is first opened.
    fn open(&mut self, path: &str, content: impl FnOnce() -> Vec<u8>) {
        let file = self.files.entry(path.to_owned());
        let new = || File { certain: content(), ..File::default() };
        file.and_modify(|file| {
            if file.is_gone {
                *file = File::default();
            }
        })
        .or_insert_with(new);
    }

    /// Whether there is power for another change of this file.
    fn touch(&mut self, path: &str) -> bool {
        let journal = path.strip_suffix("-wal").unwrap_or(path).to_owned();
        let Some(mut cut) = self.cuts.remove(&journal) else { return true };
        let mut powered = !cut.is_dead();
        if powered {
            cut.changes += 1;
            if cut.at.get(cut.left.len()) == Some(&cut.changes) {
                let told = cut.told.load(Ordering::SeqCst);
                let left = self.left(&journal, &mut cut.rng);
                cut.left.push((left, told));
                powered = !cut.is_dead();
            }
        }
        self.cuts.insert(journal, cut);
        powered
    }

    fn change(&mut self, path: &str, change: Change) -> bool {
        let powered = self.touch(path);
        if powered && let Some(file) = self.files.get_mut(path) {
            file.since.push(change);
        }
        powered
    }

    fn sync(&mut self, path: &str) -> bool {
        let powered = self.touch(path);
        let journal = path.strip_suffix("-wal").unwrap_or(path);
        let lies = self.cuts.get(journal).is_some_and(|cut| cut.lies);
        if powered
            && !lies
            && let Some(file) = self.files.get_mut(path)
        {
            for change in std::mem::take(&mut file.since) {
                change.apply(&mut file.certain);
            }
        }
        powered
    }

    fn remove(&mut self, path: &str) -> bool {
        let powered = self.touch(path);
        if powered && let Some(file) = self.files.get_mut(path) {
            file.is_gone = true;
        }
        powered
    }

    fn left(&self, journal: &str, rng: &mut Rng) -> Left {
        let suffixes = ["", "-wal"].into_iter();
        let file = |suffix| self.files.get(&format!("{journal}{suffix}"));
        suffixes
            .filter_map(|suffix| Some((suffix, file(suffix)?)))
            .filter_map(|(suffix, file)| Some((suffix, file.left(rng)?)))
            .collect()
    }
}

impl File {
    fn left(&self, rng: &mut Rng) -> Option<Vec<u8>> {
        if self.is_gone && rng.bool() {
            return None;
        }
        let mut left = self.certain.clone();
        // A disk that has been idle for a while has written nearly all.
        let share = [0, 5, 50, 95][rng.usize(0..4)];
        for change in &self.since {
            change.apply_in_part(&mut left, rng, share);
        }
        Some(left)
    }
}

impl Change {
    fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Write(at, bytes) => put(file, *at, bytes),
            Self::Truncate(length) => file.truncate(*length),
        }
    }

    /// Each sector by itself, with that chance in a hundred; few hold garbage.
    fn apply_in_part(&self, file: &mut Vec<u8>, rng: &mut Rng, share: u32) {
        let Self::Write(at, bytes) = self else {
            if rng.u32(0..100) < share {
                self.apply(file);
            }
            return;
        };
        let mut begin = 0;
        while begin < bytes.len() {
            let end = ((at + begin) / SECTOR + 1) * SECTOR - at;
            let part = &bytes[begin..end.min(bytes.len())];
            if rng.u32(0..100) < share {
                put(file, at + begin, part);
            } else if rng.u32(0..50) == 0 {
                put(file, at + begin, &vec![rng.u8(..); part.len()]);
            }
            begin += part.len();
        }
    }
}

fn put(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[at..end].copy_from_slice(bytes);
}
