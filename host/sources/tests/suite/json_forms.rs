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
        expect![[""]],
    );
}

#[test]
fn types_are_inferred_from_the_values_not_from_their_text() {
    check(
        "{\"i\":1,\"f\":1,\"b\":true,\"s\":\"7\",\"d\":\"2025-09-11\",\"t\":\"2025-09-11T10:00:00Z\",\"m\":1,\"big\":18446744073709551615}\n\
         {\"i\":-2,\"f\":2.5e3,\"b\":false,\"s\":\"8\",\"d\":\"2025-09-12\",\"t\":\"2025-09-11T10:00:00+02:00\",\"m\":\"x\",\"big\":1}\n",
        expect![[""]],
    );
}

#[test]
fn malformed_lines_are_bad_and_the_rest_goes_on() {
    check(
        b"{\"a\":1}\n{\"a\":\n{\"a\":2,}\n[1]\n7\n{\"a\":1}{\"a\":2}\n{\"a\":1,\"a\":2}\n{\"a\":\"\xff\"}\n{\"a\":9}",
        expect![[""]],
    );
}

#[test]
fn later_values_that_do_not_fit_are_bad() {
    check_with(
        "{\"n\":1,\"b\":true,\"d\":\"2025-09-11\"}\n{\"n\":\"2\"}\n{\"n\":2.5}\n{\"n\":3.0,\"new\":1}\n{\"b\":1}\n{\"d\":\"soon\"}\n{\"n\":[1]}\n",
        |world| world.settings.infer_rows = 1,
        expect![[""]],
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
        expect![[""]],
    );
    check_with("{\"amount\":1}\n", |world| world.declare(&[("amuont", "int64")]), expect![[""]]);
}

#[test]
fn an_array_of_objects_is_read_element_by_element() {
    check(" [\n {\"a\": 1,\n  \"b\": \"x]}\\\"\"},\n{\"a\":2},{\"a\":[\n3]}\n]\n", expect![[""]]);
    check("[]", expect![[""]]);
}

#[test]
fn an_array_that_is_damaged_loses_no_line() {
    check("[{\"a\":1},\n{\"a\" 2},\n7,\n{\"a\":\n\"open},\n{\"a\":3}\n", expect![[""]]);
    check("[{\"a\":1}] x\n{\"a\":2}\n", expect![[""]]);
}

#[test]
fn a_long_line_is_bad_and_shown_in_part() {
    check_with(
        format!("{{\"a\":\"{}\"}}\n{{\"a\":\"y\"}}\n", "x".repeat(30)),
        |world| world.settings.record_bytes_max = 20,
        expect![[""]],
    );
    check_with(
        format!("[{{\"a\":\"{}\"}},\n{{\"a\":\"y\"}}\n]", "x".repeat(30)),
        |world| world.settings.record_bytes_max = 20,
        expect![[""]],
    );
}

#[test]
fn nothing_readable_says_what_is_wrong() {
    check("", expect![[""]]);
    check("{\n  \"a\": 1\n}\n", expect![[""]]);
    check("a,b\n1,2\n", expect![[""]]);
}

#[test]
fn a_mark_of_utf_16_is_obeyed() {
    let text: Vec<u8> =
        "\u{feff}{\"a\":\"é\"}\n".encode_utf16().flat_map(u16::to_be_bytes).collect();
    check(text, expect![[""]]);
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
