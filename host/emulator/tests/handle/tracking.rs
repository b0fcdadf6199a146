use dvsync_emulator::Settings;
use serde_json::Value;

use crate::desk::{A1, A2, A3, Answer, Desk};

const TRACK: &str = "\nPrefer: odata.track-changes";

fn create(desk: &Desk, id: &str, name: &str) {
    desk.check(&format!("PATCH accounts({id})\n\n{{\"name\":\"{name}\"}}"), "204");
}

fn link(answer: &Answer, name: &str) -> String {
    let link =
        answer.json()[name].as_str().unwrap_or_else(|| panic!("{}", answer.text())).to_owned();
    link.replace("https://org.example", "")
}

/// What changed: names, and ids of what was deleted.
fn shown(answer: &Answer) -> Vec<String> {
    let rows = answer.json()["value"].as_array().unwrap().clone();
    let show = |row: &Value| match row["reason"].as_str() {
        Some(reason) => format!("{reason} {}", row["id"].as_str().unwrap()),
        None => row["name"].as_str().unwrap().to_owned(),
    };
    rows.iter().map(show).collect()
}

#[test]
fn a_delta_link_tells_what_is_new_changed_and_deleted() {
    let desk = Desk::new();
    create(&desk, A1, "One");
    create(&desk, A2, "Two");
    let first = desk.check(&format!("GET accounts?$select=name{TRACK}"), "200");
    assert_eq!(first.header("preference-applied"), Some("odata.track-changes"));
    assert_eq!(shown(&first), ["One", "Two"]);
    assert!(first.json()["@odata.context"].as_str().unwrap().ends_with("#accounts(name)/$delta"));
    let delta = link(&first, "@odata.deltaLink");
    assert!(delta.contains("?$select=name&$deltatoken=10"), "{delta}");
    let none = desk.check(&format!("GET {delta}"), r#"200 {"value":[]}"#);
    assert!(none.json()["@odata.deltaLink"].is_string());
    create(&desk, A3, "Three");
    create(&desk, A1, "Uno");
    desk.check(&format!("DELETE accounts({A2})"), "204");
    let count = delta.replace("accounts?$select=name&", "accounts/$count?");
    desk.check(&format!("GET {count}"), "200 3");
    let second = desk.check(&format!("GET {delta}"), "200");
    assert_eq!(shown(&second), ["Uno", "Three", &format!("deleted {A2}")]);
    assert_eq!(
        second.json()["value"][2]["@odata.context"],
        "https://org.example/api/data/v9.2/$metadata#accounts/$deletedEntity"
    );
    let next = link(&second, "@odata.deltaLink");
    desk.check(&format!("GET {next}"), r#"200 {"value":[]}"#);
    // What never was is not told of; what came back is no deletion.
    desk.send(&format!("PATCH accounts({A2})\n\n{{\"name\":\"Back\"}}"));
    assert_eq!(shown(&desk.send(&format!("GET {next}"))), ["Back"]);
    assert_eq!(shown(&desk.send(&format!("GET {delta}"))), ["Uno", "Three", "Back"]);
}

#[test]
fn an_undone_deletion_is_not_told() {
    let desk = Desk::new();
    create(&desk, A1, "One");
    let delta = link(&desk.send(&format!("GET accounts?$select=name{TRACK}")), "@odata.deltaLink");
    let body = format!(
        "--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: 1\r\n\r\nDELETE /api/data/v9.2/accounts({A1}) HTTP/1.1\r\n\r\n\r\n--c\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\nContent-ID: 2\r\n\r\nDELETE /api/data/v9.2/accounts({A3}) HTTP/1.1\r\n\r\n\r\n--c--\r\n--b--\r\n"
    );
    let answer =
        desk.send_body("POST $batch\nContent-Type: multipart/mixed; boundary=b", body.as_bytes());
    assert_eq!(answer.status(), 404);
    desk.check(&format!("GET {delta}"), r#"200 {"value":[]}"#);
}

#[test]
fn tracking_pages_lose_nothing_that_is_written_meanwhile() {
    let desk = Desk::new();
    for n in 0..5 {
        desk.check(&format!("POST accounts\n\n{{\"name\":\"N{n}\"}}"), "204");
    }
    let size = "\nPrefer: odata.maxpagesize=2";
    let first =
        desk.send("GET accounts?$select=name\nPrefer: odata.track-changes,odata.maxpagesize=2");
    assert!(first.json()["@odata.deltaLink"].is_null());
    let gone = first.json()["value"][0]["accountid"].as_str().unwrap().to_owned();
    desk.check(&format!("PATCH accounts({gone})\n\n{{\"name\":\"N0 later\"}}"), "204");
    let second = desk.send(&format!("GET {}{size}", link(&first, "@odata.nextLink")));
    assert_eq!(shown(&second), ["N2", "N3"]);
    let third = desk.send(&format!("GET {}{size}", link(&second, "@odata.nextLink")));
    let delta = link(&third, "@odata.deltaLink");
    assert_eq!(shown(&desk.send(&format!("GET {delta}"))), ["N0 later"]);
    // Pages of changes, with deletions at the end.
    let rows = desk.send("GET accounts?$select=name").json()["value"].clone();
    for (index, row) in rows.as_array().unwrap().iter().enumerate() {
        let id = row["accountid"].as_str().unwrap();
        let body = if index < 2 { "DELETE" } else { "PATCH" };
        desk.send(&format!("{body} accounts({id})\n\n{{\"name\":\"M{index}\"}}"));
    }
    let (mut all, mut next) = (Vec::new(), delta);
    loop {
        let page = desk.send(&format!("GET {next}{size}"));
        all.extend(shown(&page));
        match page.json()["@odata.nextLink"].as_str() {
            Some(link) => next = link.replace("https://org.example", ""),
            None => break,
        }
    }
    assert_eq!(all.len(), 5);
    assert_eq!(all[..3], ["M2", "M3", "M4"]);
    assert!(all[3..].iter().all(|one| one.starts_with("deleted ")));
}

#[test]
fn tokens_expire_and_tracking_has_its_limits() {
    let desk = Desk::with("[tables.new_quiet]\nchange_tracking = false\n");
    create(&desk, A1, "One");
    let delta = link(&desk.send(&format!("GET accounts?$select=name{TRACK}")), "@odata.deltaLink");
    for option in ["$filter=name eq 'x'", "$orderby=name", "$top=1", "$expand=createdby"] {
        let name = option.split('=').next().unwrap();
        desk.check(
            &format!("GET accounts?{option}{TRACK}"),
            &format!("400 0x0 {name} is not supported when"),
        );
    }
    desk.check(&format!("GET new_quiets{TRACK}"), "400 0x80040203 not enabled");
    desk.check("GET accounts?$deltatoken=rubbish", "400 0x80044353");
    desk.check(
        "GET accounts?$deltatoken=99999999999%2101%2F01%2F2030%2000:00:00",
        "400 0x80044353",
    );
    desk.later(6 * 86_400);
    desk.check(&format!("GET {delta}"), "200");
    desk.later(2 * 86_400);
    desk.check(&format!("GET {delta}"), "400 0x80044352 full sync");
    let longer = Desk::with("[behavior]\ndelta_token_days = 30\n");
    let delta = link(&longer.send(&format!("GET accounts{TRACK}")), "@odata.deltaLink");
    longer.later(29 * 86_400);
    longer.check(&format!("GET {delta}"), "200");
}

#[test]
fn deletions_are_told_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let desk =
        || Desk::of(Settings { state: Some(folder.path().to_owned()), ..Settings::default() });
    let one = desk();
    create(&one, A1, "One");
    create(&one, A2, "Two");
    let delta = link(&one.send(&format!("GET accounts?$select=name{TRACK}")), "@odata.deltaLink");
    one.check(&format!("DELETE accounts({A2})"), "204");
    drop(one);
    let told = [format!("deleted {A2}")];
    assert_eq!(shown(&desk().send(&format!("GET {delta}"))), told);
    // A column more: the log is written anew.
    let mut settings =
        Settings::from_toml("[tables.account.columns]\nnew_x = { type = \"text\" }").unwrap();
    settings.state = Some(folder.path().to_owned());
    assert_eq!(shown(&Desk::of(settings).send(&format!("GET {delta}"))), told);
    assert_eq!(shown(&Desk::with("").send("GET accounts?$select=name")), [""; 0]);
}
