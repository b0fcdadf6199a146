//! Rows of files as records that the emulator has from the start.
//!
//! They go in through the Web API, with CreateMultiple where the table has it, so
//! that whatever the service would refuse is refused here. A table that has
//! records already is left alone: a kept state is seeded once.

use std::collections::BTreeMap;
use std::time::Duration;

use arrow_array::{Array, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use bytes::Bytes;
use dvsync_dataverse::Clock;
use dvsync_emulator::{Emulator, Unguarded};
use dvsync_engine::job::kind_of;
use dvsync_sources::{Scan, Settings, SourceKind};
use http::{Method, Request};
use serde::Deserialize;
use serde_json::Value;

use crate::failure::Failure;
use crate::open::EMULATOR_URL;

/// Records of a bulk call.
const BATCH: usize = 500;

#[derive(Debug, Deserialize)]
struct Definition {
    #[serde(rename = "EntitySetName")]
    set: String,
    #[serde(rename = "Attributes")]
    attributes: Vec<Attribute>,
}

#[derive(Debug, Deserialize)]
struct Attribute {
    #[serde(rename = "LogicalName")]
    name: String,
    #[serde(rename = "AttributeType")]
    kind: String,
}

/// How a cell is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Text,
    Number,
    Flag,
}

/// Puts the rows of a file into a table; says what it did.
pub(super) fn sow(emulator: &Emulator, table: &str, path: &str) -> Result<String, Failure> {
    let field = Field::open(emulator, table)?;
    let count = field.ask(Method::GET, &format!("{}/$count", field.set), Bytes::new());
    if count.is_ok_and(|count| count != "0") {
        return Ok(format!("`{table}` has records already: `{path}` is left out"));
    }
    let kind = kind_of(path).ok_or_else(|| {
        Failure::usage(format!("cannot tell the kind of `{path}` by its ending"))
            .hint("name it .csv, .json, .parquet or .arrow")
    })?;
    let mut settings = Settings::new(kind, path, ".");
    if kind == SourceKind::Csv {
        // As it is written: the table's metadata tells what is a number.
        settings.infer_rows = 0;
    }
    let source = dvsync_sources::open(&settings)?;
    let mut count = 0;
    let mut waiting = Vec::new();
    for chunk in source.scan(&Scan::default())? {
        let chunk = chunk?;
        let file = &source.parts()[chunk.part as usize].name;
        if let Some(bad) = chunk.bad.first() {
            return Err(field.failed(&format!("{file}:{}: {}", bad.line, bad.message)));
        }
        let rows = field.records(&chunk.rows)?;
        count += rows.len();
        for (row, record) in rows.into_iter().enumerate() {
            waiting.push((format!("{file}:{}", chunk.lines.at(row)), record));
            if waiting.len() == field.batch {
                field.put(&std::mem::take(&mut waiting))?;
            }
        }
    }
    field.put(&waiting)?;
    Ok(format!("put {count} records of `{path}` into `{table}`"))
}

/// A table that is seeded.
struct Field<'e> {
    emulator: &'e Emulator,
    now: Duration,
    table: &'e str,
    set: String,
    forms: BTreeMap<String, Form>,
    /// Records of a call: one where there is no bulk message.
    batch: usize,
}

impl<'e> Field<'e> {
    fn open(emulator: &'e Emulator, table: &'e str) -> Result<Self, Failure> {
        let now = Duration::try_from(Clock::new().wall().as_duration()).unwrap_or_default();
        let forms = BTreeMap::new();
        let mut field = Self { emulator, now, table, set: String::new(), forms, batch: BATCH };
        let path = format!(
            "EntityDefinitions(LogicalName='{table}')?$select=EntitySetName&\
             $expand=Attributes($select=LogicalName,AttributeType)"
        );
        let definition = field.ask(Method::GET, &path, Bytes::new()).map_err(|refusal| {
            field
                .failed(&refusal)
                .hint("name a table of the emulator or of its schema, in lower case and singular")
        })?;
        let definition: Definition = serde_json::from_str(&definition)
            .map_err(|error| Failure::bug("cannot read the emulator's metadata", error))?;
        field.forms = definition.attributes.into_iter().map(form).collect();
        field.set = definition.set;
        let probe = format!(
            "sdkmessagefilters?$select=sdkmessagefilterid&$filter=primaryobjecttypecode eq \
             '{table}' and sdkmessageid/name eq 'CreateMultiple'"
        );
        let found = field.ask(Method::GET, &probe, Bytes::new()).unwrap_or_default();
        let found: Value = serde_json::from_str(&found).unwrap_or_default();
        if found["value"].as_array().is_none_or(Vec::is_empty) {
            field.batch = 1;
        }
        Ok(field)
    }

    /// The rows as JSON objects.
    fn records(&self, rows: &RecordBatch) -> Result<Vec<String>, Failure> {
        const OPTIONS: FormatOptions<'static> = FormatOptions::new();
        let schema = rows.schema();
        let mut columns = Vec::new();
        for (field, array) in schema.fields().iter().zip(rows.columns()) {
            let name = field.name();
            let texts = ArrayFormatter::try_new(array.as_ref(), &OPTIONS)
                .map_err(|error| Failure::because(format!("cannot read column `{name}`"), error))?;
            let form = self.forms.get(name.as_str()).copied().unwrap_or(Form::Text);
            columns.push((Value::from(name.as_str()).to_string(), array, texts, form));
        }
        let record = |row: usize| {
            let mut record = format!("{{\"@odata.type\":\"Microsoft.Dynamics.CRM.{}\"", self.table);
            for (name, array, texts, form) in &columns {
                if !array.is_null(row) {
                    let cell = cell(&texts.value(row).to_string(), *form);
                    record.push_str(&format!(",{name}:{cell}"));
                }
            }
            record.push('}');
            record
        };
        Ok((0..rows.num_rows()).map(record).collect())
    }

    fn put(&self, records: &[(String, String)]) -> Result<(), Failure> {
        let (Some((first, one)), Some((last, _))) = (records.first(), records.last()) else {
            return Ok(());
        };
        let (path, body) = if self.batch == 1 {
            (self.set.clone(), one.clone())
        } else {
            let all: Vec<&str> = records.iter().map(|(_, record)| record.as_str()).collect();
            let body = format!("{{\"Targets\":[{}]}}", all.join(","));
            (format!("{}/Microsoft.Dynamics.CRM.CreateMultiple", self.set), body)
        };
        let sent = self.ask(Method::POST, &path, Bytes::from(body));
        sent.map(drop).map_err(|refusal| {
            let place = if first == last { first.clone() } else { format!("{first} to {last}") };
            self.failed(&format!("{place}: {refusal}"))
                .hint("columns are named as in the Web API; a lookup is `name@odata.bind`")
        })
    }

    /// The body of a good reply, or what the service says against it.
    fn ask(&self, method: Method, path: &str, body: Bytes) -> Result<String, String> {
        let path = path.replace(' ', "%20");
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{EMULATOR_URL}/api/data/v9.2/{path}"))
            .header("content-type", "application/json")
            .body(body)
            .map_err(|error| error.to_string())?;
        request.extensions_mut().insert(Unguarded);
        let response = self.emulator.handle(request, self.now).response;
        let status = response.status();
        let text = String::from_utf8_lossy(response.body()).into_owned();
        if status.is_success() {
            return Ok(text);
        }
        let said: Value = serde_json::from_str(&text).unwrap_or_default();
        match said["error"]["message"].as_str() {
            Some(message) => Err(format!("{status}: {message}")),
            None => Err(format!("{status}: {text}")),
        }
    }

    fn failed(&self, why: &str) -> Failure {
        Failure::usage(format!("cannot seed `{}`: {why}", self.table))
    }
}

fn form(attribute: Attribute) -> (String, Form) {
    let form = match attribute.kind.as_str() {
        "Integer" | "BigInt" | "Decimal" | "Double" | "Money" | "Picklist" | "State" | "Status" => {
            Form::Number
        }
        "Boolean" => Form::Flag,
        _ => Form::Text,
    };
    (attribute.name, form)
}

/// A cell as JSON. What is no number stays text, for the service to refuse.
fn cell(text: &str, form: Form) -> String {
    let is_number = || text.parse::<f64>().is_ok_and(f64::is_finite) && !text.starts_with('+');
    match (form, text) {
        (Form::Number, _) if is_number() => text.to_owned(),
        (Form::Flag, "true" | "1") => "true".to_owned(),
        (Form::Flag, "false" | "0") => "false".to_owned(),
        _ => Value::from(text).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sown(table: &str, name: &str, text: &str) -> (Emulator, Result<String, String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        let emulator = Emulator::new(dvsync_emulator::Settings::default()).unwrap();
        let path = path.to_str().unwrap();
        let first = sow(&emulator, table, path).map_err(|failure| failure.lines().join("; "));
        if first.is_ok() {
            let again = sow(&emulator, table, path).unwrap();
            assert!(again.contains("has records already"), "{again}");
        }
        let shown = first.map(|said| said.replace(path, name));
        (emulator, shown.map_err(|said| said.replace(folder.path().to_str().unwrap(), "")))
    }

    fn rows(emulator: &Emulator, query: &str) -> Value {
        let field = Field::open(emulator, "account").unwrap();
        let said = field.ask(Method::GET, &format!("accounts{query}"), Bytes::new()).unwrap();
        serde_json::from_str::<Value>(&said).unwrap()["value"].clone()
    }

    #[test]
    fn rows_of_a_file_become_records_with_numbers_and_flags() {
        let csv = "name,numberofemployees,revenue,donotemail,industrycode,accountnumber\n\
                   A,12,1000.50,true,3,007\nB,,,false,,\n";
        let (emulator, said) = sown("account", "accounts.csv", csv);
        assert_eq!(said.unwrap(), "put 2 records of `accounts.csv` into `account`");
        let select =
            "?$select=name,numberofemployees,revenue,donotemail,accountnumber&$orderby=name";
        let rows = rows(&emulator, select);
        assert_eq!(
            (&rows[0]["numberofemployees"], &rows[0]["donotemail"], &rows[0]["accountnumber"]),
            (&12.into(), &true.into(), &"007".into())
        );
        assert_eq!(rows[0]["revenue"].as_f64(), Some(1000.5));
        assert_eq!(
            (&rows[1]["numberofemployees"], &rows[1]["donotemail"]),
            (&Value::Null, &false.into())
        );
    }

    #[test]
    fn a_table_without_bulk_messages_is_seeded_one_by_one() {
        let json = "{\"fullname\":\"x\",\"lastname\":\"One\",\"domainname\":\"one@x\"}\n";
        let emulator = Emulator::new(dvsync_emulator::Settings::default()).unwrap();
        assert_eq!(Field::open(&emulator, "businessunit").unwrap().batch, 1);
        assert_eq!(Field::open(&emulator, "account").unwrap().batch, BATCH);
        let (_, said) = sown("team", "teams.json", &json.replace("fullname", "name"));
        assert!(said.is_err());
        let (_, said) = sown("team", "teams.json", "{\"name\":\"One\"}\n{\"name\":\"Two\"}\n");
        assert_eq!(said.unwrap(), "put 2 records of `teams.json` into `team`");
    }

    #[test]
    fn what_the_service_refuses_is_told_with_its_place() {
        for (table, name, text, expected) in [
            ("account", "a.csv", "name\nA\n", None),
            ("account", "a.csv", "nome\nA\n", Some("a.csv:2: 400 Bad Request: An error occurred")),
            ("account", "a.csv", "numberofemployees\n1\nx\n", Some("a.csv:2 to /a.csv:3: 400")),
            ("acount", "a.csv", "name\nA\n", Some("cannot seed `acount`: 404")),
            ("account", "a.xls", "", Some("cannot tell the kind of `/a.xls` by its ending")),
        ] {
            let (_, said) = sown(table, name, text);
            match expected {
                None => drop(said.unwrap()),
                Some(part) => assert!(said.as_ref().unwrap_err().contains(part), "{said:?}"),
            }
        }
    }
}
