//! Asking a run to end early.

use dvsync_dataverse::Cancel;

/// A wish, shared by all who may have it and all who heed it. Cheap to clone.
///
/// A run that is asked to stop reads no further, sends nothing new, ends every
/// wait, waits for what is in flight, journals it, and ends as `incomplete`.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    cancel: Cancel,
}

impl Stop {
    /// Nobody has asked.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the run to end after what is in flight.
    pub fn ask(&self) {
        self.cancel.ask();
    }

    /// Whether somebody has asked.
    #[must_use]
    pub fn asked(&self) -> bool {
        self.cancel.asked()
    }

    /// Waits until somebody asks.
    pub async fn wait(&self) {
        self.cancel.wait().await;
    }

    /// The same wish, for the client.
    pub(crate) fn cancel(&self) -> Cancel {
        self.cancel.clone()
    }
}
