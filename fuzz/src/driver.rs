//! Makes inputs, runs a target over them, keeps those that fail.

use crate::targets::Target;
use std::any::Any;
use std::fs;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use yagura_testkit::rng::Rng;

/// A run ends with this many failures: more would say the same again.
const FAILURES_MAX: usize = 8;

/// Executions between two notes of the place reached.
const NOTE_EVERY: u64 = 256;

/// CPU time that one input may take: a hundred times what the longest takes unoptimised.
pub const INPUT_TIME_MAX: Duration = Duration::from_secs(10);

/// What to run, and for how long.
#[derive(Clone, Debug)]
pub struct Run {
    /// Names the sequence of inputs.
    pub seed: u64,
    /// The first input's number.
    pub from: u64,
    /// When to stop.
    pub until: Instant,
    /// Most inputs.
    pub most: u64,
    /// Where failing inputs and the place reached are kept; nothing is kept without.
    pub out: Option<PathBuf>,
    /// Write every input before it is run, to find the one at which the process dies.
    pub careful: bool,
}

/// An input that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The seed of its run.
    pub seed: u64,
    /// Its number.
    pub number: u64,
    /// What went wrong.
    pub message: String,
    /// Where it was saved.
    pub path: Option<PathBuf>,
}

/// What a run came to.
#[derive(Clone, Default, Debug)]
pub struct Report {
    /// Inputs run.
    pub executions: u64,
    /// Bytes in them.
    pub bytes: u64,
    /// The longest time that one took.
    pub slowest: Duration,
    /// What failed.
    pub failures: Vec<Failure>,
}

impl Run {
    /// Runs `target`, telling `progress` about once a second how far it is.
    ///
    /// # Errors
    /// If an input cannot be saved.
    pub fn go(
        &self,
        target: &dyn Target,
        progress: &mut dyn FnMut(u64, &Report),
    ) -> io::Result<Report> {
        let mut report = Report::default();
        let mut told = Instant::now();
        let mut number = self.from;
        while report.executions < self.most
            && report.failures.len() < FAILURES_MAX
            && Instant::now() < self.until
        {
            let input = target.make(&mut input_rng(self.seed, number));
            if let Some(out) = &self.out
                && (self.careful || number.is_multiple_of(NOTE_EVERY))
            {
                self.note(out, target, number, &input)?;
            }
            let begun = Instant::now();
            let result = run_one(target, &input);
            let took = begun.elapsed();
            report.executions += 1;
            report.bytes += input.len() as u64;
            report.slowest = report.slowest.max(took);
            let slow = format!("took {took:?}, more than {INPUT_TIME_MAX:?}");
            let result = result.and(if took > INPUT_TIME_MAX { Err(slow) } else { Ok(()) });
            if let Err(message) = result {
                let path = self.save(target, number, &input)?;
                report.failures.push(Failure { seed: self.seed, number, message, path });
            }
            number += 1;
            if told.elapsed() > Duration::from_secs(1) {
                told = Instant::now();
                progress(number, &report);
            }
        }
        progress(number, &report);
        Ok(report)
    }

    fn note(&self, out: &Path, target: &dyn Target, number: u64, input: &[u8]) -> io::Result<()> {
        fs::create_dir_all(out)?;
        let place = format!("--target {} --seed {} --from {number}\n", target.name(), self.seed);
        fs::write(out.join(format!("{}.at", target.name())), place)?;
        if self.careful {
            fs::write(out.join(format!("{}.current", target.name())), input)?;
        }
        Ok(())
    }

    fn save(&self, target: &dyn Target, number: u64, input: &[u8]) -> io::Result<Option<PathBuf>> {
        let Some(out) = &self.out else { return Ok(None) };
        fs::create_dir_all(out)?;
        let path = out.join(format!("{}-{}-{number}.input", target.name(), self.seed));
        fs::write(&path, input)?;
        Ok(Some(path))
    }
}

/// The numbers from which input `number` of a seed is made.
pub fn input_rng(seed: u64, number: u64) -> Rng {
    Rng::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ number.wrapping_mul(0xd1b5_4a32_d192_ed03))
}

/// Runs one input; a panic is a failure like any other.
///
/// # Errors
/// What went wrong.
pub fn run_one(target: &dyn Target, input: &[u8]) -> Result<(), String> {
    match catch_unwind(AssertUnwindSafe(|| target.run(input))) {
        Ok(result) => result,
        Err(panic) => Err(format!("panicked: {}", words(&*panic))),
    }
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}
