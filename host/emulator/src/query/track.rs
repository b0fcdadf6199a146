//! Change tracking: what has changed since a delta link (*Use change tracking
//! to synchronize data with external systems*).
//!
//! New and changed rows come first, in order of creation, deletions last. A
//! token holds the version that the first page was read at, so that nothing
//! that is written while pages are read gets lost.

use uuid::Uuid;

use super::cookie::{Cookie, encoded};
use super::render::{Renderer, text};
use super::{PAGE_MAX, View, context, counted, selected};
use crate::call::{Options, Prefer};
use crate::instant::{self, DAY};
use crate::refusal::{Name, Refusal};
use crate::reply::Reply;
use crate::schema::Table;
use crate::store::Row;

/// The version that tracking begins at, if the request asks for tracking.
pub(super) fn begun(
    view: &View<'_>,
    table: &Table,
    prefer: &Prefer,
    options: &Options,
    cookie: Cookie,
) -> Result<Option<u64>, Refusal> {
    if !prefer.track_changes && cookie.tracking.is_none() {
        return Ok(None);
    }
    trackable(table, options)?;
    Ok(Some(cookie.tracking.unwrap_or_else(|| view.store.version())))
}

/// Only tables that track, and only `$select`.
fn trackable(table: &Table, options: &Options) -> Result<(), Refusal> {
    if !table.change_tracking {
        return Err(Refusal::named(
            Name::TrackingNotEnabled,
            format!("Change tracking is not enabled for the entity '{}'.", table.name),
        ));
    }
    let given = [
        ("$filter", options.filter.is_some()),
        ("$orderby", options.orderby.is_some()),
        ("$expand", options.expand.is_some()),
        ("$top", options.top.is_some()),
    ];
    match given.into_iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((name, _)) => Err(Refusal::named(
            Name::TrackingOption,
            format!("The query parameter {name} is not supported when tracking changes."),
        )),
    }
}

/// `,"@odata.deltaLink":"..."`.
pub(super) fn delta_link(
    body: &mut Vec<u8>,
    view: &View<'_>,
    table: &Table,
    options: &Options,
    version: u64,
) {
    let token = format!("{version}!{}", instant::american(view.scene.now));
    let query = if options.raw.is_empty() { String::new() } else { format!("{}&", options.raw) };
    let root = &view.scene.root;
    let link = format!("{root}{}?{query}$deltatoken={}", table.set, encoded(&token));
    body.extend_from_slice(b",\"@odata.deltaLink\":");
    text(body, &link);
}

/// The version of a token that is still good.
fn since(view: &View<'_>, table: &Table, token: &str) -> Result<u64, Refusal> {
    let invalid = || {
        Refusal::named(
            Name::DeltaTokenInvalid,
            "Version stamp associated with the client is invalid. Please perform a full sync.",
        )
    };
    let (version, made) = token.split_once('!').ok_or_else(invalid)?;
    let version: u64 = version.parse().map_err(|_| invalid())?;
    let made = instant::parse_american(made).ok_or_else(invalid)?;
    if version > view.store.version() {
        return Err(invalid());
    }
    let days = i64::from(view.environment.behavior.delta_token_days);
    let expired = view.scene.now - made > days * DAY;
    if expired || version < view.rows(table.position).forgotten() {
        return Err(Refusal::named(
            Name::DeltaTokenExpired,
            "Version stamp associated with the client has expired. Please perform a full sync.",
        ));
    }
    Ok(version)
}

/// Rows changed since a version, from a slot on.
fn changed<'e>(
    view: &View<'e>,
    table: &Table,
    version: u64,
    from: u32,
) -> impl Iterator<Item = (u32, &'e Row)> {
    view.rows(table.position).from(from).filter(move |(_, row)| row.version > version)
}

/// Records deleted since a version.
fn deleted<'e>(view: &View<'e>, table: &Table, version: u64) -> impl Iterator<Item = Uuid> + 'e {
    let rows = view.rows(table.position);
    rows.tombstones()
        .filter(move |one| one.version > version && rows.slot_of(one.id).is_none())
        .map(|one| one.id)
}

/// A page of changes.
pub(super) fn changes(
    view: &View<'_>,
    table: &Table,
    token: &str,
    prefer: &Prefer,
    options: &Options,
) -> Result<Reply, Refusal> {
    let table = view.table(table.position);
    trackable(table, options)?;
    let version = since(view, table, token)?;
    let cookie = Cookie::of(options.skiptoken.as_deref())?;
    let columns = selected(table, options.select.as_deref())?;
    let size = prefer.page_size.unwrap_or(PAGE_MAX);
    let from = cookie.slot.map_or(0, |slot| slot.saturating_add(1));
    let found: Vec<(u32, &Row)> =
        changed(view, table, version, from).take(size.saturating_add(1)).collect();
    let rows_left = found.len() > size;
    let found = &found[..found.len().min(size)];
    let room = if rows_left { 0 } else { size - found.len() };
    let gone: Vec<Uuid> =
        deleted(view, table, version).skip(cookie.offset).take(room.saturating_add(1)).collect();
    let more = rows_left || gone.len() > room;
    let gone = &gone[..gone.len().min(room)];
    let tracking = cookie.tracking.unwrap_or_else(|| view.store.version());
    let mut body = b"{\"@odata.context\":".to_vec();
    text(&mut body, &format!("{}/$delta", context(view.scene, table, options)));
    body.extend_from_slice(b",\"value\":[");
    let start = body.len();
    let renderer = Renderer::new(view, table, &columns, prefer);
    for (_, row) in found {
        renderer.row(&mut body, row, None);
        body.push(b',');
    }
    let root = &view.scene.root;
    for id in gone {
        body.extend_from_slice(b"{\"@odata.context\":");
        text(&mut body, &format!("{root}$metadata#{}/$deletedEntity", table.set));
        body.extend_from_slice(format!(",\"id\":\"{id}\",\"reason\":\"deleted\"}},").as_bytes());
    }
    if body.len() > start {
        body.pop();
    }
    body.push(b']');
    if more {
        let next = Cookie {
            page: cookie.page + 1,
            slot: if rows_left { found.last().map(|(slot, _)| *slot) } else { Some(u32::MAX - 1) },
            offset: cookie.offset + gone.len(),
            tracking: Some(tracking),
        };
        let query = match options.raw.as_str() {
            "" => format!("$deltatoken={}", encoded(token)),
            raw => format!("{raw}&$deltatoken={}", encoded(token)),
        };
        let url = format!("{root}{}", table.set);
        let nobody = (Uuid::nil(), Uuid::nil());
        body.extend_from_slice(b",\"@odata.nextLink\":");
        text(&mut body, &next.link(&url, &query, table.id_name(), nobody));
    } else {
        delta_link(&mut body, view, table, options, tracking);
    }
    body.push(b'}');
    Ok(Reply::json(200, body).counting(found.len() + gone.len()))
}

/// `/$count?$deltatoken=`: how many changes there are.
pub(super) fn count(
    view: &View<'_>,
    table: &Table,
    token: &str,
    options: &Options,
) -> Result<Reply, Refusal> {
    trackable(table, options)?;
    let version = since(view, table, token)?;
    let count = changed(view, table, version, 0).count() + deleted(view, table, version).count();
    Ok(counted(view, count))
}
