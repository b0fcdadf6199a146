//! Query options: `$select` and its kin, parameter aliases, the rest.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use crate::refusal::{Name, Refusal};

/// The options of a URL, decoded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Options {
    pub(crate) select: Option<String>,
    pub(crate) filter: Option<String>,
    pub(crate) orderby: Option<String>,
    pub(crate) top: Option<usize>,
    pub(crate) count: bool,
    pub(crate) expand: Option<String>,
    pub(crate) skiptoken: Option<String>,
    pub(crate) deltatoken: Option<String>,
    pub(crate) apply: Option<String>,
    pub(crate) fetch: Option<String>,
    pub(crate) sql: Option<String>,
    /// `$id` of a DELETE of `$ref`.
    pub(crate) id: Option<String>,
    /// `partitionId`, without its quotes.
    pub(crate) partition: Option<String>,
    /// `$metadata` with annotations.
    pub(crate) annotations: bool,
    /// `@p` and its value.
    pub(crate) aliases: Vec<(String, String)>,
    /// As it came, without `$skiptoken` and `$deltatoken`: what a next link
    /// repeats.
    pub(crate) raw: String,
}

impl Options {
    pub(crate) fn new(query: &str) -> Result<Self, Refusal> {
        let mut options = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decode(name)?;
            let value = decode(value)?;
            if name != "$skiptoken" && name != "$deltatoken" {
                if !options.raw.is_empty() {
                    options.raw.push('&');
                }
                options.raw.push_str(pair);
            }
            options.read(&name, value)?;
        }
        Ok(options)
    }

    fn read(&mut self, name: &str, value: Cow<'_, str>) -> Result<(), Refusal> {
        match name {
            "$select" => self.select = Some(value.into_owned()),
            "$filter" => self.filter = Some(value.into_owned()),
            "$orderby" => self.orderby = Some(value.into_owned()),
            "$expand" => self.expand = Some(value.into_owned()),
            "$skiptoken" => self.skiptoken = Some(value.into_owned()),
            "$count" => {
                self.count = match &*value {
                    "true" => true,
                    "false" => false,
                    _ => return Err(invalid(name, &value)),
                }
            }
            "$top" => self.top = Some(value.parse().map_err(|_| invalid(name, &value))?),
            "$apply" => self.apply = Some(value.into_owned()),
            "$deltatoken" => self.deltatoken = Some(value.into_owned()),
            "$id" => self.id = Some(value.into_owned()),
            "fetchXml" => self.fetch = Some(value.into_owned()),
            "partitionId" | "partitionid" => {
                self.partition = Some(value.trim_matches('\'').replace("''", "'"));
            }
            "savedQuery" | "userQuery" => {
                return Err(Refusal::unsupported(&format!("the query option {name}")));
            }
            // Microsoft's Python client asks in SQL.
            "sql" => self.sql = Some(value.into_owned()),
            // Metadata of the annotations kind, and shared variables.
            "annotations" => self.annotations = &*value == "true",
            "tag" => {}
            _ if name.starts_with('@') => self.aliases.push((name.to_owned(), value.into_owned())),
            // `$skip`, `$search`, `$format`, and wrong case: names are
            // case-sensitive.
            _ if name.starts_with('$') => {
                return Err(Refusal::named(
                    Name::UnsupportedOption,
                    format!("The query parameter {name} is not supported."),
                ));
            }
            _ => {}
        }
        Ok(())
    }
}

fn invalid(name: &str, value: &str) -> Refusal {
    Refusal::odata(format!("Invalid value '{value}' for {name} query option found."))
}

/// Percent-decoded, `+` as a blank.
fn decode(text: &str) -> Result<Cow<'_, str>, Refusal> {
    let blanks = if text.contains('+') { Cow::Owned(text.replace('+', " ")) } else { text.into() };
    match blanks {
        Cow::Borrowed(text) => percent_decode_str(text).decode_utf8(),
        Cow::Owned(text) => return decode_owned(&text),
    }
    .map_err(|_| Refusal::odata("The URL is not UTF-8."))
}

fn decode_owned(text: &str) -> Result<Cow<'static, str>, Refusal> {
    percent_decode_str(text)
        .decode_utf8()
        .map(|text| Cow::Owned(text.into_owned()))
        .map_err(|_| Refusal::odata("The URL is not UTF-8."))
}
