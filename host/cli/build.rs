//! Builds the rules that are shipped with the program into components, and says
//! where they lie, for `src/shipped.rs`.

use std::path::Path;

/// Crates of the workspace that become components, and the variable that tells
/// `src/shipped.rs` where each one lies.
const SHIPPED: [(&str, &str); 2] =
    [("account-rules", "ACCOUNT_RULES"), ("contact-rules", "CONTACT_RULES")];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let manifest_dir = std::env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo names no folder")?;
    let out_dir = std::env::var_os("OUT_DIR").ok_or("cargo names no folder for output")?;
    let guests = guests_dir(Path::new(&out_dir));
    for (package, variable) in SHIPPED {
        let (component, lines) = dvsync_rules_build::build_for_script(
            Path::new(&manifest_dir),
            package,
            "guest",
            &guests,
        )?;
        print!("{lines}");
        println!("cargo::rustc-env={variable}={}", component.display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}

/// One folder for all profiles and builds: below the target folder that this
/// script's output lies in (`<target>/<profile>/build/<package>/out`). Not the
/// target folder itself, whose lock cargo holds while this script runs.
fn guests_dir(out_dir: &Path) -> std::path::PathBuf {
    match out_dir.ancestors().nth(4) {
        Some(target) => target.join("guests"),
        None => out_dir.join("guests"),
    }
}
