use std::io::Write as _;
use std::sync::Arc;

use arrow_array::builder::{
    BooleanBuilder, Date32Builder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_ipc::writer::{FileWriter, StreamWriter};
use arrow_schema::{DataType, Field, Schema, TimeUnit};
use dvsync_sources::SourceKind;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;

/// A format in one of its forms.
pub(crate) struct Form {
    pub(crate) name: &'static str,
    pub(crate) kind: SourceKind,
    pub(crate) write: fn(&RecordBatch) -> Vec<u8>,
    /// Line of each row of a file that holds the whole table.
    pub(crate) lines: fn(&RecordBatch) -> Vec<u64>,
}

pub(crate) const FORMS: [Form; 9] = [
    Form { name: "t.csv", kind: SourceKind::Csv, write: csv, lines: csv_lines },
    Form { name: "t.csv.gz", kind: SourceKind::Csv, write: csv_gzip, lines: csv_lines },
    Form { name: "utf16.csv", kind: SourceKind::Csv, write: csv_utf16, lines: csv_lines },
    Form { name: "t.jsonl", kind: SourceKind::Json, write: jsonl, lines: dense_lines },
    Form { name: "t.jsonl.zst", kind: SourceKind::Json, write: jsonl_zstd, lines: dense_lines },
    Form { name: "t.json", kind: SourceKind::Json, write: json_array, lines: array_lines },
    Form { name: "t.parquet", kind: SourceKind::Parquet, write: parquet, lines: dense_lines },
    Form { name: "t.arrow", kind: SourceKind::Arrow, write: arrow_file, lines: dense_lines },
    Form { name: "t.arrows", kind: SourceKind::Arrow, write: arrow_stream, lines: dense_lines },
];

/// Rows of every type that text can be inferred as, with nulls and with text
/// that needs quotes.
pub(crate) fn table(first: usize, rows: usize) -> RecordBatch {
    let texts =
        ["plain", "a,b", "say \"hi\"", "two\nlines", "ünïcødé 🚲", " blanks ", "crlf\r\nin"];
    let mut id = Int64Builder::new();
    let mut name = StringBuilder::new();
    let mut amount = Float64Builder::new();
    let mut active = BooleanBuilder::new();
    let mut day = Date32Builder::new();
    let mut at = TimestampMicrosecondBuilder::new();
    for row in first..first + rows {
        let number = i32::try_from(row).unwrap();
        id.append_value(i64::from(number) * 7 - 50);
        name.append_option((row % 11 != 3).then(|| format!("{} {row}", texts[row % texts.len()])));
        amount.append_option((row % 5 != 4).then(|| f64::from(number) / 4.0 + 0.5));
        active.append_option((row % 7 != 2).then_some(row % 2 == 0));
        day.append_option((row % 6 != 5).then_some(number * 31));
        at.append_option(
            (row % 4 != 1).then_some(1_757_589_307_497_000 + i64::from(number) * 86_399_123_000),
        );
    }
    RecordBatch::try_from_iter_with_nullable([
        ("id", Arc::new(id.finish()) as _, true),
        ("name", Arc::new(name.finish()) as _, true),
        ("amount", Arc::new(amount.finish()) as _, true),
        ("active", Arc::new(active.finish()) as _, true),
        ("day", Arc::new(day.finish()) as _, true),
        ("at", Arc::new(at.finish()) as _, true),
    ])
    .unwrap()
}

/// No rows, with the table's columns.
pub(crate) fn nothing() -> RecordBatch {
    RecordBatch::new_empty(table(0, 1).schema())
}

/// The table's columns in another order.
pub(crate) fn reversed(table: &RecordBatch) -> RecordBatch {
    table.project(&(0..table.num_columns()).rev().collect::<Vec<_>>()).unwrap()
}

/// Types for sources without rows, where text tells nothing.
pub(crate) const TYPES: [(&str, &str); 6] = [
    ("id", "int64"),
    ("name", "text"),
    ("amount", "float64"),
    ("active", "boolean"),
    ("day", "date"),
    ("at", "timestamp"),
];

fn cells(table: &RecordBatch, row: usize) -> Vec<Option<String>> {
    let options = FormatOptions::default();
    table
        .columns()
        .iter()
        .map(|column| {
            let formatter = ArrayFormatter::try_new(column.as_ref(), &options).unwrap();
            column.is_valid(row).then(|| formatter.value(row).to_string())
        })
        .collect()
}

pub(crate) fn csv(table: &RecordBatch) -> Vec<u8> {
    let schema = table.schema();
    let names: Vec<_> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    let mut text = names.join(",") + "\n";
    for row in 0..table.num_rows() {
        let cells: Vec<_> = cells(table, row)
            .into_iter()
            .map(|cell| match cell {
                None => String::new(),
                Some(cell) if cell.contains(['"', ',', '\n']) => {
                    format!("\"{}\"", cell.replace('"', "\"\""))
                }
                Some(cell) => cell,
            })
            .collect();
        text += &(cells.join(",") + "\r\n");
    }
    text.into_bytes()
}

fn csv_lines(table: &RecordBatch) -> Vec<u64> {
    let names = table.column_by_name("name").unwrap().as_string::<i32>();
    let mut line = 2;
    (0..table.num_rows())
        .map(|row| {
            let start = line;
            line += 1;
            if names.is_valid(row) {
                line += names.value(row).matches('\n').count() as u64;
            }
            start
        })
        .collect()
}

fn dense_lines(table: &RecordBatch) -> Vec<u64> {
    (1..=table.num_rows() as u64).collect()
}

fn array_lines(table: &RecordBatch) -> Vec<u64> {
    (0..table.num_rows() as u64).map(|row| 2 + 3 * row).collect()
}

fn csv_gzip(table: &RecordBatch) -> Vec<u8> {
    let mut writer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    writer.write_all(&csv(table)).unwrap();
    writer.finish().unwrap()
}

fn csv_utf16(table: &RecordBatch) -> Vec<u8> {
    let text = String::from_utf8(csv(table)).unwrap();
    "\u{feff}".encode_utf16().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

fn objects(table: &RecordBatch) -> Vec<String> {
    let schema = table.schema();
    (0..table.num_rows())
        .map(|row| {
            let cells = cells(table, row).into_iter().zip(schema.fields()).enumerate();
            let pairs: Vec<_> = cells
                .filter_map(|(position, (cell, field))| {
                    let value = match (cell, field.data_type()) {
                        // A missing key is as good as a null.
                        (None, _) if (row + position) % 2 == 0 => return None,
                        (None, _) => "null".to_owned(),
                        (Some(cell), DataType::Int64 | DataType::Float64 | DataType::Boolean) => {
                            cell
                        }
                        (Some(cell), _) => serde_json::to_string(&cell).unwrap(),
                    };
                    Some(format!("\"{}\":{value}", field.name()))
                })
                .collect();
            format!("{{{}}}", pairs.join(","))
        })
        .collect()
}

fn jsonl(table: &RecordBatch) -> Vec<u8> {
    objects(table).into_iter().flat_map(|object| (object + "\n").into_bytes()).collect()
}

fn jsonl_zstd(table: &RecordBatch) -> Vec<u8> {
    zstd::encode_all(jsonl(table).as_slice(), 1).unwrap()
}

fn json_array(table: &RecordBatch) -> Vec<u8> {
    let objects: Vec<_> =
        objects(table).into_iter().map(|object| object.replacen('{', "{\n", 1) + "\n").collect();
    format!("[\n{}]\n", objects.join(",\n")).into_bytes()
}

pub(crate) fn parquet(table: &RecordBatch) -> Vec<u8> {
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(100))
        .set_data_page_row_count_limit(30)
        .set_write_batch_size(10)
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), table.schema(), Some(properties)).unwrap();
    writer.write(table).unwrap();
    writer.into_inner().unwrap()
}

pub(crate) fn arrow_file(table: &RecordBatch) -> Vec<u8> {
    let mut writer = FileWriter::try_new(Vec::new(), &table.schema()).unwrap();
    batches(table).for_each(|batch| writer.write(&batch).unwrap());
    writer.into_inner().unwrap()
}

pub(crate) fn arrow_stream(table: &RecordBatch) -> Vec<u8> {
    let mut writer = StreamWriter::try_new(Vec::new(), &table.schema()).unwrap();
    batches(table).for_each(|batch| writer.write(&batch).unwrap());
    writer.into_inner().unwrap()
}

fn batches(table: &RecordBatch) -> impl Iterator<Item = RecordBatch> + '_ {
    let rows = table.num_rows();
    (0..rows).step_by(90).map(move |start| table.slice(start, 90.min(rows - start)))
}

#[test]
fn the_table_has_the_types_that_are_inferred() {
    let schema = Schema::new(vec![
        Field::new("id", DataType::Int64, true),
        Field::new("name", DataType::Utf8, true),
        Field::new("amount", DataType::Float64, true),
        Field::new("active", DataType::Boolean, true),
        Field::new("day", DataType::Date32, true),
        Field::new("at", DataType::Timestamp(TimeUnit::Microsecond, None), true),
    ]);
    assert_eq!(*table(0, 1).schema(), schema);
}
