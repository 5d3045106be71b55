//! Which file continues which content: renamed, copied, compressed, cut, or new.

use crate::container::is_compressed;
use crate::watch::Watcher;
use crate::watch::follow::{Follower, Packed, Source, StepError, mark};
use crate::watch::glob::{FileId, Seen};
use crate::watch::notice::{Noticed, notice, seen_at};
use crate::watch::place::{
    PRINT_BYTES, Place, bare, bytes_at, is_beginning, open_seen, packed_beginning, print_at,
    related,
};
use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io;
use std::os::unix::fs::DirEntryExt;
use std::time::{Duration, Instant, SystemTime};
use yagura_event::time::SECOND;
use yagura_journal::Ticket;

/// Most files of one watch that are followed; further ones are not read, which is said.
pub const FILES_MAX: usize = 10_000;

/// Days for which content without a file is known again.
pub const FORGET_DAYS: i64 = 7;

/// Scans in which content without a file is looked for beside the watched files.
const TRIES: u32 = 10;

/// How long a removed file is read on after its last change.
const LINGER: Duration = Duration::from_secs(10);

/// How long a compressed file must be unchanged before it is read: compressing takes time.
const SETTLED: Duration = Duration::from_secs(2);

/// How long a copy beside its original waits for the original to be cut.
const HOLD: Duration = Duration::from_secs(60);

/// Content that was taken and has no file at present.
pub struct Orphan {
    pub key: String,
    pub place: Place,
    /// Scans in which it is still looked for.
    tries: u32,
}

impl Orphan {
    pub fn new(key: String, place: Place) -> Self {
        Self { key, place, tries: TRIES }
    }
}

/// A copy of a followed file, which may be cut in the next moment.
pub struct Held {
    key: String,
    len: u64,
    modified: SystemTime,
    since: Instant,
    /// Bytes of content that are known by the original.
    content: u64,
    /// Whether it is compressed: it is compared again only at the end.
    packed: bool,
}

impl Watcher {
    /// Looks for files and decides what each continues.
    pub(super) fn scan(
        &mut self,
        now: Instant,
        tickets: &mut Vec<Ticket>,
    ) -> Result<(), StepError> {
        let mut seen = Vec::new();
        for glob in &self.watch.paths {
            let (found, faults) = glob.list();
            seen.extend(found);
            faults.into_iter().for_each(|fault| tracing::warn!("watch: {fault}"));
        }
        let mut by_id: HashMap<FileId, usize> = HashMap::new();
        for (index, seen) in seen.iter().enumerate() {
            by_id.entry(seen.id).or_insert(index);
        }
        self.notice_all(&seen, &by_id, now);
        self.let_go(now);
        let followed: HashSet<FileId> = self.followers.iter().map(|f| f.place.id()).collect();
        for (index, seen) in seen.iter().enumerate() {
            if by_id.get(&seen.id) != Some(&index) || followed.contains(&seen.id) {
                continue;
            }
            match self.meet(seen, now, tickets) {
                Ok(()) => {}
                // It may have gone meanwhile.
                Err(StepError::File(error)) if error.kind() == io::ErrorKind::NotFound => {}
                Err(StepError::File(error)) => {
                    self.tell(format!("{}: {error}", seen.path.display()));
                }
                Err(other) => return Err(other),
            }
        }
        self.held.retain(|id, _| by_id.contains_key(id));
        self.search(now, tickets)?;
        self.forget(tickets)
    }

    /// Where every followed file is; those with something new are opened as far as there is
    /// room.
    fn notice_all(&mut self, seen: &[Seen], by_id: &HashMap<FileId, usize>, now: Instant) {
        let open = self.followers.iter().filter(|f| !matches!(f.source, Source::Closed)).count();
        self.room = self.watch.open_max.saturating_sub(open);
        let count = self.followers.len();
        let first = self.turn;
        for step in 0..count {
            let index = (first + step) % count;
            let Some(follower) = self.followers.get_mut(index) else { break };
            let found = by_id.get(&follower.place.id()).and_then(|index| seen.get(*index));
            match notice(follower, found, now, self.room > 0) {
                Noticed::Nothing => {}
                Noticed::Opened => {
                    (self.room, self.turn) = (self.room.saturating_sub(1), index + 1)
                }
                Noticed::Waits => self.crowded = true,
            }
        }
    }

    /// Followers of removed files that were read to their end.
    fn let_go(&mut self, now: Instant) {
        let mut index = 0;
        while let Some(follower) = self.followers.get(index) {
            let quiet = now.saturating_duration_since(follower.changed) >= LINGER;
            let open = matches!(follower.source, Source::Plain(_)) && !quiet;
            if follower.linked || open || matches!(follower.source, Source::Packed(_)) {
                index += 1;
                continue;
            }
            let gone = self.followers.remove(index);
            if gone.place.offset > 0 {
                self.orphans.push(Orphan::new(gone.key, gone.place));
            }
        }
    }

    /// A file that nobody follows.
    fn meet(
        &mut self,
        seen: &Seen,
        now: Instant,
        tickets: &mut Vec<Ticket>,
    ) -> Result<(), StepError> {
        if seen.len == 0 {
            return Ok(());
        }
        let held = self.still_held(seen);
        let since = held.map_or(now, |held| held.since);
        let late = now.saturating_duration_since(since) >= HOLD;
        if held.is_some_and(|held| held.packed) && !late {
            return Ok(());
        }
        if self.room == 0 {
            self.crowded = true;
            return Ok(());
        }
        let file = open_seen(seen)?;
        let head = bytes_at(&file, 0, PRINT_BYTES as u64)?;
        let packed = is_compressed(&head);
        if packed && seen.modified.elapsed().unwrap_or_default() < SETTLED {
            return Ok(());
        }
        if let Some((index, source)) = self.continued(seen, &file, packed)? {
            return self.adopt(index, seen, source, now, tickets);
        }
        if let Some((key, content)) = self.copied(seen, &file, packed)? {
            let (len, modified) = (seen.len, seen.modified);
            self.held.insert(seen.id, Held { key, len, modified, since, content, packed });
            // Its original may be cut before it is read: what is held is compared every time.
            return if late { self.known_copy(seen, now, tickets) } else { Ok(()) };
        }
        self.held.remove(&seen.id);
        if let Some(form) = unfit(&head) {
            let path = seen.path.display();
            self.tell(format!("{path} is {form}, which does not grow line by line; take it in with `yagura ingest`"));
            return Ok(());
        }
        if self.followers.len() >= FILES_MAX {
            let feed = &self.watch.feed;
            self.tell(format!("{feed}: files beyond {FILES_MAX} are not read"));
            return Ok(());
        }
        let place = Place {
            name: if packed { bare(&seen.name).to_owned() } else { seen.name.clone() },
            path: seen.path.clone(),
            dev: seen.id.dev,
            ino: seen.id.ino,
            ..Place::default()
        };
        let source = match packed {
            false => Source::Plain(file),
            true => Source::Packed(Packed::new(&file)?),
        };
        let key = self.new_key();
        self.follow(key, place, source, seen, now)
    }

    /// What is known of a copy that has not changed and whose original is followed.
    fn still_held(&self, seen: &Seen) -> Option<&Held> {
        let held = self.held.get(&seen.id)?;
        let same = (held.len, held.modified) == (seen.len, seen.modified);
        (same && self.followers.iter().any(|f| f.key == held.key)).then_some(held)
    }

    fn follow(
        &mut self,
        key: String,
        place: Place,
        source: Source,
        seen: &Seen,
        now: Instant,
    ) -> Result<(), StepError> {
        let context = (self.watch.context)(&place.name);
        let feed = self.intake.feed(self.watch.tenant.clone(), &context)?;
        let mut follower = Follower::new(key, place, feed, now);
        (follower.len, follower.modified) = (seen.len, seen.modified);
        if !matches!(source, Source::Closed) {
            self.room = self.room.saturating_sub(1);
        }
        follower.source = source;
        self.followers.push(follower);
        Ok(())
    }

    /// The content without a file that `seen` continues: by inode, else by its name's kinship;
    /// always by prints. Of several the one that reaches furthest.
    fn continued(
        &self,
        seen: &Seen,
        file: &File,
        packed: bool,
    ) -> io::Result<Option<(usize, Source)>> {
        let mut best: Option<(usize, Source)> = None;
        for (index, orphan) in self.orphans.iter().enumerate() {
            let place = &orphan.place;
            let further = best.as_ref().and_then(|(best, _)| self.orphans.get(*best));
            if further.is_some_and(|best| best.place.offset >= place.offset) {
                continue;
            }
            let same_file = place.id() == seen.id;
            let kin = place.path.parent() == seen.path.parent() && related(&place.name, &seen.name);
            if !same_file && !kin {
                continue;
            }
            if same_file && place.is_done(file, seen.len)? {
                return Ok(Some((index, Source::Closed)));
            }
            if packed {
                if let Some(source) = place.is_in_packed(file)? {
                    best = Some((index, Source::Packed(source)));
                }
            } else if place.done_bytes == 0 && place.is_in(file)? {
                best = Some((index, Source::Plain(file.try_clone()?)));
            }
        }
        Ok(best)
    }

    fn adopt(
        &mut self,
        index: usize,
        seen: &Seen,
        source: Source,
        now: Instant,
        tickets: &mut Vec<Ticket>,
    ) -> Result<(), StepError> {
        let orphan = self.orphans.remove(index);
        let mut place = orphan.place;
        let moved = place.id() != seen.id;
        place.path.clone_from(&seen.path);
        (place.dev, place.ino) = (seen.id.dev, seen.id.ino);
        self.held.remove(&seen.id);
        self.follow(orphan.key, place, source, seen, now)?;
        if moved {
            self.write_mark(tickets)?;
        }
        Ok(())
    }

    /// Stores the place of the newest follower.
    fn write_mark(&mut self, tickets: &mut Vec<Ticket>) -> Result<(), StepError> {
        let Some(follower) = self.followers.last_mut() else { return Ok(()) };
        follower.place.time = self.intake.clock().now().div_euclid(SECOND);
        let mut group = crate::Group::new(follower.feed(), "");
        group.control(mark(follower.feed(), &follower.key, Some(&follower.place)));
        tickets.push(self.intake.begin(group)?);
        Ok(())
    }

    /// The followed file of which `seen` is a copy so far, and how much of it that is.
    fn copied(&self, seen: &Seen, file: &File, packed: bool) -> io::Result<Option<(String, u64)>> {
        for follower in &self.followers {
            let place = &follower.place;
            let kin = place.path.parent() == seen.path.parent() && related(&place.name, &seen.name);
            if !kin || place.done_bytes > 0 {
                continue;
            }
            // A new log takes the name of the one before it; copies have names of their own.
            if !packed && last(&place.name) == last(&seen.name) {
                continue;
            }
            let original = match &follower.source {
                Source::Plain(file) => file.try_clone()?,
                _ => match File::open(&place.path) {
                    Ok(file) => file,
                    Err(_) => continue,
                },
            };
            if FileId::of(&original.metadata()?) != place.id() {
                continue;
            }
            if !place.is_in(&original)? {
                // It was cut in this moment: the next scan knows more.
                return Ok(Some((follower.key.clone(), u64::MAX)));
            }
            if packed {
                if let Some(content) = packed_beginning(file, &original)? {
                    return Ok(Some((follower.key.clone(), content)));
                }
            } else if original.metadata()?.len() >= seen.len
                && is_beginning(file, seen.len, &original)?
            {
                return Ok(Some((follower.key.clone(), seen.len)));
            }
        }
        Ok(None)
    }

    /// A copy that stays beside its original: its content is known, what is appended to it
    /// is not.
    fn known_copy(
        &mut self,
        seen: &Seen,
        now: Instant,
        tickets: &mut Vec<Ticket>,
    ) -> Result<(), StepError> {
        let Some(held) = self.held.get(&seen.id) else { return Ok(()) };
        let content = held.content;
        let original = self.followers.iter().find(|f| f.key == held.key);
        if original.is_none_or(|f| f.place.offset < content) {
            return Ok(());
        }
        self.held.remove(&seen.id);
        let file = open_seen(seen)?;
        let packed = is_compressed(&bytes_at(&file, 0, PRINT_BYTES as u64)?);
        let print = content.min(PRINT_BYTES as u64);
        let (head, tail) = match packed {
            true => Default::default(),
            false => (print_at(&file, 0, print)?, print_at(&file, content - print, print)?),
        };
        let place = Place {
            name: seen.name.clone(),
            path: seen.path.clone(),
            dev: seen.id.dev,
            ino: seen.id.ino,
            offset: content,
            done_bytes: if packed { seen.len } else { 0 },
            packed: print_at(&file, 0, if packed { PRINT_BYTES as u64 } else { 0 })?,
            head,
            tail,
            ..Place::default()
        };
        let key = self.new_key();
        self.follow(key, place, Source::Closed, seen, now)?;
        self.write_mark(tickets)
    }

    /// Looks for the files of orphans where the watch's own paths do not reach: a rotated file
    /// beside an exact path.
    fn search(&mut self, now: Instant, tickets: &mut Vec<Ticket>) -> Result<(), StepError> {
        let mut index = 0;
        while let Some(orphan) = self.orphans.get_mut(index) {
            if orphan.tries == 0 {
                index += 1;
                continue;
            }
            orphan.tries -= 1;
            let place = orphan.place.clone();
            match self.elsewhere(&place) {
                Some((seen, source)) => self.adopt(index, &seen, source, now, tickets)?,
                None => index += 1,
            }
        }
        Ok(())
    }

    /// A file in the folder of `place` that holds its content and that nobody follows.
    fn elsewhere(&self, place: &Place) -> Option<(Seen, Source)> {
        let dir = place.path.parent()?;
        let followed = |id: FileId| self.followers.iter().any(|f| f.place.id() == id);
        // What has gone meanwhile is looked for again in the next scan.
        let holds = |seen: Seen| source_of(place, &seen).ok().flatten().map(|s| (seen, s));
        let mut kin = Vec::new();
        for entry in std::fs::read_dir(dir).ok()?.flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            let same = place.ino != 0 && entry.ino() == place.ino;
            if !same && !related(&place.name, &name) {
                continue;
            }
            let Ok(meta) = std::fs::metadata(&path) else { continue };
            let seen = seen_at(path, name, &meta);
            if !meta.is_file() || meta.len() == 0 || followed(seen.id) {
                continue;
            }
            match same {
                true => kin.insert(0, seen),
                false => kin.push(seen),
            }
        }
        kin.into_iter().find_map(holds)
    }

    /// Closes files that still have a name, so that others have their turn.
    pub(super) fn make_room(&mut self) {
        for follower in self.followers.iter_mut().filter(|f| f.linked) {
            if matches!(follower.source, Source::Plain(_)) {
                follower.source = Source::Closed;
            }
        }
    }

    /// Forgets content that nobody has seen for [`FORGET_DAYS`] days.
    fn forget(&mut self, tickets: &mut Vec<Ticket>) -> Result<(), StepError> {
        let limit = self.intake.clock().now().div_euclid(SECOND) - FORGET_DAYS * 86_400;
        let old = |orphan: &Orphan| orphan.tries == 0 && orphan.place.time < limit;
        let Some(index) = self.orphans.iter().position(old) else { return Ok(()) };
        let context = (self.watch.context)("");
        let feed = self.intake.feed(self.watch.tenant.clone(), &context)?;
        let mut group = crate::Group::new(&feed, "");
        let orphan = self.orphans.remove(index);
        group.control(mark(&feed, &orphan.key, None));
        tickets.push(self.intake.begin(group)?);
        Ok(())
    }
}

/// How `seen` continues `place`, if it does.
fn source_of(place: &Place, seen: &Seen) -> io::Result<Option<Source>> {
    let file = open_seen(seen)?;
    if place.id() == seen.id && place.is_done(&file, seen.len)? {
        return Ok(Some(Source::Closed));
    }
    if is_compressed(&bytes_at(&file, 0, PRINT_BYTES as u64)?) {
        if seen.modified.elapsed().unwrap_or_default() < SETTLED {
            return Ok(None);
        }
        return Ok(place.is_in_packed(&file)?.map(Source::Packed));
    }
    Ok(place.is_in(&file)?.then_some(Source::Plain(file)))
}

/// What a file is that cannot be followed line by line.
fn unfit(head: &[u8]) -> Option<&'static str> {
    if head.starts_with(b"ElfFile\0") {
        Some("a Windows event log")
    } else if head.starts_with(b"PK\x03\x04") {
        Some("a zip archive")
    } else {
        (head.get(257..262) == Some(b"ustar")).then_some("a tar archive")
    }
}

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
