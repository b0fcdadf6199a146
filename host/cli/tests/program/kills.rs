//! `kill -9` of the real program at any moment, and `run --resume`: creates, then
//! a second version of the source with updates and more creates. In the end the
//! target is that of the same runs undisturbed.
//!
//! Eight kills; `DVSYNC_KILLS=50` makes it so many.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use crate::harness::{JOB, Place};

/// Rows of the first version; with those of the second fewer than the 5,000 that
/// a page of the service has.
const ROWS: usize = 4_000;
/// Rows that only the second version has.
const NEW: usize = 800;
/// Of so many rows the second version renames one.
const RENAMED: usize = 2;

/// An emulator over HTTP that outlives the runs.
struct Served {
    child: Child,
    address: String,
}

impl Served {
    fn start(place: &Place) -> Self {
        let settings = "[latency]\nbase_ms = 4.0\n";
        place.write("emulator.toml", settings);
        let mut child = place
            .program(&[
                "emulator",
                "--port",
                "0",
                "--token",
                "t",
                "--settings",
                "emulator.toml",
                "--quiet",
            ])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { child, address: address.trim_end().to_owned() }
    }

    fn get(&self, path: &str) -> serde_json::Value {
        let host = self.address.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer t\r\n\
             Accept: application/json\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let (_, body) = reply.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {reply}"))
    }

    /// Records in writes so far, accepted or refused.
    fn records(&self) -> u64 {
        let said = self.get("/emulator/requests");
        let requests = said["requests"].as_array().unwrap();
        let writes = requests.iter().filter(|kind| {
            let path = kind["path"].as_str().unwrap();
            path.contains("CreateMultiple") || path.contains("UpdateMultiple")
        });
        writes.map(|kind| kind["records"].as_u64().unwrap()).sum()
    }

    /// Id, number and name of all accounts.
    fn accounts(&self) -> BTreeSet<(String, String, String)> {
        let said = self.get("/api/data/v9.2/accounts?$select=accountnumber,name");
        let rows = said["value"].as_array().unwrap().iter();
        let text = |row: &serde_json::Value, name: &str| row[name].as_str().unwrap().to_owned();
        rows.map(|row| (text(row, "accountid"), text(row, "accountnumber"), text(row, "name")))
            .collect()
    }

    fn count(&self) -> u64 {
        u64::try_from(self.accounts().len()).unwrap()
    }

    fn no_create_twice(&self) {
        let said = self.get("/emulator/assert?that=no_create_twice");
        assert_eq!((&said["ok"], &said["forgotten"]), (&true.into(), &0.into()), "{said}");
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Numbers that look random (SplitMix64).
fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *seed;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// The second version of the rows.
fn second_version(place: &Place) {
    let name = |row: usize| if row.is_multiple_of(RENAMED) { "Shop" } else { "Store" };
    let lines = (0..ROWS + NEW).map(|row| format!("A{row:05},{} {row}\n", name(row)));
    let text = format!("number,name\n{}", lines.collect::<String>());
    place.write("accounts.csv", &text);
}

fn job_for(place: &Place, served: &Served) {
    let job = JOB.replace("\"emulator\"", &format!("\"{}\"", served.address));
    let more = "[[target.principals]]\ntoken = { env = \"TOKEN\" }\n[batch]\nrecords = 20\n\
        [limits]\ncommit_within = \"1s\"\n";
    let job = job.replace("entity =", "concurrency_max = 4\nentity =");
    place.write("job.toml", &format!("{job}{more}"));
}

/// A run to its end, and its report.
fn run(place: &Place, resume: bool) -> serde_json::Value {
    let mut arguments = vec!["run", "job.toml", "--report", "json", "--quiet"];
    if resume {
        arguments.push("--resume");
    }
    let ended = place.program(&arguments).env("TOKEN", "t").output().unwrap();
    let report = serde_json::from_slice(&ended.stdout)
        .unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&ended.stderr)));
    assert_eq!(ended.status.code(), Some(0), "{report}");
    report
}

/// Whether the job's last run can be gone on with.
fn resumable(place: &Place) -> bool {
    let runs = place.run(&["runs", "list", "--journal", ".dvsync/accounts.db", "--report", "json"]);
    let Ok(serde_json::Value::Array(runs)) = serde_json::from_str(&runs.stdout) else {
        return false;
    };
    runs.first().is_some_and(|run| {
        !["complete", "with_dead_letters"].iter().any(|status| run["status"] == *status)
    })
}

/// Starts runs and kills them, each somewhere within its share of the records
/// that are to be written; tells how many died.
fn kill_runs(place: &Place, served: &Served, kills: u64, records: u64, seed: &mut u64) -> u64 {
    let begun = served.records();
    // The first may still be killed before it has a run of its own.
    let mut resume = false;
    let mut killed = 0;
    for kill in 0..kills {
        let before = served.records();
        let share = (begun + records).saturating_sub(before) / (kills - kill + 1);
        let wanted = before + random(seed) % share.max(1);
        let mut arguments = vec!["run", "job.toml", "--quiet"];
        if resume {
            arguments.push("--resume");
        }
        let mut child = place
            .program(&arguments)
            .env("TOKEN", "t")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Each look is a request: no busier than the run itself.
        while served.records() <= wanted && child.try_wait().unwrap().is_none() {}
        if child.try_wait().unwrap().is_none() {
            child.kill().unwrap();
            killed += 1;
        }
        child.wait().unwrap();
        resume = resumable(place);
    }
    killed
}

#[test]
fn a_run_killed_at_any_moments_ends_as_an_undisturbed_one() {
    let kills: u64 = std::env::var_os("DVSYNC_KILLS")
        .map_or(8, |kills| kills.to_str().unwrap().parse().unwrap());
    let (rows, new) = (ROWS as u64, NEW as u64);
    let renamed = rows / RENAMED as u64;

    let calm = Place::new(ROWS);
    let undisturbed = Served::start(&calm);
    job_for(&calm, &undisturbed);
    run(&calm, false);
    second_version(&calm);
    run(&calm, false);

    let place = Place::new(ROWS);
    let served = Served::start(&place);
    job_for(&place, &served);
    let mut seed = 20_261_122;
    let mut killed = kill_runs(&place, &served, kills.div_ceil(2), rows, &mut seed);
    let report = run(&place, resumable(&place));
    // What landed unseen before a kill was created by this run all the same.
    assert_eq!(report["counts"]["created"], rows, "{report}");

    second_version(&place);
    killed += kill_runs(&place, &served, kills / 2, renamed + new, &mut seed);
    let report = run(&place, resumable(&place));
    assert_eq!(report["counts"]["read"], rows + new, "{report}");
    println!("{killed} of {kills} runs were killed");
    assert!(killed * 2 > kills, "{killed} of {kills} runs were killed");

    assert_eq!(served.accounts(), undisturbed.accounts());
    served.no_create_twice();
    assert_eq!(run(&place, false)["counts"]["unchanged"], rows + new);
}

#[test]
fn a_full_disk_ends_with_2_and_the_run_can_go_on() {
    let place = Place::new(ROWS);
    let served = Served::start(&place);
    let job = JOB.replace("\"emulator\"", &format!("\"{}\"", served.address));
    let more = "[[target.principals]]\ntoken = { env = \"TOKEN\" }\n[batch]\nrecords = 20\n";
    place.write("job.toml", &format!("{job}{more}"));
    // No file may grow beyond 400 KiB; the signal for it is ignored, as it is
    // where a disk is full.
    let limited = place.program(&["run", "job.toml", "--report", "json", "--quiet"]);
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 800; exec \"$0\" \"$@\""])
        .arg(limited.get_program())
        .args(limited.get_args())
        .current_dir(place.path(""))
        .env("TOKEN", "t")
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["status"], "failed");
    assert!(report["message"].as_str().unwrap().starts_with("cannot write journal `"), "{report}");
    assert_eq!(report["hint"], "check free space and rights in the journal's folder");
    assert!(served.count() < ROWS as u64, "{report}");

    let ended = place
        .program(&["run", "job.toml", "--resume", "--report", "json", "--quiet"])
        .env("TOKEN", "t")
        .output()
        .unwrap();
    assert_eq!(ended.status.code(), Some(0), "{}", String::from_utf8_lossy(&ended.stderr));
    let report: serde_json::Value = serde_json::from_slice(&ended.stdout).unwrap();
    assert_eq!(report["counts"]["read"], ROWS as u64);
    assert_eq!(served.count(), ROWS as u64);
}
