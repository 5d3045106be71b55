//! `yagura hunt --rules`: rules run over everything that is kept, with a bar on the terminal.

use crate::cli::Usage;
use crate::cli::args::{Format, HuntArgs};
use crate::cli::online::{Place, shown};
use crate::cli::scan::quoted;
use crate::cli::table;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::io::{self, Write as _};
use std::time::Duration;
use yagura_api::model::{List, PastFinding, Recorded, RuleHunt, RuleHuntCost};
use yagura_api::{RuleHuntAsked, RuleHunts};
use yagura_detect::rule_files;
use yagura_event::TenantScope;
use yagura_event::time::parse_rfc3339;

/// How often progress is asked for.
const LOOK: Duration = Duration::from_millis(200);

/// Findings of one request.
const PAGE: usize = 1_000;

/// Runs the rules of `args` and prints what they find.
///
/// # Errors
/// [`Usage`] for times that are none and for indicators beside rules; rules that cannot be loaded; a
/// run that fails.
pub fn run(args: &HuntArgs, place: &Place, scope: &TenantScope, query: &str) -> anyhow::Result<()> {
    if !args.indicators.is_empty() || !args.intel.is_empty() {
        return Err(Usage("hunt for indicators or with rules, not both at once".to_owned()).into());
    }
    let side = Side { place, scope, query, asked: asked(args)? };
    let cost = side.cost()?;
    let mebibytes = cost.bytes as f64 / f64::from(1 << 20);
    eprintln!(
        "{} rules over {} sources; {} of {} files, {mebibytes:.1} MiB, at most {} records to read",
        cost.rules.len(),
        cost.sources.len(),
        cost.files - cost.files_passed_over,
        cost.files,
        cost.records
    );
    if args.cost {
        return Ok(());
    }
    let id = side.begin()?.id;
    let done = side.walk(&id).and_then(|state| {
        print(&side.findings(&id)?, args.data.format)?;
        let recorded = if args.record { Some(side.record(&id)?) } else { None };
        Ok((state, recorded))
    });
    side.end(&id);
    let (state, recorded) = done?;
    let full = match state.state.as_str() {
        "full" => "; there are more matches than one run takes: narrow it with --from and --until",
        _ => "",
    };
    let (records, matches, ms) = (state.records, state.matches, state.ms);
    eprintln!("{records} records, {matches} matches, {} findings, {ms} ms{full}", state.findings);
    if let Some(Recorded { recorded, known }) = recorded {
        eprintln!("{recorded} recorded as retrospective findings, {known} were there already");
    }
    Ok(())
}

fn asked(args: &HuntArgs) -> anyhow::Result<RuleHuntAsked> {
    let time = |name: &str, text: &Option<String>| {
        let Some(text) = text else { return Ok(None) };
        parse_rfc3339(text).map(Some).ok_or_else(|| {
            Usage(format!("--{name} is an RFC 3339 time such as 2026-11-02T09:30:00Z"))
        })
    };
    let (files, errors) = rule_files(&args.rules);
    if let Some(error) = errors.first() {
        anyhow::bail!("{}: {}", error.path, error.message);
    }
    let texts: Vec<String> = files.into_iter().map(|(_, text)| text).collect();
    Ok(RuleHuntAsked {
        text: (!texts.is_empty()).then(|| texts.join("\n---\n")),
        ids: args.rule_ids.clone(),
        from: time("from", &args.from)?,
        until: time("until", &args.until)?,
        by: "command line".to_owned(),
    })
}

fn print(found: &[PastFinding], format: Format) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if format == Format::Ndjson {
        for one in found {
            writeln!(out, "{}", one.finding)?;
        }
        return Ok(());
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let cells = |one: &PastFinding| {
        let (finding, info) = (&one.finding, &one.finding["finding_info"]);
        vec![
            text(&info["first_seen_time_dt"]),
            text(&info["last_seen_time_dt"]),
            text(&finding["severity"]),
            finding["count"].to_string(),
            text(&finding["message"]),
            text(&finding["unmapped"]["group"]),
            if one.known { "yes" } else { "no" }.to_owned(),
        ]
    };
    let rows: Vec<Vec<String>> = found.iter().map(cells).collect();
    let header = ["first", "last", "level", "count", "title", "group", "known"];
    if format == Format::Csv {
        writeln!(out, "{}", header.join(","))?;
        for row in rows {
            let row: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
            writeln!(out, "{}", row.join(","))?;
        }
        return Ok(());
    }
    Ok(write!(out, "{}", table::render(&header, &rows))?)
}

/// The place that runs them, and in which scope.
struct Side<'a> {
    place: &'a Place,
    scope: &'a TenantScope,
    query: &'a str,
    asked: RuleHuntAsked,
}

impl Side<'_> {
    fn body(&self) -> Value {
        let time = |time: Option<i64>| time.map(yagura_event::time::rfc3339);
        json!({
            "rules": self.asked.text, "ids": self.asked.ids,
            "from": time(self.asked.from), "until": time(self.asked.until),
        })
    }

    fn path(&self, rest: &str) -> String {
        format!("/api/v1/rule-hunts{rest}{}", self.query)
    }

    fn cost(&self) -> anyhow::Result<RuleHuntCost> {
        match self.place {
            Place::Here(_, backend) => {
                backend.rule_hunt_cost(self.scope, self.asked.clone()).map_err(shown)
            }
            Place::Server(..) => self.place.post(&self.path("/cost"), &self.body()),
        }
    }

    fn begin(&self) -> anyhow::Result<RuleHunt> {
        match self.place {
            Place::Here(_, backend) => {
                backend.begin_rule_hunt(self.scope, self.asked.clone()).map_err(shown)
            }
            Place::Server(..) => self.place.post(&self.path(""), &self.body()),
        }
    }

    fn state(&self, id: &str) -> anyhow::Result<RuleHunt> {
        match self.place {
            Place::Here(_, backend) => backend.rule_hunt(self.scope, id).map_err(shown),
            Place::Server(..) => self.place.get(&self.path(&format!("/{id}"))),
        }
    }

    fn findings(&self, id: &str) -> anyhow::Result<Vec<PastFinding>> {
        let mut all = Vec::new();
        loop {
            let cursor = all.len();
            let page: List<PastFinding> = match self.place {
                Place::Here(_, backend) => {
                    backend.rule_hunt_findings(self.scope, id, cursor, PAGE).map_err(shown)?
                }
                Place::Server(..) => {
                    let path = self.path(&format!("/{id}/findings"));
                    let sign = if self.query.is_empty() { '?' } else { '&' };
                    self.place.get(&format!("{path}{sign}limit={PAGE}&cursor={cursor}"))?
                }
            };
            all.extend(page.items);
            if page.next_cursor.is_none() {
                return Ok(all);
            }
        }
    }

    fn record(&self, id: &str) -> anyhow::Result<Recorded> {
        match self.place {
            Place::Here(node, backend) => {
                let recorded = backend.record_rule_hunt(self.scope, id).map_err(shown)?;
                let judged = node.progress().wait_committed(node.journal().durable());
                judged.map(|()| recorded).map_err(anyhow::Error::msg)
            }
            Place::Server(..) => self.place.post(&self.path(&format!("/{id}/record")), &json!({})),
        }
    }

    fn end(&self, id: &str) {
        // A run that nobody asks for any more gives way to others.
        let _ = match self.place {
            Place::Here(_, backend) => backend.end_rule_hunt(self.scope, id).map_err(shown),
            Place::Server(client, runtime) => {
                let path = self.path(&format!("/{id}"));
                runtime.block_on(client.delete(&path)).map_err(anyhow::Error::from)
            }
        };
    }

    /// Waits until it has ended.
    fn walk(&self, id: &str) -> anyhow::Result<RuleHunt> {
        let bar = ProgressBar::new(0);
        if let Ok(style) = ProgressStyle::with_template("{wide_bar} {pos}/{len} files, {msg}") {
            bar.set_style(style);
        }
        loop {
            let state = self.state(id)?;
            bar.set_length(state.cost.files);
            bar.set_position(state.files_done);
            bar.set_message(format!("{} records, {} matches", state.records, state.matches));
            match state.state.as_str() {
                "waiting" | "running" => std::thread::sleep(LOOK),
                "done" | "full" => {
                    bar.finish_and_clear();
                    return Ok(state);
                }
                other => {
                    bar.finish_and_clear();
                    let why = state.detail.unwrap_or_else(|| format!("the run was {other}"));
                    anyhow::bail!(why);
                }
            }
        }
    }
}
