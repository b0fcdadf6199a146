//! Builds the rules that are shipped with the program into components, and says
//! where they lie, for `src/shipped.rs`; lists the sources of the SDKs for
//! `dvsync rules new`.

use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Crates of the workspace that become components, and the variable that tells
/// `src/shipped.rs` where each one lies.
const SHIPPED: [(&str, &str); 3] = [
    ("account-rules", "ACCOUNT_RULES"),
    ("contact-rules", "CONTACT_RULES"),
    ("nothing-rules", "NOTHING_RULES"),
];

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
    let plugins = Path::new(&manifest_dir).join("../../plugins");
    let own = [plugins.join("sdk/examples/prospects.rs")];
    let lists = [
        list("SDK", &plugins.join("sdk"), &plugins.join("sdk/src"), &own)?,
        list("PYTHON", &plugins.join("python"), &plugins.join("python/dvsync_rules"), &[])?,
        list("JS", &plugins.join("js/dvsync-rules"), &plugins.join("js/dvsync-rules"), &[])?,
    ];
    std::fs::write(Path::new(&out_dir).join("sdk.rs"), lists.concat())?;
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}

/// `const NAME: &[File]`: path below the folder `sdk`, and text, of all that lies
/// below `library`, and of the files in `besides`.
fn list(
    name: &str,
    sdk: &Path,
    library: &Path,
    besides: &[PathBuf],
) -> Result<String, Box<dyn std::error::Error>> {
    let mut files: Vec<PathBuf> = besides.to_vec();
    let mut folders = vec![library.to_owned()];
    while let Some(folder) = folders.pop() {
        println!("cargo::rerun-if-changed={}", folder.display());
        for entry in std::fs::read_dir(&folder)? {
            let entry = entry?;
            // What Python leaves beside its modules.
            if entry.file_name() == "__pycache__" {
                continue;
            }
            if entry.file_type()?.is_dir() {
                folders.push(entry.path());
            } else {
                println!("cargo::rerun-if-changed={}", entry.path().display());
                files.push(entry.path());
            }
        }
    }
    files.sort();
    let mut list = format!("const {name}: &[File] = &[\n");
    for path in files {
        let name = path.strip_prefix(sdk)?.to_str().ok_or("a name that is not UTF-8")?;
        let name = name.replace('\\', "/");
        writeln!(list, "    ({name:?}, include_str!({path:?})),")?;
    }
    list.push_str("];\n");
    Ok(list)
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
