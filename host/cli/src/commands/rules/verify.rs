//! `dvsync rules verify`: whether components are whole, and who has signed them.
//! Nothing of them is compiled.

use std::path::Path;

use dvsync_registry::{
    Digest, Found, PublicKey, Reference, RegistryError, Signature, Statement, Store, Trust,
    Untrusted, Wanted, read_public_key,
};

use crate::args::VerifyArgs;
use crate::commands::check::Findings;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::judge::signed_beside;
use crate::store;
use crate::talk::Talk;

/// Whose signatures count, and whose word that is.
struct Judged {
    trust: Trust,
    whom: &'static str,
}

pub(super) fn verify(args: &VerifyArgs, talk: Talk) -> Result<Exit, Failure> {
    let place = args.store.store.as_deref();
    let store =
        if args.rules.is_empty() { Some(store::there(place)?) } else { store::if_there(place)? };
    let judged = judged(args, store.as_ref())?;
    let mut findings = Findings::new(args.report);
    if let (true, Some(store)) = (args.rules.is_empty(), &store) {
        for name in store.names()? {
            for (version, _) in store.versions(&name)? {
                let wanted = Wanted::Exact(version);
                let reference = Reference { name: name.clone(), wanted };
                findings.note("rule", kept(store, &reference, &judged).map(|said| ((), said)))?;
            }
        }
    }
    for rule in &args.rules {
        let said = one(rule, store.as_ref(), place, &judged);
        findings.note("rule", said.map(|said| ((), said)))?;
    }
    findings.finish(talk, "all are what they claim to be")
}

fn judged(args: &VerifyArgs, store: Option<&Store>) -> Result<Judged, Failure> {
    if args.trust.is_empty() {
        let trust = store.map(Store::policy).transpose()?.unwrap_or_default();
        return Ok(Judged { trust, whom: "the store's policy" });
    }
    let key = |text: &String| -> Result<PublicKey, RegistryError> {
        if text.starts_with("ed25519:") { text.parse() } else { read_public_key(Path::new(text)) }
    };
    let keys = args.trust.iter().map(key).collect::<Result<_, _>>()?;
    Ok(Judged { trust: Trust { keys, require: true }, whom: "--trust" })
}

fn one(
    rule: &Path,
    store: Option<&Store>,
    typed: Option<&Path>,
    judged: &Judged,
) -> Result<String, Failure> {
    if rule.is_file() {
        return file(rule, judged);
    }
    let reference: Reference = rule.to_string_lossy().parse()?;
    match store {
        Some(store) => kept(store, &reference, judged),
        None => Err(store::missing(&store::place(typed))),
    }
}

fn kept(store: &Store, reference: &Reference, judged: &Judged) -> Result<String, Failure> {
    let (name, version) = match reference.wanted.is_exact() {
        true => super::list::exact(store, reference)?,
        false => {
            let found = store.find(reference)?;
            (found.name, found.version)
        }
    };
    let Some(record) = store.record(&name, &version)? else {
        return Err(Failure::usage(format!("`{name}@{version}` has just been removed")));
    };
    let found = Found { name, version, record };
    store.component(&found)?;
    judged.check(&found.statement()?, &found.record.signatures, &found.label())
}

fn file(path: &Path, judged: &Judged) -> Result<String, Failure> {
    let label = path.display().to_string();
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::because(format!("cannot read the rule `{label}`"), error))?;
    let Some(signed) = signed_beside(path)? else {
        if judged.trust.require {
            let why = Untrusted::Unsigned;
            return Err(RegistryError::Untrusted { label, whom: judged.whom, why }.into());
        }
        return Ok(format!("`{label}` is {}; nobody has signed it", Digest::of(&bytes)));
    };
    let claimed = signed.statement()?;
    let statement = Statement { digest: Digest::of(&bytes), ..claimed.clone() };
    if statement != claimed {
        return Err(Failure::usage(format!(
            "`{label}` is {}, and `{label}.sig` is of {}",
            statement.digest, claimed.digest
        ))
        .hint("sign what there is now, or fetch what was signed"));
    }
    judged.check(&statement, &signed.signatures, &label)
}

impl Judged {
    fn check(
        &self,
        statement: &Statement,
        signatures: &[Signature],
        label: &str,
    ) -> Result<String, Failure> {
        let trusted = self.trust.check(statement, signatures).map_err(|why| {
            RegistryError::Untrusted { label: label.to_owned(), whom: self.whom, why }
        })?;
        let words: Vec<String> = signatures
            .iter()
            .map(|signature| match trusted.contains(&signature.key_id) {
                true => format!("{} (trusted)", signature.key_id),
                false => format!("{} (not checked)", signature.key_id),
            })
            .collect();
        let signed = match words.as_slice() {
            [] => "nobody has signed it".to_owned(),
            words => format!("signed by {}", words.join(", ")),
        };
        Ok(format!("`{label}` is {}; {signed}", statement.digest))
    }
}
