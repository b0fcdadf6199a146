//! A `SELECT` as the FetchXML that says the same. Pure.

use super::invalid;
use super::select::{Column, Item, Select, Test};
use crate::refusal::Refusal;

/// Name of the column that counts rows, where the query gives it none.
const COUNT: &str = "count";

/// The query as XML. `id`: primary id of the first table; `plain`: columns of joined tables go by their own names.
pub(super) fn written(select: &Select, id: &str, plain: bool) -> Result<String, Refusal> {
    let aggregate = !select.groups.is_empty() || select.items.iter().any(|i| i.measure.is_some());
    let writer = Writer { select, id, aggregate, plain };
    let mut xml = String::from("<fetch");
    if select.distinct {
        xml.push_str(" distinct='true'");
    }
    if aggregate {
        xml.push_str(" aggregate='true'");
    }
    xml.push_str(&format!("><entity name='{}'>", escaped(&select.from.table)));
    writer.table(&mut xml, 0)?;
    xml.push_str("</entity></fetch>");
    Ok(xml)
}

struct Writer<'s> {
    select: &'s Select,
    id: &'s str,
    aggregate: bool,
    plain: bool,
}

impl Writer<'_> {
    /// Number of the table that a column is of: 0 is the first, joins follow.
    fn owner(&self, column: &Column) -> Result<usize, Refusal> {
        let Some(of) = &column.of else { return Ok(0) };
        let called =
            |source: &super::select::Source| source.alias.as_ref().unwrap_or(&source.table) == of;
        if called(&self.select.from) {
            return Ok(0);
        }
        let join = self.select.joins.iter().position(|join| called(&join.source));
        join.map(|at| at + 1).ok_or_else(|| invalid(format!("there is no table `{of}`")))
    }

    /// What FetchXML calls a joined table.
    fn alias(number: usize) -> String {
        format!("j{number}")
    }

    /// What the result calls an item.
    fn shown(item: &Item) -> String {
        let name = item.column.as_ref().map_or(COUNT, |column| &column.name);
        item.alias.clone().unwrap_or_else(|| name.to_owned())
    }

    /// What stands in the element of a table.
    fn table(&self, xml: &mut String, number: usize) -> Result<(), Refusal> {
        for item in &self.select.items {
            let owner = item.column.as_ref().map_or(Ok(0), |column| self.owner(column))?;
            if owner == number {
                self.item(xml, item, number)?;
            }
        }
        if number == 0 {
            self.orders(xml)?;
            if let Some(filter) = &self.select.filter {
                xml.push_str("<filter>");
                self.test(xml, filter)?;
                xml.push_str("</filter>");
            }
        }
        for (index, join) in self.select.joins.iter().enumerate() {
            let own = index + 1;
            let (one, two) = &join.on;
            let (here, there) = match (self.owner(one)?, self.owner(two)?) {
                (a, b) if a == own && b < own => (one, (b, two)),
                (a, b) if b == own && a < own => (two, (a, one)),
                _ => return Err(invalid("a join must compare its table with one before it")),
            };
            if there.0 != number {
                continue;
            }
            xml.push_str(&format!(
                "<link-entity name='{}' from='{}' to='{}' link-type='{}' alias='{}'>",
                escaped(&join.source.table),
                escaped(&here.name),
                escaped(&there.1.name),
                if join.outer { "outer" } else { "inner" },
                Self::alias(own),
            ));
            self.table(xml, own)?;
            xml.push_str("</link-entity>");
        }
        Ok(())
    }

    fn item(&self, xml: &mut String, item: &Item, number: usize) -> Result<(), Refusal> {
        let shown = Self::shown(item);
        let name = match &item.column {
            Some(column) => column.name.clone(),
            // Any column counts the rows.
            None => self.id.to_owned(),
        };
        xml.push_str(&format!("<attribute name='{}'", escaped(&name)));
        let grouped = item
            .column
            .as_ref()
            .is_some_and(|column| self.select.groups.iter().any(|group| group.name == column.name));
        match &item.measure {
            Some((measure, distinct)) => {
                let measure = match (measure.as_str(), &item.column) {
                    ("count", Some(_)) => "countcolumn",
                    (measure, _) => measure,
                };
                xml.push_str(&format!(" aggregate='{measure}'"));
                if *distinct && measure != "countcolumn" {
                    return Err(invalid(format!("DISTINCT in `{measure}`")));
                }
                if *distinct {
                    xml.push_str(" distinct='true'");
                }
            }
            None if self.aggregate && !grouped => {
                return Err(invalid(format!("`{name}` is neither grouped by nor counted")));
            }
            None if self.aggregate => xml.push_str(" groupby='true'"),
            None => {}
        }
        if self.aggregate || item.alias.is_some() || (number > 0 && self.plain) {
            xml.push_str(&format!(" alias='{}'", escaped(&shown)));
        }
        xml.push_str("/>");
        Ok(())
    }

    /// All orders stand at the first table; those of joined ones by an alias are not
    /// known to FetchXML.
    fn orders(&self, xml: &mut String) -> Result<(), Refusal> {
        for (column, down) in &self.select.orders {
            let item = self.select.items.iter().find(|item| {
                Self::shown(item) == column.name || item.column.as_ref() == Some(column)
            });
            let place = match item {
                Some(item) if self.aggregate => {
                    format!("alias='{}'", escaped(&Self::shown(item)))
                }
                Some(Item { column: Some(column), .. }) if self.owner(column)? == 0 => {
                    format!("attribute='{}'", escaped(&column.name))
                }
                _ if self.owner(column)? == 0 && !self.aggregate => {
                    format!("attribute='{}'", escaped(&column.name))
                }
                _ => return Err(Refusal::unsupported("ORDER BY a column of a joined table")),
            };
            xml.push_str(&format!("<order {place} descending='{down}'/>"));
        }
        Ok(())
    }

    fn test(&self, xml: &mut String, test: &Test) -> Result<(), Refusal> {
        let (kind, list) = match test {
            Test::All(list) => ("and", list),
            Test::Any(list) => ("or", list),
            Test::Is(column, operator, values) => {
                return self.condition(xml, column, operator, values);
            }
        };
        xml.push_str(&format!("<filter type='{kind}'>"));
        for one in list {
            self.test(xml, one)?;
        }
        xml.push_str("</filter>");
        Ok(())
    }

    fn condition(
        &self,
        xml: &mut String,
        column: &Column,
        operator: &str,
        values: &[String],
    ) -> Result<(), Refusal> {
        let owner = self.owner(column)?;
        xml.push_str(&format!("<condition attribute='{}'", escaped(&column.name)));
        if owner > 0 {
            xml.push_str(&format!(" entityname='{}'", Self::alias(owner)));
        }
        xml.push_str(&format!(" operator='{operator}'>"));
        for value in values {
            xml.push_str(&format!("<value>{}</value>", escaped(value)));
        }
        xml.push_str("</condition>");
        Ok(())
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('\'', "&apos;")
}
