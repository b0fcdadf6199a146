//! What may be taken or refused: both positions of the switches for it.

use crate::desk::{A1, Desk};

const TABLE: &str = r#"
[tables.new_visit]
[tables.new_visit.columns]
new_day = { type = "date" }
new_place = { type = "text", required = "application" }
"#;

/// A desk with a switch as it is by default, and one with it in another position.
fn both(switch: &str) -> [Desk; 2] {
    ["", switch].map(|switch| Desk::with(&format!("[behavior]\n{switch}\n{TABLE}")))
}

fn put(desk: &Desk, members: &str, expect: &str) {
    desk.check(&format!("PATCH new_visits({A1})\n\n{{{members}}}"), expect);
}

#[test]
fn updates_that_change_nothing_may_not_count() {
    let [usual, other] = both("unchanged_updates_count = false");
    for (desk, counts) in [(usual, true), (other, false)] {
        let etag = || desk.send(&format!("GET new_visits({A1})")).json()["@odata.etag"].clone();
        put(&desk, "\"new_place\":\"here\"", "204");
        let first = etag();
        desk.later(60);
        put(&desk, "\"new_place\":\"here\",\"new_day\":null", "204");
        assert_eq!(etag() != first, counts);
        let row = desk.send(&format!("GET new_visits({A1})?$select=createdon,modifiedon")).json();
        assert_eq!(row["createdon"] != row["modifiedon"], counts);
        put(&desk, "\"new_place\":\"there\"", "204");
        assert_ne!(etag(), first);
    }
}

#[test]
fn what_the_application_requires_may_be_required() {
    let [usual, other] = both("application_required = \"refuse\"");
    for (desk, expect) in [(usual, "204"), (other, "400 0x80040203 'new_place'")] {
        desk.check("POST new_visits\n\n{}", expect);
        desk.check("POST new_visits\n\n{\"new_place\":\"here\"}", "204");
    }
}

#[test]
fn a_time_behind_a_day_may_be_left_out() {
    let [usual, other] = both("time_in_date_only = \"ignore\"");
    let day = "\"new_day\":\"2031-04-01T08:30:00Z\"";
    put(&usual, day, "400 0x80048d19 Edm.Date");
    put(&other, day, "204");
    other.check(&format!("GET new_visits({A1})"), r#"200 {"new_day":"2031-04-01"}"#);
    put(&other, "\"new_day\":\"2031-04-01T99\"", "400 0x80048d19");
}

#[test]
fn a_state_alone_may_be_refused() {
    let [usual, other] = both("status_follows_state = false");
    for (desk, expect) in [(usual, "204"), (other, "400 0x80048408")] {
        put(&desk, "", "204");
        put(&desk, "\"statecode\":1", expect);
        put(&desk, "\"statecode\":1,\"statuscode\":2", "204");
    }
}

#[test]
fn inactive_records_may_be_read_only() {
    let [usual, other] = both("inactive_records_are_read_only = true");
    for (desk, expect) in [(usual, "204"), (other, "400 0x80040515 in state 1")] {
        put(&desk, "\"new_place\":\"here\"", "204");
        put(&desk, "\"statecode\":1,\"new_place\":\"there\"", "204");
        put(&desk, "\"new_place\":\"nowhere\"", expect);
        put(&desk, "\"statecode\":0,\"new_place\":\"back\"", "204");
        put(&desk, "\"new_place\":\"here\"", "204");
    }
}

#[test]
fn a_slash_at_the_end_may_be_refused() {
    let [usual, other] = both("trailing_slash = false");
    usual.check("GET accounts/", "200");
    other.check("GET accounts/", "404 0x8006088a");
    other.check("POST accounts/\n\n{}", "404 0x8006088a");
    for desk in [usual, other] {
        desk.check("GET accounts", "200");
        desk.check("GET /api/data/v9.2/", "200");
    }
}

#[test]
fn a_count_may_begin_with_a_byte_order_mark() {
    let [usual, other] = both("count_with_bom = true");
    assert_eq!(usual.check("GET accounts/$count", "200").text(), "0");
    assert_eq!(other.check("GET accounts/$count", "200").text(), "\u{feff}0");
}
