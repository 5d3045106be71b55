//! What was loaded, for people: lists, indicators by kind, refused by reason, seconds.

use crate::indicators::Indicators;
use crate::kind::Kind;
use crate::list::List;
use crate::refusal::Refusal;
use std::collections::BTreeMap;
use std::fmt;

/// Most lists that are told one by one; of more, only those with something refused and the
/// sums.
const LISTS_SHOWN_MAX: usize = 50;

/// The report on one load.
#[derive(Clone, Debug, Default)]
pub struct Report {
    lists: Vec<Line>,
    counts: BTreeMap<Kind, u64>,
    refused: BTreeMap<Refusal, u64>,
    entries: u64,
    bytes: usize,
    warnings: (usize, u64, u64),
    /// Files that could not be read, each as `path: reason`.
    pub faults: Vec<String>,
    /// Seconds it took.
    pub seconds: f64,
}

#[derive(Clone, Debug)]
struct Line {
    name: String,
    taken: u64,
    refused: BTreeMap<Refusal, (u64, Vec<String>)>,
    fault: Option<String>,
}

impl Report {
    /// The report on lists and the set that was made of them.
    pub fn new(lists: &[List], set: &Indicators, seconds: f64) -> Self {
        let mut report = Self {
            counts: set.counts().clone(),
            bytes: set.bytes(),
            warnings: set.warnings().counts(),
            seconds,
            ..Self::default()
        };
        for list in lists {
            report.entries += list.count();
            for (why, count) in &list.refused {
                *report.refused.entry(*why).or_default() += count;
            }
            let examples = |why| list.examples.get(why).cloned().unwrap_or_default();
            report.lists.push(Line {
                name: list.name.clone(),
                taken: list.count(),
                refused: list.refused.iter().map(|(w, n)| (*w, (*n, examples(w)))).collect(),
                fault: list.fault.clone(),
            });
        }
        report
    }

    /// Distinct indicators.
    pub fn count(&self) -> u64 {
        self.counts.values().sum()
    }

    /// Refused entries by reason.
    pub fn refused(&self) -> &BTreeMap<Refusal, u64> {
        &self.refused
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.lists.is_empty() && self.warnings.0 == 0 && self.faults.is_empty()
    }
}

fn joined<K>(
    counts: impl IntoIterator<Item = (K, u64)>,
    word: impl Fn(K) -> &'static str,
) -> String {
    let parts: Vec<String> =
        counts.into_iter().map(|(key, count)| format!("{} {count}", word(key))).collect();
    parts.join(", ")
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = joined(self.counts.iter().map(|(k, n)| (*k, *n)), Kind::word);
        let count = self.count();
        write!(f, "intel: lists {}, indicators {count}", self.lists.len())?;
        if count > 0 {
            write!(f, " ({kinds})")?;
        }
        write!(f, ", repeated {}", self.entries.saturating_sub(count))?;
        let refused: u64 = self.refused.values().sum();
        write!(f, ", refused {refused}")?;
        if refused > 0 {
            let by = joined(self.refused.iter().map(|(k, n)| (*k, *n)), Refusal::word);
            write!(f, " ({by})")?;
        }
        write!(f, "; {:.1} MB, {:.2} s", self.bytes as f64 / 1e6, self.seconds)?;
        let short = self.lists.len() > LISTS_SHOWN_MAX;
        let shown = self.lists.iter().filter(|line| !short || line.fault.is_some());
        for line in shown {
            write!(f, "\nintel: list {}: taken {}", line.name, line.taken)?;
            for (why, (count, examples)) in &line.refused {
                write!(f, "; {} {count} ({})", why.word(), examples.join(" | "))?;
            }
            if let Some(fault) = &line.fault {
                write!(f, "; {fault}")?;
            }
        }
        let (lists, entries, bad) = self.warnings;
        if lists > 0 {
            write!(f, "\nintel: warning lists {lists}, entries {entries}, unusable {bad}")?;
        }
        self.faults.iter().try_for_each(|fault| write!(f, "\nintel: {fault}"))
    }
}
