//! A finding while it grows, its samples and parties, and the group it stands for.

use super::plan::RulePlan;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;
use yagura_event::batch::role_of;
use yagura_event::finding::FINDING_SAMPLES_MAX;
use yagura_event::time::SECOND;
use yagura_event::{
    ColumnId, Finding, Lsn, Match, Micros, Observable, ObservableKind, Party, Role, Sample,
};

/// Most parties of a finding; further ones stay findable in the samples.
pub const FINDING_PARTIES_MAX: usize = 64;

/// Longest group value in bytes; of a longer one the head and a hash are kept, so that it
/// still separates groups.
pub const GROUP_VALUE_BYTES_MAX: usize = 256;

/// Longest pause in journal time between two versions of a finding that keeps changing; the
/// pause grows with the finding's age, so that lasting trouble does not flood the judge.
pub const UPDATE_PAUSE_MAX: Micros = 10 * SECOND;

/// A sample shared by the findings and windows that hold it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct SampleRef {
    pub sample: Arc<Sample>,
    /// About how much memory it takes, in bytes.
    pub bytes: usize,
}

impl Serialize for SampleRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.sample.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for SampleRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Sample::deserialize(deserializer).map(Self::new)
    }
}

impl SampleRef {
    pub fn of(m: &Match) -> Self {
        Self::shared(Arc::clone(&m.sample))
    }

    fn new(sample: Sample) -> Self {
        Self::shared(Arc::new(sample))
    }

    fn shared(sample: Arc<Sample>) -> Self {
        let fields: usize = sample.fields.iter().map(|(k, v)| k.len() + v.len() + 48).sum();
        let parties: usize = sample.parties.iter().map(|p| p.observable.value.len() + 32).sum();
        let bytes = 200 + sample.raw.len() + sample.rule.len() + fields + parties;
        Self { sample, bytes }
    }
}

/// A finding that may still grow.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub(super) struct Open {
    pub id: u128,
    /// Oldest time that belongs to it.
    pub start: Micros,
    /// Newest time that may belong to it.
    pub limit: Micros,
    /// How far beyond `last` an event may be and still belong to it.
    pub reach: Micros,
    pub first: Micros,
    pub last: Micros,
    pub count: u64,
    pub samples: Vec<SampleRef>,
    /// Versions emitted so far.
    pub version: u32,
    /// Whether something changed since the last version.
    pub changed: bool,
    /// Waits in the correlator's list for its next version.
    pub queued: bool,
    /// Counted in the hour's budget; one that is not is never emitted.
    pub begun: bool,
    /// Journal time of the first and the last version.
    pub opened: Micros,
    pub emitted: Micros,
}

impl Open {
    pub fn new(id: u128, start: Micros, limit: Micros, reach: Micros, time: Micros) -> Self {
        Self {
            id,
            start,
            limit,
            reach,
            first: time,
            last: time,
            count: 0,
            samples: Vec::new(),
            version: 0,
            changed: false,
            queued: false,
            begun: false,
            opened: 0,
            emitted: 0,
        }
    }

    /// Newest time that still extends it.
    pub fn end(&self) -> Micros {
        self.last.saturating_add(self.reach).min(self.limit)
    }

    pub fn contains(&self, time: Micros) -> bool {
        self.start <= time && time <= self.end()
    }

    /// Counts `weight` events.
    pub fn add(&mut self, time: Micros, weight: u32, samples: &[SampleRef]) {
        self.count += u64::from(weight);
        self.first = self.first.min(time);
        self.last = self.last.max(time);
        self.changed = true;
        for sample in samples {
            self.add_sample(sample);
        }
    }

    /// The first samples stay; the newest takes the last place.
    fn add_sample(&mut self, sample: &SampleRef) {
        let same = |held: &SampleRef| {
            held.sample.event == sample.sample.event && held.sample.rule == sample.sample.rule
        };
        if self.samples.iter().any(same) {
            return;
        }
        self.samples.truncate(FINDING_SAMPLES_MAX - 1);
        self.samples.push(sample.clone());
    }

    pub fn bytes(&self) -> usize {
        200 + self.samples.iter().map(|held| held.bytes).sum::<usize>()
    }

    /// Whether a changed finding has waited long enough for its next version.
    pub fn due(&self, now: Micros) -> bool {
        let age = self.emitted.saturating_sub(self.opened);
        let pause = (age / 8).clamp(SECOND, UPDATE_PAUSE_MAX);
        now.saturating_sub(self.emitted) >= pause
    }

    /// The next version.
    pub fn emit(&mut self, head: &Head<'_>, now: Micros, lsn: Lsn) -> Finding {
        if self.version == 0 {
            self.opened = now;
        }
        self.version = self.version.saturating_add(1);
        self.emitted = now;
        self.changed = false;
        self.queued = false;
        let mut samples: Vec<Sample> =
            self.samples.iter().map(|held| (*held.sample).clone()).collect();
        samples.sort_by(|a, b| (a.time, a.event, &a.rule).cmp(&(b.time, b.event, &b.rule)));
        Finding {
            id: self.id,
            version: self.version,
            tenant: head.tenant.to_owned(),
            rule: head.rule.id.clone(),
            rule_version: head.rule.version.clone(),
            title: head.rule.title.clone(),
            level: head.rule.level,
            kind: head.kind.to_owned(),
            tags: head.rule.tags.clone(),
            group: head.group.to_owned(),
            first_time: self.first,
            last_time: self.last,
            count: self.count,
            parties: parties(head.values, &samples),
            samples,
            lsn: lsn.0,
            retrospective: false,
        }
    }
}

/// What a finding says beside what it counted.
pub(super) struct Head<'a> {
    pub tenant: &'a str,
    pub rule: &'a RulePlan,
    pub kind: &'static str,
    pub group: &'a str,
    /// Group-by fields and their values.
    pub values: &'a [(String, String)],
}

/// Parties of the group first, then those of the samples in their order.
fn parties(values: &[(String, String)], samples: &[Sample]) -> Vec<Party> {
    let grouped = values.iter().filter_map(|(field, value)| {
        let id = ColumnId::find(field)?;
        let observable = Observable::new(id.column().observable?, value)?;
        Some(Party { role: role_of(id), observable })
    });
    let seen = samples.iter().flat_map(|sample| sample.parties.iter().cloned());
    let mut found: Vec<Party> = Vec::new();
    for party in grouped.chain(seen) {
        if found.len() >= FINDING_PARTIES_MAX {
            break;
        }
        if !found.contains(&party) {
            found.push(party);
        }
    }
    found
}

/// The group of a plain rule's match: the device's host, else the source, else the user.
pub(super) fn plain_group(m: &Match) -> Vec<(String, String)> {
    use ObservableKind::{Host, Ip, User};
    let places = [
        (Role::Device, Host, "device.hostname"),
        (Role::Device, Ip, "device.ip"),
        (Role::Source, Ip, "src_endpoint.ip"),
        (Role::Source, Host, "src_endpoint.hostname"),
        (Role::Actor, User, "actor.user.name"),
        (Role::Target, User, "user.name"),
    ];
    for (role, kind, field) in places {
        let at = |party: &&Party| party.role == role && party.observable.kind == kind;
        if let Some(party) = m.parties.iter().find(at) {
            return vec![(field.to_owned(), group_value(&party.observable.value))];
        }
    }
    Vec::new()
}

/// A value as groups and distinct counts compare it: as Sigma does, without case.
pub(super) fn group_value(value: &str) -> String {
    let folded = value.to_lowercase();
    if folded.len() <= GROUP_VALUE_BYTES_MAX {
        return folded;
    }
    let mut cut = GROUP_VALUE_BYTES_MAX;
    while !folded.is_char_boundary(cut) {
        cut -= 1;
    }
    format!("{}~{:016x}", &folded[..cut], hash(&[&folded]))
}

/// 64 bits that tell tuples of values apart.
pub(super) fn hash(parts: &[&str]) -> u64 {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let mut head = [0u8; 8];
    hasher.finalize_xof().fill(&mut head);
    u64::from_le_bytes(head)
}

/// `field=value` joined by `, `.
pub(super) fn label(values: &[(String, String)]) -> String {
    let pairs: Vec<String> =
        values.iter().map(|(field, value)| format!("{field}={value}")).collect();
    pairs.join(", ")
}
