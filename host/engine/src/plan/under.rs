//! The same job under another version of its rule.

use dvsync_rules::Rule;

use super::make::{Given, bind, resolve, serves};
use super::{Matching, Plan};
use crate::error::RunError;

impl Plan {
    /// Binds another version to what this plan was made with: the same context,
    /// settings and granted tables. Takes as long as the rule does to be set up.
    pub(crate) fn under(&self, rule: &Rule) -> Result<Plan, RunError> {
        let Some(binding) = &self.binding else {
            return Err(RunError::job("the job names no rule that another version could follow"));
        };
        serves(rule, &self.entity)?;
        let hooks = bind(&self.job, rule, &self.entity, binding)?;
        let given = Given {
            job: &self.job,
            organization: self.organization,
            entity: std::sync::Arc::clone(&self.entity),
            source: std::sync::Arc::clone(&self.source),
            binding: Some(binding.clone()),
        };
        resolve(given, &binding.lookups, Some(hooks))
    }

    /// Why a plan cannot judge chunks of a run that was begun under this one.
    pub(crate) fn cannot_serve(&self, next: &Plan) -> Option<String> {
        if self.matching == Matching::Rules || next.matching == Matching::Rules {
            return Some("records are matched by keys that the rule derives".to_owned());
        }
        let missing = |wanted: &[String], there: &[String]| {
            wanted.iter().find(|name| !there.contains(name)).cloned()
        };
        if let Some(name) = missing(&next.projection, &self.projection) {
            return Some(format!("it reads column `{name}` of the source, which this run skips"));
        }
        missing(&next.retrieved, &self.retrieved).map(|name| {
            format!("it reads or sets column `{name}`, which this run has not read of the target")
        })
    }
}
