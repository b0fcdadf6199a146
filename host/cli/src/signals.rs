//! Ctrl-C, or a polite request to end (`SIGTERM`): the first asks the run to end after what is in flight, the second
//! ends the program at once. Both leave a journal that can be resumed.

use dvsync_engine::Stop;

use crate::exit::Exit;
use crate::talk::Talk;

/// Listens for Ctrl-C while `work` is under way.
pub(crate) async fn heed<T>(stop: &Stop, talk: Talk, work: impl Future<Output = T>) -> T {
    tokio::select! {
        done = work => done,
        never = listen(stop, talk) => match never {},
    }
}

async fn listen(stop: &Stop, talk: Talk) -> std::convert::Infallible {
    wait(talk).await;
    talk.say("stopping after what is in flight; Ctrl-C again stops at once");
    stop.ask();
    wait(talk).await;
    std::process::exit(i32::from(Exit::Incomplete.code()));
}

/// Waits to be asked to end; forever where the system cannot ask.
pub(crate) async fn wait(talk: Talk) {
    tokio::select! {
        () = interrupted(talk) => {}
        () = terminated(talk) => {}
    }
}

async fn interrupted(talk: Talk) {
    if let Err(error) = tokio::signal::ctrl_c().await {
        talk.say(format!("warning: Ctrl-C is not heeded: {error}"));
        std::future::pending::<()>().await;
    }
}

#[cfg(unix)]
async fn terminated(talk: Talk) {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut requests) => {
            requests.recv().await;
        }
        Err(error) => {
            talk.say(format!("warning: SIGTERM is not heeded: {error}"));
            std::future::pending::<()>().await;
        }
    }
}

#[cfg(not(unix))]
async fn terminated(_: Talk) {
    std::future::pending::<()>().await;
}
