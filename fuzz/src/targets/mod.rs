//! What is fuzzed.

pub mod containers;
pub mod journal;
pub mod parse;
pub mod rules;

use std::path::{Path, PathBuf};
use yagura_testkit::rng::Rng;

/// Largest seed taken from a file, in bytes.
const SEED_BYTES_MAX: u64 = 256 * 1024;

/// Something that reads bytes from outside.
pub trait Target {
    /// Its name on the command line and in files.
    fn name(&self) -> &'static str;

    /// Makes an input from numbers; the same numbers make the same input.
    fn make(&self, rng: &mut Rng) -> Vec<u8>;

    /// Runs an input and checks what came of it.
    ///
    /// # Errors
    /// What is wrong; a panic is one too.
    fn run(&self, input: &[u8]) -> Result<(), String>;
}

/// Every target, ready to run.
///
/// # Errors
/// If the built-in sources do not compile or the seeds cannot be read.
pub fn all() -> anyhow::Result<Vec<Box<dyn Target>>> {
    let all: Vec<Box<dyn Target>> = vec![
        Box::new(parse::Parse::new()?),
        Box::new(rules::Rules::new()?),
        Box::new(journal::Journal::new()?),
    ];
    Ok(all)
}

/// The repository's root.
fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// Every file below `folder`, sorted; none if it is not there.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// The beginning of a file.
fn beginning(path: &Path) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(SEED_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(bytes)
}
