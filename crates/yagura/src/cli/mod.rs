//! The commands: each takes its arguments and says how it ended.

pub mod access;
pub mod answer;
pub mod args;
mod background;
pub mod backup;
pub mod check;
pub mod demo;
pub mod erase;
pub mod generate;
pub mod hunt;
pub mod offline;
pub mod online;
pub mod query;
pub mod reparse;
mod replay;
mod rule_hunt;
pub mod scan;
pub mod search;
pub mod spool;
pub mod switch;
pub mod table;
pub mod up;

use args::{Cli, Command, RulesCommand};
use std::path::PathBuf;

/// A fault of the call itself: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Usage(pub String);

/// Runs a command; `Ok(false)` is a result that scripts should see as a failure.
///
/// # Errors
/// [`Usage`] for calls that cannot work; everything else is a failure.
pub fn run(cli: Cli) -> anyhow::Result<bool> {
    match cli.command {
        Command::Up(args) => up::run(&args).map(|()| true),
        Command::Demo(args) => demo::run(&args).map(|()| true),
        Command::Sources(args) => offline::sources(&args).map(|()| true),
        Command::Parse(args) => offline::parse(&args).map(|()| true),
        Command::Scan(args) => scan::run(&args).map(|()| true),
        Command::Rules(RulesCommand::Check { paths }) => offline::rules_check(&paths),
        Command::Rules(RulesCommand::List { paths, format }) => {
            offline::rules_list(&paths, format).map(|()| true)
        }
        Command::Rules(RulesCommand::Enable(args)) => switch::run(&args, true).map(|()| true),
        Command::Rules(RulesCommand::Disable(args)) => switch::run(&args, false).map(|()| true),
        Command::Ingest(args) => online::ingest(&args).map(|()| true),
        Command::Search(args) => search::run(&args).map(|()| true),
        Command::Sql(args) => query::sql(&args).map(|()| true),
        Command::Query(args) => query::run(&args).map(|()| true),
        Command::Reparse(args) => reparse::run(&args).map(|()| true),
        Command::Hunt(args) => hunt::run(&args).map(|()| true),
        Command::Incidents(args) => online::incidents(&args).map(|()| true),
        Command::Findings(args) => online::findings(&args).map(|()| true),
        Command::Books(args) => online::books(&args),
        Command::Check(args) => check::run(&args),
        Command::Backup(args) => backup::run(&args),
        Command::Erase(args) => erase::run(&args).map(|()| true),
        Command::Token(args) => access::token(&args).map(|()| true),
        Command::Password(args) => access::password(&args).map(|()| true),
        Command::Bench(args) => crate::bench::run(&args).map(|()| true),
        Command::Config(args) => offline::config(&args).map(|()| true),
        Command::Generate(args) => generate::run(&args).map(|()| true),
    }
}

/// Refuses rule files and folders that are not there: to run without them would look as if
/// nothing had been found.
///
/// # Errors
/// [`Usage`] naming the first one.
pub fn rules_there(paths: &[PathBuf]) -> Result<(), Usage> {
    match paths.iter().find(|path| !path.exists()) {
        Some(path) => Err(Usage(format!("there are no rules at {}", path.display()))),
        None => Ok(()),
    }
}
