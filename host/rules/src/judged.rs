//! What a rule said of a chunk: one value a row, in order, and what is special
//! to single rows. Values only.

use arrow_array::{ArrayRef, Int32Array, StringArray};
use arrow_buffer::BooleanBuffer;

/// The rule's say on a row beyond its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Position in the batch.
    pub row: usize,
    /// What is to become of it.
    pub kind: VerdictKind,
    /// The author's code, at most 64 bytes.
    pub code: String,
    /// The column that it is about.
    pub column: Option<String>,
    /// For a person, at most 512 bytes.
    pub message: String,
}

/// What is to become of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VerdictKind {
    /// A dead letter.
    Reject,
    /// Left out on purpose.
    Drop,
    /// Not now.
    Defer,
}

/// A row that could not be judged: its values in the result mean nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Position in the batch.
    pub row: usize,
    /// One of [`codes`].
    pub code: &'static str,
    /// For a person.
    pub message: String,
}

/// Codes of [`Fault`].
pub mod codes {
    /// The rule trapped: a panic, a stack overflow, an access out of bounds.
    pub const TRAP: &str = "rule_trap";
    /// The call did not end in time.
    pub const TIMEOUT: &str = "rule_timeout";
    /// The rule wanted more memory than it may have.
    pub const MEMORY: &str = "rule_memory";
    /// The answer broke the contract.
    pub const INVALID_OUTPUT: &str = "rule_invalid_output";
    /// The rule said that the call failed.
    pub const FAILED: &str = "rule_failed";
    /// The part of a failing chunk that was not narrowed further.
    pub const BUDGET: &str = "rule_budget";
    /// A value that the type the rule asked for cannot hold.
    pub const TYPE_MISMATCH: &str = "type_mismatch";
}

/// Result of `transform`.
#[derive(Debug, Clone, Default)]
pub struct Transformed {
    /// Columns that were set, each with a value a row.
    pub columns: Vec<Setting>,
    /// In order of rows; one at most for each.
    pub verdicts: Vec<Verdict>,
    /// In order of rows; one at most for each, and no verdict beside it.
    pub faults: Vec<Fault>,
}

/// A column that the rule sets, in the Arrow type of its declared value type:
/// `Boolean`, `Int64`, `Float64`, `Decimal128` (precision and scale as the rule
/// gave them), `Date32`, `Timestamp(us, UTC)`, `Utf8`, `Binary`,
/// `FixedSizeBinary(16)`.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Name of the target's column.
    pub name: String,
    /// The values; null clears the cell.
    pub array: ArrayRef,
    /// True = leave the cell as the target has it.
    pub leave: Option<BooleanBuffer>,
}

/// Result of `matching.derive`.
#[derive(Debug, Clone, PartialEq)]
pub struct Derived {
    /// Empty = matches nothing.
    pub keys: StringArray,
    /// As in [`Transformed`].
    pub verdicts: Vec<Verdict>,
    /// As in [`Transformed`].
    pub faults: Vec<Fault>,
}

/// Result of `matching.choose`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chosen {
    /// Position among the row's candidates.
    pub chosen: Vec<Option<u32>>,
    /// As in [`Transformed`].
    pub verdicts: Vec<Verdict>,
    /// As in [`Transformed`].
    pub faults: Vec<Fault>,
}

/// Result of `state`.
#[derive(Debug, Clone, PartialEq)]
pub struct States {
    /// Null = leave as it is.
    pub statecode: Int32Array,
    /// Null = leave as it is, or what goes with the statecode.
    pub statuscode: Int32Array,
    /// As in [`Transformed`].
    pub verdicts: Vec<Verdict>,
    /// As in [`Transformed`].
    pub faults: Vec<Fault>,
}

/// Who owns a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OwnerKind {
    /// As it is.
    Leave,
    /// A user.
    User,
    /// A team.
    Team,
}

/// Result of `owner`.
#[derive(Debug, Clone, PartialEq)]
pub struct Owners {
    /// One a row.
    pub kinds: Vec<OwnerKind>,
    /// How the keys name the owner: `id`, or a column unique among users or
    /// teams. Empty when no row was judged.
    pub by: String,
    /// Empty where the kind is `Leave`.
    pub keys: StringArray,
    /// As in [`Transformed`].
    pub verdicts: Vec<Verdict>,
    /// As in [`Transformed`].
    pub faults: Vec<Fault>,
}
