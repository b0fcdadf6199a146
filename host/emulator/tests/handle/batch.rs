use crate::desk::{A1, A2, A3, Answer, C1, Desk};

const ROOT: &str = "/api/data/v9.2/";

/// One operation with its part headers; `id` is a Content-ID.
fn operation(id: &str, request: &str) -> String {
    let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
    let mut lines = head.lines();
    let (method, path) = lines.next().unwrap().split_once(' ').unwrap();
    let path = if path.starts_with(['$', '/']) || path.contains("://") {
        path.to_owned()
    } else {
        format!("{ROOT}{path}")
    };
    let id = if id.is_empty() { String::new() } else { format!("Content-ID: {id}\r\n") };
    let headers: String = lines.map(|line| format!("{line}\r\n")).collect();
    format!(
        "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n{id}\r\n\
         {method} {path} HTTP/1.1\r\nContent-Type: application/json\r\n{headers}\r\n{body}"
    )
}

fn changeset(operations: &[(&str, &str)]) -> String {
    let inner: String =
        operations.iter().map(|(id, op)| format!("--cs\r\n{}\r\n", operation(id, op))).collect();
    format!("Content-Type: multipart/mixed; boundary=cs\r\n\r\n{inner}--cs--\r\n")
}

fn body(parts: &[String]) -> String {
    let parts: String = parts.iter().map(|part| format!("--b\r\n{part}\r\n")).collect();
    format!("{parts}--b--\r\n")
}

#[track_caller]
fn send(desk: &Desk, prefer: &str, body: &str) -> Answer {
    let head = format!("POST $batch\nContent-Type: multipart/mixed; boundary=\"b\"{prefer}");
    desk.send_body(&head, body.as_bytes())
}

/// The status lines within the reply, with error codes.
fn statuses(answer: &Answer) -> Vec<String> {
    let mut found = Vec::new();
    for line in answer.text().split("\r\n") {
        if let Some(status) = line.strip_prefix("HTTP/1.1 ") {
            found.push(status[..3].to_owned());
        }
        if let Some(at) = line.find("\"code\":\"") {
            let code = line[at + 8..].split('"').next().unwrap();
            found.last_mut().unwrap().push_str(&format!(" {code}"));
        }
    }
    found
}

const CONTINUE: &str = "\nPrefer: odata.continue-on-error";

fn create(id: &str) -> String {
    format!("POST accounts\n\n{{\"accountid\":\"{id}\"}}")
}

#[test]
fn operations_are_carried_out_in_order() {
    let desk = Desk::new();
    let answer = send(
        &desk,
        "",
        &body(&[
            operation("", &create(A1)),
            operation("", &format!("PATCH accounts({A1})\n\n{{\"name\":\"A\"}}")),
            operation("", &format!("GET accounts({A1})?$select=name")),
            operation("", &format!("DELETE https://org.example{ROOT}accounts({A1})")),
            operation("", "GET accounts/$count"),
        ]),
    );
    assert_eq!(answer.status(), 200);
    assert_eq!(statuses(&answer), ["204", "204", "200", "204", "200"]);
    let content_type = answer.header("content-type").unwrap();
    let boundary = content_type.strip_prefix("multipart/mixed; boundary=").unwrap();
    assert!(boundary.starts_with("batchresponse_"), "{boundary}");
    let text = answer.text();
    assert!(text.starts_with(&format!("--{boundary}\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 204 No Content\r\nOData-Version: 4.0\r\n")), "{text}");
    assert!(text.ends_with(&format!("--{boundary}--\r\n")), "{text}");
    assert!(text.contains("application/json; odata.metadata=minimal; odata.streaming=true\r\n"));
    assert!(text.contains("\"name\":\"A\""));
}

#[test]
fn the_first_failure_ends_a_batch_with_its_status() {
    let desk = Desk::new();
    let parts =
        [operation("", &create(A1)), operation("", &create(A1)), operation("", &create(A2))];
    let answer = send(&desk, "", &body(&parts));
    assert_eq!(answer.status(), 412);
    assert_eq!(statuses(&answer), ["204", "412 0x80040237"]);
    assert!(answer.text().contains("\r\nREQ_ID: "));
    desk.check("GET accounts/$count", "200 1");
}

#[test]
fn a_batch_that_continues_answers_each_operation() {
    let desk = Desk::new();
    let parts =
        [operation("", &create(A1)), operation("", &create(A1)), operation("", &create(A2))];
    let answer = send(&desk, CONTINUE, &body(&parts));
    assert_eq!(answer.status(), 200);
    assert_eq!(statuses(&answer), ["204", "412 0x80040237", "204"]);
    desk.check("GET accounts/$count", "200 2");
}

#[test]
fn a_changeset_is_all_or_nothing() {
    let desk = Desk::new();
    let parts = [
        changeset(&[("1", &create(A1)), ("2", &create(A2)), ("3", &create(A1))]),
        changeset(&[("4", &create(A3))]),
    ];
    let answer = send(&desk, CONTINUE, &body(&parts));
    assert_eq!(answer.status(), 200);
    assert_eq!(statuses(&answer), ["412 0x80040237", "204"]);
    let text = answer.text();
    assert!(text.contains("boundary=changesetresponse_"));
    assert!(text.contains("Content-ID: 3\r\n") && text.contains("Content-ID: 4\r\n"));
    assert!(!text.contains("Content-ID: 1\r\n"));
    let rows = desk.rows("accounts?$select=name");
    assert!(rows.contains(A3) && !rows.contains(A1) && !rows.contains(A2));
    let answer = send(&desk, "", &body(&parts[..1]));
    assert_eq!(answer.status(), 412);
}

#[test]
fn the_error_of_a_changeset_may_stand_alone() {
    let desk = Desk::with("[behavior]\nchangeset_error_in_multipart = false");
    let parts = [changeset(&[("1", &create(A1)), ("2", &create(A1))])];
    let answer = send(&desk, CONTINUE, &body(&parts));
    assert_eq!(statuses(&answer), ["412 0x80040237"]);
    assert!(!answer.text().contains("changesetresponse"));
}

#[test]
fn operations_of_a_changeset_refer_to_earlier_ones() {
    let desk = Desk::new();
    let answer = send(
        &desk,
        "",
        &body(&[changeset(&[
            ("1", "POST accounts\n\n{\"name\":\"A\"}"),
            (
                "2",
                &format!(
                    "POST contacts\n\n{{\"contactid\":\"{C1}\",\"parentcustomerid_account@odata.bind\":\"$1\"}}"
                ),
            ),
            ("3", "PUT $2/lastname\n\n{\"value\":\"King\"}"),
            ("4", "PATCH $1\n\n{\"fax\":\"1\"}"),
            ("5", "PUT $1/primarycontactid/$ref\n\n{\"@odata.id\":\"$2\"}"),
        ])]),
    );
    assert_eq!(statuses(&answer), ["204", "204", "204", "204", "204"]);
    let account = desk.send("GET accounts").json()["value"][0].clone();
    assert_eq!((&account["fax"], &account["_primarycontactid_value"]), (&"1".into(), &C1.into()));
    desk.check(
        &format!("GET contacts({C1})"),
        &format!(
            "200 {{\"lastname\":\"King\",\"_parentcustomerid_value\":{}}}",
            account["accountid"]
        ),
    );
    for bad in
        ["PATCH $9\n\n{}", "POST contacts\n\n{\"parentcustomerid_account@odata.bind\":\"$9\"}"]
    {
        let answer = send(&desk, "", &body(&[changeset(&[("1", &create(A2)), ("2", bad)])]));
        assert_eq!(answer.status(), 400);
        assert!(answer.text().contains("Content-ID Reference: '$9' does not exist"));
    }
    desk.check("GET accounts/$count", "200 1");
}

#[test]
fn bodies_with_other_line_ends_are_not_readable() {
    let desk = Desk::new();
    let good = body(&[operation("", &create(A1))]);
    for bad in [
        good.replace("\r\n", "\n"),
        good.trim_end().to_owned(),
        good.replacen("binary\r\n", "binary\n", 1),
        good.replace("--b--", "--b"),
        good.replace("--b", "--c"),
        String::new(),
        "--b--".to_owned(),
        good.replace("application/http", "application/json"),
        good.replace("Content-Transfer-Encoding: binary\r\n", ""),
        good.replace(" HTTP/1.1", ""),
        good.replace("POST /", "POST  /"),
        body(&["x".to_owned()]),
    ] {
        let answer = send(&desk, "", &bad);
        answer.expect("400 0x80048d19");
        assert_eq!(answer.header("content-type"), Some("application/json; odata.metadata=minimal"));
    }
    desk.check("GET accounts/$count", "200 0");
    assert_eq!(send(&desk, "", &good).status(), 200);
    desk.check(&format!("POST $batch\nContent-Type: application/json\n\n{good}"), "400 0x80048d19");
    desk.check("GET $batch", "405");
}

#[test]
fn a_get_needs_its_blank_line_and_no_changeset() {
    let desk = Desk::new();
    let get = "Content-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nGET /api/data/v9.2/WhoAmI HTTP/1.1\r\nAccept: application/json\r\n";
    let without = get.trim_end().to_owned();
    send(&desk, "", &body(&[without])).expect("400 0x80048d19 Stream was not readable");
    for good in [get.to_owned(), format!("{get}\r\n")] {
        assert_eq!(send(&desk, "", &body(&[good])).status(), 200);
    }
    send(&desk, "", &body(&[changeset(&[("1", "GET accounts")])])).expect("400 0x80048d19 'GET'");
}

#[test]
fn changesets_need_content_ids_that_are_unique_in_the_batch() {
    let desk = Desk::new();
    let one = [changeset(&[("", &create(A1))])];
    send(&desk, "", &body(&one)).expect("400 0x80048d19 Content-ID");
    let two = [changeset(&[("1", &create(A1))]), changeset(&[("1", &create(A2))])];
    send(&desk, "", &body(&two)).expect("400 0x80048d19 more than once");
    desk.check("GET accounts/$count", "200 0");
}

#[test]
fn more_operations_than_the_limit_are_refused() {
    let desk = Desk::with("[behavior]\nbatch_operations_max = 3");
    let parts: Vec<String> = (0..4).map(|_| operation("", "GET WhoAmI")).collect();
    send(&desk, "", &body(&parts)).expect("400 0x80048d19 maximum number of '3' query operations");
    assert_eq!(send(&desk, "", &body(&parts[..3])).status(), 200);
    let ids = ["1", "2", "3", "4"];
    let many: Vec<(&str, &str)> = ids.iter().map(|id| (*id, "POST accounts\n\n{}")).collect();
    send(&desk, "", &body(&[changeset(&many)]))
        .expect("400 0x80048d19 too many operations. A maximum number of '3' operations are allowed in a change set");
}

#[test]
fn a_batch_holds_bulk_messages_but_no_batch() {
    let desk = Desk::new();
    let bulk = format!(
        "POST accounts/Microsoft.Dynamics.CRM.CreateMultiple\n\n{}",
        crate::desk::targets("account", &["{}", "{}"])
    );
    let parts = [
        operation("", &bulk),
        operation("", "POST $batch\n\n"),
        operation("", "GET accounts/$count"),
    ];
    let parts = [
        parts[0].clone(),
        parts[1].replace("POST $batch", "POST /api/data/v9.2/$batch"),
        parts[2].clone(),
    ];
    let answer = send(&desk, CONTINUE, &body(&parts));
    assert_eq!(statuses(&answer), ["200", "400 0x80048d19", "200"]);
    assert!(answer.text().contains("\r\n\r\n2\r\n"));
}

#[test]
fn relative_urls_are_a_setting() {
    let request = operation("", &create(A1)).replace(ROOT, "");
    let desk = Desk::new();
    assert_eq!(statuses(&send(&desk, CONTINUE, &body(std::slice::from_ref(&request)))), ["404 "]);
    let desk = Desk::with("[behavior]\nrelative_urls_in_batch = true");
    assert_eq!(statuses(&send(&desk, CONTINUE, &body(&[request]))), ["204"]);
}

#[test]
fn inner_conditions_and_preferences_count() {
    let desk = Desk::new();
    let answer = send(
        &desk,
        CONTINUE,
        &body(&[
            operation("", &format!("PATCH accounts({A1})\nIf-Match: *\n\n{{}}")),
            operation("", &format!("PATCH accounts({A1})\nIf-None-Match: *\n\n{{}}")),
            operation("", "POST accounts\nPrefer: return=representation\n\n{\"name\":\"R\"}"),
        ]),
    );
    assert_eq!(statuses(&answer), ["404 0x80040217", "204", "201"]);
    assert!(answer.text().contains("\"name\":\"R\""));
}

#[test]
fn a_batch_may_be_written_as_microsofts_python_client_writes_it() {
    let desk = Desk::new();
    desk.check("POST accounts\n\n{\"name\":\"A B\"}", "204");
    // Blanks in the URL; the blank line after it is the one before the delimiter.
    let body = "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\nGET /api/data/v9.2/accounts?$select=name&$filter=name eq 'A B' HTTP/1.1\r\n\r\n--b--\r\n";
    let head = "POST $batch\nContent-Type: multipart/mixed; boundary=b";
    let answer = desk.send_body(head, body.as_bytes());
    assert!(answer.text().contains("\"name\":\"A B\""), "{}", answer.text());
    for bad in [" ", "", " HTTP/1.1 x"] {
        let body = body.replace("?$select=name&$filter=name eq 'A B' HTTP/1.1", bad);
        desk.send_body(head, body.as_bytes()).expect("400 0x80048d19");
    }
}
