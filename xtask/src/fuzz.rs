//! `cargo xtask fuzz`: builds the fuzzer and runs it, also past inputs that end the process.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::demo;

/// Builds `yagura-fuzz` and runs it with `args`; says whether it found nothing.
///
/// # Errors
/// If cargo or the program cannot be started.
pub fn run(root: &Path, args: &[String]) -> Result<bool> {
    let Some(program) = demo::build(root, "yagura-fuzz")? else { return Ok(false) };
    let status = Command::new(&program)
        .args(args)
        .current_dir(root)
        .status()
        .with_context(|| format!("cannot start {}", program.display()))?;
    if status.code().is_none() {
        // A panic is caught; only an overflow of the stack or of memory ends the process.
        println!("FAILED the process ended ({status}) shortly after the input that is named in");
        println!("target/fuzz/*.at; with `--careful` and those options, *.current will hold it");
    }
    Ok(status.success())
}
