//! How fast each kind is read on one core, in processor time, and in how much
//! memory. Linux only: the figures come from `/proc`.
//!
//! `cargo bench -p dvsync-sources --bench throughput -- [rows]`

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::unwrap_used, reason = "a benchmark stops where it fails")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::Path;

use dvsync_sources::{Scan, Settings, SourceKind, open};
use parquet::arrow::ArrowWriter;

fn main() {
    let rows = std::env::args().filter_map(|argument| argument.parse().ok()).next();
    let rows: usize = rows.unwrap_or(1_000_000);
    let folder = tempfile::tempdir().unwrap();
    write_csv(&folder.path().join("t.csv"), rows);
    write_others(folder.path(), rows);
    println!("{rows} rows x 20 columns, one core");
    for (name, kind) in [
        ("t.csv", SourceKind::Csv),
        ("t.jsonl", SourceKind::Json),
        ("t.parquet", SourceKind::Parquet),
    ] {
        let bytes = fs::metadata(folder.path().join(name)).unwrap().len();
        for (what, columns) in [
            ("all columns", None),
            ("5 columns", Some(["c0", "c3", "c7", "c12", "c19"].map(str::to_owned).to_vec())),
        ] {
            let source = open(&Settings::new(kind, name, folder.path())).unwrap();
            // What was most until now is forgotten.
            fs::write("/proc/self/clear_refs", "5").unwrap();
            let start = processor_seconds();
            let scan = Scan { columns, ..Scan::default() };
            let read: usize =
                source.scan(&scan).unwrap().map(|chunk| chunk.unwrap().rows.num_rows()).sum();
            let seconds = processor_seconds() - start;
            assert_eq!(read, rows);
            #[expect(clippy::cast_precision_loss, reason = "for people")]
            let (megabytes, nanoseconds) = (bytes as f64 / 1e6, seconds * 1e9 / rows as f64);
            println!(
                "{name:10} {what:12} {:7.0} MB/s {nanoseconds:7.0} ns/row, peak {} MiB",
                megabytes / seconds,
                peak_mebibytes()
            );
        }
    }
}

/// Rows as a CRM export has them: codes, names, addresses, amounts, times.
fn row(number: usize, line: &mut String) {
    let city = ["Memphis", "Van Nuys", "Rockhampton", "München"][number % 4];
    write!(
        line,
        "AW{number:08},Next-Door Bike Store {number},BM,398-555-{:04},{} Serene Blvd,,{city},TN,V{:05},\
         United States,{},{}.50,80000,United Security,\"Mountain, Road\",19{:02},ISDN,{},\
         user{number}@example.com,2025-09-11 11:15:07.{:03}",
        number % 10_000,
        number % 977,
        number % 100_000,
        number % 100,
        number % 1_000_000,
        number % 90 + 10,
        number % 5,
        number % 1000
    )
    .unwrap();
}

fn write_csv(path: &Path, rows: usize) {
    let mut file = BufWriter::new(File::create(path).unwrap());
    let names: Vec<_> = (0..20).map(|column| format!("c{column}")).collect();
    writeln!(file, "{}", names.join(",")).unwrap();
    let mut line = String::new();
    for number in 0..rows {
        line.clear();
        row(number, &mut line);
        writeln!(file, "{line}").unwrap();
    }
}

/// The same rows, read from the CSV file.
fn write_others(folder: &Path, rows: usize) {
    let source = open(&Settings::new(SourceKind::Csv, "t.csv", folder)).unwrap();
    let file = File::create(folder.join("t.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, source.schema(), None).unwrap();
    for chunk in source.scan(&Scan::default()).unwrap() {
        writer.write(&chunk.unwrap().rows).unwrap();
    }
    writer.close().unwrap();
    let mut file = BufWriter::new(File::create(folder.join("t.jsonl")).unwrap());
    let mut line = String::new();
    for number in 0..rows {
        line.clear();
        row(number, &mut line);
        let fields = line.replace("\"Mountain, Road\"", "Mountain");
        let pairs: Vec<_> = fields
            .split(',')
            .enumerate()
            .filter(|(_, value)| !value.is_empty())
            .map(|(column, value)| {
                if matches!(column, 10..=12) {
                    format!("\"c{column}\":{value}")
                } else {
                    format!("\"c{column}\":\"{value}\"")
                }
            })
            .collect();
        writeln!(file, "{{{}}}", pairs.join(",")).unwrap();
    }
}

/// Seconds that this thread has been on a processor.
fn processor_seconds() -> f64 {
    let schedule = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    schedule.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// Most memory that the process has had so far.
fn peak_mebibytes() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<usize>().ok());
    kibibytes.unwrap_or(0) / 1024
}
