//! Group commit with threads, and what producers see when disk or quota end.
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;
use yagura_disk::{Fs, RealFs};
use yagura_event::{Context, ContextId, Lsn, Reference, SourceChoice, TenantName};
use yagura_journal::{
    Entry, EntryBuffer, Journal, JournalError, JournalHandle, JournalWriter, Options, Record,
};
use yagura_testkit::simfs::SimFs;

const QUEUE_BYTES: usize = 64 * 1024;

fn start(fs: Arc<dyn Fs>, dir: &Path, options: Options) -> JournalWriter {
    let (journal, _) = Journal::open(fs, dir, options).unwrap();
    JournalWriter::start(journal, QUEUE_BYTES).unwrap()
}

fn sim(fs: &SimFs) -> JournalWriter {
    start(Arc::new(fs.clone()), Path::new("j"), Options::default())
}

fn note(text: &str) -> Entry {
    Entry::Note(text.to_owned())
}

fn record(context: ContextId, bytes: &[u8]) -> Entry {
    Entry::Record(Record {
        tenant: TenantName::default_tenant(),
        feed: "http".into(),
        context,
        stream: 1,
        batch: 0,
        peer: String::new(),
        position: 0,
        bytes: bytes.to_vec(),
    })
}

fn entries(handle: &JournalHandle) -> Vec<Entry> {
    let mut reader = handle.reader_from_start();
    let mut entries = Vec::new();
    while let Some(chunk) = reader.next_chunk().unwrap() {
        entries.extend(chunk.iter().map(|v| v.entry().unwrap()));
    }
    entries
}

#[test]
fn many_producers_share_commits_and_a_reader_sees_all_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { segment_bytes_max: 100_000, ..Options::default() };
    let writer = Arc::new(start(Arc::new(RealFs), &dir.path().join("j"), options));
    let handle = writer.handle();
    let reading = std::thread::spawn(move || {
        let mut reader = handle.reader(Lsn(1));
        let mut texts = Vec::new();
        loop {
            while let Some(chunk) = reader.next_chunk().unwrap() {
                assert!(chunk.iter().all(|v| v.lsn <= handle.durable()));
                texts.extend(chunk.iter().map(|v| (v.lsn, v.entry().unwrap())));
            }
            let read = Lsn(reader.next_lsn().0 - 1);
            if texts.len() == 8 * 200 {
                return texts;
            }
            handle.wait_durable_beyond(read, Duration::from_secs(5));
        }
    });
    let producers: Vec<_> = (0..8)
        .map(|p| {
            let writer = Arc::clone(&writer);
            std::thread::spawn(move || {
                let submit =
                    |i| writer.submit(1, &[note(&format!("{p}-{i}")), Entry::Tick]).unwrap();
                let tickets: Vec<_> = (0..100).map(submit).collect();
                tickets.into_iter().map(|t| t.wait().unwrap()).collect::<Vec<_>>()
            })
        })
        .collect();
    let mut given = Vec::new();
    for (p, producer) in producers.into_iter().enumerate() {
        for (i, committed) in producer.join().unwrap().into_iter().enumerate() {
            assert_eq!(committed.last.0, committed.first.0 + 1);
            given.push((committed.first, note(&format!("{p}-{i}"))));
        }
    }
    let read = reading.join().unwrap();
    assert!(read.iter().map(|(lsn, _)| lsn.0).eq(1..=1600));
    assert!(given.iter().all(|pair| read.contains(pair)));
}

#[test]
fn queued_submissions_share_one_sync() {
    let fs = SimFs::new();
    let writer = sim(&fs);
    writer.submit(1, &[note("first")]).unwrap().wait().unwrap();
    let before = fs.syncs();
    // The callback holds the writer's thread, so that the others queue up behind it.
    let (release, held) = channel::<()>();
    let mut group = EntryBuffer::new();
    group.push(&Entry::Tick).unwrap();
    writer.submit_with(1, group, move |_| held.recv().unwrap()).unwrap();
    while fs.syncs() == before {
        std::thread::yield_now();
    }
    let tickets: Vec<_> = (0..50).map(|_| writer.submit(1, &[note("x")]).unwrap()).collect();
    release.send(()).unwrap();
    for ticket in tickets {
        ticket.wait().unwrap();
    }
    assert_eq!(fs.syncs() - before, 2);
}

#[test]
fn after_a_failed_sync_intake_stays_stopped() {
    let fs = SimFs::new();
    let writer = sim(&fs);
    writer.submit(1, &[note("good")]).unwrap().wait().unwrap();
    let next = fs.syncs() + 1;
    fs.set_faults(|f| f.sync_error_at = Some(next));
    let error = writer.submit(1, &[note("bad")]).unwrap().wait().unwrap_err();
    assert!(matches!(error, JournalError::Stopped(_)));
    let syncs = fs.syncs();
    let error = writer.submit(1, &[note("later")]).err().unwrap();
    assert!(error.to_string().starts_with("intake stopped: cannot sync the journal"), "{error}");
    assert_eq!(fs.syncs(), syncs, "nothing is tried again");
    let handle = writer.handle();
    assert!(handle.stopped().is_some());
    assert_eq!(entries(&handle), [note("good")]);
    drop(writer);
    let after = fs.crash_image(3);
    assert_eq!(entries(&sim(&after).handle()), [note("good")]);
}

#[test]
fn a_full_disk_that_gets_room_loses_nothing() {
    let fs = SimFs::new();
    let writer = sim(&fs);
    writer.submit(1, &[note("good")]).unwrap().wait().unwrap();
    let syncs = fs.syncs();
    fs.set_faults(|f| f.full_from = Some(3));
    let ticket = writer.submit(1, &[note("taken")]).unwrap();
    while fs.syncs() == syncs {
        std::thread::yield_now();
    }
    // What the first try wrote is taken back: a power cut here leaves nothing of it.
    for seed in 0..20 {
        let image = fs.crash_image(seed);
        assert_eq!(entries(&sim(&image).handle()), [note("good")], "seed {seed}");
    }
    fs.set_faults(|f| f.full_from = None);
    assert_eq!(ticket.wait().unwrap().last, Lsn(2));
    assert_eq!(entries(&writer.handle()), [note("good"), note("taken")]);
}

#[test]
fn a_full_disk_stops_intake_in_the_end_and_keeps_what_was_acknowledged() {
    for short in [false, true] {
        let fs = SimFs::new();
        let options = Options { full_tries: 0, ..Options::default() };
        let writer = start(Arc::new(fs.clone()), Path::new("j"), options);
        writer.submit(1, &[note("good")]).unwrap().wait().unwrap();
        fs.set_faults(|f| if short { f.short_write_at = Some(3) } else { f.full_from = Some(3) });
        let error = writer.submit(1, &[note("bad")]).unwrap().wait().unwrap_err();
        assert!(
            error.to_string().contains(if short { "short write" } else { "nearly full" }),
            "{error}"
        );
        drop(writer);
        fs.set_faults(|f| f.full_from = None);
        let writer = sim(&fs);
        assert_eq!(entries(&writer.handle()), [note("good")]);
        let committed = writer.submit(1, &[note("again")]).unwrap().wait().unwrap();
        assert_eq!(committed.first, Lsn(2));
    }
}

#[test]
fn quota_and_low_disk_refuse_records_but_let_counts_through() {
    let fs = SimFs::new();
    let options = Options { quota_bytes: 2_000, segment_bytes_max: 500, ..Options::default() };
    let writer = start(Arc::new(fs.clone()), Path::new("j"), options);
    let handle = writer.handle();
    let context = Context::new("default", "http", SourceChoice::Auto, Reference::Received);
    let context = handle.put_context(&context).unwrap();
    let mut accepted = 0;
    let refused = loop {
        match writer.submit(1, &[record(context, &[b'x'; 100])]) {
            Ok(ticket) => accepted = ticket.wait().unwrap().last.0,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, JournalError::Full { quota_bytes: 2_000, .. }), "{refused}");
    assert!((5..20).contains(&accepted));
    writer.submit(1, &[Entry::Counts(Vec::new())]).unwrap().wait().unwrap();
    assert!(handle.cut(handle.durable()).unwrap() > 0);
    writer.submit(1, &[record(context, b"fits")]).unwrap().wait().unwrap();

    fs.set_faults(|f| f.free_bytes = 1_000);
    drop(writer);
    let writer = sim(&fs);
    let refused = writer.submit(1, &[record(context, b"no room")]).err().unwrap();
    assert!(refused.to_string().contains("1000 bytes free"), "{refused}");
    fs.set_faults(|f| f.free_bytes = u64::MAX);
    writer.submit(1, &[record(context, b"room")]).unwrap().wait().unwrap();
}

#[test]
fn unknown_contexts_busy_queues_and_empty_groups() {
    let fs = SimFs::new();
    let writer = sim(&fs);
    let unknown = ContextId([9; 16]);
    let error = writer.submit(1, &[record(unknown, b"x")]).err().unwrap();
    assert!(matches!(error, JournalError::ContextUnknown(id) if id == unknown));
    assert_eq!(writer.submit(1, &[]).unwrap().wait().unwrap().first, Lsn(1));

    let (release, held) = channel::<()>();
    let big = |len: usize| {
        let mut group = EntryBuffer::new();
        group.push(&note(&"x".repeat(len))).unwrap();
        group
    };
    writer.submit_with(1, big(1), move |_| held.recv().unwrap()).unwrap();
    while writer.handle().durable() < Lsn(1) {
        std::thread::yield_now();
    }
    let (sender, done) = channel();
    let second = sender.clone();
    writer.try_submit_with(1, big(QUEUE_BYTES), move |r| sender.send(r).unwrap()).unwrap();
    let busy = writer.try_submit_with(1, big(1), move |r| second.send(r).unwrap());
    assert!(matches!(busy, Err(JournalError::Busy)));
    release.send(()).unwrap();
    assert_eq!(done.recv().unwrap().unwrap().first, Lsn(2));
    assert_eq!(writer.handle().stats().queued_bytes, 0);
}

#[test]
fn received_time_never_runs_back_and_a_step_is_noted_once() {
    let fs = SimFs::new();
    let writer = sim(&fs);
    for received in [10_000_000, 9_500_000, 1_000_000, 1_100_000, 11_000_000] {
        writer.submit(received, &[Entry::Tick]).unwrap().wait().unwrap();
    }
    let handle = writer.handle();
    let mut reader = handle.reader_from_start();
    let (mut times, mut notes) = (Vec::new(), 0);
    while let Some(chunk) = reader.next_chunk().unwrap() {
        for view in chunk.iter() {
            times.push(view.received);
            notes += usize::from(matches!(view.entry().unwrap(), Entry::Note(_)));
        }
    }
    let ten = 10_000_000;
    assert_eq!((times.as_slice(), notes), (&[ten, ten, ten, ten, ten, 11_000_000][..], 1));
}

#[test]
fn contexts_are_there_after_a_power_cut_and_damaged_ones_are_noticed() {
    let fs = SimFs::new();
    let context = Context::new("default", "web", SourceChoice::Auto, Reference::At(5));
    let writer = sim(&fs);
    let id = writer.handle().put_context(&context).unwrap();
    drop(writer);
    let after = fs.crash_image(0);
    assert_eq!(*sim(&after).handle().context(id).unwrap(), context);
    let path = Path::new("j/contexts").join(format!("{id}.json"));
    let at = after.read(&path).unwrap().iter().position(|&b| b == b'w').unwrap();
    after.flip(&path, at as u64, 1).unwrap();
    let opened = Journal::open(Arc::new(after), Path::new("j"), Options::default());
    assert!(matches!(opened.err(), Some(JournalError::Damaged(d)) if d[0].file == path));
}

#[test]
fn long_entries_cross_the_read_chunk() {
    let dir = tempfile::tempdir().unwrap();
    let writer = start(Arc::new(RealFs), dir.path(), Options::default());
    let long = note(&"y".repeat(3 * yagura_journal::READ_CHUNK_BYTES));
    let all = [note("a"), long.clone(), note("b"), long, note("c")];
    writer.submit(1, &all).unwrap().wait().unwrap();
    assert_eq!(entries(&writer.handle()), all);
    let chunk = writer.handle().reader(Lsn(4)).next_chunk().unwrap().unwrap();
    assert_eq!(chunk.get(0).unwrap().lsn, Lsn(4));
}
