//! The words that a job file may use where there is a choice.

use std::fmt;

use schemars::JsonSchema;
use serde::de::{self, Deserialize, Deserializer, Visitor};

use super::file::RecordsTyped;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $word:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Deserialize, serde::Serialize, JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$attr])* $word,)* }
    };
}

words! {
    /// A mode as typed.
    ModeWord {
        /// New records only; existing ones are left alone.
        Insert,
        /// Existing records only; none is created.
        Update,
        /// New and existing records.
        Upsert,
        #[schemars(skip)]
        #[expect(missing_docs, reason = "refused in words: not there yet")]
        Append,
        #[schemars(skip)]
        #[expect(missing_docs, reason = "refused in words: not there yet")]
        Delete,
        #[schemars(skip)]
        #[expect(missing_docs, reason = "refused in words: not there yet")]
        Mirror,
    }
}

words! {
    /// What may happen to records of the target.
    Mode {
        /// New records only; existing ones are `unchanged` with code `exists`.
        Insert,
        /// Existing records only; none is created.
        Update,
        /// New and existing records.
        Upsert,
    }
}

words! {
    /// What is read of the target before writing.
    LookupWord {
        /// Keys and the columns that the job writes: only changes are sent.
        Columns,
        /// Keys: tells new records from existing ones, writes all of them.
        Keys,
        /// Nothing: records are upserted by alternate key.
        None,
    }
}

words! {
    /// How the target is read.
    Retrieve {
        /// Whichever is cheaper.
        Auto,
        /// The whole table, page by page.
        Pages,
        /// The keys of the source, some hundred at a time.
        Keys,
    }
}

words! {
    /// What the service's hint of how many requests to send at once counts for.
    DopHintWord {
        /// The whole environment: the principals share it.
        Environment,
        /// Each principal.
        Principal,
    }
}

words! {
    /// When one key matches several records.
    Several {
        /// The row becomes a dead letter that names them.
        Reject,
        /// The one with the smallest id is taken.
        First,
    }
}

words! {
    /// Which of several source rows with one key wins.
    Keep {
        /// The first (by `by`, the smallest).
        First,
        /// The last (by `by`, the greatest).
        Last,
        /// None: all of them become dead letters.
        Reject,
    }
}

words! {
    /// How a record that is to be inactive is created.
    CreateInactive {
        /// Created active, then deactivated: what the service always takes.
        TwoSteps,
        /// With its state in the create.
        One,
    }
}

words! {
    /// Custom logic to skip.
    BypassWord {
        /// Synchronous plug-ins and workflows.
        Sync,
        /// Asynchronous ones.
        Async,
    }
}

words! {
    /// How instances of a rule are shared among chunks.
    Isolation {
        /// Kept warm for the job.
        Warm,
        /// A fresh one for each chunk.
        Chunk,
    }
}

words! {
    /// Whether a run takes another version of its rule.
    SwapWord {
        /// The one that it began with judges all rows.
        Pinned,
        /// A version that is published meanwhile takes over.
        Follow,
    }
}

words! {
    /// What becomes of rows that the rule fails on.
    OnFailure {
        /// They become dead letters; the rest goes on.
        DeadLetter,
        /// The run stops.
        Stop,
    }
}

words! {
    /// A step of cleaning.
    Sanitize {
        /// Blanks at both ends go.
        Trim,
        /// Runs of white space become one blank.
        CollapseSpaces,
        /// Upper case.
        Upper,
        /// Lower case.
        Lower,
        /// Each Word Starts Large.
        Title,
        /// Control characters go; line breaks stay.
        StripControl,
        /// Unicode normalization form C.
        Nfc,
        /// Empty text becomes null.
        EmptyToNull,
    }
}

words! {
    /// Text beyond the column's length.
    TooLong {
        /// The row becomes a dead letter.
        Reject,
        /// It is cut at a character.
        Truncate,
    }
}

words! {
    /// An empty value.
    WhenNull {
        /// Empties the column.
        Clear,
        /// Leaves it as the target has it.
        Leave,
    }
}

words! {
    /// When a lookup finds no record.
    OnMissing {
        /// The column becomes null.
        Null,
        /// The row is tried again at the end of the run.
        Defer,
        /// The row becomes a dead letter.
        Reject,
    }
}

/// When a row and a record are the same thing.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MatchSection {
    /// The primary id, taken from this target column.
    Id(String),
    /// An alternate key over these target columns.
    Key(Vec<String>),
    /// Target columns that are no alternate key.
    Columns(Vec<String>),
    /// The keys that the rule derives.
    Rules,
}

impl<'de> Deserialize<'de> for RecordsTyped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Records;
        impl Visitor<'_> for Records {
            type Value = RecordsTyped;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of records")
            }

            fn visit_u64<E>(self, number: u64) -> Result<RecordsTyped, E> {
                Ok(RecordsTyped::Number(number))
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<RecordsTyped, E> {
                Ok(RecordsTyped::Word(word.to_owned()))
            }
        }
        deserializer.deserialize_any(Records)
    }
}
