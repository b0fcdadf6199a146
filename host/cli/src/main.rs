//! The `dvsync` program.
fn main() {}
