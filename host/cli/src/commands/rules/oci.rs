//! `dvsync rules push --to oci://...` and `pull oci://...`. Signatures travel as
//! an annotation of the manifest. Built with the feature `oci`, refused in words
//! without it.

use crate::args::{PullArgs, PushArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::talk::Talk;

/// Whether an address of an OCI registry is meant.
pub(super) fn is_meant(text: &str) -> bool {
    text.starts_with("oci://")
}

#[cfg(not(feature = "oci"))]
pub(super) fn push(_: &PushArgs, _: &str, _: Talk) -> Result<Exit, Failure> {
    Err(refused())
}

#[cfg(not(feature = "oci"))]
pub(super) fn pull(_: &PullArgs, _: Talk) -> Result<Exit, Failure> {
    Err(refused())
}

#[cfg(not(feature = "oci"))]
fn refused() -> Failure {
    Failure::usage("this program was built without OCI registries")
        .hint("cargo install --path host/cli --features oci")
}

#[cfg(feature = "oci")]
pub(super) use with::{pull, push};

#[cfg(feature = "oci")]
mod with {
    use std::time::Duration;

    use bytes::Bytes;
    use dvsync_dataverse::{Clock, HttpSettings, HttpTransport, Transport};
    use dvsync_model::Secret;
    use dvsync_oci::{Address, Artifact, Client, Credentials, OciError};
    use dvsync_registry::{Digest, RegistryError, Signed, Statement, Store, Untrusted};

    use super::super::find::{Found, statement};
    use super::super::{keys, pull::write};
    use super::{Exit, Failure, PullArgs, PushArgs, Talk};
    use crate::judge::signature_file;
    use crate::summary::out;
    use crate::{shipped, store};

    /// The text of a signature file.
    const SIGNED: &str = "dvsync.signed";
    /// For one request; components have some megabytes.
    const TIMEOUT: Duration = Duration::from_secs(120);

    type Reply = Result<http::Response<Bytes>, String>;

    fn client(
        address: Address,
    ) -> Result<Client<impl AsyncFn(http::Request<Bytes>) -> Reply>, Failure> {
        let read = |name: &str| std::env::var_os(name).and_then(|text| text.into_string().ok());
        let credentials = match (read("DVSYNC_OCI_USER"), read("DVSYNC_OCI_PASSWORD")) {
            (Some(user), Some(password)) => {
                Some(Credentials { user, password: Secret::new(password) })
            }
            _ => None,
        };
        let transport = HttpTransport::new(&HttpSettings::default())?;
        let send = async move |request| {
            transport.send(request, TIMEOUT).await.map_err(|error| error.to_string())
        };
        Ok(Client::new(address, credentials, send))
    }

    /// Runs to its end: the commands of rules are synchronous.
    fn wait<T>(work: impl Future<Output = Result<T, OciError>>) -> Result<T, Failure> {
        let done = tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(work));
        done.map_err(failure)
    }

    fn failure(error: OciError) -> Failure {
        let hint = error.hint();
        let failure = Failure::usage(error.to_string());
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }

    pub(in super::super) fn push(args: &PushArgs, to: &str, talk: Talk) -> Result<Exit, Failure> {
        let address: Address = to.parse().map_err(failure)?;
        let found = Found::named(&args.rule, &args.store, talk)?;
        let rule = found.admit(&shipped::usual_sandbox()?)?.rule;
        let statement = statement(&rule)?;
        if address.tag.as_deref() != Some(statement.version.to_string().as_str()) {
            return Err(Failure::usage(format!("`{to}` is no place for `{}`", statement.label()))
                .hint(format!("end it with `:{}`", statement.version)));
        }
        let mut signed = Signed::new(&statement);
        for signature in found.signatures()? {
            signed.sign(signature);
        }
        if let Some(key) = keys::key(&args.key)? {
            signed.sign(key.sign(&statement));
        }
        let surface = rule.surface();
        let artifact = Artifact {
            wasm: found.bytes.into_owned().into(),
            imports: surface.imports.clone(),
            exports: surface.exports.clone(),
            created: Clock::new().wall(),
            annotations: [
                (SIGNED.to_owned(), signed.text()),
                ("org.opencontainers.image.title".to_owned(), statement.name.to_string()),
                ("org.opencontainers.image.version".to_owned(), statement.version.to_string()),
            ]
            .into(),
        };
        let client = client(address)?;
        let manifest = wait(client.push(&artifact))?;
        out(&format!("{to}@{manifest}\n"))?;
        talk.say(format!("{} is there now: {}", statement.label(), statement.digest));
        Ok(Exit::Complete)
    }

    pub(in super::super) fn pull(args: &PullArgs, talk: Talk) -> Result<Exit, Failure> {
        let address: Address = args.rule.parse().map_err(failure)?;
        let client = client(address)?;
        let pulled = wait(client.pull())?;
        let signed = match pulled.annotations.get(SIGNED) {
            Some(text) => Some(Signed::read(text, &args.rule)?),
            None => None,
        };
        let store = Store::create(&store::place(args.store.store.as_deref()))?;
        let policy = store.policy()?;
        let untrusted = |label: String, why| RegistryError::Untrusted {
            label,
            whom: "the store's policy",
            why,
        };
        // Before anything of it is compiled: these bytes, under the name that was
        // signed.
        let claimed = match &signed {
            Some(signed) => {
                let claimed = signed.statement()?;
                let claimed = Statement { digest: Digest::of(&pulled.wasm), ..claimed };
                policy
                    .check(&claimed, &signed.signatures)
                    .map_err(|why| untrusted(claimed.label(), why))?;
                Some(claimed)
            }
            None if policy.require => {
                return Err(untrusted(args.rule.clone(), Untrusted::Unsigned).into());
            }
            None => None,
        };
        let rule = shipped::usual_sandbox()?.admit(&pulled.wasm, &args.rule)?;
        let statement = statement(&rule)?;
        if claimed.as_ref().is_some_and(|claimed| *claimed != statement) {
            return Err(Failure::usage(format!(
                "`{}` calls itself `{}`",
                args.rule,
                statement.label()
            ))
            .hint("sign or push it again, as what it is"));
        }
        let signatures = signed.map(|signed| signed.signatures).unwrap_or_default();
        let label = statement.label();
        if let Some(path) = &args.to {
            write(path, &pulled.wasm)?;
            let mut signed = Signed::new(&statement);
            signatures.into_iter().for_each(|signature| signed.sign(signature));
            write(&signature_file(path), signed.text().as_bytes())?;
            out(&format!("{}\n  {label}\n  {}\n", path.display(), statement.digest))?;
        } else {
            store.push(&statement, &pulled.wasm, &signatures, Clock::new().wall())?;
            out(&format!("{label}\n  {}\n", statement.digest))?;
            talk.say(format!("in the store `{}` now", store.path().display()));
        }
        talk.say(format!("manifest {}", pulled.manifest));
        Ok(Exit::Complete)
    }
}
