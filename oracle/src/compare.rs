//! Both engines over one event at a time, and what became of their differences.

use crate::flat::{Field, Flat};
use crate::peer::{self, Peer};
use crate::reason::{Case, Reason};
use crate::spell::spell;
use rsigma_parser::Modifier;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use yagura_detect::{Hit, Matcher, RuleIndex, RuleKind, RuleSet, Scratch};
use yagura_event::{EventRef, FieldTable, FieldTableBuilder, LogsourceId};
use yagura_parse::{Parser, SourceError, Sources};

/// Unexplained differences kept with rule and event; more are only counted.
const KEPT_MAX: usize = 20;

/// Longest value shown of an unexplained difference, in characters.
const SHOWN_CHARS_MAX: usize = 400;

/// Both engines with the same rules.
#[derive(Debug)]
pub struct Pair {
    /// Ours: rules and what they were compiled to.
    pub rules: RuleSet,
    /// Our matcher.
    pub matcher: Matcher,
    /// Reads records by the built-in sources.
    pub parser: Parser,
    /// The oracle.
    pub peer: Peer,
    ids: BTreeMap<String, RuleIndex>,
}

/// A rule that one engine loads and the other does not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LoadDifference {
    /// The rule's id.
    pub id: String,
    /// What the engine says that does not load it.
    pub message: String,
    /// The clause that decides it; `None` where there is none.
    pub clause: Option<&'static str>,
}

/// One rule on which the engines differ.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The rule's id.
    pub rule: String,
    /// Whether we hold that it matches.
    pub ours: bool,
    /// Why it might be; together they do not explain it.
    pub met: Vec<Reason>,
    /// The event.
    pub event: Flat,
    /// Fields that the rule names.
    pub names: Vec<String>,
}

/// What was compared so far.
#[derive(Clone, Default, Debug)]
pub struct Comparison {
    /// Events.
    pub events: u64,
    /// (rule, event) on which both match.
    pub agreed: u64,
    /// Differences explained by each reason.
    pub reasons: BTreeMap<Reason, u64>,
    /// Differences that nothing explains.
    pub unexplained: u64,
    /// The first of them.
    pub kept: Vec<Difference>,
}

impl Pair {
    /// Loads the rules (path, text) into both engines. `names` are field names that events of
    /// the test have, beside those that sources and rules know.
    ///
    /// # Errors
    /// If a built-in source does not compile.
    pub fn new(files: &[(String, String)], names: &[&str]) -> Result<Self, SourceError> {
        let sources = Arc::new(Sources::builtin()?);
        let rules = RuleSet::load(files.iter().cloned());
        let mut builder = FieldTableBuilder::default();
        sources.intern(&mut builder);
        rules.intern_fields(&mut builder);
        for name in names {
            builder.intern(name);
        }
        let fields = Arc::new(builder.build());
        let source_names: Vec<String> =
            sources.list().map(|source| source.name.to_owned()).collect();
        let matcher = Matcher::compile(&rules, &fields, sources.logsources(), &source_names);
        let peer = Peer::load(files);
        let indexed = rules.rules.iter().enumerate();
        let ids = indexed
            .filter(|(_, info)| matches!(info.kind, RuleKind::Rule) && peer.has(&info.id))
            .map(|(at, info)| (info.id.clone(), RuleIndex(at as u32)))
            .collect();
        Ok(Self { rules, matcher, parser: Parser::new(sources, fields), peer, ids })
    }

    /// The interned names.
    pub fn fields(&self) -> &FieldTable {
        self.parser.fields()
    }

    /// Rules that both engines have in force.
    pub fn rule_count(&self) -> usize {
        self.ids.len()
    }

    /// Rules that one engine alone loads.
    pub fn load_differences(&self) -> Vec<LoadDifference> {
        let mut found = Vec::new();
        for error in &self.rules.errors {
            let Some(id) = error.id.as_ref().filter(|id| self.peer.has(id)) else { continue };
            // A later rule with the id of one in force: neither engine has it.
            if self.rules.by_id(id).is_some() {
                continue;
            }
            let expand = self.peer.rules().get(id).is_some_and(|rule| {
                crate::reason::items(rule).iter().any(|i| i.field.has_modifier(Modifier::Expand))
            });
            let clause = (error.code == "placeholder_unresolved" && expand)
                .then_some("rules 2.0, Placeholders: a tool that cannot handle them must reject");
            found.push(LoadDifference { id: id.clone(), message: error.message.clone(), clause });
        }
        for (id, message) in self.peer.errors() {
            if self.rules.by_id(id).is_none() {
                continue;
            }
            let single = self.peer.rules().get(id).is_some_and(|rule| {
                let all = crate::reason::items(rule);
                all.iter().any(|i| i.field.has_modifier(Modifier::All) && i.values.len() < 2)
            });
            let clause = single.then_some(
                "modifiers 2.1, all: single values are not allowed (we take them as they read)",
            );
            found.push(LoadDifference { id: id.clone(), message: message.clone(), clause });
        }
        found
    }

    /// Compares the engines over `event`, which [`Pair::parser`] gave or [`Flat::batch`] built.
    pub fn compare(&self, event: EventRef<'_>, scratch: &mut Scratch, into: &mut Comparison) {
        let mut hits: Vec<Hit> = Vec::new();
        self.matcher.matches(event, scratch, &mut hits);
        let both = |index: RuleIndex| {
            self.rules.get(index).is_some_and(|info| self.ids.contains_key(&info.id))
        };
        let mut ours: Vec<RuleIndex> =
            hits.iter().map(|hit| hit.rule).filter(|rule| both(*rule)).collect();
        let flat = Flat::of(&event, self.fields());
        let mut theirs = self.theirs(&flat);
        ours.sort_unstable();
        theirs.sort_unstable();
        into.events += 1;
        into.agreed += ours.iter().filter(|rule| theirs.binary_search(rule).is_ok()).count() as u64;
        let only = |these: &[RuleIndex], those: &[RuleIndex]| -> Vec<RuleIndex> {
            these.iter().filter(|rule| those.binary_search(rule).is_err()).copied().collect()
        };
        for (rules, held) in [(only(&ours, &theirs), true), (only(&theirs, &ours), false)] {
            for rule in rules {
                self.differ(rule, held, &flat, into);
            }
        }
    }

    /// The rules that the oracle finds, under our strict routing.
    fn theirs(&self, flat: &Flat) -> Vec<RuleIndex> {
        let logsource = self.logsource(flat.logsource);
        let found = self.peer.matches(&flat.json(), logsource);
        let indexes = found.iter().filter_map(|id| self.ids.get(id).copied());
        indexes.filter(|rule| self.matcher.meets(*rule, flat.logsource)).collect()
    }

    /// The logsource of an id.
    pub fn logsource(&self, id: LogsourceId) -> &yagura_event::Logsource {
        self.parser.sources().logsources().get(id)
    }

    fn differ(&self, rule: RuleIndex, ours: bool, flat: &Flat, into: &mut Comparison) {
        let Some(info) = self.rules.get(rule) else { return };
        let Some(written) = self.peer.rules().get(&info.id) else { return };
        let reasons = explain(written, flat, ours).unwrap_or_default();
        for reason in &reasons {
            *into.reasons.entry(*reason).or_default() += 1;
        }
        if !reasons.is_empty() {
            return;
        }
        into.unexplained += 1;
        if into.kept.len() < KEPT_MAX {
            let names = crate::reason::names(written);
            let rule = info.id.clone();
            let met = met(written, flat);
            into.kept.push(Difference { rule, ours, met, event: flat.clone(), names });
        }
    }
}

/// The reasons for which there is occasion.
fn met(rule: &rsigma_parser::SigmaRule, event: &Flat) -> Vec<Reason> {
    let Some(spelled) = spell(rule) else { return Vec::new() };
    let case = Case { rule: rule.clone(), spelled, event: event.clone() };
    Reason::ALL.into_iter().filter(|reason| reason.applies(&case)).collect()
}

/// The reasons for which we differ from the oracle on a rule and an event: those met, if the
/// rule spelled out brings the oracle to our result; else one that does; else all that are met
/// together. `None` if none of these does.
pub fn explain(rule: &rsigma_parser::SigmaRule, event: &Flat, ours: bool) -> Option<Vec<Reason>> {
    let spelled = spell(rule)?;
    let case = Case { rule: rule.clone(), spelled, event: event.clone() };
    let met: Vec<Reason> = Reason::ALL.into_iter().filter(|reason| reason.applies(&case)).collect();
    let agrees = |reasons: &[Reason]| {
        let mut case = case.clone();
        reasons.iter().for_each(|reason| reason.rewrite(&mut case));
        peer::holds(&case.spelled, &case.event) == Some(ours)
    };
    let (spelled, others): (Vec<Reason>, Vec<Reason>) =
        met.iter().partition(|reason| reason.is_spelled());
    if agrees(&[]) {
        // Spelling the rule out was enough, so one of the reasons for that must be met: at least
        // that lists are looked for in one text folded for all of them.
        let folded = case.has_odd_letters().then_some(vec![Reason::CaseFolding]);
        return if spelled.is_empty() { folded } else { Some(spelled) };
    }
    if let Some(one) = others.iter().find(|reason| agrees(&[**reason])) {
        return Some(vec![*one]);
    }
    (met.len() > 1 && agrees(&met)).then_some(met)
}

impl Comparison {
    /// Adds what another thread or input compared.
    pub fn add(&mut self, other: Self) {
        self.events += other.events;
        self.agreed += other.agreed;
        for (reason, count) in other.reasons {
            *self.reasons.entry(reason).or_default() += count;
        }
        self.unexplained += other.unexplained;
        let room = KEPT_MAX.saturating_sub(self.kept.len());
        self.kept.extend(other.kept.into_iter().take(room));
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{} events, {} matches of both, {} differences explained, {} not",
            self.events,
            self.agreed,
            self.reasons.values().sum::<u64>(),
            self.unexplained
        )?;
        for (reason, count) in &self.reasons {
            writeln!(f, "  {count:>7}  {reason:?} ({})", reason.clause())?;
        }
        for difference in &self.kept {
            let side = if difference.ours { "ours alone" } else { "the oracle's alone" };
            writeln!(f, "UNEXPLAINED rule {} matches: {side}", difference.rule)?;
            writeln!(f, "    met: {:?}", difference.met)?;
            let named = |field: &&Field| {
                // Keywords name no field and see all of them.
                difference.names.is_empty()
                    || difference.names.iter().any(|n| n.eq_ignore_ascii_case(&field.name))
            };
            for field in difference.event.fields.iter().filter(named) {
                let text: String = field.text.chars().take(SHOWN_CHARS_MAX).collect();
                writeln!(f, "    {} ({:?}) = {text:?}", field.name, field.kind)?;
            }
            let raw: String = difference.event.raw.chars().take(SHOWN_CHARS_MAX).collect();
            writeln!(f, "    raw = {raw:?}")?;
        }
        Ok(())
    }
}
