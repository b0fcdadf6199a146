//! The rows that every environment begins with: the root business unit, the base
//! currency, a user for each principal, and what probes for bulk messages find.

use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_128;

use crate::cell::Cell;
use crate::schema::{Schema, Table};
use crate::store::{Row, Transaction, encode};

/// A fixed id, made from a name.
pub(crate) fn id(name: &str) -> Uuid {
    uuid::Builder::from_random_bytes(xxh3_128(name.as_bytes()).to_le_bytes()).into_uuid()
}

/// `OrganizationId`.
pub(crate) fn organization() -> Uuid {
    id("organization")
}

/// The root business unit.
pub(crate) fn unit() -> Uuid {
    id("businessunit/root")
}

/// The base currency.
pub(crate) fn currency() -> Uuid {
    id("transactioncurrency/base")
}

/// The user of a principal.
#[derive(Debug)]
pub(crate) struct User {
    pub(crate) id: Uuid,
    pub(crate) name: String,
    /// Application (client) id.
    pub(crate) client: Uuid,
}

/// Puts in what is not there yet.
pub(crate) fn plant(schema: &Schema, tx: &mut Transaction<'_>, users: &[User], now: i64) {
    let text = |text: &str| Cell::Text(text.to_owned().into());
    let mut put = |table: &str, id: Uuid, given: &[(&str, Cell<'static>)]| {
        if let Some(table) = schema.table(table) {
            insert(tx, table, id, given, now);
        }
    };
    put("businessunit", unit(), &[("name", text("emulator")), ("isdisabled", Cell::Bool(false))]);
    put(
        "transactioncurrency",
        currency(),
        &[
            ("currencyname", text("US Dollar")),
            ("isocurrencycode", text("USD")),
            ("currencysymbol", text("$")),
            ("currencyprecision", Cell::Int(2)),
            ("exchangerate", Cell::Decimal(10_000_000_000)),
        ],
    );
    for User { id: user, name, client } in users {
        put(
            "systemuser",
            *user,
            &[
                ("fullname", text(name)),
                ("firstname", text("#")),
                ("lastname", text(name)),
                ("domainname", text(&format!("{name}@emulator.example"))),
                ("internalemailaddress", text(&format!("{name}@emulator.example"))),
                ("isdisabled", Cell::Bool(false)),
                ("applicationid", Cell::Guid(*client)),
                ("azureactivedirectoryobjectid", Cell::Guid(id(&format!("directory/{name}")))),
                ("businessunitid", Cell::Lookup(0, unit())),
            ],
        );
    }
    for table in schema.tables.iter().filter(|table| table.bulk && !table.internal) {
        for message in ["CreateMultiple", "UpdateMultiple"] {
            put(
                "sdkmessagefilter",
                id(&format!("sdkmessagefilter/{message}/{}", table.name)),
                &[
                    ("sdkmessageid/name", text(message)),
                    ("primaryobjecttypecode", text(&table.name)),
                ],
            );
        }
    }
}

fn insert(
    tx: &mut Transaction<'_>,
    table: &Table,
    id: Uuid,
    given: &[(&str, Cell<'static>)],
    now: i64,
) {
    if tx.rows(table.position).slot_of(id).is_some() {
        return;
    }
    let mut cells = vec![Cell::Null; table.columns.len()];
    for (name, cell) in given {
        if let Some(column) = table.column_position(name) {
            cells[column] = cell.clone();
        }
    }
    for column in [table.known.createdon, table.known.modifiedon].into_iter().flatten() {
        cells[column] = Cell::Time(now);
    }
    let version = tx.next_version();
    tx.insert(table.position, Row { id, version, bytes: encode(&cells) });
}
