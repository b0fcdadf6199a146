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
    check(
        "a,b\r\n\"x\r\ny\",\"say \"\"hi\"\"\"\r\n1,2\r\n",
        expect![[r#"
        a Utf8, b Utf8
        #0 0:2 | x\r\ny | say \"hi\"
        #1 0:4 | 1 | 2"#]],
    );
}

#[test]
fn lines_count_as_an_editor_counts_them() {
    check(
        "a,b\n\n\n1,\"x\n\ny\"\n\r\n2,z",
        expect![[r#"
        a Int64, b Utf8
        #0 0:4 | 1 | x\n\ny
        #1 0:8 | 2 | z"#]],
    );
}

#[test]
fn a_byte_order_mark_is_no_text() {
    check(
        "\u{feff}a,b\n1,2\n",
        expect![[r#"
        a Int64, b Int64
        #0 0:2 | 1 | 2"#]],
    );
}

#[test]
fn utf_16_is_known_by_its_mark_or_its_name() {
    let text = "a,b\n1,é\n";
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let marked: Vec<u8> = [&[0xfe, 0xff], big.as_slice()].concat();
    let told = |text: &[u8], label: Option<&str>| {
        let mut world = World::new(SourceKind::Csv, &[("t.csv", text)]);
        csv(&mut world).encoding = label.map(str::to_owned);
        story(&world.settings)
    };
    let expected = told(&marked, None);
    assert_eq!(told(&little, Some("utf-16le")), expected);
    assert_eq!(told(&big, Some("UTF-16BE")), expected);
    // The mark knows better than the job.
    assert_eq!(told(&marked, Some("windows-1252")), expected);
    check(
        &marked,
        expect![[r#"
        a Int64, b Utf8
        #0 0:2 | 1 | é"#]],
    );
    check(
        &little,
        expect![[
            r#"error: t.csv:1: cannot read the header: the name of column 1 has a NUL character: `a\0`; hint: set `encoding`, for example "utf-16le""#
        ]],
    );
}

#[test]
fn other_encodings_are_read_by_name() {
    check_with(
        b"name\nM\xfcller \x80\n",
        |world| csv(world).encoding = Some("windows-1252".into()),
        expect![[r#"
            name Utf8
            #0 0:2 | Müller €"#]],
    );
    check_with(
        b"name,x\n\x93\xfa\x96{,1\n\x93,2\nok,3\n",
        |world| csv(world).encoding = Some("shift_jis".into()),
        expect![[r#"
            name Utf8, x Int64
            #0 0:2 | 日本 | 1
            #1 0:3 bad_encoding [name]: cannot read column `name`: it holds what is not Shift_JIS; hint: check `encoding`; text: �,2
            #2 0:4 | ok | 3"#]],
    );
}

#[test]
fn invalid_bytes_spoil_their_row_only() {
    check(
        b"a,b\n1,M\xfcller\n2,fine\n\xff,3\n\"x\xff\ny\",4\n",
        expect![[r#"
        a Int64, b Utf8
        #0 0:2 bad_encoding [b]: cannot read column `b`: byte 0xFC is not UTF-8 there; hint: set `encoding`, for example "windows-1252"; text: 1,M�ller
        #1 0:3 | 2 | fine
        #2 0:4 bad_encoding [a]: cannot read column `a`: byte 0xFF is not UTF-8 there; hint: set `encoding`, for example "windows-1252"; text: �,3
        #3 0:5 bad_encoding [a]: cannot read column `a`: byte 0xFF is not UTF-8 there; hint: set `encoding`, for example "windows-1252"; text: \"x�\ny\",4"#]],
    );
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
        expect![[r#"
            id Int64, amount Float64, paid Boolean, day Date32, at Timestamp(µs)
            #0 0:2 | 1 | 1234.5 | true | 2025-09-11 | 2025-09-11T10:00:00
            #1 0:3 | 2 | - | false | - | -"#]],
    );
}

#[test]
fn quoted_null_words_are_text_in_text_columns_only() {
    check(
        "id,name\n\"\",\"\"\n1,\n\"2\",x\n",
        expect![[r#"
        id Int64, name Utf8
        #0 0:2 | - | 
        #1 0:3 | 1 | -
        #2 0:4 | 2 | x"#]],
    );
}

#[test]
fn another_quote_no_quote_and_an_escape() {
    check_with(
        "a\tb\n'x\ty'\t\"\n",
        |world| {
            csv(world).delimiter = '\t';
            csv(world).quote = "'".into();
        },
        expect![[r#"
            a Utf8, b Utf8
            #0 0:2 | x\ty | \""#]],
    );
    check_with(
        "a,b\n\"x,\"y\n",
        |world| csv(world).quote = String::new(),
        expect![[r#"
        a Utf8, b Utf8
        #0 0:2 | \"x | \"y"#]],
    );
    check_with(
        "a,b\n\"say \\\"hi\\\" \\\\ \"\"\",plain \\\" text\n",
        |world| csv(world).escape = Some('\\'),
        expect![[r#"
            a Utf8, b Utf8
            #0 0:2 | say \"hi\" \\ \" | plain \\\" text"#]],
    );
}

#[test]
fn without_a_header_columns_are_numbered() {
    check_with(
        "1,x\n2,y\n",
        |world| csv(world).header = false,
        expect![[r#"
        column_1 Int64, column_2 Utf8
        #0 0:1 | 1 | x
        #1 0:2 | 2 | y"#]],
    );
}

#[test]
fn names_are_trimmed_and_missing_ones_are_numbered() {
    check(
        " id , name,,\n1,x,2,3\n",
        expect![[r#"
        id Int64, name Utf8, column_3 Int64, column_4 Int64
        #0 0:2 | 1 | x | 2 | 3"#]],
    );
}

#[test]
fn codes_stay_text_and_blanks_are_kept() {
    check(
        "zip,code,name,n\n02134,+49, x ,1\n98052,12E4,y  ,-2\n",
        expect![[r#"
        zip Utf8, code Utf8, name Utf8, n Int64
        #0 0:2 | 02134 | +49 |  x  | 1
        #1 0:3 | 98052 | 12E4 | y   | -2"#]],
    );
}

#[test]
fn types_are_inferred_from_the_first_rows_and_later_misfits_are_bad() {
    check_with(
        "zip,day\n98052,2025-09-11\n02134,2025-09-12\nV6B,x\n1,2025-02-30\n7,\n",
        |world| world.settings.infer_rows = 1,
        expect![[r#"
            zip Int64, day Date32
            #0 0:2 | 98052 | 2025-09-11
            #1 0:3 type_mismatch [zip]: cannot read column `zip`: expected int64, found `02134`; hint: the first rows looked like int64: declare `zip = "text"` in `types`; text: 02134,2025-09-12
            #2 0:4 type_mismatch [zip]: cannot read column `zip`: expected int64, found `V6B`; hint: the first rows looked like int64: declare `zip = "text"` in `types`; text: V6B,x
            #3 0:5 type_mismatch [day]: cannot read column `day`: expected date, found `2025-02-30`; hint: the first rows looked like date: declare `day = "text"` in `types`; text: 1,2025-02-30
            #4 0:6 | 7 | -"#]],
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
        expect![[r#"
            zip Utf8, code Int64, amount Decimal128(10, 2), flag Boolean, day Date32, at Timestamp(µs), n Int64
            #0 0:2 | 98052 | 7 | 1.50 | true | 2025-09-11 | 2025-09-11T08:00:00 | 12
            #1 0:3 type_mismatch [code]: cannot read column `code`: expected int64, found `x`; hint: `types` says int64: correct the value or declare `code = "text"`; text: 1,x,1.505,2,2025-09-11 10:00,never,1.5
            #2 0:4 | - | - | - | - | - | - | -"#]],
    );
}

#[test]
fn ragged_lines_are_bad_and_the_rest_goes_on() {
    check(
        "a,b,c\n1,2,3\n1,2\n1,2,3,4\n\"x\ny\",2\n4,5,6\n",
        expect![[r#"
        a Int64, b Int64, c Int64
        #0 0:2 | 1 | 2 | 3
        #1 0:3 malformed_record: expected 3 fields, found 2; hint: fields are missing, or the line is broken in two; text: 1,2
        #2 0:4 malformed_record: expected 3 fields, found 4; hint: quote fields that hold the delimiter; text: 1,2,3,4
        #3 0:5 malformed_record: expected 3 fields, found 2 on 2 lines; hint: fields are missing, or the line is broken in two; text: \"x\ny\",2
        #4 0:7 | 4 | 5 | 6"#]],
    );
}

#[test]
fn an_unclosed_quote_costs_the_line_where_it_opens() {
    check(
        "a,b\n1,\"open\n2,x\n3,y\n",
        expect![[r#"
        a Int64, b Utf8
        #0 0:2 malformed_record: the quote that opens field 2 is not closed; hint: close it, or double quotes that belong to the text; text: 1,\"open
        #1 0:3 | 2 | x
        #2 0:4 | 3 | y"#]],
    );
    check(
        "a,b\n1,\"open\n2,\"x\"\n3,y\n",
        expect![[r#"
        a Int64, b Utf8
        #0 0:2 malformed_record: the quote that opens field 2 is not closed before line 3, where text follows the next quote; hint: close it, or double quotes that belong to the text; text: 1,\"open
        #1 0:3 | 2 | x
        #2 0:4 | 3 | y"#]],
    );
}

#[test]
fn an_unclosed_quote_costs_no_more_than_the_record_limit() {
    check_with(
        "a,b\n1,\"open\n2,xxxxxxxxxxxxxxxxxxxx\n3,y\n\"4\",\"z\"\n",
        |world| world.settings.record_bytes_max = 25,
        expect![[r#"
            a Int64, b Utf8
            #0 0:2 malformed_record: the quote that opens field 2 is not closed within 25 bytes; hint: close it, or double quotes that belong to the text; text: 1,\"open
            #1 0:3 | 2 | xxxxxxxxxxxxxxxxxxxx
            #2 0:4 | 3 | y
            #3 0:5 | 4 | z"#]],
    );
}

#[test]
fn text_after_a_closing_quote_is_malformed() {
    check(
        "a,b\n\"x\"y,2\n3,4\n\"5\" ,6\n",
        expect![[r#"
        a Int64, b Int64
        #0 0:2 malformed_record: text follows the closing quote of field 1; hint: double quotes that belong to the text; text: \"x\"y,2
        #1 0:3 | 3 | 4
        #2 0:4 malformed_record: text follows the closing quote of field 1; hint: double quotes that belong to the text; text: \"5\" ,6"#]],
    );
}

#[test]
fn a_quote_inside_a_plain_field_is_a_character() {
    check(
        "size,name\n5\" pipe,x\n6\",\"y\"\n",
        expect![[r#"
        size Utf8, name Utf8
        #0 0:2 | 5\" pipe | x
        #1 0:3 | 6\" | y"#]],
    );
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
        expect![[r#"
            a Int64, b Utf8
            #0 0:2 record_too_long: the record is longer than 20 bytes; hint: raise `record_bytes_max` if the record is right; text: 1,xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
            #1 0:3 | 2 | y"#]],
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
    check("a,b\n", expect!["a Utf8, b Utf8"]);
    check("a,b", expect!["a Utf8, b Utf8"]);
}

#[test]
fn an_empty_file_needs_declared_columns() {
    check(
        "",
        expect![
            "error: `t.csv` is empty: its columns are unknown; hint: declare the columns in `types`"
        ],
    );
    check(
        "\n\r\n",
        expect![
            "error: `t.csv` is empty: its columns are unknown; hint: declare the columns in `types`"
        ],
    );
    check_with(
        "",
        |world| world.declare(&[("id", "int64"), ("a", "text")]),
        expect!["a Utf8, id Int64"],
    );
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
    check(
        &two,
        expect![[r#"
        a Int64, b Utf8
        #0 0:2 | 1 | x
        #1 0:3 | 2 | y"#]],
    );
    check(
        &two[..two.len() - 6],
        expect![
            "error: cannot decompress `t.csv` from line 1 on; because: unexpected end of file; hint: the file may be cut short: copy it again"
        ],
    );
}
