//! Commands that need no data directory: parse, sources, rules, config.

use crate::cli::Usage;
use crate::cli::args::{ConfigArgs, Format, FormatArgs, ParseArgs, TimeArgs};
use crate::cli::table;
use crate::config::Config;
use crate::engine::Engine;
use crate::inputs::{self, Input, Listing};
use crate::rules;
use anyhow::Context as _;
use serde_json::json;
use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::path::PathBuf;
use std::sync::Arc;
use yagura_collect::container::{Fault, archive_in, peel};
use yagura_detect::{RuleSet, diagnostic};
use yagura_event::json::event_json;
use yagura_event::{
    Charset, Clock, Context, EventBatch, EventId, Micros, Reference, SourceChoice, SystemClock,
};
use yagura_parse::{Contexts, Framer, RecordHeader, Sources};

/// Bytes of standard input or a pipe looked at to find the newest year.
const STREAM_LOOK_BYTES: u64 = 4 * 1024 * 1024;

/// `yagura sources`.
///
/// # Errors
/// A built-in definition that is wrong, or standard output that is closed.
pub fn sources(args: &FormatArgs) -> anyhow::Result<()> {
    let sources = Sources::builtin()?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut rows = Vec::new();
    for source in sources.list() {
        let classes = &source.classes;
        if args.format == Format::Ndjson {
            let value = json!({
                "name": source.name,
                "products": source.products,
                "decoder": source.decoder,
                "classes": classes,
            });
            writeln!(out, "{value}")?;
        } else {
            let products = source.products.join(", ");
            rows.push(vec![
                source.name.to_owned(),
                products,
                source.decoder.to_owned(),
                classes.join(" "),
            ]);
        }
    }
    if args.format != Format::Ndjson {
        write!(out, "{}", table::render(&["source", "products", "decoder", "classes"], &rows))?;
    }
    Ok(out.flush()?)
}

/// `yagura config`.
///
/// # Errors
/// A configuration that is refused.
pub fn config(args: &ConfigArgs) -> anyhow::Result<()> {
    let config = Config::load(args.config.as_deref())?;
    Ok(write!(io::stdout(), "{}", config.to_toml())?)
}

/// `yagura rules check`: false where a rule cannot be loaded.
///
/// # Errors
/// Standard output that is closed.
pub fn rules_check(paths: &[PathBuf]) -> anyhow::Result<bool> {
    let set = rules::load(false, None, paths);
    let mut out = BufWriter::new(io::stdout().lock());
    // They are sorted by file.
    for errors in set.errors.chunk_by(|a, b| a.path == b.path) {
        let path = errors.first().map_or("", |error| error.path.as_str());
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let lines = diagnostic::Lines::new(&text);
        for error in errors {
            writeln!(out, "{}", diagnostic::render(error, &lines))?;
        }
    }
    let (count, failed) = (set.rules.len(), set.errors.len());
    let engine = Engine::new(Arc::new(Sources::builtin()?), Arc::new(set));
    for error in engine.plan_errors() {
        writeln!(out, "error[{}]: {error}", error.code())?;
    }
    let failed = failed + engine.plan_errors().len();
    writeln!(out, "{count} rules loaded, {failed} faults")?;
    out.flush()?;
    Ok(failed == 0)
}

/// `yagura rules list`.
///
/// # Errors
/// Standard output that is closed.
pub fn rules_list(paths: &[PathBuf], format: Format) -> anyhow::Result<()> {
    let set = rules::load(paths.is_empty(), None, paths);
    let (_, plan_errors) = yagura_detect::correlate::Plan::from_rules(&set.rules);
    let mut out = BufWriter::new(io::stdout().lock());
    let mut rows = Vec::new();
    for rule in &set.rules {
        let place = rule.logsource.clone().unwrap_or_default();
        let cannot = plan_errors.iter().find(|e| e.rule() == rule.id);
        if format == Format::Ndjson {
            let mut value = json!({
                "id": rule.id, "title": rule.title, "level": rule.level.word(),
                "kind": rule.kind.word(), "path": rule.path,
                "logsource": { "product": place.product, "service": place.service, "category": place.category },
            });
            if let Some(error) = cannot {
                value["error"] = json!({ "code": error.code(), "message": error.to_string(), "line": rule.line });
            }
            writeln!(out, "{value}")?;
        } else {
            let state = cannot.map_or("", |e| e.code());
            rows.push(vec![
                rule.id.clone(),
                rule.level.word().to_owned(),
                rule.kind.word().to_owned(),
                rule.title.clone(),
                state.to_owned(),
            ]);
        }
    }
    for error in &set.errors {
        let (id, title) =
            (error.id.clone().unwrap_or_default(), error.title.clone().unwrap_or_default());
        if format == Format::Ndjson {
            let value = json!({
                "id": id, "title": title, "level": null, "kind": null, "path": error.path, "logsource": null,
                "error": { "code": error.code, "message": error.message, "line": error.line },
            });
            writeln!(out, "{value}")?;
        } else {
            rows.push(vec![id, String::new(), String::new(), title, error.code.to_owned()]);
        }
    }
    if format != Format::Ndjson {
        write!(out, "{}", table::render(&["id", "level", "kind", "title", "fault"], &rows))?;
    }
    Ok(out.flush()?)
}

/// `yagura parse`.
///
/// # Errors
/// [`Usage`] for an unknown source or time; inputs that cannot be read.
pub fn parse(args: &ParseArgs) -> anyhow::Result<()> {
    let sources = Arc::new(Sources::builtin()?);
    let source = source_choice(&sources, &args.source)?;
    let charset = charset(&args.time)?;
    let engine = Engine::new(sources, Arc::new(RuleSet::load(Vec::new())));
    let paths = if args.inputs.is_empty() { vec![PathBuf::from("-")] } else { args.inputs.clone() };
    let Listing { inputs, faults, .. } = inputs::list(&paths, &[])?;
    report(&faults);
    let (mut readers, reference) = prepare(&engine, &inputs, &source, &args.time)?;
    let mut out = BufWriter::with_capacity(256 * 1024, io::stdout().lock());
    let mut batch = EventBatch::default();
    for (input, reader) in inputs.iter().zip(readers.drain(..)) {
        let mut contexts = Contexts::new(context_of(input, &source, reference, &args.time));
        let (reader, fault) = reader.open(input)?;
        let mut framer = framer(&engine, reader, &source, charset);
        let hash = hash_of(&input.path.to_string_lossy());
        while let Some(frame) = framer.next_frame().with_context(|| unread(input))? {
            batch.clear();
            let head = header(hash, frame.number, frame.position, reference);
            engine.parser().parse(contexts.of(&frame), &head, frame.bytes, &mut batch);
            for event in batch.iter() {
                let name = engine.sources().name(event.event().source);
                serde_json::to_writer(&mut out, &event_json(event, engine.fields(), name))?;
                out.write_all(b"\n")?;
            }
        }
        report(&inputs::faults(&input.path, &fault, &mut framer));
    }
    Ok(out.flush()?)
}

/// Says on standard error what was wrong with inputs.
pub fn report(faults: &[String]) {
    for fault in faults {
        eprintln!("yagura: {fault}");
    }
}

/// The header of a record outside a journal.
pub fn header(
    hash: u64,
    number: u64,
    position: u64,
    received_time: Micros,
) -> RecordHeader<'static> {
    RecordHeader {
        id: EventId::content(hash, number),
        received_time,
        stream: hash,
        batch: 0,
        peer: "",
        position,
    }
}

/// The first 64 bits of a text's hash.
pub fn hash_of(text: &str) -> u64 {
    yagura_collect::intake::stream_id(&[text.as_bytes()])
}

/// The source a caller names.
///
/// # Errors
/// [`Usage`] naming the known ones.
pub fn source_choice(sources: &Sources, name: &str) -> anyhow::Result<SourceChoice> {
    if name == "auto" {
        return Ok(SourceChoice::Auto);
    }
    if sources.find(name).is_none() {
        let known: Vec<&str> = sources.list().map(|s| s.name).collect();
        let text = format!("source {name:?} is not known; known are auto, {}", known.join(", "));
        return Err(Usage(text).into());
    }
    Ok(SourceChoice::Named(name.to_owned()))
}

/// The charset a caller names; recognition where none is.
///
/// # Errors
/// [`Usage`] naming the known ones.
pub fn charset(args: &TimeArgs) -> anyhow::Result<Charset> {
    let Some(name) = &args.charset else { return Ok(Charset::Auto) };
    Charset::from_word(name).ok_or_else(|| {
        let known = Charset::ALL.map(Charset::word).join(", ");
        Usage(format!("charset {name:?} is not known; known are {known}")).into()
    })
}

/// Cuts an input's records, its headers apart where the source has any.
pub fn framer<R: Read>(
    engine: &Engine,
    reader: R,
    source: &SourceChoice,
    charset: Charset,
) -> Framer<R> {
    let headers = engine.parser().sources().reads_headers(source);
    Framer::new(reader, source).with_charset(charset).with_headers(headers)
}

/// The context of a file's records.
pub fn context_of(
    input: &Input,
    source: &SourceChoice,
    reference: Micros,
    time: &TimeArgs,
) -> Context {
    let mut context = Context::new("default", "files", source.clone(), Reference::At(reference));
    context.time_zone.clone_from(&time.time_zone);
    context.path.clone_from(&input.relative);
    context.host.clone_from(&input.host);
    context.user.clone_from(&input.user);
    context
}

/// What to say of an input that cannot be read.
pub fn unread(input: &Input) -> String {
    format!("cannot read {}", input.path.display())
}

/// An input that was looked at and is still to be read.
pub enum Unread {
    /// A regular file, opened when its turn comes: there may be more than can be open at once.
    File,
    /// Standard input or a pipe, which can be read once: what was looked at, and the rest.
    Stream(Box<dyn Read>, Fault),
}

impl Unread {
    /// The whole input from its beginning.
    ///
    /// # Errors
    /// A file that cannot be opened.
    pub fn open(self, input: &Input) -> anyhow::Result<(Box<dyn Read>, Fault)> {
        match self {
            Self::Stream(reader, fault) => Ok((reader, fault)),
            Self::File => input.open().with_context(|| unread(input)),
        }
    }
}

/// Looks at the inputs and finds the reference time: the one given, else the newest event
/// time with a year that is not beyond tomorrow, else now.
///
/// # Errors
/// [`Usage`] for a wrong time or zone; inputs that cannot be read.
pub fn prepare(
    engine: &Engine,
    inputs: &[Input],
    source: &SourceChoice,
    time: &TimeArgs,
) -> anyhow::Result<(Vec<Unread>, Micros)> {
    if let Some(zone) = &time.time_zone
        && !yagura_parse::time::is_zone(zone)
    {
        let text =
            format!("time zone {zone:?} is neither an IANA name nor an offset such as +09:00");
        return Err(Usage(text).into());
    }
    let given = match &time.reference_time {
        None => None,
        Some(text) => Some(yagura_event::time::parse_rfc3339(text).ok_or_else(|| {
            Usage(format!("reference time {text:?} is not RFC 3339, such as 2026-11-22T00:00:00Z"))
        })?),
    };
    let now = SystemClock.now();
    let charset = charset(time)?;
    let look = |reader: Box<dyn Read>| look(engine, source, charset, now, reader);
    let mut newest: Option<Micros> = None;
    let mut readers = Vec::new();
    for input in inputs {
        let wrong = || unread(input);
        if input.is_regular() {
            if given.is_none() {
                let (reader, _) = input.open().with_context(wrong)?;
                let seen = look(reader).with_context(wrong)?;
                newest = newest.max(seen);
            }
            readers.push(Unread::File);
            continue;
        }
        let raw: Box<dyn Read> = match input.path.as_os_str() == "-" {
            true => Box::new(io::stdin()),
            false => Box::new(File::open(&input.path).with_context(wrong)?),
        };
        let fault = Fault::default();
        let reader = peel(raw, &fault).with_context(wrong)?.reader;
        let (archive, mut reader) = archive_in(reader).with_context(wrong)?;
        if let Some(kind) = archive {
            let path = input.path.display();
            anyhow::bail!(
                "{path} is a {kind} archive, which cannot be read from a stream; write it to a file first"
            );
        }
        if given.is_none() {
            let mut first = Vec::new();
            reader.by_ref().take(STREAM_LOOK_BYTES).read_to_end(&mut first).with_context(wrong)?;
            newest = newest.max(look(Box::new(io::Cursor::new(first.clone())))?);
            reader = Box::new(io::Cursor::new(first).chain(reader));
        }
        readers.push(Unread::Stream(reader, fault));
    }
    Ok((readers, given.or(newest).unwrap_or(now)))
}

fn look(
    engine: &Engine,
    source: &SourceChoice,
    charset: Charset,
    now: Micros,
    reader: Box<dyn Read>,
) -> io::Result<Option<Micros>> {
    let mut newest = None;
    let context = Context::new("default", "files", source.clone(), Reference::At(now));
    let mut contexts = Contexts::new(context);
    let mut framer = framer(engine, reader, source, charset);
    while let Some(frame) = framer.next_frame()? {
        let time = engine.parser().event_time_with_year(contexts.of(&frame), frame.bytes);
        newest = newest.max(time.filter(|t| *t <= now + yagura_event::time::DAY));
    }
    Ok(newest)
}
