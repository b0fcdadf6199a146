//! `dvsync emulator`

use std::sync::Arc;

use dvsync_emulator::{Emulator, PrincipalSettings, Settings};
use tokio::net::TcpListener;

use crate::args::EmulatorArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::summary::out;
use crate::talk::Talk;
use crate::{open, signals};

pub(crate) async fn emulator(args: EmulatorArgs, talk: &Talk) -> Result<Exit, Failure> {
    let (host, port) = (args.host, args.port);
    let settings = settings(args)?;
    let mut tokens: Vec<String> =
        settings.principals.values().map(|principal| principal.token.clone()).collect();
    tokens.sort();
    let opening = tokio::task::spawn_blocking(|| Emulator::new(settings));
    let emulator = opening.await.map_err(|error| Failure::bug("a task ended early", error))??;
    let emulator = Arc::new(emulator);
    let listener = TcpListener::bind((host, port)).await.map_err(|error| {
        Failure::because(format!("cannot listen on {host}:{port}"), error)
            .hint("another program may use the port: --port 0 takes a free one")
    })?;
    let address = listener
        .local_addr()
        .map_err(|error| Failure::bug("cannot tell the address that is listened on", error))?;
    out(&format!("http://{address}\n"))?;
    talk.say(format!("accepts the tokens `{}`; Ctrl-C ends it", tokens.join("`, `")));
    let stop = signals::wait(*talk);
    dvsync_emulator::serve(Arc::clone(&emulator), listener, None, stop)
        .await
        .map_err(|error| Failure::because("the emulator cannot go on", error))?;
    emulator.flush()?;
    talk.say("ended");
    Ok(Exit::Complete)
}

fn settings(args: EmulatorArgs) -> Result<Settings, Failure> {
    let mut settings = match &args.settings {
        Some(path) => Settings::from_toml(&open::read(path)?)?,
        None => Settings::default(),
    };
    if let Some(path) = &args.schema {
        settings = settings.with_schema(&open::read(path)?)?;
    }
    if args.state.is_some() {
        settings.state = args.state;
    }
    if let Some(seed) = args.seed {
        settings.seed = seed;
    }
    if !args.token.is_empty() {
        let named = args.token.iter().enumerate();
        settings.principals = named
            .map(|(position, token)| {
                let name = match position {
                    0 => "emulator".to_owned(),
                    _ => format!("emulator-{}", position + 1),
                };
                (name, PrincipalSettings::with_token(token))
            })
            .collect();
    }
    Ok(settings)
}
