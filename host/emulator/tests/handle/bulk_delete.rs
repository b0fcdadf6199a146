use serde_json::{Value, json};

use crate::desk::Desk;

fn rows() -> Desk {
    let desk = Desk::new();
    for (name, employees) in [("A", 1), ("B", 2), ("C'", 3), ("D", 4)] {
        let body = json!({"name": name, "numberofemployees": employees});
        desk.check(&format!("POST accounts\n\n{body}"), "204");
    }
    desk
}

fn delete(criteria: &Value) -> String {
    let query = json!({
        "@odata.type": "Microsoft.Dynamics.CRM.QueryExpression",
        "EntityName": "account",
        "Criteria": criteria,
    });
    let body =
        json!({"JobName": "j", "QuerySet": [query], "StartDateTime": "2030-01-01T00:00:00Z"});
    format!("POST BulkDelete\n\n{body}")
}

fn condition(column: &str, operator: &str, values: &[Value]) -> Value {
    json!({"AttributeName": column, "Operator": operator, "Values": values})
}

fn text(value: &str) -> Value {
    json!({"Type": "System.String", "Value": value})
}

fn number(value: u32) -> Value {
    json!({"Type": "System.Int32", "Value": value})
}

fn names(desk: &Desk) -> Vec<String> {
    let rows = desk.send("GET accounts?$select=name&$orderby=name").json();
    let rows = rows["value"].as_array().unwrap().iter();
    rows.map(|row| row["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_a_query_finds_is_deleted() {
    let employees = "numberofemployees";
    for (criteria, left) in [
        (json!({"Conditions": [condition("name", "Equal", &[text("C'")])]}), vec!["A", "B", "D"]),
        (
            json!({"Conditions": [condition("name", "In", &[text("A"), text("D")])]}),
            vec!["B", "C'"],
        ),
        (
            json!({"FilterOperator": "Or", "Conditions": [
                condition(employees, "GreaterEqual", &[number(4)]),
                condition("name", "Equal", &[text("A")]),
            ]}),
            vec!["B", "C'"],
        ),
        (
            json!({"Conditions": [condition("name", "NotNull", &[])], "Filters": [{"Conditions": [
                condition(employees, "LessThan", &[number(3)]),
            ]}]}),
            vec!["C'", "D"],
        ),
        (json!({}), vec![]),
    ] {
        let desk = rows();
        let answer = desk.check(&delete(&criteria), "200");
        assert!(answer.json()["JobId"].is_string());
        assert_eq!(names(&desk), left, "{criteria}");
    }
}

#[test]
fn more_than_a_page_is_deleted() {
    let desk = Desk::new();
    let one = "{\"@odata.type\":\"Microsoft.Dynamics.CRM.account\"}";
    for _ in 0..6 {
        let body = format!("{{\"Targets\":[{}]}}", vec![one; 1000].join(","));
        desk.check(
            &format!("POST accounts/Microsoft.Dynamics.CRM.CreateMultiple\n\n{body}"),
            "200",
        );
    }
    desk.check(&delete(&json!({})), "200");
    desk.check("GET accounts/$count", "200 0");
}

#[test]
fn a_query_that_cannot_be_read_deletes_nothing() {
    let desk = rows();
    for (criteria, expected) in [
        (json!({"Conditions": [condition("name", "Like", &[text("A")])]}), "501"),
        (json!({"Conditions": [condition("colour", "Equal", &[text("A")])]}), "400 0x0"),
        (json!({"Conditions": [condition("name", "Equal", &[])]}), "400 0x80040203"),
        (json!({"Conditions": [condition("name eq 'A' or name", "Null", &[])]}), "400 0x80040203"),
        (json!({"FilterOperator": "Xor"}), "400 0x80048d19"),
    ] {
        desk.check(&delete(&criteria), expected);
    }
    let other = delete(&json!({})).replace("\"account\"", "\"acount\"");
    desk.check(&other, "404 0x80060888");
    desk.check("POST BulkDelete\n\n{}", "400 0x80048d19");
    desk.check("GET BulkDelete", "405");
    assert_eq!(names(&desk).len(), 4);
}
