//! The emulator seen from outside: requests in, replies out.
//!
//! One binary. Each test is a table of requests and what must come back, in the
//! form that `desk::Desk::check` reads.

#[path = "handle/access.rs"]
mod access; // tokens, users, limits
#[path = "handle/batch.rs"]
mod batch; // grammar, changesets, failure modes
#[path = "handle/bulk.rs"]
mod bulk; // CreateMultiple and its kin
#[path = "handle/desk.rs"]
mod desk; // the harness
#[path = "handle/faults.rs"]
mod faults; // rules, the admin paths
#[path = "handle/lookups.rs"]
mod lookups; // binds, polymorphic lookups, deletion
#[path = "handle/metadata.rs"]
mod metadata; // EntityDefinitions and functions
#[path = "handle/queries.rs"]
mod queries; // $filter, paging, counts, annotations
#[path = "handle/served.rs"]
mod served; // real sockets: keep-alive, cuts, TLS
#[path = "handle/state.rs"]
mod state; // statecode, statuscode, owners
#[path = "handle/storage.rs"]
mod storage; // the log on disk
#[path = "handle/values.rs"]
mod values; // types, lengths, ranges, canonical form
#[path = "handle/writes.rs"]
mod writes; // create, upsert, update, delete, keys, etags
