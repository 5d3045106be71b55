//! A tenant's erasure: none of its rows and bytes stays, everything of others does.

use crate::common::*;
use crate::retention::{A_DAY, DIR, FIRST_DAY, expire, feed_day, open_shared, tenant_of, texts};
use arrow::array::{Array, StringArray};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use yagura_disk::Fs;
use yagura_lake::{LakeError, LakeWriter, verify};
use yagura_testkit::simfs::SimFs;

const DAYS: u64 = 4;

/// Both tenants in the same files, with some of the oldest day expired.
fn fill(fs: &SimFs) -> Result<LakeWriter, LakeError> {
    let mut writer = open_shared(Arc::new(fs.clone()), Path::new(DIR))?;
    let done = writer.complete().0 / (A_DAY / 2);
    for day in done / 2..DAYS {
        feed_day(&mut writer, day)?;
    }
    expire(&mut writer, DAYS)?;
    Ok(writer)
}

fn erase(writer: &mut LakeWriter) -> Result<bool, LakeError> {
    while let Some(job) = writer.plan_erasure("acme") {
        writer.end_rewrite(job.write(), Instant::now())?;
    }
    writer.finish_erasure("acme", Instant::now() + Duration::from_secs(1))
}

fn run(fs: &SimFs) -> Result<(), LakeError> {
    let mut writer = fill(fs)?;
    assert!(erase(&mut writer)?);
    Ok(())
}

fn files_below(fs: &SimFs, dir: &Path, out: &mut Vec<PathBuf>) {
    for name in fs.list(dir).unwrap() {
        let path = dir.join(name);
        match fs.metadata(&path).unwrap().is_dir {
            true => files_below(fs, &path, out),
            false => out.push(path),
        }
    }
}

/// Looks into every file there is, live or not, for a tenant and for the lines it sent.
fn traces(fs: &SimFs, tenant: &str) -> Vec<String> {
    let mut files = Vec::new();
    files_below(fs, Path::new(DIR), &mut files);
    let mut found = Vec::new();
    for path in files {
        let bytes = fs.read(&path).unwrap();
        if bytes.windows(tenant.len()).any(|part| part == tenant.as_bytes()) {
            found.push(format!("{} names it", path.display()));
        }
        if path.extension().is_none_or(|ending| ending != "parquet") {
            continue;
        }
        let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(bytes)).unwrap();
        for batch in reader.build().unwrap() {
            let batch = batch.unwrap();
            for column in batch.columns() {
                let Some(texts) = column.as_any().downcast_ref::<StringArray>() else { continue };
                let of = |text: Option<&str>| match text {
                    Some(line) if line.starts_with("line ") => {
                        let lsn = line.split(' ').nth(1).unwrap();
                        tenant_of(lsn.parse().unwrap()) == tenant
                    }
                    text => text == Some(tenant),
                };
                if texts.iter().any(of) {
                    found.push(format!("{} holds rows of it", path.display()));
                }
            }
        }
    }
    found
}

/// What can be asked of the other tenant.
fn others(writer: &LakeWriter) -> Vec<String> {
    let view = writer.handle().view();
    let mut all = Vec::new();
    for sql in [
        "SELECT lsn, sub, raw_data FROM events WHERE tenant = 'zeta' ORDER BY lsn, sub",
        "SELECT lsn FROM matches WHERE tenant = 'zeta' ORDER BY lsn",
        "SELECT class_uid, count(*) AS n FROM events WHERE tenant = 'zeta' GROUP BY 1 ORDER BY 1",
    ] {
        all.extend(texts(&view, sql));
    }
    let books = view.stored_counts().into_iter().chain(view.expired_counts().unwrap());
    all.extend(books.filter(|count| count.tenant == "zeta").map(|count| format!("{count:?}")));
    all
}

#[test]
fn no_file_holds_anything_of_the_tenant_and_the_other_has_all() {
    let fs = SimFs::new();
    let mut writer = fill(&fs).unwrap();
    assert!(traces(&fs, "acme").len() > 20 && traces(&fs, "zeta").len() > 20);
    let before = others(&writer);
    assert!(before.len() > 100, "{before:?}");
    // A view that was taken before reads what it saw, and is waited for.
    let old = writer.handle().view();
    let count = "SELECT count(*) AS n FROM events WHERE tenant = 'acme'";
    let had = texts(&old, count);
    assert!(!erase(&mut writer).unwrap());
    assert_eq!(texts(&old, count), had);
    assert_ne!(had, ["{\"n\":0}"]);
    drop(old);
    assert!(erase(&mut writer).unwrap());
    assert_eq!(traces(&fs, "acme"), [""; 0]);
    assert_eq!(texts(&writer.handle().view(), count), ["{\"n\":0}"]);
    let no_books = |writer: &LakeWriter| {
        let view = writer.handle().view();
        let all = view.stored_counts().into_iter().chain(view.expired_counts().unwrap());
        assert!(all.into_iter().all(|count| count.tenant != "acme"));
    };
    no_books(&writer);
    assert_eq!(others(&writer), before);
    // The next process finds the same; what is fed from then on is kept, also of that name.
    drop(writer);
    let report = verify(Arc::new(fs.clone()), Path::new(DIR)).unwrap();
    assert!(report.damages.is_empty() && report.orphans.is_empty(), "{report:?}");
    let mut writer = open_shared(Arc::new(fs.clone()), Path::new(DIR)).unwrap();
    assert_eq!(others(&writer), before);
    no_books(&writer);
    feed_day(&mut writer, DAYS).unwrap();
    assert_ne!(texts(&writer.handle().view(), count), ["{\"n\":0}"]);
}

#[test]
fn a_file_that_cannot_be_read_is_said_and_nothing_is_called_erased() {
    let fs = SimFs::new();
    let mut writer = fill(&fs).unwrap();
    let view = writer.handle().view();
    let first = view.events.files.iter().find(|file| file.day == FIRST_DAY + 1).unwrap();
    let path = Path::new(DIR).join("events").join(&first.path);
    let whole = fs.read(&path).unwrap();
    fs.remove(&path).unwrap();
    drop(view);
    let mut failed = 0;
    while let Some(job) = writer.plan_erasure("acme") {
        failed += usize::from(writer.end_rewrite(job.write(), Instant::now()).is_err());
        assert!(failed < 10, "the same work is planned again and again");
    }
    assert_eq!(failed, 1);
    assert!(!erase(&mut writer).unwrap());
    // The next process tries again.
    drop(writer);
    yagura_disk::write_atomic(&fs, &path, &whole).unwrap();
    let mut writer = open_shared(Arc::new(fs.clone()), Path::new(DIR)).unwrap();
    assert!(erase(&mut writer).unwrap());
    assert_eq!(traces(&fs, "acme"), [""; 0]);
}

#[test]
fn a_power_cut_at_any_operation_of_an_erasure_leaves_one_that_goes_on() {
    let clean = SimFs::new();
    run(&clean).unwrap();
    let whole = open_shared(Arc::new(clean), Path::new(DIR)).unwrap();
    let expected = others(&whole);
    each_power_cut(16, run, &|seed, fs| {
        run(&fs).unwrap();
        let fs = fs.crash_image(seed);
        let writer = open_shared(Arc::new(fs.clone()), Path::new(DIR)).unwrap();
        assert_eq!(others(&writer), expected, "seed {seed}");
        drop(writer);
        // What comes back after a cut is swept by the process that finds it.
        run(&fs).unwrap();
        assert_eq!(traces(&fs, "acme"), [""; 0], "seed {seed}");
        let report = verify(Arc::new(fs), Path::new(DIR)).unwrap();
        assert!(report.damages.is_empty(), "seed {seed}: {:?}", report.damages);
    });
}
