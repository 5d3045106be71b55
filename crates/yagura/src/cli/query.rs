//! `yagura query` and `yagura sql`: questions to a data directory or its running server.

use crate::cli::Usage;
use crate::cli::answer::Output;
use crate::cli::args::{OverTables, QueryArgs, SqlArgs};
use crate::cli::online::{Place, scope, shown};
use crate::config::Config;
use serde_json::Value;
use std::io::Write;
use yagura_api::{Answer, Backend, Pending, QueryRequest, SqlRequest};
use yagura_event::{Clock, SystemClock, TenantScope};
use yagura_lake::pipe::Pipe;

use crate::node::backend::NodeBackend;

/// Runs `yagura query`.
///
/// # Errors
/// [`Usage`] for a query that is wrong, with its place; one that goes beyond its limits.
pub fn run(args: &QueryArgs) -> anyhow::Result<()> {
    // Here the fault can be drawn under the query, whoever answers.
    Pipe::new(&args.query, SystemClock.now())
        .map_err(|no| Usage(no.render().trim_end().to_owned()))?;
    let format = Some(args.over.format.name().to_owned());
    let request = QueryRequest { query: args.query.clone(), format };
    let body = serde_json::to_value(&request)?;
    ask("query", &args.over, &body, |backend, scope| backend.query(scope, request))
}

/// Runs `yagura sql`.
///
/// # Errors
/// A query that is wrong or goes beyond its limits.
pub fn sql(args: &SqlArgs) -> anyhow::Result<()> {
    let format = Some(args.over.format.name().to_owned());
    let request = SqlRequest { sql: args.sql.clone(), format };
    let body = serde_json::to_value(&request)?;
    ask("sql", &args.over, &body, |backend, scope| backend.sql(scope, request))
}

/// Asks the tables here or the running server's route `name`, and writes the answer as it comes.
fn ask(
    name: &str,
    over: &OverTables,
    body: &Value,
    here: impl FnOnce(&NodeBackend, &TenantScope) -> Pending<Answer>,
) -> anyhow::Result<()> {
    let (scope, query) = scope(over.tenant.as_deref())?;
    let mut out = Output::new(over.format, over.output.as_deref())?;
    let place = Place::of(&over.data, &Config::default(), true)?;
    match &place {
        Place::Here(_, backend) => {
            let mut answer = backend.wait(here(backend, &scope)).map_err(shown)?;
            while let Some(part) = backend.wait(answer.next()) {
                out.write_all(&part.map_err(shown)?)?;
            }
        }
        Place::Server(client, runtime) => {
            // Ending this process closes the connection, and with it the server stops the query.
            let path = format!("/api/v1/{name}{query}");
            runtime.block_on(client.stream(&path, body, &mut out))?;
        }
    }
    out.done()?;
    place.close()
}
