use arrow_array::RecordBatch;
use arrow_select::concat::concat_batches;
use dvsync_sources::{Position, Scan, open};

use crate::table::{FORMS, Form, TYPES, nothing, reversed, table};
use crate::world::{World, from, read, rows};

fn each(check: impl Fn(&Form)) {
    for form in &FORMS {
        println!("{}", form.name);
        check(form);
    }
}

fn whole(form: &Form, table: &RecordBatch) -> World {
    World::new(form.kind, &[(form.name, &(form.write)(table))])
}

#[test]
fn rows_come_back_equal_in_order_with_their_numbers() {
    let table = table(0, 500);
    each(|form| {
        let world = whole(form, &table);
        let source = world.open();
        assert_eq!(source.schema(), table.schema());
        for chunk_rows in [0, 1, 7, 64, 8192] {
            let chunks = read(source.as_ref(), &from(Position::default(), chunk_rows));
            assert_eq!(rows(source.as_ref(), &chunks), table);
            assert!(chunks.iter().all(|chunk| chunk.rows.num_rows() <= chunk_rows.max(1)));
            assert!(chunks.iter().all(|chunk| chunk.bad.is_empty() && chunk.part == 0));
            let ordinals = chunks.iter().flat_map(|chunk| chunk.ordinals.iter());
            assert!(ordinals.eq(0..500));
            let lines: Vec<_> = chunks.iter().flat_map(|chunk| chunk.lines.iter()).collect();
            assert_eq!(lines, (form.lines)(&table));
        }
        assert!(source.rows_hint().is_none_or(|rows| rows == 500));
    });
}

#[test]
fn a_scan_goes_on_from_the_end_of_any_chunk() {
    let table = table(0, 300);
    each(|form| {
        let world = whole(form, &table);
        let source = world.open();
        let chunks = read(source.as_ref(), &from(Position::default(), 7));
        let lines = (form.lines)(&table);
        let mut done = 0;
        for chunk in &chunks {
            done += chunk.rows.num_rows();
            assert_eq!(chunk.next.row, done as u64);
            let kept = serde_json::to_string(&chunk.next).unwrap();
            // Opened anew, as after a crash.
            let source = world.open();
            let rest = read(source.as_ref(), &from(serde_json::from_str(&kept).unwrap(), 64));
            assert_eq!(rows(source.as_ref(), &rest), table.slice(done, 300 - done));
            assert!(rest.iter().flat_map(|chunk| chunk.ordinals.iter()).eq(done as u64..300));
            let rest_lines: Vec<_> = rest.iter().flat_map(|chunk| chunk.lines.iter()).collect();
            assert_eq!(rest_lines, lines[done..]);
        }
        assert_eq!(done, 300);
    });
}

#[test]
fn a_projection_keeps_the_order_of_the_schema_and_all_rows() {
    let table = table(0, 300);
    each(|form| {
        let world = whole(form, &table);
        let source = world.open();
        let columns = Some(vec!["at".to_owned(), "id".to_owned(), "at".to_owned()]);
        let chunks = read(source.as_ref(), &Scan { columns, ..Scan::default() });
        let read_rows: Vec<_> = chunks.iter().map(|chunk| &chunk.rows).collect();
        let expected = table.project(&[0, 5]).unwrap();
        assert_eq!(concat_batches(&expected.schema(), read_rows).unwrap(), expected);

        let none = Scan { columns: Some(Vec::new()), chunk_rows: 7, ..Scan::default() };
        let chunks = read(source.as_ref(), &none);
        assert_eq!(chunks.iter().map(|chunk| chunk.rows.num_rows()).sum::<usize>(), 300);

        // A position does not depend on the projection that it was met with.
        let middle = chunks[10].next;
        let rest = read(source.as_ref(), &from(middle, 8192));
        assert_eq!(rows(source.as_ref(), &rest), table.slice(77, 223));

        let unknown = Scan { columns: Some(vec!["amuont".to_owned()]), ..Scan::default() };
        let error = source.scan(&unknown).err().unwrap();
        assert_eq!(error.to_string(), "the source has no column `amuont`");
        assert_eq!(error.hint().unwrap(), "did you mean `amount`?");
    });
}

#[test]
fn files_of_a_folder_are_one_source_whatever_the_order_of_their_columns() {
    let tables = [table(0, 120), nothing(), table(120, 35), table(155, 200)];
    let all = table(0, 355);
    each(|form| {
        let bytes: Vec<_> = tables
            .iter()
            .enumerate()
            .map(|(file, table)| {
                let table = if file % 2 == 0 { table.clone() } else { reversed(table) };
                (format!("{file}-{}", form.name), (form.write)(&table))
            })
            .collect();
        let mut files: Vec<_> =
            bytes.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        files.push(("_SUCCESS", b""));
        files.push((".t.csv.crc", b"\0"));
        files.reverse();
        let world = World::new(form.kind, &files);
        let source = world.open();
        let names: Vec<_> = source.parts().iter().map(|part| part.name.clone()).collect();
        assert_eq!(names, bytes.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
        assert!(source.parts().iter().all(|part| part.modified.is_some()));

        let chunks = read(source.as_ref(), &from(Position::default(), 50));
        assert_eq!(rows(source.as_ref(), &chunks), all);
        assert!(chunks.iter().flat_map(|chunk| chunk.ordinals.iter()).eq(0..355));
        assert_eq!(chunks.iter().map(|chunk| chunk.part).max(), Some(3));
        for chunk in &chunks {
            let rest = read(source.as_ref(), &from(chunk.next, 8192));
            let done = usize::try_from(chunk.next.row).unwrap();
            assert_eq!(rows(source.as_ref(), &rest), all.slice(done, 355 - done));
        }
    });
}

#[test]
fn no_rows_are_no_chunks() {
    each(|form| {
        let mut world = whole(form, &nothing());
        world.declare(&TYPES);
        let source = world.open();
        assert_eq!(source.schema().fields().len(), 6);
        assert!(read(source.as_ref(), &Scan::default()).is_empty());
    });
}

#[test]
fn a_position_that_is_not_there_is_refused() {
    let table = table(0, 30);
    each(|form| {
        let world = whole(form, &table);
        let source = world.open();
        let elsewhere = Position { part: 2, ..Position::default() };
        let error = source.scan(&from(elsewhere, 1)).err().unwrap();
        assert!(error.to_string().contains("the source has 1 files"), "{error}");

        let beyond = Position { offset: 1 << 40, line: 9, ..Position::default() };
        let mut chunks = source.scan(&from(beyond, 1)).unwrap();
        let error = chunks.next().unwrap().unwrap_err();
        assert!(error.to_string().contains("ends before the position"), "{error}");
        assert!(chunks.next().is_none());
    });
}

#[test]
fn wide_rows_make_small_chunks() {
    let wide = "x".repeat(100_000);
    let names: arrow_array::StringArray = (0..120).map(|_| Some(wide.as_str())).collect();
    let table =
        RecordBatch::try_from_iter_with_nullable([("name", std::sync::Arc::new(names) as _, true)])
            .unwrap();
    each(|form| {
        let world = whole(form, &table);
        let source = open(&world.settings).unwrap();
        let chunks = read(source.as_ref(), &Scan::default());
        assert_eq!(rows(source.as_ref(), &chunks), table);
        let most = chunks.iter().map(|chunk| chunk.rows.num_rows()).max().unwrap();
        assert!(most <= 100, "{most} rows of 100 kB");
    });
}
