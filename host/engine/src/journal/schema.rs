//! The schema, its versions, and what a file must be to be a journal.

use std::path::Path;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::{Durability, JournalError, RunStatus};

/// `dvsy`: tells a journal from any other SQLite file.
pub(super) const APPLICATION: i32 = 0x6476_7379;

/// Step `n` leads from version `n` to `n + 1`; a published one never changes.
const MIGRATIONS: [&str; 3] =
    [include_str!("schema/1.sql"), include_str!("schema/2.sql"), include_str!("schema/3.sql")];

/// How long a connection waits for another one's lock (a reader in a checkpoint).
const BUSY_WAIT: std::time::Duration = std::time::Duration::from_secs(10);

/// Frames in the write-ahead log before they are moved to the file: 16 MiB.
const CHECKPOINT_PAGES: i64 = 4096;

/// Opens the file for the writer, makes or migrates the schema, and closes what
/// a vanished process left open. The caller holds the run lock.
pub(super) fn open_writable(
    journal: &Path,
    durability: Durability,
) -> Result<Connection, JournalError> {
    let open = |verb| move |source| told(verb, journal, source);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(journal, flags).map_err(open("open"))?;
    connection.busy_timeout(BUSY_WAIT).map_err(open("open"))?;
    let version = match identify(&connection, journal)? {
        Identity::Empty => {
            // Must be said before there is a table.
            connection.pragma_update(None, "auto_vacuum", "incremental").map_err(open("create"))?;
            0
        }
        Identity::Journal { version } => version,
    };
    let mode: String = connection
        .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
        .map_err(open("open"))?;
    if mode != "wal" {
        return Err(JournalError::Damaged {
            path: journal.to_owned(),
            what: format!("its file system allows no write-ahead log, only `{mode}`"),
        });
    }
    let synchronous = match durability {
        Durability::Process => "normal",
        Durability::PowerCut => "full",
    };
    connection
        .pragma_update(None, "synchronous", synchronous)
        .and_then(|()| connection.pragma_update(None, "foreign_keys", true))
        .and_then(|()| connection.pragma_update(None, "wal_autocheckpoint", CHECKPOINT_PAGES))
        .map_err(open("open"))?;
    migrate(&mut connection, version).map_err(open("migrate"))?;
    connection
        .execute(
            "UPDATE runs SET status = ?1 WHERE status = ?2",
            [RunStatus::Interrupted.as_str(), RunStatus::Running.as_str()],
        )
        .map_err(open("write"))?;
    Ok(connection)
}

/// Opens the file for reading; it must have the current version.
pub(super) fn open_readable(journal: &Path) -> Result<Connection, JournalError> {
    if !journal.exists() {
        return Err(JournalError::Missing { path: journal.to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(journal, flags)
        .map_err(|source| told("open", journal, source))?;
    connection.busy_timeout(BUSY_WAIT).map_err(|source| told("open", journal, source))?;
    match identify(&connection, journal)? {
        Identity::Journal { version } if version == known() => Ok(connection),
        Identity::Journal { version } => {
            Err(JournalError::Older { path: journal.to_owned(), found: version, known: known() })
        }
        Identity::Empty => Err(JournalError::NotAJournal {
            path: journal.to_owned(),
            found: "it is empty".to_owned(),
        }),
    }
}

/// What SQLite says, in our words.
pub(super) fn told(verb: &'static str, journal: &Path, source: rusqlite::Error) -> JournalError {
    let path = journal.to_owned();
    match source.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            JournalError::NotAJournal { path, found: "it is not an SQLite database".to_owned() }
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            JournalError::Damaged { path, what: source.to_string() }
        }
        _ => JournalError::Sqlite { verb, path, source: source.into() },
    }
}

enum Identity {
    Empty,
    Journal { version: i64 },
}

fn known() -> i64 {
    i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX)
}

fn identify(connection: &Connection, journal: &Path) -> Result<Identity, JournalError> {
    let told = |source| told("open", journal, source);
    let application: i32 =
        connection.query_row("PRAGMA application_id", [], |row| row.get(0)).map_err(told)?;
    let number = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(told);
    let version = number("PRAGMA user_version")?;
    let tables = number("SELECT count(*) FROM sqlite_master")?;
    let path = journal.to_owned();
    match (application, tables) {
        (0, 0) => Ok(Identity::Empty),
        (APPLICATION, _) if version > known() => {
            Err(JournalError::Newer { path, found: version, known: known() })
        }
        (APPLICATION, _) if version >= 1 => Ok(Identity::Journal { version }),
        _ => Err(JournalError::NotAJournal {
            path,
            found: "it is an SQLite database of another program".to_owned(),
        }),
    }
}

fn migrate(connection: &mut Connection, from: i64) -> rusqlite::Result<()> {
    for (step, sql) in (1..).zip(MIGRATIONS) {
        if step > from {
            let change = connection.transaction()?;
            change.execute_batch(sql)?;
            change.pragma_update(None, "application_id", APPLICATION)?;
            change.pragma_update(None, "user_version", step)?;
            change.commit()?;
        }
    }
    Ok(())
}
