//! A page of rows: order, size, what comes next.
//!
//! Without `$orderby` rows come in order of creation, so that pages neither skip
//! nor repeat a row whatever is written in between, unless a switch wants them to.

use std::cmp::Ordering;

use super::cookie::Cookie;
use super::expand::{self, gather};
use super::filter::Filter;
use super::order::{self, Keyed};
use super::render::{Renderer, text};
use super::{COUNT_MAX, PAGE_MAX, View, context, plan, selected, track};
use crate::call::{Options, Prefer};
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::schema::Table;
use crate::store::{Row, Rows};

const TOTAL: &str = "Microsoft.Dynamics.CRM.totalrecordcount";
const TOTAL_EXCEEDED: &str = "Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded";

/// Which rows: all of a table, or those that a record's collection holds.
pub(super) struct Source<'s> {
    pub(super) table: &'s Table,
    /// Behind the service root: what a next link names.
    pub(super) path: String,
    pub(super) within: Option<Filter>,
}

impl Source<'_> {
    /// The rows of the source that the options ask for.
    fn filter(&mut self, view: &View<'_>, options: &Options) -> Result<Option<Filter>, Refusal> {
        let asked = plan::condition(view, self.table, options)?;
        Ok(match (self.within.take(), asked) {
            (None, filter) | (filter, None) => filter,
            (Some(within), Some(asked)) => Some(Filter::And(vec![within, asked])),
        })
    }

    /// `/$count`, capped.
    pub(super) fn count(mut self, view: &View<'_>, options: &Options) -> Result<usize, Refusal> {
        let rows = view.rows(self.table.position);
        Ok(match self.filter(view, options)? {
            None => rows.len(),
            Some(filter) => plan::matching(view, rows, Some(&filter), 0).count(),
        }
        .min(COUNT_MAX))
    }
}

pub(super) fn page(
    view: &View<'_>,
    mut source: Source<'_>,
    prefer: &Prefer,
    options: &Options,
) -> Result<Reply, Refusal> {
    let table = source.table;
    let columns = selected(table, options.select.as_deref())?;
    let filter = source.filter(view, options)?;
    let order = order::parse(table, options.orderby.as_deref())?;
    let expands = expand::parse(view, table, options.expand.as_deref())?;
    let rows = view.rows(table.position);
    let cookie = Cookie::of(options.skiptoken.as_deref())?;
    let stable = view.environment.behavior.stable_pages;
    let place = Cookie { slot: cookie.slot.filter(|_| stable), ..cookie };
    // With a page size, `$top` is ignored.
    let top = options.top.filter(|_| prefer.page_size.is_none());
    let left = top.map_or(usize::MAX, |top| top.saturating_sub(cookie.offset));
    let size = prefer.page_size.unwrap_or(PAGE_MAX).min(left);
    let total = options.count.then(|| match &filter {
        None => rows.len(),
        Some(filter) => plan::matching(view, rows, Some(filter), 0).count(),
    });
    let mut found: Vec<(u32, &Row)> = if order.is_empty() {
        let from = place.slot.map_or(0, |slot| slot.saturating_add(1));
        let skip = if stable { 0 } else { cookie.offset };
        let all = plan::matching(view, rows, filter.as_ref(), from).skip(skip);
        all.take(size.saturating_add(1)).collect()
    } else {
        let all: Vec<_> = plan::matching(view, rows, filter.as_ref(), 0).collect();
        sorted(rows, all, &order, place, size)
    };
    let tracking = track::begun(view, table, prefer, options, cookie)?;
    let more = found.len() > size && (left > size);
    found.truncate(size);
    let mut body = Vec::with_capacity(256 + found.len() * columns.len() * 32);
    head(&mut body, view, table, options, prefer, total, tracking.is_some());
    let parents: Vec<&Row> = found.iter().map(|(_, row)| *row).collect();
    let expanded = gather(view, table, &expands, &parents, prefer.page_size);
    let renderer = Renderer::new(view, table, &columns, prefer).with(&expanded);
    for (index, (_, row)) in found.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        renderer.row(&mut body, row, None);
    }
    body.push(b']');
    if let (true, Some((first, last))) = (more, found.first().zip(found.last())) {
        let next = Cookie {
            page: cookie.page + 1,
            slot: Some(last.0),
            offset: cookie.offset + found.len(),
            tracking,
        };
        let url = format!("{}{}", view.scene.root, source.path);
        let link = next.link(&url, &options.raw, table.id_name(), (first.1.id, last.1.id));
        body.extend_from_slice(b",\"@odata.nextLink\":");
        text(&mut body, &link);
    } else if let Some(version) = tracking {
        track::delta_link(&mut body, view, table, options, version);
    }
    body.push(b'}');
    let mut reply = Reply::json(200, body);
    if let Some(applied) = prefer.applied() {
        reply = reply.with("Preference-Applied", applied);
    }
    Ok(reply.counting(found.len()))
}

fn head(
    body: &mut Vec<u8>,
    view: &View<'_>,
    table: &Table,
    options: &Options,
    prefer: &Prefer,
    total: Option<usize>,
    delta: bool,
) {
    let suffix = if delta { "/$delta" } else { "" };
    body.extend_from_slice(b"{\"@odata.context\":");
    text(body, &format!("{}{suffix}", context(view.scene, table, options)));
    if let Some(total) = total {
        body.extend_from_slice(format!(",\"@odata.count\":{}", total.min(COUNT_MAX)).as_bytes());
    }
    if prefer.wants(TOTAL) {
        let shown = total.map_or("-1".to_owned(), |total| total.min(COUNT_MAX).to_string());
        body.extend_from_slice(format!(",\"@{TOTAL}\":{shown}").as_bytes());
    }
    if prefer.wants(TOTAL_EXCEEDED) {
        let exceeded = total.is_some_and(|total| total > COUNT_MAX);
        body.extend_from_slice(format!(",\"@{TOTAL_EXCEEDED}\":{exceeded}").as_bytes());
    }
    body.extend_from_slice(b",\"value\":[");
}

/// The rows behind the cookie, in order: one more than a page.
fn sorted<'r>(
    rows: &'r Rows,
    all: Vec<(u32, &'r Row)>,
    order: &[(usize, bool)],
    cookie: Cookie,
    size: usize,
) -> Vec<(u32, &'r Row)> {
    let cmp = |a: &Keyed<'_>, b: &Keyed<'_>| a.cmp(b, order);
    let mut all: Vec<Keyed<'_>> =
        all.into_iter().map(|(slot, row)| Keyed::new(rows, order, slot, row)).collect();
    let wanted = size.saturating_add(1);
    // Behind the last row of the page before, if it is still there.
    let last = cookie.slot.and_then(|slot| Some(Keyed::new(rows, order, slot, rows.row(slot)?)));
    let skip = match &last {
        Some(last) => {
            all.retain(|one| cmp(one, last) == Ordering::Greater);
            0
        }
        None => cookie.offset,
    };
    let needed = wanted.saturating_add(skip);
    if needed < all.len() {
        all.select_nth_unstable_by(needed, cmp);
        all.truncate(needed);
    }
    all.sort_unstable_by(cmp);
    all.into_iter().skip(skip).take(wanted).map(|one| (one.slot, one.row)).collect()
}
