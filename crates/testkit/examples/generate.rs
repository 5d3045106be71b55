//! Measures the generator: records a second of the mix and of each lane, into memory.
//!
//! `generate dump LANE BYTES` writes a lane of the largest of five tenants to standard output
//! instead, for looking at it.

use std::io::Write;
use std::time::Instant;
use yagura_testkit::generate::{Generator, Lane, Limit, Plan};

/// Records for each figure: some seconds' worth, after which the rate no longer changes.
const RECORDS: u64 = 2_000_000;
/// Records between two emptyings of the chunks.
const CHUNK_RECORDS: u64 = 4_096;

fn plan(limit: Limit, lane: Option<Lane>) -> Plan {
    let start = 1_767_592_800_000_000;
    Plan { seed: 1, limit, tenants: 5, attacks: 0, start, rate: None, lane }
}

fn measure(lane: Option<Lane>) -> Result<(), Box<dyn std::error::Error>> {
    let plan = Plan { attacks: 20, tenants: 20, ..plan(Limit::Records(RECORDS), lane) };
    let mut generator = Generator::new(&plan)?;
    let mut chunks = vec![Vec::new(); generator.streams().len()];
    let began = Instant::now();
    while generator.fill(&mut chunks, CHUNK_RECORDS) > 0 {
        chunks.iter_mut().for_each(Vec::clear);
    }
    let (seconds, (records, bytes)) = (began.elapsed().as_secs_f64(), generator.written());
    println!(
        "{:14} {:>10.0} records/s {:>7.0} MB/s {:>6.0} bytes/record",
        lane.map_or("mix", Lane::name),
        records as f64 / seconds,
        bytes as f64 / seconds / 1e6,
        bytes as f64 / records as f64
    );
    Ok(())
}

fn dump(lane: Lane, bytes: u64) -> Result<(), Box<dyn std::error::Error>> {
    let mut generator = Generator::new(&plan(Limit::Bytes(bytes * 3), Some(lane)))?;
    let mut chunks = vec![Vec::new(); generator.streams().len()];
    while generator.fill(&mut chunks, CHUNK_RECORDS) > 0 {}
    let chunk = &chunks[lane as usize];
    Ok(std::io::stdout().write_all(&chunk[..chunk.len().min(bytes as usize)])?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, lane, bytes] = arguments.as_slice()
        && command == "dump"
    {
        return dump(Lane::of(lane).ok_or("no such lane")?, bytes.parse()?);
    }
    measure(None)?;
    Lane::ALL.into_iter().try_for_each(|lane| measure(Some(lane)))
}
