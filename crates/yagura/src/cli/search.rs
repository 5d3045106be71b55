//! `yagura search`: events of a data directory or its running server.

use crate::cli::Usage;
use crate::cli::answer::Output;
use crate::cli::args::{SearchArgs, TableFormat};
use crate::cli::background;
use crate::cli::online::{Place, scope, shown};
use crate::config::Config;
use crate::node::search::checked;
use std::io::{self, IsTerminal, Write};
use yagura_api::{Backend, SearchRequest};
use yagura_event::{Clock, SystemClock};

/// Runs the command.
///
/// # Errors
/// [`Usage`] for a query that is wrong, with its place; one that goes beyond its limits.
pub fn run(args: &SearchArgs) -> anyhow::Result<()> {
    let over = &args.over;
    let request = SearchRequest {
        query: args.query.clone(),
        format: Some(over.format.name().to_owned()),
        columns: args.columns.clone(),
        sort: Some(args.sort.clone()),
        limit: Some(args.limit),
        count: args.count,
        width: width().filter(|_| over.output.is_none()),
    };
    // Here the fault can be drawn under the query, whoever answers.
    checked(&request, SystemClock.now()).map_err(|no| Usage(no.render().trim_end().to_owned()))?;
    if matches!(over.format, TableFormat::Parquet | TableFormat::Arrow)
        && (args.columns.is_some() || args.count)
    {
        let text = "this form has all stored columns; leave --columns and --count out, or use `yagura query`";
        return Err(Usage(text.to_owned()).into());
    }
    let (scope, query) = scope(over.tenant.as_deref())?;
    let mut out = Output::new(over.format, over.output.as_deref())?;
    let place = Place::of(&over.data, &Config::default(), true)?;
    if args.background {
        background::run(&place, &scope, &query, &request, &mut out)?;
        out.done()?;
        return place.close();
    }
    let reply = match &place {
        Place::Here(_, backend) => backend.wait(backend.search(&scope, request)).map_err(shown)?,
        Place::Server(client, runtime) => {
            let path = format!("/api/v1/search{query}");
            runtime.block_on(client.search(&path, &request))?
        }
    };
    out.write_all(&reply.body)?;
    out.done()?;
    let stats = reply.stats;
    let more = if stats.more { ", more match: raise --limit or narrow the query" } else { "" };
    eprintln!(
        "{} event{}{more}; {} of {} files passed over, {} ms",
        stats.events,
        if stats.events == 1 { "" } else { "s" },
        stats.pruned,
        stats.files,
        stats.took_ms
    );
    place.close()
}

/// The terminal's width, where the output goes to one.
fn width() -> Option<usize> {
    if !io::stdout().is_terminal() {
        return None;
    }
    console::Term::stdout().size_checked().map(|(_, columns)| usize::from(columns))
}
