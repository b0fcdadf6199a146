use dvsync_emulator::Cut;

use crate::desk::{A1, Desk};

const POST: &str = "POST accounts\n\n{\"name\":\"A\"}";

fn fault(rule: &str) -> Desk {
    Desk::with(&format!("[[faults]]\npath = \"accounts\"\ntimes = 1\neffect = {{ {rule} }}"))
}

#[track_caller]
fn rows(desk: &Desk, count: usize) {
    desk.check("GET contacts/$count", "200 0");
    assert_eq!(desk.rows("accounts").matches("@odata.etag").count(), count);
}

#[test]
fn a_reply_stands_in_for_the_request() {
    let desk = fault(
        "kind = \"reply\", status = 503, code = \"0x1\", message = \"busy\", retry_after_seconds = 9",
    );
    let answer = desk.check(POST, "503 0x1 busy");
    assert_eq!(answer.header("retry-after"), Some("9"));
    rows(&desk, 0);
    desk.check(POST, "204");
}

#[test]
fn a_page_of_html_stands_in_for_the_request() {
    let desk = fault("kind = \"html\", status = 502");
    let answer = desk.check(POST, "502");
    assert!(answer.text().starts_with("<!DOCTYPE html>"));
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    rows(&desk, 0);
}

#[test]
fn a_connection_is_cut_before_or_after_the_commit() {
    for (kind, cut, count) in
        [("cut_before_commit", Cut::BeforeCommit, 0), ("cut_after_commit", Cut::AfterCommit, 1)]
    {
        let desk = fault(&format!("kind = \"{kind}\""));
        assert_eq!(desk.send(POST).handled.cut, Some(cut));
        rows(&desk, count);
    }
}

#[test]
fn a_reply_is_truncated_or_late_and_the_write_stands() {
    let desk = fault("kind = \"truncate\", bytes = 5");
    assert_eq!(desk.send(POST).handled.cut, Some(Cut::Truncate(5)));
    rows(&desk, 1);
    let desk = fault("kind = \"delay\", milliseconds = 1500");
    let answer = desk.check(POST, "204");
    assert_eq!(answer.handled.delay, std::time::Duration::from_millis(1500));
    rows(&desk, 1);
}

#[test]
fn a_reply_has_the_headers_that_it_is_told() {
    let desk = fault(
        "kind = \"reply\", status = 429, headers = { Retry-After = \"soon\", \"X-Test\" = \"1\" }",
    );
    let answer = desk.check(POST, "429");
    assert_eq!((answer.header("retry-after"), answer.header("x-test")), (Some("soon"), Some("1")));
}

#[test]
fn the_loser_of_a_deadlock_has_changed_nothing() {
    let desk = fault("kind = \"deadlock\"");
    desk.check(POST, "500 0x80044150 Sql Number: 1205");
    rows(&desk, 0);
}

#[test]
fn a_bulk_reply_tells_too_few_ids_or_too_many() {
    for (effect, ids) in [("missing = 1", 2), ("extra = 2", 5), ("missing = 1, extra = 1", 3)] {
        let desk = fault(&format!("kind = \"wrong_count\", {effect}"));
        let body = crate::desk::targets("account", &["{}", "{}", "{}"]);
        let answer = desk.check(
            &format!("POST accounts/Microsoft.Dynamics.CRM.CreateMultiple\n\n{body}"),
            "200",
        );
        assert_eq!(answer.json()["Ids"].as_array().unwrap().len(), ids, "{effect}");
        rows(&desk, 3);
    }
}

#[test]
fn a_batch_reply_lacks_a_part() {
    let desk = Desk::with("[[faults]]\neffect = { kind = \"wrong_count\", missing = 1 }");
    let part = "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nPOST /api/data/v9.2/accounts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{}\r\n";
    let body = format!("{part}{part}{part}--b--\r\n");
    let head = "POST $batch\nContent-Type: multipart/mixed; boundary=b";
    let answer = desk.send_body(head, body.as_bytes());
    assert_eq!(answer.text().matches("HTTP/1.1 204").count(), 2);
    assert!(answer.text().ends_with("--\r\n"), "{}", answer.text());
    rows(&desk, 3);
}

#[test]
fn an_earlier_reply_comes_once_more() {
    let desk = Desk::with(
        "[[faults]]\noperations = [\"Create\"]\nnth = 2\neffect = { kind = \"earlier_reply\" }",
    );
    let id = |answer: crate::desk::Answer| answer.header("odata-entityid").unwrap().to_owned();
    let (first, second, third) =
        (id(desk.check(POST, "204")), id(desk.check(POST, "204")), id(desk.check(POST, "204")));
    assert_eq!(first, second);
    assert_ne!(second, third);
    rows(&desk, 3);
}

#[test]
fn a_static_token_expires_once() {
    let desk = fault("kind = \"expired_token\"");
    let answer = desk.check(POST, "401 0x8004a101 expired");
    assert!(answer.header("www-authenticate").is_some());
    desk.check(POST, "204");
}

#[test]
fn a_fault_holds_for_principals_servers_and_a_time() {
    let desk = Desk::with(
        "web_servers = 2\n[principals.one]\ntoken = \"t1\"\n[principals.two]\ntoken = \"t2\"\n\
         [[faults]]\nprincipals = [\"two\"]\nserver = 1\nfrom = 10\nuntil = 20\n\
         effect = { kind = \"html\", status = 502 }",
    );
    let who =
        |token: &str| desk.send(&format!("GET WhoAmI\nAuthorization: Bearer {token}")).status();
    let both = || [who("t2"), who("t2"), who("t1"), who("t1")];
    assert_eq!(both(), [200, 200, 200, 200]);
    desk.later(10);
    assert_eq!(both(), [200, 502, 200, 200]);
    desk.later(10);
    assert_eq!(both(), [200, 200, 200, 200]);
}

#[test]
fn faults_come_and_go_by_the_admin_path() {
    let desk = Desk::new();
    let rule = r#"{"method":"POST","path":"accounts","every":2,"effect":{"kind":"reply","status":429,"code":"0x80072322","retry_after_seconds":3}}"#;
    desk.check(&format!("POST /emulator/faults\n\n[{rule}]"), "204");
    desk.check(
        "GET /emulator/faults",
        r#"200 {"rules":1,"counts":[{"effect":"reply","seen":0,"hit":0}]}"#,
    );
    desk.check(POST, "204");
    desk.check(POST, "429 0x80072322");
    desk.check("POST contacts\n\n{}", "204");
    desk.check("DELETE /emulator/faults", "204");
    desk.check(POST, "204");
    desk.check(POST, "204");
    for bad in [
        "{",
        "{}",
        "[1]",
        r#"{"effect":{"kind":"explode"}}"#,
        r#"{"colour":1,"effect":{"kind":"html","status":500}}"#,
    ] {
        desk.check(&format!("POST /emulator/faults\n\n{bad}"), "400");
    }
    desk.check("PUT /emulator/faults\n\n{}", "405");
    desk.check("GET /emulator/nothing", "404");
}

#[test]
fn requests_are_counted_by_kind() {
    let desk = Desk::new();
    desk.check(POST, "204");
    desk.check(POST, "204");
    desk.check("POST accounts\n\n{\"x\":1}", "400");
    desk.check(&format!("GET accounts({A1})"), "404");
    let body = crate::desk::targets("account", &["{}", "{}", "{}"]);
    desk.check(&format!("POST accounts/Microsoft.Dynamics.CRM.CreateMultiple\n\n{body}"), "200");
    desk.check("GET accounts?$select=name", "200");
    let batch = "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nPOST /api/data/v9.2/accounts HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{}\r\n--b--\r\n";
    desk.send_body("POST $batch\nContent-Type: multipart/mixed; boundary=b", batch.as_bytes());
    let counts = desk.send("GET /emulator/requests").json();
    let shown: Vec<String> = counts["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            format!(
                "{} {} {} {} {} {}",
                one["method"],
                one["path"],
                one["status"],
                one["in_batch"],
                one["requests"],
                one["records"]
            )
            .replace('"', "")
        })
        .collect();
    assert_eq!(
        shown,
        [
            "GET accounts 200 false 1 5",
            "GET accounts(...) 404 false 1 0",
            "POST $batch 200 false 1 0",
            "POST accounts 204 false 2 2",
            "POST accounts 204 true 1 1",
            "POST accounts 400 false 1 0",
            "POST accounts/CreateMultiple 200 false 1 3",
        ]
    );
    assert_eq!(counts["total"], 7);
    desk.check("DELETE /emulator/requests", "204");
    desk.check("GET /emulator/requests", r#"200 {"total":0,"requests":[]}"#);
}

#[test]
fn a_reset_forgets_rows_counts_and_added_faults() {
    let desk = Desk::with("[limits]\nrequests = 2");
    desk.check(POST, "204");
    desk.check(POST, "204");
    desk.check(POST, "429");
    desk.check("POST /emulator/faults\n\n{\"effect\":{\"kind\":\"html\",\"status\":500}}", "204");
    desk.check("POST /emulator/reset", "204");
    desk.check("GET accounts/$count", "200 0");
    desk.check("GET WhoAmI", "200");
    desk.check("GET /emulator/requests", r#"200 {"total":2}"#);
}
