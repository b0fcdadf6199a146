//! A rule whose table of functions begins larger than a rule may have: see
//! `build.rs`. It answers well.

wit_bindgen::generate!({ path: "../../../wit/0.1", world: "transform-rule" });

use dvsync::rules::types::{Column, Failure};
use exports::dvsync::rules::plugin::{self, Context, Description, Hook};
use exports::dvsync::rules::transform::{self, Output};

struct Answers;
#[cfg(target_arch = "wasm32")]
export!(Answers);

impl plugin::Guest for Answers {
    fn describe() -> Description {
        Description {
            name: "swollen".into(),
            version: "0.0.1".into(),
            entities: vec!["*".into()],
            settings_schema: None,
            tables: vec![],
        }
    }

    fn needs(_: Context) -> Result<Vec<Hook>, Failure> {
        Ok(vec![])
    }

    fn configure(_: Context) -> Result<(), Failure> {
        Ok(())
    }
}

impl transform::Guest for Answers {
    fn apply(_: u32, _: Vec<Column>) -> Result<Output, Failure> {
        Ok(Output { columns: vec![], verdicts: vec![] })
    }
}
