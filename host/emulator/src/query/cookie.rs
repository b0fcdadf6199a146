//! Paging cookies: opaque to the client, as nested as the service's.

use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use uuid::Uuid;

use crate::refusal::{Name, Refusal};

/// More pages and rows than there can be.
const COUNT_MAX: usize = 1 << 31;

/// Where a page begins.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cookie {
    pub(super) page: usize,
    /// Behind the row in this slot.
    pub(super) slot: Option<u32>,
    /// Rows on the pages before.
    pub(super) offset: usize,
    /// Change tracking: the version of the data when the first page was read.
    pub(super) tracking: Option<u64>,
}

impl Cookie {
    /// The page that a `$skiptoken` names, or the first one.
    pub(super) fn of(token: Option<&str>) -> Result<Self, Refusal> {
        let Some(token) = token else { return Ok(Self { page: 1, ..Self::default() }) };
        Self::read(token).ok_or_else(|| {
            Refusal::named(Name::QuerySyntax, "Malformed paging cookie in $skiptoken.")
        })
    }

    /// `url` with a `$skiptoken`. `id_name`, `first` and `last` tell the rows of
    /// the page before.
    pub(super) fn link(self, url: &str, query: &str, id_name: &str, ends: (Uuid, Uuid)) -> String {
        let tracking = self.tracking.map(|t| format!(" tracking=\"{t}\"")).unwrap_or_default();
        let inner = format!(
            "<cookie page=\"{}\" slot=\"{}\" offset=\"{}\"{tracking}><{id_name} last=\"{{{}}}\" \
             first=\"{{{}}}\" /></cookie>",
            self.page - 1,
            self.slot.unwrap_or(0),
            self.offset,
            ends.1.to_string().to_uppercase(),
            ends.0.to_string().to_uppercase(),
        );
        let twice = encoded(&encoded(&inner));
        let istracking = if self.tracking.is_some() { "True" } else { "False" };
        let outer = format!(
            "<cookie pagenumber=\"{}\" pagingcookie=\"{twice}\" istracking=\"{istracking}\" />",
            self.page
        );
        let query = if query.is_empty() { String::new() } else { format!("{query}&") };
        format!("{url}?{query}$skiptoken={}", encoded(&outer))
    }

    fn read(token: &str) -> Option<Self> {
        let once = attribute(token, "pagingcookie")?;
        let decoded = percent_decode_str(once).decode_utf8().ok()?;
        let decoded = percent_decode_str(&decoded).decode_utf8().ok()?;
        Some(Self {
            page: attribute(token, "pagenumber")?
                .parse()
                .ok()
                .filter(|page| (2..COUNT_MAX).contains(page))?,
            slot: Some(attribute(&decoded, "slot")?.parse().ok()?),
            offset: attribute(&decoded, "offset")?
                .parse()
                .ok()
                .filter(|offset| *offset < COUNT_MAX)?,
            tracking: attribute(&decoded, "tracking").and_then(|version| version.parse().ok()),
        })
    }
}

/// Everything but letters and digits percent-encoded.
pub(super) fn encoded(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}

fn attribute<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("{name}=\""))?;
    rest.split_once('"').map(|(value, _)| value)
}
