//! A small lake of made-up events of two tenants, and short ways to ask it by pipes.

use crate::common::*;
use std::sync::Arc;
use yagura_event::time::MINUTE;
use yagura_event::*;
use yagura_lake::pipe::{Pipe, run_pipe};
use yagura_lake::{LakeError, LakeView, LakeWriter, Names, SqlLimits, SqlResult, output};

/// What stands in a row: minutes after 10:00, source and destination, port, bytes, user, own
/// fields, record.
type Row = (
    i64,
    &'static str,
    &'static str,
    Option<&'static str>,
    i64,
    Option<i64>,
    Option<&'static str>,
    &'static [(&'static str, &'static str)],
    &'static str,
);

/// The events of tenant `acme`, in order; event `n` from 1 has LSN `2n`.
pub const ACME: &[Row] = &[
    (
        0,
        "10.1.2.3",
        "192.0.2.10",
        Some("shop.example"),
        443,
        Some(1200),
        None,
        &[],
        "allow tcp 443",
    ),
    (5, "10.1.2.3", "192.0.2.10", Some("shop.example"), 443, Some(800), None, &[], "allow tcp 443"),
    (20, "10.1.2.3", "192.0.2.20", Some("mail.example"), 443, Some(90), None, &[], "allow tcp 443"),
    (
        30,
        "10.1.2.4",
        "10.1.2.9",
        None,
        22,
        None,
        Some("root"),
        &[],
        "Failed password for root from 10.1.2.4 port 5022",
    ),
    (
        31,
        "10.1.2.4",
        "10.1.2.9",
        None,
        22,
        None,
        Some("nina"),
        &[],
        "Accepted password for nina from 10.1.2.4 port 5023",
    ),
    (
        70,
        "10.1.2.3",
        "192.0.2.10",
        Some("shop.example"),
        443,
        Some(300),
        None,
        &[],
        "allow tcp 443",
    ),
    (
        75,
        "10.1.2.5",
        "10.1.2.9",
        None,
        445,
        Some(4000),
        None,
        &[("LogonType", "3"), ("TargetUserName", "Nina")],
        "logon 4624",
    ),
    (
        130,
        "10.1.2.5",
        "192.0.2.20",
        Some("mail.example"),
        25,
        Some(0),
        None,
        &[("queue id", "A1")],
        "mail \u{e9} sent",
    ),
];

/// The events of tenant `zeta`; event `n` from 0 has LSN `2n + 1`.
pub const ZETA: &[Row] = &[
    (
        1,
        "10.1.2.3",
        "198.51.100.7",
        Some("secret.example"),
        443,
        Some(7),
        Some("zoe"),
        &[],
        "zeta only",
    ),
    (
        2,
        "10.9.9.9",
        "198.51.100.7",
        Some("secret.example"),
        443,
        Some(7),
        Some("zoe"),
        &[],
        "zeta only",
    ),
];

/// The time of queries: 14:00 of that day.
pub const NOW: Micros = START + 240 * MINUTE;

/// A lake of both tenants' events and one match of `acme` (its first event) and of `zeta`.
pub fn lake(dir: &std::path::Path) -> LakeWriter {
    let mut writer = open(dir);
    let mut batch = EventBatch::default();
    let context =
        |tenant| Arc::new(Context::new(tenant, "syslog", SourceChoice::Auto, Reference::Received));
    let mut rows: Vec<(u64, &str, &Row)> = Vec::new();
    rows.extend(ACME.iter().enumerate().map(|(at, row)| (2 * (at as u64 + 1), "acme", row)));
    rows.extend(ZETA.iter().enumerate().map(|(at, row)| (2 * at as u64 + 1, "zeta", row)));
    rows.sort_by_key(|(lsn, ..)| *lsn);
    for (lsn, tenant, row) in rows {
        store(&mut batch, &context(tenant), lsn, row);
    }
    let fields = Arc::new(FieldTableBuilder::default().build());
    writer.append_events(Arc::new(batch), Names { fields, sources: ["made_up".to_owned()].into() });
    writer.append_matches(matches(1..=2));
    writer.advance(Lsn(40));
    writer.flush().unwrap();
    writer
}

fn store(batch: &mut EventBatch, context: &Arc<Context>, lsn: u64, row: &Row) {
    let (minute, src, dst, host, port, bytes, user, own, raw) = *row;
    let (from, spans) = (batch.values.len() as u32, batch.spans.len() as u32);
    let context = batch.push_context(context);
    let texts = [
        (ColumnId::SRC_IP, Some(src)),
        (ColumnId::ACTOR_USER_NAME, user),
        (ColumnId::DST_IP, Some(dst)),
        (ColumnId::DST_HOSTNAME, host),
    ];
    for (column, value) in texts {
        if let Some(value) = value {
            let text = batch.push_text(value.as_bytes());
            batch.values.push((column, Scalar::Text(text)));
        }
    }
    batch.values.push((ColumnId::DST_PORT, Scalar::I64(port)));
    batch.values.push((ColumnId::ACTIVITY_ID, Scalar::I64(1)));
    batch.values.push((ColumnId::SEVERITY_ID, Scalar::I64(if port == 22 { 4 } else { 1 })));
    batch.values.extend(bytes.map(|bytes| (ColumnId::BYTES, Scalar::I64(bytes))));
    for (name, value) in own {
        let (name, value) = (batch.push_text(name.as_bytes()), batch.push_text(value.as_bytes()));
        let field = FieldId::UNKNOWN;
        let (kind, flags) = (SpanType::String, SpanFlags::default());
        batch.spans.push(Span { field, name, value, raw: Default::default(), kind, flags });
    }
    let raw = batch.push_text(raw.as_bytes());
    batch.events.push(Event {
        id: EventId::journal(1, 1, Lsn(lsn), 0),
        context,
        time: START + minute * MINUTE,
        received_time: START + minute * MINUTE,
        class: ClassUid(4001),
        source: 0,
        logsource: LogsourceId::default(),
        raw,
        original: Default::default(),
        spans: spans..batch.spans.len() as u32,
        values: from..batch.values.len() as u32,
        relations: 0..0,
        issues: 0..0,
        stream: lsn,
        batch: 0,
    });
}

/// Asks a checked or unchecked query.
pub fn ask(view: &Arc<LakeView>, scope: TenantScope, query: &str) -> Result<SqlResult, String> {
    let pipe = Pipe::new(query, NOW).map_err(|refused| refused.render())?;
    run(view, scope, &pipe, &SqlLimits::default()).map_err(|error| error.to_string())
}

pub fn run(
    view: &Arc<LakeView>,
    scope: TenantScope,
    pipe: &Pipe,
    limits: &SqlLimits,
) -> Result<SqlResult, LakeError> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run_pipe(Arc::clone(view), scope, pipe, limits))
}

/// The answer for `acme` as CSV, without the header.
pub fn csv(view: &Arc<LakeView>, query: &str) -> Vec<String> {
    csv_of(view, only("acme"), query)
}

pub fn csv_of(view: &Arc<LakeView>, scope: TenantScope, query: &str) -> Vec<String> {
    let result = ask(view, scope, query).unwrap_or_else(|why| panic!("{query}\n{why}"));
    let mut out = Vec::new();
    output::write_csv(&result, &mut out).unwrap();
    String::from_utf8(out).unwrap().lines().skip(1).map(str::to_owned).collect()
}
