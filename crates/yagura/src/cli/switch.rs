//! `yagura rules enable` and `disable`: rules switched on and off.

use crate::cli::online::{Place, shown};
use crate::config::Config;
use clap::Args;
use serde_json::json;
use std::fmt::Write as _;
use std::path::PathBuf;
use yagura_api::model::NewRuleState;
use yagura_api::{Caller, Detections};

#[derive(Args, Debug)]
pub struct SwitchArgs {
    /// The rule's id, as the console and `yagura rules list` show it
    #[arg(value_name = "ID")]
    pub id: String,
    /// Why, for those who ask later
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
    /// Data directory
    #[arg(long, value_name = "DIR", default_value = "yagura-data")]
    pub data: PathBuf,
    /// Configuration file (TOML) that names further rules, where no server is running
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Switches one rule.
///
/// # Errors
/// A data directory that cannot be used, a rule that is not there or cannot be switched off.
pub fn run(args: &SwitchArgs, enabled: bool) -> anyhow::Result<()> {
    let config = Config::load(args.config.as_deref())?;
    let place = Place::of(&args.data, &config, true)?;
    let switched = match &place {
        Place::Here(_, backend) => {
            let new = NewRuleState { enabled, reason: args.reason.clone() };
            backend.switch_rule(&Caller::owner(), &args.id, None, new).map(drop).map_err(shown)
        }
        Place::Server(client, runtime) => {
            let path = format!("/api/v1/rules/{}/state", encoded(&args.id));
            let body = json!({ "enabled": enabled, "reason": args.reason });
            runtime.block_on(client.put(&path, &body)).map(drop).map_err(Into::into)
        }
    };
    place.close()?;
    switched?;
    let word = if enabled { "on" } else { "off" };
    eprintln!("rule {} is {word}", args.id);
    Ok(())
}

/// A text as one part of a path (RFC 3986, section 2.1).
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_one_part_of_a_path() {
        assert_eq!(encoded("0f5a9f0e-6f5e"), "0f5a9f0e-6f5e");
        assert_eq!(encoded("a/b ?%櫓"), "a%2Fb%20%3F%25%E6%AB%93");
    }
}
