//! Input threads of a running server: syslog over UDP, files that are followed.

use crate::config::{Config, WATCHES_MAX, WatchConfig};
use crate::inputs::Pattern;
use crate::node::Node;
use crate::node::ingest::source_choice;
use anyhow::Context as _;
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::watch::Receiver;
use yagura_collect::FeedContext;
use yagura_collect::syslog_udp::UdpSyslog;
use yagura_collect::watch::{Glob, Watch, Watcher};
use yagura_event::{Context, Reference, SourceChoice, TenantName, TenantScope};

/// Files that all watches together hold open: half of what a process may have where nothing is
/// configured (1,024), the rest is for connections and tables.
const OPEN_FILES: usize = 512;

/// Whether the server is to stop, or is gone.
pub(super) fn stopping(stop: &Receiver<bool>) -> bool {
    *stop.borrow() || stop.has_changed().is_err()
}

/// Takes datagrams until `stop`.
///
/// # Errors
/// If the system gives no thread.
pub fn syslog_udp(
    node: &Node,
    socket: UdpSyslog,
    feed: FeedContext,
    stop: Receiver<bool>,
) -> std::io::Result<JoinHandle<()>> {
    let intake = Arc::clone(node.intake());
    std::thread::Builder::new().name("syslog-udp".to_owned()).spawn(move || {
        if let Err(error) = socket.serve(&intake, &feed, &|| stopping(&stop)) {
            tracing::error!(%error, "syslog over UDP ended");
        }
    })
}

/// Follows the files of every configured watch until `stop`, each in a thread of its own.
///
/// # Errors
/// A source that is not known, a store that cannot be read.
pub fn watches(
    node: &Node,
    config: &Config,
    stop: &Receiver<bool>,
) -> anyhow::Result<Vec<JoinHandle<()>>> {
    let judge = node.judge()?;
    let mut threads = Vec::new();
    let open_max = (OPEN_FILES / config.watch.len().max(1)).max(OPEN_FILES / WATCHES_MAX);
    let watches = config.watch.iter().map(|settings| {
        watch(node, settings, open_max)
            .with_context(|| format!("watch {:?} cannot be used", settings.name))
    });
    for watch in watches.collect::<anyhow::Result<Vec<_>>>()? {
        let scope = TenantScope::one(watch.tenant.clone());
        let marks = judge.marks(&scope, &watch.feed)?;
        let marks: Vec<_> = marks.into_iter().map(|row| (row.key, row.value)).collect();
        let feed = watch.feed.clone();
        node.note_input(&watch.tenant);
        let (intake, stop) = (Arc::clone(node.intake()), stop.clone());
        let name = "watch".to_owned();
        threads.push(std::thread::Builder::new().name(name).spawn(move || {
            let watcher = Watcher::new(watch, intake, marks);
            if let Err(error) = watcher.run(&|| stopping(&stop)) {
                tracing::error!(feed, %error, "a watch ended");
            }
        })?);
    }
    Ok(threads)
}

fn watch(node: &Node, settings: &WatchConfig, open_max: usize) -> anyhow::Result<Watch> {
    let tenant = TenantName::new(&settings.tenant)?;
    let source: SourceChoice = source_choice(node.engine().sources(), &settings.source)?;
    let patterns =
        settings.patterns.iter().map(|p| Pattern::parse(p)).collect::<Result<Vec<_>, _>>()?;
    let feed = format!("watch:{}", settings.name);
    let (owner, inflow) = (tenant.clone(), feed.clone());
    let time_zone = settings.time_zone.clone();
    let context = move |name: &str| {
        let mut context =
            Context::new(owner.as_str(), &inflow, source.clone(), Reference::Received);
        (context.host, context.user) = Pattern::name(&patterns, name);
        context.time_zone.clone_from(&time_zone);
        name.clone_into(&mut context.path);
        context
    };
    let paths = vec![Glob::parse(&settings.path)?];
    Ok(Watch { tenant, feed, paths, context: Box::new(context), open_max })
}
