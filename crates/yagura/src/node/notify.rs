//! The thread that tells people and other systems of incidents.

use crate::node::Node;
use crate::node::door::META_FILE;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::watch::Receiver;
use yagura_event::{Clock, SystemClock, TenantScope};
use yagura_meta::PeopleStore;
use yagura_respond::{Case, Decision, Notifier, NotifyConfig};

/// How often it is looked for something new.
const LOOK: Duration = Duration::from_secs(1);

/// Begins to tell through the configured channels until `stop`, or through those of a notifier that
/// is sent. Where none ever was, what is there is taken note of and not told.
///
/// # Errors
/// A channel that cannot be made ready, a store that cannot be read, no thread.
pub fn start(
    node: &Arc<Node>,
    channels: &[NotifyConfig],
    console: String,
    stop: Receiver<bool>,
) -> anyhow::Result<(Sender<Notifier>, JoinHandle<()>)> {
    let store = PeopleStore::open(&node.data().join(META_FILE))?;
    let mut notifier = Notifier::new(channels)?;
    notifier.begin(&store, &cases(node, &store, &console)?)?;
    let node = Arc::clone(node);
    let thread = std::thread::Builder::new().name("notify".to_owned());
    let (others, other) = channel();
    let thread = thread.spawn(move || {
        let (mut seen, mut told) = (None, String::new());
        while !super::threads::stopping(&stop) {
            if let Some(newest) = other.try_iter().last() {
                notifier = newest;
            }
            match step(&node, &store, &mut notifier, &console, &mut seen) {
                Ok(()) => told.clear(),
                Err(error) => {
                    let text = format!("{error:#}");
                    if text != told {
                        tracing::error!(error = %text, "incidents cannot be told");
                        told = text;
                    }
                }
            }
            notifier.wait(LOOK);
        }
    })?;
    Ok((others, thread))
}

/// What changes when an incident or a decision does.
type Mark = (u64, u64);

fn step(
    node: &Node,
    store: &PeopleStore,
    notifier: &mut Notifier,
    console: &str,
    seen: &mut Option<Mark>,
) -> anyhow::Result<()> {
    let now = SystemClock.now();
    let mark = (node.judge()?.incidents_mark(&TenantScope::operator())?, store.decisions_count()?);
    if *seen != Some(mark) {
        notifier.offer(store, now, &cases(node, store, console)?)?;
        *seen = Some(mark);
    }
    notifier.send(store, now)?;
    Ok(())
}

fn cases(node: &Node, store: &PeopleStore, console: &str) -> anyhow::Result<Vec<Case>> {
    let scope = TenantScope::operator();
    let incidents = node.judge()?.incidents(&scope)?;
    let decided = store.cases(&scope)?;
    let mut cases = Vec::with_capacity(incidents.len());
    for incident in &incidents {
        let key = (incident.tenant.clone(), incident.id.clone());
        let decisions = match decided.get(&key).and_then(|case| case.decision.as_ref()) {
            Some(_) => store.decisions(&incident.tenant, &incident.id)?,
            None => Vec::new(),
        };
        let decisions = decisions.into_iter().map(|row| Decision {
            version: row.version,
            state: row.state,
            verdict: row.verdict.unwrap_or_default(),
            reason: row.reason,
            by: row.by,
            time: row.time,
        });
        let url = format!("{console}/incidents/{}?tenant={}", incident.id, incident.tenant);
        cases.push(Case::new(incident, decisions.collect(), Some(url)));
    }
    Ok(cases)
}
