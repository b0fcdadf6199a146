//! Under the service's real limits the client lands nearly what one lands who
//! knows them, is hardly refused, and never sends before it may.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

#[path = "models/landing.rs"]
mod landing;
#[path = "models/service.rs"]
mod service;

use landing::land;

/// In percent of what an oracle lands.
const LANDED_LEAST: f64 = 95.0;
/// In percent, after the first window.
const REFUSED_MOST: f64 = 0.5;

fn check(principals: usize, servers: usize, seed: u64) {
    let figures = land(principals, servers, 3, seed);
    let (landed, refused) = (figures.of_oracle_percent(), figures.refused_percent());
    assert!(landed >= LANDED_LEAST, "{principals} x {servers}: {landed:.2} % of the oracle's");
    assert!(landed <= 100.5, "{principals} x {servers}: more than can be: {landed:.2} %");
    assert!(refused <= REFUSED_MOST, "{principals} x {servers}: {refused:.2} % refused");
    assert!(figures.refused > 0, "{principals} x {servers}: no limit was ever met");
    assert_eq!(figures.early, 0, "{principals} x {servers}: sent before Retry-After had passed");
}

#[test]
fn one_principal_uses_up_what_one_web_server_takes() {
    check(1, 1, 1);
    check(1, 1, 2);
}

#[test]
fn one_principal_uses_up_what_four_web_servers_take() {
    check(1, 4, 1);
}

#[test]
fn four_principals_use_up_what_two_web_servers_take() {
    check(4, 2, 1);
}
