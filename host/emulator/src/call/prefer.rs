//! `Prefer` headers.

use http::HeaderMap;

use crate::refusal::Refusal;

/// Most rows that a page has.
pub(crate) const PAGE_MAX: usize = 5000;

/// What the client prefers; several headers count as one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Prefer {
    pub(crate) representation: bool,
    pub(crate) page_size: Option<usize>,
    pub(crate) continue_on_error: bool,
    pub(crate) track_changes: bool,
    annotations: Vec<String>,
}

impl Prefer {
    pub(crate) fn new(headers: &HeaderMap) -> Result<Self, Refusal> {
        let mut prefer = Self::default();
        for value in headers.get_all("prefer") {
            let Ok(text) = value.to_str() else {
                return Err(Refusal::odata("The Prefer header is not text."));
            };
            for part in parts(text) {
                prefer.read(part)?;
            }
        }
        Ok(prefer)
    }

    fn read(&mut self, part: &str) -> Result<(), Refusal> {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let value = value.trim().trim_matches('"');
        match name.trim() {
            "return" => self.representation = value == "representation",
            "odata.continue-on-error" => self.continue_on_error = value != "false",
            "odata.track-changes" => self.track_changes = true,
            "odata.maxpagesize" => match value.parse::<usize>() {
                Ok(size) if size > 0 => self.page_size = Some(size.min(PAGE_MAX)),
                _ => {
                    return Err(Refusal::odata(format!(
                        "Invalid value '{value}' for the preference odata.maxpagesize."
                    )));
                }
            },
            "odata.include-annotations" => {
                self.annotations.extend(value.split(',').map(|one| one.trim().to_owned()));
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether an annotation was asked for, by name or with a wildcard.
    pub(crate) fn wants(&self, annotation: &str) -> bool {
        self.annotations.iter().any(|pattern| match pattern.strip_suffix('*') {
            Some(prefix) => annotation.starts_with(prefix),
            None => pattern == annotation,
        })
    }

    /// Whether any annotation was asked for.
    pub(crate) fn annotated(&self) -> bool {
        !self.annotations.is_empty()
    }

    /// `Preference-Applied`, or nothing.
    pub(crate) fn applied(&self) -> Option<String> {
        let mut applied = Vec::new();
        if self.representation {
            applied.push("return=representation".to_owned());
        }
        if let Some(size) = self.page_size {
            applied.push(format!("odata.maxpagesize={size}"));
        }
        if self.track_changes {
            applied.push("odata.track-changes".to_owned());
        }
        if !self.annotations.is_empty() {
            applied.push(format!("odata.include-annotations=\"{}\"", self.annotations.join(",")));
        }
        (!applied.is_empty()).then(|| applied.join(", "))
    }
}

/// Split at commas that are not within quotes.
fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_preferences_stand_in_one_header_or_in_many() {
        let mut headers = HeaderMap::new();
        headers.append("prefer", "return=representation, odata.maxpagesize=3".parse().unwrap());
        headers.append(
            "prefer",
            "odata.include-annotations=\"Microsoft.Dynamics.CRM.*,X\"".parse().unwrap(),
        );
        let prefer = Prefer::new(&headers).unwrap();
        assert!(prefer.representation);
        assert_eq!(prefer.page_size, Some(3));
        assert!(prefer.wants("Microsoft.Dynamics.CRM.lookuplogicalname"));
        assert!(prefer.wants("X"));
        assert!(!prefer.wants("OData.Community.Display.V1.FormattedValue"));
    }

    #[test]
    fn a_page_size_that_is_no_number_is_refused() {
        let mut headers = HeaderMap::new();
        headers.append("prefer", "odata.maxpagesize=many".parse().unwrap());
        assert!(Prefer::new(&headers).is_err());
    }
}
