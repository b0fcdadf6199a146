//! Records by keys: filters in GETs, many of them in one `$batch`.
//!
//! Keys go into filters, not into key addresses: a filter takes every
//! character.

use arrow_array::{Array, ArrayRef, RecordBatch};
use dvsync_model::{Column, Kind};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::literal::{Literal, literal};
use super::rows::{Shape, property};
use super::{Page, Select, decode, page, what};
use crate::address;
use crate::client::Shared;
use crate::error::ClientError;
use crate::metadata::nearest;

/// Below the 65,536 characters of a URL within `$batch`.
const URL_MAX: usize = 60_000;
/// Values of one `In`.
const VALUES_MAX: usize = 400;
/// The service refuses queries with more than 500 conditions.
const CONDITIONS_MAX: usize = 300;
/// GETs of one `$batch`: the service runs them one after the other.
const GETS_MAX: usize = 5;
/// Batches at once; the throttles decide how many really are.
const BATCHES_AT_ONCE: usize = 16;

pub(crate) async fn find(
    shared: &Shared,
    select: &Select,
    by: &[String],
    keys: &[ArrayRef],
) -> Result<Vec<RecordBatch>, ClientError> {
    let shape = Shape::new(select)?;
    let columns = columns(select, by, keys)?;
    let root = shared.session.origin.root();
    let mut start =
        format!("{root}{}?{}&$filter=", select.entity.entity_set, select.select_option(&shape));
    if let Some(filter) = &select.filter {
        start.push_str(&address::query(&format!("({filter}) and ")));
    }
    let targets: Vec<String> = clauses(&columns, keys, URL_MAX.saturating_sub(start.len()))
        .into_iter()
        .map(|clause| format!("{start}{clause}"))
        .collect();
    let what = what(select);
    let prefer = select.prefer();
    let batches: Vec<Vec<RecordBatch>> = stream::iter(targets.chunks(GETS_MAX))
        .map(|targets| batch(shared, &shape, &what, &prefer, targets))
        .buffered(BATCHES_AT_ONCE)
        .try_collect()
        .await?;
    Ok(batches.into_iter().flatten().filter(|batch| batch.num_rows() > 0).collect())
}

async fn batch(
    shared: &Shared,
    shape: &Shape,
    what: &str,
    prefer: &str,
    targets: &[String],
) -> Result<Vec<RecordBatch>, ClientError> {
    let session = &shared.session;
    let mut found = Vec::new();
    for body in session.read_many(what, targets, &[("Prefer", prefer)]).await? {
        let body =
            body.map_err(|refusal| ClientError::Refused { what: what.to_owned(), refusal })?;
        let Page { rows, mut next } = decode(session, what, shape, &body)?;
        found.push(rows);
        while let Some(target) = next {
            let more = page(session, what, shape, target, prefer).await?;
            found.push(more.rows);
            next = more.next;
        }
    }
    Ok(found)
}

/// The key columns, checked against the table and the arrays.
fn columns<'a>(
    select: &'a Select,
    by: &[String],
    keys: &[ArrayRef],
) -> Result<Vec<&'a Column>, ClientError> {
    let entity = &select.entity;
    let unusable = |column: &str, problem: String| ClientError::UnusableColumn {
        entity: entity.logical_name.clone(),
        column: column.to_owned(),
        problem,
    };
    if by.is_empty() || by.len() != keys.len() {
        let problem = format!("is not one of {} keys for {} columns", keys.len(), by.len());
        return Err(unusable(by.first().map_or("", String::as_str), problem));
    }
    let mut columns = Vec::new();
    // Equally many, checked above.
    for (name, array) in by.iter().zip(keys) {
        let column = entity.column(name).ok_or_else(|| ClientError::UnknownColumn {
            entity: entity.logical_name.clone(),
            column: name.clone(),
            nearest: nearest(name, entity.columns.iter().map(|column| &column.logical_name)),
        })?;
        if matches!(column.kind, Kind::MultiChoice { .. } | Kind::Other(_)) {
            return Err(unusable(name, "cannot be searched by".to_owned()));
        }
        if array.data_type() != &column.kind.arrow_type() {
            let problem = format!(
                "is searched by {}, expected {}",
                array.data_type(),
                column.kind.arrow_type()
            );
            return Err(unusable(name, problem));
        }
        if keys.first().is_some_and(|first| first.len() != array.len()) {
            return Err(unusable(name, format!("has {} keys, not as many as others", array.len())));
        }
        columns.push(column);
    }
    Ok(columns)
}

/// Filters, percent-encoded, each at most `length_max` long (a single key that
/// is longer stands alone), that together match all keys.
fn clauses(columns: &[&Column], keys: &[ArrayRef], length_max: usize) -> Vec<String> {
    let rows = keys.first().map_or(0, |array| array.len());
    let key = |row: usize| -> Option<Vec<Literal>> {
        columns.iter().zip(keys).map(|(column, array)| literal(column, array, row)).collect()
    };
    let mut within = In::new(columns, length_max);
    let mut equal = Equal::new(columns, length_max);
    for parts in (0..rows).filter_map(key) {
        match (&mut within, &parts[..]) {
            (Some(within), [literal]) if In::takes(literal) => within.push(literal),
            _ => equal.push(&parts),
        }
    }
    let mut clauses = within.map(In::finish).unwrap_or_default();
    clauses.extend(equal.finish());
    clauses
}

/// `Microsoft.Dynamics.CRM.In(PropertyName='x',PropertyValues=["a","b"])`.
struct In {
    start: String,
    values: Vec<String>,
    length: usize,
    length_max: usize,
    clauses: Vec<String>,
}

impl In {
    fn new(columns: &[&Column], length_max: usize) -> Option<Self> {
        let &[column] = columns else { return None };
        let plain = matches!(
            column.kind,
            Kind::Text { .. }
                | Kind::Memo { .. }
                | Kind::Integer { .. }
                | Kind::BigInt
                | Kind::Choice { .. }
                | Kind::State { .. }
                | Kind::Status { .. }
                | Kind::Uniqueidentifier
        );
        plain.then(|| Self {
            start: address::query(&format!(
                "Microsoft.Dynamics.CRM.In(PropertyName='{}',PropertyValues=[",
                column.logical_name
            )),
            values: Vec::new(),
            length: 0,
            length_max,
            clauses: Vec::new(),
        })
    }

    /// Its array has quoting rules of its own: text with quotes goes elsewhere.
    fn takes(literal: &Literal) -> bool {
        match literal {
            Literal::Text(text) => {
                !text.chars().any(|c| matches!(c, '"' | '\'' | '\\') || c.is_control())
            }
            Literal::Bare(_) => true,
        }
    }

    fn push(&mut self, literal: &Literal) {
        let (Literal::Text(text) | Literal::Bare(text)) = literal;
        let value = address::query(&format!("\"{text}\""));
        let full = self.length + value.len() + self.start.len() + 16 > self.length_max;
        if !self.values.is_empty() && (full || self.values.len() == VALUES_MAX) {
            self.close();
        }
        self.length += value.len() + 1;
        self.values.push(value);
    }

    fn close(&mut self) {
        if !self.values.is_empty() {
            self.clauses.push(format!("{}{}%5D)", self.start, self.values.join(",")));
            self.values.clear();
            self.length = 0;
        }
    }

    fn finish(mut self) -> Vec<String> {
        self.close();
        self.clauses
    }
}

/// `((a eq 'x' and b eq 5) or (...))`.
struct Equal<'a> {
    columns: &'a [&'a Column],
    terms: Vec<String>,
    length: usize,
    length_max: usize,
    clauses: Vec<String>,
}

impl<'a> Equal<'a> {
    fn new(columns: &'a [&'a Column], length_max: usize) -> Self {
        Self { columns, terms: Vec::new(), length: 0, length_max, clauses: Vec::new() }
    }

    fn push(&mut self, parts: &[Literal]) {
        let term = self
            .columns
            .iter()
            .zip(parts)
            .map(|(column, part)| format!("{} eq {}", property(column), part.odata()))
            .collect::<Vec<_>>()
            .join(" and ");
        let term = address::query(&format!("({term})"));
        let conditions = (self.terms.len() + 1) * self.columns.len();
        let full = self.length + term.len() + 16 > self.length_max;
        if !self.terms.is_empty() && (full || conditions > CONDITIONS_MAX) {
            self.close();
        }
        self.length += term.len() + "%20or%20".len();
        self.terms.push(term);
    }

    fn close(&mut self) {
        if !self.terms.is_empty() {
            self.clauses.push(format!("({})", self.terms.join("%20or%20")));
            self.terms.clear();
            self.length = 0;
        }
    }

    fn finish(mut self) -> Vec<String> {
        self.close();
        self.clauses
    }
}
