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
fn faults_come_and_go_by_the_admin_path() {
    let desk = Desk::new();
    let rule = r#"{"method":"POST","path":"accounts","every":2,"effect":{"kind":"reply","status":429,"code":"0x80072322","retry_after_seconds":3}}"#;
    desk.check(&format!("POST /emulator/faults\n\n[{rule}]"), "204");
    desk.check("GET /emulator/faults", r#"200 {"rules":1}"#);
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
