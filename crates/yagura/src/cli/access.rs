//! `yagura token` and `yagura password`: who may come in.

use crate::cli::Usage;
use crate::cli::args::Format;
use crate::cli::online::{Place, shown};
use crate::cli::table;
use crate::config::Config;
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::PathBuf;
use yagura_api::{Access, Backend, Caller};

#[derive(Args, Debug)]
pub struct AccessArgs {
    /// Data directory; a server may be running
    #[arg(long, global = true, value_name = "DIR", default_value = "yagura-data")]
    pub data: PathBuf,
}

#[derive(Args, Debug)]
pub struct TokenArgs {
    #[command(flatten)]
    pub at: AccessArgs,
    #[command(subcommand)]
    pub command: TokenCommand,
}

#[derive(Subcommand, Debug)]
pub enum TokenCommand {
    /// Make a token for a program and print it; it is told only now
    Add {
        /// What it is for
        name: String,
    },
    /// List the tokens, without their secrets
    List {
        /// Output form
        #[arg(long, value_enum, default_value_t = Format::Table)]
        format: Format,
    },
    /// Take a token away
    Remove {
        /// Its id
        id: String,
    },
}

/// `yagura token`.
///
/// # Errors
/// A data directory that cannot be used, a name or an id that is refused.
pub fn token(args: &TokenArgs) -> anyhow::Result<()> {
    let at = &args.at;
    match &args.command {
        TokenCommand::Add { name } => {
            if name.trim().is_empty() {
                return Err(Usage("say what the token is for".to_owned()).into());
            }
            let place = open(at)?;
            let made = add(&place, name);
            place.close()?;
            println!("{}", made?);
        }
        TokenCommand::List { format } => {
            let place = open(at)?;
            let tokens = list(&place);
            place.close()?;
            print(&tokens?, *format);
        }
        TokenCommand::Remove { id } => {
            let place = open(at)?;
            let removed = match &place {
                Place::Here(_, backend) => backend.remove_token(id).map_err(shown),
                Place::Server(client, runtime) => {
                    let path = format!("/api/v1/tokens/{id}");
                    runtime.block_on(client.delete(&path)).map_err(Into::into)
                }
            };
            place.close()?;
            removed?;
        }
    }
    Ok(())
}

/// `yagura password`: gives the administrator a new one and prints it.
///
/// # Errors
/// A data directory that cannot be used.
pub fn password(args: &AccessArgs) -> anyhow::Result<()> {
    let place = open(args)?;
    let made = match &place {
        Place::Here(_, backend) => backend.new_password().map_err(shown),
        Place::Server(client, runtime) => {
            let answer = runtime.block_on(client.post("/private/password", &json!({})))?;
            let answer: Value = serde_json::from_slice(&answer)?;
            Ok(answer["password"].as_str().unwrap_or_default().to_owned())
        }
    };
    place.close()?;
    println!("{}", made?);
    eprintln!("every session has ended; this password is shown only now");
    Ok(())
}

fn open(args: &AccessArgs) -> anyhow::Result<Place> {
    Place::of(&args.data, &Config::default(), true)
}

fn add(place: &Place, name: &str) -> anyhow::Result<String> {
    match place {
        Place::Here(_, backend) => {
            Ok(backend.add_token(&Caller::owner(), name).map_err(shown)?.token)
        }
        Place::Server(client, runtime) => {
            let body = json!({ "name": name });
            let answer = runtime.block_on(client.post("/api/v1/tokens", &body))?;
            let answer: Value = serde_json::from_slice(&answer)?;
            Ok(answer["token"].as_str().unwrap_or_default().to_owned())
        }
    }
}

fn list(place: &Place) -> anyhow::Result<Vec<Value>> {
    place.all("/api/v1/tokens", |backend| {
        let tokens = backend.tokens()?;
        let values = tokens.into_iter().map(serde_json::to_value).collect::<Result<_, _>>();
        values.map_err(yagura_api::ApiError::internal)
    })
}

fn print(tokens: &[Value], format: Format) {
    if format == Format::Ndjson {
        tokens.iter().for_each(|token| println!("{token}"));
        return;
    }
    let keys = ["id", "name", "by", "time_dt"];
    let text = |token: &Value, key: &str| token[key].as_str().unwrap_or_default().to_owned();
    let rows: Vec<Vec<String>> =
        tokens.iter().map(|token| keys.iter().map(|key| text(token, key)).collect()).collect();
    print!("{}", table::render(&["id", "name", "by", "made"], &rows));
}
