//! What to do with a reply, or with the lack of one: a pure table.
//!
//! Decided by structure only: how far the request came, the HTTP status, the
//! error code, the SQL number, what was asked for, how many records it carried
//! and which attempt it was. Never by the words of a message (they are
//! localised). The codes are Microsoft's (*Web service error codes*); what they
//! call for is argued in [`CODES`]. No clock, no waiting: see `retry`.

use crate::code::ErrorCode;
use crate::encode::Operation;
use crate::transport::Phase;

mod codes;

pub use codes::CODES;

/// What is known about one attempt of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// How far the request came.
    pub phase: Phase,
    /// HTTP status; 0 unless a whole reply was read.
    pub status: u16,
    /// The error code, where the body had one.
    pub code: Option<ErrorCode>,
    /// The SQL error number within the message of the two generic SQL codes.
    pub sql_number: Option<i32>,
    /// What was asked for; `None` is a read.
    pub operation: Option<Operation>,
    /// Records that the call carried.
    pub records: usize,
    /// From 1: how often it was tried, this attempt included.
    pub attempt: u32,
}

/// What an attempt calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Disposition {
    /// Nothing: it is done.
    Landed,
    /// The same again, soon: nothing landed.
    RetryNow,
    /// The same again, after the wait that the service asked for or a growing
    /// one: nothing landed.
    RetryAfter,
    /// Find the records at fault, and send the others: nothing landed.
    Narrow,
    /// The same in two halves: nothing landed.
    Halve,
    /// The same as another principal: nothing landed.
    OtherPrincipal,
    /// The same with a new token: nothing landed.
    RefreshToken,
    /// Read the records before anything is sent again: they may be there.
    LookBeforeResend,
    /// Try again later in the run: nothing landed.
    Defer,
    /// A person must look: nothing landed.
    DeadLetter,
    /// The run cannot go on: nothing landed.
    StopRun,
}

/// What the facts call for, and why.
#[must_use]
pub fn judge(facts: &Facts) -> (Disposition, &'static str) {
    let read = facts.operation.is_none();
    match facts.phase {
        Phase::NotSent => (Disposition::RetryAfter, "the request was not sent"),
        Phase::Sent if read => (Disposition::RetryAfter, "no reply to a read"),
        Phase::ReplyCut if read => (Disposition::RetryAfter, "the reply to a read was cut short"),
        Phase::Sent => (Disposition::LookBeforeResend, "sent, and no reply: it may have landed"),
        Phase::ReplyCut => {
            (Disposition::LookBeforeResend, "the reply was cut short: it may have landed")
        }
        Phase::Replied if (200..300).contains(&facts.status) => {
            (Disposition::Landed, "the service says so")
        }
        Phase::Replied => refused(facts),
    }
}

fn refused(facts: &Facts) -> (Disposition, &'static str) {
    // A 429 is a throttle whatever its code says, so that none is overlooked.
    if facts.status == 429 {
        return (Disposition::RetryAfter, "throttled");
    }
    let known = facts.code.and_then(|code| {
        CODES.binary_search_by_key(&code.0, |row| row.0).ok().map(|position| &CODES[position])
    });
    match known {
        Some(&(_, class, reason)) => (apply(class, facts), reason),
        None => by_status(facts),
    }
}

/// What a code calls for, before the facts of the call are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// Wait, then the same.
    Wait,
    /// Wait, but at most so many attempts; then it is the record's fault.
    WaitTries(u32),
    /// Wait, with fewer records.
    WaitHalve,
    /// Soon the same.
    Soon,
    /// Soon the same, once; then it is the record's fault.
    SoonOnce,
    /// By SQL error number.
    Sql,
    /// A record is at fault.
    Record,
    /// A record is at fault for now: what it points to is not there yet.
    RecordLater,
    /// The id or key of a create is taken: perhaps by an earlier attempt of
    /// the same create.
    Taken,
    /// The record changed since it was read.
    Changed,
    /// The user behind the token is at fault.
    Principal,
    /// The token is.
    Token,
    /// The user, when reading; when writing, perhaps the owner of one record.
    PrincipalOrRecord,
    /// A request of this shape is never taken.
    Never,
    /// A bulk message that the table does not take.
    NoBulk,
}

fn apply(class: Class, facts: &Facts) -> Disposition {
    let read = facts.operation.is_none();
    match class {
        Class::Wait => Disposition::RetryAfter,
        Class::WaitTries(most) if facts.attempt < most => Disposition::RetryAfter,
        Class::WaitHalve if facts.records > 1 => Disposition::Halve,
        Class::WaitHalve => Disposition::RetryAfter,
        Class::Soon => Disposition::RetryNow,
        Class::SoonOnce if facts.attempt == 1 => Disposition::RetryNow,
        Class::Sql => sql(facts),
        Class::Taken => match facts.operation {
            Some(Operation::Create) => Disposition::LookBeforeResend,
            // Two upserts of one new key met: the second try finds the record.
            Some(Operation::Upsert) if facts.attempt == 1 => Disposition::RetryNow,
            _ => record(facts),
        },
        Class::Changed if facts.records > 1 => Disposition::Narrow,
        Class::Changed => Disposition::LookBeforeResend,
        Class::RecordLater if facts.records > 1 => Disposition::Narrow,
        Class::RecordLater if !read => Disposition::Defer,
        Class::Token if facts.attempt == 1 => Disposition::RefreshToken,
        Class::Token | Class::Principal => Disposition::OtherPrincipal,
        Class::PrincipalOrRecord if read => Disposition::OtherPrincipal,
        Class::NoBulk if facts.records > 1 => Disposition::Narrow,
        Class::Never | Class::NoBulk => Disposition::StopRun,
        Class::WaitTries(_)
        | Class::SoonOnce
        | Class::Record
        | Class::RecordLater
        | Class::PrincipalOrRecord => record(facts),
    }
}

/// The record at fault is among these.
fn record(facts: &Facts) -> Disposition {
    match facts.operation {
        None => Disposition::StopRun,
        Some(_) if facts.records > 1 => Disposition::Narrow,
        Some(_) => Disposition::DeadLetter,
    }
}

/// The generic SQL error: deadlocks and the races of a table's first bulk
/// calls are rolled back and pass; a lost SQL connection may not be rolled
/// back, so writes look first.
fn sql(facts: &Facts) -> Disposition {
    const DEADLOCK: i32 = 1205;
    const FIRST_BULK_CALLS: [i32; 3] = [3732, 2766, 2812];
    const TIMEOUT: i32 = -2;
    const CONNECTION: [i32; 4] = [10053, 10054, 10060, 40613];
    match facts.sql_number {
        Some(DEADLOCK) => Disposition::RetryNow,
        Some(number) if FIRST_BULK_CALLS.contains(&number) => Disposition::RetryNow,
        Some(TIMEOUT) => apply(Class::WaitHalve, facts),
        Some(number) if CONNECTION.contains(&number) => unknown_fate(facts),
        _ => record(facts),
    }
}

fn unknown_fate(facts: &Facts) -> Disposition {
    if facts.operation.is_none() { Disposition::RetryAfter } else { Disposition::LookBeforeResend }
}

/// Codes that the table does not know, and replies without one.
fn by_status(facts: &Facts) -> (Disposition, &'static str) {
    let read = facts.operation.is_none();
    let has_code = facts.code.is_some_and(|code| code.0 != 0);
    match facts.status {
        401 => (apply(Class::Token, facts), "the token is refused"),
        403 if has_code => (apply(Class::PrincipalOrRecord, facts), "the user may not do this"),
        403 => (Disposition::OtherPrincipal, "the user is refused"),
        408 | 500 | 502 | 503 | 504 => {
            (unknown_fate(facts), "the service failed: a write may have landed")
        }
        413 if facts.records > 1 => (Disposition::Halve, "the request is too large"),
        412 if !read && facts.records == 1 => {
            (Disposition::LookBeforeResend, "a condition on the record does not hold")
        }
        400 | 405 | 409 | 412 | 413 | 422 => {
            (record(facts), "the service refuses what the request says")
        }
        404 if has_code => (record(facts), "something that the request names does not exist"),
        501 => (apply(Class::NoBulk, facts), "the service does not do this"),
        status if status > 504 => {
            (unknown_fate(facts), "the service failed: a write may have landed")
        }
        _ => (Disposition::StopRun, "nothing there answers like a Dataverse environment"),
    }
}

#[cfg(test)]
mod tests;
