//! Compressed files and archives as seeds, and what comes out of them again.

use std::io::{Read, Write};
use yagura_collect::container::{Fault, Shelf, expand, peel};
use yagura_event::SourceChoice;
use yagura_parse::Framer;

/// Bytes read from one container: enough to reach every state, whatever it claims to hold.
const OUTPUT_BYTES_MAX: u64 = 4 << 20;

/// Every form of `text` that is looked into. A form that cannot be written is left out.
pub fn packed(text: &[u8]) -> Vec<Vec<u8>> {
    [gzip(text), zstd(text), bzip2(text), xz(text), tar(text), zip(text)]
        .into_iter()
        .flatten()
        .collect()
}

fn gzip(text: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(text)?;
    out.finish()
}

fn zstd(text: &[u8]) -> std::io::Result<Vec<u8>> {
    zstd::encode_all(text, 1)
}

fn bzip2(text: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    out.write_all(text)?;
    out.finish()
}

fn xz(text: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut out = liblzma::write::XzEncoder::new(Vec::new(), 0);
    out.write_all(text)?;
    out.finish()
}

fn tar(text: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut out = tar::Builder::new(Vec::new());
    for name in ["web/access.log", "auth.log"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        out.append_data(&mut header, name, text)?;
    }
    out.into_inner()
}

fn zip(text: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let deflated = zip::write::SimpleFileOptions::default();
    let stored = deflated.compression_method(zip::CompressionMethod::Stored);
    for (name, options) in [("a.log", deflated), ("b/c.log", stored)] {
        out.start_file(name, options)?;
        out.write_all(text)?;
    }
    Ok(out.finish()?.into_inner())
}

/// Whether the bytes begin as an archive does, which is looked into as a file.
pub fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.get(257..262) == Some(b"ustar")
}

/// Takes off compressions and cuts what is inside into records, up to a bound.
///
/// # Errors
/// If a reader gives more than was asked for.
pub fn unpack(bytes: &[u8]) -> Result<(), String> {
    let fault = Fault::default();
    let reader: Box<dyn Read> = Box::new(std::io::Cursor::new(bytes.to_vec()));
    let Ok(peeled) = peel(reader, &fault) else { return Ok(()) };
    drain(peeled.reader);
    let _ = fault.get();
    if is_archive(bytes) {
        open(bytes).map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Looks into an archive as `scan` does.
fn open(bytes: &[u8]) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new()?;
    file.write_all(bytes)?;
    let Ok((parts, _)) = expand(file.path(), &Shelf::default()) else { return Ok(()) };
    for part in parts.iter().take(8) {
        if let Ok((reader, fault)) = part.open() {
            drain(reader);
            let _ = fault.get();
        }
    }
    Ok(())
}

/// Frames the bytes of a reader, up to the bound; a fault of the reader ends it.
fn drain(reader: Box<dyn Read>) {
    let mut framer = Framer::new(reader.take(OUTPUT_BYTES_MAX), &SourceChoice::Auto);
    while let Ok(Some(_)) = framer.next_frame() {}
}
