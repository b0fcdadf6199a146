//! The fields of a token request, and its client, who may stand in a header.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use percent_encoding::percent_decode_str;

/// Fields by name; the first of a name counts.
#[derive(Debug)]
pub(super) struct Form {
    fields: Vec<(String, String)>,
    /// Client and secret of `Authorization: Basic`.
    basic: Option<(String, String)>,
}

fn decoded(text: &str) -> String {
    let spaced: Cow<'_, str> =
        if text.contains('+') { text.replace('+', " ").into() } else { text.into() };
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(http::header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let bytes = STANDARD.decode(credentials.trim()).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    let (client, secret) = text.split_once(':')?;
    Some((decoded(client), decoded(secret)))
}

impl Form {
    pub(super) fn new(headers: &HeaderMap, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let fields = text
            .split('&')
            .filter_map(|field| field.split_once('='))
            .map(|(name, value)| (decoded(name), decoded(value)))
            .collect();
        Self { fields, basic: basic(headers) }
    }

    /// A field that is there and not empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(field, _)| field == name);
        field.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }

    pub(super) fn client_id(&self) -> Option<&str> {
        self.get("client_id").or(self.basic.as_ref().map(|(client, _)| client.as_str()))
    }

    pub(super) fn client_secret(&self) -> Option<&str> {
        self.get("client_secret").or(self.basic.as_ref().map(|(_, secret)| secret.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_decoded_and_a_client_may_stand_in_the_header() {
        let mut headers = HeaderMap::new();
        let form = Form::new(&headers, b"a=x+y%26z&client_id=&=&b");
        assert_eq!((form.get("a"), form.client_id(), form.get("b")), (Some("x y&z"), None, None));
        headers.insert("authorization", "Basic aWQ6cyUyRnQ=".parse().unwrap());
        let form = Form::new(&headers, b"");
        assert_eq!((form.client_id(), form.client_secret()), (Some("id"), Some("s/t")));
    }
}
