//! `dvsync schema`

use crate::exit::Exit;
use crate::failure::Failure;
use crate::summary::out;

pub(crate) fn schema() -> Result<Exit, Failure> {
    let schema = serde_json::to_string_pretty(&dvsync_engine::job::schema())
        .map_err(|error| Failure::bug("cannot write the schema as JSON", error))?;
    out(&format!("{schema}\n"))?;
    Ok(Exit::Complete)
}
