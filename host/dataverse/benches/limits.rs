//! What the client lands under the service's real limits, measured against an
//! oracle that knows them.
//!
//! ```text
//! cargo bench -p dvsync-dataverse --bench limits -- [WINDOWS] [SEED]
//! ```
//!
//! 6,000 requests, 1,200 s of execution and 52 at a time for each principal on
//! each web server in 300 s; requests of 100 records that take a lognormal 150
//! ms and 6 ms a record. The real client on a virtual clock: the figures do not
//! depend on the machine. Defaults: three windows, seed 1.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark that cannot go on fails")]
#![allow(clippy::print_stdout, reason = "figures are its output")]

#[path = "../tests/models/landing.rs"]
mod landing;
#[path = "../tests/models/service.rs"]
mod service;

fn main() {
    let numbers: Vec<u64> =
        std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let windows = numbers.first().map_or(3, |windows| u32::try_from(*windows).unwrap());
    let seed = numbers.get(1).copied().unwrap_or(1);
    println!("principals servers     landed     oracle  % of oracle  refused  % later  early");
    let mut met = true;
    for principals in [1, 2, 4] {
        for servers in [1, 2, 4] {
            let figures = landing::land(principals, servers, windows, seed);
            let (landed, refused) = (figures.of_oracle_percent(), figures.refused_percent());
            println!(
                "{principals:>10} {servers:>7} {:>10} {:>10} {landed:>12.2} {:>8} {refused:>8.3} {:>6}",
                figures.landed, figures.oracle, figures.refused, figures.early
            );
            met &= landed >= 95.0 && refused <= 0.5 && figures.early == 0;
        }
    }
    println!("aim: 95 % of the oracle, 0.5 % refused after the first window, none early: {}", {
        if met { "met" } else { "MISSED" }
    });
}
