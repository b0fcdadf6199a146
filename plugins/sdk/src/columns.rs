//! Builders of output columns: one value, null or "leave" a row, written once in
//! the layout that crosses the boundary. Pure.

mod stores;

use stores::{
    BooleanStore, DateStore, DecimalStore, Float64Store, Int64Store, TimestampStore, UuidStore,
};

use crate::bindings::transform::exports::dvsync::rules::transform::Setting;
use crate::bindings::types::{Column, TextBuffers, Values};
use crate::bits::Bits;
use crate::field::Type;

/// A column in the making. Rows are added in order, each by exactly one call.
#[derive(Debug, Clone)]
pub struct Builder<S> {
    store: S,
    rows: usize,
    present: Bits,
    leave: Bits,
}

/// Where a builder's values go.
pub trait Store {
    /// What a cell takes.
    type Value<'v>;
    /// The type of the column.
    const TYPE: Type;
    /// Adds a value.
    fn push(&mut self, value: Self::Value<'_>);
    /// Adds the unspecified value of a null.
    fn push_null(&mut self);
    /// The finished buffers.
    fn finish(self) -> Values;
}

impl<S: Store> Builder<S> {
    fn over(store: S, rows: usize) -> Self {
        Self { store, rows: 0, present: Bits::new(true, rows), leave: Bits::new(false, rows) }
    }

    /// Adds a row that holds the value.
    #[inline]
    pub fn push(&mut self, value: S::Value<'_>) {
        self.store.push(value);
        self.rows += 1;
    }

    /// Adds a row that is null: the target's cell is cleared.
    #[inline]
    pub fn push_null(&mut self) {
        self.store.push_null();
        self.present.flip(self.rows);
        self.rows += 1;
    }

    /// Adds a row whose cell stays as the target has it.
    #[inline]
    pub fn push_leave(&mut self) {
        self.leave.flip(self.rows);
        self.push_null();
    }

    /// Adds a row that holds the value, or is null.
    #[inline]
    pub fn push_option(&mut self, value: Option<S::Value<'_>>) {
        match value {
            Some(value) => self.push(value),
            None => self.push_null(),
        }
    }

    /// Rows added so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows
    }

    /// No row has been added.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub(crate) fn kind(&self) -> Type {
        S::TYPE
    }

    pub(crate) fn into_setting(self, name: &str) -> Setting {
        let Self { store, rows, present, leave } = self;
        let validity = present.into_bytes(rows);
        let column = Column { name: name.to_owned(), validity, values: store.finish() };
        Setting { column, leave: leave.into_bytes(rows) }
    }

    /// The column by itself: keys to [`crate::Tables::resolve`], fixtures.
    #[must_use]
    pub fn into_column(self, name: &str) -> Column {
        self.into_setting(name).column
    }
}

/// Text; blank text is not special: see [`TextBuilder::push_tidy`].
pub type TextBuilder = Builder<TextStore>;
/// Whole numbers and choices.
pub type Int64Builder = Builder<Int64Store>;
/// Binary floating-point numbers.
pub type Float64Builder = Builder<Float64Store>;
/// Exact decimal numbers and money, all with one scale.
pub type DecimalBuilder = Builder<DecimalStore>;
/// Yes or no.
pub type BooleanBuilder = Builder<BooleanStore>;
/// Days since 1970-01-01.
pub type DateBuilder = Builder<DateStore>;
/// Microseconds since 1970-01-01T00:00:00Z.
pub type TimestampBuilder = Builder<TimestampStore>;
/// GUIDs, 16 bytes in the order in which they are written.
pub type UuidBuilder = Builder<UuidStore>;

/// See [`TextBuilder`].
#[derive(Debug, Clone)]
pub struct TextStore {
    offsets: Vec<i32>,
    pub(crate) data: String,
}

impl TextStore {
    pub(crate) fn new(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self { offsets, data: String::with_capacity(rows * 16) }
    }

    #[inline]
    pub(crate) fn end_row(&mut self) {
        // Beyond 2 GiB the host refuses the column: the offset does not move.
        let last = self.offsets.last().copied().unwrap_or(0);
        self.offsets.push(i32::try_from(self.data.len()).unwrap_or(last));
    }

    pub(crate) fn rows(&self) -> usize {
        self.offsets.len() - 1
    }

    pub(crate) fn into_buffers(self) -> TextBuffers {
        TextBuffers { offsets: self.offsets, data: self.data.into_bytes() }
    }
}

impl Store for TextStore {
    type Value<'v> = &'v str;
    const TYPE: Type = Type::Text;

    #[inline]
    fn push(&mut self, value: &str) {
        self.data.push_str(value);
        self.end_row();
    }

    #[inline]
    fn push_null(&mut self) {
        self.end_row();
    }

    fn finish(self) -> Values {
        Values::Text(self.into_buffers())
    }
}

impl Builder<TextStore> {
    /// For so many rows; more is possible and costs a copy.
    #[must_use]
    pub fn new(rows: usize) -> Self {
        Self::over(TextStore::new(rows), rows)
    }

    /// Adds a row by writing at the end of the column's data, so that no text is
    /// made only to be copied. What stands there before is not to be touched. A
    /// row for which nothing is written is null.
    ///
    /// Tells whether the row holds something.
    #[inline]
    pub fn push_with(&mut self, write: impl FnOnce(&mut String)) -> bool {
        let start = self.store.data.len();
        write(&mut self.store.data);
        let some = self.store.data.len() > start;
        if some {
            self.store.end_row();
            self.rows += 1;
        } else {
            self.push_null();
        }
        some
    }

    /// Adds text without blanks around it and with single ones inside; null when
    /// nothing is left. Tells whether the row holds something.
    #[inline]
    pub fn push_tidy(&mut self, text: &str) -> bool {
        self.push_with(|data| crate::text::tidy(text, data))
    }
}
