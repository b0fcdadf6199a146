use crate::desk::{A1, Desk};

#[track_caller]
fn refused(desk: &Desk, members: &str, expect: &str) {
    let body = format!("{{\"new_name\":\"N\",{members}}}");
    desk.check(&format!("POST new_contracts\n\n{body}"), expect);
}

#[track_caller]
fn stored(desk: &Desk, members: &str, text: &str) {
    let body = format!("{{\"new_name\":\"N\",{members}}}");
    desk.check(&format!("PATCH new_contracts({A1})\n\n{body}"), "204");
    let found = desk.send(&format!("GET new_contracts({A1})"));
    assert!(found.text().contains(text), "expected `{text}`\n   found `{}`", found.text());
}

#[test]
fn values_of_the_wrong_type_are_refused() {
    let desk = Desk::contracts("");
    let expect = [
        ("\"new_extid\":5", "literal '5' to the expected type 'Edm.String'"),
        ("\"new_extid\":true", "Edm.String"),
        ("\"new_extid\":[1]", "Edm.String"),
        ("\"new_extid\":{\"a\":1}", "Edm.String"),
        ("\"new_seq\":\"5\"", "literal '5' to the expected type 'Edm.Int32'"),
        ("\"new_seq\":1.5", "Edm.Int32"),
        ("\"new_seq\":true", "Edm.Int32"),
        ("\"new_big\":\"5\"", "IEEE754Compatible"),
        ("\"new_rate\":\"1.5\"", "IEEE754Compatible"),
        ("\"new_amount\":\"1.5\"", "IEEE754Compatible"),
        ("\"new_amount\":true", "Edm.Decimal"),
        ("\"new_weight\":\"1.5\"", "Edm.Double"),
        ("\"new_open\":1", "Edm.Boolean"),
        ("\"new_open\":\"true\"", "Edm.Boolean"),
        ("\"new_startson\":\"2031-04-01T00:00:00Z\"", "Edm.Date"),
        ("\"new_startson\":20310401", "Edm.Date"),
        ("\"new_signedat\":\"yesterday\"", "Edm.DateTimeOffset"),
        ("\"new_signedat\":\"2031-04-01T00:00:00+02:00Z\"", "Edm.DateTimeOffset"),
        ("\"new_phase\":\"Draft\"", "Edm.Int32"),
        ("\"new_phase\":\"1\"", "Edm.Int32"),
        ("\"new_tags\":1", "Edm.String"),
        ("\"new_tags\":\"Blue\"", "Edm.String"),
        ("\"new_token\":\"x\"", "Edm.Guid"),
        ("\"new_token\":\"{aaaaaaaa-0000-4000-8000-000000000001}\"", "Edm.Guid"),
        ("\"new_contractid\":\"x\"", "Edm.Guid"),
    ];
    for (members, message) in expect {
        refused(&desk, members, &format!("400 0x80048d19 {message}"));
    }
    desk.check("GET new_contracts", r#"200 {"value":[]}"#);
}

#[test]
fn values_out_of_range_are_refused_with_their_own_codes() {
    let desk = Desk::contracts("");
    let long = "x".repeat(21);
    refused(&desk, "\"new_seq\":1001", "400 0x8004432f The value 1001 of 'new_seq'");
    refused(&desk, "\"new_seq\":-1", "400 0x8004432f");
    refused(&desk, "\"new_rate\":1000.501", "400 0x80044330 The value 1000.501 of 'new_rate'");
    refused(&desk, "\"new_amount\":-0.01", "400 0x80044330");
    refused(&desk, "\"new_amount\":1e300", "400 0x80044330");
    refused(&desk, "\"new_weight\":1000.1", "400 0x80044330");
    refused(&desk, "\"new_phase\":5", "400 0x8004431a Accepted Values: 1,2,3");
    refused(&desk, "\"new_tags\":\"1,2\"", "400 0x8004431a Accepted Values: 1,4,9");
    refused(&desk, "\"new_startson\":\"1752-12-31\"", "400 0x80040239");
    refused(&desk, "\"new_signedat\":\"1752-12-31T23:59:59Z\"", "400 0x80040239");
    refused(&desk, "\"new_region\":\"a\\u0000b\"", "400 0x80040278");
    refused(
        &desk,
        &format!("\"new_name\":\"{long}\""),
        "400 0x80044331 A validation error occurred.  The length of the 'new_name' attribute of the 'new_contract' entity exceeded the maximum allowed length of '20'.",
    );
}

#[test]
fn length_is_counted_in_utf16_units() {
    let desk = Desk::contracts("");
    stored(&desk, "\"new_region\":\"ääääääääää\"", "\"new_region\":\"ääääääääää\"");
    stored(&desk, "\"new_region\":\"😀😀😀😀😀\"", "\"new_region\":\"😀😀😀😀😀\"");
    refused(&desk, "\"new_region\":\"😀😀😀😀😀a\"", "400 0x80044331");
}

#[test]
fn values_come_back_in_canonical_form() {
    let desk = Desk::contracts("");
    let expect = [
        ("\"new_amount\":1250.75", "\"new_amount\":1250.7500"),
        ("\"new_amount\":0.125", "\"new_amount\":0.1300"),
        ("\"new_amount\":0", "\"new_amount\":0.0000"),
        ("\"new_rate\":1.0005", "\"new_rate\":1.001"),
        ("\"new_rate\":-1", "\"new_rate\":-1.000"),
        ("\"new_weight\":47.639583", "\"new_weight\":47.63958,"),
        ("\"new_weight\":-0.000001", "\"new_weight\":0.0,"),
        ("\"new_extid\":\"\"", "\"new_extid\":null"),
        ("\"new_extid\":\"a\\\"b\\u00e9\\n\"", "\"new_extid\":\"a\\\"bé\\n\""),
        (
            "\"new_signedat\":\"2031-04-01T08:30:00.900+02:00\"",
            "\"new_signedat\":\"2031-04-01T06:30:00Z\"",
        ),
        ("\"new_signedat\":\"2031-04-01T08:30:00\"", "\"new_signedat\":\"2031-04-01T08:30:00Z\""),
        (
            "\"new_localtime\":\"2031-04-01T08:30:00+02:00\"",
            "\"new_localtime\":\"2031-04-01T08:30:00Z\"",
        ),
        ("\"new_startson\":\"2031-04-01\"", "\"new_startson\":\"2031-04-01\""),
        ("\"new_tags\":\"9, 1\"", "\"new_tags\":\"1,9\""),
        (
            "\"new_token\":\"AAAAAAAA-0000-4000-8000-00000000000B\"",
            "\"new_token\":\"aaaaaaaa-0000-4000-8000-00000000000b\"",
        ),
        ("\"new_big\":9007199254740993", "\"new_big\":9007199254740993"),
        ("\"new_open\":null", "\"new_open\":null"),
    ];
    for (members, text) in expect {
        stored(&desk, members, text);
    }
}

#[test]
fn the_largest_money_is_exact() {
    let desk = Desk::with(
        "[tables.new_gold]\n[tables.new_gold.columns]\nnew_worth = { type = \"money\", precision = 4 }",
    );
    desk.check(&format!("PATCH new_golds({A1})\n\n{{\"new_worth\":922337203685476.9999}}"), "204");
    let text = desk.rows("new_golds");
    assert!(text.contains("\"new_worth\":922337203685476.9999"), "{text}");
}

#[test]
fn a_memo_beyond_64_kib_survives() {
    let desk = Desk::contracts("");
    let long = "y".repeat(100_000);
    stored(&desk, &format!("\"new_text\":\"{long}\",\"new_seq\":7"), &long);
    refused(&desk, &format!("\"new_text\":\"{long}y\""), "400 0x80044331");
}

#[test]
fn defaults_are_set_on_create_only() {
    let desk = Desk::contracts("");
    stored(&desk, "\"new_seq\":1", "\"new_open\":true");
    stored(&desk, "\"new_open\":false", "\"new_open\":false");
    stored(&desk, "\"new_seq\":2", "\"new_open\":false");
}

#[test]
fn an_empty_text_is_null_unless_the_setting_says_otherwise() {
    let row = |settings: &str| {
        let desk = Desk::contracts(settings);
        desk.check("POST new_contracts\n\n{\"new_name\":\"x\",\"new_note\":\"\"}", "204");
        desk.send("GET new_contracts?$select=new_note").json()["value"][0]["new_note"].clone()
    };
    assert!(row("").is_null());
    assert_eq!(row("[behavior]\nempty_text_is_null = false\n"), "");
}
