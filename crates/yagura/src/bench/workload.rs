//! What benchmarks are fed with: lines by tenant and lane, from files or the generator.

use crate::cli::args::BenchArgs;
use crate::engine::Engine;
use crate::inputs::{self, Listing};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use yagura_event::{Context, EventBatch, EventId, Reference, SourceChoice};
use yagura_parse::{Framer, RecordHeader};
use yagura_testkit::generate::{Generator, Limit, Plan};

/// First moment of the generated records.
const START: i64 = 1_790_000_000_000_000;

/// Most bytes of input files that are held.
const HELD_BYTES_MAX: usize = 1 << 30;

/// Records of one origin, held one after the other.
#[derive(Clone, Default, Debug)]
pub struct Lane {
    /// Who owns them.
    pub tenant: String,
    /// What to call them.
    pub name: String,
    /// All bytes.
    pub text: Vec<u8>,
    /// Where each record ends in `text`.
    pub ends: Vec<usize>,
}

impl Lane {
    /// An empty lane.
    pub fn new(tenant: &str, name: &str) -> Self {
        Self { tenant: tenant.to_owned(), name: name.to_owned(), ..Self::default() }
    }

    /// Adds a record.
    pub fn push(&mut self, record: &[u8]) {
        self.text.extend_from_slice(record);
        self.ends.push(self.text.len());
    }

    /// The records in order.
    pub fn records(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| self.text.get(start..*end).unwrap_or_default())
    }

    /// How many records.
    pub fn len(&self) -> usize {
        self.ends.len()
    }
}

/// Bytes of the lanes' records as `zstd -3` makes of each lane's file.
///
/// # Errors
/// Those of the compressor.
pub fn zstd3_bytes(lanes: &[Lane]) -> std::io::Result<u64> {
    let mut packed = 0;
    for lane in lanes {
        let mut text = Vec::with_capacity(lane.text.len() + lane.len());
        for record in lane.records() {
            text.extend_from_slice(record);
            text.push(b'\n');
        }
        packed += zstd::bulk::compress(&text, 3)?.len() as u64;
    }
    Ok(packed)
}

/// The records a benchmark is to be fed with.
///
/// # Errors
/// Files that cannot be read, or more of them than can be held.
pub fn load(args: &BenchArgs) -> anyhow::Result<Vec<Lane>> {
    let lanes = if args.input.is_empty() { generated(args)? } else { of_files(&args.input)? };
    let (records, bytes) =
        lanes.iter().fold((0, 0), |(n, b), lane| (n + lane.len(), b + lane.text.len()));
    eprintln!("input: {} lanes, {records} records, {} MB", lanes.len(), bytes / 1_000_000);
    Ok(lanes)
}

/// The generator's operator mix, one lane a tenant and source.
fn generated(args: &BenchArgs) -> anyhow::Result<Vec<Lane>> {
    let mut lanes = Chunks::new(args, args.records)?.next_chunk(|_, _| {}).unwrap_or_default();
    lanes.retain(|lane| lane.len() > 0);
    Ok(lanes)
}

/// The same in parts, where it is more than can be held.
pub struct Chunks {
    generator: Generator,
    records: u64,
}

impl Chunks {
    /// Parts of so many records.
    ///
    /// # Errors
    /// A plan that cannot be.
    pub fn new(args: &BenchArgs, records: u64) -> anyhow::Result<Self> {
        let plan = Plan {
            seed: args.seed,
            limit: Limit::Records(args.records),
            tenants: args.tenants,
            attacks: 0,
            start: START,
            rate: None,
            lane: None,
        };
        Ok(Self { generator: Generator::new(&plan)?, records })
    }

    /// All lanes without a record.
    pub fn empty(&self) -> Vec<Lane> {
        let streams = self.generator.streams();
        streams.map(|stream| Lane::new(stream.tenant, stream.lane.name())).collect()
    }

    /// The next part, of all lanes; `None` at the end. `alter` may change each record, told its
    /// lane's name, before it is taken.
    pub fn next_chunk(&mut self, mut alter: impl FnMut(&str, &mut Vec<u8>)) -> Option<Vec<Lane>> {
        let (mut lanes, mut record, mut taken) = (self.empty(), Vec::new(), 0);
        while taken < self.records
            && let Some(place) = self.generator.next_record(&mut record)
        {
            let lane = lanes.get_mut(place.stream)?;
            alter(&lane.name, &mut record);
            lane.push(&record);
            record.clear();
            taken += 1;
        }
        (taken > 0).then_some(lanes)
    }
}

/// The records of files, one lane a file.
fn of_files(paths: &[PathBuf]) -> anyhow::Result<Vec<Lane>> {
    let Listing { inputs, faults, .. } = inputs::list(paths, &[])?;
    for fault in faults {
        eprintln!("yagura: {fault}");
    }
    let (mut lanes, mut held) = (Vec::new(), 0);
    for input in &inputs {
        let (reader, _) = input.open()?;
        let mut framer = Framer::new(reader, &SourceChoice::Auto);
        let mut lane = Lane::new("default", &input.relative);
        while let Some(frame) = framer.next_frame()? {
            lane.push(frame.bytes);
        }
        held += lane.text.len();
        anyhow::ensure!(held <= HELD_BYTES_MAX, "more than {HELD_BYTES_MAX} bytes of input");
        lanes.push(lane);
    }
    lanes.retain(|lane| lane.len() > 0);
    anyhow::ensure!(!lanes.is_empty(), "the inputs hold no records");
    Ok(lanes)
}

/// The records of `lanes` by the source that recognises them.
pub fn by_source(engine: &Engine, lanes: &[Lane]) -> Vec<Lane> {
    let context = context(SourceChoice::Auto);
    let mut batch = EventBatch::default();
    let mut sorted: BTreeMap<String, Lane> = BTreeMap::new();
    for record in lanes.iter().flat_map(Lane::records) {
        batch.clear();
        engine.parser().parse(&context, &head(0), record, &mut batch);
        let source = batch.events.first().map_or(u16::MAX, |event| event.source);
        let name = match engine.source_name(source) {
            "" => "unrecognised",
            name => name,
        };
        sorted.entry(name.to_owned()).or_insert_with(|| Lane::new("default", name)).push(record);
    }
    sorted.into_values().collect()
}

/// A context for parsing outside a journal.
pub fn context(source: SourceChoice) -> Arc<Context> {
    Arc::new(Context::new("default", "bench", source, Reference::Received))
}

/// A header for parsing outside a journal.
pub fn head(number: u64) -> RecordHeader<'static> {
    RecordHeader {
        id: EventId(u128::from(number) << 32),
        received_time: START,
        stream: 0,
        batch: 0,
        peer: "",
        position: number,
    }
}
