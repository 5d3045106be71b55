//! `yagura query`: pipes over a data directory or its running server.

use crate::cli::Usage;
use crate::cli::args::{Format, QueryArgs};
use crate::cli::online::{Place, scope, shown};
use crate::config::Config;
use std::io::{self, Write};
use yagura_api::{Backend, QueryRequest};
use yagura_event::{Clock, SystemClock};
use yagura_lake::pipe::Pipe;

/// Runs the command.
///
/// # Errors
/// [`Usage`] for a query that is wrong, with its place; one that goes beyond its limits.
pub fn run(args: &QueryArgs) -> anyhow::Result<()> {
    let format = match args.format {
        Format::Table => "table",
        Format::Ndjson => "ndjson",
        Format::Csv => "csv",
        Format::Timeline => return Err(Usage("query has no timeline form".to_owned()).into()),
    };
    // Here the fault can be drawn under the query, whoever answers.
    Pipe::new(&args.query, SystemClock.now())
        .map_err(|no| Usage(no.render().trim_end().to_owned()))?;
    let (scope, query) = scope(args.tenant.as_deref())?;
    let place = Place::of(&args.data, &Config::default(), true)?;
    let request = QueryRequest { query: args.query.clone(), format: Some(format.to_owned()) };
    let bytes = match &place {
        Place::Here(_, backend) => backend.query(&scope, request).map_err(shown)?,
        Place::Server(client, runtime) => {
            let path = format!("/api/v1/query{query}");
            runtime.block_on(client.post(&path, &serde_json::to_value(&request)?))?
        }
    };
    let mut out = io::stdout().lock();
    out.write_all(&bytes)?;
    out.flush()?;
    place.close()
}
