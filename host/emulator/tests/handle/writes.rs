use crate::desk::{A1, A2, Desk};

#[test]
fn a_create_answers_with_the_address_of_the_record() {
    let desk = Desk::new();
    let answer = desk.check("POST accounts\n\n{\"name\":\"Water\"}", "204");
    let address = answer.header("odata-entityid").unwrap();
    assert!(address.starts_with("https://org.example/api/data/v9.2/accounts("), "{address}");
    assert_eq!(answer.header("location"), Some(address));
    assert_eq!(answer.header("odata-version"), Some("4.0"));
    assert_eq!(answer.text(), "");
    let path = address.trim_start_matches("https://org.example");
    desk.check(&format!("GET {path}?$select=name"), r#"200 {"name":"Water"}"#);
}

#[test]
fn a_create_may_choose_its_id_and_a_taken_one_is_refused() {
    let desk = Desk::new();
    let body = format!("{{\"accountid\":\"{A1}\",\"name\":\"A\"}}");
    desk.check(&format!("POST accounts\n\n{body}"), "204");
    desk.check(&format!("POST accounts\n\n{body}"), "412 0x80040237 A record with matching key");
}

#[test]
fn a_create_that_wants_its_record_back_gets_201_and_no_entity_id() {
    let desk = Desk::new();
    let answer = desk.check(
        "POST accounts?$select=accountid,name\nPrefer: return=representation\n\n{\"name\":\"W\"}",
        r#"201 {"@odata.context":"https://org.example/api/data/v9.2/$metadata#accounts(accountid,name)/$entity","name":"W"}"#,
    );
    assert_eq!(answer.header("odata-entityid"), None);
    assert_eq!(answer.header("preference-applied"), Some("return=representation"));
    let etag = answer.header("etag").unwrap();
    assert_eq!(answer.json()["@odata.etag"], etag);
    assert!(etag.starts_with("W/\""), "{etag}");
}

#[test]
fn the_service_fills_its_own_columns() {
    let desk = Desk::new();
    desk.check(&format!("PATCH accounts({A1})\n\n{{\"revenue\":10}}"), "204");
    desk.later(60);
    desk.check(&format!("PATCH accounts({A1})\n\n{{\"name\":\"B\"}}"), "204");
    let row = desk.send(&format!("GET accounts({A1})")).json();
    assert_eq!(row["createdon"], "2030-03-17T17:46:40Z");
    assert_eq!(row["modifiedon"], "2030-03-17T17:47:40Z");
    assert_eq!(row["statecode"], 0);
    assert_eq!(row["statuscode"], 1);
    assert_eq!(row["_createdby_value"], row["_ownerid_value"]);
    assert_eq!(row["_owninguser_value"], row["_ownerid_value"]);
    assert!(row["_owningteam_value"].is_null());
    assert!(row["_owningbusinessunit_value"].is_string());
    assert_eq!(row["donotemail"], false);
    assert!(row["_transactioncurrencyid_value"].is_string());
    assert!(desk.send(&format!("GET accounts({A1})")).text().contains("\"revenue_base\":10.0000"));
    let version = row["versionnumber"].as_u64().unwrap();
    assert_eq!(row["@odata.etag"], format!("W/\"{version}\""));
}

#[test]
fn createdon_can_only_be_backdated_by_its_own_column() {
    let desk = Desk::new();
    let body =
        "{\"createdon\":\"2001-01-01T00:00:00Z\",\"overriddencreatedon\":\"2002-01-01T00:00:00Z\"}";
    desk.check(&format!("PATCH accounts({A1})\n\n{body}"), "204");
    desk.check(&format!("GET accounts({A1})"), r#"200 {"createdon":"2002-01-01T00:00:00Z"}"#);
}

#[test]
fn a_patch_of_an_unknown_id_creates_unless_it_must_exist() {
    let desk = Desk::new();
    let patch = |condition: &str| format!("PATCH accounts({A1}){condition}\n\n{{\"name\":\"A\"}}");
    desk.check(&patch("\nIf-Match: *"), "404 0x80040217 account With Id = ");
    desk.check(&patch(""), "204");
    desk.check(&patch("\nIf-None-Match: *"), "412 0x80040237 matching key values");
    desk.check(&patch("\nIf-None-Match: null"), "204");
    desk.check(&patch("\nIf-Match: *"), "204");
    let create = format!("PATCH accounts({A2})\nPrefer: return=representation\n\n{{}}");
    desk.check(&create, "201");
    desk.check(&create, "200");
}

#[test]
fn a_stale_etag_is_refused_and_a_fresh_one_taken() {
    let desk = Desk::new();
    desk.check(&format!("PATCH accounts({A1})\n\n{{\"name\":\"A\"}}"), "204");
    let etag = desk.send(&format!("GET accounts({A1})")).header("etag").unwrap().to_owned();
    desk.check(&format!("GET accounts({A1})\nIf-None-Match: {etag}"), "304");
    let patch = format!("PATCH accounts({A1})\nIf-Match: {etag}\n\n{{\"name\":\"B\"}}");
    desk.check(&patch, "204");
    desk.check(&patch, "412 0x80060882 RowVersion");
    desk.check(&format!("DELETE accounts({A1})\nIf-Match: {etag}"), "412 0x80060882");
    desk.check(&format!("GET accounts({A1})\nIf-None-Match: {etag}"), r#"200 {"name":"B"}"#);
}

#[test]
fn etags_need_a_table_that_has_them() {
    let desk = Desk::with("[tables.account]\noptimistic_concurrency = false");
    desk.check(&format!("PATCH accounts({A1})\n\n{{}}"), "204");
    desk.check(&format!("PATCH accounts({A1})\nIf-Match: W/\"1\"\n\n{{}}"), "400 0x8006088D");
}

#[test]
fn deleting_takes_the_record_or_one_column() {
    let desk = Desk::new();
    desk.check(&format!("PATCH accounts({A1})\n\n{{\"name\":\"A\",\"fax\":\"1\"}}"), "204");
    desk.check(&format!("DELETE accounts({A1})/fax"), "204");
    desk.check(&format!("GET accounts({A1})?$select=name,fax"), r#"200 {"name":"A","fax":null}"#);
    desk.check(&format!("PUT accounts({A1})/fax\n\n{{\"value\":\"2\"}}"), "204");
    desk.check(&format!("GET accounts({A1})/fax"), r#"200 {"value":"2"}"#);
    desk.check(&format!("PUT accounts({A1})/createdon\n\n{{\"value\":null}}"), "400 0x80040203");
    desk.check(&format!("DELETE accounts({A1})"), "204");
    desk.check(&format!("DELETE accounts({A1})"), "404 0x80040217");
    desk.check(&format!("GET accounts({A1})"), "404 0x80040217");
    desk.check(&format!("PUT accounts({A1})/fax\n\n{{\"value\":\"2\"}}"), "404 0x80040217");
}

#[test]
fn an_upsert_by_key_echoes_the_key_and_drops_it_from_an_update() {
    let desk = Desk::new();
    let patch = "PATCH accounts(accountnumber='AW1')\n\n";
    let answer = desk.check(&format!("{patch}{{\"name\":\"A\"}}"), "204");
    assert_eq!(
        answer.header("odata-entityid"),
        Some("https://org.example/api/data/v9.2/accounts(accountnumber='AW1')")
    );
    desk.check(&format!("{patch}{{\"name\":\"B\",\"accountnumber\":\"AW2\"}}"), "204");
    desk.check(
        "GET accounts(accountnumber='aw1 ')?$select=name,accountnumber",
        r#"200 {"name":"B","accountnumber":"AW1"}"#,
    );
    desk.check("GET accounts(accountnumber='AW2')", "404 0x80060891");
}

#[test]
fn an_upsert_by_key_that_creates_lets_the_body_win() {
    let desk = Desk::new();
    desk.check(
        "PATCH accounts(accountnumber='AW1')\n\n{\"accountnumber\":\"AW2\",\"name\":\"A\"}",
        "204",
    );
    desk.check("GET accounts(accountnumber='AW2')?$select=name", r#"200 {"name":"A"}"#);
    desk.check("GET accounts(accountnumber='AW1')", "404 0x80060891");
}

#[test]
fn an_alternate_key_is_unique_but_nulls_are_not() {
    let desk = Desk::new();
    desk.check("POST accounts\n\n{\"accountnumber\":\"AW1\"}", "204");
    desk.check(
        "POST accounts\n\n{\"accountnumber\":\"aw1\"}",
        "412 0x80060892 Entity Key accountnumber_key violated",
    );
    desk.check("POST accounts\n\n{\"name\":\"A\"}", "204");
    desk.check(&format!("PATCH accounts({A1})\n\n{{\"accountnumber\":\"\"}}"), "204");
    desk.check(&format!("PATCH accounts({A1})\n\n{{\"accountnumber\":\"AW1\"}}"), "412 0x80060892");
}

#[test]
fn keys_differ_by_case_where_the_setting_says_so() {
    let desk = Desk::with("[behavior]\ncase_sensitive_keys = true");
    desk.check("POST accounts\n\n{\"accountnumber\":\"AW1\"}", "204");
    desk.check("POST accounts\n\n{\"accountnumber\":\"aw1\"}", "204");
    desk.check(
        "GET accounts?$filter=accountnumber eq 'aw1'&$count=true",
        r#"200 {"@odata.count":2}"#,
    );
}

#[test]
fn keys_are_named_in_full_and_in_any_order() {
    let desk = Desk::contracts("");
    let body = "{\"new_name\":\"N\"}";
    desk.check(&format!("PATCH new_contracts(new_region='EU',new_seq=42)\n\n{body}"), "204");
    desk.check(
        "GET new_contracts(new_seq=42,new_region='eu')?$select=new_seq",
        r#"200 {"new_seq":42}"#,
    );
    desk.check("GET new_contracts(new_seq=42)", "400 0x80060890 not valid for resource");
    desk.check("GET new_contracts(new_name='N')", "400 0x80060890");
    desk.check("GET new_contracts(new_note='N')", "400 0x80060890 not active");
    desk.check("GET new_contracts(new_region=EU,new_seq=42)", "400 0x80060890");
    desk.check("GET new_contracts(new_region='EU',new_seq='42')", "400 0x80060890");
    desk.check(&format!("PATCH accounts(accountid={A1})\n\n{{}}"), "204");
    desk.check(&format!("GET accounts(accountid={A1})?$select=name"), "200");
}

#[test]
fn a_lookup_can_be_part_of_a_key() {
    let desk = Desk::contracts("");
    desk.check(&format!("PATCH accounts({A1})\n\n{{}}"), "204");
    let body = format!(
        "{{\"new_name\":\"N\",\"new_seq\":1,\"new_CustomerId@odata.bind\":\"/accounts({A1})\"}}"
    );
    desk.check(&format!("POST new_contracts\n\n{body}"), "204");
    desk.check(
        &format!("GET new_contracts(_new_customerid_value={A1},new_seq=1)?$select=new_name"),
        r#"200 {"new_name":"N"}"#,
    );
    desk.check(&format!("POST new_contracts\n\n{body}"), "412 0x80060892");
}

#[test]
fn the_named_form_of_the_id_is_not_for_users_and_teams() {
    let desk = Desk::new();
    let user = desk.send("GET WhoAmI").json()["UserId"].as_str().unwrap().to_owned();
    desk.check(
        &format!("GET systemusers({user})?$select=fullname"),
        r#"200 {"fullname":"emulator"}"#,
    );
    desk.check(&format!("GET systemusers(systemuserid={user})"), "400 0x80060890");
}

#[test]
fn forbidden_characters_in_a_key_are_refused_encoded_or_not() {
    let desk = Desk::new();
    for key in ["a%2Fb", "a/b", "a%3Cb", "a*b", "a%25b", "a%26b", "a:b", "a%5Cb", "a%3Fb", "a%2Bb"]
    {
        desk.check(&format!("GET accounts(accountnumber='{key}')"), "400 0x0 dangerous");
    }
    desk.check("GET accounts(accountnumber='O''Hara%20-%20Co')", "404 0x80060891");
}

#[test]
fn wrong_resources_and_methods_are_told_apart() {
    let desk = Desk::new();
    desk.check("GET Account", "404 0x8006088a Resource not found for the segment 'Account'.");
    desk.check("GET Accounts", "404 0x8006088a");
    desk.check("DELETE accounts", "405");
    desk.check("PATCH accounts\n\n{}", "405");
    desk.check("POST WhoAmI\n\n{}", "404 ");
    desk.check("GET accounts/", "200");
    desk.check("GET /api/data/v8.2/accounts", "404");
    desk.check("GET /somewhere", "404");
    desk.check("GET accounts(1)", "400");
    desk.check(&format!("GET accounts({{{A1}}})"), "400");
    desk.check(&format!("GET accounts('{A1}')"), "400");
    desk.check("POST sdkmessagefilters\n\n{}", "405");
}

#[test]
fn names_are_case_sensitive_and_read_only_columns_are_ignored() {
    let desk = Desk::contracts("");
    desk.check(
        "POST accounts\n\n{\"Name\":\"A\"}",
        "400 0x0 Invalid property 'Name' was found in entity 'Microsoft.Dynamics.CRM.account'",
    );
    desk.check("POST accounts\n\n{\"nome\":1}", "400 0x0 Invalid property 'nome'");
    let answer = desk.check(
        "POST new_contracts\nPrefer: return=representation\n\n{\"new_name\":\"A\",\"new_total\":5,\"new_fixed\":\"x\",\"versionnumber\":1}",
        r#"201 {"new_total":null,"new_fixed":"x"}"#,
    );
    let id = answer.json()["new_contractid"].as_str().unwrap().to_owned();
    desk.check(&format!("PATCH new_contracts({id})\n\n{{\"new_fixed\":\"y\"}}"), "204");
    desk.check(&format!("GET new_contracts({id})"), r#"200 {"new_fixed":"x"}"#);
}

#[test]
fn read_only_columns_are_refused_where_the_setting_says_so() {
    let desk = Desk::contracts("[behavior]\nread_only_writes = \"refuse\"");
    desk.check(
        "POST new_contracts\n\n{\"new_name\":\"A\",\"new_total\":5}",
        "400 0x80040203 new_total",
    );
    desk.check(&format!("PATCH new_contracts({A1})\n\n{{\"new_name\":\"A\"}}"), "204");
    desk.check(&format!("PATCH new_contracts({A1})\n\n{{\"new_fixed\":\"A\"}}"), "400 0x80040203");
}

#[test]
fn required_columns_refuse_null() {
    let desk = Desk::contracts("");
    desk.check("POST new_contracts\n\n{}", "400 0x80040203 Attribute 'new_name' cannot be NULL");
    desk.check(&format!("PATCH new_contracts({A1})\n\n{{\"new_name\":\"A\"}}"), "204");
    desk.check(&format!("PATCH new_contracts({A1})\n\n{{\"new_name\":null}}"), "400 0x80040203");
    desk.check(&format!("PATCH new_contracts({A1})\n\n{{\"new_name\":\"\"}}"), "400 0x80040203");
    desk.check("POST accounts\n\n{}", "204");
}

#[test]
fn bodies_that_are_not_json_are_refused() {
    let desk = Desk::new();
    for body in ["", "{", "[]", "null", "\"x\"", "{\"name\":\"A\"} x", "{\"name\":}", "{\"name\"}"]
    {
        desk.check(&format!("POST accounts\n\n{body}"), "400 0x80048d19");
    }
    desk.send_body("POST accounts", b"{\"name\":\"\xFF\"}").expect("400 0x80048d19 UTF-8");
    desk.send_body("POST accounts", "\u{feff}{\"name\":\"A\"}".as_bytes()).expect("204");
}

#[test]
fn full_names_are_put_together_by_the_service() {
    let desk = Desk::new();
    desk.check(
        &format!("PATCH contacts({A1})\n\n{{\"firstname\":\"Ada\",\"lastname\":\"King\",\"fullname\":\"X\"}}"),
        "204",
    );
    desk.check(&format!("GET contacts({A1})"), r#"200 {"fullname":"Ada King"}"#);
    desk.check(&format!("PATCH contacts({A1})\n\n{{\"firstname\":null}}"), "204");
    desk.check(&format!("GET contacts({A1})"), r#"200 {"fullname":"King"}"#);
    desk.check(&format!("PATCH systemusers({A2})\n\n{{\"fullname\":\"Jae Pak\"}}"), "204");
    desk.check(&format!("GET systemusers({A2})"), r#"200 {"fullname":"Jae Pak"}"#);
}

#[test]
fn the_same_seed_and_requests_give_the_same_ids() {
    let run = |seed: u64| {
        let desk = Desk::with(&format!("seed = {seed}"));
        desk.send("POST accounts\n\n{}");
        desk.rows("accounts")
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
}

#[test]
fn errors_carry_annotations_for_those_who_ask() {
    let desk = Desk::new();
    let ask = |header: &str| {
        let answer = desk.send(&format!("GET accounts({A1}){header}"));
        answer.expect("404 0x80040217");
        answer.json()["error"].as_object().unwrap().clone()
    };
    assert_eq!(ask("").len(), 2);
    let all = ask("\nPrefer: odata.include-annotations=\"*\"");
    assert_eq!(all["@Microsoft.PowerApps.CDS.InnerError.Message"], all["message"]);
    let help = all["@Microsoft.PowerApps.CDS.HelpLink"].as_str().unwrap();
    assert!(help.contains("CrmException%3a80040217"), "{help}");
    let one = ask("\nPrefer: odata.include-annotations=\"Microsoft.PowerApps.CDS.TraceText\"");
    assert_eq!(one.len(), 3);
}

#[test]
fn a_conditional_read_of_what_is_known_is_304_unless_more_is_asked_for() {
    let desk = Desk::new();
    desk.check(&format!("PATCH accounts({A1})\n\n{{\"name\":\"One\"}}"), "204");
    let read = desk.send(&format!("GET accounts({A1})"));
    let etag = read.header("etag").unwrap().to_owned();
    let path = format!("GET accounts({A1})");
    desk.check(&format!("{path}\nIf-None-Match: {etag}"), "304");
    desk.check(&format!("{path}\nIf-None-Match: null"), "200");
    desk.check(&format!("{path}?$expand=primarycontactid\nIf-None-Match: {etag}"), "200");
    desk.check(
        &format!("{path}\nIf-None-Match: {etag}\nPrefer: odata.include-annotations=\"*\""),
        "200",
    );
}
