//! Spilled matches: codec, damage, and the external sort.
use crate::correlate_common::*;
use proptest::prelude::*;
use std::io::Cursor;
use yagura_detect::correlate::spill::{
    SPILLED_MATCH_BYTES_MAX, SpillError, SpillReader, SpillWriter, sort,
};
use yagura_event::Match;

fn spill(matches: &[Match]) -> Vec<u8> {
    let mut writer = SpillWriter::create(Vec::new()).unwrap();
    for m in matches {
        writer.append(m).unwrap();
    }
    assert_eq!(writer.bytes(), writer.get_mut().len() as u64);
    std::mem::take(writer.get_mut())
}

fn sorted(parts: &[Vec<Match>], chunk_bytes: usize) -> (Vec<Match>, usize) {
    let readers = parts.iter().map(|part| SpillReader::new(Cursor::new(spill(part))));
    let mut runs = 0;
    let all = sort(readers, chunk_bytes, |run| {
        runs += 1;
        Ok(Cursor::new(run.to_vec()))
    });
    (all.unwrap().map(Result::unwrap).collect(), runs)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn sorting_is_the_same_in_any_chunks(
        times in prop::collection::vec((0..50u32, 0..3u8), 0..80), chunk in 1..20_000usize,
    ) {
        let all: Vec<Match> = times
            .iter()
            .enumerate()
            .map(|(at, (second, rule))| {
                hit(at as u128 + 1, &format!("r{rule}"), f64::from(*second), "h", "v\u{0}\"é")
            })
            .collect();
        let (head, tail) = all.split_at(all.len() / 2);
        // The tail comes twice, as when a file was read again.
        let parts = [head.to_vec(), tail.to_vec(), tail.to_vec()];
        let mut expected = all.clone();
        expected.sort_by_key(|m| (m.time, m.event, m.rule.clone()));
        let (got, runs) = sorted(&parts, chunk);
        prop_assert_eq!(&got, &expected);
        prop_assert!(chunk > 1 || runs >= expected.len());
        prop_assert_eq!(sorted(&parts, usize::MAX), (expected, 0));
    }
}

#[test]
fn a_file_goes_on_where_it_is_whole() {
    let matches: Vec<Match> = (1..4u128).map(|n| hit(n, "r0", n as f64, "h", "v")).collect();
    let mut file = spill(&matches[..2]);
    let whole = file.len() as u64;
    file.extend_from_slice(&[9, 9]);
    file.truncate(whole as usize);
    let mut writer = SpillWriter::resume(&mut file, whole);
    writer.append(&matches[2]).unwrap();
    assert_eq!(writer.bytes(), file.len() as u64);
    let read: Result<Vec<Match>, SpillError> = SpillReader::new(Cursor::new(file)).collect();
    assert_eq!(read.unwrap(), matches);
}

#[test]
fn damage_is_an_error_and_the_end() {
    let file = spill(&[hit(1, "r0", 0.0, "h", "v"), hit(2, "r0", 1.0, "h", "v")]);
    let read = |bytes: &[u8]| {
        let mut reader = SpillReader::new(Cursor::new(bytes.to_vec()));
        let oks = reader.by_ref().take_while(Result::is_ok).count();
        assert!(reader.next().is_none());
        oks
    };
    assert_eq!(read(&file), 2);
    assert_eq!(read(&file[..file.len() - 1]), 1, "cut in a match");
    let mut long = file.clone();
    long[11] = 0xff;
    assert_eq!(read(&long), 0, "a length beyond the limit is not allocated");
    assert_eq!(read(b"NOTSPILL"), 0);
    let first_error = SpillReader::new(Cursor::new(long)).next();
    assert!(matches!(first_error, Some(Err(SpillError::Damaged(8)))));
}

#[test]
fn a_match_beyond_the_limit_is_refused_and_nothing_written() {
    let mut m = hit(1, "r0", 0.0, "h", "v");
    m.raw = "x".repeat(SPILLED_MATCH_BYTES_MAX);
    let mut writer = SpillWriter::create(Vec::new()).unwrap();
    assert!(matches!(writer.append(&m), Err(SpillError::TooLong(_))));
    assert_eq!(writer.bytes(), 8);
}
