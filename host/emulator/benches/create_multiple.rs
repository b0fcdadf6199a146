//! How many records a second go through `CreateMultiple`, in process on one core,
//! and how many bytes a row takes:
//!
//! ```sh
//! cargo bench -p dvsync-emulator                 # a million records
//! cargo bench -p dvsync-emulator -- 10000000     # so many
//! ```
//!
//! 500 records a call, 10 columns, about 350 bytes of JSON each, one alternate
//! key, all checks on, requests recorded. Bodies are made beforehand and not
//! counted. Bytes are what the process holds more than before, indexes included.

#![expect(clippy::print_stdout, reason = "a figure is what it is for")]
#![expect(clippy::disallowed_methods, reason = "it measures real time")]
#![expect(clippy::unwrap_used, reason = "it is a measurement, not a library")]

use std::fmt::Write;
use std::time::{Duration, Instant};

use bytes::Bytes;
use dvsync_emulator::{Emulator, Settings};
use http::Request;

const BATCH: usize = 500;
const URL: &str = "http://localhost/api/data/v9.2/accounts/Microsoft.Dynamics.CRM.CreateMultiple";

fn main() {
    // cargo adds `--bench`.
    let given = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    let records: usize = given.map_or(1_000_000, |text| text.parse().unwrap());
    let emulator = Emulator::new(Settings::default()).unwrap();
    let before = resident_bytes();
    let mut spent = Duration::ZERO;
    let mut bytes = 0;
    for first in (0..records).step_by(BATCH) {
        let body = body(first);
        bytes += body.len();
        let request = Request::post(URL)
            .header("authorization", "Bearer emulator")
            .header("content-type", "application/json")
            .body(Bytes::from(body))
            .unwrap();
        let began = Instant::now();
        let handled = emulator.handle(request, Duration::from_secs(1_900_000_000));
        spent += began.elapsed();
        assert_eq!(handled.response.status(), 200, "{:?}", handled.response.body());
    }
    let micros = spent.as_micros();
    let count = u128::try_from(records).unwrap();
    let a_second = count * 1_000_000 / micros.max(1);
    let held = resident_bytes().saturating_sub(before);
    println!("records                {records}");
    println!("JSON bytes a record    {}", bytes / records.max(1));
    println!("records a second       {a_second} (to reach: 250000)");
    println!("nanoseconds a record   {}", spent.as_nanos() / count.max(1));
    println!("bytes a row in memory  {} (to reach: at most 600)", held / records.max(1));
    println!("memory held            {} MiB", held >> 20);
}

fn body(first: usize) -> String {
    let mut body = String::from("{\"Targets\":[");
    for n in first..first + BATCH {
        if n > first {
            body.push(',');
        }
        write!(
            body,
            "{{\"@odata.type\":\"Microsoft.Dynamics.CRM.account\",\
             \"accountid\":\"{n:08x}-0000-4000-8000-{:012x}\",\"accountnumber\":\"AW{n:08}\",\
             \"name\":\"Next-Door Bike Store {n}\",\"telephone1\":\"+1 398-555-0132\",\
             \"address1_line1\":\"Mall Of Memphis\",\"address1_city\":\"Memphis\",\
             \"numberofemployees\":{},\"revenue\":{}.25,\"industrycode\":{},\
             \"donotemail\":true}}",
            n * 7919,
            n % 1000,
            n % 100_000,
            n % 33 + 1
        )
        .unwrap();
    }
    body.push_str("]}");
    body
}

/// What the process holds, where the system tells it.
fn resident_bytes() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}
