//! What a rule logs comes out with its name, its version and the chunk.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use tracing_subscriber::fmt::MakeWriter;

use crate::guests;
use crate::harness::guest;

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Kept;

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LINES.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Kept {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        Self
    }
}

#[tokio::test]
async fn a_rules_log_names_rule_version_and_chunk() {
    let lines = tracing_subscriber::fmt().with_writer(Kept).with_ansi(false);
    // Rules are called on threads of the runtime: the subscriber is everybody's.
    lines.try_init().unwrap();
    let bench = guests::bench();
    let hostile = guest("guest-hostile");
    bench.run_with(&bench.job(&guests::job("last-words", "")), Some(&hostile)).await;
    let text = LINES.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let text = String::from_utf8(text).unwrap();
    let line = text.lines().find(|line| line.contains("panicked at 13"));
    let line = line.unwrap_or_else(|| panic!("no such line in {text}"));
    for part in ["ERROR judge{chunk=0}: ", "rule=\"hostile\"", "version=\"0.0.1\""] {
        assert!(line.contains(part), "`{part}` in {line}");
    }
}
