//! A batch of files: framed, journalled, correlated when it closes; known again by content.

use crate::inputs::{Input, Pattern, list};
use crate::node::Node;
use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;
use yagura_collect::{FeedContext, Group, intake::stream_id};
use yagura_event::{Context, Micros, Reference, SourceChoice, TenantName, TenantScope};
use yagura_journal::{Entry, FileDone};
use yagura_parse::Framer;

/// The feed of batches.
pub const FEED: &str = "ingest";

/// Bytes of records submitted as one group.
const GROUP_BYTES: usize = 512 * 1024;

/// What a caller asks for.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The owner.
    pub tenant: String,
    /// A source by name, or `auto`.
    pub source: String,
    /// Patterns that name host and user by path.
    pub patterns: Vec<String>,
    /// Time against which stamps without a year are resolved, RFC 3339.
    pub reference_time: Option<String>,
    /// Zone of stamps without one.
    pub time_zone: Option<String>,
    /// Take known files again.
    pub again: bool,
    /// Files and folders, absolute.
    pub inputs: Vec<PathBuf>,
}

/// What became of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Summary {
    /// Files read.
    pub files: u64,
    /// Files that were known already, with nothing new in them.
    pub known: u64,
    /// Records taken.
    pub records: u64,
    /// Records of an interrupted run that were in already.
    pub resumed: u64,
    /// The batch's number.
    pub batch: u64,
}

/// Takes the inputs in as one batch; returns when events, matches, findings and incidents
/// are committed. A batch of the tenant that is still open goes on instead of a new one.
///
/// # Errors
/// Inputs that cannot be read, settings that do not work, a stopped journal or pipeline.
pub fn run(node: &Node, request: &Request, progress: &dyn Fn(&Summary)) -> anyhow::Result<Summary> {
    let tenant = TenantName::new(&request.tenant)?;
    let source = source_choice(node, &request.source)?;
    if let Some(zone) = &request.time_zone
        && !yagura_parse::time::is_zone(zone)
    {
        bail!("time zone {zone:?} is neither an IANA name nor an offset such as +09:00");
    }
    let patterns =
        request.patterns.iter().map(|p| Pattern::parse(p)).collect::<Result<Vec<_>, _>>()?;
    let inputs = list(&request.inputs, &patterns)?;
    node.progress().wait_judged(node.journal().durable()).map_err(anyhow::Error::msg)?;
    let reference = match &request.reference_time {
        Some(text) => yagura_event::time::parse_rfc3339(text)
            .with_context(|| format!("reference time {text:?} is not RFC 3339"))?,
        None => newest_time(node, &inputs, &source)?,
    };
    let batch = open_batch(node, &tenant, request)?;
    let mut summary = Summary { batch, ..Summary::default() };
    let mut job = Job { node, tenant, source, reference, request, batch, summary: &mut summary };
    for input in &inputs {
        job.file(input).with_context(|| format!("taking in {}", input.path.display()))?;
        progress(job.summary);
    }
    let done = node.intake().control(&[Entry::BatchClose { batch, aborted: false }])?;
    node.progress().wait_committed(done.last).map_err(anyhow::Error::msg)?;
    Ok(summary)
}

/// The source a caller names, checked.
///
/// # Errors
/// An unknown name, with the known ones.
pub fn source_choice(node: &Node, name: &str) -> anyhow::Result<SourceChoice> {
    if name == "auto" {
        return Ok(SourceChoice::Auto);
    }
    if node.engine().sources().find(name).is_none() {
        let known = node.engine().source_names().join(", ");
        bail!("source {name:?} is not known; known are auto, {known}");
    }
    Ok(SourceChoice::Named(name.to_owned()))
}

fn open_batch(node: &Node, tenant: &TenantName, request: &Request) -> anyhow::Result<u64> {
    let judge = node.judge()?;
    let batches = judge.batches(&TenantScope::operator())?;
    let open = batches.iter().find(|b| b.state == "open" && b.tenant == tenant.as_str());
    if let Some(open) = open {
        return Ok(open.batch);
    }
    let batch = batches.last().map_or(1, |last| last.batch + 1);
    let settings = serde_json::to_string(request)?;
    let entry = Entry::BatchOpen { batch, tenant: tenant.clone(), settings };
    let done = node.intake().control(&[entry])?;
    node.progress().wait_judged(done.last).map_err(anyhow::Error::msg)?;
    Ok(batch)
}

/// The newest event time with a year in the inputs that is not beyond tomorrow, else now.
fn newest_time(node: &Node, inputs: &[Input], source: &SourceChoice) -> anyhow::Result<Micros> {
    let now = node.intake().clock().now();
    let limit = now + yagura_event::time::DAY;
    let mut newest = None;
    let context = Arc::new(Context::new("default", FEED, source.clone(), Reference::At(now)));
    for input in inputs {
        let mut framer = Framer::new(open(input)?, source);
        while let Some(frame) = framer.next_frame()? {
            let time = node.engine().parser().event_time_with_year(&context, frame.bytes);
            newest = newest.max(time.filter(|time| *time <= limit));
        }
    }
    Ok(newest.unwrap_or(now))
}

fn open(input: &Input) -> anyhow::Result<Box<dyn Read>> {
    if input.path.as_os_str() == "-" {
        bail!("standard input cannot be a batch; name files");
    }
    let file =
        File::open(&input.path).with_context(|| format!("cannot read {}", input.path.display()))?;
    Ok(Box::new(file))
}

struct Job<'a> {
    node: &'a Node,
    tenant: TenantName,
    source: SourceChoice,
    reference: Micros,
    request: &'a Request,
    batch: u64,
    summary: &'a mut Summary,
}

impl Job<'_> {
    fn file(&mut self, input: &Input) -> anyhow::Result<()> {
        self.summary.files += 1;
        let path = match &input.host {
            Some(host) => format!("{host}:{}", input.relative),
            None => input.relative.clone(),
        };
        let length = std::fs::metadata(&input.path)?.len();
        let known = if self.request.again { 0 } else { self.known(input, &path, length)? };
        if known == u64::MAX {
            self.summary.known += 1;
            return Ok(());
        }
        let stream =
            stream_id(&[self.tenant.as_str().as_bytes(), FEED.as_bytes(), path.as_bytes()]);
        let resumed = self.resumed(stream)?;
        self.summary.resumed += resumed;
        let feed = self.context(input)?;
        let mut reader = Framer::new(open(input)?, &self.source);
        let skip = known + resumed;
        let mut group = Group::of_batch(&feed, "", self.batch);
        let mut records = 0;
        while let Some(frame) = reader.next_frame()? {
            records = frame.number;
            if frame.number <= skip {
                continue;
            }
            group.push(stream, frame.position, frame.bytes)?;
            self.summary.records += 1;
            if group.bytes() >= GROUP_BYTES {
                let full = std::mem::replace(&mut group, Group::of_batch(&feed, "", self.batch));
                self.node.intake().submit_blocking(full)?;
            }
        }
        drop(reader);
        let (hash, bytes) = hash_of(open(input)?, u64::MAX)?;
        group.control(Entry::FileDone(FileDone {
            tenant: self.tenant.clone(),
            feed: FEED.to_owned(),
            path,
            hash,
            bytes,
            records,
        }));
        self.node.intake().submit_blocking(group)?;
        Ok(())
    }

    /// Records at the file's beginning that are stored already; `u64::MAX` for all of them.
    fn known(&self, input: &Input, path: &str, length: u64) -> anyhow::Result<u64> {
        let scope = TenantScope::one(self.tenant.clone());
        for row in self.node.judge()?.files(&scope, FEED, path)? {
            if row.bytes > length {
                continue;
            }
            let (hash, bytes) = hash_of(open(input)?, row.bytes)?;
            let same = format!("{:032x}", u128::from_be_bytes(hash)) == row.hash;
            if same && bytes == row.bytes {
                return Ok(if row.bytes == length { u64::MAX } else { row.records });
            }
        }
        Ok(0)
    }

    /// Records of the stream that an interrupted run of this batch has stored.
    fn resumed(&self, stream: u64) -> anyhow::Result<u64> {
        let positions = self.node.judge()?.positions(self.batch)?;
        Ok(positions.iter().find(|row| row.stream == stream).map_or(0, |row| row.records))
    }

    fn context(&self, input: &Input) -> anyhow::Result<FeedContext> {
        let mut context = Context::new(
            self.tenant.as_str(),
            FEED,
            self.source.clone(),
            Reference::At(self.reference),
        );
        context.time_zone.clone_from(&self.request.time_zone);
        context.path.clone_from(&input.relative);
        context.host.clone_from(&input.host);
        context.user.clone_from(&input.user);
        Ok(self.node.intake().feed(self.tenant.clone(), &context)?)
    }
}

/// The hash of at most `limit` bytes, and how many there were.
fn hash_of(reader: impl Read, limit: u64) -> io::Result<([u8; 16], u64)> {
    let mut hasher = blake3::Hasher::new();
    let mut reader = reader.take(limit);
    let mut buffer = vec![0u8; 256 * 1024];
    let mut bytes = 0;
    loop {
        let read = reader.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hasher.update(&buffer[..read]);
        bytes += read as u64;
    }
    let mut hash = [0u8; 16];
    hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    Ok((hash, bytes))
}
