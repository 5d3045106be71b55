//! `yagura up`: listeners over a node until a signal asks it to stop.

use crate::cli::args::UpArgs;
use crate::config::Config;
use crate::node::backend::NodeBackend;
use crate::node::door::first_password;
use crate::node::reload::RulesReport;
use crate::node::{Node, SOCKET, notify, threads};
use anyhow::Context as _;
use std::convert::Infallible;
use std::io::IsTerminal as _;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::watch;
use yagura_api::{Backend, private_router, public_router};
use yagura_collect::syslog::serve_tcp;
use yagura_collect::syslog_udp::UdpSyslog;
use yagura_event::{Clock, Context, Reference, SourceChoice, SystemClock, TenantName};
use yagura_journal::Entry;
use yagura_respond::Notifier;

/// The feed of the syslog listener.
const SYSLOG_FEED: &str = "syslog";

/// How long the journal is idle before a tick is written, and how often one follows.
const TICK: Duration = Duration::from_secs(1);

/// How often the files of indicator lists, rules and sources are looked at.
const FILES_LOOK: Duration = Duration::from_secs(2);

/// Ticks written in a row to an idle journal: they let windows and updates due end. After
/// them a tick comes once a minute.
const TICKS_IN_A_ROW: u32 = 5;

/// Runs the platform.
///
/// # Errors
/// A data directory or an address that cannot be used, or the pipeline's failure.
pub fn run(args: &UpArgs) -> anyhow::Result<()> {
    let config = Config::load(args.config.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        // Whoever sees that it answers may ask it to end.
        let asked = asked_to_end();
        let server = Server::start(&args.data, &config, clock).await?;
        if let Some(report) = server.node.intel_report() {
            eprintln!("{report}");
        }
        eprintln!("yagura is up: {}, data in {}", server.places, args.data.display());
        if let Some(password) = &server.first_password {
            tell(password, &args.data);
        }
        let failed = tokio::select! {
            () = asked => None,
            failure = server.failure() => Some(failure),
            never = hangups(&server, args.config.as_deref(), config) => match never {},
        };
        server.stop().await?;
        match failed {
            Some(failure) => Err(anyhow::anyhow!(failure)),
            None => Ok(()),
        }
    })
}

/// Tells the first password to a person who looks on. Elsewhere what is printed is kept, and read by
/// others.
fn tell(password: &str, data: &Path) {
    if std::io::stdout().is_terminal() {
        println!("administrator's password, shown only now: {password}");
    } else {
        eprintln!("to sign in, have a password made: yagura password --data {}", data.display());
    }
}

/// What waits until somebody asks the process to end. From this call on the process is not ended by
/// being asked.
pub fn asked_to_end() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let asked = signal(SignalKind::terminate()).and_then(|terminate| {
        signal(SignalKind::interrupt()).map(|interrupt| (terminate, interrupt))
    });
    async move {
        let Ok((mut terminate, mut interrupt)) = asked else { return };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    }
}

/// Reads the configuration again at each SIGHUP, and with it the rules and sources. It is taken
/// whole or refused whole: what is wrong anywhere changes nothing.
async fn hangups(server: &Server, path: Option<&Path>, mut config: Config) -> Infallible {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut hangup) = signal(SignalKind::hangup()) else { return std::future::pending().await };
    loop {
        hangup.recv().await;
        let read = Config::load(path).map_err(anyhow::Error::from);
        let taken = match read {
            Ok(new) => server.take(&new).await.map(|report| (new, report)),
            Err(error) => Err(error),
        };
        match taken {
            Ok((new, report)) => {
                let (notify, rules) = (config.notify.clone(), config.rules.clone());
                let others = Config { notify, rules, ..new.clone() };
                let rest = match others.to_toml() == config.to_toml() {
                    true => "",
                    false => "; other keys changed, too: they are in force after a restart",
                };
                eprintln!("configuration read again: [[notify]] and [rules] are in force{rest}");
                eprintln!("{report}");
                (config.notify, config.rules) = (new.notify, new.rules);
            }
            Err(error) => eprintln!("configuration refused, nothing changed: {error:#}"),
        }
    }
}

/// A node with its listeners.
pub struct Server {
    node: Arc<Node>,
    backend: Arc<NodeBackend>,
    stop: watch::Sender<bool>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    threads: Vec<std::thread::JoinHandle<()>>,
    notifiers: Sender<Notifier>,
    /// Where the API listens.
    http: SocketAddr,
    /// Where it listens, for people.
    places: String,
    /// The administrator's password, where the account is new.
    first_password: Option<String>,
}

impl Server {
    /// Binds the listeners, opens the node, then serves.
    ///
    /// # Errors
    /// An address in use, a data directory that cannot be opened.
    pub async fn start(
        data: &Path,
        config: &Config,
        clock: Arc<dyn Clock>,
    ) -> anyhow::Result<Self> {
        let taken = |address| {
            format!("cannot listen on {address}; stop what uses it or configure another address")
        };
        let bind = |address| async move {
            TcpListener::bind(address).await.with_context(|| taken(address))
        };
        let http = bind(config.listen.http).await?;
        let syslog = bind(config.listen.syslog_tcp).await?;
        let address = config.listen.udp();
        let asked = config.listen.syslog_udp_buffer_bytes;
        let udp = UdpSyslog::bind(address, asked).with_context(|| taken(address))?;
        let places = places(&http, &syslog, &udp, asked)?;
        let at = http.local_addr()?;
        let (path, settings) = (data.to_owned(), config.clone());
        let node =
            tokio::task::spawn_blocking(move || Node::open(&path, &settings, clock)).await??;
        let node = Arc::new(node);
        node.guard().keep_ballast();
        let (stop, stopped) = watch::channel(false);
        let mut threads = threads::watches(&node, config, &stopped)?;
        let backend = Arc::new(NodeBackend::new(Arc::clone(&node), &config.query)?);
        if let Err(error) = backend.resume_reparse() {
            tracing::warn!(%error, "records that were being parsed again stay as they are");
        }
        let console = format!("http://{}", config.listen.http);
        let console = config.listen.console_url.clone().unwrap_or(console);
        let (notifiers, thread) =
            notify::start(&node, &config.notify, console.clone(), stopped.clone())?;
        threads.push(thread);
        let first_password = first_password(&mut backend.people())?;
        let private = private_socket(data)?;
        let tenant = TenantName::default_tenant();
        let context =
            Context::new(tenant.as_str(), SYSLOG_FEED, SourceChoice::Auto, Reference::Received);
        node.note_input(&tenant);
        let feed = node.intake().feed(tenant, &context)?;
        let mut tasks = Vec::new();
        let intake = Arc::clone(node.intake());
        threads.push(threads::syslog_udp(&node, udp, feed.clone(), stopped.clone())?);
        tasks.push(tokio::spawn(serve_tcp(syslog, intake, feed, stopped.clone())));
        let shared: Arc<dyn Backend> = Arc::clone(&backend) as Arc<dyn Backend>;
        let ends = |mut stopped: watch::Receiver<bool>| async move {
            // An error means that the sender is gone: that is a stop, too.
            let _ = stopped.changed().await;
        };
        let public = public_router(Arc::clone(&shared), &console);
        let app = axum_serve_tcp(http, public, ends(stopped.clone()));
        tasks.push(tokio::spawn(app));
        let app = axum_serve_unix(private, private_router(shared), ends(stopped.clone()));
        tasks.push(tokio::spawn(app));
        tasks.push(tokio::spawn(files(Arc::clone(&node), stopped.clone())));
        tasks.push(tokio::spawn(ticks(Arc::clone(&node), stopped)));
        Ok(Self {
            node,
            backend,
            stop,
            tasks,
            threads,
            notifiers,
            http: at,
            places,
            first_password,
        })
    }

    /// Goes by the rules of another configuration from here on, and tells of incidents through
    /// its channels.
    ///
    /// # Errors
    /// A channel that cannot be made ready, sources that cannot be read: nothing changes then.
    pub async fn take(&self, config: &Config) -> anyhow::Result<RulesReport> {
        let notifier = Notifier::new(&config.notify)?;
        let (node, rules) = (Arc::clone(&self.node), config.rules.clone());
        let report = tokio::task::spawn_blocking(move || node.reload_rules_by(&rules)).await??;
        // Where the thread has ended, so has the platform.
        let _ = self.notifiers.send(notifier);
        Ok(report)
    }

    /// Where the API listens: the port that the system chose where the configured one is 0.
    pub fn http(&self) -> SocketAddr {
        self.http
    }

    /// The node that is served.
    pub fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// The platform behind the listeners.
    pub fn backend(&self) -> &Arc<NodeBackend> {
        &self.backend
    }

    /// Waits for the pipeline's failure.
    pub async fn failure(&self) -> String {
        loop {
            if let Some(failure) = self.node.progress().read().failure {
                return failure;
            }
            if let Some(reason) = self.node.journal().stopped() {
                return format!("intake stopped: {reason}");
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Ends the listeners, works off the journal, commits everything.
    ///
    /// # Errors
    /// The pipeline's failure.
    pub async fn stop(self) -> anyhow::Result<()> {
        let Self { node, backend, stop, tasks, threads, .. } = self;
        backend.stop();
        // Nobody listens any more if every task has ended already.
        let _ = stop.send(true);
        for task in tasks {
            // A client that keeps its connection open must not keep the platform up.
            let _ = tokio::time::timeout(Duration::from_secs(3), task).await;
        }
        tokio::task::spawn_blocking(move || {
            for thread in threads {
                // What ended one has been said where it ended.
                let _ = thread.join();
            }
            drop(backend);
            match Arc::into_inner(node) {
                Some(node) => {
                    let socket = node.data().join(SOCKET);
                    let stopped = node.stop();
                    // A socket that stays is replaced at the next start.
                    let _ = std::fs::remove_file(socket);
                    stopped
                }
                None => Ok(()),
            }
        })
        .await?
    }
}

/// Where the listeners are, and how much the kernel buffers of datagrams.
fn places(
    http: &TcpListener,
    syslog: &TcpListener,
    udp: &UdpSyslog,
    asked: usize,
) -> std::io::Result<String> {
    let granted = udp.buffer_bytes();
    let less = match granted < asked {
        true => format!(" of {asked} asked for (net.core.rmem_max)"),
        false => String::new(),
    };
    Ok(format!(
        "API on http://{}, syslog on {} (TCP) and {} (UDP, buffer of {granted} bytes{less})",
        http.local_addr()?,
        syslog.local_addr()?,
        udp.local_addr()
    ))
}

async fn axum_serve_tcp(
    listener: TcpListener,
    app: yagura_api::Router,
    ends: impl Future<Output = ()> + Send + 'static,
) {
    if let Err(error) = yagura_api::serve(listener, app, ends).await {
        tracing::error!(%error, "the API ended");
    }
}

async fn axum_serve_unix(
    listener: UnixListener,
    app: yagura_api::Router,
    ends: impl Future<Output = ()> + Send + 'static,
) {
    if let Err(error) = yagura_api::serve_unix(listener, app, ends).await {
        tracing::error!(%error, "the private socket ended");
    }
}

/// The socket in the data directory that only its owner can open. The directory's lock is
/// held, so a socket that is there is a dead server's.
fn private_socket(data: &Path) -> anyhow::Result<UnixListener> {
    let path = data.join(SOCKET);
    if path.exists() {
        std::fs::remove_file(&path)?;
    }
    let listener = UnixListener::bind(&path)
        .with_context(|| format!("cannot make the private socket {}", path.display()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Puts indicator lists, rules and sources in force when their files change.
async fn files(node: Arc<Node>, mut stopped: watch::Receiver<bool>) {
    let mut said = String::new();
    loop {
        tokio::select! {
            () = tokio::time::sleep(FILES_LOOK) => {}
            _ = stopped.changed() => return,
        }
        let looked = Arc::clone(&node);
        match tokio::task::spawn_blocking(move || looked.reload_intel()).await {
            Ok(Ok(Some(report))) => eprintln!("{report}"),
            Ok(Err(error)) => eprintln!("intel: lists not put in force: {error:#}"),
            Ok(Ok(None)) | Err(_) => {}
        }
        let looked = Arc::clone(&node);
        match tokio::task::spawn_blocking(move || looked.reload_rules()).await {
            Ok(Ok(Some(report))) => {
                said.clear();
                eprintln!("rules read again: {report}");
            }
            Ok(Err(error)) => {
                // A full disk fails every look alike.
                let text = format!("rules not put in force, those before stay: {error:#}");
                if text != said {
                    eprintln!("{text}");
                    said = text;
                }
            }
            Ok(Ok(None)) | Err(_) => {}
        }
    }
}

/// Keeps the journal's clock going while nothing arrives.
async fn ticks(node: Arc<Node>, mut stopped: watch::Receiver<bool>) {
    let mut seen = node.journal().durable();
    let mut quiet = 0u32;
    loop {
        tokio::select! {
            () = tokio::time::sleep(TICK) => {}
            _ = stopped.changed() => return,
        }
        let durable = node.journal().durable();
        if durable != seen {
            (seen, quiet) = (durable, 0);
            continue;
        }
        quiet += 1;
        if quiet > TICKS_IN_A_ROW && !quiet.is_multiple_of(60) {
            continue;
        }
        let intake = Arc::clone(node.intake());
        let wrote = tokio::task::spawn_blocking(move || intake.control(&[Entry::Tick])).await;
        if let Ok(Ok(done)) = wrote {
            seen = done.last;
        }
    }
}
