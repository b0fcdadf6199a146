//! `dvsync rules keygen` and `sign`. A private key is read from a file of its
//! owner or from the environment, and never printed.

use dvsync_model::Secret;
use dvsync_registry::{Key, Signed, Statement, read_key, write_new_key};

use super::find::{Found, Place, statement};
use crate::args::{KeyArgs, KeygenArgs, SignArgs};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::judge::{signature_file, signed_beside};
use crate::summary::out;
use crate::talk::Talk;
use crate::{shipped, store};

pub(super) fn keygen(args: &KeygenArgs, talk: Talk) -> Result<Exit, Failure> {
    let (public, public_path) = write_new_key(&args.file)?;
    out(&format!("{public}\n"))?;
    talk.say(format!(
        "private key: {}; public key: {}; {} in signatures",
        args.file.display(),
        public_path.display(),
        public.id()
    ));
    talk.say(format!("trust it: [rules] trust = {{ keys = [\"{public}\"] }}"));
    Ok(Exit::Complete)
}

/// The private key that is meant, if any is.
pub(super) fn key(args: &KeyArgs) -> Result<Option<Key>, Failure> {
    match (&args.key, &args.key_env) {
        (Some(path), _) => Ok(Some(read_key(path)?)),
        (None, Some(name)) => match std::env::var_os(name).and_then(|text| text.into_string().ok())
        {
            Some(text) => Ok(Some(Key::from_pem(&Secret::new(text))?)),
            None => Err(Failure::usage(format!("environment variable `{name}` is not set"))),
        },
        (None, None) => Ok(None),
    }
}

pub(super) fn sign(args: &SignArgs, talk: Talk) -> Result<Exit, Failure> {
    let Some(key) = key(&args.key)? else {
        return Err(Failure::usage("no key says who signs")
            .hint("name it: --key FILE or --key-env NAME; dvsync rules keygen FILE makes one"));
    };
    let found = Found::named(&args.rule, &args.store, talk)?;
    let (statement, where_to) = match &found.place {
        Place::Shipped => {
            return Err(Failure::usage(format!("`{}` is part of the program", found.origin))
                .hint("a shipped rule needs no signature; sign a file, or a version of a store"));
        }
        Place::Store(kept) => {
            // Its bytes have been compared with the digest that is signed here.
            let statement = kept.statement()?;
            let store = store::there(args.store.store.as_deref())?;
            store.sign(&kept.name, &kept.version, key.sign(&statement))?;
            (statement, format!("in the store `{}`", store.path().display()))
        }
        Place::File(path) => {
            let rule = found.admit(&shipped::usual_sandbox()?)?.rule;
            let statement = statement(&rule)?;
            let mut signed = earlier(path, &statement)?;
            signed.sign(key.sign(&statement));
            let file = signature_file(path);
            std::fs::write(&file, signed.text()).map_err(|error| {
                Failure::because(format!("cannot write `{}`", file.display()), error)
            })?;
            (statement, format!("as `{}`", file.display()))
        }
    };
    out(&format!("{} {}\n", statement.label(), statement.digest))?;
    talk.say(format!("signed by {}, kept {where_to}", key.public().id()));
    Ok(Exit::Complete)
}

/// What others have signed of the same component.
fn earlier(path: &std::path::Path, statement: &Statement) -> Result<Signed, Failure> {
    match signed_beside(path)? {
        Some(signed) if signed.statement()? == *statement => Ok(signed),
        _ => Ok(Signed::new(statement)),
    }
}
