use crate::desk::{A1, Desk, U1};

const PRINCIPALS: &str = r#"
[principals.one]
token = "t1"
[principals.two]
token = "t2"
[principals.stranger]
token = "t3"
member = false
"#;

fn who(token: &str) -> String {
    format!("GET WhoAmI\nAuthorization: Bearer {token}")
}

#[test]
fn without_a_known_token_there_is_a_challenge() {
    let desk = Desk::with(PRINCIPALS);
    for header in ["Bearer nope", "Bearer", "Basic t1", "Bearer emulator", ""] {
        let answer = desk.check(&format!("GET WhoAmI\nAuthorization: {header}"), "401");
        let challenge = answer.header("www-authenticate").unwrap();
        assert!(challenge.starts_with("Bearer authorization_uri=https://org.example/"));
        assert!(challenge.ends_with("resource_id=https://org.example/"), "{challenge}");
    }
    desk.check(&who("t1"), "200");
    desk.check("GET WhoAmI\nAuthorization: bearer t1", "200");
}

#[test]
fn a_token_without_a_user_is_forbidden() {
    let desk = Desk::with(PRINCIPALS);
    desk.check(&who("t3"), "403 0x80072560 not a member of the organization");
}

#[test]
fn principals_are_users_of_their_own() {
    let desk = Desk::with(PRINCIPALS);
    let user = |token: &str| desk.send(&who(token)).json()["UserId"].as_str().unwrap().to_owned();
    let (one, two) = (user("t1"), user("t2"));
    assert_ne!(one, two);
    desk.check(&format!("PATCH accounts({A1})\nAuthorization: Bearer t2\n\n{{}}"), "204");
    desk.check(
        &format!("GET accounts({A1})\nAuthorization: Bearer t1"),
        &format!("200 {{\"_ownerid_value\":\"{two}\",\"_createdby_value\":\"{two}\"}}"),
    );
    desk.check(
        &format!("PATCH systemusers({one})\nAuthorization: Bearer t2\n\n{{\"isdisabled\":true}}"),
        "204",
    );
    desk.check(&who("t1"), "403 0x80041d1f disabled");
}

#[test]
fn a_principal_acts_for_another_user() {
    let desk = Desk::new();
    desk.check(
        &format!("PATCH systemusers({U1})\n\n{{\"azureactivedirectoryobjectid\":\"{A1}\"}}"),
        "204",
    );
    for header in [format!("CallerObjectId: {A1}"), format!("MSCRMCallerID: {U1}")] {
        desk.check(&format!("GET WhoAmI\n{header}"), &format!("200 {{\"UserId\":\"{U1}\"}}"));
    }
    desk.check(&format!("GET WhoAmI\nMSCRMCallerID: {A1}"), "403 0x80072560");
    desk.check("GET WhoAmI\nCallerObjectId: x", "403 0x80072560");
}

#[test]
fn limits_are_for_each_principal_and_tell_what_is_left() {
    let desk = Desk::with(&format!("{PRINCIPALS}\n[limits]\nrequests = 3"));
    let answer = desk.check(&who("t1"), "200");
    assert_eq!(answer.header("x-ms-ratelimit-burst-remaining-xrm-requests"), Some("2"));
    assert_eq!(answer.header("x-ms-ratelimit-time-remaining-xrm-requests"), Some("1,200.00"));
    assert_eq!(answer.header("x-ms-dop-hint"), Some("52"));
    desk.later(100);
    desk.check(&who("t1"), "200");
    desk.check(&who("t1"), "200");
    let answer = desk.check(
        &who("t1"),
        "429 0x80072322 Number of requests exceeded the limit of 3 over time window of 300 seconds.",
    );
    assert_eq!(answer.header("retry-after"), Some("200"));
    desk.check(&who("t2"), "200");
    assert_eq!(desk.send(&who("t1")).header("retry-after"), Some("202"));
    desk.later(203);
    desk.check(&who("t1"), "200");
}

#[test]
fn a_throttled_batch_is_refused_whole_and_counts_as_one() {
    let desk = Desk::with("[limits]\nrequests = 1");
    let part = "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nPOST /api/data/v9.2/accounts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{}\r\n";
    let body = format!("{part}{part}--b--\r\n");
    let head = "POST $batch\nContent-Type: multipart/mixed; boundary=b";
    assert_eq!(desk.send_body(head, body.as_bytes()).status(), 200);
    desk.send_body(head, body.as_bytes()).expect("429 0x80072322");
    desk.later(400);
    desk.check("GET accounts/$count", "200 2");
}

#[test]
fn latency_is_waited_out_and_counts_as_execution_time() {
    let desk = Desk::with(
        "[limits]\nexecution_seconds = 3\nconcurrency = 2\n[latency]\nbase_ms = 1000\nper_record_ms = 500\ndop_hint = 4",
    );
    let bulk = format!(
        "POST accounts/Microsoft.Dynamics.CRM.CreateMultiple\n\n{}",
        crate::desk::targets("account", &["{}", "{}"])
    );
    let answer = desk.check(&bulk, "200");
    assert_eq!(answer.handled.delay, std::time::Duration::from_secs(2));
    assert_eq!(answer.header("x-ms-ratelimit-time-remaining-xrm-requests"), Some("1.00"));
    assert_eq!(answer.header("x-ms-dop-hint"), Some("4"));
    desk.check(&bulk, "200");
    let answer =
        desk.check(&bulk, "429 0x80072326 Number of concurrent requests exceeded the limit of 2.");
    assert_eq!(answer.header("retry-after"), Some("2"));
    desk.later(2);
    desk.check(&bulk, "429 0x80072321 limit of 3,000 milliseconds");
    desk.check("GET /emulator/requests", "200");
}
