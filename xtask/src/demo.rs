//! `cargo xtask demo`: builds the product and shows it at work.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::cargo;

const ANNOUNCEMENT: &str = "\
Building yagura (profile ci) and then running `yagura demo`.
  first build   about 500 crates: a quarter of an hour on two cores, less on more
  on disk       2 to 3 GB in cargo's target directory (`CARGO_TARGET_DIR` moves it)
  later builds  seconds
";

/// The build. The whole workspace decides the features of shared dependencies, so that the demo
/// and the tests build each of them once (`-p yagura` would build some of them again).
const BUILD: [&str; 7] = [
    "build",
    "--workspace",
    "--bin",
    "yagura",
    "--profile",
    "ci",
    "--message-format=json-render-diagnostics",
];

/// Builds `yagura` and becomes `yagura demo` with `args`; returns only if that fails.
///
/// # Errors
/// If cargo or the built program cannot be started.
pub fn run(root: &Path, args: &[String]) -> Result<bool> {
    eprintln!("{ANNOUNCEMENT}");
    let Some(program) = build(root)? else {
        eprintln!("\nThe build failed; the reason is above.");
        return Ok(false);
    };
    let args = args.strip_prefix(&["--".to_owned()]).unwrap_or(args);
    // Replacing this process hands over the terminal, the signals and the exit code.
    let error = Command::new(&program).arg("demo").args(args).exec();
    bail!("cannot start {}: {error}", program.display())
}

/// Builds the program and returns where cargo put it, or nothing if the build failed.
fn build(root: &Path) -> Result<Option<PathBuf>> {
    let mut child = cargo::command(root, &BUILD)
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let stdout = child.stdout.take().context("cargo has no output")?;
    let mut program = None;
    for line in BufReader::new(stdout).lines() {
        program = executable(&line?).or(program);
    }
    if !child.wait()?.success() {
        return Ok(None);
    }
    program.map(Some).context("cargo built no program called yagura")
}

/// The path in one of cargo's JSON messages, if it reports the program `yagura`.
fn executable(line: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(line).ok()?;
    (message["target"]["name"] == "yagura").then_some(())?;
    message["executable"].as_str().map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_program_among_cargos_messages() {
        let found = |line| executable(line).map(|path| path.display().to_string());
        assert_eq!(
            found(r#"{"target":{"name":"yagura"},"executable":"/t/ci/yagura"}"#),
            Some("/t/ci/yagura".into())
        );
        assert_eq!(found(r#"{"target":{"name":"yagura"},"executable":null}"#), None);
        assert_eq!(found(r#"{"target":{"name":"other"},"executable":"/t/ci/other"}"#), None);
        assert_eq!(found("not json"), None);
    }
}
