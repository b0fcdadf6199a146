//! Access tokens: the shape of a JSON web token, sealed with the emulator's seed.
//!
//! Pure. A token says all that must be known of it, so that none are kept and
//! those of yesterday are still read after a restart. The seal tells a damaged
//! token from a good one; it is no protection against anybody.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xxhash_rust::xxh3::xxh3_128_with_seed;

/// `{"typ":"JWT","alg":"none"}`: nobody else can check the seal.
const HEADER: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJub25lIn0";

/// What a token says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Claims {
    /// The environment it is for: `https://host`.
    pub(crate) aud: String,
    pub(crate) iss: String,
    /// Seconds since 1970.
    pub(crate) iat: u64,
    pub(crate) nbf: u64,
    pub(crate) exp: u64,
    /// Client id.
    pub(crate) appid: Uuid,
    pub(crate) oid: Uuid,
    pub(crate) sub: Uuid,
    pub(crate) tid: String,
    /// Counts the tokens.
    pub(crate) uti: u64,
    pub(crate) ver: String,
}

fn seal(seed: u64, text: &str) -> String {
    URL_SAFE_NO_PAD.encode(xxh3_128_with_seed(text.as_bytes(), seed).to_be_bytes())
}

/// The token that says these things.
pub(crate) fn write(seed: u64, claims: &Claims) -> String {
    let claims = serde_json::to_vec(claims).unwrap_or_default();
    let text = format!("{HEADER}.{}", URL_SAFE_NO_PAD.encode(claims));
    let seal = seal(seed, &text);
    format!("{text}.{seal}")
}

/// What a token of this emulator says; `None`: it is none.
pub(crate) fn read(seed: u64, token: &str) -> Option<Claims> {
    let (text, found) = token.rsplit_once('.')?;
    let claims = text.strip_prefix(HEADER)?.strip_prefix('.')?;
    if found != seal(seed, text) {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_comes_back_as_it_was_and_a_damaged_one_does_not() {
        let id = Uuid::from_u128(7);
        let claims = Claims {
            aud: "https://localhost".to_owned(),
            iss: "i".to_owned(),
            iat: 1,
            nbf: 1,
            exp: 2,
            appid: id,
            oid: id,
            sub: id,
            tid: "t".to_owned(),
            uti: 3,
            ver: "1.0".to_owned(),
        };
        let token = write(5, &claims);
        assert_eq!(token.split('.').count(), 3);
        assert_eq!(read(5, &token), Some(claims));
        assert_eq!(read(6, &token), None);
        assert_eq!(read(5, &token.replace('.', ".e")), None);
        for bad in ["", "a.b.c", "...", HEADER] {
            assert_eq!(read(5, bad), None);
        }
    }
}
