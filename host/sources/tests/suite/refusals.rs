use dvsync_sources::SourceKind;
use expect_test::{Expect, expect};

use crate::world::{World, story};

fn check(kind: SourceKind, files: &[(&str, &str)], expected: Expect) {
    check_with(kind, files, |_| {}, expected);
}

fn check_with(
    kind: SourceKind,
    files: &[(&str, &str)],
    change: impl FnOnce(&mut World),
    expected: Expect,
) {
    let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let mut world = World::new(kind, &files);
    change(&mut world);
    expected.assert_eq(&story(&world.settings));
}

#[test]
fn paths_that_lead_nowhere() {
    let nowhere = |world: &mut World| world.settings.path = "acounts.csv".into();
    check_with(SourceKind::Csv, &[("t.csv", "a\n")], nowhere, expect![[""]]);
    let folder = |world: &mut World| world.settings.path = ".".into();
    check_with(SourceKind::Parquet, &[("t.csv", "a\n")], folder, expect![[""]]);
}

#[test]
fn headers_that_cannot_be() {
    check(SourceKind::Csv, &[("t.csv", "id,name,id\n1,2,3\n")], expect![[""]]);
    check(SourceKind::Csv, &[("t.csv", "\nid,\"name\n1,2\n")], expect![[""]]);
    check(SourceKind::Csv, &[("t.csv", "id,name\r1,x\r2,y\r")], expect![[""]]);
}

#[test]
fn files_that_disagree() {
    let a = ("a.csv", "id,name\n1,x\n");
    check(SourceKind::Csv, &[a, ("b.csv", "id,nam\n")], expect![[""]]);
    check(SourceKind::Csv, &[a, ("b.csv", "id,zip,name\n")], expect![[""]]);
    check(SourceKind::Csv, &[a, ("b.csv", "name,id\ny,2\n"), ("c.csv", "")], expect![[""]]);
}

#[test]
fn columns_that_are_not_there() {
    let text = [("t.csv", "account_number,name\n1,x\n")];
    check_with(
        SourceKind::Csv,
        &text,
        |world| world.declare(&[("accountnumber", "text")]),
        expect![[""]],
    );
    check_with(SourceKind::Csv, &text, |world| world.declare(&[("zzz", "text")]), expect![[""]]);
}

#[test]
fn files_of_another_format() {
    check(SourceKind::Csv, &[("t.csv", "PAR1....PAR1")], expect![[""]]);
    check(SourceKind::Csv, &[("t.csv", "PK\u{3}\u{4}....")], expect![[""]]);
    check(SourceKind::Json, &[("t.json", "ARROW1..........")], expect![[""]]);
    check(SourceKind::Parquet, &[("t.parquet", "a,b\n1,2\n")], expect![[""]]);
    check(SourceKind::Arrow, &[("t.arrow", "a,b\n1,2\n")], expect![[""]]);
    check(SourceKind::Arrow, &[("t.arrow", "")], expect![[""]]);
}

#[test]
fn settings_that_cannot_be() {
    let mut told = String::new();
    let changes: [fn(&mut World); 10] = [
        |world| world.settings.csv.delimiter = '§',
        |world| world.settings.csv.quote = "''".into(),
        |world| world.settings.csv.delimiter = '"',
        |world| world.settings.csv.encoding = Some("latin-9000".into()),
        |world| world.settings.csv.decimal = ';',
        |world| world.settings.csv.thousands = Some('.'),
        |world| {
            world.settings.csv.decimal = ',';
            world.settings.csv.thousands = Some(',');
        },
        |world| world.settings.csv.date_format = Some("DD.MM.YYYY".into()),
        |world| world.settings.csv.timestamp_format = Some("%H:%M".into()),
        |world| world.settings.record_bytes_max = 0,
    ];
    for change in changes {
        let mut world = World::new(SourceKind::Csv, &[("t.csv", b"a\n1\n")]);
        change(&mut world);
        told += &story(&world.settings);
        told += "\n";
    }
    expect![[""]].assert_eq(&told);
}

#[test]
fn settings_are_read_from_a_job_file_and_unknown_keys_refused() {
    let csv: dvsync_sources::CsvSettings = serde_json::from_str(
        r#"{"delimiter": ";", "encoding": "windows-1252", "decimal": ",", "null": ["", "NULL"], "true": ["ja"]}"#,
    )
    .unwrap();
    assert_eq!((csv.delimiter, csv.decimal, csv.header), (';', ',', true));
    assert_eq!(csv.true_words, ["ja"]);
    let error = serde_json::from_str::<dvsync_sources::CsvSettings>(r#"{"delimeter": ";"}"#);
    assert!(error.unwrap_err().to_string().contains("unknown field `delimeter`"));
}
