//! Damage that no crash explains: reported, set aside, and skipped only on request.
use std::path::{Path, PathBuf};
use std::sync::Arc;
use yagura_disk::Fs;
use yagura_event::Lsn;
use yagura_journal::{
    Damage, Entry, Journal, JournalError, Options, Recovery, SEGMENT_HEADER_BYTES,
};
use yagura_testkit::simfs::SimFs;

const DIR: &str = "journal";

fn open(fs: &SimFs, options: &Options) -> Result<(Journal, Recovery), JournalError> {
    Journal::open(Arc::new(fs.clone()), Path::new(DIR), options.clone())
}

fn small() -> Options {
    Options { segment_bytes_max: 600, ..Options::default() }
}

/// A journal of `count` notes, each its own commit.
fn filled(count: u64) -> SimFs {
    let fs = SimFs::new();
    let (mut journal, _) = open(&fs, &small()).unwrap();
    append(&mut journal, count);
    fs
}

fn append(journal: &mut Journal, count: u64) {
    for _ in 0..count {
        let lsn = journal.handle().durable().0 + 1;
        journal.append(0, &Entry::Note(format!("note {lsn}"))).unwrap();
        journal.commit().unwrap();
    }
}

fn segments(fs: &SimFs) -> Vec<PathBuf> {
    let names = fs.list(Path::new(DIR)).unwrap();
    names.iter().filter(|n| n.ends_with(".yj")).map(|n| Path::new(DIR).join(n)).collect()
}

fn numbers(journal: &Journal) -> Vec<u64> {
    let mut reader = journal.handle().reader_from_start();
    let mut numbers = Vec::new();
    while let Some(chunk) = reader.next_chunk().unwrap() {
        for view in chunk.iter() {
            assert_eq!(view.entry().unwrap(), Entry::Note(format!("note {}", view.lsn)));
            numbers.push(view.lsn.0);
        }
    }
    numbers
}

fn damage_of(result: Result<(Journal, Recovery), JournalError>) -> Vec<Damage> {
    match result.err() {
        Some(JournalError::Damaged(damage)) => damage,
        other => panic!("expected damage, got {other:?}"),
    }
}

#[test]
fn a_flip_anywhere_but_in_the_last_commit_is_reported_and_set_aside() {
    let whole = filled(40);
    let files = segments(&whole);
    assert!(files.len() >= 3, "{files:?}");
    let newest = files.last().unwrap();
    for file in &files {
        let len = whole.metadata(file).unwrap().len;
        let unproven = if file == newest { 40 } else { 0 };
        for offset in (0..len - unproven).step_by(7) {
            let fs = whole.crash_image(1);
            fs.flip(file, offset, 0x20).unwrap();
            let damage = damage_of(open(&fs, &small()));
            assert_eq!(&damage[0].file, file, "offset {offset}");
            assert!(damage[0].offset <= offset);
            let name = file.file_name().unwrap().to_string_lossy();
            let copy = Path::new(DIR).join(format!("damaged/{name}.{}", damage[0].offset));
            assert_eq!(fs.read(&copy).unwrap(), fs.read(file).unwrap());
            assert_eq!(segments(&fs), files, "nothing is changed");
        }
    }
}

#[test]
fn the_message_names_file_and_offset_and_says_what_to_do() {
    let fs = filled(40);
    fs.flip(&segments(&fs)[0], SEGMENT_HEADER_BYTES as u64 + 30, 1).unwrap();
    let message = open(&fs, &small()).err().unwrap().to_string();
    assert!(message.contains("journal/00000000000000000001.yj at byte 32"), "{message}");
    assert!(message.contains("restore the files"), "{message}");
}

#[test]
fn skipping_keeps_every_whole_entry_and_gives_no_number_twice() {
    let whole = filled(40);
    let files = segments(&whole);
    let skip = Options { skip_damage: true, ..small() };
    for file in &files[..files.len() - 1] {
        for offset in [3, 40, 300] {
            let fs = whole.crash_image(1);
            fs.flip(file, offset, 0x20).unwrap();
            let (mut journal, recovery) = open(&fs, &skip).unwrap();
            assert_eq!(recovery.damage.len(), 1, "{:?}", recovery.damage);
            let kept = numbers(&journal);
            let lost = usize::from(offset > 3);
            assert_eq!(kept.len(), 40 - lost, "{file:?} at {offset}");
            assert_eq!(kept.last(), Some(&40));
            append(&mut journal, 5);
            drop(journal);
            let (journal, recovery) = open(&fs, &small()).unwrap();
            assert!(recovery.damage.is_empty(), "{:?}", recovery.damage);
            assert_eq!(numbers(&journal).len(), 45 - lost);
        }
    }
}

#[test]
fn a_missing_segment_is_reported_and_can_be_skipped() {
    let fs = filled(40);
    let files = segments(&fs);
    fs.remove(&files[1]).unwrap();
    let damage = damage_of(open(&fs, &small()));
    assert_eq!((damage[0].file.as_path(), damage[0].offset), (files[2].as_path(), 0));
    let (journal, _) = open(&fs, &Options { skip_damage: true, ..small() }).unwrap();
    assert!(numbers(&journal).len() < 40);
    drop(journal);
    assert!(open(&fs, &small()).unwrap().1.damage.is_empty());
}

#[test]
fn an_interrupted_salvage_can_be_repeated() {
    let whole = filled(40);
    let skip = Options { skip_damage: true, ..small() };
    whole.flip(&segments(&whole)[1], 300, 1).unwrap();
    for operation in 1..40 {
        let fs = whole.crash_image(1);
        fs.set_faults(|f| f.crash_at = Some(operation));
        let _ = open(&fs, &skip);
        let image = fs.crash_image(operation);
        let (journal, _) = open(&image, &skip).unwrap();
        assert_eq!(numbers(&journal).len(), 39, "crash at {operation}");
    }
}

#[test]
fn a_torn_tail_is_cut_and_numbering_goes_on() {
    let fs = filled(3);
    let file = &segments(&fs)[0];
    fs.open_append(file).unwrap().append(&[7; 21]).unwrap();
    let (mut journal, recovery) = open(&fs, &small()).unwrap();
    let torn = recovery.torn.unwrap();
    assert_eq!((torn.bytes, torn.set_aside), (21, false));
    assert_eq!(recovery.last, Lsn(3));
    append(&mut journal, 2);
    assert_eq!(numbers(&journal), [1, 2, 3, 4, 5]);
}

#[test]
fn kept_segments_are_read_before_the_live_ones() {
    let fs = filled(40);
    let keep = Options { keep: true, ..small() };
    let (journal, _) = open(&fs, &keep).unwrap();
    let mut reader = journal.handle().reader(Lsn(1));
    assert!(journal.handle().cut(Lsn(39)).unwrap() > 1);
    assert_eq!(reader.next_chunk().unwrap().unwrap().get(0).unwrap().lsn, Lsn(1));
    assert_eq!(numbers(&journal), (1..=40).collect::<Vec<_>>());
    drop(journal);
    let (journal, _) = open(&fs, &keep).unwrap();
    assert_eq!(numbers(&journal), (1..=40).collect::<Vec<_>>());
    assert_eq!(journal.handle().stats().segments, 1);
}

#[test]
fn readers_of_cut_or_future_entries_are_told() {
    let fs = filled(40);
    let (journal, _) = open(&fs, &small()).unwrap();
    let handle = journal.handle();
    assert!(handle.cut(Lsn(20)).unwrap() > 0);
    let first = handle.stats().first;
    assert!(first.0 > 1 && first.0 <= 21);
    let error = handle.reader(Lsn(1)).next_chunk().unwrap_err();
    assert!(matches!(error, JournalError::Trimmed { .. }));
    assert!(handle.reader(Lsn(41)).next_chunk().unwrap().is_none());
    let error = handle.reader(Lsn(42)).next_chunk().unwrap_err();
    assert!(matches!(error, JournalError::Beyond { .. }));
    let chunk = handle.reader(Lsn(33)).next_chunk().unwrap().unwrap();
    assert_eq!(chunk.get(0).unwrap().lsn, Lsn(33));
    assert_eq!(chunk.get(0).unwrap().event_id(5).lsn(), Lsn(33));
}
