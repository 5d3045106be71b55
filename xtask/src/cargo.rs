//! Starting cargo the same way from every command.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

/// Variables that `cargo run` sets for this program. Build scripts of some dependencies watch
/// them, so a cargo started with them would rebuild what a cargo started by hand has built.
const INHERITED: [&str; 4] = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];

/// Cargo subcommands that read the lock file and can be told to leave it alone.
const LOCKABLE: [&str; 5] = ["build", "test", "clippy", "run", "bench"];

/// Cargo with `args`, started in `root`. Under `CI=true` it must not change `Cargo.lock`.
pub fn command(root: &Path, args: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root);
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| INHERITED.iter().any(|p| name.starts_with(p))) {
            command.env_remove(&name);
        }
    }
    // A workspace of its own shares what is built with the one it lies in.
    if args.contains(&"--manifest-path") && std::env::var_os("CARGO_TARGET_DIR").is_none() {
        command.env("CARGO_TARGET_DIR", root.join("target"));
    }
    let mut args = args.iter();
    if let Some(first) = args.next() {
        command.arg(first);
        if in_ci() && LOCKABLE.contains(first) {
            command.arg("--locked");
        }
    }
    command.args(args);
    command
}

/// Runs cargo with `args` and says whether it succeeded.
///
/// # Errors
/// If cargo cannot be started.
pub fn run(root: &Path, args: &[&str]) -> Result<bool> {
    let status = command(root, args).status().context("cannot start cargo")?;
    Ok(status.success())
}

/// Whether this is a run of the project's CI.
pub fn in_ci() -> bool {
    std::env::var_os("CI").is_some_and(|value| value == "true")
}
