//! Commands on a data directory: through the running server's private socket where one holds
//! the directory, else by opening it.

use crate::cli::args::{DataArgs, FindingsArgs, Format, IncidentsArgs, IngestArgs};
use crate::cli::scan::quoted;
use crate::cli::spool::Spool;
use crate::cli::{Usage, rules_there, table};
use crate::config::Config;
use crate::message;
use crate::node::backend::NodeBackend;
use crate::node::{Node, SOCKET, ingest, sources_of};
use anyhow::{Context as _, bail};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use yagura_api::{ApiError, Cases, Client, ClientError, Detections, FindingsAsked, Watched};
use yagura_disk::DiskError;
use yagura_event::{SystemClock, TenantName, TenantScope};

/// Where a command's answers come from.
pub enum Place {
    /// A server holds the directory.
    Server(Client, tokio::runtime::Runtime),
    /// Nobody does; it was opened here.
    Here(Arc<Node>, Box<NodeBackend>),
}

impl Place {
    /// The place of a data directory.
    ///
    /// # Errors
    /// A directory that is not there, not ours or cannot be opened.
    pub fn of(data: &Path, config: &Config, must_exist: bool) -> anyhow::Result<Self> {
        if must_exist && !data.join("VERSION").exists() {
            let text = format!(
                "{} is not a data directory; name one with --data, or begin with `yagura ingest` or `yagura up`",
                data.display()
            );
            return Err(Usage(text).into());
        }
        match Node::open(data, config, Arc::new(SystemClock)) {
            Ok(node) => {
                let node = Arc::new(node);
                let backend = NodeBackend::new(Arc::clone(&node), &config.query)?;
                Ok(Self::Here(node, Box::new(backend)))
            }
            Err(error) => match error.downcast_ref::<DiskError>() {
                Some(DiskError::Locked { .. }) if data.join(SOCKET).exists() => {
                    let runtime =
                        tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                    Ok(Self::Server(Client::new(&data.join(SOCKET)), runtime))
                }
                _ => Err(error),
            },
        }
    }

    /// The items of a list, asked for at `path` of a server or of the backend `here`.
    ///
    /// # Errors
    /// A refusal, in words.
    pub fn items(
        &self,
        path: &str,
        here: impl FnOnce(&NodeBackend) -> Result<Vec<Value>, ApiError>,
    ) -> anyhow::Result<Vec<Value>> {
        match self {
            Self::Here(_, backend) => here(backend).map_err(shown),
            Self::Server(client, runtime) => Ok(runtime.block_on(page(client, path))?.0),
        }
    }

    /// All items of a list, page by page: [`Self::items`] for lists that are whole `here`.
    ///
    /// # Errors
    /// As there.
    pub fn all(
        &self,
        path: &str,
        here: impl FnOnce(&NodeBackend) -> Result<Vec<Value>, ApiError>,
    ) -> anyhow::Result<Vec<Value>> {
        let Self::Server(client, runtime) = self else { return self.items(path, here) };
        let join = if path.contains('?') { '&' } else { '?' };
        let (mut items, mut next) = runtime.block_on(page(client, path))?;
        while let Some(cursor) = next {
            let path = format!("{path}{join}cursor={cursor}");
            let (more, behind) = runtime.block_on(page(client, &path))?;
            items.extend(more);
            next = behind;
        }
        Ok(items)
    }

    /// What the server answers at `path`.
    ///
    /// # Errors
    /// A refusal, in words; an answer of another form; where there is no server.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        let (client, runtime) = self.server()?;
        let answer = runtime.block_on(client.get(path))?;
        serde_json::from_value(answer).context("the server's answer is not understood")
    }

    /// What the server answers to `body` at `path`.
    ///
    /// # Errors
    /// As for [`Self::get`].
    pub fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> anyhow::Result<T> {
        let (client, runtime) = self.server()?;
        let answer = runtime.block_on(client.post(path, body))?;
        serde_json::from_slice(&answer).context("the server's answer is not understood")
    }

    fn server(&self) -> anyhow::Result<(&Client, &tokio::runtime::Runtime)> {
        match self {
            Self::Server(client, runtime) => Ok((client, runtime)),
            Self::Here(..) => bail!("no server is asked"),
        }
    }

    /// Stops what was started.
    ///
    /// # Errors
    /// A pipeline that failed.
    pub fn close(self) -> anyhow::Result<()> {
        if let Self::Here(node, backend) = self {
            drop(backend);
            if let Some(node) = Arc::into_inner(node) {
                node.stop()?;
            }
        }
        Ok(())
    }
}

/// One page of a server's list, and the cursor of the next.
async fn page(client: &Client, path: &str) -> Result<(Vec<Value>, Option<String>), ClientError> {
    let mut answer = client.get(path).await?;
    let items = answer["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
    Ok((items, answer["next_cursor"].as_str().map(str::to_owned)))
}

/// An API error in words, with what the log would get: there is no log here.
pub fn shown(error: yagura_api::ApiError) -> anyhow::Error {
    match error.internal {
        Some(internal) => anyhow::anyhow!(internal),
        None => anyhow::anyhow!(error.message),
    }
}

/// The scope of an option `--tenant`, and the query of a request for it.
///
/// # Errors
/// [`Usage`] for a name that no tenant has.
pub fn scope(tenant: Option<&str>) -> anyhow::Result<(TenantScope, String)> {
    match tenant {
        None => Ok((TenantScope::operator(), String::new())),
        Some(name) => {
            let name = TenantName::new(name).map_err(|e| Usage(e.to_string()))?;
            let query = format!("?tenant={name}");
            Ok((TenantScope::one(name), query))
        }
    }
}

/// `yagura ingest`.
///
/// # Errors
/// Inputs, settings or a data directory that do not work.
pub fn ingest(args: &IngestArgs) -> anyhow::Result<()> {
    let mut config = Config::load(args.config.as_deref())?;
    rules_there(&args.rules)?;
    config.rules.paths.extend(args.rules.iter().cloned());
    let mut request = ingest::Request {
        tenant: args.tenant.clone(),
        source: args.source.clone(),
        patterns: args.path.clone(),
        reference_time: args.time.reference_time.clone(),
        time_zone: args.time.time_zone.clone(),
        charset: args.time.charset.clone(),
        again: args.again,
        inputs: args.inputs.iter().map(|path| absolute(path)).collect::<Result<_, _>>()?,
    };
    request.check(&sources_of(&args.data)?).map_err(|error| Usage(message::of(&error)))?;
    let place = Place::of(&args.data, &config, false)?;
    let mut spools: Vec<(Spool, &Path)> = Vec::new();
    for (given, input) in args.inputs.iter().zip(&mut request.inputs) {
        if is_stream(given)? {
            let spool = Spool::take(&args.data, given)?;
            *input = spool.path();
            spools.push((spool, given));
        }
    }
    let summary: ingest::Summary = match &place {
        Place::Here(node, _) => {
            if let Some(report) = node.intel_report() {
                eprintln!("{report}");
            }
            ingest::run(node, &request, &|_| {})?
        }
        Place::Server(client, runtime) => {
            anyhow::ensure!(
                args.rules.is_empty(),
                "a running server's rules are its own; put rule files into its data directory's rules/ or its configuration"
            );
            let value = serde_json::to_value(&request)?;
            let answer = runtime.block_on(client.post("/private/ingest", &value))?;
            serde_json::from_slice(&answer)?
        }
    };
    eprintln!(
        "batch {}: {} files, {} of them known already; {} records taken, {} from an interrupted run",
        summary.batch, summary.files, summary.known, summary.records, summary.resumed
    );
    for fault in &summary.faults {
        let named = spools.iter().fold(fault.clone(), |text, (spool, given)| {
            text.replace(&*spool.path().to_string_lossy(), &given.to_string_lossy())
        });
        eprintln!("yagura: {named}");
    }
    drop(spools);
    if summary.faults_more > 0 {
        eprintln!("yagura: and {} more faults in the inputs", summary.faults_more);
    }
    let incidents = place.all("/api/v1/incidents", |b| b.incidents(&TenantScope::operator()))?;
    eprintln!("{} incidents in the data directory; `yagura incidents` shows them", incidents.len());
    place.close()
}

/// The path from the root: a server has another working directory.
fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    if is_stream(path)? {
        return Ok(path.to_owned());
    }
    path.canonicalize().with_context(|| format!("cannot read {}", path.display()))
}

/// Whether an input can be read only once: standard input, a pipe.
fn is_stream(path: &Path) -> anyhow::Result<bool> {
    if path.as_os_str() == "-" {
        return Ok(true);
    }
    let meta =
        std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(!meta.is_file() && !meta.is_dir())
}

/// `yagura incidents`.
///
/// # Errors
/// A data directory that cannot be opened, an incident that is not there.
pub fn incidents(args: &IncidentsArgs) -> anyhow::Result<()> {
    let place = Place::of(&args.data.data, &Config::default(), true)?;
    let (scope, query) = scope(args.data.tenant.as_deref())?;
    let mut items = place.all(&format!("/api/v1/incidents{query}"), |b| b.incidents(&scope))?;
    if let Some(id) = &args.id {
        items.retain(|item| text(item, "/metadata/uid") == *id);
        anyhow::ensure!(!items.is_empty(), "there is no incident {id}");
    }
    if args.id.is_some() && args.data.format == Format::Table {
        for item in &items {
            print!("{}", incident_text(item));
        }
        return place.close();
    }
    let columns: [(&str, &str); 7] = [
        ("id", "/metadata/uid"),
        ("severity", "/severity"),
        ("title", "/title"),
        ("outcome", "/outcome"),
        ("owner", "/assignee/name"),
        ("from", "/start_time_dt"),
        ("to", "/end_time_dt"),
    ];
    rows(args.data.format, &items, &columns)?;
    place.close()
}

/// `yagura findings`.
///
/// # Errors
/// A data directory that cannot be opened.
pub fn findings(args: &FindingsArgs) -> anyhow::Result<()> {
    let place = Place::of(&args.data.data, &Config::default(), true)?;
    let (scope, query) = scope(args.data.tenant.as_deref())?;
    let join = if query.is_empty() { "?" } else { "&" };
    let path = format!("/api/v1/findings{query}{join}limit={}", args.limit);
    let asked = FindingsAsked { limit: args.limit, ..FindingsAsked::default() };
    let items = place.items(&path, |b| b.findings(&scope, &asked).map(|page| page.items))?;
    let columns: [(&str, &str); 5] = [
        ("id", "/finding_info/uid"),
        ("severity", "/severity"),
        ("title", "/finding_info/title"),
        ("count", "/count"),
        ("last", "/finding_info/last_seen_time_dt"),
    ];
    rows(args.data.format, &items, &columns)?;
    place.close()
}

/// `yagura books`: false where they do not balance.
///
/// # Errors
/// A data directory that cannot be opened.
pub fn books(args: &DataArgs) -> anyhow::Result<bool> {
    let place = Place::of(&args.data, &Config::default(), true)?;
    let (scope, query) = scope(args.tenant.as_deref())?;
    let items = place.all(&format!("/api/v1/books{query}"), |b| {
        let rows = b.books(&scope)?.into_iter().map(serde_json::to_value);
        rows.collect::<Result<_, _>>().map_err(ApiError::internal)
    })?;
    let columns: [(&str, &str); 11] = [
        ("tenant", "/tenant"),
        ("feed", "/feed"),
        ("hour", "/hour"),
        ("received", "/received"),
        ("stored", "/stored"),
        ("pending", "/pending"),
        ("rejected", "/rejected"),
        ("duplicate", "/duplicate"),
        ("expired", "/expired"),
        ("gap", "/gap"),
        ("dropped_by_kernel", "/dropped_by_kernel"),
    ];
    rows(args.format, &items, &columns)?;
    place.close()?;
    Ok(items.iter().all(|item| item["gap"] == json!(0)))
}

fn text(item: &Value, pointer: &str) -> String {
    match item.pointer(pointer) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

fn rows(format: Format, items: &[Value], columns: &[(&str, &str)]) -> anyhow::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    let header: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let cells = |item: &Value| -> Vec<String> {
        columns.iter().map(|(_, pointer)| text(item, pointer)).collect()
    };
    match format {
        Format::Ndjson => {
            for item in items {
                writeln!(out, "{item}")?;
            }
        }
        Format::Csv => {
            writeln!(out, "{}", header.join(","))?;
            for item in items {
                let line: Vec<String> = cells(item).iter().map(|c| quoted(c)).collect();
                writeln!(out, "{}", line.join(","))?;
            }
        }
        Format::Table | Format::Timeline => {
            let rows: Vec<Vec<String>> = items.iter().map(cells).collect();
            write!(out, "{}", table::render(&header, &rows))?;
        }
    }
    Ok(out.flush()?)
}

/// One incident for a person: summary in both languages, owner, principals, timeline.
pub fn incident_text(item: &Value) -> String {
    let line = |pointer: &str| table::visible(&text(item, pointer));
    let mut out = format!(
        "{}  {}  {}\n{}\n{}\n\n",
        line("/metadata/uid"),
        line("/severity"),
        line("/title"),
        line("/desc"),
        line("/desc_ja"),
    );
    if item.pointer("/assignee/name").is_some() {
        out.push_str(&format!("  {:<20} {}\n\n", "owner", line("/assignee/name")));
    }
    let list = |pointer: &str| item.pointer(pointer).and_then(Value::as_array).cloned();
    for principal in list("/principals").unwrap_or_default() {
        out.push_str(&format!(
            "  {:<20} {} {}\n",
            table::visible(&text(&principal, "/role")),
            table::visible(&text(&principal, "/type")),
            table::visible(&text(&principal, "/value"))
        ));
    }
    out.push('\n');
    for step in list("/timeline").unwrap_or_default() {
        out.push_str(&format!(
            "  {}  {:<8} {}\n",
            table::visible(&text(&step, "/time_dt")),
            table::visible(&text(&step, "/level")),
            table::visible(&text(&step, "/title"))
        ));
    }
    out
}
