//! The job's words about its target, for those who go there.

use std::time::Duration;

use dvsync_dataverse::{HttpSettings, Proxy};

use super::needed::{Job, Target, TargetUrl};

impl Target {
    /// The environment, for reports and the journal: its URL, or `emulator`.
    #[must_use]
    pub fn address(&self) -> &str {
        match &self.url {
            TargetUrl::Emulator(_) => "emulator",
            TargetUrl::Service(url) => url,
        }
    }
}

impl Job {
    /// How connections to a target over the network are made.
    #[must_use]
    pub fn http_settings(&self) -> HttpSettings {
        let defaults = HttpSettings::default();
        HttpSettings {
            ca_file: self.target.ca_file.clone(),
            proxy: self.target.proxy.clone().map_or(Proxy::System, Proxy::Url),
            // A third of the request's time, so that a service that is down
            // does not look like one that may have acted.
            connect_timeout: defaults
                .connect_timeout
                .min(self.target.timeout / 3)
                .max(Duration::from_secs(1)),
            ..defaults
        }
    }
}
