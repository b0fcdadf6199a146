use std::time::Duration;

use dvsync_emulator::{Assertion, Operation, RequestFilter};

use crate::desk::{A1, CONTRACTS, Desk, targets};

const POST: &str = "POST accounts\n\n{\"name\":\"A\"}";

#[test]
fn requests_are_told_one_by_one_with_what_they_created() {
    let desk = Desk::with(
        "[[faults]]\nmethod = \"DELETE\"\neffect = { kind = \"cut_before_commit\" }\n[limits]\nrequests = 4",
    );
    desk.check(&format!("PATCH accounts({A1})\n\n{{}}"), "204");
    desk.later(2);
    let bulk = format!(
        "POST accounts/Microsoft.Dynamics.CRM.CreateMultiple\n\n{}",
        targets("account", &["{\"name\":\"1\"}", "{\"name\":\"2\"}"])
    );
    let ids = desk.check(&bulk, "200").json()["Ids"].clone();
    desk.check("POST accounts\nPrefer: return=representation\n\n{\"name\":\"B\"}", "201");
    desk.send(&format!("DELETE accounts({A1})"));
    desk.check("GET WhoAmI\nAuthorization: Bearer x", "401");
    desk.check("GET WhoAmI", "200");
    desk.check("GET WhoAmI", "429");
    let told = desk.check("GET /emulator/requests?all", "200").json();
    assert_eq!(told["forgotten"], 0);
    let told = told["requests"].as_array().unwrap();
    let shown: Vec<String> = told
        .iter()
        .map(|one| {
            format!(
                "{} {} {} {} {} {} {}",
                one["number"],
                one["at"],
                one["operation"],
                one["status"],
                one["records"],
                one["refused_by"],
                one["fault"]
            )
            .replace('"', "")
        })
        .collect();
    assert_eq!(
        shown,
        [
            "1 0.0 Update 204 1 null null",
            "2 2.0 CreateMultiple 200 2 null null",
            "3 2.0 Create 201 1 null null",
            "4 2.0 Delete 500 0 null cut_before_commit",
            "5 2.0 Function 401 0 null null",
            "6 2.0 Function 200 0 null null",
            "7 2.0 Function 429 0 requests null",
        ]
    );
    assert_eq!(told[1]["created"], ids);
    assert_eq!(told[2]["created"].as_array().unwrap().len(), 1);
    assert_eq!((&told[6]["retry_after"], &told[6]["principal"]), (&298.into(), &"emulator".into()));
    for (query, count) in [
        ("status=429", 1),
        ("principal=emulator", 6),
        ("principal=", 1),
        ("from=1&until=2", 0),
        ("from=2&method=post", 2),
        ("operation=Create&server=0", 1),
        ("path=.CreateMultiple", 1),
    ] {
        let told = desk.check(&format!("GET /emulator/requests?{query}"), "200").json();
        assert_eq!(told["requests"].as_array().unwrap().len(), count, "{query}");
    }
    desk.check("GET /emulator/requests?colour=1", "400");
    desk.check("GET /emulator/requests?status=x", "400");
    let filter = RequestFilter { operation: Some(Operation::Delete), ..RequestFilter::default() };
    assert_eq!(desk.emulator.requests(&filter)[0].number, 4);
}

#[test]
fn old_requests_are_forgotten_and_that_is_told() {
    let desk = Desk::with("[recorder]\nrequests_max = 2\ncreates_max = 1");
    for name in ["1", "2", "3"] {
        desk.check(&format!("POST accounts\n\n{{\"name\":\"{name}\"}}"), "204");
    }
    let told = desk.check("GET /emulator/requests?all", "200 {\"forgotten\":1}").json();
    let told = told["requests"].as_array().unwrap();
    assert_eq!((told.len(), told[0]["number"].as_u64()), (2, Some(2)));
    assert!(told[0].get("created").is_none());
    assert_eq!(told[1]["created"].as_array().unwrap().len(), 1);
    desk.check("GET /emulator/assert?that=no_create_twice", "200 {\"ok\":true,\"forgotten\":2}");
}

#[test]
fn it_can_be_asserted_that_nothing_was_sent() {
    let desk = Desk::new();
    desk.check("GET WhoAmI", "200");
    desk.later(10);
    desk.check(POST, "204");
    let path = "GET /emulator/assert?that=no_request&principal=emulator";
    desk.check(&format!("{path}&from=1&until=10"), "200 {\"ok\":true,\"violations\":[]}");
    let answer = desk.check(&format!("{path}&from=1&until=11"), "409 {\"ok\":false}");
    assert_eq!(
        answer.json()["violations"][0],
        "request 2 of `emulator` at 10.000 s: POST accounts: 204"
    );
    for bad in ["", "?that=luck", "?that=no_request&x=1", "?that=no_create_twice&status=1"] {
        desk.check(&format!("GET /emulator/assert{bad}"), "400");
    }
}

#[test]
fn a_record_that_was_created_twice_is_found() {
    let assert = "GET /emulator/assert?that=no_create_twice";
    let desk = Desk::contracts("");
    desk.check(POST, "204");
    desk.check("POST contacts\n\n{\"name\":\"A\"}", "400");
    desk.check("POST contacts\n\n{\"lastname\":\"A\"}", "204");
    desk.check(assert, "200 {\"ok\":true}");
    desk.check(POST, "204");
    let answer = desk.check(assert, "409");
    let text = answer.json()["violations"][0].as_str().unwrap().to_owned();
    assert!(text.contains("by request 1 and as") && text.ends_with("by request 4"), "{text}");
    desk.check("DELETE /emulator/requests", "204");
    // In a bulk call and in a batch.
    let record = "{\"@odata.type\":\"Microsoft.Dynamics.CRM.account\",\"name\":\"B\"}";
    desk.check(
        &format!(
            "POST accounts/Microsoft.Dynamics.CRM.CreateMultiple\n\n{{\"Targets\":[{record}]}}"
        ),
        "200",
    );
    desk.check(assert, "200");
    let batch = format!(
        "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nPOST /api/data/v9.2/accounts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{record}\r\n--b--\r\n"
    );
    desk.send_body("POST $batch\nContent-Type: multipart/mixed; boundary=b", batch.as_bytes());
    desk.check(assert, "409");
    let none = Desk::with("[recorder]\ncreates_max = 0");
    assert!(none.emulator.check(&Assertion::NoCreateTwice).holds());
    assert!(CONTRACTS.contains("new_contract"));
}

#[test]
fn a_wait_that_was_not_kept_is_found() {
    let desk = Desk::with("[limits]\nrequests = 1\nwindow_seconds = 20\npenalty_seconds = 0");
    let kept = |grace: u64| {
        let grace = Duration::from_secs(grace);
        desk.emulator.check(&Assertion::RetryAfterKept { grace })
    };
    desk.check("GET WhoAmI", "200");
    desk.check("GET WhoAmI", "429");
    desk.later(20);
    desk.check("GET WhoAmI", "200");
    assert!(kept(0).holds());
    desk.check("GET WhoAmI", "429");
    desk.later(1);
    desk.check("GET WhoAmI", "429");
    assert_eq!(
        kept(0).violations,
        [
            "request 5 of `emulator` at 21.000 s: GET WhoAmI: 429: 19.000 s before the wait of request 4 had passed"
        ]
    );
    assert!(kept(1).holds());
    desk.check("GET /emulator/assert?that=retry_after_kept&grace_seconds=0.5", "409");
}

#[test]
fn a_snapshot_brings_back_what_was_there() {
    let desk = Desk::new();
    desk.check(
        &format!("PATCH accounts({A1})\n\n{{\"name\":\"before\",\"accountnumber\":\"1\"}}"),
        "204",
    );
    let before = desk.rows("accounts");
    let snapshot = desk.send("POST /emulator/snapshot");
    let snapshot = snapshot.handled.response.body().clone();
    desk.check(&format!("PATCH accounts({A1})\n\n{{\"name\":\"after\"}}"), "204");
    desk.check("POST accounts\n\n{\"accountnumber\":\"2\"}", "204");
    assert_eq!(desk.send_body("POST /emulator/restore", &snapshot).status(), 204);
    assert_eq!(desk.rows("accounts"), before);
    desk.check("POST accounts\n\n{\"accountnumber\":\"1\"}", "412 0x80060892");
    desk.check("POST accounts\n\n{\"accountnumber\":\"2\"}", "204");
    let with_two = desk.rows("accounts");
    for bad in [&snapshot[..snapshot.len() - 1], b"rubbish".as_slice(), b""] {
        assert_eq!(desk.send_body("POST /emulator/restore", bad).status(), 400);
        assert_eq!(desk.rows("accounts"), with_two);
    }
    desk.check("POST /emulator/snapshot?name=x", "400");
}

#[test]
fn a_named_snapshot_lies_in_the_state_folder_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let settings = format!("state = {:?}", folder.path());
    let desk = Desk::with(&settings);
    desk.check(POST, "204");
    desk.check("POST /emulator/snapshot?name=one", "204");
    assert!(folder.path().join("one.snapshot").exists());
    desk.check(POST, "204");
    drop(desk);
    let desk = Desk::with(&settings);
    desk.check("GET accounts/$count", "200 2");
    desk.check("POST /emulator/restore?name=one", "204");
    desk.check("GET accounts/$count", "200 1");
    desk.check("POST /emulator/restore?name=two", "400");
    for bad in ["name=../x", "name=", "file=x"] {
        desk.check(&format!("POST /emulator/snapshot?{bad}"), "400");
    }
    drop(desk);
    Desk::with(&settings).check("GET accounts/$count", "200 1");
}
