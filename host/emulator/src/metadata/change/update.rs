//! `PUT` of what is there: a table or a column, by its whole definition (*Create
//! and update table definitions using the Web API*).
//!
//! What a definition says that cannot be changed is refused where it differs; what
//! the emulator does not hold is read over, as it is when a table is made.

use super::{Desk, refused};
use crate::metadata::{column, inside};
use crate::refusal::{Name, Refusal};
use crate::schema::{Table, import, own_column};

impl Desk<'_> {
    /// `PUT EntityDefinitions(x)`.
    pub(super) fn put_table(&mut self, table: &Table) -> Result<(), Refusal> {
        if import::logical_name(&self.body).is_some_and(|name| name != table.name) {
            return Err(refused(format!("The table '{}' cannot be renamed.", table.name)));
        }
        let tracking = self.body["ChangeTrackingEnabled"].as_bool();
        if table.change_tracking && tracking == Some(false) {
            let text = "Change tracking cannot be switched off once it is on.";
            return Err(refused(text));
        }
        let display = import::label(&self.body["DisplayName"]);
        let settings = self.settings(&table.name);
        if display.is_some() {
            settings.display = display;
        }
        if tracking == Some(true) {
            settings.change_tracking = tracking;
        }
        Ok(())
    }

    /// `PUT EntityDefinitions(x)/Attributes(y)`.
    pub(super) fn put_column(&mut self, table: &Table, segment: &str) -> Result<(), Refusal> {
        let inside = inside(segment, "Attributes").ok_or_else(|| Refusal::no_segment(segment))?;
        let found = column(table, inside).ok_or_else(|| {
            let text = format!("Could not find an attribute with specified name: {inside}");
            Refusal::named(Name::UnknownDefinition, text)
        })?;
        let name = &found.name;
        if import::logical_name(&self.body).is_some_and(|given| given != *name) {
            return Err(refused(format!("The attribute '{name}' cannot be renamed.")));
        }
        let own = own_column(&self.tables, &table.name, name);
        let mut changed = own.ok_or_else(|| {
            refused(format!("The attribute '{name}' is the service's own and stays as it is."))
        })?;
        import::overlay(&self.body, &mut changed)
            .map_err(|why| refused(format!("The attribute '{name}' cannot be changed: {why}.")))?;
        self.settings(&table.name).columns.insert(name.clone(), changed);
        Ok(())
    }
}
