//! `dvsync emulator`

mod secure;
mod seed_data;
mod settings;

use std::sync::Arc;

use dvsync_emulator::Emulator;
use tokio::net::TcpListener;

use crate::args::EmulatorArgs;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::signals;
use crate::summary::out;
use crate::talk::Talk;

pub(crate) async fn emulator(args: EmulatorArgs, talk: &Talk) -> Result<Exit, Failure> {
    let (host, port) = (args.host, args.port);
    let secured = secure::secured(&args)?;
    let settings = settings::settings(&args)?;
    let accepted = settings::accepted(&settings);
    let seeds = args.seed_data;
    let said = *talk;
    let opening = tokio::task::spawn_blocking(move || -> Result<Emulator, Failure> {
        let emulator = Emulator::new(settings)?;
        for (table, path) in &seeds {
            said.say(seed_data::sow(&emulator, table, path)?);
        }
        Ok(emulator)
    });
    let emulator = opening.await.map_err(|error| Failure::bug("a task ended early", error))??;
    let emulator = Arc::new(emulator);
    let listener = TcpListener::bind((host, port)).await.map_err(|error| {
        Failure::because(format!("cannot listen on {host}:{port}"), error)
            .hint("another program may use the port: --port 0 takes a free one")
    })?;
    let address = listener
        .local_addr()
        .map_err(|error| Failure::bug("cannot tell the address that is listened on", error))?;
    let scheme = if secured.tls.is_some() { "https" } else { "http" };
    out(&format!("{scheme}://{address}\n{}", secured.print))?;
    talk.say(format!("accepts {accepted}; Ctrl-C ends it"));
    let stop = signals::wait(*talk);
    dvsync_emulator::serve(Arc::clone(&emulator), listener, secured.tls, stop)
        .await
        .map_err(|error| Failure::because("the emulator cannot go on", error))?;
    emulator.flush()?;
    talk.say("ended");
    Ok(Exit::Complete)
}
