//! What the host keeps for one instance: its limits, its log lines, its way to
//! the granted tables.

use std::sync::Arc;

use wasmtime::ResourceLimiter;

use crate::bindings::dvsync::rules::{log, lookups, types};
use crate::machine::{CORE_INSTANCES_MAX, MEMORIES_MAX, TABLES_MAX};
use crate::settings::Limits;
use crate::tables::Tables;

/// A log line is cut there.
const LINE_BYTES_MAX: usize = 1024;

/// Who speaks, in the log.
#[derive(Clone)]
pub(crate) struct Who {
    pub(crate) rule: Arc<str>,
    /// Empty before the rule has said it.
    pub(crate) version: Arc<str>,
}

/// The data of a wasmtime store.
pub(crate) struct Holdings {
    who: Who,
    tables: Arc<Tables>,
    bytes_left: usize,
    table_elements_left: usize,
    /// Whether memory was refused since the call began: what a guest does then
    /// is a trap like any other.
    memory_refused: bool,
    lines_max: u32,
    lines: u32,
    /// The last line of level `error` in this call.
    last_error: Option<String>,
    lookups_max: u32,
    lookups: u32,
    output_bytes_max: usize,
}

impl Holdings {
    pub(crate) fn new(who: Who, tables: Arc<Tables>, limits: &Limits) -> Self {
        Self {
            who,
            tables,
            bytes_left: limits.memory_bytes_max,
            table_elements_left: limits.table_elements_max,
            memory_refused: false,
            lines_max: limits.log_lines_max,
            lines: 0,
            last_error: None,
            lookups_max: limits.lookups_max,
            lookups: 0,
            output_bytes_max: limits.output_bytes_max,
        }
    }

    /// A call begins: budgets are whole again.
    pub(crate) fn begin(&mut self) {
        self.memory_refused = false;
        self.lines = 0;
        self.last_error = None;
        self.lookups = 0;
    }

    /// A call has ended: says how many log lines were left out.
    pub(crate) fn end(&self) {
        let left_out = self.lines.saturating_sub(self.lines_max);
        if left_out > 0 {
            let Who { rule, version } = &self.who;
            tracing::warn!(
                rule = &**rule,
                version = &**version,
                left_out,
                "the rule logs too much in one call"
            );
        }
    }

    pub(crate) fn memory_refused(&self) -> bool {
        self.memory_refused
    }

    pub(crate) fn last_error(&self) -> Option<&str> {
        self.last_error.as_deref()
    }
}

impl ResourceLimiter for Holdings {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        match self.bytes_left.checked_sub(desired.saturating_sub(current)) {
            Some(left) => self.bytes_left = left,
            None => self.memory_refused = true,
        }
        Ok(!self.memory_refused)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        let Who { rule, version } = &self.who;
        tracing::debug!(rule = &**rule, version = &**version, %error, "no more memory for the rule");
        self.memory_refused = true;
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let left = self.table_elements_left.checked_sub(desired.saturating_sub(current));
        self.table_elements_left = left.unwrap_or(self.table_elements_left);
        Ok(left.is_some())
    }

    fn instances(&self) -> usize {
        usize::try_from(CORE_INSTANCES_MAX).unwrap_or(usize::MAX)
    }

    fn tables(&self) -> usize {
        usize::try_from(TABLES_MAX).unwrap_or(usize::MAX)
    }

    fn memories(&self) -> usize {
        usize::try_from(MEMORIES_MAX).unwrap_or(usize::MAX)
    }
}

impl types::Host for Holdings {}

impl log::Host for Holdings {
    fn log(&mut self, level: log::Level, message: String) {
        self.lines = self.lines.saturating_add(1);
        let is_error = level == log::Level::Error;
        if self.lines > self.lines_max && !is_error {
            return;
        }
        // One line is one line, whatever the rule puts into it.
        let message = cut(&message, LINE_BYTES_MAX).replace(char::is_control, " ");
        if is_error {
            self.last_error = Some(message.clone());
        }
        if self.lines > self.lines_max {
            return;
        }
        // Which chunk is judged is told by the span of whoever calls.
        let (rule, version) = (&*self.who.rule, &*self.who.version);
        match level {
            log::Level::Debug => tracing::debug!(rule, version, "{message}"),
            log::Level::Info => tracing::info!(rule, version, "{message}"),
            log::Level::Warn => tracing::warn!(rule, version, "{message}"),
            log::Level::Error => tracing::error!(rule, version, "{message}"),
        }
    }
}

impl lookups::Host for Holdings {
    fn resolve(
        &mut self,
        table: String,
        by: String,
        keys: lookups::Column,
        columns: Vec<String>,
    ) -> Result<Vec<lookups::Column>, String> {
        self.lookups = self.lookups.saturating_add(1);
        if self.lookups > self.lookups_max {
            return Err(format!(
                "a call may look up {} times: pass a whole column of keys at once",
                self.lookups_max
            ));
        }
        self.tables.resolve(&table, &by, keys, &columns, self.output_bytes_max)
    }
}

/// The text up to so many bytes, whole characters only.
pub(crate) fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}
