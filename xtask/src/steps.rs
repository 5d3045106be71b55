//! `cargo xtask test`: the steps that a change must pass, in order.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::time::Instant;

use anyhow::{Context, Result};

use crate::tally::Tally;
use crate::{browser, cargo, console, tidy};

/// Every step, in the order in which they run. Quick ones come first. Integration steps name
/// the workspace and a test target (`test --workspace --profile ci --test NAME`), since
/// `-p CRATE` resolves other features and builds the heavy dependencies again.
const STEPS: &[Step] = &[
    Step::check("fmt", "sources are formatted", &["fmt", "--all", "--check"]),
    Step { name: "tidy", about: "the rules on the sources' shape", full: false, run: Run::Tidy },
    Step {
        name: "console",
        about: "the console is built, checked and small enough",
        full: false,
        run: Run::Console,
    },
    Step::check(
        "clippy",
        "lints, warnings denied",
        &["clippy", "--workspace", "--all-targets", "--profile", "ci", "--", "-D", "warnings"],
    ),
    Step::tests(
        "test",
        "unit, integration and documentation tests",
        &["test", "--workspace", "--profile", "ci", "--no-fail-fast", "--", "--show-output"],
    ),
    Step {
        name: "browser",
        about: "the console in Chromium, against a running demo",
        full: false,
        run: Run::Browser,
    },
    // A workspace of its own (its manifest says why), into the same target directory.
    Step::check(
        "oracle-fmt",
        "the oracle's sources are formatted",
        &["fmt", "--manifest-path", "oracle/Cargo.toml", "--check"],
    ),
    Step {
        name: "oracle-lint",
        about: "the oracle's lints, warnings denied",
        full: true,
        run: Run::Check(&[
            "clippy",
            "--manifest-path",
            "oracle/Cargo.toml",
            "--all-targets",
            "--profile",
            "ci",
            "--",
            "-D",
            "warnings",
        ]),
    },
    Step {
        name: "oracle",
        about: "our matcher beside rsigma-eval (docs/detection-oracle.md)",
        full: true,
        run: Run::Tests(&[
            "test",
            "--manifest-path",
            "oracle/Cargo.toml",
            "--profile",
            "ci",
            "--",
            "--show-output",
        ]),
    },
];

/// One step.
struct Step {
    /// What `--only` calls it.
    name: &'static str,
    /// What it checks, for `--help`.
    about: &'static str,
    /// Whether it runs only with `--full` (or when named by `--only`).
    full: bool,
    /// What it does.
    run: Run,
}

/// What a step does.
enum Run {
    /// A cargo command that counts as one check.
    Check(&'static [&'static str]),
    /// A cargo command that prints what Rust's test harness prints, and is counted from it.
    Tests(&'static [&'static str]),
    /// The rules of `tidy`, within this process.
    Tidy,
    /// The console's build and its own checks.
    Console,
    /// The console's browser tests.
    Browser,
}

impl Step {
    const fn check(name: &'static str, about: &'static str, args: &'static [&'static str]) -> Self {
        Self { name, about, full: false, run: Run::Check(args) }
    }

    const fn tests(name: &'static str, about: &'static str, args: &'static [&'static str]) -> Self {
        Self { name, about, full: false, run: Run::Tests(args) }
    }
}

/// The command line of `test`.
#[derive(Default, Debug, PartialEq, Eq)]
pub struct Options {
    /// Run the long forms too; tests see it as `YAGURA_FULL=1`.
    full: bool,
    /// Run these steps alone; empty means all.
    only: Vec<String>,
}

impl Options {
    /// Reads `[--full] [--only STEP]...`.
    ///
    /// # Errors
    /// A message for the user, if an argument is unknown or names no step.
    pub fn parse(args: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut args = args.iter();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--full" => options.full = true,
                "--only" => {
                    let name = args.next().ok_or("`--only` needs the name of a step")?;
                    if !STEPS.iter().any(|step| step.name == name) {
                        return Err(format!("no step is called `{name}`"));
                    }
                    options.only.push(name.clone());
                }
                other => return Err(format!("unknown argument `{other}`")),
            }
        }
        Ok(options)
    }

    fn wants(&self, step: &Step) -> bool {
        if self.only.is_empty() {
            self.full || !step.full
        } else {
            self.only.iter().any(|name| name == step.name)
        }
    }
}

/// The text of `test --help`.
pub fn help() -> String {
    let mut text = String::from(
        "Runs every check and test, as CI does, and ends with `N passed, N failed, N skipped`.\n\n\
         Usage: cargo xtask test [--full] [--only STEP]...\n\n\
         \x20 --full        run the long forms too (more seeds, more kills)\n\
         \x20 --only STEP   run this step alone (may be repeated)\n\n\
         Steps, in order:\n",
    );
    for step in STEPS {
        let full = if step.full { " (only with --full)" } else { "" };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {:<12}{}{full}", step.name, step.about);
    }
    text
}

/// Runs the chosen steps, prints the summary and says whether all passed.
///
/// # Errors
/// If a step cannot be started.
pub fn run(root: &Path, options: &Options) -> Result<bool> {
    let mut tally = Tally::default();
    let mut times = Vec::new();
    let start = Instant::now();
    for step in STEPS.iter().filter(|step| options.wants(step)) {
        eprintln!("\n== {}: {} ==", step.name, step.about);
        let begun = Instant::now();
        let ok = run_step(root, step, options, &mut tally)
            .with_context(|| format!("step {}", step.name))?;
        times.push((step.name, ok, begun.elapsed().as_secs_f64()));
    }
    println!();
    for line in &tally.skip_lines {
        println!("{line}");
    }
    for name in &tally.failures {
        println!("FAILED: {name}");
    }
    for (name, ok, seconds) in times {
        println!("{name:<12}{}  {seconds:7.1} s", if ok { "ok    " } else { "FAILED" });
    }
    println!("{:<12}        {:7.1} s", "in all", start.elapsed().as_secs_f64());
    println!("{}", tally.summary());
    Ok(tally.failed == 0)
}

fn run_step(root: &Path, step: &Step, options: &Options, tally: &mut Tally) -> Result<bool> {
    match step.run {
        Run::Check(args) => {
            let ok = cargo::run(root, args)?;
            tally.step(step.name, ok);
            Ok(ok)
        }
        Run::Tidy => {
            let problems = tidy::run(root)?;
            for problem in &problems {
                println!("{problem}");
            }
            tally.step(step.name, problems.is_empty());
            Ok(problems.is_empty())
        }
        Run::Console => {
            let ok = console::check(root)?;
            tally.step(step.name, ok);
            Ok(ok)
        }
        Run::Browser => match browser::run(root, options.full)? {
            browser::Outcome::Ran(ok) => {
                tally.step(step.name, ok);
                Ok(ok)
            }
            browser::Outcome::Skipped(why) => {
                println!("{why}");
                tally.line(&why);
                Ok(true)
            }
        },
        Run::Tests(args) => {
            let failed_before = tally.failed;
            let ok = stream(root, args, options, tally)?;
            if !ok && tally.failed == failed_before {
                // Something did not compile, or a test program died before it could report.
                tally.step(step.name, false);
            }
            Ok(ok)
        }
    }
}

/// Runs cargo with `args`, showing and counting its output line by line as it comes.
fn stream(root: &Path, args: &[&str], options: &Options, tally: &mut Tally) -> Result<bool> {
    let mut command = cargo::command(root, args);
    if options.full {
        command.env("YAGURA_FULL", "1");
    }
    let mut child = command.stdout(Stdio::piped()).spawn().context("cannot start cargo")?;
    let mut output = BufReader::new(child.stdout.take().context("cargo has no output")?);
    let mut shown = std::io::stdout().lock();
    let mut bytes = Vec::new();
    while output.read_until(b'\n', &mut bytes)? > 0 {
        if tally.line(&String::from_utf8_lossy(&bytes)) {
            shown.write_all(&bytes)?;
            shown.flush()?;
        }
        bytes.clear();
    }
    Ok(child.wait()?.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Options, String> {
        Options::parse(&args.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn options_name_steps_that_exist() {
        let options = parse(&["--full", "--only", "tidy"]).unwrap();
        assert_eq!(options, Options { full: true, only: vec!["tidy".into()] });
        assert_eq!(parse(&["--only", "none"]).unwrap_err(), "no step is called `none`");
        assert_eq!(parse(&["--only"]).unwrap_err(), "`--only` needs the name of a step");
        assert_eq!(parse(&["--fast"]).unwrap_err(), "unknown argument `--fast`");
    }

    #[test]
    fn long_steps_run_when_asked_for() {
        let long = Step { name: "long", about: "", full: true, run: Run::Tidy };
        assert!(!Options::default().wants(&long));
        assert!(Options { full: true, only: vec![] }.wants(&long));
        assert!(Options { full: false, only: vec!["long".into()] }.wants(&long));
        assert!(!Options { full: true, only: vec!["other".into()] }.wants(&long));
    }

    #[test]
    fn names_are_unique_and_in_the_help() {
        let help = help();
        for (at, step) in STEPS.iter().enumerate() {
            assert!(help.contains(step.name));
            assert!(STEPS[..at].iter().all(|earlier| earlier.name != step.name));
        }
    }
}
