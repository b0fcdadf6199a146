//! The emulator seen from outside: requests in, replies out.
//!
//! One binary. Each test is a table of requests and what must come back, in the
//! form that `desk::Desk::check` reads.

#[cfg(test)]
#[path = "handle/access.rs"]
mod access; // tokens, users, limits
#[cfg(test)]
#[path = "handle/aggregates.rs"]
mod aggregates; // $apply
#[cfg(test)]
#[path = "handle/batch.rs"]
mod batch; // grammar, changesets, failure modes
#[cfg(test)]
#[path = "handle/bulk.rs"]
mod bulk; // CreateMultiple and its kin
#[cfg(test)]
#[path = "handle/bulk_delete.rs"]
mod bulk_delete; // BulkDelete, as Microsoft's Python client asks for it
#[cfg(test)]
#[path = "handle/codes.rs"]
mod codes; // refusals by their names, as usual and as settings say
#[cfg(test)]
#[path = "handle/csdl.rs"]
mod csdl; // $metadata and the service document
#[cfg(test)]
#[path = "handle/design.rs"]
mod design; // metadata that clients make
#[cfg(test)]
#[path = "handle/desk.rs"]
mod desk; // the harness
#[cfg(test)]
#[path = "handle/elastic.rs"]
mod elastic; // partitions, replacing upserts, single outcomes
#[cfg(test)]
#[path = "handle/faults.rs"]
mod faults; // rules, the admin paths
#[cfg(test)]
#[path = "handle/fetch.rs"]
mod fetch; // FetchXML
#[cfg(test)]
#[path = "handle/import.rs"]
mod import; // exported metadata as a schema
#[cfg(test)]
#[path = "handle/leniency.rs"]
mod leniency; // what may be taken or refused, by switches
#[cfg(test)]
#[path = "handle/lookups.rs"]
mod lookups; // binds, polymorphic lookups, deletion
#[cfg(test)]
#[path = "handle/metadata.rs"]
mod metadata; // EntityDefinitions and functions
#[cfg(test)]
#[path = "handle/queries.rs"]
mod queries; // $filter, paging, counts, annotations
#[cfg(test)]
#[path = "handle/records.rs"]
mod records; // the log of requests, assertions, snapshots
#[cfg(test)]
#[path = "handle/related.rs"]
mod related; // $expand, collections, $ref, deep insert, lambdas
#[cfg(test)]
#[path = "handle/served.rs"]
mod served; // real sockets: keep-alive, cuts, TLS
#[cfg(test)]
#[path = "handle/service.rs"]
mod service; // web servers, entitlement, latency, the scaled clock
#[cfg(test)]
#[path = "handle/sql.rs"]
mod sql; // ?sql=
#[cfg(test)]
#[path = "handle/state.rs"]
mod state; // statecode, statuscode, owners
#[cfg(test)]
#[path = "handle/storage.rs"]
mod storage; // the log on disk
#[cfg(test)]
#[path = "handle/switches.rs"]
mod switches; // both positions of each guess, and how they are turned
#[cfg(test)]
#[path = "handle/table_of_behaviours.rs"]
mod table_of_behaviours; // the page that lists behaviours
#[cfg(test)]
#[path = "handle/tokens.rs"]
mod tokens; // the token endpoint and what leads to it
#[cfg(test)]
#[path = "handle/tracking.rs"]
mod tracking; // delta links
#[cfg(test)]
#[path = "handle/values.rs"]
mod values; // types, lengths, ranges, canonical form
#[cfg(test)]
#[path = "handle/writes.rs"]
mod writes; // create, upsert, update, delete, keys, etags
