//! Actions, functions, entity sets.

use super::{Csdl, escaped, shared};
use crate::schema::{Collection, Kind, Table};

/// Complex types: name, properties with types.
const COMPLEX: &[(&str, &[(&str, &str)])] = &[
    (
        "WhoAmIResponse",
        &[("BusinessUnitId", "Edm.Guid"), ("UserId", "Edm.Guid"), ("OrganizationId", "Edm.Guid")],
    ),
    ("RetrieveVersionResponse", &[("Version", "Edm.String")]),
    (
        "RetrieveTotalRecordCountResponse",
        &[("EntityRecordCountCollection", "mscrm.EntityRecordCountCollection")],
    ),
    (
        "EntityRecordCountCollection",
        &[
            ("Count", "Edm.Int32"),
            ("IsReadOnly", "Edm.Boolean"),
            ("Keys", "Collection(Edm.String)"),
            ("Values", "Collection(Edm.Int64)"),
        ],
    ),
    ("CreateMultipleResponse", &[("Ids", "Collection(Edm.Guid)")]),
];

/// Functions that stand alone: name, parameters, result.
const FUNCTIONS: &[(&str, &[(&str, &str)])] = &[
    ("WhoAmI", &[]),
    ("RetrieveVersion", &[]),
    ("RetrieveTotalRecordCount", &[("EntityNames", "Collection(Edm.String)")]),
];

/// Actions that stand alone.
const ACTIONS: &[(&str, &[(&str, &str)])] =
    &[("PublishXml", &[("ParameterXml", "Edm.String")]), ("PublishAllXml", &[])];

impl Csdl<'_> {
    pub(super) fn operations(&mut self) {
        for (name, properties) in COMPLEX {
            self.line(&format!("<ComplexType Name=\"{name}\">"));
            for (property, kind) in *properties {
                self.line(&format!("<Property Name=\"{property}\" Type=\"{kind}\" />"));
            }
            self.line("</ComplexType>");
        }
        for (name, parameters) in FUNCTIONS {
            self.line(&format!("<Function Name=\"{name}\">"));
            self.parameters(parameters);
            self.line(&format!("<ReturnType Type=\"mscrm.{name}Response\" Nullable=\"false\" />"));
            self.line("</Function>");
        }
        for (name, parameters) in ACTIONS {
            self.line(&format!("<Action Name=\"{name}\">"));
            self.parameters(parameters);
            self.line("</Action>");
        }
        let schema = self.schema;
        for table in schema.tables.iter().filter(|table| table.bulk && !table.sealed()) {
            let mut names = vec!["CreateMultiple", "UpdateMultiple", "UpsertMultiple"];
            if table.elastic {
                names.push("DeleteMultiple");
            }
            for name in names {
                self.bulk(name, table);
            }
        }
    }

    fn bulk(&mut self, name: &str, table: &Table) {
        self.line(&format!("<Action Name=\"{name}\" IsBound=\"true\">"));
        self.parameters(&[
            ("entityset", &format!("Collection(mscrm.{})", table.name)),
            ("Targets", "Collection(mscrm.crmbaseentity)"),
        ]);
        if name == "CreateMultiple" {
            self.line("<ReturnType Type=\"mscrm.CreateMultipleResponse\" Nullable=\"false\" />");
        }
        self.line("</Action>");
    }

    fn parameters(&mut self, parameters: &[(&str, &str)]) {
        for (name, kind) in parameters {
            self.line(&format!("<Parameter Name=\"{name}\" Type=\"{kind}\" Nullable=\"false\" />"));
        }
    }

    pub(super) fn container(&mut self) {
        self.line("<EntityContainer Name=\"System\">");
        let schema = self.schema;
        for table in schema.tables.iter().filter(|table| !table.internal) {
            self.line(&format!(
                "<EntitySet Name=\"{}\" EntityType=\"mscrm.{}\">",
                escaped(&table.set),
                table.name
            ));
            for (path, target) in self.bindings(table) {
                self.line(&format!(
                    "<NavigationPropertyBinding Path=\"{}\" Target=\"{}\" />",
                    escaped(&path),
                    escaped(&target)
                ));
            }
            self.line("</EntitySet>");
        }
        for (name, _) in FUNCTIONS {
            self.line(&format!("<FunctionImport Name=\"{name}\" Function=\"mscrm.{name}\" />"));
        }
        for (name, _) in ACTIONS {
            self.line(&format!("<ActionImport Name=\"{name}\" Action=\"mscrm.{name}\" />"));
        }
        self.line("</EntityContainer>");
    }

    /// Navigation properties, and the sets that they lead to. An owner is in
    /// one of two sets, and has none.
    fn bindings(&self, table: &Table) -> Vec<(String, String)> {
        let mut bindings = Vec::new();
        for column in &table.columns {
            let Kind::Lookup { targets, .. } = &column.kind else { continue };
            for target in targets.iter().filter(|target| !shared(table, target)) {
                let set = &self.schema.tables[target.table].set;
                bindings.push((target.navigation.clone(), set.clone()));
            }
        }
        for (name, collection) in &table.collections {
            let (Collection::Many { table: other, .. } | Collection::Both { table: other, .. }) =
                collection;
            bindings.push((name.clone(), self.schema.tables[*other].set.clone()));
        }
        bindings
    }
}
