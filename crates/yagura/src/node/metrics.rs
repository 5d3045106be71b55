//! The overview in Prometheus' text format (exposition format 0.0.4).

use crate::node::reload::RulesReport;
use std::fmt::Write as _;
use yagura_api::model::{Latency, Overview};

/// One family: name without prefix, type, help, and values behind their labels.
type Family = (String, &'static str, &'static str, Vec<(&'static str, f64)>);

/// The figures, one family after the other.
pub fn text(overview: &Overview, report: RulesReport) -> String {
    let mut out = String::new();
    let families = counts(overview).into_iter().chain(latencies(overview)).chain(state(overview));
    let families = families.chain([rules(report)]);
    for (name, kind, help, values) in families {
        // A string takes everything.
        let _ = writeln!(out, "# HELP yagura_{name} {help}\n# TYPE yagura_{name} {kind}");
        for (labels, value) in values {
            let _ = writeln!(out, "yagura_{name}{labels} {value}");
        }
    }
    out
}

fn n(number: u64) -> f64 {
    number as f64
}

fn counts(overview: &Overview) -> Vec<Family> {
    let Overview { funnel, pipeline, books, .. } = overview;
    let funnel = vec![
        ("{step=\"records\"}", n(funnel.records)),
        ("{step=\"events\"}", n(funnel.events)),
        ("{step=\"matches\"}", n(funnel.matches)),
        ("{step=\"findings\"}", n(funnel.findings)),
        ("{step=\"entities\"}", n(funnel.entities)),
        ("{step=\"incidents\"}", n(funnel.incidents)),
    ];
    let books = vec![
        ("{entry=\"received\"}", n(books.received)),
        ("{entry=\"stored\"}", n(books.stored)),
        ("{entry=\"pending\"}", n(books.pending)),
        ("{entry=\"rejected\"}", n(books.rejected)),
        ("{entry=\"duplicate\"}", n(books.duplicate)),
        ("{entry=\"expired\"}", n(books.expired)),
        ("{entry=\"gap\"}", books.gap as f64),
        ("{entry=\"dropped_by_kernel\"}", n(books.dropped_by_kernel)),
    ];
    let journal = vec![
        ("{at=\"durable\"}", n(pipeline.durable_lsn)),
        ("{at=\"visible\"}", n(pipeline.visible_lsn)),
        ("{at=\"judged\"}", n(pipeline.judge_lsn)),
        ("{at=\"lake\"}", n(pipeline.lake_lsn)),
    ];
    vec![
        ("funnel".into(), "gauge", "What became of the records that are kept.", funnel),
        (
            "book_records".into(),
            "gauge",
            "The books: received = stored + pending + rejected + duplicate + expired + gap.",
            books,
        ),
        ("journal_lsn".into(), "gauge", "Positions in the journal.", journal),
    ]
}

fn rules(report: RulesReport) -> Family {
    let values = vec![
        ("{state=\"loaded\"}", report.rules as f64),
        ("{state=\"off\"}", report.off as f64),
        ("{state=\"failed\"}", report.failed as f64),
    ];
    let help =
        "Rules that were loaded, those of them that are switched off, and those that failed.";
    ("rules".into(), "gauge", help, values)
}

fn latencies(overview: &Overview) -> Vec<Family> {
    let of = |until: &str, latency: Option<Latency>| {
        let latency = latency?;
        let values = vec![
            ("{quantile=\"0.5\"}", n(latency.p50) / 1e3),
            ("{quantile=\"0.99\"}", n(latency.p99) / 1e3),
        ];
        let name = format!("latency_{until}_seconds");
        Some((name, "summary", "From durable, over the last minute.", values))
    };
    let pipeline = &overview.pipeline;
    let both =
        [of("visible", pipeline.latency_visible_ms), of("judged", pipeline.latency_judged_ms)];
    both.into_iter().flatten().collect()
}

fn state(overview: &Overview) -> Vec<Family> {
    let one = |name: &str, help, value| (name.to_owned(), "gauge", help, vec![("", value)]);
    let failed = f64::from(u8::from(overview.pipeline.failure.is_some()));
    let quiet = overview.feeds.iter().filter(|feed| feed.quiet).count() as f64;
    let free = n(overview.disk.free_bytes);
    let mut all = vec![
        one("records_per_second", "Over ten seconds.", overview.rates.records_per_s),
        one("disk_free_bytes", "Free on the data directory's disk.", free),
        one("pipeline_failed", "1 where the pipeline has stopped.", failed),
        one("feeds_quiet", "Feeds from which nothing comes.", quiet),
    ];
    for memory in &overview.memory {
        let name = format!("memory_{}_bytes", memory.name);
        all.push(one(&name, "Bytes of memory in use.", n(memory.used_bytes)));
    }
    all
}
