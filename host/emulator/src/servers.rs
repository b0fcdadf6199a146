//! Which web server a request meets: the one its cookie names, else the next.
//!
//! A value: the cookie comes in, a position goes out. What a server is made of,
//! its limits, is elsewhere.

use std::sync::atomic::{AtomicU64, Ordering};

use http::HeaderMap;
use http::header::COOKIE;
use serde::Deserialize;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::seed;

/// The cookie that keeps a client on one server.
const AFFINITY: &str = "ARRAffinity=";

/// How requests without a cookie find a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spread {
    /// One after the other.
    #[default]
    RoundRobin,
    /// By the seed.
    Random,
}

/// The web servers.
#[derive(Debug)]
pub(crate) struct Servers {
    /// The cookie of each.
    cookies: Vec<String>,
    spread: Spread,
    seed: u64,
    spread_so_far: AtomicU64,
}

/// The server that a request meets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Met {
    pub(crate) server: usize,
    /// Its cookie named the server.
    pub(crate) by_cookie: bool,
}

impl Servers {
    pub(crate) fn new(count: usize, spread: Spread, seed: u64) -> Self {
        let cookie = |server| {
            let half =
                |name: &str| seed::id(&format!("server/{server}/{name}")).simple().to_string();
            format!("{}{}", half("a"), half("b"))
        };
        let cookies = (0..count.max(1)).map(cookie).collect();
        Self { cookies, spread, seed, spread_so_far: AtomicU64::new(0) }
    }

    pub(crate) fn len(&self) -> usize {
        self.cookies.len()
    }

    pub(crate) fn meet(&self, headers: &HeaderMap) -> Met {
        let named = headers
            .get_all(COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|cookie| cookie.trim().strip_prefix(AFFINITY))
            .find_map(|value| self.cookies.iter().position(|cookie| cookie == value));
        if let Some(server) = named {
            return Met { server, by_cookie: true };
        }
        let turn = self.spread_so_far.fetch_add(1, Ordering::Relaxed);
        let count = u64::try_from(self.len()).unwrap_or(1);
        let turn = match self.spread {
            Spread::RoundRobin => turn % count,
            Spread::Random => {
                xxh3_64_with_seed(format!("server/{turn}").as_bytes(), self.seed) % count
            }
        };
        Met { server: usize::try_from(turn).unwrap_or(0), by_cookie: false }
    }

    /// `Set-Cookie` for a server.
    pub(crate) fn cookie(&self, server: usize, secure: bool) -> String {
        let value = self.cookies.get(server).map_or("", String::as_str);
        let secure = if secure { "; secure" } else { "" };
        format!("{AFFINITY}{value}; path=/{secure}; HttpOnly")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(servers: &Servers, cookie: Option<&str>) -> usize {
        let mut headers = HeaderMap::new();
        if let Some(cookie) = cookie {
            headers.insert(COOKIE, cookie.parse().unwrap());
        }
        servers.meet(&headers).server
    }

    #[test]
    fn requests_take_turns_unless_a_cookie_names_a_server() {
        let servers = Servers::new(3, Spread::RoundRobin, 0);
        let turns: Vec<usize> = (0..5).map(|_| met(&servers, None)).collect();
        assert_eq!(turns, [0, 1, 2, 0, 1]);
        let cookie = servers.cookie(1, true);
        assert!(cookie.ends_with("; path=/; secure; HttpOnly"), "{cookie}");
        let cookie = format!("a=b; {}", cookie.split(';').next().unwrap());
        assert_eq!([met(&servers, Some(&cookie)), met(&servers, Some(&cookie))], [1, 1]);
        assert_eq!(met(&servers, Some("ARRAffinity=unknown")), 2);
    }

    #[test]
    fn a_seed_spreads_requests_over_all_servers_and_always_alike() {
        let spread = |seed| -> Vec<usize> {
            let servers = Servers::new(4, Spread::Random, seed);
            (0..400).map(|_| met(&servers, None)).collect()
        };
        assert_eq!(spread(7), spread(7));
        assert_ne!(spread(7), spread(8));
        for server in 0..4 {
            let met = spread(7).iter().filter(|one| **one == server).count();
            assert!((60..140).contains(&met), "{met} at {server}");
        }
    }
}
