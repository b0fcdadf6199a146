//! The demo: invented CRM data, the jobs of `examples/adventureworks`, the
//! embedded emulator.

pub(crate) mod folder;
mod generate;
mod random;
mod words;

pub(crate) use generate::{Size, generate};
