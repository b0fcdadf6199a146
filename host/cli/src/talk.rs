//! What the program says besides its results, on stderr.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::failure::Failure;

/// Says things on stderr.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Talk {
    quiet: bool,
    terminal: bool,
}

impl Talk {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { quiet, terminal: std::io::stderr().is_terminal() }
    }

    /// Whether a person looks on: then a progress bar makes sense.
    pub(crate) fn is_terminal(self) -> bool {
        self.terminal
    }

    pub(crate) fn is_quiet(self) -> bool {
        self.quiet
    }

    /// A line, unless nobody wants any.
    pub(crate) fn say(self, line: impl AsRef<str>) {
        if !self.quiet {
            print(line.as_ref());
        }
    }

    /// Why the program ends.
    pub(crate) fn fail(self, failure: &Failure) -> ExitCode {
        let mut lines = failure.lines().into_iter();
        let what = lines.next().unwrap_or_default();
        print(&format!("{} {what}", self.colored("error:", "31;1")));
        for why in lines {
            print(&format!("  because: {why}"));
        }
        if let Some(hint) = &failure.hint {
            print(&format!("{} {hint}", self.colored("hint:", "36;1")));
        }
        failure.exit.into()
    }

    fn colored(self, text: &str, color: &str) -> String {
        if self.terminal && std::env::var_os("NO_COLOR").is_none() {
            format!("\u{1b}[{color}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

fn print(line: &str) {
    // A closed stderr leaves nobody to tell.
    drop(writeln!(std::io::stderr().lock(), "{line}"));
}

/// Logs on stderr: warnings, more with `-v`; `DVSYNC_LOG` says it in detail, as
/// `warn,dvsync_engine=debug` does.
pub(crate) fn log(verbose: u8) {
    let usual = Targets::new().with_default(match verbose {
        0 => LevelFilter::WARN,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    });
    let asked = std::env::var_os("DVSYNC_LOG").and_then(|text| text.into_string().ok());
    let wanted = asked.as_deref().map(str::parse::<Targets>).transpose();
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    let filter = wanted.as_ref().ok().and_then(Clone::clone).unwrap_or(usual);
    // Fails only where somebody logs already, as in tests.
    drop(tracing_subscriber::registry().with(filter).with(lines).try_init());
    if let Err(error) = wanted {
        tracing::warn!(%error, "`DVSYNC_LOG` is not understood");
    }
}
