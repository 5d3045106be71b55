//! Where an answer goes: standard output, or a file that appears when it is whole.

use crate::cli::Usage;
use crate::cli::args::TableFormat;
use anyhow::Context as _;
use std::fs::File;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

/// Takes an answer's bytes.
pub struct Output {
    out: Box<dyn Write + Send>,
    file: Option<(PathBuf, PathBuf)>,
}

impl Output {
    /// Standard output, or the file that is named.
    ///
    /// # Errors
    /// [`Usage`] for a form that no terminal shows; a file that cannot be made.
    pub fn new(format: TableFormat, file: Option<&Path>) -> anyhow::Result<Self> {
        let Some(path) = file else {
            if format.is_binary() && io::stdout().is_terminal() {
                let name = format.name();
                let text = format!(
                    "{name} is not for a terminal; name a file with --output, or pipe it on"
                );
                return Err(Usage(text).into());
            }
            return Ok(Self { out: Box::new(BufWriter::new(io::stdout())), file: None });
        };
        let mut part = path.as_os_str().to_owned();
        part.push(".part");
        let part = PathBuf::from(part);
        let made =
            File::create(&part).with_context(|| format!("cannot write {}", part.display()))?;
        Ok(Self { out: Box::new(BufWriter::new(made)), file: Some((part, path.to_owned())) })
    }

    /// Gives the file its name.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn done(mut self) -> anyhow::Result<()> {
        self.out.flush()?;
        if let Some((part, path)) = self.file.take() {
            std::fs::rename(&part, &path)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.out.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        if let Some((part, _)) = &self.file {
            // What is left has a name that says so.
            let _ = std::fs::remove_file(part);
        }
    }
}
