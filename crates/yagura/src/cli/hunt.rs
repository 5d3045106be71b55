//! `yagura hunt`: indicators looked for in a data directory or its running server, or rules run over
//! it.

use crate::cli::Usage;
use crate::cli::args::{Format, HuntArgs};
use crate::cli::online::{Place, scope, shown};
use crate::cli::rule_hunt;
use crate::cli::table::visible;
use crate::config::Config;
use crate::node::hunt::refused_of;
use anyhow::Context as _;
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use yagura_api::{Backend, HuntList, HuntRefusal, HuntRequest};

/// Longest list that is read, in bytes: a request holds no more.
const LIST_BYTES_MAX: u64 = 24 << 20;

/// Refused entries that are told one by one; more are counted.
const REFUSED_TOLD_MAX: usize = 10;

/// Runs the command.
///
/// # Errors
/// [`Usage`] for no indicators; lists that cannot be read or are too long.
pub fn run(args: &HuntArgs) -> anyhow::Result<()> {
    if !args.rules.is_empty() || !args.rule_ids.is_empty() {
        let (scope, query) = scope(args.data.tenant.as_deref())?;
        let place = Place::of(&args.data.data, &Config::default(), true)?;
        rule_hunt::run(args, &place, &scope, &query)?;
        return place.close();
    }
    let format = match args.data.format {
        Format::Table => "table",
        Format::Ndjson => "ndjson",
        Format::Csv => "csv",
        Format::Timeline => return Err(Usage("hunt has no timeline form".to_owned()).into()),
    };
    let request =
        HuntRequest { lists: lists(args)?, wide: args.wide, format: Some(format.to_owned()) };
    let (given, wide) = (request.lists.clone(), request.wide);
    let (scope, query) = scope(args.data.tenant.as_deref())?;
    let place = Place::of(&args.data.data, &Config::default(), true)?;
    let reply = match &place {
        Place::Here(_, backend) => backend.wait(backend.hunt(&scope, request)).map_err(shown)?,
        Place::Server(client, runtime) => {
            let path = format!("/api/v1/hunt{query}");
            runtime.block_on(client.hunt(&path, &request))?
        }
    };
    let mut out = io::stdout().lock();
    out.write_all(&reply.body)?;
    out.flush()?;
    let stats = reply.stats;
    eprintln!(
        "{} indicators, {} lines{}; {} entries refused; {} sightings and {} events gone through, {} ms",
        stats.indicators,
        stats.lines,
        if stats.truncated { " (more are not shown: hunt in parts)" } else { "" },
        stats.refused,
        stats.sightings,
        stats.events,
        stats.took_ms
    );
    // The lines say nothing of them: the lists are read here once more, where some were refused.
    if stats.refused > 0 {
        for line in told(&refused_of(&given, wide)?, stats.refused) {
            eprintln!("{line}");
        }
    }
    place.close()
}

/// Lines about the first of `count` refused entries.
fn told(refused: &[HuntRefusal], count: u64) -> Vec<String> {
    let line = |one: &HuntRefusal| {
        let HuntRefusal { list, line, entry, code, reason } = one;
        let line = line.map(|line| format!(", line {line}")).unwrap_or_default();
        format!("refused: {}{line}: {}: {reason} ({code})", visible(list), visible(entry))
    };
    let mut lines: Vec<String> = refused.iter().take(REFUSED_TOLD_MAX).map(line).collect();
    let more = count.saturating_sub(lines.len() as u64);
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    lines
}

fn lists(args: &HuntArgs) -> anyhow::Result<Vec<HuntList>> {
    let mut lists = Vec::new();
    if !args.indicators.is_empty() {
        let text = args.indicators.join("\n");
        lists.push(HuntList { name: "command line".to_owned(), text });
    }
    for path in &args.intel {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        lists.push(HuntList { name: name.unwrap_or_default(), text: read(path)? });
    }
    if lists.is_empty() {
        let text = "name indicators, or lists of them with --intel; `-` is standard input";
        return Err(Usage(text.to_owned()).into());
    }
    Ok(lists)
}

fn read(path: &Path) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let mut take = |from: &mut dyn io::Read| from.take(LIST_BYTES_MAX + 1).read_to_end(&mut bytes);
    let unread = || format!("cannot read {}", path.display());
    match path.as_os_str() == "-" {
        true => take(&mut io::stdin().lock()),
        false => take(&mut std::fs::File::open(path).with_context(unread)?),
    }
    .with_context(unread)?;
    anyhow::ensure!(
        bytes.len() as u64 <= LIST_BYTES_MAX,
        "{} has more than {LIST_BYTES_MAX} bytes; hunt in parts",
        path.display()
    );
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
