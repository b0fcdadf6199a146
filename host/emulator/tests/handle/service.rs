use std::time::Duration;

use dvsync_emulator::{Emulator, Settings};

use crate::desk::{Desk, targets};

#[test]
fn each_web_server_has_its_own_limits_and_a_cookie_keeps_a_client_on_one() {
    let desk = Desk::with("web_servers = 2\n[limits]\nrequests = 2");
    let first = desk.check("GET WhoAmI", "200");
    let cookie = first.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let pinned = format!("GET WhoAmI\nCookie: {cookie}");
    let answer = desk.check(&pinned, "200");
    assert_eq!(answer.header("set-cookie"), None);
    assert_eq!(answer.header("x-ms-ratelimit-burst-remaining-xrm-requests"), Some("0"));
    desk.check(&pinned, "429 0x80072322");
    // Without the cookie: the other server's turn.
    let other = desk.check("GET WhoAmI", "200");
    assert_eq!(other.header("x-ms-ratelimit-burst-remaining-xrm-requests"), Some("1"));
    assert_ne!(other.header("set-cookie").unwrap().split(';').next(), Some(cookie.as_str()));
    desk.check("GET WhoAmI", "429");
    desk.check("GET WhoAmI", "200");
}

#[test]
fn an_entitlement_counts_records_and_operations_of_a_day() {
    let desk = Desk::with("[entitlement]\nrequests = 4");
    let bulk = format!(
        "POST accounts/Microsoft.Dynamics.CRM.CreateMultiple\n\n{}",
        targets("account", &["{}", "{}", "{}"])
    );
    desk.check(&bulk, "200");
    desk.check("GET WhoAmI", "200");
    let answer = desk.check("GET WhoAmI", "429 0x80072328 entitlement of 4 in 24 hours");
    assert_eq!(answer.header("retry-after"), Some("86400"));
    desk.later(86_400);
    desk.check(&bulk, "200");
}

#[test]
fn a_scaled_clock_shortens_windows_waits_and_latencies() {
    let desk = Desk::with(
        "time_scale = 60\n[limits]\nrequests = 2\npenalty_seconds = 60\n[latency]\nbase_ms = 6000",
    );
    let answer = desk.check("GET WhoAmI", "200");
    assert_eq!(answer.handled.delay, Duration::from_millis(100));
    assert_eq!(answer.header("x-ms-ratelimit-time-remaining-xrm-requests"), Some("1,194.00"));
    desk.later(1);
    desk.check("GET WhoAmI", "200");
    desk.check("GET /emulator/clock", "200 {\"at\":60.0}");
    // 300 seconds of the service are 5 of the client, of which one has passed.
    assert_eq!(desk.send("GET WhoAmI").header("retry-after"), Some("4"));
    // Asked too early: 60 seconds more, one of the client.
    assert_eq!(desk.send("GET WhoAmI").header("retry-after"), Some("5"));
    desk.later(5);
    desk.check("GET WhoAmI", "200");
}

#[test]
fn the_same_seed_gives_the_same_latencies() {
    let delays = |seed: u64| -> Vec<Duration> {
        let spread = "{ median = 50, sigma = 0.7 }";
        let desk = Desk::with(&format!("seed = {seed}\n[latency]\nbase_ms = {spread}"));
        (0..20).map(|_| desk.send("GET WhoAmI").handled.delay).collect()
    };
    assert_eq!(delays(1), delays(1));
    assert_ne!(delays(1), delays(2));
}

#[test]
fn settings_that_make_no_sense_are_refused_with_what_was_found() {
    for (settings, expected) in [
        ("web_servers = 0", "`web_servers` must be from 1 to 1000, found 0"),
        ("time_scale = 0", "`time_scale` must be from 0.001 to 1000000, found 0"),
        ("time_scale = nan", "`time_scale` must be from 0.001 to 1000000, found NaN"),
        ("[principals.p]", "principal `p` needs a `token` or a `client_secret`"),
    ] {
        let error = Emulator::new(Settings::from_toml(settings).unwrap()).unwrap_err();
        assert_eq!(error.to_string(), format!("cannot read the emulator's settings: {expected}"));
    }
}

#[test]
fn who_runs_the_emulator_is_not_held_up() {
    let desk = Desk::with(
        "[limits]\nrequests = 0\n[latency]\nbase_ms = 5\n[[faults]]\neffect = { kind = \"deadlock\" }",
    );
    let mut request = http::Request::post("http://localhost/api/data/v9.2/accounts")
        .body(bytes::Bytes::from("{}"))
        .unwrap();
    request.extensions_mut().insert(dvsync_emulator::Unguarded);
    let handled = desk.emulator.handle(request, desk.now.get());
    assert_eq!((handled.response.status().as_u16(), handled.delay), (204, Duration::ZERO));
    desk.check("GET /emulator/requests", r#"200 {"total":0}"#);
    desk.check("GET WhoAmI", "500");
}
