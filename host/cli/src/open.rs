//! The way to a job's target: over the network, or to the embedded emulator.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dvsync_dataverse::{Client, Clock, Credential, HttpTransport, Transport};
use dvsync_emulator::{Emulator, LatencySettings, PrincipalSettings, Settings};
use dvsync_engine::client_settings;
use dvsync_engine::job::{Emulator as EmulatorSection, Job, TargetUrl};

use crate::embedded::Embedded;
use crate::failure::Failure;
use crate::seed::Planter;

/// What the embedded emulator is called in URLs; nothing resolves it.
pub(crate) const EMULATOR_URL: &str = "https://emulator.localhost";

/// A target that can be spoken to.
pub(crate) struct Opened {
    pub(crate) client: Client,
    pub(crate) clock: Clock,
    emulator: Option<Arc<Emulator>>,
}

impl Opened {
    /// Ends the conversation; the embedded emulator writes what it has.
    pub(crate) fn close(self) -> Result<(), Failure> {
        match self.emulator {
            Some(emulator) => Ok(emulator.flush()?),
            None => Ok(()),
        }
    }
}

/// Opens the target of a job; an embedded emulator is started and seeded.
pub(crate) async fn target(job: &Job) -> Result<Opened, Failure> {
    let clock = Clock::new();
    let (transport, emulator): (Arc<dyn Transport>, _) = match &job.target.url {
        TargetUrl::Service(_) => (Arc::new(HttpTransport::new(&job.http_settings())?), None),
        TargetUrl::Emulator(section) => {
            let emulator = start(job, section, clock).await?;
            (Arc::new(Embedded::new(Arc::clone(&emulator), clock)), Some(emulator))
        }
    };
    let url = match &job.target.url {
        TargetUrl::Service(url) => url,
        TargetUrl::Emulator(_) => EMULATOR_URL,
    };
    let client = Client::new(client_settings(job, url), transport, clock)?;
    Ok(Opened { client, clock, emulator })
}

/// Starts an emulator that lets the job's principals in, and seeds it.
async fn start(
    job: &Job,
    section: &EmulatorSection,
    clock: Clock,
) -> Result<Arc<Emulator>, Failure> {
    let mut principals = BTreeMap::new();
    for principal in &job.target.principals {
        let Credential::Token(token) = &principal.credential else {
            return Err(Failure::usage(format!(
                "the embedded emulator cannot sign in principal `{}`",
                principal.name
            ))
            .hint("it knows tokens only; without [[target.principals]] it makes its own"));
        };
        let settings = PrincipalSettings::with_token(token.expose());
        principals.insert(principal.name.clone(), settings);
    }
    let settings = Settings {
        state: Some(section.state.clone()),
        principals,
        latency: LatencySettings {
            base_ms: (section.latency.as_secs_f64() * 1000.0).into(),
            ..LatencySettings::default()
        },
        ..Settings::default()
    };
    let settings = match &section.schema {
        Some(path) => settings.with_schema(&read(path)?)?,
        None => settings,
    };
    let token = settings.principals.values().next().and_then(|principal| principal.token.clone());
    let now = Duration::try_from(clock.wall().as_duration()).unwrap_or_default();
    let seeds = section.seed.clone();
    // Reads all records that it keeps.
    let opening = tokio::task::spawn_blocking(move || {
        let emulator = Emulator::new(settings)?;
        let token = token.unwrap_or_default();
        let planter = Planter { emulator: &emulator, token: &token, now };
        seeds.iter().try_for_each(|seed| planter.plant(seed))?;
        Ok(Arc::new(emulator))
    });
    opening.await.map_err(|error| Failure::bug("a task ended early", error))?
}

/// Reads a text file that an emulator needs.
pub(crate) fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::because(format!("cannot read `{}`", path.display()), error))
}
