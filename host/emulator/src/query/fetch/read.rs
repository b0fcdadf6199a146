//! FetchXML elements as a query.

use roxmltree::Node as Xml;

use super::condition::{self, Test};
use super::{Attribute, DatePart, Fetch, LINKS_MAX, Link, LinkKind, Node, Order, invalid};
use crate::query::View;
use crate::query::aggregate::Measure;
use crate::query::filter::unjoined;
use crate::refusal::{Name, Refusal};
use crate::schema::{Kind, Table};

pub(super) fn fetch<'e>(
    view: &View<'e>,
    table: &'e Table,
    root: Xml<'_, '_>,
) -> Result<Fetch<'e>, Refusal> {
    if !root.has_tag_name("fetch") {
        return Err(invalid(format!("the root is `{}`, not `fetch`", root.tag_name().name())));
    }
    let entity = root.children().find(Xml::is_element);
    let entity = entity.filter(|one| one.has_tag_name("entity"));
    let entity = entity.ok_or_else(|| invalid("there is no `entity`"))?;
    let name = entity.attribute("name").unwrap_or_default();
    if name != table.name {
        return Err(invalid(format!(
            "the entity `{name}` is not the one of the set `{}`",
            table.set
        )));
    }
    let number = |name: &str| -> Result<Option<usize>, Refusal> {
        let Some(text) = root.attribute(name) else { return Ok(None) };
        text.parse().map(Some).map_err(|_| invalid(format!("`{name}` is `{text}`")))
    };
    let aggregate = flag(root, "aggregate");
    let mut fetch = Fetch {
        root: node(view, table, entity, String::new(), aggregate)?,
        links: Vec::new(),
        top: number("top")?,
        page: number("page")?.unwrap_or(1).max(1),
        count: number("count")?,
        distinct: flag(root, "distinct"),
        aggregate,
        total: flag(root, "returntotalrecordcount"),
        skip: 0,
        next: None,
    };
    if fetch.top.is_some() && (root.has_attribute("page") || root.has_attribute("count")) {
        return Err(invalid("`top` and `page` cannot stand together"));
    }
    links(view, &mut fetch, entity, 0)?;
    condition::resolve(view, &mut fetch)?;
    Ok(fetch)
}

pub(super) fn flag(xml: Xml<'_, '_>, name: &str) -> bool {
    matches!(xml.attribute(name), Some("true" | "1"))
}

fn links<'e>(
    view: &View<'e>,
    fetch: &mut Fetch<'e>,
    xml: Xml<'_, '_>,
    parent: usize,
) -> Result<(), Refusal> {
    for link in xml.children().filter(|child| child.has_tag_name("link-entity")) {
        if fetch.links.len() == LINKS_MAX {
            return Err(invalid(format!("more than {LINKS_MAX} linked tables")));
        }
        let filters = link.ancestors().skip(1).take_while(|one| one.has_tag_name("filter"));
        let (mut inside, mut loose) = (false, false);
        for filter in filters {
            inside = true;
            loose |= filter.attribute("type") == Some("or");
        }
        if inside && parent > 0 && (loose || fetch.links[parent - 1].kind != LinkKind::Inner) {
            return Err(Refusal::unsupported("such a link within a filter of a linked table"));
        }
        let sought = |above: &Link<'_>| {
            above.condition.is_some() || matches!(above.kind, LinkKind::Any(_) | LinkKind::All(_))
        };
        if parent > 0 && sought(&fetch.links[parent - 1]) {
            return Err(Refusal::unsupported("a link within one that is only looked for"));
        }
        let name = link.attribute("name").unwrap_or_default();
        let table =
            view.environment.schema.table(name).ok_or_else(|| {
                invalid(format!("the entity with the name `{name}` was not found"))
            })?;
        let here = if parent == 0 { fetch.root.table } else { fetch.links[parent - 1].node.table };
        unjoined(here)?;
        unjoined(table)?;
        let alias = link.attribute("alias").map(str::to_owned);
        let alias = alias.unwrap_or_else(|| format!("{name}{}", fetch.links.len() + 1));
        let position = |table: &Table, attribute: &str| {
            let wanted = link.attribute(attribute).unwrap_or_default();
            column(table, wanted)
        };
        let kind = match link.attribute("link-type").unwrap_or("inner") {
            "inner" => LinkKind::Inner,
            "outer" => LinkKind::Outer,
            "exists" | "in" | "any" => LinkKind::Any(true),
            "not any" => LinkKind::Any(false),
            "all" => LinkKind::All(true),
            "not all" => LinkKind::All(false),
            // One row of many: here the first.
            "matchfirstrowusingcrossapply" => LinkKind::First,
            other => return Err(Refusal::unsupported(&format!("the link type `{other}`"))),
        };
        let node = node(view, table, link, alias, fetch.aggregate)?;
        if matches!(kind, LinkKind::Any(_) | LinkKind::All(_)) && !node.attributes.is_empty() {
            return Err(invalid("attributes of a table that is only looked for"));
        }
        fetch.links.push(Link {
            parent,
            from: position(table, "from")?,
            to: position(here, "to")?,
            kind,
            condition: (inside && parent == 0).then(|| link.id()),
            node,
        });
        let number = fetch.links.len();
        links(view, fetch, link, number)?;
    }
    // Links within a filter are conditions on whether there is a record.
    for filter in xml.children().filter(|child| child.has_tag_name("filter")) {
        if filter.descendants().any(|child| child.has_tag_name("link-entity")) {
            links(view, fetch, filter, parent)?;
        }
    }
    Ok(())
}

fn node<'e>(
    view: &View<'e>,
    table: &'e Table,
    xml: Xml<'_, '_>,
    alias: String,
    aggregate: bool,
) -> Result<Node<'e>, Refusal> {
    let mut node =
        Node { table, alias, attributes: Vec::new(), orders: Vec::new(), test: Test::always() };
    for child in xml.children().filter(Xml::is_element) {
        match child.tag_name().name() {
            "all-attributes" => {
                for (column, one) in table.columns.iter().enumerate() {
                    node.attributes.push(plain(column, one.name.clone()));
                }
            }
            "attribute" => {
                let one = attribute(table, child, aggregate)?;
                node.attributes.push(one);
            }
            "order" => {
                let down = flag(child, "descending");
                match (child.attribute("alias"), child.attribute("attribute")) {
                    (Some(alias), _) => node.orders.push(Order::Alias(alias.to_owned(), down)),
                    (None, Some(name)) => {
                        node.orders.push(Order::Column(column(table, name)?, down));
                    }
                    (None, None) => return Err(invalid("an `order` without an attribute")),
                }
            }
            "filter" => node.test.add(condition::filter(view, table, child)?),
            "link-entity" => {}
            other => return Err(invalid(format!("unknown element `{other}`"))),
        }
    }
    Ok(node)
}

pub(super) fn column(table: &Table, name: &str) -> Result<usize, Refusal> {
    table.column_position(name).ok_or_else(|| {
        Refusal::named(
            Name::FetchUnknownColumn,
            format!(
                "'{}' entity doesn't contain attribute with Name = '{name}' and NameMapping = \
                 'Logical'.",
                table.name
            ),
        )
    })
}

fn plain(column: usize, name: String) -> Attribute {
    Attribute { column, name, aliased: false, measure: None, group: false, dates: None }
}

fn attribute(table: &Table, xml: Xml<'_, '_>, aggregate: bool) -> Result<Attribute, Refusal> {
    let name = xml.attribute("name").unwrap_or_default();
    let alias = xml.attribute("alias");
    let mut one = plain(column(table, name)?, alias.unwrap_or(name).to_owned());
    one.aliased = alias.is_some();
    if !aggregate {
        return Ok(one);
    }
    if alias.is_none() {
        return Err(invalid(format!("the attribute `{name}` of an aggregate needs an `alias`")));
    }
    let kind = &table.columns[one.column].kind;
    one.group = flag(xml, "groupby");
    one.measure = match (xml.attribute("aggregate"), flag(xml, "distinct")) {
        (None, _) => None,
        (Some("count"), _) => Some(Measure::Count),
        (Some("countcolumn"), false) => Some(Measure::CountColumn),
        (Some("countcolumn"), true) => Some(Measure::CountDistinct),
        (Some("sum"), _) => Some(Measure::Sum),
        (Some("avg"), _) => Some(Measure::Average),
        (Some("min"), _) => Some(Measure::Min),
        (Some("max"), _) => Some(Measure::Max),
        (Some(other), _) => return Err(invalid(format!("unknown aggregate `{other}`"))),
    };
    if one.group == one.measure.is_some() {
        return Err(invalid(format!("the attribute `{name}` needs `aggregate` or `groupby`")));
    }
    if one.measure.is_some_and(|measure| !measure.takes(kind)) {
        return Err(invalid(format!("the attribute `{name}` cannot be aggregated so")));
    }
    one.dates = match xml.attribute("dategrouping") {
        None => None,
        Some(_) if !matches!(kind, Kind::DateTime { .. } | Kind::Date) => {
            return Err(invalid(format!("`dategrouping` of `{name}`, which is no date")));
        }
        Some("day") => Some(DatePart::Day),
        Some("week") => Some(DatePart::Week),
        Some("month") => Some(DatePart::Month),
        Some("quarter") => Some(DatePart::Quarter),
        Some("year") => Some(DatePart::Year),
        Some(other) => {
            return Err(Refusal::unsupported(&format!("the dategrouping `{other}`")));
        }
    };
    Ok(one)
}
