//! What wasmtime generates from the contract: one world with all hooks, so that
//! the types are shared; the hooks that a component exports are bound one by one
//! (`exports::...::GuestIndices`), never the world as a whole.

#![allow(unreachable_pub, dead_code, reason = "generated: what of it is used is not ours to say")]

wasmtime::component::bindgen!({
    path: "../../wit/0.1",
    world: "dvsync:rules/entity-rules",
    ownership: Borrowing { duplicate_if_necessary: true },
});
