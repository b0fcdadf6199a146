//! A rule that never says who it is: `describe` loops.

wit_bindgen::generate!({ path: "../../../wit/0.1", world: "transform-rule" });

use dvsync::rules::types::{Column, Failure};
use exports::dvsync::rules::plugin::{self, Context, Description, Hook};
use exports::dvsync::rules::transform::{self, Output};

struct Mute;
#[cfg(target_arch = "wasm32")]
export!(Mute);

impl plugin::Guest for Mute {
    fn describe() -> Description {
        loop {
            std::hint::black_box(0);
        }
    }

    fn needs(_: Context) -> Result<Vec<Hook>, Failure> {
        Ok(vec![])
    }

    fn configure(_: Context) -> Result<(), Failure> {
        Ok(())
    }
}

impl transform::Guest for Mute {
    fn apply(_: u32, _: Vec<Column>) -> Result<Output, Failure> {
        Ok(Output { columns: vec![], verdicts: vec![] })
    }
}
