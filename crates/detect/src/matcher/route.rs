//! Routing: which rules an event of a logsource or class can meet.

use crate::rule::RuleLogsource;
use yagura_event::{Dimension, Logsource};

/// The product of rules written against OCSF columns.
pub(crate) const OCSF: &str = "ocsf";

/// A category of rules that stands for several of events (Sigma taxonomy, "registry_event").
const CATEGORIES: &[(&str, &[&str])] =
    &[("registry_event", &["registry_add", "registry_delete", "registry_set", "registry_rename"])];

/// A service of rules that stands for several of events. Log files of a host gather several
/// programs: `auth.log` those that authenticate, the system log any of them.
const SERVICES: &[(&str, &[&str])] = &[
    ("auth", &["sshd", "sudo", "su", "pam", "login", "systemd-logind", "passwd", "useradd"]),
    (
        "syslog",
        &[
            "auth",
            "cron",
            "kernel",
            "login",
            "pam",
            "sshd",
            "su",
            "sudo",
            "systemd",
            "systemd-logind",
        ],
    ),
    ("openssh", &["sshd"]),
];

/// Whether an event of `logsource` meets a rule that names `rule`: every dimension the rule
/// names must be the event's, or unknown. Rules of the product `ocsf` go by class instead.
pub(super) fn meets(rule: &RuleLogsource, logsource: &Logsource) -> bool {
    rule.product.as_deref() != Some(OCSF)
        && dimension(rule.product.as_deref(), &logsource.product, &[])
        && dimension(rule.service.as_deref(), &logsource.service, SERVICES)
        && dimension(rule.category.as_deref(), &logsource.category, CATEGORIES)
}

fn dimension(rule: Option<&str>, event: &Dimension, wider: &[(&str, &[&str])]) -> bool {
    let Some(rule) = rule else { return true };
    match event {
        Dimension::None => false,
        Dimension::Unknown => true,
        Dimension::Known(value) => {
            **value == *rule
                || wider.iter().any(|(name, members)| *name == rule && members.contains(&&**value))
        }
    }
}

/// No index: nothing is looked for in the slot.
const NO_INDEX: u32 = u32::MAX;

/// What events of one logsource or class can meet.
#[derive(Clone, Debug, Default)]
pub(super) struct Route {
    /// A bit a rule.
    rules: Vec<u64>,
    /// By slot: the index of the literals that the route's rules look for there.
    indexes: Vec<u32>,
    /// Rules without a necessary literal.
    pub always: Vec<u32>,
    /// Live slots that have values apart from spans by name: columns and keywords.
    pub extra: Vec<u32>,
}

impl Route {
    /// A route without rules, for so many rules and slots.
    pub fn new(rules: usize, slots: usize) -> Self {
        let (rules, indexes) = (vec![0; rules.div_ceil(64)], vec![NO_INDEX; slots]);
        Self { rules, indexes, ..Self::default() }
    }

    /// Sets the index of a slot.
    pub fn set_index(&mut self, slot: u32, index: u32) {
        self.indexes[slot as usize] = index;
    }

    /// The index of a slot, if any of the route's rules looks for literals there.
    pub fn index(&self, slot: u32) -> Option<u32> {
        self.indexes.get(slot as usize).copied().filter(|index| *index != NO_INDEX)
    }

    /// Adds a rule.
    pub fn add(&mut self, rule: u32) {
        self.rules[rule as usize / 64] |= 1 << (rule % 64);
    }

    /// Whether the route has the rule.
    pub fn has(&self, rule: u32) -> bool {
        self.rules.get(rule as usize / 64).is_some_and(|word| word >> (rule % 64) & 1 == 1)
    }

    /// How many rules the route has.
    pub fn len(&self) -> usize {
        self.rules.iter().map(|word| word.count_ones() as usize).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(product: &str, service: &str, category: &str) -> RuleLogsource {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        RuleLogsource { product: some(product), service: some(service), category: some(category) }
    }

    #[test]
    fn every_named_dimension_counts() {
        let known = |text: &str| Dimension::Known(text.into());
        let event = Logsource {
            product: known("windows"),
            service: Dimension::None,
            category: known("registry_set"),
        };
        for (product, service, category, expect) in [
            ("windows", "", "", true),
            ("windows", "", "registry_event", true),
            ("windows", "", "registry_set", true),
            ("windows", "", "registry_add", false),
            ("windows", "sysmon", "registry_set", false),
            ("linux", "", "", false),
            ("ocsf", "", "", false),
            ("", "", "", true),
        ] {
            assert_eq!(
                meets(&rule(product, service, category), &event),
                expect,
                "{product} {service} {category}"
            );
        }
        let unknown = Logsource { product: Dimension::Unknown, ..event };
        assert!(meets(&rule("linux", "", ""), &unknown));
    }

    #[test]
    fn services_of_gathered_logs() {
        let event = Logsource {
            product: Dimension::Known("linux".into()),
            service: Dimension::Known("sshd".into()),
            category: Dimension::None,
        };
        assert!(meets(&rule("linux", "auth", ""), &event));
        assert!(!meets(&rule("linux", "cron", ""), &event));
    }
}
