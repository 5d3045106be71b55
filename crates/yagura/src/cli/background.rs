//! `yagura search --background`: a search that walks the files from the newest back, with a bar on
//! the terminal. Ctrl-C stops it.

use crate::cli::answer::Output;
use crate::cli::online::{Place, shown};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::future::Future;
use std::io::Write;
use std::time::Duration;
use yagura_api::{Backend, JobRows, SearchRequest};
use yagura_event::TenantScope;

/// How often progress is asked for.
const LOOK: Duration = Duration::from_millis(200);

/// Events of one request; in forms that are one whole all are taken at once, at the end.
const PAGE: usize = 1_000;

/// Most events that one request gives.
const WHOLE: usize = 10_000;

/// Runs a search in the background of `place` and writes what it finds.
///
/// # Errors
/// A query that is wrong, one that fails, one that Ctrl-C stopped.
pub fn run(
    place: &Place,
    scope: &TenantScope,
    query: &str,
    request: &SearchRequest,
    out: &mut Output,
) -> anyhow::Result<()> {
    let side = Side { place, scope, query };
    let state = side.begin(request)?;
    let id = state["id"].as_str().unwrap_or_default().to_owned();
    let walked = side.walk(&id, request.format.as_deref() == Some("ndjson"), out);
    side.end(&id);
    let state = walked?;
    let (events, ms) = (number(&state, "events"), number(&state, "ms"));
    let more = if state["state"] == "full" { ", and there are more" } else { "" };
    eprintln!(
        "{events} events{more}; {} of {} files read or passed over, {ms} ms",
        number(&state, "files_done"),
        number(&state, "files")
    );
    match state["state"].as_str() {
        Some("done" | "full") => Ok(()),
        Some("cancelled") => anyhow::bail!("the search was stopped"),
        _ => anyhow::bail!("{}", state["detail"].as_str().unwrap_or("the search failed")),
    }
}

fn number(state: &Value, key: &str) -> u64 {
    state[key].as_u64().unwrap_or_default()
}

/// The place that searches, and in which scope.
struct Side<'a> {
    place: &'a Place,
    scope: &'a TenantScope,
    query: &'a str,
}

impl Side<'_> {
    fn begin(&self, request: &SearchRequest) -> anyhow::Result<Value> {
        match self.place {
            Place::Here(_, backend) => {
                backend.begin_search(self.scope, request.clone()).map_err(shown)
            }
            Place::Server(client, runtime) => {
                let path = format!("/api/v1/searches{}", self.query);
                let body = serde_json::to_value(request)?;
                Ok(serde_json::from_slice(&runtime.block_on(client.post(&path, &body))?)?)
            }
        }
    }

    fn state(&self, id: &str) -> anyhow::Result<Value> {
        match self.place {
            Place::Here(_, backend) => backend.search_state(self.scope, id).map_err(shown),
            Place::Server(client, runtime) => {
                let path = format!("/api/v1/searches/{id}{}", self.query);
                Ok(runtime.block_on(client.get(&path))?)
            }
        }
    }

    fn rows(&self, id: &str, cursor: usize, limit: usize) -> anyhow::Result<JobRows> {
        match self.place {
            Place::Here(_, backend) => {
                backend.search_rows(self.scope, id, cursor, limit).map_err(shown)
            }
            Place::Server(client, runtime) => {
                let join = if self.query.is_empty() { "?" } else { "&" };
                let path = format!(
                    "/api/v1/searches/{id}/rows{}{join}cursor={cursor}&limit={limit}",
                    self.query
                );
                Ok(runtime.block_on(client.rows(&path))?)
            }
        }
    }

    /// Stops it, or forgets what it found.
    fn end(&self, id: &str) {
        // One that is gone needs no end.
        let _ = match self.place {
            Place::Here(_, backend) => backend.end_search(self.scope, id).map_err(shown),
            Place::Server(client, runtime) => {
                let path = format!("/api/v1/searches/{id}{}", self.query);
                runtime.block_on(client.delete(&path)).map_err(anyhow::Error::from)
            }
        };
    }

    /// Waits `LOOK`; true where Ctrl-C came.
    fn waits(&self, interrupt: &mut (impl Future + Unpin)) -> bool {
        let wait = async {
            tokio::select! {
                _ = interrupt => true,
                () = tokio::time::sleep(LOOK) => false,
            }
        };
        match self.place {
            Place::Here(_, backend) => backend.wait(wait),
            Place::Server(_, runtime) => runtime.block_on(wait),
        }
    }

    /// Writes what is found until it has ended.
    fn walk(&self, id: &str, lines: bool, out: &mut Output) -> anyhow::Result<Value> {
        let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(
            "{bar:32} {pos}/{len} files, {msg} events, {elapsed}",
        )?);
        let mut interrupt = Box::pin(tokio::signal::ctrl_c());
        let mut cursor = 0;
        loop {
            let state = self.state(id)?;
            bar.set_length(number(&state, "files"));
            bar.set_position(number(&state, "files_done"));
            bar.set_message(number(&state, "events").to_string());
            let over = !matches!(state["state"].as_str(), Some("waiting" | "running"));
            if lines {
                loop {
                    let rows = self.rows(id, cursor, PAGE)?;
                    if rows.next == cursor {
                        break;
                    }
                    bar.suspend(|| out.write_all(&rows.body))?;
                    cursor = rows.next;
                }
            }
            if over {
                if !lines {
                    out.write_all(&self.rows(id, 0, WHOLE)?.body)?;
                }
                bar.finish_and_clear();
                return Ok(state);
            }
            if self.waits(&mut interrupt) {
                bar.finish_and_clear();
                anyhow::bail!("the search was stopped");
            }
        }
    }
}
