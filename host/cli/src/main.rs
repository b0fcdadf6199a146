//! The `dvsync` program: see the library beside it.

use std::process::ExitCode;

fn main() -> ExitCode {
    dvsync_cli::main()
}
