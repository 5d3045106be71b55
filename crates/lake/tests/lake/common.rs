//! Batches and matches made of numbers, and short ways to write and ask.

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use yagura_disk::{Fs, RealFs};
use yagura_event::time::{HOUR, Micros};
use yagura_event::*;
use yagura_lake::{LakeError, LakeView, LakeWriter, Names, SqlLimits, SqlResult, run_sql};
use yagura_testkit::simfs::SimFs;

/// 2026-11-22T10:00:00Z.
pub const START: Micros = 1_795_341_600_000_000;

/// One event an LSN, of alternating tenants `acme` and `zeta`, ten an hour.
pub fn batch(lsns: RangeInclusive<u64>) -> EventBatch {
    let mut batch = EventBatch::default();
    let contexts = ["acme", "zeta"].map(|tenant| {
        Arc::new(Context::new(tenant, "syslog", SourceChoice::Auto, Reference::Received))
    });
    for lsn in lsns {
        let context = batch.push_context(&contexts[(lsn % 2) as usize]);
        push(&mut batch, lsn, 0, context, format!("line {lsn} of the day").as_bytes());
    }
    batch
}

/// Adds an event with an address and two numbers.
pub fn push(batch: &mut EventBatch, lsn: u64, sub: u32, context: u32, raw: &[u8]) {
    let raw = batch.push_text(raw);
    let ip = batch.push_text(format!("10.0.0.{}", lsn % 250 + 1).as_bytes());
    let from = batch.values.len() as u32;
    batch.values.push((ColumnId::SRC_IP, Scalar::Text(ip)));
    batch.values.push((ColumnId::DST_PORT, Scalar::I64(lsn.cast_signed())));
    let received = START + (lsn / 10) as i64 * HOUR;
    push_event(batch, (lsn, sub), context, raw, from, received - 1_500_000);
    let event = batch.events.last_mut().unwrap();
    (event.received_time, event.stream) = (received, u64::MAX - lsn);
}

/// An event of the values from `from` on, received at the start.
pub fn push_event(
    batch: &mut EventBatch,
    (lsn, sub): (u64, u32),
    context: u32,
    raw: yagura_event::batch::Text,
    from: u32,
    time: Micros,
) {
    batch.events.push(Event {
        id: EventId::journal(1, 1, Lsn(lsn), sub),
        context,
        time,
        received_time: START,
        class: ClassUid(4001),
        source: 0,
        logsource: LogsourceId::default(),
        raw,
        original: Default::default(),
        spans: 0..0,
        values: from..batch.values.len() as u32,
        relations: 0..0,
        issues: 0..0,
        stream: 1,
        batch: 0,
    });
}

/// One match an LSN.
pub fn matches(lsns: RangeInclusive<u64>) -> Vec<(Lsn, Match)> {
    lsns.map(|lsn| {
        let tenant = ["acme", "zeta"][(lsn % 2) as usize];
        let event = EventId::journal(1, 1, Lsn(lsn), 0);
        let name = TenantName::new(tenant).unwrap();
        let sample = Sample {
            rule: "rule-1".into(),
            event: event.0,
            time: START,
            source: "linux_syslog".into(),
            feed: "syslog".into(),
            fields: vec![("user".into(), "a".into()), ("user".into(), "b".into())],
            parties: vec![],
            raw: String::new(),
        };
        let one = Match {
            id: MatchId::new(&name, "rule-1", event).0,
            tenant: tenant.into(),
            received_time: START + (lsn / 10) as i64 * HOUR,
            stream: 1,
            batch: 0,
            keys: vec![],
            sample: Arc::new(sample),
        };
        (Lsn(lsn), one)
    })
    .collect()
}

/// Cuts the power at operations of `run` that are spread evenly, `few` of them or with YAGURA_FULL
/// each; gives what is left on the disk, by seed, to `check`.
pub fn each_power_cut(
    few: u64,
    run: fn(&SimFs) -> Result<(), LakeError>,
    check: &dyn Fn(u64, SimFs),
) {
    let clean = SimFs::new();
    run(&clean).unwrap();
    let operations = clean.operations();
    assert!(operations > 100, "{operations}");
    let runs = if std::env::var_os("YAGURA_FULL").is_some() { operations } else { few };
    for seed in 0..runs {
        let at = 1 + seed * operations / runs;
        let fs = SimFs::new();
        fs.set_faults(|faults| faults.crash_at = Some(at));
        assert!(run(&fs).is_err(), "crash at {at} went unnoticed");
        println!("seed {seed}: crash at operation {at} of {operations}");
        check(seed, fs.crash_image(seed));
    }
}

/// A bucket a tenant.
pub fn bucket_of(tenant: &str) -> i32 {
    i32::from(tenant == "zeta")
}

pub fn open_on(fs: Arc<dyn Fs>, dir: &Path) -> Result<LakeWriter, LakeError> {
    LakeWriter::open(fs, dir, 1, Arc::new(bucket_of))
}

pub fn open(dir: &Path) -> LakeWriter {
    open_on(Arc::new(RealFs), dir).unwrap()
}

/// Appends events and matches of these LSNs and advances over them.
pub fn feed(writer: &mut LakeWriter, lsns: RangeInclusive<u64>) {
    let fields = Arc::new(FieldTableBuilder::default().build());
    let names = Names { fields, sources: ["linux_syslog".to_owned()].into() };
    let last = *lsns.end();
    writer.append_events(Arc::new(batch(lsns.clone())), names);
    writer.append_matches(matches(lsns));
    writer.advance(Lsn(last));
}

pub fn operator() -> TenantScope {
    TenantScope::operator()
}

pub fn only(tenant: &str) -> TenantScope {
    TenantScope::one(TenantName::new(tenant).unwrap())
}

pub fn ask(view: Arc<LakeView>, scope: TenantScope, sql: &str) -> Result<SqlResult, LakeError> {
    ask_within(view, scope, sql, &SqlLimits::default())
}

pub fn ask_within(
    view: Arc<LakeView>,
    scope: TenantScope,
    sql: &str,
    limits: &SqlLimits,
) -> Result<SqlResult, LakeError> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run_sql(view, scope, sql, limits))
}

/// The integers of a one-row answer.
pub fn numbers(view: &Arc<LakeView>, sql: &str) -> Vec<i64> {
    let result = ask(Arc::clone(view), operator(), sql).unwrap();
    let row: &RecordBatch = result.batches.first().unwrap();
    row.columns().iter().map(|column| column.as_primitive::<Int64Type>().value(0)).collect()
}

/// Rows, distinct ids and sum of LSNs of both tables: equal to those of 1 to `last` once each.
pub fn assert_once(view: &Arc<LakeView>, last: u64) {
    let last = last.cast_signed();
    let expected = vec![last, last, last * (last + 1) / 2];
    let sql = |id, table| {
        format!("SELECT count(*), count(DISTINCT {id}), coalesce(sum(lsn), 0) FROM {table}")
    };
    assert_eq!(numbers(view, &sql("event_id", "events")), expected, "events");
    assert_eq!(numbers(view, &sql("id", "matches")), expected, "matches");
}
