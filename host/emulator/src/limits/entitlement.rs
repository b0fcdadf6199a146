//! What a principal may send in a day.

use std::time::Duration;

use super::{Facet, Throttled, grouped};
use crate::settings::EntitlementSettings;

/// The day of one principal.
#[derive(Debug, Clone, Default)]
pub(super) struct Entitlement {
    /// When the day began.
    began: Option<Duration>,
    used: u64,
}

impl Entitlement {
    pub(super) fn admit(
        &mut self,
        settings: &EntitlementSettings,
        now: Duration,
    ) -> Result<(), Throttled> {
        let day = Duration::try_from_secs_f64(settings.day_hours * 3600.0).unwrap_or_default();
        let began = self.began.filter(|began| now < began.saturating_add(day));
        let Some(began) = began else {
            *self = Self { began: Some(now), used: 0 };
            return Ok(());
        };
        if self.used < settings.requests {
            return Ok(());
        }
        let message = format!(
            "The number of requests of this user exceeds the entitlement of {} in {} hours.",
            grouped(u128::from(settings.requests)),
            settings.day_hours
        );
        let wait = began.saturating_add(day).saturating_sub(now);
        Err(Throttled::new(Facet::Entitlement, wait, &settings.code, message))
    }

    /// Counts what a request did: its records or operations, one at least.
    pub(super) fn used(&mut self, requests: u64) {
        self.used = self.used.saturating_add(requests.max(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_with_the_first_request_and_ends_the_refusals() {
        let settings = EntitlementSettings { requests: 1000, ..EntitlementSettings::default() };
        let mut entitlement = Entitlement::default();
        let mut ask = |hours: u64, requests: u64| {
            let admitted = entitlement.admit(&settings, Duration::from_secs(hours * 3600));
            if admitted.is_ok() {
                entitlement.used(requests);
            }
            admitted.map_err(|throttled| throttled.wait.as_secs() / 3600)
        };
        assert_eq!(ask(10, 500), Ok(()));
        assert_eq!(ask(11, 500), Ok(()));
        assert_eq!(ask(12, 1), Err(22));
        assert_eq!(ask(33, 1), Err(1));
        assert_eq!(ask(34, 1000), Ok(()));
        assert_eq!(ask(35, 0), Err(23));
    }
}
