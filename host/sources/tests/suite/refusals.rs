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
    check_with(
        SourceKind::Csv,
        &[("t.csv", "a\n")],
        nowhere,
        expect![
            "error: no file at `acounts.csv`; hint: a relative path starts from the folder of the job file"
        ],
    );
    let folder = |world: &mut World| world.settings.path = ".".into();
    check_with(
        SourceKind::Parquet,
        &[("t.csv", "a\n")],
        folder,
        expect![
            "error: no parquet file in folder `.`; hint: files ending in `.parquet`, `.parq` are looked for, not in subfolders; a glob such as `**/*` takes others"
        ],
    );
}

#[test]
fn headers_that_cannot_be() {
    check(
        SourceKind::Csv,
        &[("t.csv", "id,name,id\n1,2,3\n")],
        expect![
            "error: t.csv: columns 1 and 3 are both named `id`; hint: rename one of them, or set `header = false` and remove the line"
        ],
    );
    check(
        SourceKind::Csv,
        &[("t.csv", "\nid,\"name\n1,2\n")],
        expect![
            "error: t.csv:2: cannot read the header: the quote that opens field 2 is not closed; hint: close it, or double quotes that belong to the text"
        ],
    );
    check(
        SourceKind::Csv,
        &[("t.csv", "id,name\r1,x\r2,y\r")],
        expect![[
            r#"error: t.csv:1: cannot read the header: the name of column 2 has a carriage return: `name\r1`; hint: end lines with a line feed"#
        ]],
    );
}

#[test]
fn files_that_disagree() {
    let a = ("a.csv", "id,name\n1,x\n");
    check(
        SourceKind::Csv,
        &[a, ("b.csv", "id,nam\n")],
        expect![
            "error: `b.csv` has no column `name`, which `a.csv` has; hint: files of one source have the same columns, in any order"
        ],
    );
    check(
        SourceKind::Csv,
        &[a, ("b.csv", "id,zip,name\n")],
        expect![
            "error: `b.csv` has a column `zip`, which `a.csv` has not; hint: files of one source have the same columns, in any order"
        ],
    );
    check(
        SourceKind::Csv,
        &[a, ("b.csv", "name,id\ny,2\n"), ("c.csv", "")],
        expect![[r#"
        id Int64, name Utf8
        #0 0:2 | 1 | x
        #1 1:2 | 2 | y"#]],
    );
}

#[test]
fn columns_that_are_not_there() {
    let text = [("t.csv", "account_number,name\n1,x\n")];
    check_with(
        SourceKind::Csv,
        &text,
        |world| world.declare(&[("accountnumber", "text")]),
        expect![
            "error: a type is declared for column `accountnumber`, which `t.csv` does not have; hint: did you mean `account_number`?"
        ],
    );
    check_with(
        SourceKind::Csv,
        &text,
        |world| world.declare(&[("zzz", "text")]),
        expect!["error: a type is declared for column `zzz`, which `t.csv` does not have"],
    );
}

#[test]
fn files_of_another_format() {
    check(
        SourceKind::Csv,
        &[("t.csv", "PAR1....PAR1")],
        expect![[r#"error: `t.csv` is not csv but Parquet; hint: set `kind = "parquet"`"#]],
    );
    check(
        SourceKind::Csv,
        &[("t.csv", "PK\u{3}\u{4}....")],
        expect![
            "error: `t.csv` is not csv but a ZIP archive or an Excel workbook; hint: export the data as csv"
        ],
    );
    check(
        SourceKind::Json,
        &[("t.json", "ARROW1..........")],
        expect![[r#"error: `t.json` is not json but Arrow IPC; hint: set `kind = "arrow"`"#]],
    );
    check(
        SourceKind::Parquet,
        &[("t.parquet", "a,b\n1,2\n")],
        expect![
            "error: cannot read `t.parquet` as parquet; because: Parquet error: Invalid Parquet file. Corrupt footer"
        ],
    );
    check(
        SourceKind::Arrow,
        &[("t.arrow", "a,b\n1,2\n")],
        expect!["error: cannot read `t.arrow` as arrow; because: the stream is cut short"],
    );
    check(
        SourceKind::Arrow,
        &[("t.arrow", "")],
        expect!["error: cannot read `t.arrow` as arrow; because: the file is empty"],
    );
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
    expect![[r#"
        error: invalid `csv.delimiter`: expected one ASCII character, not a line end, found `§`
        error: invalid `csv.quote`: expected one ASCII character, not a line end, found `''`
        error: invalid `csv.delimiter`: expected another character than `csv.quote` and `csv.escape`, found `"`
        error: invalid `csv.encoding`: expected a WHATWG label such as `utf-8`, `utf-16le` or `windows-1252`, found `latin-9000`
        error: invalid `csv.decimal`: expected `.` or `,`, found `;`
        error: invalid `csv.thousands`: expected `.`, `,`, `'`, `_` or a blank, and not the decimal separator, found `.`
        error: invalid `csv.thousands`: expected `.`, `,`, `'`, `_` or a blank, and not the decimal separator, found `,`
        error: invalid `csv.date_format`: expected a form such as `%d.%m.%Y` or `%d.%m.%Y %H:%M:%S`, found `DD.MM.YYYY`
        error: invalid `csv.timestamp_format`: expected a form such as `%d.%m.%Y` or `%d.%m.%Y %H:%M:%S`, found `%H:%M`
        error: invalid `record_bytes_max`: expected 1 byte to 256 MiB, found `0 bytes`
    "#]].assert_eq(&told);
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
