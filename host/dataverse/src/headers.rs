//! Headers of writes, rendered once per client.

use http::header::{CONTENT_TYPE, InvalidHeaderValue};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::address;
use crate::error::ClientError;
use crate::settings::{Bypass, Caller, WriteHeaders};

/// What every write carries.
#[derive(Debug, Clone)]
pub(crate) struct Rendered {
    /// Header names and values; repeated on each operation of a `$batch`.
    pub(crate) pairs: Vec<(&'static str, String)>,
    /// `?tag=...`, or nothing.
    pub(crate) url_suffix: String,
}

impl Rendered {
    pub(crate) fn new(headers: &WriteHeaders) -> Result<Self, ClientError> {
        let mut pairs = Vec::new();
        let bypassed: Vec<&str> = headers
            .bypass_custom_logic
            .iter()
            .map(|bypass| match bypass {
                Bypass::Sync => "CustomSync",
                Bypass::Async => "CustomAsync",
            })
            .collect();
        if !bypassed.is_empty() {
            pairs.push(("mscrm.bypassbusinesslogicexecution", bypassed.join(",")));
        }
        if headers.bypass_flows {
            pairs.push(("mscrm.suppresscallbackregistrationexpanderjob", "true".to_owned()));
        }
        if !headers.suppress_duplicate_detection {
            // Over the Web API it is suppressed unless this is said.
            pairs.push(("mscrm.suppressduplicatedetection", "false".to_owned()));
        }
        match headers.caller {
            Some(Caller::ObjectId(id)) => pairs.push(("callerobjectid", id.to_string())),
            Some(Caller::UserId(id)) => pairs.push(("mscrmcallerid", id.to_string())),
            None => {}
        }
        if let Some(solution) = &headers.solution {
            pairs.push(("mscrm.solutionuniquename", solution.clone()));
        }
        let url_suffix = headers
            .tag
            .as_ref()
            .map(|tag| format!("?tag={}", address::component(tag)))
            .unwrap_or_default();
        let rendered = Self { pairs, url_suffix };
        rendered.map("application/json").map_err(|error| ClientError::Settings {
            setting: "headers",
            message: error.to_string(),
        })?;
        Ok(rendered)
    }

    /// As a map, with a content type.
    pub(crate) fn map(&self, content_type: &str) -> Result<HeaderMap, InvalidHeaderValue> {
        let mut map = HeaderMap::new();
        map.insert(CONTENT_TYPE, HeaderValue::from_str(content_type)?);
        for (name, value) in &self.pairs {
            map.insert(HeaderName::from_static(name), HeaderValue::from_str(value)?);
        }
        Ok(map)
    }

    /// As they stand within a batch.
    pub(crate) fn borrowed(&self) -> Vec<(&str, &str)> {
        self.pairs.iter().map(|(name, value)| (*name, value.as_str())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_option_has_its_header_and_the_defaults_have_none() {
        assert_eq!(Rendered::new(&WriteHeaders::default()).unwrap().pairs, []);
        let all = WriteHeaders {
            bypass_custom_logic: [Bypass::Async, Bypass::Sync].into(),
            bypass_flows: true,
            suppress_duplicate_detection: false,
            caller: Some(Caller::ObjectId(uuid::Uuid::nil())),
            solution: Some("crm_core".to_owned()),
            tag: Some("nightly & co".to_owned()),
        };
        let rendered = Rendered::new(&all).unwrap();
        assert_eq!(
            rendered.borrowed(),
            [
                ("mscrm.bypassbusinesslogicexecution", "CustomSync,CustomAsync"),
                ("mscrm.suppresscallbackregistrationexpanderjob", "true"),
                ("mscrm.suppressduplicatedetection", "false"),
                ("callerobjectid", "00000000-0000-0000-0000-000000000000"),
                ("mscrm.solutionuniquename", "crm_core"),
            ]
        );
        assert_eq!(rendered.url_suffix, "?tag=nightly%20%26%20co");
    }

    #[test]
    fn a_value_that_no_header_takes_is_refused() {
        let headers = WriteHeaders { solution: Some("a\nb".to_owned()), ..Default::default() };
        assert!(Rendered::new(&headers).is_err());
    }
}
