//! A rule with settings and a granted table.

use dvsync_rules_sdk::prelude::*;

settings! {
    /// What a job may set.
    pub struct Settings {
        /// Region whose sellers own prospects.
        pub region: String = "north".to_owned(),
    }
}

/// Prospects belong to the seller of their region.
pub struct Regions {
    region: String,
    tables: Tables,
}

impl Rule for Regions {
    fn describe() -> Description {
        Description {
            name: "regions",
            version: "0.1.0",
            entities: &["lead"],
            settings_schema: Some(Settings::schema()),
            tables: &["salespeople"],
        }
    }

    fn configure(context: &Context) -> Result<Self, Failure> {
        let settings = Settings::read(context)?;
        Ok(Self { region: settings.region, tables: context.tables.clone() })
    }
}

impl Owner for Regions {
    fn needs(&self, context: &Context) -> Needs {
        Needs::new().reads(context.identifier("seller"))
    }

    fn decide(
        &self,
        incoming: &Rows<'_>,
        _: &Rows<'_>,
        owners: &mut Owners,
    ) -> Result<(), Failure> {
        owners.by("internalemailaddress");
        // All keys of the call in one question to the host.
        let keys = incoming.column("seller")?;
        let found = self.tables.resolve("salespeople", "id", keys, &["email", "region"])?;
        let (emails, regions) = (found.rows().text("email")?, found.rows().text("region")?);
        for row in 0..incoming.len() {
            match emails.get(row) {
                Some(email) if regions.get(row) == Some(&self.region) => owners.push_user(email),
                _ => owners.push_leave(),
            }
        }
        Ok(())
    }
}

dvsync_rules_sdk::export!(Regions: owner);
