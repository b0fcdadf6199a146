//! A rule that loops while an instance of it is made: it never gets as far as
//! being asked.

wit_bindgen::generate!({ path: "../../../wit/0.1", world: "transform-rule" });

use dvsync::rules::types::{Column, Failure};
use exports::dvsync::rules::plugin::{self, Context, Description, Hook};
use exports::dvsync::rules::transform::{self, Output};

struct Answers;
#[cfg(target_arch = "wasm32")]
export!(Answers);

/// Called when a component is made of the module and instantiated.
#[cfg(target_arch = "wasm32")]
#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    loop {
        std::hint::black_box(0);
    }
}

impl plugin::Guest for Answers {
    fn describe() -> Description {
        Description {
            name: "restless".into(),
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
