//! The certificate that the emulator shows: its own, or a given one.

use std::path::Path;

use dvsync_emulator::{SelfSigned, Tls};

use crate::args::EmulatorArgs;
use crate::failure::Failure;

/// How it speaks.
pub(super) struct Secured {
    /// `None`: plain http.
    pub(super) tls: Option<Tls>,
    /// A certificate for stdout, else nothing.
    pub(super) print: String,
}

pub(super) fn secured(args: &EmulatorArgs) -> Result<Secured, Failure> {
    let plain = Secured { tls: None, print: String::new() };
    if let (Some(chain), Some(key)) = (&args.tls_cert, &args.tls_key) {
        let tls = Tls::from_pem(&bytes(chain)?, &bytes(key)?)?;
        return Ok(Secured { tls: Some(tls), ..plain });
    }
    if !args.tls {
        return Ok(plain);
    }
    let SelfSigned { tls, certificate_pem } = SelfSigned::new(&args.tls_name)?;
    let tls = Some(tls);
    match &args.tls_pem {
        None => Ok(Secured { tls, print: certificate_pem }),
        Some(path) => {
            std::fs::write(path, certificate_pem).map_err(|error| {
                Failure::because(format!("cannot write `{}`", path.display()), error)
            })?;
            Ok(Secured { tls, ..plain })
        }
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    std::fs::read(path)
        .map_err(|error| Failure::because(format!("cannot read `{}`", path.display()), error))
}
