//! `yagura generate`: made-up logs in files, one for each tenant and lane, and the truth beside.

use crate::cli::Usage;
use crate::cli::args::GenerateArgs;
use anyhow::Context as _;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;
use yagura_event::time::parse_rfc3339;
use yagura_testkit::generate::{Generator, Lane, Limit, Plan};

/// Records made between two looks at the chunks.
const CHUNK_RECORDS: u64 = 8_192;

/// A chunk is written out when it has so many bytes. With the most streams (650) they hold about
/// 160 MB.
const CHUNK_BYTES: usize = 256 << 10;

/// One stream's file, made with its first record.
struct Output {
    path: PathBuf,
    file: Option<File>,
}

impl Output {
    fn write(&mut self, chunk: &mut Vec<u8>) -> anyhow::Result<()> {
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let parent = self.path.parent().unwrap_or(Path::new(""));
                fs::create_dir_all(parent)
                    .with_context(|| format!("cannot make {}", parent.display()))?;
                self.file.insert(
                    File::create_new(&self.path)
                        .with_context(|| format!("cannot make {}", self.path.display()))?,
                )
            }
        };
        file.write_all(chunk).with_context(|| format!("cannot write {}", self.path.display()))?;
        chunk.clear();
        Ok(())
    }
}

/// Writes the logs.
///
/// # Errors
/// [`Usage`] for what cannot be made; files that cannot be written.
pub fn run(args: &GenerateArgs) -> anyhow::Result<()> {
    let plan = plan(args)?;
    let mut generator = Generator::new(&plan).map_err(|error| Usage(error.to_string()))?;
    prepare(&args.out)?;
    let began = Instant::now();
    let mut outputs: Vec<Output> = generator
        .streams()
        .map(|stream| {
            let name = format!("{}.{}", stream.lane.name(), stream.lane.extension());
            Output { path: args.out.join(stream.tenant).join(name), file: None }
        })
        .collect();
    let bar = io::stderr().is_terminal().then(|| {
        let (Limit::Records(length) | Limit::Bytes(length)) = plan.limit;
        indicatif::ProgressBar::new(length)
    });
    let mut chunks = vec![Vec::new(); outputs.len()];
    while generator.fill(&mut chunks, CHUNK_RECORDS) > 0 {
        for (output, chunk) in outputs.iter_mut().zip(&mut chunks) {
            if chunk.len() >= CHUNK_BYTES {
                output.write(chunk)?;
            }
        }
        if let Some(bar) = &bar {
            let (records, bytes) = generator.written();
            bar.set_position(if matches!(plan.limit, Limit::Bytes(_)) { bytes } else { records });
        }
    }
    for (output, chunk) in outputs.iter_mut().zip(&mut chunks) {
        if !chunk.is_empty() {
            output.write(chunk)?;
        }
    }
    let truth = args.out.join("truth.json");
    let mut text = serde_json::to_vec_pretty(&generator.truth())?;
    text.push(b'\n');
    fs::write(&truth, text).with_context(|| format!("cannot write {}", truth.display()))?;
    if let Some(bar) = &bar {
        bar.finish_and_clear();
    }
    summary(&generator, &outputs, args, began);
    Ok(())
}

fn plan(args: &GenerateArgs) -> Result<Plan, Usage> {
    let limit = match (args.records, args.bytes) {
        (Some(records), None) => Limit::Records(records),
        (None, Some(bytes)) => Limit::Bytes(bytes),
        _ => return Err(Usage("give either --records or --bytes".to_owned())),
    };
    let start = parse_rfc3339(&args.start).ok_or_else(|| {
        Usage(format!("{:?} is not a time such as 2026-01-05T06:00:00Z", args.start))
    })?;
    let lane = match &args.lane {
        None => None,
        Some(name) => Some(Lane::of(name).ok_or_else(|| {
            let names: Vec<&str> = Lane::ALL.iter().map(|lane| lane.name()).collect();
            Usage(format!("lane {name:?} is not one of {}", names.join(", ")))
        })?),
    };
    let (seed, tenants, attacks, rate) = (args.seed, args.tenants, args.attacks, args.rate);
    Ok(Plan { seed, limit, tenants, attacks, start, rate, lane })
}

/// Makes the directory; files of two runs in one would not be what the truth file says.
fn prepare(out: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    let mut entries =
        fs::read_dir(out).with_context(|| format!("cannot read {}", out.display()))?;
    if entries.next().is_some() {
        return Err(Usage(format!("{} is not empty", out.display())).into());
    }
    Ok(())
}

fn summary(generator: &Generator, outputs: &[Output], args: &GenerateArgs, began: Instant) {
    let (records, bytes) = generator.written();
    let files = outputs.iter().filter(|output| output.file.is_some()).count();
    let truth = generator.truth();
    let seconds = began.elapsed().as_secs_f64().max(1e-3);
    eprintln!(
        "{records} records, {bytes} bytes in {files} files below {}; {} attacks and {} red herrings in truth.json; {:.0} records/s",
        args.out.display(),
        truth.attacks.len(),
        truth.herrings.len(),
        records as f64 / seconds
    );
}
