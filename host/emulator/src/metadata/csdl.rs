//! `$metadata`: the schema as a CSDL document (OData CSDL 4.0), in Microsoft's
//! names.
//!
//! Pure: the schema in, XML out. With `?annotations=true` read-only columns are
//! marked (*Web API properties*).

mod container;

use crate::schema::{Collection, Column, KeyStatus, Kind, Origin, Property, Schema, Table, Target};

/// A document being written.
struct Csdl<'s> {
    schema: &'s Schema,
    annotations: bool,
    out: String,
}

/// The whole document.
pub(super) fn document(schema: &Schema, annotations: bool) -> String {
    let mut csdl = Csdl { schema, annotations, out: String::with_capacity(1 << 20) };
    csdl.line("<?xml version=\"1.0\" encoding=\"utf-8\"?>");
    csdl.line(
        "<edmx:Edmx Version=\"4.0\" xmlns:edmx=\"http://docs.oasis-open.org/odata/ns/edmx\">",
    );
    for (uri, name) in [
        ("http://vocabularies.odata.org/OData.Community.Keys.V1.xml", "OData.Community.Keys.V1"),
        (
            "http://docs.oasis-open.org/odata/odata/v4.0/os/vocabularies/Org.OData.Core.V1.xml",
            "Org.OData.Core.V1",
        ),
    ] {
        csdl.line(&format!(
            "<edmx:Reference Uri=\"{uri}\"><edmx:Include Namespace=\"{name}\" /></edmx:Reference>"
        ));
    }
    csdl.line("<edmx:DataServices>");
    csdl.line(
        "<Schema Namespace=\"Microsoft.Dynamics.CRM\" Alias=\"mscrm\" \
         xmlns=\"http://docs.oasis-open.org/odata/ns/edm\">",
    );
    csdl.line("<EntityType Name=\"crmbaseentity\" Abstract=\"true\" />");
    csdl.principal();
    for table in schema.tables.iter().filter(|table| !table.internal) {
        csdl.table(table);
    }
    csdl.operations();
    csdl.container();
    csdl.line("</Schema>");
    csdl.line("</edmx:DataServices>");
    csdl.line("</edmx:Edmx>");
    csdl.out
}

/// Users and teams: what owns records.
fn is_principal(table: &Table) -> bool {
    matches!(table.name.as_str(), "systemuser" | "team")
}

/// Text in an attribute.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The targets that share a navigation property with others: owners.
fn shared(table: &Table, target: &Target) -> bool {
    matches!(table.properties.get(target.navigation.as_str()),
        Some(Property::Navigation(_, targets)) if targets.len() > 1)
}

impl Csdl<'_> {
    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    /// The base type of users and teams, and the collections of what they own.
    fn principal(&mut self) {
        self.line("<EntityType Name=\"principal\" BaseType=\"mscrm.crmbaseentity\">");
        self.line("<Key><PropertyRef Name=\"ownerid\" /></Key>");
        self.line("<Property Name=\"ownerid\" Type=\"Edm.Guid\" Nullable=\"false\" />");
        let schema = self.schema;
        if let Some(users) = schema.table("systemuser") {
            for (name, collection) in &users.collections {
                if let Some((table, target)) = owned(schema, *collection) {
                    self.many(name, &table.name, &target.navigation);
                }
            }
        }
        self.line("</EntityType>");
    }

    fn table(&mut self, table: &Table) {
        let base = if is_principal(table) { "principal" } else { "crmbaseentity" };
        self.line(&format!("<EntityType Name=\"{}\" BaseType=\"mscrm.{base}\">", table.name));
        if !is_principal(table) {
            self.line(&format!("<Key><PropertyRef Name=\"{}\" /></Key>", table.id_name()));
        }
        for (position, column) in table.columns.iter().enumerate() {
            let inherited = is_principal(table) && column.name == "ownerid";
            if !inherited {
                self.property(column, position == table.primary_id && !is_principal(table));
            }
        }
        for column in &table.columns {
            if let Kind::Lookup { targets, .. } = &column.kind {
                self.lookup(table, column, targets);
            }
        }
        for (name, collection) in &table.collections {
            match *collection {
                Collection::Many { table: other, column, target } => {
                    let other = &self.schema.tables[other];
                    if owned(self.schema, *collection).is_some() {
                        continue;
                    }
                    if let Kind::Lookup { targets, .. } = &other.columns[column].kind
                        && let Some(target) = targets.get(usize::from(target))
                    {
                        let partner = target.navigation.clone();
                        self.many(name, &other.name, &partner);
                    }
                }
                Collection::Both { table: other, intersect, here, .. } => {
                    let other = &self.schema.tables[other];
                    let back = other.collections.iter().find(|(_, one)| {
                        matches!(one, Collection::Both { intersect: i, there, .. }
                            if *i == intersect && *there == here)
                    });
                    let back = back.map_or(name.clone(), |(back, _)| back.clone());
                    self.many(name, &other.name, &back);
                }
            }
        }
        self.keys(table);
        self.line("</EntityType>");
    }

    fn property(&mut self, column: &Column, key: bool) {
        let mut line = format!(
            "<Property Name=\"{}\" Type=\"{}\"",
            escaped(&column.property),
            column.kind.edm()
        );
        if key {
            line.push_str(" Nullable=\"false\"");
        }
        match &column.kind {
            Kind::Text { .. } | Kind::Memo { .. } | Kind::Choices { .. } => {
                line.push_str(" Unicode=\"false\"");
            }
            Kind::Decimal { .. } | Kind::Money { .. } => line.push_str(" Scale=\"Variable\""),
            _ => {}
        }
        let lookup = matches!(column.kind, Kind::Lookup { .. });
        let computed = lookup || (!column.create && !column.update);
        if !(self.annotations && computed) || column.origin == Origin::PrimaryId {
            line.push_str(" />");
            return self.line(&line);
        }
        line.push_str("><Annotation Term=\"Org.OData.Core.V1.Computed\" Bool=\"true\" />");
        line.push_str(
            "<Annotation Term=\"Org.OData.Core.V1.Permissions\">\
             <EnumMember>Org.OData.Core.V1.PermissionType/Read</EnumMember></Annotation>",
        );
        line.push_str("</Property>");
        self.line(&line);
    }

    fn lookup(&mut self, table: &Table, column: &Column, targets: &[Target]) {
        let mut seen: Vec<&str> = Vec::new();
        for target in targets {
            if seen.contains(&target.navigation.as_str()) {
                continue;
            }
            seen.push(&target.navigation);
            let other = &self.schema.tables[target.table];
            let (kind, key) = if shared(table, target) {
                ("principal", "ownerid")
            } else {
                (other.name.as_str(), other.id_name())
            };
            let line = format!(
                "<NavigationProperty Name=\"{}\" Type=\"mscrm.{kind}\" Partner=\"{}\">\
                 <ReferentialConstraint Property=\"{}\" ReferencedProperty=\"{key}\" />\
                 </NavigationProperty>",
                escaped(&target.navigation),
                escaped(&target.collection),
                column.property
            );
            self.line(&line);
        }
    }

    fn many(&mut self, name: &str, other: &str, partner: &str) {
        let line = format!(
            "<NavigationProperty Name=\"{}\" Type=\"Collection(mscrm.{other})\" Partner=\"{}\" />",
            escaped(name),
            escaped(partner)
        );
        self.line(&line);
    }

    /// Alternate keys in use.
    fn keys(&mut self, table: &Table) {
        let keys = table.keys.iter().filter(|key| key.status == KeyStatus::Active);
        let keys: Vec<_> = keys.filter(|_| !table.intersect).collect();
        if keys.is_empty() {
            return;
        }
        self.line("<Annotation Term=\"OData.Community.Keys.V1.AlternateKeys\"><Collection>");
        for key in keys {
            let mut line = "<Record Type=\"OData.Community.Keys.V1.AlternateKey\">\
                            <PropertyValue Property=\"Key\"><Collection>"
                .to_owned();
            for &column in &key.columns {
                let property = &table.columns[column].property;
                line.push_str(&format!(
                    "<Record Type=\"OData.Community.Keys.V1.PropertyRef\">\
                     <PropertyValue Property=\"Alias\" String=\"{property}\" />\
                     <PropertyValue Property=\"Name\" PropertyPath=\"{property}\" /></Record>"
                ));
            }
            line.push_str("</Collection></PropertyValue></Record>");
            self.line(&line);
        }
        self.line("</Collection></Annotation>");
    }
}

/// The table and the target behind a collection of owned records: those stand
/// at the base type of users and teams.
fn owned(schema: &Schema, collection: Collection) -> Option<(&Table, &Target)> {
    let Collection::Many { table, column, target } = collection else { return None };
    let table = &schema.tables[table];
    let Kind::Lookup { targets, .. } = &table.columns[column].kind else { return None };
    let target = targets.get(usize::from(target))?;
    shared(table, target).then_some((table, target))
}
