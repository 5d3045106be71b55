//! Puts the built console, where there is one, into the binary: each file compressed once.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a build that fails has to say where")]

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

fn main() {
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where"));
    let dist = root.join("../../web/dist");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo says where"));
    // Relative, since several clones may share what is built. The folder is always there: a path
    // that does not exist would make every build run this again.
    println!("cargo:rerun-if-changed=../../web/dist");
    println!("cargo:rerun-if-changed=build.rs");
    let mut files = Vec::new();
    if dist.is_dir() {
        walk(&dist, &mut files);
    }
    files.sort();
    let mut text = String::from("static ASSETS: &[Asset] = &[\n");
    for (number, file) in files.iter().enumerate() {
        let name = file.strip_prefix(&dist).expect("it is below").to_str().expect("UTF-8 names");
        let packed = out.join(format!("asset{number}.gz"));
        let mut encoder = flate2::GzBuilder::new()
            .write(std::fs::File::create(&packed).expect("a file"), flate2::Compression::best());
        encoder.write_all(&std::fs::read(file).expect("the console's file")).expect("written");
        encoder.finish().expect("written");
        writeln!(
            text,
            "    Asset {{ path: {name:?}, gzip: include_bytes!({:?}) }},",
            packed.to_str().expect("UTF-8 names")
        )
        .expect("a string");
    }
    text.push_str("];\n");
    std::fs::write(out.join("console.rs"), text).expect("written");
}

fn walk(dir: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("the console's folder") {
        let path = entry.expect("an entry").path();
        // Notes of the tools that built it.
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            continue;
        }
        match path.is_dir() {
            true => walk(&path, files),
            false => files.push(path),
        }
    }
}
