//! The fuzzer's command line; `cargo xtask fuzz` builds and runs it.

use anyhow::{Context, Result, bail};
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use yagura_fuzz::driver::run_one;
use yagura_fuzz::{Report, Run, targets};

const HELP: &str = "\
Runs mutated bytes through parser, rule front end and journal.

Usage: yagura-fuzz [OPTIONS]

  --minutes N      how long in all, divided among the targets (default 3)
  --target NAME    parse, rules or journal; may be repeated (default: all)
  --seed N         names the sequence of inputs (default: any)
  --from N         number of the first input (default 0)
  --most N         run at most so many inputs a target
  --out DIR        where failing inputs go (default target/fuzz)
  --careful        write every input before it is run, to find one that ends the process
  --input FILE     run this saved input alone; needs one --target
";

struct Options {
    minutes: f64,
    targets: Vec<String>,
    seed: u64,
    from: u64,
    most: u64,
    out: PathBuf,
    careful: bool,
    input: Option<PathBuf>,
}

fn main() -> ExitCode {
    match options().and_then(|options| options.map_or(Ok(true), |options| run(&options))) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("yagura-fuzz: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// The command line; `None` where help was asked for.
fn options() -> Result<Option<Options>> {
    let mut options = Options {
        minutes: 3.0,
        targets: Vec::new(),
        // Any number, another in each run: short, since people copy it.
        seed: RandomState::new().build_hasher().finish() % 1_000_000,
        from: 0,
        most: u64::MAX,
        out: PathBuf::from("target/fuzz"),
        careful: false,
        input: None,
    };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("`{arg}` needs a value"));
        match arg.as_str() {
            "--minutes" => options.minutes = value()?.parse()?,
            "--target" => options.targets.push(value()?),
            "--seed" => options.seed = value()?.parse()?,
            "--from" => options.from = value()?.parse()?,
            "--most" => options.most = value()?.parse()?,
            "--out" => options.out = value()?.into(),
            "--input" => options.input = Some(value()?.into()),
            "--careful" => options.careful = true,
            "--help" | "-h" => {
                print!("{HELP}");
                return Ok(None);
            }
            _ => bail!("unknown argument `{arg}`; see --help"),
        }
    }
    Ok(Some(options))
}

fn run(options: &Options) -> Result<bool> {
    let mut targets = targets::all()?;
    for name in &options.targets {
        if !targets.iter().any(|target| target.name() == name) {
            bail!("no target is called `{name}`");
        }
    }
    targets.retain(|t| options.targets.is_empty() || options.targets.iter().any(|n| n == t.name()));
    if let Some(path) = &options.input {
        let [target] = targets.as_slice() else { bail!("--input needs one --target") };
        let input = std::fs::read(path).with_context(|| path.display().to_string())?;
        let result = run_one(&**target, &input);
        println!("{}: {result:?}", path.display());
        return Ok(result.is_ok());
    }
    let each = Duration::from_secs_f64(options.minutes * 60.0 / targets.len() as f64);
    let mut failed = 0;
    for target in &targets {
        let run = Run {
            seed: options.seed,
            from: options.from,
            until: Instant::now() + each,
            most: options.most,
            out: Some(options.out.clone()),
            careful: options.careful,
        };
        let begun = Instant::now();
        let mut last = Instant::now();
        let report = run.go(&**target, &mut |number, report| {
            if last.elapsed() > Duration::from_secs(10) {
                last = Instant::now();
                tell(target.name(), options.seed, number, report, begun);
            }
        })?;
        tell(target.name(), options.seed, options.from + report.executions, &report, begun);
        for failure in &report.failures {
            let path = failure.path.as_ref().map(|p| p.display().to_string()).unwrap_or_default();
            println!(
                "FAILED {} seed {} input {}: {}",
                target.name(),
                failure.seed,
                failure.number,
                failure.message
            );
            println!("  again: cargo xtask fuzz --target {} --input {path}", target.name());
        }
        failed += report.failures.len();
    }
    Ok(failed == 0)
}

fn tell(name: &str, seed: u64, number: u64, report: &Report, begun: Instant) {
    let rate = report.executions as f64 / begun.elapsed().as_secs_f64().max(1e-9);
    println!(
        "{name}: seed {seed}, up to input {number}: {} executions, {:.0}/s, {} MB, slowest {:?}, {} failures",
        report.executions,
        rate,
        report.bytes / 1_000_000,
        report.slowest,
        report.failures.len()
    );
}
