//! `cargo xtask demo`: builds the product and shows it at work.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{cargo, console};

const ANNOUNCEMENT: &str = "\
Building the console and yagura (profile ci) and then running `yagura demo`.
  first build   about 500 crates: a quarter of an hour on two cores, less on more
  on disk       2 to 3 GB in cargo's target directory (`CARGO_TARGET_DIR` moves it)
  later builds  seconds
";

/// Builds `yagura` and becomes `yagura demo` with `args`; returns only if that fails.
///
/// # Errors
/// If cargo or the built program cannot be started.
pub fn run(root: &Path, args: &[String]) -> Result<bool> {
    eprintln!("{ANNOUNCEMENT}");
    if !console::build(root)? {
        eprintln!("\nThe console could not be built; the reason is above.");
        return Ok(false);
    }
    let Some(program) = build(root, "yagura")? else {
        eprintln!("\nThe build failed; the reason is above.");
        return Ok(false);
    };
    let args = args.strip_prefix(&["--".to_owned()]).unwrap_or(args);
    // Replacing this process hands over the terminal, the signals and the exit code.
    let error = Command::new(&program).arg("demo").args(args).exec();
    bail!("cannot start {}: {error}", program.display())
}

/// Builds a program and returns where cargo put it, or nothing if the build failed. The whole
/// workspace decides the features of shared dependencies, so that programs and tests build each
/// of them once (`-p yagura` would build some of them again).
///
/// # Errors
/// If cargo cannot be started.
pub fn build(root: &Path, program: &str) -> Result<Option<PathBuf>> {
    let args = ["build", "--workspace", "--bin", program, "--profile", "ci"];
    let args = [&args[..], &["--message-format=json-render-diagnostics"]].concat();
    let mut child =
        cargo::command(root, &args).stdout(Stdio::piped()).spawn().context("cannot start cargo")?;
    let stdout = child.stdout.take().context("cargo has no output")?;
    let mut found = None;
    for line in BufReader::new(stdout).lines() {
        found = executable(&line?, program).or(found);
    }
    if !child.wait()?.success() {
        return Ok(None);
    }
    found.map(Some).with_context(|| format!("cargo built no program called {program}"))
}

/// The path in one of cargo's JSON messages, if it reports the program.
fn executable(line: &str, program: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    (message["target"]["name"] == program).then_some(())?;
    message["executable"].as_str().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_program_among_cargos_messages() {
        let found = |line| executable(line, "yagura").map(|path| path.display().to_string());
        assert_eq!(
            found(r#"{"target":{"name":"yagura"},"executable":"/t/ci/yagura"}"#),
            Some("/t/ci/yagura".into())
        );
        assert_eq!(found(r#"{"target":{"name":"yagura"},"executable":null}"#), None);
        assert_eq!(found(r#"{"target":{"name":"other"},"executable":"/t/ci/other"}"#), None);
        assert_eq!(found("not json"), None);
    }
}
