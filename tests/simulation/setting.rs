//! A case as files: settings of the service, a job, its rows.

use crate::case::{Case, Match, Mode, Row};
use crate::model::key;

pub(crate) const URL: &str = "http://127.0.0.1:9";
const TENANT: &str = "11111111-1111-4111-8111-111111111111";

/// What of the job is different from when it was first run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mended {
    /// Its rule does not stumble.
    pub(crate) rule: bool,
    /// It cuts names that are too long.
    pub(crate) names: bool,
}

pub(crate) fn email(contact: u32) -> String {
    format!("c{contact}@x.example")
}

pub(crate) fn csv(rows: &[Row]) -> String {
    let mut out = String::from("no,name,n,contact\n");
    for row in rows {
        let name = row.name.replace('"', "\"\"");
        let n = row.n.map(|n| n.to_string()).unwrap_or_default();
        let contact = row.contact.map(email).unwrap_or_default();
        out.push_str(&format!("{},\"{name}\",{n},{contact}\n", key(row.no)));
    }
    out
}

pub(crate) fn settings(case: &Case) -> String {
    let mut out = format!("seed = {}\nweb_servers = {}\n", case.seed, case.servers);
    for number in 0..case.principals {
        let credential = match case.token_life {
            None => format!("token = \"p{number}\"\n"),
            Some(_) => {
                format!("client_id = \"{}\"\nclient_secret = \"p{number}\"\n", client(number))
            }
        };
        out.push_str(&format!("[principals.p{number}]\n{credential}"));
    }
    out.push_str("[principals.observer]\ntoken = \"observer\"\n");
    if let Some(life) = case.token_life {
        out.push_str(&format!("[tokens]\nlifetime_seconds = {life}\n"));
    }
    out.push_str("[latency]\nbase_ms = 20.0\nper_record_ms = 1.0\n");
    if case.limits {
        out.push_str("[limits]\nrequests = 12\nexecution_seconds = 20.0\nconcurrency = 3\nwindow_seconds = 30.0\n");
    }
    out.push_str("[tables.new_thing]\nset = \"new_things\"\nprimary_name = \"new_name\"\n");
    if case.matching != Match::Column {
        out.push_str("keys.new_no_key = [\"new_no\"]\n");
    }
    out.push_str(
        "[tables.new_thing.columns]\n\
         new_no = { type = \"text\", max_length = 50 }\n\
         new_name = { type = \"text\", max_length = 160 }\n\
         new_n = { type = \"integer\", min = 0, max = 1000 }\n\
         twice = { type = \"integer\" }\n\
         new_contactid = { type = \"lookup\", targets = [\"contact\"], schema_name = \"new_ContactId\" }\n",
    );
    out
}

pub(crate) fn job(case: &Case, mended: Mended, journal: &str) -> String {
    let mode = match case.mode {
        Mode::Upsert => "upsert",
        Mode::Update => "update",
        Mode::Insert => "insert",
    };
    let (matching, lookup) = match case.matching {
        Match::Key => ("key", "columns"),
        Match::Column => ("columns", "columns"),
        Match::Blind => ("key", "none"),
    };
    let durability = if case.power_cut { "power_cut" } else { "process" };
    let n = if case.rule.is_some() { "int64" } else { "text" };
    let mut out = format!(
        "name = \"simulated\"\nmode = \"{mode}\"\n\
         [source]\npath = \"rows.csv\"\nkey = [\"no\"]\n\
         types = {{ no = \"text\", name = \"text\", n = \"{n}\", contact = \"text\" }}\n\
         duplicates = {{ keep = \"{}\" }}\n\
         [target]\nurl = \"{URL}\"\nentity = \"new_thing\"\nconcurrency_max = {}\n\
         match = {{ {matching} = [\"new_no\"] }}\nlookup = \"{lookup}\"\n\
         [journal]\npath = \"{journal}\"\nretention = \"3650d\"\ndurability = \"{durability}\"\n\
         [columns.new_no]\nfrom = \"no\"\n[columns.new_name]\nfrom = \"name\"\n",
        case.keep, case.concurrency
    );
    if mended.names {
        out.push_str("too_long = \"truncate\"\n");
    }
    out.push_str(&format!(
        "[columns.new_n]\nfrom = \"n\"\n[columns.new_contactid]\n\
         lookup = {{ entity = \"contact\", by = \"emailaddress1\", from = \"contact\", on_missing = \"{}\" }}\n\
         [batch]\nrecords = {}\n",
        case.on_missing, case.batch
    ));
    if let Some(stumbles) = case.rule {
        let how = if mended.rule { "good" } else { stumbles };
        out.push_str(&format!(
            "[rules]\nplugin = \"hostile.wasm\"\nsettings = {{ mode = \"{how}\" }}\n"
        ));
    }
    for number in 0..case.principals {
        let credential = match case.token_life {
            None => format!("token = {{ env = \"P{number}\" }}\n"),
            Some(_) => format!(
                "tenant_id = \"{TENANT}\"\nclient_id = \"{}\"\nclient_secret = {{ env = \"P{number}\" }}\n",
                client(number)
            ),
        };
        out.push_str(&format!("[[target.principals]]\nname = \"p{number}\"\n{credential}"));
    }
    out
}

fn client(number: usize) -> String {
    format!("00000000-0000-4000-8000-00000000000{number}")
}
