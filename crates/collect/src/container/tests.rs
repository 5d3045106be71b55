//! Containers made by the usual tools' libraries, whole and damaged.
#![allow(clippy::unwrap_used)]

use super::*;
use std::io::{Cursor, Write};
use std::path::Path;

const TEXT: &[u8] = b"first line\nsecond line\n";

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn bz2(bytes: &[u8]) -> Vec<u8> {
    let mut out = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut out = liblzma::write::XzEncoder::new(Vec::new(), 1);
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = tar::Builder::new(Vec::new());
    for (name, bytes) in files {
        let mut header = tar::Header::new_ustar();
        // `set_path` refuses `..`, which is just what must be tried.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        out.append(&header, *bytes).unwrap();
    }
    out.into_inner().unwrap()
}

fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    // Local headers, data and the central directory, deflated by hand.
    let (mut out, mut central) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let mut packed = flate2::write::DeflateEncoder::new(Vec::new(), Default::default());
        packed.write_all(bytes).unwrap();
        let packed = packed.finish().unwrap();
        let mut sum = flate2::Crc::new();
        sum.update(bytes);
        let mut common = Vec::new();
        for half in [20u16, 0, 8, 0, 0] {
            common.extend(half.to_le_bytes());
        }
        for word in [sum.sum(), packed.len() as u32, bytes.len() as u32] {
            common.extend(word.to_le_bytes());
        }
        common.extend((name.len() as u16).to_le_bytes());
        common.extend([0; 2]);
        let at = out.len() as u32;
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(&packed);
        central.extend(b"PK\x01\x02\x14\0");
        central.extend(&common);
        central.extend([0; 10]);
        central.extend(at.to_le_bytes());
        central.extend(name.as_bytes());
    }
    let (at, len, count) = (out.len() as u32, central.len() as u32, files.len() as u16);
    out.extend(central);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(len.to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend([0; 2]);
    out
}

type Files = Vec<(String, Vec<u8>)>;

fn read(bytes: &[u8]) -> (Files, Vec<String>) {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    read_path(file.path())
}

fn read_path(path: &Path) -> (Files, Vec<String>) {
    let (parts, mut faults) = expand(path, &Shelf::default()).unwrap();
    let mut files = Vec::new();
    for part in parts {
        // Every part opens again and again.
        for _ in 0..2 {
            let (mut reader, fault) = part.open().unwrap();
            let mut text = Vec::new();
            reader.read_to_end(&mut text).unwrap();
            files.push((part.inner().join("!"), text));
            faults.extend(fault.get());
        }
        let second = files.pop().unwrap();
        assert_eq!(files.last(), Some(&second));
    }
    (files, faults)
}

#[track_caller]
fn check(bytes: &[u8], names: &[&str]) {
    let (files, faults) = read(bytes);
    assert_eq!(faults, [""; 0]);
    let found: Vec<&str> = files.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(found, names);
    assert!(files.iter().all(|(_, text)| text == TEXT));
}

#[test]
fn every_compression_alone_doubled_and_in_members() {
    check(TEXT, &[""]);
    for pack in [gz, bz2, xz, zst] {
        check(&pack(TEXT), &[""]);
        check(&gz(&pack(TEXT)), &[""]);
        let (first, second) = TEXT.split_at(11);
        check(&[pack(first), pack(second)].concat(), &[""]);
    }
}

#[test]
fn archives_alone_compressed_and_nested() {
    let two = tar(&[("a/x.log", TEXT), ("b/y.log", TEXT)]);
    check(&two, &["a/x.log", "b/y.log"]);
    for pack in [gz, bz2, xz, zst] {
        check(&pack(&two), &["a/x.log", "b/y.log"]);
    }
    check(&zip(&[("p.log", TEXT), ("q.log.gz", &gz(TEXT))]), &["p.log", "q.log.gz"]);
    let nested = zip(&[("in.tar.gz", &gz(&two)), ("in.zip", &zip(&[("z", TEXT)]))]);
    check(&nested, &["in.tar.gz!a/x.log", "in.tar.gz!b/y.log", "in.zip!z"]);
    check(&tar(&[("in.tar", &two)]), &["in.tar!a/x.log", "in.tar!b/y.log"]);
}

/// More archives than are kept unpacked: each is unpacked again for its files.
#[test]
fn many_packed_archives_in_one() {
    let names: Vec<String> = (0..30).map(|n| format!("{n:02}.tgz")).collect();
    let inner = gz(&tar(&[("x.log", TEXT)]));
    let files: Vec<(&str, &[u8])> =
        names.iter().map(|name| (name.as_str(), inner.as_slice())).collect();
    let expect: Vec<String> = names.iter().map(|name| format!("{name}!x.log")).collect();
    check(&zst(&tar(&files)), &expect.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn tars_older_than_posix_are_told_by_their_checksum() {
    let mut old = tar(&[("x.log", TEXT)]);
    old[257..265].fill(0);
    let sum: u32 = old[..512]
        .iter()
        .enumerate()
        .map(|(at, b)| if (148..156).contains(&at) { 32 } else { u32::from(*b) })
        .sum();
    old[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    check(&old, &["x.log"]);
    let mut other = old.clone();
    other[0] ^= 1;
    assert_eq!(read(&other).0[0].0, "");
}

#[test]
fn names_that_climb_only_name() {
    check(&tar(&[("../../etc/passwd", TEXT), (".hidden", TEXT)]), &["../../etc/passwd"]);
}

#[test]
fn half_a_file_gives_what_is_there_and_a_fault() {
    let text: Vec<u8> = (0..200_000u32).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
    for pack in [gz, zst, xz] {
        let whole = pack(&text);
        let (files, faults) = read(&whole[..whole.len() / 2]);
        assert!(!files[0].1.is_empty() && text.starts_with(&files[0].1));
        assert!(faults[0].contains("ends in the middle"), "{faults:?}");
    }
    let mut broken = gz(&text);
    let middle = broken.len() / 2;
    broken[middle] ^= 0xff;
    assert_eq!(read(&broken).1.len(), 2, "each opening names the damage");
    let mut sum = zip(&[("a", TEXT)]);
    sum[14] ^= 1;
    let directory = sum.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    sum[directory + 16] ^= 1;
    assert!(read(&sum).1[0].contains("checksum"), "{:?}", read(&sum).1);
    let whole = tar(&[("a", &text)]);
    let (files, faults) = read(&whole[..1_000_000]);
    assert!(text.starts_with(&files[0].1) && files[0].1.len() > 900_000);
    assert!(faults[0].contains("cut off"), "{faults:?}");
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let mut bytes = vec![0; 64 << 20];
    for _ in 0..2 {
        // 64 MiB of zeros, eight times over, then once more.
        bytes = zst(&bytes.repeat(if bytes.len() > 1 << 20 { 8 } else { 1 }));
    }
    let fault = Fault::default();
    let peeled = peel(Box::new(Cursor::new(bytes)), &fault).unwrap();
    let copied = io::copy(&mut { peeled.reader }, &mut io::sink()).unwrap();
    assert!(copied <= RATIO_FROM_BYTES + (1 << 20), "{copied}");
    assert!(fault.get().unwrap().contains("1000 fold"), "{:?}", fault.get());
}

#[test]
fn archives_in_archives_end_at_the_depth() {
    let mut bytes = tar(&[("a", TEXT)]);
    for _ in 0..DEPTH_MAX {
        bytes = tar(&[("in", &bytes)]);
    }
    let (files, faults) = read(&bytes);
    assert!(files.is_empty() && faults[0].contains("nested deeper"), "{faults:?}");
}
