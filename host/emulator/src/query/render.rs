//! Rows as JSON text.

use std::io::Write;

use super::View;
use super::expand::{Expanded, Way};
use crate::call::Prefer;
use crate::cell::Cell;
use crate::schema::{Kind, Table};
use crate::store::Row;
use crate::{decimal, instant};

const FORMATTED: &str = "OData.Community.Display.V1.FormattedValue";
const LOGICAL_NAME: &str = "Microsoft.Dynamics.CRM.lookuplogicalname";
const NAVIGATION: &str = "Microsoft.Dynamics.CRM.associatednavigationproperty";

/// Shows rows of one table as a request wants them.
pub(super) struct Renderer<'e> {
    view: View<'e>,
    table: &'e Table,
    columns: &'e [usize],
    expanded: &'e [Expanded<'e>],
    etag: bool,
    annotated: Annotated,
}

/// Which annotations a request wants.
#[derive(Clone, Copy)]
pub(super) struct Annotated {
    pub(super) formatted: bool,
    logical_name: bool,
    navigation: bool,
}

impl Annotated {
    pub(super) fn new(prefer: &Prefer) -> Self {
        Self {
            formatted: prefer.wants(FORMATTED),
            logical_name: prefer.wants(LOGICAL_NAME),
            navigation: prefer.wants(NAVIGATION),
        }
    }

    fn any(self) -> bool {
        self.formatted || self.logical_name || self.navigation
    }
}

impl<'e> Renderer<'e> {
    pub(super) fn new(
        view: &View<'e>,
        table: &'e Table,
        columns: &'e [usize],
        prefer: &Prefer,
    ) -> Self {
        let annotated = Annotated::new(prefer);
        Self { view: *view, table, columns, expanded: &[], etag: true, annotated }
    }

    /// With related rows.
    pub(super) fn with(self, expanded: &'e [Expanded<'e>]) -> Self {
        Self { expanded, ..self }
    }

    /// One row as an object; annotations stand before their property.
    pub(super) fn row(&self, out: &mut Vec<u8>, row: &Row, context: Option<&str>) {
        let layout = &self.view.rows(self.table.position).layout;
        out.push(b'{');
        if let Some(context) = context {
            out.extend_from_slice(b"\"@odata.context\":");
            text(out, context);
            out.push(b',');
        }
        if self.etag {
            out.extend_from_slice(b"\"@odata.etag\":");
            text(out, &self.table.etag(row.version));
            out.push(b',');
        }
        for &position in self.columns {
            let column = &self.table.columns[position];
            let cell = layout.cell(row, position);
            if !cell.is_null() && self.annotated.any() {
                annotate(out, &self.view, self.annotated, &column.property, &column.kind, &cell);
            }
            out.push(b'"');
            out.extend_from_slice(column.property.as_bytes());
            out.extend_from_slice(b"\":");
            value(out, &column.kind, &cell);
            out.push(b',');
        }
        for expanded in self.expanded {
            self.related(out, row, expanded);
            out.push(b',');
        }
        if out.last() == Some(&b',') {
            out.pop();
        }
        out.push(b'}');
    }

    /// `"primarycontactid":{...}`, `"contact_customer_accounts":[...]`.
    fn related(&self, out: &mut Vec<u8>, row: &Row, expanded: &Expanded<'_>) {
        let expand = expanded.expand;
        let inner = Renderer {
            view: self.view,
            table: expand.table,
            columns: &expand.columns,
            expanded: &expanded.nested,
            etag: expanded.with_etag(),
            annotated: self.annotated,
        };
        text(out, &expand.name);
        out.push(b':');
        let children = expanded.children.get(&row.id).map_or(&[][..], Vec::as_slice);
        match expand.way {
            Way::One(..) => match children.first() {
                Some(child) => inner.row(out, child, None),
                None => out.extend_from_slice(b"null"),
            },
            Way::Link(column) | Way::Principal(column) => {
                let cell = self.view.rows(self.table.position).layout.cell(row, column);
                match self.address(column, &cell) {
                    None => out.extend_from_slice(b"null"),
                    Some((url, id)) => {
                        let (name, value) = match expand.way {
                            Way::Link(_) => ("@odata.id", url),
                            _ => ("ownerid", id.to_string()),
                        };
                        out.push(b'{');
                        text(out, name);
                        out.push(b':');
                        text(out, &value);
                        out.push(b'}');
                    }
                }
            }
            Way::Many(_) => {
                out.push(b'[');
                for (index, child) in children.iter().enumerate() {
                    if index > 0 {
                        out.push(b',');
                    }
                    inner.row(out, child, None);
                }
                out.push(b']');
                if let Some(link) = expanded.link(row.id) {
                    out.push(b',');
                    text(out, &format!("{}@odata.nextLink", expand.name));
                    out.push(b':');
                    text(out, link);
                }
            }
        }
    }

    /// The URL of the record that a lookup names, and its id.
    fn address(&self, column: usize, cell: &Cell<'_>) -> Option<(String, uuid::Uuid)> {
        let (Kind::Lookup { targets, .. }, Cell::Lookup(target, id)) =
            (&self.table.columns[column].kind, cell)
        else {
            return None;
        };
        let table = self.view.table(targets.get(usize::from(*target))?.table);
        Some((format!("{}{}({id})", self.view.scene.root, table.set), *id))
    }
}

/// The annotations of a property that a request wants, each with a comma
/// behind it.
pub(super) fn annotate(
    out: &mut Vec<u8>,
    view: &View<'_>,
    annotated: Annotated,
    property: &str,
    kind: &Kind,
    cell: &Cell<'_>,
) {
    let mut put = |annotation: &str, value: &str| {
        out.push(b'"');
        out.extend_from_slice(property.as_bytes());
        out.push(b'@');
        out.extend_from_slice(annotation.as_bytes());
        out.extend_from_slice(b"\":");
        text(out, value);
        out.push(b',');
    };
    if let Some(shown) = annotated.formatted.then(|| formatted(view, kind, cell)).flatten() {
        put(FORMATTED, &shown);
    }
    let target = match (kind, cell) {
        (Kind::Lookup { targets, .. }, Cell::Lookup(target, _)) => {
            targets.get(usize::from(*target))
        }
        _ => None,
    };
    if let Some(target) = target {
        if annotated.navigation {
            put(NAVIGATION, &target.navigation);
        }
        if annotated.logical_name {
            put(LOGICAL_NAME, &target.name);
        }
    }
}

/// What a person sees: labels, names, dates (American, as a new environment
/// shows them).
pub(super) fn formatted(view: &View<'_>, kind: &Kind, cell: &Cell<'_>) -> Option<String> {
    match (kind, cell) {
        (Kind::Lookup { targets, .. }, Cell::Lookup(target, id)) => {
            let target = targets.get(usize::from(*target))?;
            let table = view.table(target.table);
            let rows = view.rows(target.table);
            match rows.layout.cell(rows.by_id(*id)?, table.primary_name?) {
                Cell::Text(name) => Some(name.into_owned()),
                _ => None,
            }
        }
        (Kind::Choices { .. }, Cell::Text(values)) => {
            let labels: Vec<&str> =
                values.split(',').filter_map(|value| kind.label(value.parse().ok()?)).collect();
            Some(labels.join("; "))
        }
        (Kind::Choice { .. } | Kind::State { .. } | Kind::Status { .. }, Cell::Int(value)) => {
            kind.label(*value).map(str::to_owned)
        }
        (_, Cell::Int(value)) => Some(grouped_digits(&value.to_string())),
        (_, Cell::Bool(value)) => Some(if *value { "Yes" } else { "No" }.to_owned()),
        (_, Cell::Decimal(value)) => {
            let (precision, sign) = match kind {
                Kind::Money { precision, .. } => (*precision, "$"),
                _ => (kind.scale(), ""),
            };
            let rounded = decimal::round(*value, kind.scale(), precision);
            let mut digits = Vec::new();
            decimal::write(&mut digits, rounded, kind.scale());
            let text = String::from_utf8(digits).ok()?;
            let drop = usize::from(kind.scale() - precision);
            let text = &text[..text.len() - drop];
            Some(format!("{sign}{}", grouped_digits(text.trim_end_matches('.'))))
        }
        (_, Cell::Double(value)) => Some(grouped_digits(&value.to_string())),
        (_, Cell::Time(seconds)) => {
            let mut written = Vec::new();
            instant::write_instant(&mut written, *seconds);
            let iso = String::from_utf8(written).ok()?;
            let hour: u8 = iso.get(11..13)?.parse().ok()?;
            let half = if hour < 12 { "AM" } else { "PM" };
            let clock = if hour.is_multiple_of(12) { 12 } else { hour % 12 };
            Some(format!("{} {clock}:{} {half}", american(&iso)?, iso.get(14..16)?))
        }
        (_, Cell::Date(day)) => {
            let mut written = Vec::new();
            instant::write_date(&mut written, i64::from(*day));
            american(&String::from_utf8(written).ok()?)
        }
        _ => None,
    }
}

fn american(iso: &str) -> Option<String> {
    let number = |text: &str| text.parse::<u32>().ok();
    let (month, day) = (number(iso.get(5..7)?)?, number(iso.get(8..10)?)?);
    Some(format!("{month}/{day}/{}", number(iso.get(..4)?)?))
}

/// `1234567.5` as `1,234,567.5`.
pub(super) fn grouped_digits(text: &str) -> String {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(w, f)| (w, Some(f)));
    let mut out = sign.to_owned();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    if let Some(fraction) = fraction {
        out.push('.');
        out.push_str(fraction);
    }
    out
}

/// A JSON string.
pub(super) fn text(out: &mut Vec<u8>, text: &str) {
    if serde_json::to_writer(&mut *out, text).is_err() {
        out.extend_from_slice(b"\"\"");
    }
}

/// A cell in the service's canonical form.
pub(super) fn value(out: &mut Vec<u8>, kind: &Kind, cell: &Cell<'_>) {
    match cell {
        Cell::Null => out.extend_from_slice(b"null"),
        Cell::Bool(true) => out.extend_from_slice(b"true"),
        Cell::Bool(false) => out.extend_from_slice(b"false"),
        Cell::Int(value) => out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes()),
        Cell::Decimal(value) => decimal::write(out, *value, kind.scale()),
        Cell::Double(value) => {
            out.extend_from_slice(ryu::Buffer::new().format(*value).as_bytes());
        }
        Cell::Text(value) => text(out, value),
        Cell::Time(seconds) => {
            out.push(b'"');
            instant::write_instant(out, *seconds);
            out.push(b'"');
        }
        Cell::Date(day) => {
            out.push(b'"');
            instant::write_date(out, i64::from(*day));
            out.push(b'"');
        }
        Cell::Guid(id) | Cell::Lookup(_, id) => {
            out.push(b'"');
            // A Vec takes everything.
            drop(write!(out, "{id}"));
            out.push(b'"');
        }
    }
}
