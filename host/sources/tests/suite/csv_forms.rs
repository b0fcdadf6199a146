use dvsync_sources::{CsvSettings, SourceKind};
use expect_test::{Expect, expect};

use crate::world::{World, story};

fn check(text: impl AsRef<[u8]>, expected: Expect) {
    check_with(text, |_| {}, expected);
}

fn check_with(text: impl AsRef<[u8]>, change: impl FnOnce(&mut World), expected: Expect) {
    let mut world = World::new(SourceKind::Csv, &[("t.csv", text.as_ref())]);
    change(&mut world);
    expected.assert_eq(&story(&world.settings));
}

fn csv(world: &mut World) -> &mut CsvSettings {
    &mut world.settings.csv
}

#[test]
fn quotes_and_line_ends_inside_fields_are_text() {
    check("a,b\r\n\"x\r\ny\",\"say \"\"hi\"\"\"\r\n1,2\r\n", expect![[""]]);
}

#[test]
fn lines_count_as_an_editor_counts_them() {
    check("a,b\n\n\n1,\"x\n\ny\"\n\r\n2,z", expect![[""]]);
}

#[test]
fn a_byte_order_mark_is_no_text() {
    check("\u{feff}a,b\n1,2\n", expect![[""]]);
}

#[test]
fn utf_16_is_known_by_its_mark_or_its_name() {
    let text = "a,b\n1,é\n";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let marked: Vec<u8> = [&[0xfe, 0xff], big.as_slice()].concat();
    let expected = expect![[""]];
    check(&marked, expected.clone());
    let name =
        |label: &'static str| move |world: &mut World| csv(world).encoding = Some(label.into());
    check_with(&little, name("utf-16le"), expected.clone());
    check_with(&big, name("UTF-16BE"), expected.clone());
    // The mark knows better than the job.
    check_with(&marked, name("windows-1252"), expected);
    check(&little, expect![[""]]);
}

#[test]
fn other_encodings_are_read_by_name() {
    check_with(
        b"name\nM\xfcller \x80\n",
        |world| csv(world).encoding = Some("windows-1252".into()),
        expect![[""]],
    );
    check_with(
        b"name,x\n\x93\xfa\x96{,1\n\x93,2\nok,3\n",
        |world| csv(world).encoding = Some("shift_jis".into()),
        expect![[""]],
    );
}

#[test]
fn invalid_bytes_spoil_their_row_only() {
    check(b"a,b\n1,M\xfcller\n2,fine\n\xff,3\n\"x\xff\ny\",4\n", expect![[""]]);
}

#[test]
fn decimal_comma_thousands_and_other_words_are_read() {
    check_with(
        "id;amount;paid;day;at\n1;1.234,5;Ja;11.09.2025;11.09.2025 10:00\n2;NULL;nein;NULL;\n",
        |world| {
            let csv = csv(world);
            csv.delimiter = ';';
            csv.decimal = ',';
            csv.thousands = Some('.');
            csv.null = vec![String::new(), "NULL".into()];
            csv.true_words = vec!["ja".into()];
            csv.false_words = vec!["nein".into()];
            csv.date_format = Some("%d.%m.%Y".into());
            csv.timestamp_format = Some("%d.%m.%Y %H:%M".into());
        },
        expect![[""]],
    );
}

#[test]
fn quoted_null_words_are_text_in_text_columns_only() {
    check("id,name\n\"\",\"\"\n1,\n\"2\",x\n", expect![[""]]);
}

#[test]
fn another_quote_no_quote_and_an_escape() {
    check_with(
        "a\tb\n'x\ty'\t\"\n",
        |world| {
            csv(world).delimiter = '\t';
            csv(world).quote = "'".into();
        },
        expect![[""]],
    );
    check_with("a,b\n\"x,\"y\n", |world| csv(world).quote = String::new(), expect![[""]]);
    check_with(
        "a,b\n\"say \\\"hi\\\" \\\\ \"\"\",plain \\\" text\n",
        |world| csv(world).escape = Some('\\'),
        expect![[""]],
    );
}

#[test]
fn without_a_header_columns_are_numbered() {
    check_with("1,x\n2,y\n", |world| csv(world).header = false, expect![[""]]);
}

#[test]
fn names_are_trimmed_and_missing_ones_are_numbered() {
    check(" id , name,,\n1,x,2,3\n", expect![[""]]);
}

#[test]
fn codes_stay_text_and_blanks_are_kept() {
    check("zip,code,name,n\n02134,+49, x ,1\n98052,12E4,y  ,-2\n", expect![[""]]);
}

#[test]
fn types_are_inferred_from_the_first_rows_and_later_misfits_are_bad() {
    check_with(
        "zip,day\n98052,2025-09-11\n02134,2025-09-12\nV6B,x\n1,2025-02-30\n7,\n",
        |world| world.settings.infer_rows = 1,
        expect![[""]],
    );
}

#[test]
fn declared_types_go_before_inference() {
    check_with(
        "zip,code,amount,flag,day,at,n\n98052,007,1.50,1,2025-09-11 00:00:00,2025-09-11T10:00:00+02:00, 12.0 \n\
         1,x,1.505,2,2025-09-11 10:00,never,1.5\n,,,,,,\n",
        |world| {
            world.declare(&[
                ("zip", "text"),
                ("code", "int64"),
                ("amount", "decimal(10,2)"),
                ("flag", "boolean"),
                ("day", "date"),
                ("at", "timestamp"),
                ("n", "int64"),
            ]);
        },
        expect![[""]],
    );
}

#[test]
fn ragged_lines_are_bad_and_the_rest_goes_on() {
    check("a,b,c\n1,2,3\n1,2\n1,2,3,4\n\"x\ny\",2\n4,5,6\n", expect![[""]]);
}

#[test]
fn an_unclosed_quote_costs_the_line_where_it_opens() {
    check("a,b\n1,\"open\n2,x\n3,y\n", expect![[""]]);
    check("a,b\n1,\"open\n2,\"x\"\n3,y\n", expect![[""]]);
}

#[test]
fn an_unclosed_quote_costs_no_more_than_the_record_limit() {
    check_with(
        "a,b\n1,\"open\n2,xxxxxxxxxxxxxxxxxxxx\n3,y\n\"4\",\"z\"\n",
        |world| world.settings.record_bytes_max = 25,
        expect![[""]],
    );
}

#[test]
fn text_after_a_closing_quote_is_malformed() {
    check("a,b\n\"x\"y,2\n3,4\n\"5\" ,6\n", expect![[""]]);
}

#[test]
fn a_quote_inside_a_plain_field_is_a_character() {
    check("size,name\n5\" pipe,x\n6\",\"y\"\n", expect![[""]]);
}

#[test]
fn many_open_quotes_do_not_make_reading_slow() {
    // Each line closes the quote of the line before and opens another.
    let text = format!("a,b\n{}", "a\",\"b\n".repeat(50_000));
    let world = World::new(SourceKind::Csv, &[("t.csv", text.as_bytes())]);
    assert_eq!(story(&world.settings).lines().count(), 50_001);
}

#[test]
fn a_record_that_is_too_long_is_bad_and_shown_in_part() {
    check_with(
        format!("a,b\n1,{}\n2,y\n", "x".repeat(30)),
        |world| world.settings.record_bytes_max = 20,
        expect![[""]],
    );
    // Longer than any buffer.
    let long = format!("a,b\n1,{}\n2,y\n", "é".repeat(2_000_000));
    let world = World::new(SourceKind::Csv, &[("t.csv", long.as_bytes())]);
    let told = story(&world.settings);
    assert!(told.len() < 10_000, "{}", told.len());
    assert!(told.ends_with("#1 0:3 | 2 | y"), "{}", &told[told.len() - 100..]);
    assert!(told.contains("#0 0:2 record_too_long: the record is longer than 1048576 bytes"));
}

#[test]
fn a_header_without_rows_is_no_row() {
    check("a,b\n", expect![[""]]);
    check("a,b", expect![[""]]);
}

#[test]
fn an_empty_file_needs_declared_columns() {
    check("", expect![[""]]);
    check("\n\r\n", expect![[""]]);
    check_with("", |world| world.declare(&[("id", "int64"), ("a", "text")]), expect![[""]]);
}

#[test]
fn gzip_in_several_members_is_one_file_and_a_cut_one_says_so() {
    use std::io::Write as _;
    let member = |text: &str| {
        let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        writer.write_all(text.as_bytes()).unwrap();
        writer.finish().unwrap()
    };
    // By its magic bytes: the file is named `t.csv`.
    let two = [member("a,b\n1,x\n"), member("2,y\n")].concat();
    check(&two, expect![[""]]);
    check(&two[..two.len() - 6], expect![[""]]);
}
