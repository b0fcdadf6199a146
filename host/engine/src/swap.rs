//! Versions of a rule that come while a run goes on.
//!
//! ```text
//! Swaps::new(sandbox, settings)      in Parts; kept by whoever drives the run
//!     .publish(candidate)            taken at a chunk boundary, through the protocol
//!     .roll_back(why)                the previous version judges again, at once
//!     .status()                      where the last one stands
//!     .following(look), .noting(note)   a store that is looked at, and told
//! ```
//!
//! What is decided is decided in [`dvsync_rules::swap`]; here it is carried out
//! for one run: a candidate is made ready beside it, each chunk is given to its
//! generations, what they come to is counted, and what a rolled-back version
//! wrote is judged again. Not here: how a store keeps versions.

mod again;
mod changes;
mod judging;
mod ready;
mod shadow;
mod told;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dvsync_rules::swap::{Refused, Stage, SwapSettings};
use dvsync_rules::{Rule, Sandbox};

pub(crate) use changes::over_both;
pub(crate) use judging::{Generation, Judging, Part, list};
pub(crate) use shadow::compare;
pub(crate) use told::AgainReports;
pub use told::{AgainReport, JudgementReport, SwapReport};

/// Gives the bytes of a component.
pub type Component = Box<dyn FnOnce() -> Result<Vec<u8>, String> + Send>;

/// Lets a rule judge its fixtures; says what it judges otherwise.
pub type Fixtures = Box<dyn FnOnce(&Rule) -> Result<(), String> + Send>;

/// Looks which version is wanted; asked at chunk boundaries, once a second at
/// most, on a thread that may block. `judges` are the digests of the live
/// version and, while a swap is under way, of the new one.
pub type Look = Box<dyn Fn(&Judges) -> Result<Wish, String> + Send + Sync>;

/// Told where a version stands, each time that it gets to another stage, on a
/// thread that may block. Of a published version an error rolls it back.
pub type Note = Box<dyn Fn(&Noted<'_>) -> Result<(), String> + Send + Sync>;

/// Who judges, by digest of the component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judges {
    /// The live version.
    pub live: String,
    /// The one that is being swapped in.
    pub candidate: Option<String>,
    /// The one that takes over when the last swap is rolled back.
    pub previous: Option<String>,
}

/// What a store wants of a run.
pub enum Wish {
    /// All is as it should be.
    Nothing,
    /// Another version.
    Take(Box<Candidate>),
    /// The previous version, because of this.
    RollBack(String),
}

/// Where a version stands.
#[derive(Debug, Clone, Copy)]
pub struct Noted<'a> {
    /// `name@version`.
    pub name: &'a str,
    /// `sha256:...` of its component.
    pub digest: &'a str,
    /// `name@version` and digest of the version before it.
    pub previous: (&'a str, &'a str),
    /// Where it stands.
    pub stage: &'a Stage,
}

/// A version that is to take over.
pub struct Candidate {
    /// `name@version`, for messages.
    pub name: String,
    /// `sha256:...` that its bytes must have; whatever they have if absent.
    pub digest: Option<String>,
    /// Its bytes.
    pub component: Component,
    /// Its own fixtures.
    pub fixtures: Option<Fixtures>,
    /// How careful this swap is; as the others if absent.
    pub settings: Option<SwapSettings>,
}

impl Candidate {
    /// A component in memory.
    #[must_use]
    pub fn of(name: impl Into<String>, component: Vec<u8>) -> Self {
        Self {
            name: name.into(),
            digest: None,
            component: Box::new(move || Ok(component)),
            fixtures: None,
            settings: None,
        }
    }
}

impl std::fmt::Debug for Candidate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Candidate").field("name", &self.name).finish_non_exhaustive()
    }
}

/// Where the last version stands that was wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct Status {
    /// `name@version`.
    pub name: String,
    /// Where it stands.
    pub stage: Stage,
}

/// The way by which other versions come into a run. Clones are the same way.
#[derive(Clone)]
pub struct Swaps {
    shared: Arc<Shared>,
}

struct Shared {
    sandbox: Arc<Sandbox>,
    settings: SwapSettings,
    waits: bool,
    look: Option<Look>,
    note: Option<Note>,
    wanted: Mutex<Wanted>,
}

#[derive(Default)]
struct Wanted {
    candidate: Option<Candidate>,
    roll_back: Option<String>,
    status: Option<Status>,
}

impl Swaps {
    /// Nothing is wanted yet. `sandbox` is the one that the run's rule is of.
    #[must_use]
    pub fn new(sandbox: Arc<Sandbox>, settings: SwapSettings) -> Self {
        let (look, note, wanted) = (None, None, Mutex::default());
        let shared = Shared { sandbox, settings, waits: false, look, note, wanted };
        Self { shared: Arc::new(shared) }
    }

    /// Chunks wait while a candidate is made ready, instead of going on under
    /// the version before it: for runs of few chunks.
    #[must_use]
    pub fn waiting(self) -> Self {
        self.with(|shared| shared.waits = true)
    }

    /// Looks at a store.
    #[must_use]
    pub fn following(self, look: Look) -> Self {
        self.with(|shared| shared.look = Some(look))
    }

    /// Tells a store.
    #[must_use]
    pub fn noting(self, note: Note) -> Self {
        self.with(|shared| shared.note = Some(note))
    }

    /// Wants a version; a run takes it at its next chunk.
    ///
    /// # Errors
    /// Another one waits or is under way: see
    /// [`dvsync_rules::swap::Generations::begin`].
    pub fn publish(&self, candidate: Candidate) -> Result<(), Refused> {
        let mut wanted = self.wanted();
        let under_way = match (&wanted.candidate, &wanted.status) {
            (Some(waits), _) => Some((waits.name.clone(), "waiting for a chunk".to_owned())),
            (None, Some(status)) if !status.stage.is_over() => {
                Some((status.name.clone(), status.stage.to_string()))
            }
            (None, _) => None,
        };
        if let Some((under_way, stage)) = under_way {
            return Err(Refused { under_way, stage });
        }
        wanted.candidate = Some(candidate);
        Ok(())
    }

    /// Wants the previous version back; a run does so at its next chunk. What
    /// the newer one wrote is judged again.
    pub fn roll_back(&self, why: impl Into<String>) {
        self.wanted().roll_back = Some(why.into());
    }

    /// Where the last version stands that a run has taken.
    #[must_use]
    pub fn status(&self) -> Option<Status> {
        self.wanted().status.clone()
    }

    fn with(mut self, change: impl FnOnce(&mut Shared)) -> Self {
        // Clones that were handed out before keep what they have.
        match Arc::get_mut(&mut self.shared) {
            Some(shared) => change(shared),
            None => tracing::error!("a way for other versions is set up after it was shared"),
        }
        self
    }

    fn wanted(&self) -> MutexGuard<'_, Wanted> {
        self.shared.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
