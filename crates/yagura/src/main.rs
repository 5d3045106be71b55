//! The binary: parses the command line, runs the command, turns errors into exit codes.

use clap::Parser;
use std::process::ExitCode;
use yagura::cli::{self, Usage, args::Cli};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("YAGURA_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("warn")),
        )
        .init();
    match cli::run(Cli::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            if error.chain().any(is_closed_pipe) {
                return ExitCode::SUCCESS;
            }
            eprintln!("yagura: {}", yagura::message::of(&error));
            if error.downcast_ref::<Usage>().is_some() {
                ExitCode::from(2)
            } else {
                ExitCode::FAILURE
            }
        }
    }
}

/// Whether the reader of standard output has left, as `head` does: it has what it wanted.
fn is_closed_pipe(cause: &(dyn std::error::Error + 'static)) -> bool {
    let plain = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    let json = cause.downcast_ref::<serde_json::Error>().and_then(|e| e.io_error_kind());
    plain.or(json) == Some(std::io::ErrorKind::BrokenPipe)
}
