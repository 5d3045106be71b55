//! Binds a rule set to the fields, logsources and sources in force.

use super::atom::{Atom, AtomTest};
use super::index::Pool;
use super::literal::Literal;
use super::route::{OCSF, Route, meets};
use super::slot::{NO_GROUP, Slot};
use super::witness::{Witness, choose};
use super::{Cond, Matcher, Program};
use crate::ir::{Expr, Predicate, Test};
use crate::load::RuleSet;
use crate::rule::{CorrelationRule, RuleIndex, RuleKind};
use ahash::AHashMap;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use yagura_event::class::{CLASSES, Class};
use yagura_event::{ClassUid, ColumnId, FieldId, FieldTable, FieldTableBuilder, LogsourceTable};

/// Distinguishes matchers, so that a [`super::Scratch`] notices a change.
static SERIAL: AtomicU64 = AtomicU64::new(1);

/// A key that correlations want from a rule's matches: its name there, the rule's field.
type Key = (String, String);

impl RuleSet {
    /// Interns every field name that the rules look at, so that events carry them by id.
    pub fn intern_fields(&self, fields: &mut FieldTableBuilder) {
        let keys = self.keys();
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for expr in self.exprs.iter().flatten() {
            field_names(expr, &mut names);
        }
        names.extend(keys.iter().flatten().map(|(_, field)| field.as_str()));
        for name in names {
            fields.intern(name);
        }
    }

    /// By rule: the keys that the correlations over it group or count by. A correlation over
    /// a correlation wants them from the rules below.
    fn keys(&self) -> Vec<Vec<Key>> {
        let mut keys: Vec<Vec<Key>> = vec![Vec::new(); self.rules.len()];
        for info in &self.rules {
            let RuleKind::Correlation(correlation) = &info.kind else { continue };
            for name in correlation.group_by.iter().chain(&correlation.fields) {
                self.want(correlation, name, name, &mut keys, 0);
            }
        }
        keys
    }

    fn want(
        &self,
        c: &CorrelationRule,
        key: &str,
        name: &str,
        keys: &mut [Vec<Key>],
        depth: usize,
    ) {
        // Circles and longer chains are refused on load.
        const DEPTH_MAX: usize = 16;
        if depth > DEPTH_MAX {
            return;
        }
        for rule in &c.rules {
            let own = c.aliases.get(name).and_then(|mapping| mapping.get(rule));
            let field = own.map_or(name, String::as_str);
            match self.get(*rule).map(|info| &info.kind) {
                Some(RuleKind::Correlation(below)) => {
                    self.want(below, key, field, keys, depth + 1);
                    self.want(below, field, field, keys, depth + 1);
                }
                _ => {
                    let wanted = (key.to_owned(), field.to_owned());
                    let known = &mut keys[rule.at()];
                    if !known.contains(&wanted) {
                        known.push(wanted);
                    }
                }
            }
        }
    }
}

fn field_names<'a>(expr: &'a Expr, names: &mut BTreeSet<&'a str>) {
    match expr {
        Expr::Test(predicate) => {
            names.extend(predicate.field.as_deref());
            if let Test::FieldRef { other, .. } = &predicate.test {
                names.insert(other);
            }
        }
        Expr::And(parts) | Expr::Or(parts) | Expr::AtLeast(_, parts) => {
            parts.iter().for_each(|part| field_names(part, names));
        }
        Expr::Not(part) => field_names(part, names),
    }
}

impl Matcher {
    /// Compiles the rules against `fields` (into which [`RuleSet::intern_fields`] put their
    /// names), the logsources that sources produce, and the sources' names by index.
    pub fn compile(
        rules: &RuleSet,
        fields: &FieldTable,
        logsources: &LogsourceTable,
        sources: &[String],
    ) -> Self {
        let mut compiler = Compiler::new(fields);
        let keys = rules.keys();
        let mut programs = Vec::with_capacity(rules.rules.len());
        let mut witnesses: Vec<Option<Vec<(u32, Literal)>>> = Vec::new();
        for (at, expr) in rules.exprs.iter().enumerate() {
            let info = &rules.rules[at];
            let Some(expr) = expr else {
                programs.push(None);
                witnesses.push(None);
                continue;
            };
            let product = info.logsource.as_ref().and_then(|l| l.product.as_deref());
            let ocsf = product == Some(OCSF);
            let condition = compiler.condition(expr, ocsf);
            let keys =
                keys[at].iter().map(|(key, field)| (key.clone(), compiler.slot(Some(field), ocsf)));
            programs.push(Some(Program { id: info.id.clone(), condition, keys: keys.collect() }));
            witnesses.push(choose(expr).map(|witness| compiler.bind(witness, ocsf)));
        }
        let mut matcher = Self {
            serial: SERIAL.fetch_add(1, Ordering::Relaxed),
            group_slots: compiler.group_slots(),
            groups: compiler.groups,
            slots: compiler.slots,
            atoms: compiler.atoms,
            indexes: Vec::new(),
            programs,
            by_logsource: Vec::new(),
            by_class: Vec::new(),
            sources: sources.to_vec(),
        };
        matcher.route(rules, &witnesses, logsources);
        matcher
    }

    fn route(
        &mut self,
        rules: &RuleSet,
        witnesses: &[Option<Vec<(u32, Literal)>>],
        logsources: &LogsourceTable,
    ) {
        let none = crate::rule::RuleLogsource::default();
        let named = |rule: u32| rules.rules[rule as usize].logsource.as_ref().unwrap_or(&none);
        let all = || {
            (0..self.programs.len() as u32).filter(|rule| self.programs[*rule as usize].is_some())
        };
        let mut pool = Pool::default();
        let mut by_logsource: Vec<Route> = Vec::new();
        for logsource in logsources.all() {
            let wanted = all().filter(|rule| meets(named(*rule), logsource));
            by_logsource.push(self.one_route(wanted, witnesses, &mut pool));
        }
        let mut by_class: Vec<(ClassUid, Route)> = Vec::new();
        for class in CLASSES {
            let wanted = all().filter(|rule| {
                let logsource = named(*rule);
                let category = logsource.category.as_deref();
                logsource.product.as_deref() == Some(OCSF)
                    && category
                        .is_none_or(|name| Class::by_name(name).is_some_and(|c| c.uid == class.uid))
            });
            let route = self.one_route(wanted, witnesses, &mut pool);
            if route.len() > 0 {
                by_class.push((class.uid, route));
            }
        }
        self.by_logsource = by_logsource;
        self.by_class = by_class;
        self.indexes = pool.into_indexes();
    }

    fn one_route(
        &self,
        rules: impl Iterator<Item = u32>,
        witnesses: &[Option<Vec<(u32, Literal)>>],
        pool: &mut Pool,
    ) -> Route {
        let mut route = Route::new(self.programs.len(), self.slots.len());
        let mut slots: BTreeMap<u32, BTreeMap<&Literal, Vec<u32>>> = BTreeMap::new();
        for rule in rules {
            route.add(rule);
            match &witnesses[rule as usize] {
                None => route.always.push(rule),
                Some(witness) => {
                    for (slot, literal) in witness {
                        let literals = slots.entry(*slot).or_default();
                        literals.entry(literal).or_default().push(rule);
                    }
                }
            }
        }
        for (slot, literals) in slots {
            let meaning = &self.slots[slot as usize];
            match pool.index(slot, &literals) {
                Some(index) => {
                    route.set_index(slot, index);
                    if meaning.keywords || meaning.column.is_some() {
                        route.extra.push(slot);
                    }
                }
                // The rules are evaluated for every event that they meet.
                None => route.always.extend(literals.into_values().flatten()),
            }
        }
        route
    }
}

struct Compiler<'a> {
    fields: &'a FieldTable,
    /// Lower-case name -> group.
    group_names: AHashMap<String, u32>,
    groups: Vec<u32>,
    slots: Vec<Slot>,
    slot_ids: AHashMap<(Option<String>, bool), u32>,
    atoms: Vec<Atom>,
    atom_ids: AHashMap<(u32, Test), u32>,
}

impl<'a> Compiler<'a> {
    fn new(fields: &'a FieldTable) -> Self {
        Self {
            fields,
            group_names: AHashMap::new(),
            groups: vec![NO_GROUP; fields.len()],
            slots: Vec::new(),
            slot_ids: AHashMap::new(),
            atoms: Vec::new(),
            atom_ids: AHashMap::new(),
        }
    }

    fn condition(&mut self, expr: &Expr, ocsf: bool) -> Cond {
        let mut all = |parts: &[Expr]| -> Box<[Cond]> {
            let mut parts: Vec<Cond> =
                parts.iter().map(|part| self.condition(part, ocsf)).collect();
            parts.sort_by_key(|part| self.effort(part));
            parts.into()
        };
        match expr {
            Expr::And(parts) => Cond::And(all(parts)),
            Expr::Or(parts) => Cond::Or(all(parts)),
            Expr::AtLeast(count, parts) => Cond::AtLeast(*count, all(parts)),
            Expr::Not(part) => Cond::Not(Box::new(self.condition(part, ocsf))),
            Expr::Test(predicate) => Cond::Atom(self.atom(predicate, ocsf)),
        }
    }

    /// What a condition costs to evaluate, roughly: cheap parts go first.
    fn effort(&self, condition: &Cond) -> u32 {
        match condition {
            Cond::Atom(id) => {
                let atom = &self.atoms[*id as usize];
                let place = if self.slots[atom.slot as usize].keywords { 50 } else { 1 };
                place
                    * match &atom.test {
                        AtomTest::Regex(_) => 40,
                        AtomTest::FieldRef { .. } | AtomTest::TimePart(..) => 4,
                        _ => 1,
                    }
            }
            Cond::Not(part) => self.effort(part),
            Cond::And(parts) | Cond::Or(parts) | Cond::AtLeast(_, parts) => {
                parts.iter().map(|part| self.effort(part)).sum()
            }
        }
    }

    fn atom(&mut self, predicate: &Predicate, ocsf: bool) -> u32 {
        let slot = self.slot(predicate.field.as_deref(), ocsf);
        let key = (slot, predicate.test.clone());
        if let Some(id) = self.atom_ids.get(&key) {
            return *id;
        }
        let other = match &predicate.test {
            Test::FieldRef { other, .. } => Some(self.slot(Some(other), ocsf)),
            _ => None,
        };
        let id = self.atoms.len() as u32;
        self.atoms.push(Atom { slot, test: AtomTest::new(&predicate.test, other) });
        self.atom_ids.insert(key, id);
        id
    }

    fn slot(&mut self, name: Option<&str>, ocsf: bool) -> u32 {
        let key = (name.map(str::to_owned), ocsf);
        if let Some(id) = self.slot_ids.get(&key) {
            return *id;
        }
        let id = self.slots.len() as u32;
        let slot = match name {
            None => Slot {
                name: "keywords".to_owned(),
                exact: FieldId::UNKNOWN,
                group: NO_GROUP,
                column: None,
                column_first: false,
                keywords: true,
            },
            Some(name) => {
                // Elsewhere than in our own rules, a plain word is the source's field.
                let column = (ocsf || name.contains('.')).then(|| ColumnId::find(name)).flatten();
                Slot {
                    name: name.to_owned(),
                    exact: self.fields.get(name.as_bytes()),
                    group: self.group(name),
                    column,
                    column_first: ocsf && column.is_some(),
                    keywords: false,
                }
            }
        };
        self.slots.push(slot);
        self.slot_ids.insert(key, id);
        id
    }

    /// The group of a name: all names of the table that differ from it in ASCII case only.
    fn group(&mut self, name: &str) -> u32 {
        let lower = name.to_ascii_lowercase();
        if let Some(group) = self.group_names.get(&lower) {
            return *group;
        }
        let group = self.group_names.len() as u32;
        let mut any = false;
        for at in 0..self.fields.len() {
            if self.fields.name(FieldId(at as u32)).eq_ignore_ascii_case(&lower) {
                self.groups[at] = group;
                any = true;
            }
        }
        let group = if any { group } else { NO_GROUP };
        if any {
            self.group_names.insert(lower, group);
        }
        group
    }

    fn bind(&mut self, witness: Witness, ocsf: bool) -> Vec<(u32, Literal)> {
        witness
            .into_iter()
            .map(|(field, literal)| (self.slot(field.as_deref(), ocsf), literal))
            .collect()
    }

    fn group_slots(&self) -> Vec<Vec<u32>> {
        let mut all = vec![Vec::new(); self.group_names.len()];
        for (at, slot) in self.slots.iter().enumerate() {
            if slot.group != NO_GROUP {
                all[slot.group as usize].push(at as u32);
            }
        }
        all
    }
}

/// Used by the loader: whether a rule of the product `ocsf` names a class that exists.
pub(crate) fn class_exists(name: &str) -> bool {
    Class::by_name(name).is_some()
}

impl Matcher {
    /// The names under which correlations know a rule's keys.
    pub fn key_names(&self, rule: RuleIndex) -> Vec<&str> {
        let program = self.programs.get(rule.at()).and_then(Option::as_ref);
        program.map(|p| p.keys.iter().map(|(name, _)| name.as_str()).collect()).unwrap_or_default()
    }
}
