//! Which columns a scan looks at.
//!
//! Pure.

use std::sync::Arc;

use arrow_schema::{Schema, SchemaRef};

use crate::error::{SourceError, nearest};

/// Columns that a scan looks at, in the order of the schema.
#[derive(Debug, Clone)]
pub(crate) struct Projection {
    /// Positions in the source's schema, ascending.
    pub(crate) positions: Vec<usize>,
    /// Their fields.
    pub(crate) schema: SchemaRef,
}

impl Projection {
    /// Resolves names; `None` takes all columns.
    pub(crate) fn new(schema: &SchemaRef, columns: Option<&[String]>) -> Result<Self, SourceError> {
        let Some(columns) = columns else {
            let positions = (0..schema.fields().len()).collect();
            return Ok(Self { positions, schema: Arc::clone(schema) });
        };
        let mut positions = Vec::with_capacity(columns.len());
        for column in columns {
            let Ok(position) = schema.index_of(column) else {
                let known = schema.fields().iter().map(|field| field.name().as_str());
                let nearest = nearest(column, known);
                return Err(SourceError::UnknownColumn { column: column.clone(), nearest });
            };
            positions.push(position);
        }
        positions.sort_unstable();
        positions.dedup();
        let fields: Vec<_> =
            positions.iter().map(|&position| Arc::clone(&schema.fields()[position])).collect();
        Ok(Self { positions, schema: Arc::new(Schema::new(fields)) })
    }
}
