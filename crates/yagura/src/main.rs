//! The binary: parses the command line, runs the command, turns errors into exit codes.

use clap::Parser;
use std::process::ExitCode;
use yagura::cli::{self, Usage, args::Cli};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// How long the allocator keeps memory that is free, in milliseconds. Batches and files come and
/// go many times a second; giving their pages back in between would have the system clear them
/// anew each time, a tenth of the work.
const PURGE_DELAY_MS: std::ffi::c_long = 10_000;

/// The allocator's number for the option that [`PURGE_DELAY_MS`] is the value of, which its
/// binding does not name.
const OPTION_PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

fn main() -> ExitCode {
    set_up_memory();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
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

/// Options that the environment (`MIMALLOC_...`) sets stay as they are set there.
#[expect(unsafe_code, reason = "the allocator's options have no other way in")]
fn set_up_memory() {
    // SAFETY: both functions take any value for these options, at any time.
    unsafe {
        libmimalloc_sys::mi_option_set_default(OPTION_PURGE_DELAY, PURGE_DELAY_MS);
        libmimalloc_sys::mi_option_set_default(libmimalloc_sys::mi_option_large_os_pages, 1);
    }
}

/// Whether the reader of standard output has left, as `head` does: it has what it wanted.
fn is_closed_pipe(cause: &(dyn std::error::Error + 'static)) -> bool {
    let plain = cause.downcast_ref::<std::io::Error>().map(std::io::Error::kind);
    let json = cause.downcast_ref::<serde_json::Error>().and_then(|e| e.io_error_kind());
    plain.or(json) == Some(std::io::ErrorKind::BrokenPipe)
}
