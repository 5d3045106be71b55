//! The project's own commands, run as `cargo xtask COMMAND`.

mod browser;
mod cargo;
mod console;
mod demo;
mod fuzz;
mod soak;
mod steps;
mod tally;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;

const HELP: &str = "\
The project's own commands.

Usage: cargo xtask COMMAND

Commands:
  demo [-- ARGS]   build yagura and run `yagura demo ARGS`
  console          build the console into web/dist
  test [OPTIONS]   run every check and test, as CI does
  tidy             run the rules on the shape of the sources alone
  fuzz [OPTIONS]   run mutated bytes through everything that reads bytes from outside
  soak [OPTIONS]   a server under load, killed and halted at random, held against a ledger
  fmt              format every Rust file

`cargo xtask COMMAND --help` says more.
";

const DEMO_HELP: &str = "\
Builds the console and yagura (profile ci) and runs `yagura demo`, whose exit code it returns.

Usage: cargo xtask demo [-- ARGS]

  ARGS   go to `yagura demo`, for example `--keep DIR`
";

const CONSOLE_HELP: &str = "\
Builds the console with Node.js 20 into web/dist, where its sources have changed. The next build of
yagura takes it in.

Usage: cargo xtask console
";

const TIDY_HELP: &str = "\
Runs the rules on the shape of the sources: file and function length, crate dependencies,
panics, leftovers. `cargo test -p xtask` runs them too.

Usage: cargo xtask tidy
";

const FMT_HELP: &str = "\
Formats every Rust file.

Usage: cargo xtask fmt
";

/// Exit code for a command line that cannot be understood.
const EXIT_USAGE: u8 = 2;

fn main() -> ExitCode {
    let mut args: Vec<String> = std::env::args().skip(1).collect();
    if args.is_empty() {
        eprint!("{HELP}");
        return ExitCode::from(EXIT_USAGE);
    }
    let command = args.remove(0);
    // What follows `--` belongs to the program that `demo` runs.
    let help = args.iter().take_while(|a| *a != "--").any(|a| a == "--help" || a == "-h");
    let result = match command.as_str() {
        "demo" if help => print(DEMO_HELP),
        "test" if help => print(&steps::help()),
        "tidy" if help => print(TIDY_HELP),
        "soak" if help => print(soak::HELP),
        "fmt" if help => print(FMT_HELP),
        "help" | "--help" | "-h" => print(HELP),
        "console" if help => print(CONSOLE_HELP),
        "console" if args.is_empty() => console::build(&root()),
        "demo" => demo::run(&root(), &args),
        "fuzz" => fuzz::run(&root(), &args),
        "test" => match steps::Options::parse(&args) {
            Ok(options) => steps::run(&root(), &options),
            Err(message) => return usage(&message),
        },
        "soak" => match soak::Options::parse(&args) {
            Ok(options) => soak::run(&root(), &options),
            Err(message) => return usage(&message),
        },
        "tidy" if args.is_empty() => tidy_command(),
        "fmt" if args.is_empty() => fmt_command(),
        "tidy" | "fmt" | "console" => return usage(&format!("`{command}` takes no arguments")),
        _ => return usage(&format!("unknown command `{command}`")),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn print(text: &str) -> Result<bool> {
    print!("{text}");
    Ok(true)
}

fn usage(message: &str) -> ExitCode {
    eprintln!("xtask: {message}; see `cargo xtask --help`");
    ExitCode::from(EXIT_USAGE)
}

fn fmt_command() -> Result<bool> {
    let ours = cargo::run(&root(), &["fmt", "--all"])?;
    Ok(cargo::run(&root(), &["fmt", "--manifest-path", "oracle/Cargo.toml"])? && ours)
}

fn tidy_command() -> Result<bool> {
    let problems = tidy::run(&root())?;
    for problem in &problems {
        println!("{problem}");
    }
    println!("tidy: {} problems", problems.len());
    Ok(problems.is_empty())
}

/// The workspace's root. Cargo says at run time where this crate is; the path compiled in would
/// be another clone's where clones share one target directory.
fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent().map_or_else(|| here.clone(), PathBuf::from)
}
