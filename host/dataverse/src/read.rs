//! Records from the target, as Arrow batches.
//!
//! JSON goes straight into column builders; nothing per row is kept. Cells are
//! canonical (`Kind::arrow_type`): empty text is null, decimals are exact at
//! the column's scale, instants are whole seconds.

use std::sync::Arc;

use arrow_array::RecordBatch;
use bytes::Bytes;
use dvsync_model::{Entity, Kind};
use futures::stream::{self, BoxStream, StreamExt};
use http::{HeaderName, HeaderValue};
use serde::Deserialize;

use crate::address;
use crate::client::Shared;
use crate::error::ClientError;
use crate::session::{Call, Session};

mod cells;
mod find;
mod literal;
mod number;
mod rows;
mod time;

pub(crate) use find::find;
use rows::Shape;

/// Rows of a page; the service's most.
const PAGE_ROWS: usize = 5000;

/// Says which table a polymorphic lookup points to.
const LOOKUP_ENTITY: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";

/// What to read of a table.
#[derive(Debug, Clone)]
pub struct Select {
    /// The table.
    pub entity: Arc<Entity>,
    /// Logical names. The batches hold the primary id
    /// (`FixedSizeBinary(16)`), then these in order, in their canonical types.
    pub columns: Vec<String>,
    /// An OData filter, as it would stand in `$filter`, not percent-encoded.
    pub filter: Option<String>,
}

impl Select {
    /// The schema of the batches.
    ///
    /// # Errors
    /// A column does not exist or cannot be read.
    pub fn schema(&self) -> Result<arrow_schema::SchemaRef, ClientError> {
        Ok(Shape::new(self)?.schema())
    }

    /// `$select=...`, percent-encoded.
    fn select_option(&self, shape: &Shape) -> String {
        format!("$select={}", shape.properties().collect::<Vec<_>>().join(","))
    }

    /// `odata.maxpagesize=5000` and, for polymorphic lookups, their annotation.
    fn prefer(&self) -> String {
        let polymorphic = self.columns.iter().any(|name| {
            self.entity.column(name).is_some_and(
                |column| matches!(&column.kind, Kind::Lookup { targets } if targets.len() > 1),
            )
        });
        if polymorphic {
            format!("odata.maxpagesize={PAGE_ROWS},odata.include-annotations=\"{LOOKUP_ENTITY}\"")
        } else {
            format!("odata.maxpagesize={PAGE_ROWS}")
        }
    }
}

/// One page, and where the next is.
struct Page {
    rows: RecordBatch,
    next: Option<String>,
}

pub(crate) fn pages(
    shared: Arc<Shared>,
    select: &Select,
) -> BoxStream<'static, Result<RecordBatch, ClientError>> {
    let prepared = Shape::new(select).map(|shape| {
        let mut target = format!(
            "{}{}?{}",
            shared.session.origin.root(),
            select.entity.entity_set,
            select.select_option(&shape)
        );
        if let Some(filter) = &select.filter {
            target.push_str("&$filter=");
            target.push_str(&address::query(filter));
        }
        (Arc::new(shape), target)
    });
    let prefer = select.prefer();
    let (shape, target) = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return stream::once(async { Err(error) }).boxed(),
    };
    let what = what(select);
    stream::unfold(Some(target), move |target| {
        let (shared, shape) = (shared.clone(), shape.clone());
        let (prefer, what) = (prefer.clone(), what.clone());
        async move {
            let target = target?;
            match page(&shared.session, &what, &shape, target, &prefer).await {
                Ok(Page { rows, next }) => Some((Ok(rows), next)),
                Err(error) => Some((Err(error), None)),
            }
        }
    })
    .boxed()
}

fn what(select: &Select) -> String {
    format!("the read of `{}`", select.entity.logical_name)
}

async fn page(
    session: &Session,
    what: &str,
    shape: &Shape,
    target: String,
    prefer: &str,
) -> Result<Page, ClientError> {
    let mut call = Call::get(what, target);
    let prefer = HeaderValue::from_str(prefer).map_err(|error| ClientError::Reply {
        what: what.to_owned(),
        message: error.to_string(),
    })?;
    call.headers.insert(HeaderName::from_static("prefer"), prefer);
    let reply = session.read(&call).await?;
    decode(session, what, shape, &reply.body)
}

fn decode(session: &Session, what: &str, shape: &Shape, body: &Bytes) -> Result<Page, ClientError> {
    let wrong = |message: String| ClientError::Reply { what: what.to_owned(), message };
    let (rows, link) = rows::decode(shape, body).map_err(|error| wrong(error.to_string()))?;
    let next = match &link {
        None => None,
        Some(link) => Some(
            session
                .origin
                .target_of(link)
                .ok_or_else(|| wrong("the link to the next page leads elsewhere".to_owned()))?
                .to_owned(),
        ),
    };
    Ok(Page { rows, next })
}

/// `RetrieveTotalRecordCount`: a snapshot, up to 24 hours old.
pub(crate) async fn count(session: &Session, entity: &Entity) -> Result<Option<u64>, ClientError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Response {
        entity_record_count_collection: Collection,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Collection {
        #[serde(default)]
        keys: Vec<String>,
        #[serde(default)]
        values: Vec<i64>,
    }
    let target = format!(
        "{}RetrieveTotalRecordCount(EntityNames=%5B{}%5D)",
        session.origin.root(),
        address::query(&address::literal(&entity.logical_name)),
    );
    let call = Call::get(format!("the count of `{}`", entity.logical_name), target);
    let reply = match session.read(&call).await {
        Ok(reply) => reply,
        // Tables that are not counted (virtual, elastic) are refused.
        Err(ClientError::Refused { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let response: Response = serde_json::from_slice(&reply.body)
        .map_err(|error| ClientError::Reply { what: call.what, message: error.to_string() })?;
    let Collection { keys, values } = response.entity_record_count_collection;
    if keys.len() != values.len() {
        return Ok(None);
    }
    let position = keys.iter().position(|key| *key == entity.logical_name);
    Ok(position.and_then(|position| u64::try_from(*values.get(position)?).ok()))
}

/// Decodes a page without a client: for tests of the decoder.
#[cfg(test)]
pub(crate) fn decode_page(select: &Select, body: &[u8]) -> Result<RecordBatch, String> {
    let shape = Shape::new(select).map_err(|error| error.to_string())?;
    rows::decode(&shape, body).map(|(rows, _)| rows).map_err(|error| error.to_string())
}
