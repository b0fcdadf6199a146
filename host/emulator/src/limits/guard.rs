//! All limits together: of each principal, at each web server.

use std::time::Duration;

use super::entitlement::Entitlement;
use super::{Limits, Remaining, Throttled};
use crate::settings::{EntitlementSettings, Settings};

/// Lets requests in or not.
#[derive(Debug)]
pub(crate) struct Guard {
    /// By principal, then by server; empty where no limits are set.
    windows: Vec<Limits>,
    servers: usize,
    entitlement: Option<EntitlementSettings>,
    /// By principal.
    days: Vec<Entitlement>,
}

impl Guard {
    pub(crate) fn new(settings: &Settings, principals: usize) -> Self {
        let servers = settings.web_servers.max(1);
        let windows = settings.limits.as_ref().map_or(Vec::new(), |limits| {
            vec![Limits::new(limits); principals.saturating_mul(servers)]
        });
        let entitlement = settings.entitlement.clone();
        Self { windows, servers, entitlement, days: vec![Entitlement::default(); principals] }
    }

    /// Lets a request in, or says when to come again.
    pub(crate) fn admit(
        &mut self,
        principal: usize,
        server: usize,
        now: Duration,
    ) -> Result<(), Throttled> {
        if let (Some(settings), Some(day)) = (&self.entitlement, self.days.get_mut(principal)) {
            day.admit(settings, now)?;
        }
        self.window(principal, server).map_or(Ok(()), |limits| limits.admit(now))
    }

    /// Counts a request that was let in: how long it takes, and how many records
    /// or operations it was. What is left at its server, where limits are set.
    pub(crate) fn began(
        &mut self,
        principal: usize,
        server: usize,
        now: Duration,
        takes: Duration,
        requests: u64,
    ) -> Option<Remaining> {
        if let Some(day) = self.days.get_mut(principal) {
            day.used(requests);
        }
        self.window(principal, server).map(|limits| limits.began(now, takes))
    }

    fn window(&mut self, principal: usize, server: usize) -> Option<&mut Limits> {
        self.windows.get_mut(principal * self.servers + server)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_900_000_000);

    #[test]
    fn each_principal_has_limits_of_its_own_at_each_server() {
        let settings = Settings::from_toml("web_servers = 2\n[limits]\nrequests = 1").unwrap();
        let mut guard = Guard::new(&settings, 2);
        let mut ask = |principal, server| {
            let admitted = guard.admit(principal, server, NOW).is_ok();
            if admitted {
                guard.began(principal, server, NOW, Duration::ZERO, 1);
            }
            admitted
        };
        let asked = [(0, 0), (0, 0), (0, 1), (0, 1), (1, 0), (1, 0), (1, 1)];
        let admitted: Vec<bool> = asked.map(|(principal, server)| ask(principal, server)).into();
        assert_eq!(admitted, [true, false, true, false, true, false, true]);
    }

    #[test]
    fn an_entitlement_is_one_for_all_servers() {
        let settings = "web_servers = 2\n[entitlement]\nrequests = 3";
        let mut guard = Guard::new(&Settings::from_toml(settings).unwrap(), 1);
        assert_eq!(guard.admit(0, 0, NOW), Ok(()));
        assert_eq!(guard.began(0, 0, NOW, Duration::ZERO, 3), None);
        assert_eq!(guard.admit(0, 1, NOW).unwrap_err().code, "0x80072328");
    }
}
