//! A page of rows: order, size, what comes next.
//!
//! Without `$orderby` rows come in order of creation, so that pages neither skip
//! nor repeat a row whatever is written in between.

use std::cmp::Ordering;

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use uuid::Uuid;

use super::plan;
use super::render::{Renderer, text};
use super::{COUNT_MAX, selected};
use crate::call::{Options, Prefer, Scene};
use crate::cell::{Cell, compare};
use crate::environment::Environment;
use crate::refusal::Refusal;
use crate::reply::Reply;
use crate::schema::Table;
use crate::store::{Row, Rows, Store};

/// Most rows on a page, and their number without a preference.
const PAGE_MAX: usize = 5000;

const TOTAL: &str = "Microsoft.Dynamics.CRM.totalrecordcount";
const TOTAL_EXCEEDED: &str = "Microsoft.Dynamics.CRM.totalrecordcountlimitexceeded";

/// Where a page begins.
#[derive(Debug, Default, Clone, Copy)]
struct Cookie {
    page: usize,
    /// Behind the row in this slot.
    slot: Option<u32>,
    /// Rows on the pages before.
    offset: usize,
}

pub(super) fn page(
    environment: &Environment,
    scene: &Scene,
    store: &Store,
    table: &Table,
    prefer: &Prefer,
    options: &Options,
) -> Result<Reply, Refusal> {
    let columns = selected(table, options)?;
    let filter = plan::condition(table, options)?;
    let order = order(table, options)?;
    let rows = &store.tables[table.position];
    let cookie = match &options.skiptoken {
        None => Cookie { page: 1, ..Cookie::default() },
        Some(token) => Cookie::read(token).ok_or_else(|| {
            Refusal::new(400, "0x80060888", "Malformed paging cookie in $skiptoken.")
        })?,
    };
    // With a page size, `$top` is ignored.
    let top = options.top.filter(|_| prefer.page_size.is_none());
    let left = top.map_or(usize::MAX, |top| top.saturating_sub(cookie.offset));
    let size = prefer.page_size.unwrap_or(PAGE_MAX).min(left);
    let total = options.count.then(|| match &filter {
        None => rows.len(),
        Some(filter) => plan::matching(rows, Some(filter), 0).count(),
    });
    let mut found: Vec<(u32, &Row)> = if order.is_empty() {
        let from = cookie.slot.map_or(0, |slot| slot.saturating_add(1));
        plan::matching(rows, filter.as_ref(), from).take(size.saturating_add(1)).collect()
    } else {
        let all: Vec<_> = plan::matching(rows, filter.as_ref(), 0).collect();
        sorted(rows, all, &order, cookie, size)
    };
    let more = found.len() > size && (left > size);
    found.truncate(size);
    let mut body = Vec::with_capacity(256 + found.len() * columns.len() * 32);
    head(&mut body, scene, table, options, prefer, total);
    let renderer = Renderer::new(environment, store, table, &columns, prefer);
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
        };
        body.extend_from_slice(b",\"@odata.nextLink\":");
        text(&mut body, &next.link(scene, table, options, first.1.id, last.1.id));
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
    scene: &Scene,
    table: &Table,
    options: &Options,
    prefer: &Prefer,
    total: Option<usize>,
) {
    let select = options.select.as_ref().map(|select| format!("({select})")).unwrap_or_default();
    body.extend_from_slice(b"{\"@odata.context\":");
    text(body, &format!("{}$metadata#{}{select}", scene.root, table.set));
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

/// `$orderby`: columns, and whether descending.
fn order(table: &Table, options: &Options) -> Result<Vec<(usize, bool)>, Refusal> {
    let Some(orderby) = &options.orderby else { return Ok(Vec::new()) };
    orderby
        .split(',')
        .map(|term| {
            let mut words = term.split_whitespace();
            let name = words.next().unwrap_or_default();
            let column =
                table.readable(name).ok_or_else(|| Refusal::no_such_property(table, name))?;
            match (words.next(), words.next()) {
                (None | Some("asc"), None) => Ok((column, false)),
                (Some("desc"), None) => Ok((column, true)),
                _ => Err(Refusal::odata(format!("Syntax error in $orderby at '{}'.", term.trim()))),
            }
        })
        .collect()
}

/// The rows behind the cookie, in order: one more than a page.
fn sorted<'r>(
    rows: &'r Rows,
    all: Vec<(u32, &'r Row)>,
    order: &[(usize, bool)],
    cookie: Cookie,
    size: usize,
) -> Vec<(u32, &'r Row)> {
    let keys = |row: &'r Row| -> Vec<Cell<'r>> {
        order.iter().map(|&(column, _)| rows.layout.cell(row, column)).collect()
    };
    type Keyed<'r> = (Vec<Cell<'r>>, u32, &'r Row);
    let cmp = |a: &Keyed<'_>, b: &Keyed<'_>| -> Ordering {
        let terms = a.0.iter().zip(&b.0).zip(order).map(|((a, b), (_, descending))| {
            let order = compare(a, b).unwrap_or(Ordering::Equal);
            if *descending { order.reverse() } else { order }
        });
        terms.fold(Ordering::Equal, Ordering::then).then(a.1.cmp(&b.1))
    };
    let mut all: Vec<Keyed<'_>> =
        all.into_iter().map(|(slot, row)| (keys(row), slot, row)).collect();
    let wanted = size.saturating_add(1);
    // Behind the last row of the page before, if it is still there.
    let last = cookie.slot.and_then(|slot| Some((keys(rows.row(slot)?), slot, rows.row(slot)?)));
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
    all.into_iter().skip(skip).take(wanted).map(|(_, slot, row)| (slot, row)).collect()
}

impl Cookie {
    /// The next link: the request's options and an opaque cookie, as nested as
    /// the service's.
    fn link(
        self,
        scene: &Scene,
        table: &Table,
        options: &Options,
        first: Uuid,
        last: Uuid,
    ) -> String {
        let inner = format!(
            "<cookie page=\"{}\" slot=\"{}\" offset=\"{}\"><{id} last=\"{{{}}}\" first=\"{{{}}}\" /></cookie>",
            self.page - 1,
            self.slot.unwrap_or(0),
            self.offset,
            last.to_string().to_uppercase(),
            first.to_string().to_uppercase(),
            id = table.id_name(),
        );
        let twice = encoded(&encoded(&inner));
        let outer = format!(
            "<cookie pagenumber=\"{}\" pagingcookie=\"{twice}\" istracking=\"False\" />",
            self.page
        );
        let query =
            if options.raw.is_empty() { String::new() } else { format!("{}&", options.raw) };
        format!("{}{}?{query}$skiptoken={}", scene.root, table.set, encoded(&outer))
    }

    fn read(token: &str) -> Option<Self> {
        let once = attribute(token, "pagingcookie")?;
        let decoded = percent_decode_str(once).decode_utf8().ok()?;
        let decoded = percent_decode_str(&decoded).decode_utf8().ok()?;
        Some(Self {
            page: attribute(token, "pagenumber")?.parse().ok().filter(|page| *page > 1)?,
            slot: Some(attribute(&decoded, "slot")?.parse().ok()?),
            offset: attribute(&decoded, "offset")?.parse().ok()?,
        })
    }
}

fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn attribute<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}
