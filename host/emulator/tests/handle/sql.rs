//! `?sql=`, as Microsoft's Python client asks.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::desk::{A1, A2, A3, Answer, C1, Desk, targets};

fn desk_with(settings: &str) -> Desk {
    let desk = Desk::with(settings);
    let accounts = [
        format!(
            "{{\"accountid\":\"{A1}\",\"name\":\"Bike Store\",\"revenue\":100.5,\"numberofemployees\":10}}"
        ),
        format!(
            "{{\"accountid\":\"{A2}\",\"name\":\"Road World\",\"revenue\":50,\"numberofemployees\":20}}"
        ),
        format!("{{\"accountid\":\"{A3}\",\"name\":\"Al's & Co\",\"numberofemployees\":20}}"),
    ];
    let body = targets("account", &accounts.each_ref().map(String::as_str));
    desk.check(&format!("POST accounts/Microsoft.Dynamics.CRM.CreateMultiple\n\n{body}"), "200");
    for (last, to) in [("King", A1), ("Ash", A1), ("Birch", A2)] {
        let bind = format!("\"parentcustomerid_account@odata.bind\":\"accounts({to})\"");
        desk.check(&format!("POST contacts\n\n{{\"lastname\":\"{last}\",{bind}}}"), "204");
    }
    desk
}

fn ask(desk: &Desk, set: &str, sql: &str, headers: &str) -> Answer {
    let sql = utf8_percent_encode(sql, NON_ALPHANUMERIC);
    desk.send(&format!("GET {set}?sql={sql}{headers}"))
}

/// The values of a query's rows, without ids and etags.
#[track_caller]
fn rows(desk: &Desk, set: &str, sql: &str) -> Vec<Value> {
    let answer = ask(desk, set, sql, "");
    assert_eq!(answer.status(), 200, "{sql}: {}", answer.text());
    let mut rows = answer.json()["value"].as_array().unwrap().clone();
    for row in &mut rows {
        row.as_object_mut()
            .unwrap()
            .retain(|name, _| !name.ends_with("id") && !name.starts_with('@'));
    }
    rows
}

#[test]
fn a_select_finds_what_the_fetchxml_that_says_the_same_finds() {
    let desk = desk_with("");
    let names = |rest: &str| -> Vec<String> {
        let sql = format!("SELECT name FROM account {rest}");
        let rows = rows(&desk, "accounts", &sql);
        rows.iter().map(|row| row["name"].as_str().unwrap().to_owned()).collect()
    };
    let (bike, road, al) = ("Bike Store", "Road World", "Al's & Co");
    let expect: &[(&str, &[&str])] = &[
        ("ORDER BY name", &[al, bike, road]),
        ("WHERE name = 'Al''s & Co'", &[al]),
        ("WHERE [name] LIKE '%o%' ORDER BY name DESC", &[road, bike, al]),
        ("where revenue is null", &[al]),
        ("WHERE revenue IS NOT NULL AND NOT_A = 1", &[]),
        ("WHERE revenue > 60 OR numberofemployees >= 20 ORDER BY revenue", &[al, road, bike]),
        (
            "WHERE (revenue < 60 OR name LIKE 'al%') AND numberofemployees = 20 ORDER BY name",
            &[al, road],
        ),
        ("WHERE numberofemployees IN (10, 11)", &[bike]),
        ("WHERE numberofemployees NOT IN (10, 11) AND name NOT LIKE 'r%'", &[al]),
        ("WHERE revenue BETWEEN 10 AND 60", &[road]),
        (
            "a WHERE a.name <> 'Road World' ORDER BY a.name OFFSET 1 ROWS FETCH NEXT 5 ROWS ONLY",
            &[bike],
        ),
    ];
    for (rest, expected) in expect {
        if rest.contains("NOT_A") {
            ask(&desk, "accounts", &format!("SELECT name FROM account {rest}"), "")
                .expect("400 0x80041103");
            continue;
        }
        assert_eq!(names(rest), *expected, "{rest}");
    }
    assert_eq!(
        rows(&desk, "accounts", "SELECT TOP 1 name AS who FROM account ORDER BY name"),
        [json!({"who": al})]
    );
    assert_eq!(
        rows(
            &desk,
            "accounts",
            "SELECT DISTINCT numberofemployees FROM account ORDER BY numberofemployees"
        ),
        [json!({"numberofemployees": 10}), json!({"numberofemployees": 20})]
    );
}

#[test]
fn tables_are_joined_and_rows_counted() {
    let desk = desk_with("");
    let joined = "SELECT a.name, c.lastname FROM account a JOIN contact c ON a.accountid = c.parentcustomerid WHERE c.lastname <> 'Ash' ORDER BY a.name";
    let expect = [
        json!({"name": "Bike Store", "lastname": "King"}),
        json!({"name": "Road World", "lastname": "Birch"}),
    ];
    assert_eq!(rows(&desk, "accounts", joined), expect);
    let qualified = desk_with("[behavior]\nsql_column_names = \"qualified\"");
    assert_eq!(
        rows(&qualified, "accounts", joined)[0],
        json!({"name": "Bike Store", "j1.lastname": "King"})
    );
    let left = "SELECT a.name, c.lastname FROM account AS a LEFT OUTER JOIN contact c ON c.parentcustomerid = a.accountid WHERE a.name = 'Al''s & Co'";
    assert_eq!(rows(&desk, "accounts", left), [json!({"name": "Al's & Co"})]);
    let counted = "SELECT a.name, COUNT(c.contactid) AS cnt FROM account a JOIN contact c ON a.accountid = c.parentcustomerid GROUP BY a.name ORDER BY cnt DESC";
    assert_eq!(
        rows(&desk, "accounts", counted),
        [json!({"name": "Bike Store", "cnt": 2}), json!({"name": "Road World", "cnt": 1})]
    );
    let totals = "SELECT COUNT(*), SUM(revenue) AS total, AVG(numberofemployees) AS mean, MAX(numberofemployees) AS most, COUNT(DISTINCT numberofemployees) AS sizes FROM account";
    let found = rows(&desk, "accounts", totals);
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&found[0]["count"], &found[0]["total"], &found[0]["most"], &found[0]["sizes"]),
        (&json!(3), &json!(150.5), &json!(20), &json!(2))
    );
}

#[test]
fn pages_of_a_select_are_linked() {
    let desk = desk_with("");
    let size = "\nPrefer: odata.maxpagesize=2";
    let sql = "SELECT name FROM account ORDER BY name";
    let first = ask(&desk, "accounts", sql, size);
    first.expect(r#"200 {"value":[{"name":"Al's & Co"},{"name":"Bike Store"}]}"#);
    let link = first.json()["@odata.nextLink"].as_str().unwrap().replace("https://org.example", "");
    let last = desk.send(&format!("GET {link}{size}"));
    last.expect(r#"200 {"value":[{"name":"Road World"}]}"#);
    assert!(last.json()["@odata.nextLink"].is_null());
}

#[test]
fn what_the_service_refuses_in_sql_is_refused() {
    let desk = desk_with("");
    desk.check(&format!("PATCH contacts({C1})\n\n{{}}"), "204");
    for (sql, part) in [
        ("", "it ends too early"),
        ("SELECT * FROM account", "unexpected `*`"),
        ("DELETE FROM account", "unexpected `DELETE`"),
        ("SELECT name FROM contact", "not the one of the set `accounts`"),
        (
            "SELECT name FROM account WHERE name IN (SELECT fullname FROM contact)",
            "unexpected `SELECT`",
        ),
        ("SELECT name FROM account GROUP BY name HAVING COUNT(*) > 1", "unexpected `HAVING`"),
        ("SELECT name FROM account UNION SELECT name FROM account", "unexpected"),
        (
            "SELECT name FROM account a RIGHT JOIN contact c ON a.accountid = c.parentcustomerid",
            "unexpected `RIGHT`",
        ),
        ("SELECT UPPER(name) FROM account", "the function `upper`"),
        ("SELECT name, COUNT(*) FROM account", "`name` is neither grouped by nor counted"),
        ("SELECT x.name FROM account a", "no table `x`"),
        ("SELECT name FROM account WHERE name = 'x", "a text without its end"),
        ("SELECT name FROM account WHERE name = ;", "unexpected `;`"),
        (
            "SELECT name FROM account a JOIN contact c ON a.accountid = a.parentaccountid",
            "a join must compare",
        ),
        ("SELECT SUM(DISTINCT revenue) FROM account", "DISTINCT in `sum`"),
    ] {
        ask(&desk, "accounts", sql, "").expect(&format!("400 0x80040203 {part}"));
    }
    let deep = format!("SELECT name FROM account WHERE {}name = 'x'", "(".repeat(3000));
    ask(&desk, "accounts", &deep, "").expect("400 0x80040203 nested too deeply");
    let order = "SELECT a.name FROM account a JOIN contact c ON a.accountid = c.parentcustomerid ORDER BY c.lastname";
    ask(&desk, "accounts", order, "").expect("501");
}
