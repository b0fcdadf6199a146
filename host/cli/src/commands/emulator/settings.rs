//! From the command line to the emulator's settings.

use dvsync_emulator::{PrincipalSettings, Settings};

use crate::args::EmulatorArgs;
use crate::failure::Failure;
use crate::open;

/// Settings of the file, and what the command line says over them.
pub(super) fn settings(args: &EmulatorArgs) -> Result<Settings, Failure> {
    let mut settings = match &args.settings {
        Some(path) => Settings::from_toml(&open::read(path)?)?,
        None => Settings::default(),
    };
    if let Some(path) = &args.schema {
        settings = settings.with_schema(&open::read(path)?)?;
    }
    for path in &args.faults {
        settings = settings.with_faults(&open::read(path)?).map_err(|error| {
            Failure::because(format!("cannot use `{}`", path.display()), error)
                .hint("docs/emulator.md describes the faults")
        })?;
    }
    if args.state.is_some() {
        settings.state.clone_from(&args.state);
    }
    settings.seed = args.seed.unwrap_or(settings.seed);
    settings.web_servers = args.web_servers.unwrap_or(settings.web_servers);
    settings.time_scale = args.time_scale.unwrap_or(settings.time_scale);
    if !args.token.is_empty() || !args.client.is_empty() {
        settings.principals.clear();
    }
    for (position, token) in args.token.iter().enumerate() {
        let name = numbered("emulator", position);
        settings.principals.insert(name, PrincipalSettings::with_token(token));
    }
    for (position, (id, secret)) in args.client.iter().enumerate() {
        let name = numbered("client", position);
        settings.principals.insert(name, PrincipalSettings::with_secret(*id, secret));
    }
    Ok(settings)
}

fn numbered(name: &str, position: usize) -> String {
    match position {
        0 => name.to_owned(),
        _ => format!("{name}-{}", position + 1),
    }
}

/// Who may sign in, in words.
pub(super) fn accepted(settings: &Settings) -> String {
    let mut tokens: Vec<&str> =
        settings.principals.values().filter_map(|one| one.token.as_deref()).collect();
    tokens.sort_unstable();
    let clients: Vec<String> = settings.clients().values().map(|(id, _)| id.to_string()).collect();
    let quoted = |what: &str, all: &[String]| match all {
        [] => None,
        _ => Some(format!("the {what} `{}`", all.join("`, `"))),
    };
    let tokens: Vec<String> = tokens.into_iter().map(str::to_owned).collect();
    let all = [quoted("tokens", &tokens), quoted("client ids", &clients)];
    all.into_iter().flatten().collect::<Vec<_>>().join(" and ")
}
