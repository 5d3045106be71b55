//! A regular expression with named groups, for lines that no other decoder reads.

use super::{Decoder, Malformed};
use crate::def::Names;
use crate::def::node::{SourceError, Table};
use crate::sink::Sink;
use std::ops::Range;
use yagura_event::SpanType;

/// Largest compiled expression, in bytes; the definition of a larger one is refused.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// Named groups as fields, of the first pattern that matches. The `regex` crate runs in time
/// linear in the input.
#[derive(Debug)]
pub struct Regex(Vec<Pattern>);

#[derive(Debug)]
struct Pattern {
    pattern: ::regex::bytes::Regex,
    names: Vec<(usize, String)>,
}

/// Reads `[regex]`: `pattern`, one or several.
///
/// # Errors
/// A missing, malformed or too large pattern.
pub fn build(
    root: &Table<'_>,
    options: Option<&Table<'_>>,
    names: &mut Names,
) -> Result<Regex, SourceError> {
    let Some(options) = options else {
        return Err(root.origin.error(root.offset, "`[regex]` with `pattern` is missing"));
    };
    options.only(&["pattern"])?;
    let Some(node) = options.get("pattern") else {
        return Err(options.origin.error(options.offset, "`pattern` is missing"));
    };
    let mut patterns = Vec::new();
    for node in node.items() {
        let pattern = ::regex::bytes::RegexBuilder::new(node.text()?)
            .size_limit(REGEX_BYTES_MAX)
            .build()
            .map_err(|error| node.error(error.to_string()))?;
        let groups: Vec<_> = pattern
            .capture_names()
            .enumerate()
            .filter_map(|(at, name)| Some((at, name?.to_owned())))
            .collect();
        for (_, name) in &groups {
            names.intern(name);
        }
        patterns.push(Pattern { pattern, names: groups });
    }
    Ok(Regex(patterns))
}

impl Decoder for Regex {
    fn decode(&self, sink: &mut Sink<'_, '_>, body: Range<usize>) -> Result<(), Malformed> {
        let text = sink.record().get(body.clone()).unwrap_or_default();
        let found = self.0.iter().find_map(|one| Some((one, one.pattern.captures(text)?)));
        let Some((one, found)) = found else {
            return Err(Malformed::new("the pattern does not match"));
        };
        for (at, name) in &one.names {
            if let Some(group) = found.get(*at) {
                let range = body.start + group.start()..body.start + group.end();
                sink.plain(name.as_bytes(), range, SpanType::String);
            }
        }
        Ok(())
    }
}
