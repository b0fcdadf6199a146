//! The sandbox: WASM rules, limits, narrowing.
