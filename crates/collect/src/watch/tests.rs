//! The watcher over real files and a real journal: every line once, whatever is done to files.
#![allow(clippy::unwrap_used)]

use super::*;
use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use yagura_disk::{Fs, RealFs};
use yagura_event::{Reference, SourceChoice, SystemClock};
use yagura_journal::{Entry, Journal, JournalHandle, JournalWriter, Options};

/// A folder of logs with a watch over it. The process dies by dropping the watcher.
struct Site {
    dir: tempfile::TempDir,
    pattern: String,
    intake: Arc<Intake>,
    handle: JournalHandle,
    watcher: Option<Watcher>,
    now: Instant,
}

impl Site {
    fn new(pattern: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("logs")).unwrap();
        let fs: Arc<dyn Fs> = Arc::new(RealFs);
        let options = Options { free_bytes_min: 0, ..Options::default() };
        let (journal, _) = Journal::open(fs, &dir.path().join("journal"), options).unwrap();
        let handle = journal.handle();
        let writer = Arc::new(JournalWriter::start(journal, 1 << 20).unwrap());
        let intake = Arc::new(Intake::new(writer, Arc::new(SystemClock)));
        let pattern = format!("{}/logs/{pattern}", dir.path().display());
        let now = Instant::now();
        Self { dir, pattern, intake, handle, watcher: None, now }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("logs").join(name)
    }

    fn append(&self, name: &str, text: &str) {
        let file = OpenOptions::new().create(true).append(true).open(self.path(name));
        file.unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        std::fs::rename(self.path(from), self.path(to)).unwrap();
    }

    fn truncate(&self, name: &str) {
        OpenOptions::new().write(true).truncate(true).open(self.path(name)).unwrap();
    }

    /// As gzip does: a new file, the old one removed; old enough to count as complete.
    fn compress(&self, from: &str) {
        let bytes = std::fs::read(self.path(from)).unwrap();
        let to = self.path(&format!("{from}.gz"));
        let mut out =
            flate2::write::GzEncoder::new(File::create(&to).unwrap(), flate2::Compression::fast());
        out.write_all(&bytes).unwrap();
        let file = out.finish().unwrap();
        let made = file.metadata().unwrap().modified().unwrap();
        file.set_modified(made - Duration::from_secs(90)).unwrap();
        std::fs::remove_file(self.path(from)).unwrap();
    }

    /// Looks for files and takes what there is, `seconds` later.
    fn round(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        let now = self.now;
        if self.watcher.is_none() {
            let context = |name: &str| {
                let mut context =
                    Context::new("default", "watch:t", SourceChoice::Auto, Reference::Received);
                name.clone_into(&mut context.path);
                context
            };
            let watch = Watch {
                tenant: TenantName::default_tenant(),
                feed: "watch:t".to_owned(),
                paths: vec![Glob::parse(&self.pattern).unwrap()],
                context: Box::new(context),
                open_max: 3,
            };
            let marks = self.journalled().1.into_iter().collect();
            self.watcher = Some(Watcher::new(watch, Arc::clone(&self.intake), marks));
        }
        let watcher = self.watcher.as_mut().unwrap();
        watcher.next_scan = None;
        while watcher.round(now).unwrap() == Round::More {}
    }

    fn kill(&mut self) {
        self.watcher = None;
    }

    /// The records and the last marks in the journal.
    fn journalled(&self) -> (Vec<String>, BTreeMap<String, String>) {
        let (mut lines, mut marks) = (Vec::new(), BTreeMap::new());
        let mut reader = self.handle.reader_from_start();
        while let Some(chunk) = reader.next_chunk().unwrap() {
            for entry in chunk.iter() {
                if let Some(record) = entry.record().unwrap() {
                    lines.push(String::from_utf8(record.bytes.to_vec()).unwrap());
                } else if let Entry::Mark(mark) = entry.entry().unwrap() {
                    marks.insert(mark.key, mark.value);
                }
            }
        }
        marks.retain(|_, value| !value.is_empty());
        (lines, marks)
    }

    #[track_caller]
    fn check(&self, expect: &[&str]) {
        let (mut lines, _) = self.journalled();
        lines.sort();
        let mut expect: Vec<String> = expect.iter().map(|line| (*line).to_owned()).collect();
        expect.sort();
        assert_eq!(lines, expect);
    }
}

#[test]
fn appended_lines_come_once_and_a_partial_one_waits() {
    let mut site = Site::new("*.log");
    site.append("x.log", "a\nb\nc");
    site.round(0);
    site.check(&["a", "b"]);
    site.append("x.log", "c\n");
    site.round(1);
    site.check(&["a", "b", "cc"]);
    site.append("x.log", "last");
    site.round(1);
    site.round(1);
    site.check(&["a", "b", "cc"]);
    site.round(PARTIAL_SECONDS);
    site.check(&["a", "b", "cc", "last"]);
    site.kill();
    site.append("x.log", "\nd\n");
    site.round(1);
    site.check(&["a", "b", "cc", "last", "d"]);
}

const PARTIAL_SECONDS: u64 = 4;

#[test]
fn a_renamed_file_is_read_to_its_end() {
    for pattern in ["x.log", "*", "x.log*"] {
        for (killed, removed) in [(false, false), (true, false), (false, true)] {
            let mut site = Site::new(pattern);
            site.append("x.log", "a\n");
            site.round(0);
            if killed {
                site.kill();
            }
            site.append("x.log", "b\n");
            site.rename("x.log", "x.log.1");
            site.append("x.log.1", "c\n");
            site.append("x.log", "d\n");
            if removed {
                std::fs::remove_file(site.path("x.log.1")).unwrap();
            }
            site.round(1);
            site.append("x.log", "e\n");
            site.round(1);
            site.kill();
            site.round(1);
            site.check(&["a", "b", "c", "d", "e"]);
        }
    }
}

#[test]
fn a_truncated_file_is_read_from_its_beginning() {
    for killed in [false, true] {
        let mut site = Site::new("*");
        site.append("x.log", "a\nb\n");
        site.round(0);
        if killed {
            site.kill();
        }
        site.truncate("x.log");
        site.append("x.log", "c\n");
        site.round(1);
        site.check(&["a", "b", "c"]);
        // Written anew, longer than before: only its bytes tell.
        site.kill();
        std::fs::write(site.path("x.log"), "d\ne\nf\ng\n").unwrap();
        site.round(1);
        site.check(&["a", "b", "c", "d", "e", "f", "g"]);
    }
}

#[test]
fn copytruncate_loses_nothing_and_doubles_nothing() {
    for pattern in ["x.log", "*"] {
        for (seen, killed) in [(false, false), (true, false), (false, true)] {
            let mut site = Site::new(pattern);
            site.append("x.log", "a\nb\n");
            site.round(0);
            // Lines that only the copy will have.
            site.append("x.log", "c\n");
            if killed {
                site.kill();
            }
            std::fs::copy(site.path("x.log"), site.path("x.log.1")).unwrap();
            if seen {
                site.round(1);
            }
            site.truncate("x.log");
            site.append("x.log", "d\n");
            for _ in 0..3 {
                site.round(1);
            }
            site.kill();
            site.round(1);
            site.check(&["a", "b", "c", "d"]);
        }
    }
}

#[test]
fn compressed_rotated_files_are_known() {
    for killed in [false, true] {
        for delayed in [false, true] {
            let mut site = Site::new("*");
            site.append("x.log", "a\nb\n");
            site.round(0);
            if killed {
                site.kill();
            }
            site.append("x.log", "c\n");
            site.rename("x.log", "x.log.1");
            if delayed {
                site.round(1);
            }
            site.compress("x.log.1");
            site.append("x.log", "d\n");
            for seconds in [1, 1, 15, 1] {
                site.round(seconds);
            }
            site.kill();
            site.round(1);
            site.check(&["a", "b", "c", "d"]);
        }
    }
}

#[test]
fn old_compressed_files_are_read_once() {
    let mut site = Site::new("*");
    site.append("x.log.2", "a\nb");
    site.compress("x.log.2");
    site.round(0);
    site.check(&["a", "b"]);
    site.kill();
    site.round(1);
    site.rename("x.log.2.gz", "x.log.3.gz");
    site.round(1);
    site.check(&["a", "b"]);
}

#[test]
fn a_copy_that_stays_is_known_for_good() {
    let mut site = Site::new("*");
    site.append("x.log", "a\nb\n");
    site.round(0);
    std::fs::copy(site.path("x.log"), site.path("x.log.bak")).unwrap();
    site.round(1);
    site.append("x.log", "c\n");
    site.round(1);
    site.round(61);
    site.kill();
    std::fs::remove_file(site.path("x.log")).unwrap();
    site.round(1);
    site.check(&["a", "b", "c"]);
}

#[test]
fn a_long_file_is_taken_piece_by_piece() {
    let mut site = Site::new("*");
    let mut text = String::new();
    let mut expect = Vec::new();
    for n in 0..60_000 {
        let line = format!("line {n} {}", "x".repeat(60));
        text.push_str(&line);
        text.push('\n');
        expect.push(line);
    }
    site.append("x.log", &text);
    site.round(0);
    site.kill();
    site.append("x.log", "end\n");
    site.round(1);
    expect.push("end".to_owned());
    let (lines, marks) = site.journalled();
    assert!(lines == expect, "{} of {}", lines.len(), expect.len());
    let place: Place = serde_json::from_str(marks.values().next().unwrap()).unwrap();
    assert_eq!((marks.len(), place.records), (1, 60_001));
    assert_eq!(place.offset, text.len() as u64 + 4);
}

/// Far more files than may be open, some with an unfinished line.
#[test]
fn every_file_has_its_turn() {
    let mut site = Site::new("*");
    let mut expect = Vec::new();
    for round in 0..3 {
        for n in 0..40 {
            let line = format!("file {n} line {round}");
            site.append(&format!("f{n}.log"), &format!("{line}\n"));
            expect.push(line);
        }
        site.append("a.log", "unfinished");
        for _ in 0..60 {
            site.round(1);
        }
        expect.push("unfinished".to_owned());
    }
    site.kill();
    for _ in 0..30 {
        site.round(1);
    }
    site.check(&expect.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn places_survive_json() {
    let place = Place { name: "a".into(), path: Path::new("/a").into(), ..Place::default() };
    let text = serde_json::to_string(&place).unwrap();
    assert_eq!(serde_json::from_str::<Place>(&text).unwrap(), place);
}

/// Random appends, rotations of every kind, kills; returns how many lines were written, and
/// what was done.
fn disorder(site: &mut Site, seed: u64) -> (u64, Vec<&'static str>) {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut random = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let exact = !site.pattern.ends_with('*');
    let (mut number, mut rotations) = (0, 0);
    let mut done = Vec::new();
    for _ in 0..60 {
        let step = random(10);
        if exact && (5..7).contains(&step) {
            // An exact path does not reach a file that came and went unseen.
            site.round(1);
            site.round(1);
        }
        done.push(match step {
            0..5 => {
                let first = number + 1;
                number += random(4) + 1;
                let lines = (first..=number).map(|n| format!("{seed} line {n}\n"));
                site.append("x.log", &lines.collect::<String>());
                "append"
            }
            5 if site.path("x.log").exists() => {
                rotate(site, rotations);
                rotations += 1;
                "rotate"
            }
            // A cut loses what was not read yet, unless a copy has it.
            6 if site.path("x.log").metadata().is_ok_and(|meta| meta.len() > 0) => {
                rotate_numbers(site, rotations);
                rotations += 1;
                std::fs::copy(site.path("x.log"), site.path("x.log.1")).unwrap();
                site.truncate("x.log");
                "copytruncate"
            }
            7 => {
                site.kill();
                "kill"
            }
            _ => {
                site.round(random(3));
                "round"
            }
        });
    }
    (number, done)
}

#[test]
fn whatever_happens_to_files_each_line_comes_once() {
    let full = std::env::var("YAGURA_FULL").as_deref() == Ok("1");
    for seed in 0..if full { 200 } else { 12u64 } {
        let mut site = Site::new(if seed % 2 == 0 { "*" } else { "x.log" });
        let (number, done) = disorder(&mut site, seed);
        for _ in 0..40 {
            site.round(2);
        }
        let (mut lines, _) = site.journalled();
        lines.sort();
        let mut expect: Vec<String> = (1..=number).map(|n| format!("{seed} line {n}")).collect();
        expect.sort();
        let only = |a: &[String], b: &[String]| -> Vec<String> {
            a.iter().filter(|line| !b.contains(line)).cloned().collect()
        };
        let (lost, strange) = (only(&expect, &lines), only(&lines, &expect));
        let twice: Vec<&[String]> = lines.windows(2).filter(|two| two[0] == two[1]).collect();
        assert!(
            lines == expect,
            "seed {seed}: lost {lost:?}, strange {strange:?}, twice {twice:?} after {done:?}"
        );
    }
}

fn rotate_numbers(site: &Site, rotations: usize) {
    for n in (1..=rotations).rev() {
        for ending in ["", ".gz"] {
            let from = format!("x.log.{n}{ending}");
            if site.path(&from).exists() {
                site.rename(&from, &format!("x.log.{}{ending}", n + 1));
            }
        }
    }
}

/// As logrotate does: renames, and compresses the one before.
fn rotate(site: &Site, rotations: usize) {
    rotate_numbers(site, rotations);
    if site.path("x.log.2").exists() && site.pattern.ends_with('*') {
        site.compress("x.log.2");
    }
    site.rename("x.log", "x.log.1");
}
