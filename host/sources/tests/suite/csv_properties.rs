use dvsync_sources::{Position, SourceKind};
use proptest::prelude::*;
use proptest::{collection, sample};

use crate::world::{World, from, read, told};

/// Text of the characters that matter to CSV.
fn text() -> impl Strategy<Value = String> {
    let characters = vec!['a', 'b', ' ', ',', ';', '"', '\n', '\r', 'é', '🚲', '\0', '\u{feff}'];
    collection::vec(sample::select(characters), 0..9).prop_map(String::from_iter)
}

/// Rows of the same width; an absent cell is null.
fn rows() -> impl Strategy<Value = Vec<Vec<Option<String>>>> {
    (1_usize..5).prop_flat_map(|width| {
        collection::vec(collection::vec(proptest::option::of(text()), width), 0..30)
    })
}

/// RFC 4180: quotes where they are needed, and around empty text.
fn written(rows: &[Vec<Option<String>>], delimiter: char, end: &str, last_end: bool) -> String {
    let width = rows.first().map_or(1, Vec::len);
    let names: Vec<_> = (1..=width).map(|position| format!("c{position}")).collect();
    let mut lines = vec![names.join(&delimiter.to_string())];
    for row in rows {
        let cells: Vec<_> = row
            .iter()
            .map(|cell| match cell {
                None => String::new(),
                Some(text) if text.is_empty() || text.contains([delimiter, '"', '\n', '\r']) => {
                    format!("\"{}\"", text.replace('"', "\"\""))
                }
                Some(text) => text.clone(),
            })
            .collect();
        lines.push(cells.join(&delimiter.to_string()));
    }
    lines.join(end) + if last_end { end } else { "" }
}

fn cells(chunks: &[dvsync_sources::Chunk]) -> Vec<Vec<Option<String>>> {
    use arrow_array::Array as _;
    use arrow_array::cast::AsArray as _;
    let mut rows = Vec::new();
    for chunk in chunks {
        for row in 0..chunk.rows.num_rows() {
            let cell = |column: &arrow_array::ArrayRef| {
                let column = column.as_string::<i32>();
                column.is_valid(row).then(|| column.value(row).to_owned())
            };
            rows.push(chunk.rows.columns().iter().map(cell).collect());
        }
    }
    rows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn any_text_comes_back_from_any_position(
        rows in rows(),
        delimiter in sample::select(vec![',', ';']),
        end in sample::select(vec!["\n", "\r\n"]),
        last_end: bool,
        chunk_rows in 1_usize..10,
        restart in 0_usize..10,
    ) {
        // A blank line is no record, so a lone column has no unquoted null.
        let rows: Vec<Vec<_>> = rows
            .into_iter()
            .map(|row| match row.as_slice() {
                [None] => vec![Some(String::new())],
                _ => row,
            })
            .collect();
        let text = written(&rows, delimiter, end, last_end);
        let mut world = World::new(SourceKind::Csv, &[("t.csv", text.as_bytes())]);
        world.settings.csv.delimiter = delimiter;
        world.settings.infer_rows = 0;
        let source = world.open();
        let chunks = read(source.as_ref(), &from(Position::default(), chunk_rows));
        prop_assert!(chunks.iter().all(|chunk| chunk.bad.is_empty()), "{:?}", told(&chunks));
        prop_assert_eq!(cells(&chunks), rows.clone());
        if let Some(chunk) = chunks.get(restart) {
            let rest = read(source.as_ref(), &from(chunk.next, 8192));
            let done = usize::try_from(chunk.next.row).unwrap();
            prop_assert_eq!(cells(&rest), &rows[done..]);
        }
    }

    #[test]
    fn any_bytes_are_rows_good_or_bad_and_no_line_is_swallowed(
        pieces in collection::vec(
            sample::select(vec![
                &b"\""[..], b"\"", b",", b"\n", b"\n", b"\r\n", b"\r", b"a", b"bc", b" ", b"\xff",
                b"\xc3", "é".as_bytes(), b"\0", b"\"\"", b",\"", b"\",",
            ]),
            0..120,
        ),
        record_bytes_max in 1_usize..40,
        chunk_rows in 1_usize..6,
    ) {
        let bytes = pieces.concat();
        let mut world = World::new(SourceKind::Csv, &[("t.csv", &bytes)]);
        world.settings.csv.header = false;
        world.settings.infer_rows = 0;
        world.settings.record_bytes_max = record_bytes_max;
        world.declare(&[]);
        let Ok(source) = dvsync_sources::open(&world.settings) else {
            // Only where there is not one record to tell how many columns there are.
            return Ok(());
        };
        let chunks = read(source.as_ref(), &from(Position::default(), chunk_rows));
        // Physical lines that a row covers: where it starts, and its line feeds.
        let mut covered = vec![false; bytes.split(|&byte| byte == b'\n').count()];
        let mut cover = |line: u64, text: &str| {
            let first = usize::try_from(line).unwrap() - 1;
            for covered in &mut covered[first..=first + text.matches('\n').count()] {
                assert!(!std::mem::replace(covered, true), "line {line} is read twice");
            }
        };
        for chunk in &chunks {
            assert!(chunk.rows.num_rows() + chunk.bad.len() <= chunk_rows);
            let texts = cells(std::slice::from_ref(chunk));
            for (line, row) in chunk.lines.iter().zip(texts) {
                cover(line, &row.into_iter().flatten().collect::<String>());
            }
            for bad in &chunk.bad {
                cover(bad.line, bad.text.as_deref().unwrap());
            }
        }
        for (line, covered) in bytes.split(|&byte| byte == b'\n').zip(&covered) {
            prop_assert!(*covered || matches!(line, b"" | b"\r"), "{line:?} is lost");
        }
        // The same from any position.
        let all = told(&chunks);
        for chunk in &chunks {
            let rest = told(&read(source.as_ref(), &from(chunk.next, 8192)));
            let done = usize::try_from(chunk.next.row).unwrap();
            prop_assert_eq!(rest, &all[done..]);
        }
    }
}
