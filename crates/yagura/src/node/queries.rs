//! Queries of the routes and the command line: admitted, run on threads of their own, answered in
//! parts.

use crate::config::QueryConfig;
use crate::node::jobs::Jobs;
use crate::node::reparse::ReparseJobs;
use crate::node::rule_hunts::RuleHuntJobs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::mpsc::{Sender, channel};
use yagura_api::{Answer, ApiError, Kind, Part, Pending};
use yagura_event::TenantScope;
use yagura_lake::output::{Encoder, Form, TABLE_ROWS_MAX, write_table};
use yagura_lake::query::open;
use yagura_lake::{Governor, LakeError, LakeView, QueryLimits, Question, SqlLimits, Ticket};

/// Where queries put what does not fit into their memory; emptied at the start.
pub const SPILL_DIR: &str = "spill";

/// Bytes of an answer that are gathered before its head is sent: until then a query that fails
/// says so by its status.
const HEAD_BYTES: usize = 1024 * 1024;

/// Bytes of an answer's later parts.
const PART_BYTES: usize = 256 * 1024;

/// Parts that wait for a slow reader; the query waits with them.
const PARTS_WAITING: usize = 4;

/// How much less than others' the threads' turn on a core is, from 0 to 19: queries take what
/// intake and detection leave, and at least a tenth.
const NICENESS: i32 = 10;

/// How long threads that still plan for nobody are waited for at the end.
const END_WAIT: Duration = Duration::from_secs(1);

/// The queries of one node.
pub struct Queries {
    runtime: Option<Runtime>,
    handle: Handle,
    governor: Arc<Governor>,
    jobs: Arc<Jobs>,
    rule_hunts: RuleHuntJobs,
    reparses: ReparseJobs,
}

/// What is asked, in which words and form.
pub struct Asked {
    /// `sql` or `pipe`.
    pub kind: &'static str,
    /// The query's text.
    pub text: String,
    /// The query.
    pub question: Question,
    /// The form of the answer.
    pub form: Form,
    /// What makes an answer shorter, for messages.
    pub cut: &'static str,
}

impl Queries {
    /// Threads and limits for queries over a data directory.
    ///
    /// # Errors
    /// If the system gives no threads, or the directory for what does not fit into memory cannot
    /// be emptied and made.
    pub fn new(data: &Path, config: &QueryConfig) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("query")
            // Expressions are evaluated by recursion over trees as deep as queries may be.
            .thread_stack_size(8 * 1024 * 1024)
            .on_thread_start(give_way)
            .enable_all()
            .build()?;
        let spill_dir = Some(emptied(data)?);
        let governor = Governor::new(QueryLimits {
            memory_bytes: config.memory_bytes,
            concurrent: config.concurrent,
            waiting: config.waiting,
            wait_ms: config.wait_s.saturating_mul(1_000),
            time_ms: config.time_s.saturating_mul(1_000),
            rows_max: config.rows_max,
            spill_bytes: config.spill_bytes,
            spill_dir,
        });
        let handle = runtime.handle().clone();
        let jobs = Arc::new(Jobs::new(handle.clone(), Arc::clone(&governor)));
        let rule_hunts = RuleHuntJobs::new(handle.clone());
        let reparses = ReparseJobs::default();
        Ok(Self { runtime: Some(runtime), handle, governor, jobs, rule_hunts, reparses })
    }

    /// All queries together.
    pub fn governor(&self) -> &Arc<Governor> {
        &self.governor
    }

    /// Searches in the background.
    pub fn jobs(&self) -> &Arc<Jobs> {
        &self.jobs
    }

    /// Rules over the past.
    pub fn rule_hunts(&self) -> &RuleHuntJobs {
        &self.rule_hunts
    }

    /// Records parsed again.
    pub fn reparses(&self) -> &ReparseJobs {
        &self.reparses
    }

    /// The threads of queries.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Runs work on the queries' threads as one query: admitted, listed, within its limits. It stops
    /// when what is given is dropped.
    ///
    /// # Errors
    /// `TooMany` where too many run; what the work says, for its caller.
    pub fn run<T, W>(
        &self,
        scope: &TenantScope,
        kind: &'static str,
        text: &str,
        work: impl FnOnce(SqlLimits) -> W + Send + 'static,
    ) -> Pending<T>
    where
        T: Send + 'static,
        W: Future<Output = Result<T, LakeError>> + Send + 'static,
    {
        let (governor, handle) = (Arc::clone(&self.governor), self.handle.clone());
        let (scope, text) = (scope.clone(), text.to_owned());
        Box::pin(async move {
            let ticket = governor.admit(&scope, kind, &text).await.map_err(refused)?;
            let _stops = ticket.stop().guard();
            let done = handle.spawn(async move {
                let done = work(ticket.limits()).await;
                ticket.ended(done.as_ref().map(|_| ()));
                done
            });
            done.await.map_err(ApiError::internal)?.map_err(refused)
        })
    }

    /// Answers a question over a view.
    pub fn ask(&self, view: Arc<LakeView>, scope: &TenantScope, asked: Asked) -> Pending<Answer> {
        let (governor, handle, scope) = (self.governor.clone(), self.handle.clone(), scope.clone());
        Box::pin(async move {
            let ticket = governor.admit(&scope, asked.kind, &asked.text).await.map_err(refused)?;
            let (id, stops) = (ticket.id(), ticket.stop().guard());
            let (sender, mut parts) = channel(PARTS_WAITING);
            handle.spawn(async move {
                let done = answer(view, scope, asked, &ticket, &sender).await;
                ticket.ended(done.as_ref().copied());
                if let Err(error) = done {
                    // Nobody reads on where the receiver is gone.
                    let _ = sender.send(Err(refused(error))).await;
                }
            });
            match parts.recv().await {
                Some(Ok(first)) => Ok(Answer::new(id, first, parts, Box::new(stops))),
                Some(Err(error)) => Err(error),
                None => Err(ApiError::internal("a query's thread died")),
            }
        })
    }
}

impl Drop for Queries {
    fn drop(&mut self) {
        self.jobs.stop_all();
        self.rule_hunts.stop_all();
        self.reparses.stop();
        let Some(runtime) = self.runtime.take() else { return };
        // A runtime must not be dropped by a thread that works for another one, which this may be.
        let ends = std::thread::spawn(move || runtime.shutdown_timeout(END_WAIT));
        // It has nothing to say.
        let _ = ends.join();
    }
}

async fn answer(
    view: Arc<LakeView>,
    scope: TenantScope,
    asked: Asked,
    ticket: &Ticket,
    sender: &Sender<Part>,
) -> Result<(), LakeError> {
    let Asked { question, form, cut, .. } = asked;
    let mut limits = ticket.limits();
    if form == Form::Table {
        limits.rows_max = limits.rows_max.min(TABLE_ROWS_MAX);
    }
    let rows_max = limits.rows_max;
    let many = || {
        let text = format!("the answer has more than {rows_max} rows; narrow it or add {cut}");
        LakeError::limit("too_many_rows", text)
    };
    let mut rows = open(view, scope, Arc::new(question), &limits).await?;
    if form == Form::Table {
        let all = rows.all().await?;
        if all.truncated {
            return Err(many());
        }
        let mut out = Vec::new();
        write_table(&all, &mut out)?;
        // The only part: there is room for it, and whether anybody takes it is their matter.
        let _ = sender.send(Ok(out)).await;
        return Ok(());
    }
    let mut encoder = Encoder::new(form, rows.schema())?;
    let (mut ready, mut enough) = (Vec::new(), HEAD_BYTES);
    while let Some(batch) = rows.next().await? {
        ready.append(&mut encoder.rows(&batch)?);
        if ready.len() >= enough {
            part(sender, ticket, std::mem::take(&mut ready)).await?;
            enough = PART_BYTES;
        }
    }
    if rows.truncated() {
        return Err(many());
    }
    ready.append(&mut encoder.end()?);
    part(sender, ticket, ready).await
}

async fn part(sender: &Sender<Part>, ticket: &Ticket, bytes: Vec<u8>) -> Result<(), LakeError> {
    let stop = ticket.stop();
    tokio::select! {
        biased;
        () = stop.told() => Err(stop.why("or read the answer faster")),
        sent = sender.send(Ok(bytes)) => sent.map_err(|_| {
            LakeError::limit("query_cancelled", "nobody reads the answer any more")
        }),
    }
}

/// A query's error for its caller.
pub fn refused(error: LakeError) -> ApiError {
    match &error {
        LakeError::Busy(text) => ApiError::new(Kind::TooMany, "queries_busy", text.clone()),
        users if users.is_users_fault() => {
            ApiError::new(Kind::Invalid, users.code(), users.to_string())
        }
        _ => ApiError::internal(error),
    }
}

/// The directory for what does not fit into memory, without what a process that died left there.
fn emptied(data: &Path) -> std::io::Result<PathBuf> {
    let dir = data.join(SPILL_DIR);
    match std::fs::remove_dir_all(&dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    std::fs::create_dir(&dir)?;
    Ok(dir)
}

/// Lets other threads go before this one.
#[expect(unsafe_code, reason = "a thread's priority has no other way in")]
fn give_way() {
    let this_thread = 0;
    // SAFETY: the call takes plain numbers. One that is refused leaves the priority as it is.
    let _ = unsafe { libc::setpriority(libc::PRIO_PROCESS, this_thread, NICENESS) };
}
