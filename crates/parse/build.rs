//! Embeds the definitions under `sources/` into the crate.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root =
        PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap_or_default()).join("../../sources");
    println!("cargo:rerun-if-changed={}", root.display());
    let mut table = String::from("[\n");
    let mut folders: Vec<_> = match fs::read_dir(&root) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(_) => Vec::new(),
    };
    folders.sort();
    for folder in folders.iter().filter(|folder| folder.join("source.toml").is_file()) {
        let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
        let messages = folder.join("messages.toml");
        let messages = if messages.is_file() { include(&messages) } else { "None".to_owned() };
        let source = include(&folder.join("source.toml"));
        writeln!(table, "({:?}, {source}, {messages}),", name.unwrap_or_default())
            .map_err(io::Error::other)?;
        println!("cargo:rerun-if-changed={}", folder.display());
    }
    table.push(']');
    let out = PathBuf::from(env::var("OUT_DIR").unwrap_or_default());
    fs::write(out.join("sources.rs"), table)
}

fn include(path: &Path) -> String {
    println!("cargo:rerun-if-changed={}", path.display());
    format!("Some(include_str!({:?}))", path.display().to_string())
}
