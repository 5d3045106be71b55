//! Loads rule files into one set: references resolved, filters applied, faults listed.

use crate::front::document::{self, Document};
use crate::front::sigma::{self, Action};
use crate::front::{Draft, DraftCorrelation, DraftKind, Fault};
use crate::ir::Expr;
use crate::matcher::{OCSF, class_exists};
use crate::rule::{CorrelationRule, RuleError, RuleIndex, RuleInfo, RuleKind, RuleLogsource};
use std::collections::{BTreeMap, BTreeSet};

pub(crate) use crate::front::value::Placeholders;

/// Longest rule file, in bytes; the longest published one has a few hundred kilobytes. A
/// longer one is refused with `file_too_big`.
pub const RULE_FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Most rules that one chain of correlations may be long; a longer chain (or a circle) is
/// refused with `correlation_invalid`.
const CORRELATION_DEPTH_MAX: usize = 8;

/// Rules in force, in the order of their paths and of the documents within a file.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    /// Every rule that could be loaded.
    pub rules: Vec<RuleInfo>,
    /// Why others could not.
    pub errors: Vec<RuleError>,
    /// Conditions, by rule; `None` for correlations and filters.
    pub(crate) exprs: Vec<Option<Expr>>,
    hash: [u8; 16],
}

/// A draft that still stands, with where it came from.
struct Entry {
    draft: Draft,
    id: String,
    path: String,
    line: u32,
    /// The documents that it repeats, and its own.
    text: String,
    /// Where in it the own document begins, which `line` is of.
    own: usize,
}

impl RuleSet {
    /// Loads the rules of `files` (path, text). The order of `files` does not matter.
    /// Never fails: what could not be loaded is in [`RuleSet::errors`].
    pub fn load(files: impl IntoIterator<Item = (String, String)>) -> Self {
        Self::load_with(files, &BTreeMap::new())
    }

    /// [`RuleSet::load`] with values for placeholders (`%name%` under `expand`), by name.
    pub fn load_with(
        files: impl IntoIterator<Item = (String, String)>,
        placeholders: &BTreeMap<String, Vec<String>>,
    ) -> Self {
        let mut files: Vec<(String, String)> = files.into_iter().collect();
        files.sort();
        files.dedup();
        let mut errors = Vec::new();
        let mut entries = Vec::new();
        for (path, text) in &files {
            read_file(path, text, placeholders, &mut entries, &mut errors);
        }
        let entries = distinct(entries, &mut errors);
        let mut set = resolve(entries, &mut errors);
        errors.sort_by(|a, b| (&a.path, a.line, a.column).cmp(&(&b.path, b.line, b.column)));
        set.errors = errors;
        set.hash = content_hash(&files, placeholders);
        set
    }

    /// Content address of the files and placeholders the set was loaded from.
    pub fn hash(&self) -> [u8; 16] {
        self.hash
    }

    /// The rule of an index.
    pub fn get(&self, index: RuleIndex) -> Option<&RuleInfo> {
        self.rules.get(index.at())
    }

    /// The rule of an id.
    pub fn by_id(&self, id: &str) -> Option<(RuleIndex, &RuleInfo)> {
        let at = self.rules.iter().position(|rule| rule.id == id)?;
        Some((RuleIndex(at as u32), &self.rules[at]))
    }
}

fn content_hash(files: &[(String, String)], placeholders: &Placeholders) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"yagura rules 1");
    let mut part = |bytes: &[u8]| {
        hasher.update(&(bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
    };
    for (path, text) in files {
        part(path.as_bytes());
        part(text.as_bytes());
    }
    for (name, values) in placeholders {
        part(name.as_bytes());
        values.iter().for_each(|value| part(value.as_bytes()));
    }
    let mut hash = [0u8; 16];
    hash.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    hash
}

fn read_file(
    path: &str,
    text: &str,
    placeholders: &Placeholders,
    entries: &mut Vec<Entry>,
    errors: &mut Vec<RuleError>,
) {
    if text.len() > RULE_FILE_BYTES_MAX {
        let message = format!("the file is longer than {RULE_FILE_BYTES_MAX} bytes");
        let fault = Fault::new("file_too_big", message).help("split it");
        errors.push(document::locate(fault, path, Document { text: "", line: 1 }));
        return;
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut global, mut previous): (Option<&str>, Option<&str>) = (None, None);
    for document in document::split(text) {
        let mut before: Vec<&str> = global.into_iter().collect();
        match sigma::action(document) {
            Action::Global => {
                global = Some(document.text);
                continue;
            }
            Action::Reset => {
                global = None;
                continue;
            }
            Action::Repeat => before.extend(previous),
            Action::None => previous = Some(document.text),
        }
        match sigma::parse(&before, document, placeholders).and_then(check_class) {
            Ok(draft) => {
                let mut text: String = before.concat();
                let own = text.len();
                text.push_str(document.text);
                let id = draft.id.clone().unwrap_or_else(|| hash_of(&text)[..32].to_owned());
                entries.push(Entry {
                    draft,
                    id,
                    path: path.to_owned(),
                    line: document.line,
                    text,
                    own,
                });
            }
            Err(fault) => errors.push(document::locate(fault, path, document)),
        }
    }
}

/// A rule of the product `ocsf` names a class of the schema, or none.
fn check_class(draft: Draft) -> Result<Draft, Fault> {
    let logsource = draft.logsource.clone().unwrap_or_default();
    if logsource.product.as_deref() != Some(OCSF) {
        return Ok(draft);
    }
    let known = logsource.category.as_deref().is_none_or(class_exists);
    if known && logsource.service.is_none() {
        return Ok(draft);
    }
    Err(Fault::new(
        "logsource_invalid",
        "rules of the product `ocsf` name an OCSF class as category, and no service",
    )
    .help(
        "such as `category: authentication`; a source is named by the field `metadata.log_format`",
    )
    .at("logsource:"))
}

fn hash_of(text: &str) -> String {
    blake3::hash(text.as_bytes()).to_hex().to_string()
}

/// Drops rules whose id an earlier one has.
fn distinct(entries: Vec<Entry>, errors: &mut Vec<RuleError>) -> Vec<Entry> {
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    let mut kept = Vec::with_capacity(entries.len());
    for entry in entries {
        if let Some(first) = seen.get(&entry.id) {
            let message = format!("the id `{}` is taken by {first}", entry.id);
            let fault = Fault::new("rule_duplicate", message)
                .help("every rule needs an id of its own")
                .at(entry.id.clone());
            errors.push(entry.error(fault));
            continue;
        }
        seen.insert(entry.id.clone(), format!("{}:{}", entry.path, entry.line));
        kept.push(entry);
    }
    kept
}

impl Entry {
    fn error(&self, fault: Fault) -> RuleError {
        // Of what stands in documents before it the file's lines are not known here.
        let text = self.text.get(self.own..).unwrap_or_default();
        let document = Document { text, line: self.line };
        let mut error = document::locate(fault, &self.path, document);
        error.id = Some(self.id.clone());
        error.title = Some(self.draft.title.clone());
        error
    }

    fn correlation(&self) -> Option<&DraftCorrelation> {
        match &self.draft.kind {
            DraftKind::Correlation(correlation) => Some(correlation),
            _ => None,
        }
    }

    fn is_called(&self, name: &str) -> bool {
        self.id.eq_ignore_ascii_case(name) || self.draft.name.as_deref() == Some(name)
    }
}

/// Drops correlations that refer to rules which are not there, then builds the set.
fn resolve(mut entries: Vec<Entry>, errors: &mut Vec<RuleError>) -> RuleSet {
    loop {
        let names = names(&entries);
        let bad: Vec<Option<Fault>> =
            (0..entries.len()).map(|at| bad_reference(&entries, &names, at)).collect();
        if bad.iter().all(Option::is_none) {
            break;
        }
        let mut kept = Vec::with_capacity(entries.len());
        for (entry, fault) in entries.into_iter().zip(bad) {
            match fault {
                Some(fault) => errors.push(entry.error(fault)),
                None => kept.push(entry),
            }
        }
        entries = kept;
    }
    let names = names(&entries);
    let fed = silenced(&entries, &names);
    let mut set = RuleSet::default();
    for (at, entry) in entries.iter().enumerate() {
        let (kind, expr, extra) = build_kind(&entries, &names, entry, at);
        set.exprs.push(expr);
        set.rules.push(info(entry, kind, !fed.contains(&at), &extra));
    }
    set
}

/// Ids (lower case) and names to positions; of two rules with one name the first counts.
fn names(entries: &[Entry]) -> BTreeMap<String, usize> {
    let mut names = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        names.insert(entry.id.to_ascii_lowercase(), at);
    }
    for (at, entry) in entries.iter().enumerate() {
        if let Some(name) = &entry.draft.name {
            names.entry(name.clone()).or_insert(at);
        }
    }
    names
}

fn lookup(names: &BTreeMap<String, usize>, reference: &str) -> Option<usize> {
    names.get(reference).or_else(|| names.get(&reference.to_ascii_lowercase())).copied()
}

fn bad_reference(entries: &[Entry], names: &BTreeMap<String, usize>, at: usize) -> Option<Fault> {
    let entry = &entries[at];
    if let DraftKind::Filter(Some(targets), _) = &entry.draft.kind {
        let missing = targets.iter().find(|name| lookup(names, name).is_none())?;
        return Some(unknown(missing));
    }
    let correlation = entry.correlation()?;
    if let Some(missing) = correlation.rules.iter().find(|name| lookup(names, name).is_none()) {
        return Some(unknown(missing));
    }
    let filter = correlation.rules.iter().find(|name| {
        lookup(names, name)
            .is_some_and(|at| matches!(entries[at].draft.kind, DraftKind::Filter(..)))
    });
    if let Some(name) = filter {
        return Some(
            Fault::new("correlation_invalid", format!("`{name}` is a filter and never matches"))
                .at(name),
        );
    }
    if depth(entries, names, at, 0) > CORRELATION_DEPTH_MAX {
        let message = format!(
            "correlations refer to each other in a circle, or more than {CORRELATION_DEPTH_MAX} deep"
        );
        return Some(Fault::new("correlation_invalid", message).at("rules:"));
    }
    let rule_names: BTreeSet<usize> =
        correlation.rules.iter().filter_map(|n| lookup(names, n)).collect();
    for mapping in correlation.aliases.values() {
        let stray = mapping
            .keys()
            .find(|name| lookup(names, name).is_none_or(|at| !rule_names.contains(&at)));
        if let Some(name) = stray {
            let message =
                format!("an alias names `{name}`, which the correlation does not refer to");
            return Some(Fault::new("rule_unknown", message).at(name));
        }
    }
    None
}

fn unknown(name: &str) -> Fault {
    Fault::new("rule_unknown", format!("no loaded rule has the id or name `{name}`"))
        .help("load the file that defines it, and see whether that rule has an error of its own")
        .at(name)
}

fn depth(entries: &[Entry], names: &BTreeMap<String, usize>, at: usize, so_far: usize) -> usize {
    let Some(correlation) = entries[at].correlation() else { return so_far };
    if so_far > CORRELATION_DEPTH_MAX {
        return so_far;
    }
    let below = correlation.rules.iter().filter_map(|name| lookup(names, name));
    below.map(|next| depth(entries, names, next, so_far + 1)).max().unwrap_or(so_far)
}

/// Rules that only feed correlations: referred to, and by none that has `generate`.
fn silenced(entries: &[Entry], names: &BTreeMap<String, usize>) -> BTreeSet<usize> {
    let referred = |generate: bool| -> BTreeSet<usize> {
        let correlations = entries.iter().filter_map(Entry::correlation);
        let wanted = correlations.filter(|c| c.generate == generate);
        wanted.flat_map(|c| c.rules.iter().filter_map(|name| lookup(names, name))).collect()
    };
    let aloud = referred(true);
    referred(false).into_iter().filter(|at| !aloud.contains(at)).collect()
}

/// The kind of a rule with references resolved, its condition with filters, and the texts of
/// those filters.
fn build_kind(
    entries: &[Entry],
    names: &BTreeMap<String, usize>,
    entry: &Entry,
    at: usize,
) -> (RuleKind, Option<Expr>, Vec<String>) {
    match &entry.draft.kind {
        DraftKind::Filter(..) => (RuleKind::Filter, None, Vec::new()),
        DraftKind::Correlation(draft) => (correlation(draft, names), None, Vec::new()),
        DraftKind::Rule(expr) => {
            let mut all = vec![expr.clone()];
            let mut texts = Vec::new();
            for filter in entries {
                let DraftKind::Filter(targets, condition) = &filter.draft.kind else { continue };
                let named =
                    targets.as_ref().is_none_or(|t| t.iter().any(|n| entries[at].is_called(n)));
                if named && covers(filter.draft.logsource.as_ref(), entry.draft.logsource.as_ref())
                {
                    all.push(condition.clone());
                    texts.push(filter.text.clone());
                }
            }
            let expr = if all.len() == 1 { all.remove(0) } else { Expr::And(all) };
            (RuleKind::Rule, Some(expr), texts)
        }
    }
}

/// Whether every dimension the filter names is the rule's.
fn covers(filter: Option<&RuleLogsource>, rule: Option<&RuleLogsource>) -> bool {
    let Some(filter) = filter else { return true };
    let none = RuleLogsource::default();
    let rule = rule.unwrap_or(&none);
    let same = |a: &Option<String>, b: &Option<String>| a.is_none() || a == b;
    same(&filter.product, &rule.product)
        && same(&filter.service, &rule.service)
        && same(&filter.category, &rule.category)
}

fn correlation(draft: &DraftCorrelation, names: &BTreeMap<String, usize>) -> RuleKind {
    let index = |name: &String| lookup(names, name).map(|at| RuleIndex(at as u32));
    let mut rules = Vec::new();
    for rule in draft.rules.iter().filter_map(index) {
        if !rules.contains(&rule) {
            rules.push(rule);
        }
    }
    let aliases = draft.aliases.iter().map(|(alias, mapping)| {
        let mapping =
            mapping.iter().filter_map(|(name, field)| Some((index(name)?, field.clone())));
        (alias.clone(), mapping.collect())
    });
    RuleKind::Correlation(CorrelationRule {
        kind: draft.kind,
        rules,
        group_by: draft.group_by.clone(),
        aliases: aliases.collect(),
        timespan: draft.timespan,
        condition: draft.condition.clone(),
        fields: draft.fields.clone(),
        generate: draft.generate,
        periodic: draft.periodic,
    })
}

fn info(entry: &Entry, kind: RuleKind, generate: bool, filters: &[String]) -> RuleInfo {
    let draft = &entry.draft;
    let mut text = entry.text.clone();
    filters.iter().for_each(|filter| text.push_str(filter));
    RuleInfo {
        id: entry.id.clone(),
        name: draft.name.clone(),
        title: draft.title.clone(),
        description: draft.description.clone(),
        level: draft.level,
        status: draft.status.clone(),
        author: draft.author.clone(),
        path: entry.path.clone(),
        line: entry.line,
        kind,
        logsource: draft.logsource.clone(),
        tags: draft.tags.clone(),
        references: draft.references.clone(),
        false_positives: draft.false_positives.clone(),
        fields: draft.fields.clone(),
        version: hash_of(&text)[..16].to_owned(),
        generate,
    }
}
