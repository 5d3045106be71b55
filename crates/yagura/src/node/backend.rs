//! The platform behind the HTTP routes.

use crate::cli::offline::framer;
use crate::config::QueryConfig;
use crate::node::backup::{self, Refused};
use crate::node::door::{Door, META_FILE, set_password};
use crate::node::gauge::Gauge;
use crate::node::overview::Kept;
use crate::node::queries::{Asked, Queries};
use crate::node::{Node, erase, events, hunt, ingest, search};
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::io::Cursor;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use yagura_api::{
    Answer, ApiError, Backend, HuntReply, HuntRequest, IngestReply, IngestRequest, JobRows, Kind,
    Pending, QueryRequest, SearchReply, SearchRequest, SqlRequest,
};
use yagura_collect::{FeedContext, Group, IntakeError, intake::stream_id};
use yagura_event::{
    Charset, Clock, Context, Reference, SourceChoice, SystemClock, TenantName, TenantScope,
};
use yagura_journal::{Entry, JournalError};
use yagura_lake::Question;
use yagura_lake::output::Form;
use yagura_lake::pipe::Pipe;
use yagura_meta::PeopleStore;
use yagura_parse::Contexts;

/// Most idempotency keys held beside the store's, of requests that are not judged yet.
const RECENT_KEYS_MAX: usize = 100_000;

/// Most contexts of requests whose ids are at hand: one a feed, host, source and header.
const FEEDS_MAX: usize = 10_000;

/// Serves one node.
pub struct NodeBackend {
    node: Arc<Node>,
    queries: Queries,
    feeds: Mutex<HashMap<String, FeedContext>>,
    keys: Mutex<Keys>,
    batch: Mutex<()>,
    people: Mutex<PeopleStore>,
    door: Door,
    gauge: Arc<Gauge>,
    kept: Mutex<Kept>,
    /// Decisions and notes since the process began.
    decided: AtomicU64,
    stopping: AtomicBool,
}

#[derive(Default)]
struct Keys {
    busy: HashSet<(String, String)>,
    recent: HashMap<(String, String), IngestReply>,
}

impl NodeBackend {
    /// A backend with threads of its own for queries.
    ///
    /// # Errors
    /// If the system gives no threads, no directory for what queries put on disk, or no store of
    /// what people decided.
    pub fn new(node: Arc<Node>, config: &QueryConfig) -> anyhow::Result<Self> {
        let queries = Queries::new(node.data(), config)?;
        let people = PeopleStore::open(&node.data().join(META_FILE))?;
        let gauge = Gauge::start(&node)?;
        Ok(Self {
            node,
            queries,
            feeds: Mutex::default(),
            keys: Mutex::default(),
            batch: Mutex::default(),
            people: Mutex::new(people),
            door: Door::default(),
            gauge,
            kept: Mutex::default(),
            decided: AtomicU64::new(0),
            stopping: AtomicBool::new(false),
        })
    }

    /// The node that is served.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Lets what never ends by itself end.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Release);
        self.gauge.stop();
    }

    /// What people decided, and who may come in.
    pub fn people(&self) -> MutexGuard<'_, PeopleStore> {
        lock(&self.people)
    }

    pub(super) fn door(&self) -> &Door {
        &self.door
    }

    pub(super) fn gauge(&self) -> &Gauge {
        &self.gauge
    }

    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        lock(&self.kept)
    }

    pub(super) fn decided(&self) -> u64 {
        self.decided.load(Ordering::Relaxed)
    }

    pub(super) fn note_decided(&self) {
        self.decided.fetch_add(1, Ordering::Relaxed);
        self.kept().forget();
    }

    /// The queries that run.
    pub fn governed(&self) -> &Queries {
        &self.queries
    }

    /// What `work` comes to, waited for on this thread.
    ///
    /// # Errors
    /// Those of the work.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        self.queries.handle().block_on(work)
    }

    fn context(&self, request: &IngestRequest) -> Result<Context, ApiError> {
        let source = match &request.source {
            None => SourceChoice::Auto,
            Some(name) => ingest::source_choice(self.node.engine().sources(), name)
                .map_err(|e| ApiError::new(Kind::Invalid, "source_unknown", e.to_string()))?,
        };
        let tenant = request.tenant.as_str();
        let mut context = Context::new(tenant, &request.feed, source, Reference::Received);
        context.host.clone_from(&request.host);
        Ok(context)
    }

    fn feed(&self, request: &IngestRequest, context: &Context) -> Result<FeedContext, ApiError> {
        let id = context.id().to_string();
        if let Some(feed) = lock(&self.feeds).get(&id) {
            return Ok(feed.clone());
        }
        let feed =
            self.node.intake().feed(request.tenant.clone(), context).map_err(intake_error)?;
        let mut feeds = lock(&self.feeds);
        if feeds.len() >= FEEDS_MAX {
            // The journal has them all; those in use come back.
            feeds.clear();
        }
        feeds.insert(id, feed.clone());
        Ok(feed)
    }

    /// The answer to a repeat, or the key taken.
    fn begin(&self, request: &IngestRequest) -> Result<Option<IngestReply>, ApiError> {
        let Some(key) = &request.idempotency_key else { return Ok(None) };
        let pair = (request.tenant.to_string(), key.clone());
        let mut keys = lock(&self.keys);
        if let Some(reply) = keys.recent.get(&pair) {
            return Ok(Some(IngestReply { repeated: true, ..reply.clone() }));
        }
        if !keys.busy.insert(pair.clone()) {
            let text = "a request with this key is being taken; repeat later";
            return Err(ApiError::new(Kind::Busy, "idempotency_busy", text));
        }
        drop(keys);
        let scope = TenantScope::one(request.tenant.clone());
        let stored = self.node.judge().and_then(|j| Ok(j.reply(&scope, key)?));
        match stored {
            Ok(None) => Ok(None),
            Ok(Some(text)) => {
                lock(&self.keys).busy.remove(&pair);
                let reply: IngestReply = serde_json::from_str(&text).map_err(ApiError::internal)?;
                Ok(Some(IngestReply { repeated: true, ..reply }))
            }
            Err(error) => {
                lock(&self.keys).busy.remove(&pair);
                Err(ApiError::internal(error))
            }
        }
    }

    fn end(&self, request: &IngestRequest, reply: Option<&IngestReply>) {
        let Some(key) = &request.idempotency_key else { return };
        let pair = (request.tenant.to_string(), key.clone());
        let mut keys = lock(&self.keys);
        keys.busy.remove(&pair);
        if let Some(reply) = reply {
            if keys.recent.len() >= RECENT_KEYS_MAX {
                // The store has all but the newest by now.
                keys.recent.clear();
            }
            keys.recent.insert(pair, reply.clone());
        }
    }

    fn take(&self, request: &IngestRequest) -> Result<IngestReply, ApiError> {
        let context = self.context(request)?;
        let feed = self.feed(request, &context)?;
        let mut group = Group::new(&feed, &request.peer);
        let host = request.host.as_deref().unwrap_or_default();
        let stream = stream_id(&[feed.feed.as_bytes(), request.peer.as_bytes(), host.as_bytes()]);
        let body = Cursor::new(&request.body);
        let mut framer = framer(&self.node.engine(), body, &context.source, Charset::Auto);
        let (mut contexts, mut now) = (Contexts::new(context), (0, Charset::Auto));
        while let Some(frame) = framer.next_frame().map_err(ApiError::internal)? {
            if (frame.section, frame.charset) != now {
                now = (frame.section, frame.charset);
                group.set_context(self.feed(request, contexts.of(&frame))?.context);
            }
            group.push(stream, frame.number, frame.bytes).map_err(intake_error)?;
        }
        let reply = IngestReply { accepted: group.len(), repeated: false };
        if let Some(key) = &request.idempotency_key {
            group.control(Entry::IdempotencyKey {
                tenant: request.tenant.clone(),
                key: key.clone(),
                response: serde_json::to_string(&reply).map_err(ApiError::internal)?,
            });
        }
        if !group.is_empty() {
            self.node.intake().submit_blocking(group).map_err(intake_error)?;
        }
        Ok(reply)
    }
}

impl Drop for NodeBackend {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Backend for NodeBackend {
    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    fn ingest(&self, request: IngestRequest) -> Result<IngestReply, ApiError> {
        if let Some(reply) = self.begin(&request)? {
            return Ok(reply);
        }
        let taken = self.take(&request);
        self.end(&request, taken.as_ref().ok());
        taken
    }

    fn hunt(&self, scope: &TenantScope, request: HuntRequest) -> Pending<HuntReply> {
        hunt::run(&self.queries, self.node.lake().view(), scope, request)
    }

    fn sql(&self, scope: &TenantScope, request: SqlRequest) -> Pending<Answer> {
        let (text, form) = (request.sql.clone(), form_of(request.format.as_deref()));
        let question = Question::Sql(request.sql);
        let asked = Asked { kind: "sql", text, question, form, cut: "a LIMIT" };
        self.queries.ask(self.node.lake().view(), scope, asked)
    }

    fn query(&self, scope: &TenantScope, request: QueryRequest) -> Pending<Answer> {
        let pipe = match Pipe::new(&request.query, SystemClock.now()) {
            Ok(pipe) => pipe,
            Err(no) => {
                let error = events::refusal(&no, &request.query);
                return Box::pin(std::future::ready(Err(error)));
            }
        };
        let (text, form) = (request.query, form_of(request.format.as_deref()));
        let question = Question::Pipe(pipe);
        let asked = Asked { kind: "pipe", text, question, form, cut: "`take`" };
        self.queries.ask(self.node.lake().view(), scope, asked)
    }

    fn search(&self, scope: &TenantScope, request: SearchRequest) -> Pending<SearchReply> {
        let view = self.node.lake().view();
        search::run(&self.queries, view, scope, request, SystemClock.now())
    }

    fn queries(&self, scope: &TenantScope) -> Vec<Value> {
        let list = self.queries.governor().list(scope);
        list.iter().filter_map(|state| serde_json::to_value(state).ok()).collect()
    }

    fn query_state(&self, scope: &TenantScope, id: &str) -> Result<Value, ApiError> {
        let state = self.queries.governor().find(scope, id).ok_or_else(|| no_query(id))?;
        serde_json::to_value(state).map_err(ApiError::internal)
    }

    fn cancel_query(&self, scope: &TenantScope, id: &str) -> Result<(), ApiError> {
        if self.queries.governor().cancel(scope, id) { Ok(()) } else { Err(no_query(id)) }
    }

    fn begin_search(&self, scope: &TenantScope, request: SearchRequest) -> Result<Value, ApiError> {
        let view = self.node.lake().view();
        self.queries.jobs().begin(&view, scope, request, SystemClock.now())
    }

    fn searches(&self, scope: &TenantScope) -> Vec<Value> {
        self.queries.jobs().list(scope)
    }

    fn search_state(&self, scope: &TenantScope, id: &str) -> Result<Value, ApiError> {
        self.queries.jobs().state(scope, id)
    }

    fn search_rows(
        &self,
        scope: &TenantScope,
        id: &str,
        cursor: usize,
        limit: usize,
    ) -> Result<JobRows, ApiError> {
        self.queries.jobs().rows(scope, id, cursor, limit)
    }

    fn end_search(&self, scope: &TenantScope, id: &str) -> Result<(), ApiError> {
        self.queries.jobs().end(scope, id)
    }

    fn ingest_files(&self, request: Value) -> Result<Value, ApiError> {
        let request: ingest::Request = serde_json::from_value(request)
            .map_err(|e| ApiError::new(Kind::Invalid, "request", e.to_string()))?;
        let _one_at_a_time = lock(&self.batch);
        let summary = ingest::run(&self.node, &request, &|_| {})
            .map_err(|e| ApiError::new(Kind::Invalid, "ingest", crate::message::of(&e)))?;
        serde_json::to_value(summary).map_err(ApiError::internal)
    }

    fn backup(&self, to: &Path) -> Result<Value, ApiError> {
        let copied = backup::run(&self.node, to).map_err(|error| {
            let kind = match error.downcast_ref::<Refused>() {
                Some(Refused::Busy) => Kind::Busy,
                _ => Kind::Invalid,
            };
            ApiError::new(kind, "backup", crate::message::of(&error))
        })?;
        serde_json::to_value(copied).map_err(ApiError::internal)
    }

    fn new_password(&self) -> Result<String, ApiError> {
        set_password(&mut self.people()).map_err(ApiError::internal)
    }

    fn erase(&self, tenant: &TenantName, begin: bool) -> Result<Value, ApiError> {
        let refused = |error: anyhow::Error| match error.is::<erase::Refused>() {
            true => ApiError::new(Kind::Invalid, "erase_refused", error.to_string()),
            false => ApiError::internal(crate::message::of(&error)),
        };
        if begin {
            erase::begin(&self.node, tenant).map_err(refused)?;
            // Their contexts and answers are the tenant's.
            lock(&self.feeds).retain(|_, feed| feed.tenant != *tenant);
            lock(&self.keys).recent.retain(|(of, _), _| of != tenant.as_str());
        }
        let step = erase::step(&self.node, tenant).map_err(refused)?;
        // Before anything is done, and again for what came in between.
        if begin || step == erase::Step::Done {
            let mut people = self.people();
            people.erase(tenant.as_str()).map_err(ApiError::internal)?;
            if !people.finish_erasure().map_err(ApiError::internal)? {
                let text = "a reader holds what people noted; ask again";
                return Err(ApiError::new(Kind::Busy, "store_busy", text));
            }
            drop(people);
            self.note_decided();
        }
        Ok(json!({ "tenant": tenant.as_str(), "step": step }))
    }
}

/// A journal that takes nothing, for the API.
pub(super) fn intake_error(error: IntakeError) -> ApiError {
    match &error {
        IntakeError::Journal(JournalError::DiskFull { .. }) => {
            ApiError::new(Kind::Full, "disk_full", error.to_string())
        }
        IntakeError::Journal(JournalError::Full { .. }) => {
            ApiError::new(Kind::Full, "journal_full", error.to_string())
        }
        IntakeError::Journal(JournalError::Busy) => {
            ApiError::new(Kind::Busy, "journal_busy", error.to_string())
        }
        IntakeError::Erasing(_) => ApiError::new(Kind::Busy, "tenant_erasing", error.to_string()),
        IntakeError::Journal(JournalError::Stopped(_)) | IntakeError::Stopping => {
            ApiError::new(Kind::Busy, "intake_stopped", error.to_string())
        }
        IntakeError::Journal(JournalError::TooLarge { .. }) => {
            ApiError::new(Kind::TooLarge, "record_too_large", error.to_string())
        }
        IntakeError::Journal(_) => ApiError::internal(error),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The form of a name; the route has checked it.
fn form_of(format: Option<&str>) -> Form {
    format.and_then(Form::named).unwrap_or(Form::Ndjson)
}

fn no_query(id: &str) -> ApiError {
    ApiError::new(Kind::NotFound, "query_unknown", format!("no query {id} runs"))
}
