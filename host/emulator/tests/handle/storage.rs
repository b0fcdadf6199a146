use std::fs;
use std::path::Path;

use dvsync_emulator::{Emulator, Settings};
use proptest::prelude::*;

use crate::desk::{A1, A2, CONTRACTS, Desk, targets};

fn desk(folder: &Path, more: &str) -> Desk {
    Desk::of(settings(folder, more))
}

fn settings(folder: &Path, more: &str) -> Settings {
    let mut settings = Settings::from_toml(more).unwrap();
    settings.state = Some(folder.to_owned());
    settings
}

fn everything(desk: &Desk) -> Vec<String> {
    ["accounts", "contacts", "systemusers", "teams"].map(|set| desk.rows(set)).to_vec()
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let before = {
        let desk = desk(folder.path(), "");
        desk.check(&format!("PATCH accounts({A1})\n\n{{\"name\":\"A\",\"revenue\":1.5}}"), "204");
        desk.check(&format!("PATCH accounts({A2})\n\n{{\"name\":\"B\"}}"), "204");
        desk.check(&format!("PATCH accounts({A1})\n\n{{\"accountnumber\":\"N1\"}}"), "204");
        desk.check(&format!("DELETE accounts({A2})"), "204");
        desk.check("POST accounts\n\n{\"name\":5}", "400");
        everything(&desk)
    };
    let desk = desk(folder.path(), "");
    assert_eq!(everything(&desk), before);
    desk.check("GET accounts(accountnumber='n1')", r#"200 {"name":"A"}"#);
    desk.check("POST accounts\n\n{\"accountnumber\":\"N1\"}", "412 0x80060892");
}

#[test]
fn ids_made_after_a_restart_are_new() {
    let folder = tempfile::tempdir().unwrap();
    for count in 1..4 {
        let desk = desk(folder.path(), "");
        desk.check("POST accounts\n\n{}", "204");
        desk.check("GET accounts/$count", &format!("200 {count}"));
    }
}

#[test]
fn a_torn_last_record_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    desk(folder.path(), "").check(&format!("PATCH accounts({A1})\n\n{{}}"), "204");
    let log = folder.path().join("rows.log");
    let whole = fs::read(&log).unwrap();
    desk(folder.path(), "").check(&format!("PATCH accounts({A2})\n\n{{}}"), "204");
    let longer = fs::read(&log).unwrap();
    assert_eq!(longer[..whole.len()], whole);
    for length in whole.len()..longer.len() {
        fs::write(&log, &longer[..length]).unwrap();
        let first = desk(folder.path(), "");
        first.check("GET accounts/$count", "200 1");
        first.check(&format!("PATCH accounts({A2})\n\n{{}}"), "204");
        drop(first);
        desk(folder.path(), "").check("GET accounts/$count", "200 2");
    }
}

#[test]
fn a_log_grows_no_further_than_its_rows_allow() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("rows.log");
    {
        let desk = desk(folder.path(), "");
        for n in 0..2000 {
            desk.check(&format!("PATCH accounts({A1})\n\n{{\"numberofemployees\":{n}}}"), "204");
        }
    }
    let long = fs::metadata(&log).unwrap().len();
    let desk = desk(folder.path(), "");
    assert!(fs::metadata(&log).unwrap().len() * 10 < long);
    desk.check(&format!("GET accounts({A1})"), r#"200 {"numberofemployees":1999}"#);
}

#[test]
fn one_folder_has_one_emulator() {
    let folder = tempfile::tempdir().unwrap();
    let first = desk(folder.path(), "");
    let error = Emulator::new(settings(folder.path(), "")).unwrap_err();
    assert!(error.to_string().starts_with("cannot lock `"), "{error}");
    assert!(error.hint().is_some());
    drop(first);
    desk(folder.path(), "");
}

#[test]
fn a_file_that_is_no_log_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("rows.log");
    let text = "something else that somebody keeps here";
    fs::write(&log, text).unwrap();
    let error = Emulator::new(settings(folder.path(), "")).unwrap_err();
    assert!(error.to_string().contains("is not an emulator's log"), "{error}");
    assert_eq!(fs::read_to_string(&log).unwrap(), text);
}

#[test]
fn rows_are_carried_to_another_schema_by_column_name() {
    let folder = tempfile::tempdir().unwrap();
    let before = {
        let desk = desk(folder.path(), CONTRACTS);
        desk.check(
            &format!("PATCH new_contracts({A1})\n\n{{\"new_name\":\"N\",\"new_seq\":7,\"new_amount\":2,\"new_extid\":\"X\"}}"),
            "204",
        );
        desk.rows("new_contracts?$select=new_name,new_seq,new_amount,createdon,_ownerid_value")
    };
    let more = CONTRACTS
        .replace("new_seq = {", "new_aaa = { type = \"text\" }\nnew_seq = {")
        .replace(
            "new_rate = { type = \"decimal\", precision = 3, min = -1000, max = 1000.5 }\n",
            "",
        )
        .replace(
            "new_extid = { type = \"text\", max_length = 50 }",
            "new_extid = { type = \"memo\" }",
        )
        .replace("keys.new_extid_key = [\"new_extid\"]\n", "");
    {
        let desk = desk(folder.path(), &more);
        assert_eq!(
            desk.rows("new_contracts?$select=new_name,new_seq,new_amount,createdon,_ownerid_value"),
            before
        );
        desk.check(
            "GET new_contracts?$select=new_aaa,new_extid",
            r#"200 {"value":[{"new_aaa":null,"new_extid":"X"}]}"#,
        );
    }
    let error =
        |schema: &str| Emulator::new(settings(folder.path(), schema)).unwrap_err().to_string();
    let other = more.replace(
        "new_seq = { type = \"integer\", min = 0, max = 1000 }",
        "new_seq = { type = \"bigint\" }",
    );
    let other = other.replace("keys.new_line_key = [\"new_region\", \"new_seq\"]\n", "");
    let other = other.replace("keys.new_customer_key = [\"new_customerid\", \"new_seq\"]\n", "");
    desk(folder.path(), &other).check("GET new_contracts/$count", "200 1");
    let text = other.replace("new_seq = { type = \"bigint\" }", "new_seq = { type = \"text\" }");
    assert!(
        error(&text).contains("column `new_seq` of table `new_contract` is Int there, Text"),
        "{}",
        error(&text)
    );
    assert!(error("").contains("table `new_contract` is not in the schema"));
}

#[test]
fn a_new_key_that_the_rows_violate_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    {
        let desk = desk(folder.path(), "");
        desk.check("POST accounts\n\n{\"name\":\"A\"}", "204");
        desk.check("POST accounts\n\n{\"name\":\"a\"}", "204");
    }
    let error =
        Emulator::new(settings(folder.path(), "[tables.account]\nkeys.name_key = [\"name\"]"));
    assert!(error.unwrap_err().to_string().contains("violates alternate key `name_key`"));
}

#[test]
fn a_reset_empties_the_log() {
    let folder = tempfile::tempdir().unwrap();
    {
        let desk = desk(folder.path(), "");
        desk.check("POST accounts\n\n{}", "204");
        desk.check("POST /emulator/reset", "204");
        desk.check("POST contacts\n\n{}", "204");
        desk.emulator.flush().unwrap();
    }
    let desk = desk(folder.path(), "");
    desk.check("GET accounts/$count", "200 0");
    desk.check("GET contacts/$count", "200 1");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn replaying_the_log_gives_the_same_rows(
        writes in prop::collection::vec((0..5_u8, 0..4_u8, 0..4_u8), 1..30),
        restarts in 1..3_usize,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut before;
        {
            let desk = desk(folder.path(), "");
            for (kind, id, number) in writes {
                let id = format!("{}{id}", &A1[..35]);
                let body = format!("{{\"accountnumber\":\"N{number}\"}}");
                let request = match kind {
                    0 => format!("POST accounts\n\n{body}"),
                    1 | 2 => format!("PATCH accounts({id})\n\n{body}"),
                    3 => format!("DELETE accounts({id})"),
                    _ => format!(
                        "POST accounts/Microsoft.Dynamics.CRM.UpsertMultiple\n\n{}",
                        targets("account", &[&format!("{{\"accountid\":\"{id}\"}}"), &body])
                    ),
                };
                desk.send(&request);
            }
            before = everything(&desk);
        }
        // Order of creation is kept too; where the log was made anew, slots are
        // not, which no reply shows.
        for _ in 0..restarts {
            let desk = desk(folder.path(), "");
            let after = everything(&desk);
            prop_assert_eq!(&after, &before);
            before = after;
        }
    }
}
