//! The senders: what they have submitted, what was acknowledged, what they send again.

use super::faults::Counts;
use super::plant::Plant;
use std::collections::BTreeMap;
use yagura_collect::{FeedContext, Group};
use yagura_event::{
    Context, Micros, Reference, SourceChoice, TenantName, TenantScope, time::HOUR, time::SECOND,
};
use yagura_journal::{Entry, FileDone, JournalError};
use yagura_meta::JudgeStore;
use yagura_testkit::rng::Rng;

/// 2026-03-02 08:00 UTC.
const BEGIN: Micros = 1_772_438_400 * SECOND;

/// Batches of files that are sent one after the other.
const BATCHES: u64 = 2;

/// Files of a batch.
const FILES: u64 = 3;

/// What may be in the tables of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Promise {
    /// Sent once, not acknowledged: it may be there.
    Maybe,
    /// It must be there once.
    Once,
}

/// A repeatable request: its key and records.
type Request = (String, u64, u64);

#[derive(PartialEq, Eq)]
enum Stage {
    Closed,
    Open { file: u64, sent: u64 },
    Finished,
}

/// Everything outside the process; it survives every crash.
pub struct Client {
    seed: u64,
    pub now: Micros,
    records: u64,
    pub sent: u64,
    pub promises: BTreeMap<u64, Promise>,
    /// Records of groups that wait for a commit.
    in_flight: Vec<(u64, u64)>,
    owed: Option<Request>,
    batch: u64,
    stage: Stage,
    /// First record of each file of each batch.
    files: BTreeMap<(u64, u64), u64>,
    /// A full disk has room again when it is met.
    pub room_returns: bool,
    /// What was unusual of what was sent.
    pub counts: Counts,
}

impl Client {
    pub fn new(seed: u64, records: u64) -> Self {
        Self {
            seed,
            now: BEGIN,
            records,
            sent: 0,
            promises: BTreeMap::new(),
            in_flight: Vec::new(),
            owed: None,
            batch: 1,
            stage: Stage::Closed,
            files: BTreeMap::new(),
            room_returns: false,
            counts: Counts::new(),
        }
    }

    /// Whether all has been sent and acknowledged.
    pub fn done(&self) -> bool {
        self.sent >= self.records && self.owed.is_none() && self.stage == Stage::Finished
    }

    /// The number in a record's text; 0 where it has none.
    pub fn number(text: &str) -> u64 {
        let digits = text.split("[").nth(1).and_then(|rest| rest.split([']', ',']).next());
        let digits = digits.unwrap_or_default().trim_start_matches("0x");
        u64::from_str_radix(digits, 16).unwrap_or(0)
    }

    /// The text of a record, a function of seed and number.
    fn text(&self, number: u64) -> String {
        let mut rng = Rng::new(self.seed.rotate_left(20) ^ number);
        let stamp = format!("Mar  2 08:{:02}:{:02}", number / 120 % 60, number / 2 % 60);
        let source = rng.range(1, 4);
        let port = rng.range(20_000, 60_000);
        match rng.range(0, 9) {
            0..4 => format!(
                "<86>{stamp} gate sshd[{number:x}]: Failed password for root from \
                 203.0.113.{source} port {port} ssh2"
            ),
            4 => format!(
                "<86>{stamp} gate sshd[{number:x}]: Accepted password for root from \
                 203.0.113.{source} port {port} ssh2"
            ),
            5 if number.is_multiple_of(7) => {
                format!("<13>1 {} gate odd 7 - - of another time [{number:x}]", far_stamp(number))
            }
            5 => format!("<13>{stamp} gate unheard[{number:x}]: of \u{fffd} nothing to see"),
            _ => format!(
                "<164>{stamp} fw : %ASA-4-106023: Deny tcp src outside:198.51.100.{source}/{port} \
                 dst inside:10.0.{}.{}/{} by access-group \"outside\" [0x{number:x}, 0x0]",
                rng.range(0, 3),
                rng.range(1, 250),
                rng.range(1, 1024)
            ),
        }
    }

    fn feed(&self, plant: &Plant, name: &str, batch: bool) -> Result<FeedContext, String> {
        let reference = if batch { Reference::At(BEGIN) } else { Reference::Received };
        let context = Context::new("default", name, SourceChoice::Auto, reference);
        let id = plant.journal.handle().put_context(&context);
        let context = id.map_err(|e| format!("context: {e}"))?;
        Ok(FeedContext { tenant: TenantName::default_tenant(), feed: name.to_owned(), context })
    }

    fn append(&mut self, plant: &mut Plant, group: Group<'_>, rng: &mut Rng) -> Result<(), String> {
        self.now += rng.range(0, 3_000_000).cast_signed();
        if rng.range(0, 149) == 0 {
            self.jump(rng);
        }
        if rng.chance(3) {
            self.now += 45 * SECOND;
        }
        // A wall clock that is set back; the journal's does not follow.
        let back = if rng.chance(5) { 2 * SECOND } else { 0 };
        let entries =
            group.into_entries(self.now.div_euclid(HOUR)).map_err(|e| format!("group: {e}"))?;
        let appended = plant.journal.append_group(self.now - back, &entries);
        appended.map(drop).map_err(|e| format!("append: {e}"))
    }

    /// The wall clock jumps, as a machine's does that gets another time from somewhere.
    fn jump(&mut self, rng: &mut Rng) {
        let (by, what) = match rng.range(0, 5) {
            0..3 => (rng.range(2, 30).cast_signed() * HOUR, "clock hours ahead"),
            3 => (366 * 24 * HOUR, "clock a year ahead"),
            4 => (-366 * 24 * HOUR, "clock set back"),
            _ => (-rng.range(1, 30).cast_signed() * HOUR, "clock set back"),
        };
        self.now += by;
        *self.counts.entry(what).or_default() += 1;
    }

    /// Sends something; most groups are committed at once, the rest with a later one.
    pub fn step(&mut self, plant: &mut Plant, rng: &mut Rng) -> Result<(), String> {
        match rng.range(0, 9) {
            0..4 => self.request(plant, rng)?,
            4..6 => self.lines(plant, rng)?,
            6 => {
                let tick = plant.journal.append(self.now, &Entry::Tick);
                tick.map_err(|e| format!("tick: {e}"))?;
            }
            _ => self.file(plant, rng)?,
        }
        if rng.chance(70) {
            self.commit(plant)?;
        }
        Ok(())
    }

    pub fn commit(&mut self, plant: &mut Plant) -> Result<(), String> {
        // A disk that is full is tried again, as the writer's thread does.
        let committed = plant.journal.commit().or_else(|error| match error {
            JournalError::DiskFull { .. } if self.room_comes(plant) => plant.journal.commit(),
            error => Err(error),
        });
        committed.map_err(|e| format!("commit: {e}"))?;
        for (first, count) in self.in_flight.drain(..) {
            self.promises.extend((first..first + count).map(|n| (n, Promise::Once)));
        }
        self.owed = None;
        Ok(())
    }

    /// Whether there is room again after a full disk was met.
    fn room_comes(&self, plant: &Plant) -> bool {
        if self.room_returns {
            plant.fs.set_faults(|f| f.full_from = None);
        }
        self.room_returns
    }

    /// A request with a key: sent again after a crash until it is acknowledged.
    fn request(&mut self, plant: &mut Plant, rng: &mut Rng) -> Result<(), String> {
        if self.owed.is_some() || self.sent >= self.records {
            return Ok(());
        }
        let (first, count) = self.take(rng.range(1, 40));
        self.owed = Some((format!("key-{first}"), first, count));
        self.send_owed(plant, rng)
    }

    fn send_owed(&mut self, plant: &mut Plant, rng: &mut Rng) -> Result<(), String> {
        let Some((key, first, count)) = self.owed.clone() else { return Ok(()) };
        let feed = self.feed(plant, "http", false)?;
        let mut group = Group::new(&feed, "192.0.2.9:40000");
        for number in first..first + count {
            let pushed = group.push(7, number, self.text(number).as_bytes());
            pushed.map_err(|e| format!("push: {e}"))?;
        }
        let tenant = TenantName::default_tenant();
        group.control(Entry::IdempotencyKey { tenant, key, response: "{}".to_owned() });
        self.in_flight.push((first, count));
        self.append(plant, group, rng)
    }

    /// Lines of a peer that never repeats.
    fn lines(&mut self, plant: &mut Plant, rng: &mut Rng) -> Result<(), String> {
        if self.sent >= self.records {
            return Ok(());
        }
        let (first, count) = self.take(rng.range(1, 25));
        let feed = self.feed(plant, "syslog", false)?;
        let mut group = Group::new(&feed, "192.0.2.7:514");
        for number in first..first + count {
            self.promises.insert(number, Promise::Maybe);
            let pushed = group.push(1, number, self.text(number).as_bytes());
            pushed.map_err(|e| format!("push: {e}"))?;
        }
        self.in_flight.push((first, count));
        self.append(plant, group, rng)
    }

    /// The next piece of the batch: its opening, some lines of a file, its close.
    fn file(&mut self, plant: &mut Plant, rng: &mut Rng) -> Result<(), String> {
        let (batch, lines) = (self.batch, self.records / 40);
        match self.stage {
            Stage::Finished => Ok(()),
            Stage::Closed => {
                let tenant = TenantName::default_tenant();
                let entry = Entry::BatchOpen { batch, tenant, settings: "{}".to_owned() };
                self.stage = Stage::Open { file: 0, sent: 0 };
                let opened = plant.journal.append(self.now, &entry);
                opened.map_err(|e| format!("open a batch: {e}"))?;
                self.commit(plant)
            }
            Stage::Open { file: FILES, .. } => {
                let entry = Entry::BatchClose { batch, aborted: false };
                let closed = plant.journal.append(self.now, &entry);
                closed.map_err(|e| format!("close a batch: {e}"))?;
                self.commit(plant)?;
                self.next_batch();
                Ok(())
            }
            Stage::Open { file, sent } => {
                let first = self.first_of(file, lines);
                let feed = self.feed(plant, "ingest", true)?;
                let mut group = Group::of_batch(&feed, "", batch);
                let count = rng.range(1, 30).min(lines - sent);
                for number in first + sent..first + sent + count {
                    let pushed = group.push(100 + file, number, self.text(number).as_bytes());
                    pushed.map_err(|e| format!("push: {e}"))?;
                }
                self.stage = Stage::Open { file, sent: sent + count };
                if sent + count == lines {
                    group.control(done(batch, file, lines));
                    self.stage = Stage::Open { file: file + 1, sent: 0 };
                }
                self.append(plant, group, rng)
            }
        }
    }

    /// After a restart: what the stores say decides what is sent again.
    pub fn resume(&mut self, plant: &mut Plant, rng: &mut Rng) -> Result<(), String> {
        let store = plant.line.open_judge()?;
        self.in_flight.clear();
        let scope = TenantScope::one(TenantName::default_tenant());
        if let Some((key, first, count)) = &self.owed {
            if store.reply(&scope, key).map_err(|e| e.to_string())?.is_some() {
                let stored = *first..*first + *count;
                self.promises.extend(stored.map(|n| (n, Promise::Once)));
                self.owed = None;
            } else {
                self.send_owed(plant, rng)?;
                self.commit(plant)?;
            }
        }
        self.resume_batch(&store, &scope).map_err(|e| format!("resume a batch: {e}"))
    }

    fn resume_batch(
        &mut self,
        store: &JudgeStore,
        scope: &TenantScope,
    ) -> Result<(), yagura_meta::MetaError> {
        if self.stage == Stage::Finished {
            return Ok(());
        }
        let batches = store.batches(scope)?;
        let row = batches.iter().find(|b| b.batch == self.batch);
        match row.map(|b| b.state.as_str()) {
            None => self.stage = Stage::Closed,
            Some("closed") => self.next_batch(),
            Some(_) => {
                let positions = store.positions(self.batch)?;
                let mut file = 0;
                while file < FILES
                    && !store.files(scope, "ingest", &path(self.batch, file))?.is_empty()
                {
                    file += 1;
                }
                let stream = 100 + file;
                let sent = positions.iter().find(|p| p.stream == stream).map_or(0, |p| p.records);
                self.stage = Stage::Open { file, sent };
            }
        }
        Ok(())
    }

    fn next_batch(&mut self) {
        self.batch += 1;
        self.stage = if self.batch > BATCHES { Stage::Finished } else { Stage::Closed };
    }

    fn first_of(&mut self, file: u64, lines: u64) -> u64 {
        if let Some(first) = self.files.get(&(self.batch, file)) {
            return *first;
        }
        let (first, _) = self.take(lines);
        // A batch is resumed where it was: all of it must be there in the end.
        self.promises.extend((first..first + lines).map(|n| (n, Promise::Once)));
        self.files.insert((self.batch, file), first);
        first
    }

    fn take(&mut self, count: u64) -> (u64, u64) {
        let first = self.sent + 1;
        self.sent += count;
        (first, count)
    }
}

/// Long ago or long to come.
fn far_stamp(number: u64) -> &'static str {
    if number.is_multiple_of(2) { "1970-01-01T00:00:01Z" } else { "2100-12-31T23:59:59Z" }
}

fn path(batch: u64, file: u64) -> String {
    format!("batch{batch}/file{file}.log")
}

fn done(batch: u64, file: u64, records: u64) -> Entry {
    let (tenant, feed) = (TenantName::default_tenant(), "ingest".to_owned());
    let path = path(batch, file);
    Entry::FileDone(FileDone { tenant, feed, path, hash: [file as u8; 16], bytes: 1, records })
}
