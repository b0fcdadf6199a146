use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, StringArray};
use bytes::Bytes;
use dvsync_cli::Embedded;
use dvsync_dataverse::{Client, Clock};
use dvsync_emulator::{Emulator, Settings};
use dvsync_engine::job::Job;
use dvsync_engine::journal::Reader;
use dvsync_engine::{Parts, Progress, Stop, client_settings};
use dvsync_rules::{BindSettings, Bound, Context, Limits, Rule, Side};
use http::Request;
use serde_json::{Value, json};

use crate::projects::{Language, rule, sandbox};

const URL: &str = "http://127.0.0.1:9";
const SCHEMA: &str = include_str!("../../examples/adventureworks/schema.toml");

fn examples() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

fn example(language: Language) -> Rule {
    rule(&format!("examples/rules-{}", language.word()))
}

fn shipped() -> Rule {
    sandbox().admit(dvsync_cli::component("contact").unwrap(), "contact").unwrap()
}

/// A target with the accounts and the users of the AdventureWorks example.
struct Target {
    emulator: Arc<Emulator>,
    clock: Clock,
}

impl Target {
    fn new() -> Self {
        let settings = Settings::default().with_schema(SCHEMA).unwrap();
        let target =
            Self { emulator: Arc::new(Emulator::new(settings).unwrap()), clock: Clock::new() };
        target.seed("accounts.csv", "accounts", &[("accountnumber", 0), ("name", 1)]);
        target.seed("salespeople.csv", "systemusers", &[("internalemailaddress", 3)]);
        target
    }

    fn seed(&self, file: &str, set: &str, columns: &[(&str, usize)]) {
        let text =
            std::fs::read_to_string(examples().join("adventureworks/data").join(file)).unwrap();
        for (number, line) in text.lines().skip(1).enumerate() {
            let cells: Vec<&str> = line.split(',').collect();
            let mut record: serde_json::Map<String, Value> = columns
                .iter()
                .map(|(column, position)| ((*column).to_owned(), json!(cells[*position])))
                .collect();
            // The same ids in each target.
            let id = format!("00000000-0000-0000-0000-{:012}", number + 1);
            record.insert(format!("{}id", set.trim_end_matches('s')), json!(id));
            let (status, said) =
                self.ask("POST", &format!("/api/data/v9.2/{set}"), &Value::Object(record));
            // Some numbers come twice.
            assert!(status == 204 || status == 412, "{said}");
        }
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let request = Request::builder()
            .method(method)
            .uri(format!("{URL}{}", path.replace(' ', "%20")))
            .header("authorization", "Bearer emulator")
            .header("content-type", "application/json")
            .body(if body.is_null() { Bytes::new() } else { body.to_string().into() })
            .unwrap();
        let response = self.emulator.handle(request, Duration::from_secs(1_763_800_000)).response;
        let status = response.status().as_u16();
        (status, serde_json::from_slice(response.body()).unwrap_or(Value::Null))
    }

    /// What the run has left: its counts, letters and all contacts.
    async fn synced(&self, rule: Rule) -> Synced {
        let folder = tempfile::tempdir().unwrap();
        let job = job(folder.path());
        let transport = Arc::new(Embedded::new(Arc::clone(&self.emulator), self.clock));
        let client = Client::new(client_settings(&job, URL), transport, self.clock).unwrap();
        let parts = Parts { client, clock: self.clock, rule: Some(rule), seed: 0, swaps: None };
        let report = dvsync_engine::run(&job, parts, &Progress::new(), &Stop::new()).await.unwrap();
        report.counts.check().unwrap();
        let reader = Reader::open(&report.journal).unwrap();
        let mut letters: Vec<String> = reader
            .letters(&report.run_id)
            .unwrap()
            .map(|record| {
                let letter = record.unwrap().letter;
                format!("{} {} {:?} {}", letter.origin, letter.code, letter.column, letter.message)
            })
            .collect();
        letters.sort();
        let select = "externaluseridentifier,emailaddress1,firstname,lastname,telephone1,\
                      telephone2,mobilephone,address1_line1,address1_line2,address1_city,\
                      address1_stateorprovince,address1_postalcode,address1_country,\
                      _parentcustomerid_value,_ownerid_value";
        let (status, said) = self.ask(
            "GET",
            &format!("/api/data/v9.2/contacts?$select={select}&$orderby=externaluseridentifier"),
            &Value::Null,
        );
        assert_eq!(status, 200, "{said}");
        let mut contacts = said["value"].as_array().unwrap().clone();
        for contact in &mut contacts {
            // A stamp of the service's own.
            contact.as_object_mut().unwrap().remove("@odata.etag");
        }
        Synced { counts: format!("{:?}", report.counts), letters, contacts }
    }
}

#[derive(Debug, PartialEq)]
struct Synced {
    counts: String,
    letters: Vec<String>,
    contacts: Vec<Value>,
}

/// The job of the example, with a target of our own.
fn job(folder: &Path) -> Job {
    let text = std::fs::read_to_string(examples().join("rules-python/contacts.toml")).unwrap();
    let mut job: toml::Table = text.parse().unwrap();
    let target = job["target"].as_table_mut().unwrap();
    target.remove("emulator");
    target.insert("url".to_owned(), URL.into());
    let principal: toml::Table = "name = \"p\"\ntoken = { env = \"TOKEN\" }".parse().unwrap();
    target.insert("principals".to_owned(), vec![toml::Value::Table(principal)].into());
    job.insert(
        "variables".to_owned(),
        toml::Table::from_iter([(
            "data".to_owned(),
            examples().join("adventureworks/data").canonicalize().unwrap().to_str().unwrap().into(),
        )])
        .into(),
    );
    let path = folder.join("contacts.toml");
    std::fs::write(&path, job.to_string()).unwrap();
    Job::load(&path, &BTreeMap::new(), &|name| (name == "TOKEN").then(|| "emulator".to_owned()))
        .unwrap_or_else(|error| panic!("{error}"))
}

#[tokio::test]
async fn the_same_rule_in_three_languages_leaves_the_same_records() {
    let expected = Target::new().synced(shipped()).await;
    assert!(expected.contacts.len() > 100, "{} contacts", expected.contacts.len());
    for language in Language::ALL.into_iter().filter(|language| language.is_there()) {
        let target = Target::new();
        let found = target.synced(example(language)).await;
        assert_eq!(found.counts, expected.counts, "{language:?}");
        assert_eq!(found.letters, expected.letters, "{language:?}");
        for (one, other) in found.contacts.iter().zip(&expected.contacts) {
            assert_eq!(one, other, "{language:?}");
        }
        assert_eq!(found.contacts.len(), expected.contacts.len());
    }
}

const ROWS: usize = 2_000;

/// Customers made of what goes wrong in real ones, from a seed.
fn customers() -> RecordBatch {
    let mut random = fastrand::Rng::with_seed(7);
    let mut text = |pieces: &[&str], most: usize, nulls: u8| -> ArrayRef {
        let cells = (0..ROWS).map(|_| {
            let count = random.usize(0..=most);
            let cell: String = (0..count).map(|_| pieces[random.usize(..pieces.len())]).collect();
            (random.u8(..100) >= nulls).then_some(cell)
        });
        Arc::new(cells.collect::<StringArray>())
    };
    let blanks = [" ", "\t", "\u{a0}", "\u{2003}", "a", "B", "é", "ß", "0", "\u{1f600}", "-"];
    let digits = [
        "1",
        "2",
        "0",
        "00",
        "011",
        "+",
        "(",
        ")",
        "-",
        " ",
        ".",
        "x",
        " ext. ",
        "#",
        "44",
        "(0)",
        "1 (11) ",
        "500 ",
        "555-",
        "398-555-0132",
        "0162",
        "e",
        "/",
    ];
    let mails = [
        "a",
        "B",
        "é",
        "1",
        "24",
        ".",
        "_",
        "+",
        "@",
        "@example.com",
        "@mail.example.co.uk",
        " ",
        "'",
        "<",
        "..",
        "-",
        "O",
    ];
    let countries =
        ["FR", "Germany", " australia ", "US", "United Kingdom", "Narnia", "", " ", "italy", "fi"];
    let (number, email) = (text(&blanks, 6, 5), text(&mails, 8, 5));
    let (phone, kind) = (text(&digits, 7, 5), text(&["1", "2", "3", " ", "9"], 1, 20));
    let (line, country) = (text(&blanks, 8, 10), text(&countries, 1, 30));
    let territories: ArrayRef = {
        let mut random = fastrand::Rng::with_seed(8);
        let cells = (0..ROWS).map(|_| (random.u8(..10) > 0).then(|| random.i64(1..12)));
        Arc::new(cells.collect::<Int64Array>())
    };
    RecordBatch::try_from_iter([
        ("customer_number", number),
        ("email", email),
        ("phone", phone),
        ("phone_type", kind),
        ("line1", line),
        ("country", country),
        ("territory_id", territories),
    ])
    .unwrap()
}

fn salespeople() -> RecordBatch {
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![Some(4), Some(4), None, Some(7), Some(8)]));
    let emails: ArrayRef =
        Arc::new(StringArray::from(vec!["linda@x.com", "shu@x.com", "s@x.com", " ", "gone@x.com"]));
    let current: ArrayRef = Arc::new(StringArray::from(vec!["yes", "1", "1", "true", "no"]));
    RecordBatch::try_from_iter([("territory_id", ids), ("email", emails), ("current", current)])
        .unwrap()
}

fn bind(rule: &Rule, settings: &Value) -> Bound {
    let context = Context {
        entity: "contact".to_owned(),
        settings: settings.clone(),
        source: customers().schema(),
        target: Arc::new(arrow_schema::Schema::empty()),
        seed: 1,
        now: "2026-01-01T00:00:00Z".parse().unwrap(),
    };
    let tables = BTreeMap::from([("salespeople".to_owned(), salespeople())]);
    let limits = Limits::of(rule.profile());
    rule.bind(context, tables, limits, BindSettings::default())
        .unwrap_or_else(|error| panic!("{error}"))
}

/// All that the rule says of the customers, a line each.
fn answers(bound: &Bound, rows: &RecordBatch) -> Vec<String> {
    let transformed = bound.transform(rows).unwrap();
    assert_eq!(transformed.faults, []);
    let keys = bound.derive(Side::Incoming, rows).unwrap();
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    let none = Arc::new(arrow_schema::Schema::empty());
    let none = RecordBatch::try_new_with_options(none, Vec::new(), &options).unwrap();
    let owners = bound.owner(rows, &none).unwrap();
    let mut lines = vec![String::new(); rows.num_rows()];
    for setting in &transformed.columns {
        let cells = setting.array.as_any().downcast_ref::<StringArray>().unwrap();
        for (row, line) in lines.iter_mut().enumerate() {
            let is_left = setting.leave.as_ref().is_some_and(|leave| leave.value(row));
            if !is_left {
                let cell = cells.is_valid(row).then(|| cells.value(row));
                line.push_str(&format!("{}={cell:?} ", setting.name));
            }
        }
    }
    for verdict in &transformed.verdicts {
        let said =
            format!("{:?} {} {:?} {}", verdict.kind, verdict.code, verdict.column, verdict.message);
        // A row that is stopped sets nothing in a run.
        lines[verdict.row] = said;
    }
    for (row, line) in lines.iter_mut().enumerate() {
        line.push_str(&format!("key={:?}", keys.keys.value(row)));
    }
    lines.push(format!("{owners:?}"));
    lines
}

#[test]
fn the_same_rule_in_three_languages_says_the_same_of_whatever_comes() {
    let rows = customers();
    for settings in [
        json!({}),
        json!({"territory_countries": {"7": "FR", "8": "Germany"}, "default_country": "AU",
               "phone_format": "e164", "bad_phone": "clear", "bad_email": "clear",
               "fallback_owner": "boss@x.com"}),
        json!({"bad_phone": "reject", "names": false, "skip": ["telephone2", "firstname"],
               "phone_types": {"9": "telephone2"}, "owner_by_territory": false}),
    ] {
        let expected = answers(&bind(&shipped(), &settings), &rows);
        for language in Language::ALL.into_iter().filter(|language| language.is_there()) {
            let found = answers(&bind(&example(language), &settings), &rows);
            for (row, (one, other)) in found.iter().zip(&expected).enumerate() {
                let asked = rows.slice(row.min(rows.num_rows() - 1), 1);
                assert_eq!(one, other, "{language:?}, row {row} of {settings}: {asked:?}");
            }
            assert_eq!(found.len(), expected.len());
        }
    }
}

#[test]
fn a_wrong_setting_is_named_in_every_language() {
    let told = |rule: &Rule, settings: &Value| {
        let context = Context {
            entity: "contact".to_owned(),
            settings: settings.clone(),
            source: customers().schema(),
            target: Arc::new(arrow_schema::Schema::empty()),
            seed: 1,
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
        };
        let error = rule.needs(context, &Limits::of(rule.profile())).unwrap_err().to_string();
        // After the rule's name and version.
        error.split_once(": ").unwrap().1.to_owned()
    };
    for settings in [
        json!({"phone_types": {"1": "fax"}}),
        json!({"territory_countries": {"1": "Narnia"}}),
        json!({"skip": ["phone"]}),
        json!({"owner": true}),
        json!({"names": "yes"}),
        json!({"bad_phone": "shrug"}),
        json!({"skip": "phone"}),
    ] {
        let (setting, value) = settings.as_object().unwrap().iter().next().unwrap();
        let value = match value {
            Value::Object(of) => of.values().next().unwrap(),
            Value::Array(of) => &of[0],
            other => other,
        };
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        for rule in Language::ALL.into_iter().filter(|language| language.is_there()).map(example) {
            let said = told(&rule, &settings);
            assert!(said.contains(&format!("`{setting}")), "{setting}: {said}");
            let told =
                said.contains(&value) || ["found ", "not known"].iter().any(|w| said.contains(w));
            assert!(told, "{value}: {said}");
        }
        assert!(told(&shipped(), &settings).contains(&format!("`{setting}")));
    }
}
