//! A batch of files: framed, journalled, correlated when it closes; known again by content.

use crate::cli::offline::framer;
use crate::inputs::{self, Input, Listing, Pattern, list};
use crate::node::Node;
use anyhow::{Context as _, bail};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::io::{self, Read};
use std::path::PathBuf;
use yagura_collect::container::Fault;
use yagura_collect::{FeedContext, Group, intake::stream_id};
use yagura_event::{Charset, Context, Micros, Reference, SourceChoice, TenantName, TenantScope};
use yagura_journal::{Entry, FileDone};
use yagura_parse::{Contexts, Framer, Sources, Tail};

/// The feed of batches.
pub const FEED: &str = "ingest";

/// Bytes of records submitted as one group.
const GROUP_BYTES: usize = 512 * 1024;

/// Bytes at a file's beginning that tell it from another of its name. A shorter file is one
/// group with its mark, stored whole or not at all, and need not be told apart.
const BEGINNING_BYTES: u64 = 64 * 1024;

/// Most faults of inputs that a summary names; further ones are counted.
pub const FAULTS_MAX: usize = 200;

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
    /// The charset of the inputs; recognised where absent.
    #[serde(default)]
    pub charset: Option<String>,
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
    /// What was wrong with inputs that were read to their end, at most [`FAULTS_MAX`].
    pub faults: Vec<String>,
    /// Faults beyond those.
    pub faults_more: u64,
}

/// A request with its words understood.
pub struct Checked {
    tenant: TenantName,
    source: SourceChoice,
    patterns: Vec<Pattern>,
    reference: Option<Micros>,
    charset: Charset,
}

impl Request {
    /// Understands tenant, source, patterns, time, zone and charset.
    ///
    /// # Errors
    /// The first that does not work, with what would.
    pub fn check(&self, sources: &Sources) -> anyhow::Result<Checked> {
        let tenant = TenantName::new(&self.tenant)?;
        let source = source_choice(sources, &self.source)?;
        if let Some(zone) = &self.time_zone
            && !yagura_parse::time::is_zone(zone)
        {
            bail!("time zone {zone:?} is neither an IANA name nor an offset such as +09:00");
        }
        let patterns =
            self.patterns.iter().map(|p| Pattern::parse(p)).collect::<Result<Vec<_>, _>>()?;
        let reference = match &self.reference_time {
            None => None,
            Some(text) => Some(yagura_event::time::parse_rfc3339(text).with_context(|| {
                format!("reference time {text:?} is not RFC 3339, such as 2026-11-22T00:00:00Z")
            })?),
        };
        let charset = match &self.charset {
            None => Charset::Auto,
            Some(name) => Charset::from_word(name).with_context(|| {
                let known = Charset::ALL.map(Charset::word).join(", ");
                format!("charset {name:?} is not known; known are {known}")
            })?,
        };
        Ok(Checked { tenant, source, patterns, reference, charset })
    }
}

/// Takes the inputs in as one batch; returns when events, matches, findings and incidents
/// are committed. A batch of the tenant that is still open goes on instead of a new one.
///
/// # Errors
/// Inputs that cannot be read, settings that do not work, a stopped journal or pipeline.
pub fn run(node: &Node, request: &Request, progress: &dyn Fn(&Summary)) -> anyhow::Result<Summary> {
    let Checked { tenant, source, patterns, reference, charset } =
        request.check(node.engine().sources())?;
    let Listing { inputs, faults, .. } = list(&request.inputs, &patterns)?;
    node.progress().wait_judged(node.journal().durable()).map_err(anyhow::Error::msg)?;
    let reference = match reference {
        Some(reference) => reference,
        None => newest_time(node, &inputs, &source, charset)?,
    };
    let batch = open_batch(node, &tenant, request)?;
    let rows = node.judge()?.positions(batch)?;
    let mut job = Job {
        node,
        tenant,
        source,
        charset,
        reference,
        request,
        batch,
        resumed: rows.into_iter().map(|row| (row.stream, row.records)).collect(),
        done: Vec::new(),
        summary: Summary { batch, ..Summary::default() },
    };
    job.faults(faults);
    for input in &inputs {
        job.file(input).with_context(|| format!("taking in {}", input.path.display()))?;
        progress(&job.summary);
    }
    let done = node.intake().control(&[Entry::BatchClose { batch, aborted: false }])?;
    node.progress().wait_committed(done.last).map_err(anyhow::Error::msg)?;
    Ok(job.summary)
}

/// The source a caller names, checked.
///
/// # Errors
/// An unknown name, with the known ones.
pub fn source_choice(sources: &Sources, name: &str) -> anyhow::Result<SourceChoice> {
    if name == "auto" {
        return Ok(SourceChoice::Auto);
    }
    if sources.find(name).is_none() {
        let known: Vec<&str> = sources.list().map(|s| s.name).collect();
        bail!("source {name:?} is not known; known are auto, {}", known.join(", "));
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
    let done = node.intake().control_of(tenant, &[entry])?;
    node.progress().wait_judged(done.last).map_err(anyhow::Error::msg)?;
    Ok(batch)
}

/// The newest event time with a year in the inputs that is not beyond tomorrow, else now.
fn newest_time(
    node: &Node,
    inputs: &[Input],
    source: &SourceChoice,
    charset: Charset,
) -> anyhow::Result<Micros> {
    let now = node.intake().clock().now();
    let limit = now + yagura_event::time::DAY;
    let mut newest = None;
    let context = Context::new("default", FEED, source.clone(), Reference::At(now));
    let engine = node.engine();
    for input in inputs {
        let mut contexts = Contexts::new(context.clone());
        let mut framer = framer(&engine, open(input)?.0, source, charset);
        let wrong = || format!("cannot read {}", input.path.display());
        while let Some(frame) = framer.next_frame().with_context(wrong)? {
            let time = engine.parser().event_time_with_year(contexts.of(&frame), frame.bytes);
            newest = newest.max(time.filter(|time| *time <= limit));
        }
    }
    Ok(newest.unwrap_or(now))
}

fn open(input: &Input) -> anyhow::Result<(Box<dyn Read>, Fault)> {
    if input.path.as_os_str() == "-" {
        bail!("standard input cannot be a batch; name files");
    }
    input.open().with_context(|| format!("cannot read {}", input.path.display()))
}

struct Job<'a> {
    node: &'a Node,
    tenant: TenantName,
    source: SourceChoice,
    charset: Charset,
    reference: Micros,
    request: &'a Request,
    batch: u64,
    /// Records of each stream that an interrupted run of this batch has stored and that no
    /// file of this run has claimed.
    resumed: HashMap<u64, u64>,
    /// Files of this run: the store hears of them a moment later.
    done: Vec<FileDone>,
    summary: Summary,
}

impl Job<'_> {
    fn file(&mut self, input: &Input) -> anyhow::Result<()> {
        self.summary.files += 1;
        let path = match &input.host {
            Some(host) => format!("{host}:{}", input.relative),
            None => input.relative.clone(),
        };
        let length = input.length()?;
        let known = if self.request.again { 0 } else { self.known(input, &path, length)? };
        if known == u64::MAX {
            self.summary.known += 1;
            return Ok(());
        }
        let stream = self.stream(input, &path, known)?;
        let resumed = self.resumed.remove(&stream).unwrap_or_default();
        let context = self.context(input);
        let feed = self.feed(&context)?;
        // A file that grows meanwhile is read and marked up to here.
        let (bytes, fault) = open(input)?;
        let mut reader = self.framer(bytes.take(length));
        let (mut contexts, mut now) = (Contexts::new(context), (0, Charset::Auto));
        let mut context = feed.context;
        let skip = known + resumed;
        let mut group = Group::of_batch(&feed, "", self.batch);
        let mut records = 0;
        while let Some(frame) = reader.next_frame()? {
            records = frame.number;
            if frame.number <= skip {
                continue;
            }
            if (frame.section, frame.charset) != now {
                now = (frame.section, frame.charset);
                context = self.feed(contexts.of(&frame))?.context;
                group.set_context(context);
            }
            group.push(stream, frame.position, frame.bytes)?;
            self.summary.records += 1;
            if group.bytes() >= GROUP_BYTES {
                let full = std::mem::replace(&mut group, Group::of_batch(&feed, "", self.batch));
                group.set_context(context);
                self.node.intake().submit_blocking(full)?;
            }
        }
        self.last_headers(input, &reader)?;
        // Reading ends at the length, which may be just before the damage.
        let fault = input.damage().unwrap_or(fault);
        self.faults(inputs::faults(&input.path, &fault, &mut reader));
        drop(reader);
        let here = resumed.min(records.saturating_sub(known));
        self.summary.resumed += here;
        if resumed > here {
            // The rest belongs to a later file of the same name and content.
            self.resumed.insert(stream, resumed - here);
        }
        let (hash, bytes) = hash_of(open(input)?.0, length)?;
        let done = FileDone {
            tenant: self.tenant.clone(),
            feed: FEED.to_owned(),
            path,
            hash,
            bytes,
            records,
        };
        group.control(Entry::FileDone(done.clone()));
        self.node.intake().submit_blocking(group)?;
        self.done.push(done);
        Ok(())
    }

    fn faults(&mut self, faults: Vec<String>) {
        for fault in faults {
            if self.summary.faults.len() < FAULTS_MAX {
                self.summary.faults.push(fault);
            } else {
                self.summary.faults_more += 1;
            }
        }
    }

    /// The stream of a file's records behind its first `known` ones. Two files of one name
    /// are told apart by how they begin, so that an interrupted run's records are looked for
    /// in the right one.
    fn stream(&self, input: &Input, path: &str, known: u64) -> anyhow::Result<u64> {
        let (begins, _) = hash_of(open(input)?.0, BEGINNING_BYTES)?;
        let (tenant, known) = (self.tenant.as_str().as_bytes(), known.to_be_bytes());
        Ok(stream_id(&[tenant, FEED.as_bytes(), path.as_bytes(), &known, &begins]))
    }

    /// Records at the file's beginning that are stored already; `u64::MAX` for all of them.
    fn known(&self, input: &Input, path: &str, length: u64) -> anyhow::Result<u64> {
        let scope = TenantScope::one(self.tenant.clone());
        let stored = self.node.judge()?.files(&scope, FEED, path)?;
        let mut marks: Vec<(u64, String, u64)> =
            stored.into_iter().map(|row| (row.bytes, row.hash, row.records)).collect();
        let of_this_run = self.done.iter().filter(|done| done.path == path);
        marks.extend(of_this_run.map(|done| (done.bytes, hex(done.hash), done.records)));
        marks.retain(|(bytes, _, _)| *bytes <= length);
        marks.sort_by_key(|(bytes, _, _)| std::cmp::Reverse(*bytes));
        marks.dedup();
        for (bytes, hash, records) in marks {
            let (found, read) = hash_of(open(input)?.0, bytes)?;
            if hex(found) == hash && read == bytes {
                return match bytes == length {
                    true => Ok(u64::MAX),
                    false => Ok(records - u64::from(records > 0 && self.went_on(input, bytes)?)),
                };
            }
        }
        Ok(0)
    }

    fn context(&self, input: &Input) -> Context {
        let (tenant, reference) = (self.tenant.as_str(), Reference::At(self.reference));
        let mut context = Context::new(tenant, FEED, self.source.clone(), reference);
        context.time_zone.clone_from(&self.request.time_zone);
        context.path.clone_from(&input.relative);
        context.host.clone_from(&input.host);
        context.user.clone_from(&input.user);
        context
    }

    fn feed(&self, context: &Context) -> anyhow::Result<FeedContext> {
        Ok(self.node.intake().feed(self.tenant.clone(), context)?)
    }

    /// Header lines behind the last record are in no record's context: they get one of their
    /// own, so that they are stored like all else.
    fn last_headers<R: Read>(&self, input: &Input, reader: &Framer<R>) -> anyhow::Result<()> {
        if reader.tail() == Tail::Header {
            let mut context = self.context(input);
            context.headers = reader.headers().0.to_vec();
            context.charset = reader.charset();
            self.feed(&context)?;
        }
        Ok(())
    }

    fn framer<R: Read>(&self, reader: R) -> Framer<R> {
        framer(&self.node.engine(), reader, &self.source, self.charset)
    }

    /// Whether the file was taken in the middle of a record, at `bytes`, and the record has
    /// grown since: it is taken again, whole.
    fn went_on(&self, input: &Input, bytes: u64) -> anyhow::Result<bool> {
        let mut known = self.framer(open(input)?.0.take(bytes));
        while known.next_frame()?.is_some() {}
        if known.tail() != Tail::Open {
            return Ok(false);
        }
        let (mut file, _) = open(input)?;
        io::copy(&mut file.by_ref().take(bytes), &mut io::sink())?;
        let mut next = Vec::new();
        file.take(2).read_to_end(&mut next)?;
        let ends = match (known.charset(), next.as_slice()) {
            (Charset::Utf16le, [byte, 0]) | (Charset::Utf16be, [0, byte]) => b"\r\n".contains(byte),
            (Charset::Utf16le | Charset::Utf16be, _) => false,
            (_, next) => next.first().is_some_and(|byte| b"\r\n".contains(byte)),
        };
        Ok(!ends)
    }
}

fn hex(hash: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(hash))
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
