//! `yagura query`: pipes over a data directory or its running server.

use crate::cli::Usage;
use crate::cli::args::QueryArgs;
use crate::cli::online::{ask, shown};
use yagura_api::{Backend, QueryRequest};
use yagura_event::{Clock, SystemClock};
use yagura_lake::pipe::Pipe;

/// Runs the command.
///
/// # Errors
/// [`Usage`] for a query that is wrong, with its place; one that goes beyond its limits.
pub fn run(args: &QueryArgs) -> anyhow::Result<()> {
    // Here the fault can be drawn under the query, whoever answers.
    Pipe::new(&args.query, SystemClock.now())
        .map_err(|no| Usage(no.render().trim_end().to_owned()))?;
    ask("query", &args.over, |format, scope, place| {
        let request = QueryRequest { query: args.query.clone(), format: Some(format) };
        match place {
            Ok(backend) => backend.query(scope, request).map_err(shown),
            Err(server) => server(&serde_json::to_value(&request)?),
        }
    })
}
