use dvsync_sources::{Position, SourceKind};
use expect_test::{Expect, expect};
use proptest::prelude::*;
use proptest::{collection, sample};

use crate::world::{World, from, read, story, told};

fn check(text: impl AsRef<[u8]>, expected: Expect) {
    check_with(text, |_| {}, expected);
}

fn check_with(text: impl AsRef<[u8]>, change: impl FnOnce(&mut World), expected: Expect) {
    let mut world = World::new(SourceKind::Json, &[("t.jsonl", text.as_ref())]);
    change(&mut world);
    expected.assert_eq(&story(&world.settings));
}

#[test]
fn keys_are_columns_and_nested_values_stay_json() {
    check(
        "{\"id\":1,\"name\":\"x\",\"tags\":[1, \"a\"]}\n\n  {\"name\":null,\"id\":2,\"at\":{\"city\": \"Köln\"}}\r\n{}\n",
        expect![[r#"
            id Int64, name Utf8, tags Utf8, at Utf8
            #0 0:1 | 1 | x | [1, \"a\"] | -
            #1 0:3 | 2 | - | - | {\"city\": \"Köln\"}
            #2 0:4 | - | - | - | -"#]],
    );
}

#[test]
fn types_are_inferred_from_the_values_not_from_their_text() {
    check(
        "{\"i\":1,\"f\":1,\"b\":true,\"s\":\"7\",\"d\":\"2025-09-11\",\"t\":\"2025-09-11T10:00:00Z\",\"m\":1,\"big\":18446744073709551615}\n\
         {\"i\":-2,\"f\":2.5e3,\"b\":false,\"s\":\"8\",\"d\":\"2025-09-12\",\"t\":\"2025-09-11T10:00:00+02:00\",\"m\":\"x\",\"big\":1}\n",
        expect![[r#"
            i Int64, f Float64, b Boolean, s Utf8, d Date32, t Timestamp(µs, "UTC"), m Utf8, big Utf8
            #0 0:1 | 1 | 1.0 | true | 7 | 2025-09-11 | 2025-09-11T10:00:00Z | 1 | 18446744073709551615
            #1 0:2 | -2 | 2500.0 | false | 8 | 2025-09-12 | 2025-09-11T08:00:00Z | x | 1"#]],
    );
}

#[test]
fn malformed_lines_are_bad_and_the_rest_goes_on() {
    check(
        b"{\"a\":1}\n{\"a\":\n{\"a\":2,}\n[1]\n7\n{\"a\":1}{\"a\":2}\n{\"a\":1,\"a\":2}\n{\"a\":\"\xff\"}\n{\"a\":9}",
        expect![[r#"
            a Int64
            #0 0:1 | 1
            #1 0:2 malformed_record: no JSON object: end while parsing a value at character 5; hint: write one whole object per line; text: {\"a\":
            #2 0:3 malformed_record: no JSON object: trailing comma at character 8; text: {\"a\":2,}
            #3 0:4 malformed_record: no JSON object: invalid type: sequence, expected an object at character 1; text: [1]
            #4 0:5 malformed_record: no JSON object: invalid type: integer `7`, expected an object at character 1; text: 7
            #5 0:6 malformed_record: no JSON object: trailing characters at character 8; text: {\"a\":1}{\"a\":2}
            #6 0:7 malformed_record: key `a` stands twice in the object; text: {\"a\":1,\"a\":2}
            #7 0:8 bad_encoding: byte 0xFF at position 7 is not UTF-8 there; hint: JSON is written in UTF-8; text: {\"a\":\"�\"}
            #8 0:9 | 9"#]],
    );
}

#[test]
fn later_values_that_do_not_fit_are_bad() {
    check_with(
        "{\"n\":1,\"b\":true,\"d\":\"2025-09-11\"}\n{\"n\":\"2\"}\n{\"n\":2.5}\n{\"n\":3.0,\"new\":1}\n{\"b\":1}\n{\"d\":\"soon\"}\n{\"n\":[1]}\n",
        |world| world.settings.infer_rows = 1,
        expect![[r#"
            n Int64, b Boolean, d Date32
            #0 0:1 | 1 | true | 2025-09-11
            #1 0:2 type_mismatch [n]: cannot read column `n`: expected int64, found `2`; hint: the first rows looked like int64: declare `n = "text"` in `types`; text: {\"n\":\"2\"}
            #2 0:3 type_mismatch [n]: cannot read column `n`: expected int64, found `2.5`; hint: the first rows looked like int64: declare `n = "text"` in `types`; text: {\"n\":2.5}
            #3 0:4 | 3 | - | -
            #4 0:5 type_mismatch [b]: cannot read column `b`: expected boolean, found `1`; hint: the first rows looked like boolean: declare `b = "text"` in `types`; text: {\"b\":1}
            #5 0:6 type_mismatch [d]: cannot read column `d`: expected date, found `soon`; hint: the first rows looked like date: declare `d = "text"` in `types`; text: {\"d\":\"soon\"}
            #6 0:7 type_mismatch [n]: cannot read column `n`: expected int64, found `[1]`; hint: the first rows looked like int64: declare `n = "text"` in `types`; text: {\"n\":[1]}"#]],
    );
}

#[test]
fn declared_types_go_before_inference_and_may_add_columns() {
    check_with(
        "{\"zip\":2134,\"n\":\"7\",\"flag\":1,\"amount\":1.50}\n{\"zip\":\"02134\",\"n\":\"\",\"flag\":\"true\",\"amount\":\"2\"}\n",
        |world| {
            world.declare(&[
                ("zip", "text"),
                ("n", "int64"),
                ("flag", "boolean"),
                ("amount", "decimal(10,2)"),
                ("middle_name", "text"),
            ]);
        },
        expect![[r#"
            zip Utf8, n Int64, flag Boolean, amount Decimal128(10, 2), middle_name Utf8
            #0 0:1 | 2134 | 7 | true | 1.50 | -
            #1 0:2 | 02134 | - | true | 2.00 | -"#]],
    );
    check_with(
        "{\"amount\":1}\n",
        |world| world.declare(&[("amuont", "int64")]),
        expect![
            "error: a type is declared for column `amuont`, which `t.jsonl` does not have; hint: did you mean `amount`?"
        ],
    );
}

#[test]
fn an_array_of_objects_is_read_element_by_element() {
    check(
        " [\n {\"a\": 1,\n  \"b\": \"x]}\\\"\"},\n{\"a\":2},{\"a\":[\n3]}\n]\n",
        expect![[r#"
        a Utf8, b Utf8
        #0 0:2 | 1 | x]}\"
        #1 0:4 | 2 | -
        #2 0:4 | [\n3] | -"#]],
    );
    check(
        "[]",
        expect![
            "error: `t.jsonl` is empty: its columns are unknown; hint: declare the columns in `types`"
        ],
    );
}

#[test]
fn an_array_that_is_damaged_loses_no_line() {
    check(
        "[{\"a\":1},\n{\"a\" 2},\n7,\n{\"a\":\n\"open},\n{\"a\":3}\n",
        expect![[r#"
        a Int64
        #0 0:1 | 1
        #1 0:2 malformed_record: no JSON object: expected `:` at character 6; text: {\"a\" 2}
        #2 0:3 malformed_record: expected an object of the array; text: 7,
        #3 0:4 malformed_record: the object is not closed; hint: the file may be cut short: copy it again; text: {\"a\":
        #4 0:5 malformed_record: expected an object of the array; text: \"open},
        #5 0:6 | 3
        #6 0:7 malformed_record: the array is not closed; hint: the file may be cut short: copy it again; text: "#]],
    );
    check(
        "[{\"a\":1}] x\n{\"a\":2}\n",
        expect![[r#"
        a Int64
        #0 0:1 | 1
        #1 0:1 malformed_record: expected an object of the array; text: x
        #2 0:2 | 2
        #3 0:3 malformed_record: the array is not closed; hint: the file may be cut short: copy it again; text: "#]],
    );
}

#[test]
fn a_long_line_is_bad_and_shown_in_part() {
    check_with(
        format!("{{\"a\":\"{}\"}}\n{{\"a\":\"y\"}}\n", "x".repeat(30)),
        |world| world.settings.record_bytes_max = 20,
        expect![[r#"
            a Utf8
            #0 0:1 record_too_long: the record is longer than 20 bytes; hint: raise `record_bytes_max` if the record is right; text: {\"a\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}
            #1 0:2 | y"#]],
    );
    check_with(
        format!("[{{\"a\":\"{}\"}},\n{{\"a\":\"y\"}}\n]", "x".repeat(30)),
        |world| world.settings.record_bytes_max = 20,
        expect![[r#"
            a Utf8
            #0 0:1 record_too_long: the record is longer than 20 bytes; hint: raise `record_bytes_max` if the record is right; text: {\"a\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"},
            #1 0:2 | y"#]],
    );
}

#[test]
fn nothing_readable_says_what_is_wrong() {
    check(
        "",
        expect![
            "error: `t.jsonl` is empty: its columns are unknown; hint: declare the columns in `types`"
        ],
    );
    check(
        "{\n  \"a\": 1\n}\n",
        expect![
            "error: t.jsonl:1: no row can be read: no JSON object: end while parsing an object at character 1; hint: write one whole object per line"
        ],
    );
    check(
        "a,b\n1,2\n",
        expect![
            "error: t.jsonl:1: no row can be read: no JSON object: expected value at character 1"
        ],
    );
}

#[test]
fn a_mark_of_utf_16_is_obeyed() {
    let text: Vec<u8> =
        "\u{feff}{\"a\":\"é\"}\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    check(
        text,
        expect![[r#"
        a Utf8
        #0 0:1 | é"#]],
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_bytes_are_rows_good_or_bad_and_no_line_is_swallowed(
        array: bool,
        pieces in collection::vec(
            sample::select(vec![
                &b"{"[..], b"}", b"[", b"]", b",", b"\n", b"\n", b"\r\n", b"\"", b"\\", b"\"a\":1",
                b"\"a\":[", b"{\"a\":1}", b"{\"a\":2}\n", b"{\"a\":\"\n", b" ", b"\xff", b"1", b"null",
            ]),
            0..60,
        ),
        record_bytes_max in 1_usize..40,
        chunk_rows in 1_usize..6,
    ) {
        let mut bytes = pieces.concat();
        if array {
            bytes.insert(0, b'[');
        }
        let mut world = World::new(SourceKind::Json, &[("t.json", &bytes)]);
        world.settings.record_bytes_max = record_bytes_max;
        world.declare(&[("a", "text")]);
        let source = world.open();
        let chunks = read(source.as_ref(), &from(Position::default(), chunk_rows));
        let all = told(&chunks);
        let mut starts = vec![0; bytes.split(|&byte| byte == b'\n').count() + 1];
        for chunk in &chunks {
            assert!(chunk.rows.num_rows() + chunk.bad.len() <= chunk_rows);
            for line in chunk.lines.iter().chain(chunk.bad.iter().map(|bad| bad.line)) {
                starts[usize::try_from(line).unwrap() - 1] += 1;
            }
        }
        let is_array = bytes.trim_ascii_start().first() == Some(&b'[');
        if !is_array {
            for (line, starts) in bytes.split(|&byte| byte == b'\n').zip(&starts) {
                let blank = line.iter().all(u8::is_ascii_whitespace);
                prop_assert_eq!(*starts, usize::from(!blank), "{:?}", line);
            }
        }
        for chunk in &chunks {
            let rest = told(&read(source.as_ref(), &from(chunk.next, 8192)));
            let done = usize::try_from(chunk.next.row).unwrap();
            prop_assert_eq!(rest, &all[done..]);
        }
    }
}
