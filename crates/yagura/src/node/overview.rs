//! The whole at a glance, put together from journal, lake, judge and what people decided.

use crate::node::backend::NodeBackend;
use crate::node::books::{self, Row};
use crate::node::cases;
use crate::node::reload::RulesReport;
use std::collections::HashMap;
use std::time::{Duration, Instant};
use yagura_api::model::{
    BookRow, BookSums, Check, DiskState, Feed, Funnel, Health, MemoryUse, Overview, PipelineState,
    Version,
};
use yagura_api::{ApiError, Cases, Pulse, Watched};
use yagura_disk::DiskStage;
use yagura_event::TenantScope;
use yagura_event::json::OCSF_VERSION;
use yagura_event::time::{HOUR, Micros, parse_rfc3339, rfc3339};
use yagura_lake::TableKind;

/// How long an overview is given again at least: several watch, and the books are read for each.
const KEEP: Duration = Duration::from_millis(700);

/// And this many times as long as it took to make: many books take longer to read, and watching them
/// takes at most a tenth of a core.
const KEEP_COSTS: u32 = 10;

/// Overviews kept, one a scope.
const KEPT_MAX: usize = 100;

/// Incidents that need somebody, at most.
const ATTENTION_MAX: usize = 10;

/// A feed is quiet after ten times its usual pause, and not before this, in microseconds.
const QUIET_MIN: Micros = 300 * 1_000_000;

/// How long a pulse is given again unless findings were committed: every live stream asks for it
/// four times a second.
const PULSE_KEEP: Duration = Duration::from_millis(200);

/// What was given last, by tenant; the empty name is the operator's.
#[derive(Default)]
pub struct Kept {
    /// Overviews, when they were made and how long that took.
    overviews: HashMap<String, (Instant, Duration, Overview)>,
    pulses: HashMap<String, (Instant, Pulse)>,
}

impl Kept {
    /// Lets the next be made anew.
    pub fn forget(&mut self) {
        self.overviews.clear();
        self.pulses.clear();
    }
}

impl Watched for NodeBackend {
    fn overview(&self, scope: &TenantScope) -> Result<Overview, ApiError> {
        let name = name_of(scope);
        let mut kept = self.kept();
        if let Some((at, cost, overview)) = kept.overviews.get(&name)
            && at.elapsed() < KEEP.max(*cost * KEEP_COSTS)
        {
            return Ok(overview.clone());
        }
        let began = Instant::now();
        let overview = whole(self, scope)?;
        if kept.overviews.len() >= KEPT_MAX {
            kept.overviews.clear();
        }
        kept.overviews.insert(name, (Instant::now(), began.elapsed(), overview.clone()));
        Ok(overview)
    }

    fn pulse(&self, scope: &TenantScope) -> Result<Pulse, ApiError> {
        let name = name_of(scope);
        let judged = *self.node().progress().findings().borrow();
        let known = self.kept().pulses.get(&name).copied();
        let fresh =
            |at: &Instant, pulse: &Pulse| at.elapsed() < PULSE_KEEP && pulse.judged == judged;
        if let Some((_, pulse)) = known.filter(|(at, pulse)| fresh(at, pulse)) {
            return Ok(pulse);
        }
        let state = self.node().progress().read();
        let judge = self.node().judge().map_err(ApiError::internal)?;
        let incidents = judge.incidents_mark(scope).map_err(ApiError::internal)?;
        let incidents = incidents.wrapping_add(self.decided());
        let pulse = Pulse { records: state.records, judged, incidents };
        let mut kept = self.kept();
        if kept.pulses.len() >= KEPT_MAX {
            kept.pulses.clear();
        }
        kept.pulses.insert(name, (Instant::now(), pulse));
        Ok(pulse)
    }

    fn findings_committed(&self) -> tokio::sync::watch::Receiver<u64> {
        self.node().progress().findings()
    }

    fn feeds(&self, scope: &TenantScope) -> Result<Vec<Feed>, ApiError> {
        let rows = books::rows(self.node(), scope).map_err(ApiError::internal)?;
        Ok(feeds(self, scope, &rows))
    }

    fn books(&self, scope: &TenantScope) -> Result<Vec<BookRow>, ApiError> {
        let rows = books::rows(self.node(), scope).map_err(ApiError::internal)?;
        let view = |row: Row| BookRow {
            books: sums(&row),
            tenant: row.tenant,
            feed: row.feed,
            hour: row.hour,
        };
        Ok(rows.into_iter().map(view).collect())
    }

    fn status(&self) -> Result<serde_json::Value, ApiError> {
        let node = self.node();
        let mut value = serde_json::to_value(node.progress().read()).map_err(ApiError::internal)?;
        let judge = node.judge().map_err(ApiError::internal)?;
        let stats = judge.stats(&TenantScope::operator()).map_err(ApiError::internal)?;
        let (findings, entities, incidents) = stats.iter().fold((0, 0, 0), |sum, s| {
            (sum.0 + s.findings, sum.1 + s.entities, sum.2 + s.incidents)
        });
        value["findings"] = findings.into();
        value["entities"] = entities.into();
        value["incidents"] = incidents.into();
        value["disk"] = serde_json::to_value(disk(self)).map_err(ApiError::internal)?;
        value["durable_lsn"] = node.journal().durable().0.into();
        Ok(value)
    }

    fn health(&self) -> Health {
        let node = self.node();
        let state = node.progress().read();
        let refused = node.guard().reading().stage == DiskStage::Refusing;
        let check = |name: &str, detail: Option<String>| Check {
            name: name.to_owned(),
            ok: detail.is_none(),
            detail: detail.unwrap_or_default(),
        };
        let full = refused.then(|| "records are refused: free bytes on the disk".to_owned());
        let checks = vec![
            check("pipeline", state.failure),
            check("lake", state.trouble),
            check("journal", node.journal().stopped().map(|why| why.to_string())),
            check("disk", full),
        ];
        let ok = checks.iter().all(|check| check.ok);
        Health { status: if ok { "ok" } else { "degraded" }.to_owned(), checks }
    }

    fn metrics(&self) -> Result<String, ApiError> {
        let report = RulesReport::of(&self.node().engine());
        self.overview(&TenantScope::operator())
            .map(|overview| crate::node::metrics::text(&overview, report))
    }

    fn version(&self) -> Version {
        let (version, ocsf) = (env!("CARGO_PKG_VERSION").to_owned(), OCSF_VERSION.to_owned());
        Version { version, ocsf }
    }
}

fn name_of(scope: &TenantScope) -> String {
    scope.tenant().map(|tenant| tenant.to_string()).unwrap_or_default()
}

fn whole(backend: &NodeBackend, scope: &TenantScope) -> Result<Overview, ApiError> {
    let node = backend.node();
    let now = node.intake().clock().now();
    let rows = books::rows(node, scope).map_err(ApiError::internal)?;
    let books = rows.iter().fold(BookSums::default(), |sum, row| add(sum, sums(row)));
    let gauge = backend.gauge();
    let mut attention = backend.summaries(scope)?;
    attention.retain(cases::needs_somebody);
    attention.sort_by(|one, other| {
        let key = |s: &yagura_api::model::IncidentSummary| (s.severity_id, s.last_time_dt.clone());
        key(other).cmp(&key(one))
    });
    attention.truncate(ATTENTION_MAX);
    Ok(Overview {
        as_of_time_dt: rfc3339(now),
        version: backend.version().version,
        started_time_dt: rfc3339(gauge.began()),
        funnel: funnel(backend, scope, books)?,
        rates: gauge.rates(),
        series: gauge.series(now),
        attention,
        pipeline: pipeline(backend),
        memory: memory(backend),
        disk: disk(backend),
        books,
        feeds: feeds(backend, scope, &rows),
    })
}

fn funnel(backend: &NodeBackend, scope: &TenantScope, books: BookSums) -> Result<Funnel, ApiError> {
    let judge = backend.node().judge().map_err(ApiError::internal)?;
    let stats = judge.stats(scope).map_err(ApiError::internal)?;
    let records = books.stored + books.pending;
    let rules = judge.rule_stats(scope).map_err(ApiError::internal)?;
    // The tables do not count by tenant; a record is one event.
    let events = match scope.tenant() {
        None => backend.node().lake().view().rows(TableKind::Events),
        Some(_) => records,
    };
    Ok(Funnel {
        records,
        events,
        matches: rules.values().map(|rule| rule.matches).sum(),
        findings: stats.iter().map(|s| s.findings).sum(),
        entities: judge.suspects(scope).map_err(ApiError::internal)?,
        incidents: stats.iter().map(|s| s.incidents).sum(),
    })
}

fn pipeline(backend: &NodeBackend) -> PipelineState {
    let node = backend.node();
    let state = node.progress().read();
    let durable_lsn = node.journal().durable().0;
    let (latency_visible_ms, latency_judged_ms) = backend.gauge().latencies();
    PipelineState {
        durable_lsn,
        visible_lsn: state.visible_lsn,
        judge_lsn: state.judge_lsn,
        lake_lsn: state.lake_lsn,
        lag_records: durable_lsn.saturating_sub(state.visible_lsn),
        latency_visible_ms,
        latency_judged_ms,
        failure: state.failure,
        trouble: state.trouble,
    }
}

fn memory(backend: &NodeBackend) -> Vec<MemoryUse> {
    let one = |name: &str, used_bytes, limit_bytes| MemoryUse {
        name: name.to_owned(),
        used_bytes,
        limit_bytes,
    };
    let governor = backend.governed().governor();
    let queries = governor.limits().memory_bytes as u64;
    let (in_flight, in_flight_max) = backend.node().in_flight();
    vec![
        one("inflight", in_flight as u64, Some(in_flight_max as u64)),
        one("tail", backend.node().lake().view().tail_bytes(), None),
        one("queries", governor.used_bytes() as u64, Some(queries)),
        one("process", resident_bytes(), None),
    ]
}

/// Bytes of memory that the process holds (proc(5), `statm`); 0 where the system does not say.
fn resident_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or_default() * 4_096
}

fn disk(backend: &NodeBackend) -> DiskState {
    let disk = backend.node().guard().reading();
    let stage = disk.stage.word().to_owned();
    DiskState { stage, free_bytes: disk.free_bytes, ballast: disk.ballast }
}

fn sums(row: &Row) -> BookSums {
    BookSums {
        received: row.received,
        stored: row.stored,
        pending: row.pending,
        rejected: row.rejected,
        duplicate: row.duplicate,
        expired: row.expired,
        gap: row.gap,
        dropped_by_kernel: row.dropped_by_kernel,
    }
}

fn add(one: BookSums, other: BookSums) -> BookSums {
    BookSums {
        received: one.received + other.received,
        stored: one.stored + other.stored,
        pending: one.pending + other.pending,
        rejected: one.rejected + other.rejected,
        duplicate: one.duplicate + other.duplicate,
        expired: one.expired + other.expired,
        gap: one.gap + other.gap,
        dropped_by_kernel: one.dropped_by_kernel + other.dropped_by_kernel,
    }
}

/// Rows come sorted by tenant, feed and hour.
fn feeds(backend: &NodeBackend, scope: &TenantScope, rows: &[Row]) -> Vec<Feed> {
    let node = backend.node();
    let now = node.intake().clock().now();
    let arrivals = node.intake().arrivals().all();
    let of = |row: &Row| {
        arrivals.iter().find(|(tenant, feed, _)| *tenant == row.tenant && *feed == row.feed)
    };
    let groups = rows.chunk_by(|one, next| one.tenant == next.tenant && one.feed == next.feed);
    let feed = |rows: &[Row]| {
        let last = rows.last()?;
        let books = rows.iter().fold(BookSums::default(), |sum, row| add(sum, sums(row)));
        let arrival = of(last).map(|(.., arrival)| arrival);
        let hour = parse_rfc3339(&last.hour);
        let last_time = arrival.map(|a| a.last).or(hour);
        // Of a feed that this process has not heard of yet only the hour is known.
        let since = backend.gauge().began_platform();
        let heard = arrival.map(|a| a.last).or(hour.map(|hour| (hour + HOUR).max(since)));
        let usual = arrival.and_then(|a| {
            Some(now.saturating_sub(since) / Micros::try_from(a.records).ok().filter(|n| *n > 0)?)
        });
        let pause = heard.map_or(0, |last| now.saturating_sub(last));
        let patience = usual.map_or(QUIET_MIN, |usual| usual.saturating_mul(10).max(QUIET_MIN));
        Some(Feed {
            tenant: last.tenant.clone(),
            feed: last.feed.clone(),
            books,
            last_time_dt: last_time.map(rfc3339),
            records_per_s: backend.gauge().feed_rate(&last.tenant, &last.feed),
            quiet: books.received > 0 && pause > patience,
        })
    };
    let mut feeds: Vec<Feed> = groups.filter_map(feed).collect();
    feeds.retain(|feed| scope.allows(&feed.tenant));
    feeds
}
