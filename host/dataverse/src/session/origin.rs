//! Where the environment is.

use url::Url;

use crate::error::ClientError;

/// `https://contoso.crm4.dynamics.com` and the path of the API.
#[derive(Debug, Clone)]
pub(crate) struct Origin {
    /// Scheme, host and port, without a slash at the end.
    origin: String,
    host: String,
    /// `/api/data/v9.2/`.
    root: String,
}

impl Origin {
    pub(crate) fn new(url: &str, api_version: &str) -> Result<Self, ClientError> {
        let wrong = |message: &str| ClientError::Settings {
            setting: "url",
            message: format!("`{url}`: {message}"),
        };
        let parsed = Url::parse(url).map_err(|error| wrong(&error.to_string()))?;
        let host = parsed.host_str().ok_or_else(|| wrong("it names no host"))?.to_owned();
        let local = matches!(host.as_str(), "localhost" | "127.0.0.1" | "[::1]");
        match parsed.scheme() {
            "https" => {}
            "http" if local => {}
            "http" => return Err(wrong("tokens are sent over https only, but to this machine")),
            _ => return Err(wrong("expected https")),
        }
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(ClientError::Settings {
                setting: "url",
                message: "it must hold no user name or password".to_owned(),
            });
        }
        if !matches!(parsed.path(), "" | "/") || parsed.query().is_some() {
            return Err(wrong("expected the environment's URL without a path"));
        }
        let version = api_version.strip_prefix('v').unwrap_or_default();
        if version.is_empty() || !version.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return Err(ClientError::Settings {
                setting: "api_version",
                message: format!("`{api_version}`: expected a version such as `v9.2`"),
            });
        }
        let origin = parsed.origin().ascii_serialization();
        Ok(Self { origin, host, root: format!("/api/data/{api_version}/") })
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.origin
    }

    /// `/api/data/v9.2/`.
    pub(crate) fn root(&self) -> &str {
        &self.root
    }

    /// What tokens are asked for.
    pub(crate) fn scope(&self) -> String {
        format!("{}/.default", self.origin)
    }

    /// The target of a link that the service gave, as it stands; `None` when it
    /// leads elsewhere: no token is sent there. `contoso.api.crm4...` and
    /// `contoso.crm4...` are the same environment.
    pub(crate) fn target_of<'a>(&self, link: &'a str) -> Option<&'a str> {
        if link.starts_with('/') && !link.starts_with("//") {
            return Some(link);
        }
        let parsed = Url::parse(link).ok()?;
        let same_host =
            |a: &str, b: &str| a.replacen(".api.", ".", 1) == b.replacen(".api.", ".", 1);
        let same = parsed.scheme() == self.origin.split(':').next()?
            && same_host(parsed.host_str()?, &self.host)
            && Url::parse(&self.origin).ok()?.port_or_known_default()
                == parsed.port_or_known_default();
        let after_scheme = link.find("://")? + 3;
        let path = after_scheme + link[after_scheme..].find('/')?;
        same.then(|| &link[path..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_that_cannot_be_an_environment_are_refused_in_words() {
        for (url, word) in [
            ("contoso", "relative URL"),
            ("ftp://contoso.crm.dynamics.com", "https"),
            ("http://contoso.crm.dynamics.com", "https only"),
            ("https://contoso.crm.dynamics.com/main.aspx", "without a path"),
            ("https://u:p@contoso.crm.dynamics.com", "no user name"),
        ] {
            let error = Origin::new(url, "v9.2").unwrap_err().to_string();
            assert!(error.contains(word), "{url}: {error}");
            assert!(!error.contains("u:p"), "{error}");
        }
        assert!(Origin::new("https://a.crm.dynamics.com", "9.2").is_err());
        assert_eq!(
            Origin::new("http://127.0.0.1:8080/", "v9.2").unwrap().as_str(),
            "http://127.0.0.1:8080"
        );
    }

    #[test]
    fn links_are_followed_verbatim_and_never_elsewhere() {
        let origin = Origin::new("https://contoso.crm4.dynamics.com", "v9.2").unwrap();
        for (link, expected) in [
            (
                "https://contoso.crm4.dynamics.com/api/data/v9.2/accounts?$skiptoken=%3Ccookie%20a=%22%253c%22%3E",
                Some("/api/data/v9.2/accounts?$skiptoken=%3Ccookie%20a=%22%253c%22%3E"),
            ),
            ("https://contoso.api.crm4.dynamics.com/x", Some("/x")),
            ("https://CONTOSO.crm4.dynamics.com:443/x", Some("/x")),
            ("/api/x?y", Some("/api/x?y")),
            ("//evil.example/x", None),
            ("https://evil.example/x", None),
            ("http://contoso.crm4.dynamics.com/x", None),
            ("https://contoso.crm4.dynamics.com:8443/x", None),
            ("https://contoso.crm4.dynamics.com", None),
        ] {
            assert_eq!(origin.target_of(link), expected, "{link}");
        }
    }
}
