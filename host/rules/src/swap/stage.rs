//! Where a new version stands, and why it did not get further. Values only.

use std::fmt;

/// Where a new version stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// Wanted; nothing was looked at yet.
    Registered,
    /// Its bytes are those that were promised.
    Verified,
    /// It compiles, links, and binds to the job.
    Compiled,
    /// It judges its fixtures and recorded chunks as it must.
    Conformed,
    /// Both judge, the previous one counts.
    Shadowing {
        /// Chunks judged by both.
        chunks: u32,
    },
    /// It judges a share of the keys.
    Canary {
        /// Which step, from 0.
        step: usize,
        /// Percent of the keys.
        percent: u8,
        /// Chunks judged in this step.
        chunks: u32,
    },
    /// It judges all rows; whoever keeps note of that is being told.
    Published,
    /// It judges all rows and may still lose them.
    Watching {
        /// Chunks judged since it was published.
        chunks: u32,
    },
    /// It has judged enough chunks well.
    Proved,
    /// It judges no more; what it wrote is being judged again.
    RolledBack {
        /// Why.
        cause: Cause,
    },
    /// It is not taken again.
    Quarantined {
        /// Why.
        cause: Cause,
    },
}

impl Stage {
    /// One word, stable: for journals, files and reports.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Verified => "verified",
            Self::Compiled => "compiled",
            Self::Conformed => "conformed",
            Self::Shadowing { .. } => "shadowing",
            Self::Canary { .. } => "canary",
            Self::Published => "published",
            Self::Watching { .. } => "watching",
            Self::Proved => "proved",
            Self::RolledBack { .. } => "rolled_back",
            Self::Quarantined { .. } => "quarantined",
        }
    }

    /// Nothing more will happen by itself: another swap may begin.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Proved | Self::RolledBack { .. } | Self::Quarantined { .. })
    }

    /// It judges rows that count, and may still lose them.
    #[must_use]
    pub fn is_on_trial(&self) -> bool {
        matches!(self, Self::Canary { .. } | Self::Published | Self::Watching { .. })
    }

    /// It judges all rows.
    #[must_use]
    pub fn is_live(&self) -> bool {
        matches!(self, Self::Published | Self::Watching { .. } | Self::Proved)
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shadowing { chunks } => write!(f, "shadowing ({chunks} chunks)"),
            Self::Canary { percent, chunks, .. } => {
                write!(f, "canary of {percent} % ({chunks} chunks)")
            }
            Self::Watching { chunks } => write!(f, "watching ({chunks} chunks)"),
            Self::RolledBack { cause } => write!(f, "rolled back: {cause}"),
            Self::Quarantined { cause } => write!(f, "quarantined: {cause}"),
            other => f.write_str(other.word()),
        }
    }
}

/// Why a version did not get further.
#[derive(Debug, Clone, PartialEq)]
pub enum Cause {
    /// Its bytes are not those that were promised.
    Unverified(String),
    /// It does not compile, link or bind.
    Unfit(String),
    /// It does not judge fixtures or recorded chunks as it must.
    Unconformed(String),
    /// It trapped, or told that it failed, in so many chunks.
    Trapped(u32),
    /// It ran into its deadline in so many chunks.
    TimedOut(u32),
    /// It broke the contract in so many chunks.
    Invalid(u32),
    /// It stops too many rows.
    Stops {
        /// Of its rows.
        percent: f64,
        /// Of the previous version's.
        previous_percent: f64,
    },
    /// Whoever keeps note of what is live could not.
    Unnoted(String),
    /// It fits the job, but not what this run has begun to read: it goes live
    /// with the next one.
    NextRun(String),
    /// Somebody wanted it.
    Asked(String),
}

impl Cause {
    /// The version is at fault, not whoever asked or kept note.
    #[must_use]
    pub fn is_its_own(&self) -> bool {
        !matches!(self, Self::Asked(_) | Self::Unnoted(_) | Self::NextRun(_))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unverified(why) => write!(f, "it cannot be verified: {why}"),
            Self::Unfit(why) => write!(f, "it does not fit: {why}"),
            Self::Unconformed(why) => write!(f, "it does not conform: {why}"),
            Self::Trapped(chunks) => write!(f, "it failed in {chunks} chunks"),
            Self::TimedOut(chunks) => write!(f, "it did not end in time in {chunks} chunks"),
            Self::Invalid(chunks) => write!(f, "it broke the contract in {chunks} chunks"),
            Self::Stops { percent, previous_percent } => write!(
                f,
                "it stops {percent:.1} % of its rows, the previous version {previous_percent:.1} %"
            ),
            Self::Unnoted(why) => write!(f, "that it is live could not be noted: {why}"),
            Self::NextRun(why) => write!(f, "it goes live with the next run: {why}"),
            Self::Asked(why) => f.write_str(why),
        }
    }
}
