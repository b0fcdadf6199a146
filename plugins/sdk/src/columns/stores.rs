//! Where the values of builders go, other than text. Pure.

use super::{Builder, Store};
use crate::bindings::types::{DecimalBuffers, Values};
use crate::bits::Bits;
use crate::field::Type;

macro_rules! list_store {
    ($store:ident, $value:ty, $kind:expr, $case:ident, $empty:expr) => {
        /// Values, one a row.
        #[derive(Debug, Clone)]
        pub struct $store(Vec<$value>);

        impl Store for $store {
            type Value<'v> = $value;
            const TYPE: Type = $kind;

            #[inline]
            fn push(&mut self, value: $value) {
                self.0.push(value);
            }

            #[inline]
            fn push_null(&mut self) {
                self.0.push($empty);
            }

            fn finish(self) -> Values {
                Values::$case(self.0)
            }
        }

        impl Builder<$store> {
            /// For so many rows; more is possible and costs a copy.
            #[must_use]
            pub fn new(rows: usize) -> Self {
                Self::over($store(Vec::with_capacity(rows)), rows)
            }
        }
    };
}

list_store!(Int64Store, i64, Type::Int64, Int64, 0);
list_store!(Float64Store, f64, Type::Float64, Float64, 0.0);
list_store!(DateStore, i32, Type::Date, Date32, 0);
list_store!(TimestampStore, i64, Type::Timestamp, TimestampUs, 0);

/// See `DecimalBuilder`.
#[derive(Debug, Clone)]
pub struct DecimalStore {
    data: Vec<u8>,
    precision: u8,
    scale: i8,
}

impl Store for DecimalStore {
    /// Without the point: 12.5 at scale 4 is 125,000.
    type Value<'v> = i128;
    const TYPE: Type = Type::Decimal;

    #[inline]
    fn push(&mut self, value: i128) {
        self.data.extend_from_slice(&value.to_le_bytes());
    }

    #[inline]
    fn push_null(&mut self) {
        self.data.extend_from_slice(&[0; 16]);
    }

    fn finish(self) -> Values {
        Values::Decimal128(DecimalBuffers {
            precision: self.precision,
            scale: self.scale,
            data: self.data,
        })
    }
}

impl Builder<DecimalStore> {
    /// Numbers of at most `precision` digits, `scale` of them after the point.
    #[must_use]
    pub fn new(precision: u8, scale: i8, rows: usize) -> Self {
        let data = Vec::with_capacity(rows * 16);
        Self::over(DecimalStore { data, precision, scale }, rows)
    }

    /// Money: 38 digits, 4 of them after the point, as Dataverse reads it back.
    #[must_use]
    pub fn money(rows: usize) -> Self {
        Self::new(38, 4, rows)
    }
}

/// See `UuidBuilder`.
#[derive(Debug, Clone)]
pub struct UuidStore(Vec<u8>);

impl Store for UuidStore {
    type Value<'v> = [u8; 16];
    const TYPE: Type = Type::Uuid;

    fn push(&mut self, value: [u8; 16]) {
        self.0.extend_from_slice(&value);
    }

    fn push_null(&mut self) {
        self.0.extend_from_slice(&[0; 16]);
    }

    fn finish(self) -> Values {
        Values::Uuid(self.0)
    }
}

impl Builder<UuidStore> {
    /// For so many rows; more is possible and costs a copy.
    #[must_use]
    pub fn new(rows: usize) -> Self {
        Self::over(UuidStore(Vec::with_capacity(rows * 16)), rows)
    }
}

/// See `BooleanBuilder`.
#[derive(Debug, Clone)]
pub struct BooleanStore {
    bits: Bits,
    rows: usize,
}

impl Store for BooleanStore {
    type Value<'v> = bool;
    const TYPE: Type = Type::Boolean;

    fn push(&mut self, value: bool) {
        if value {
            self.bits.flip(self.rows);
        }
        self.rows += 1;
    }

    fn push_null(&mut self) {
        self.rows += 1;
    }

    fn finish(self) -> Values {
        Values::Boolean(
            self.bits.into_bytes(self.rows).unwrap_or_else(|| vec![0; self.rows.div_ceil(8)]),
        )
    }
}

impl Builder<BooleanStore> {
    /// For so many rows; more is possible and costs a copy.
    #[must_use]
    pub fn new(rows: usize) -> Self {
        Self::over(BooleanStore { bits: Bits::new(false, rows), rows: 0 }, rows)
    }
}
