//! `yagura check`: compares everything in a data directory with what says how it was written.

use crate::cli::args::{CheckArgs, Format};
use crate::cli::{Usage, table};
use crate::epochs::Epochs;
use crate::message;
use crate::node::door::META_FILE;
use crate::node::{DATA_VERSION, JUDGE_FILE};
use crate::pipeline::snapshot::SnapshotStore;
use anyhow::Context as _;
use serde_json::json;
use std::collections::BTreeSet;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use yagura_disk::{DataLock, Fs, RealFs, open_version};
use yagura_event::time::HOUR;
use yagura_event::{Lsn, TenantScope};
use yagura_journal::{Journal, JournalHandle, Options};
use yagura_lake::{
    LAKE_DIR, LakeError, LakeView, check_indexes, check_sightings, open_readonly, verify,
};
use yagura_meta::{Erasure, JudgeStore, MetaError, PeopleStore};

/// The tables, where they can be opened.
type View = Result<Arc<LakeView>, LakeError>;

/// Without `--full`, the index of every so manieth data file is made anew and compared.
const SAMPLED: usize = 16;

/// One thing that is wrong.
struct Damage {
    path: String,
    what: String,
}

/// What was looked at of one kind.
struct Area {
    name: &'static str,
    looked_at: u64,
    of: &'static str,
    damages: Vec<Damage>,
    /// Worth saying, and no damage.
    notes: Vec<String>,
    /// Whether everything that was wrong has been made anew.
    made_anew: bool,
}

impl Area {
    fn new(name: &'static str, of: &'static str) -> Self {
        Self { name, looked_at: 0, of, damages: Vec::new(), notes: Vec::new(), made_anew: false }
    }

    fn damage(&mut self, path: impl Into<String>, what: impl Into<String>) {
        self.damages.push(Damage { path: path.into(), what: what.into() });
    }
}

/// Runs the command; false where anything is damaged.
///
/// # Errors
/// A directory that is not one of data or that a server holds.
pub fn run(args: &CheckArgs) -> anyhow::Result<bool> {
    let data = &args.data;
    if !data.join("VERSION").exists() {
        return Err(Usage(format!("{} is not a data directory", data.display())).into());
    }
    let _lock = DataLock::acquire(data).context("stop the server first, or check a copy")?;
    let fs: Arc<dyn Fs> = Arc::new(RealFs);
    open_version(fs.as_ref(), data, DATA_VERSION, &["journal", LAKE_DIR, JUDGE_FILE])?;
    let view = open_readonly(Arc::clone(&fs), &data.join(LAKE_DIR));
    let (journal, handle) = journal(&fs, data, &view);
    let mut areas = vec![journal];
    areas.extend(handle.map(|handle| epochs(&fs, data, &handle, args.full)));
    areas.extend([tables(&fs, data)?, index(&view, args), sightings(&view, args)]);
    areas.push(judge(data, &view));
    print(&areas, args.format)?;
    Ok(areas.iter().all(|area| area.damages.is_empty() || area.made_anew))
}

/// Every entry, as a server reads it when it starts.
fn journal(fs: &Arc<dyn Fs>, data: &Path, view: &View) -> (Area, Option<JournalHandle>) {
    let mut area = Area::new("journal", "entries");
    let dir = data.join("journal");
    let (journal, recovery) = match Journal::open(Arc::clone(fs), &dir, Options::default()) {
        Ok(opened) => opened,
        Err(error) => {
            area.damage("journal", error.to_string());
            return (area, None);
        }
    };
    if recovery.torn.is_some() {
        area.notes.push(
            "a write that a crash interrupted was cut; nothing of it was acknowledged".to_owned(),
        );
    }
    for damage in recovery.damage {
        area.damage("journal", damage.to_string());
    }
    let handle = journal.handle();
    let mut reader = handle.reader_from_start();
    let mut lost = BTreeSet::new();
    loop {
        match reader.next_chunk() {
            Ok(None) => break,
            Ok(Some(chunk)) => {
                for entry in chunk.iter() {
                    area.looked_at += 1;
                    match entry.record() {
                        Err(error) => {
                            area.damage("journal", format!("entry {}: {error}", entry.lsn));
                        }
                        Ok(Some(record)) if handle.context(record.context).is_none() => {
                            lost.insert(record.context);
                        }
                        Ok(_) => {}
                    }
                }
            }
            Err(error) => {
                area.damage("journal", error.to_string());
                break;
            }
        }
    }
    for context in lost {
        area.damage(format!("journal/contexts/{context}.json"), "missing, and named by records");
    }
    consumers(fs, data, view, (&handle, recovery.last), &mut area);
    (area, Some(handle))
}

/// Rules and sources that were in force: the newest, with `--full` all.
fn epochs(fs: &Arc<dyn Fs>, data: &Path, journal: &JournalHandle, full: bool) -> Area {
    let mut area = Area::new("epochs", "epochs");
    let epochs = Epochs::new(Arc::clone(fs), data);
    let history = match epochs.history(journal) {
        Ok(history) => history,
        Err(error) => {
            area.damage("epochs", message::of(&error));
            return area;
        }
    };
    let hashes: BTreeSet<u128> = match full {
        true => history.iter().map(|(_, hash)| *hash).collect(),
        false => history.last().map(|(_, hash)| *hash).into_iter().collect(),
    };
    for hash in hashes {
        area.looked_at += 1;
        if let Err(error) = epochs.load(hash.to_be_bytes()) {
            let what = format!("history.json names rules: {}", message::of(&error));
            area.damage("epochs", what);
        }
    }
    area
}

/// Whether the journal reaches to where tables and findings are, and holds what they lack: a
/// server refuses a directory of which either is not so.
fn consumers(
    fs: &Arc<dyn Fs>,
    data: &Path,
    view: &View,
    (journal, last): (&JournalHandle, Lsn),
    area: &mut Area,
) {
    let lake = match view {
        Ok(view) => view.upper,
        Err(LakeError::Missing(_)) => Lsn(0),
        // Named among the tables.
        Err(_) => return,
    };
    let store = JudgeStore::open_read_only(&data.join(JUDGE_FILE));
    let found = store.and_then(|store| Ok((store.lsn()?, store.snapshot()?)));
    // A store that is damaged is named by itself.
    let Ok((judged, snapshot)) = found else { return };
    if last < lake || last < judged {
        let what = format!("ends at {last}, the tables at {lake}, the findings at {judged}");
        return area.damage("journal", what + ": files are missing");
    }
    if lake < last {
        let behind = last.0 - lake.0;
        area.notes.push(format!("{behind} entries are not in the tables yet; a server adds them"));
    }
    if let Some(reference) = &snapshot
        && let Err(error) = SnapshotStore::new(Arc::clone(fs), data).read(reference)
    {
        area.damage("correlator", error.to_string());
    }
    let from = lake.min(Lsn(snapshot.map_or(0, |reference| reference.lsn)));
    if let Err(error) = journal.reader(Lsn(from.0 + 1)).next_chunk() {
        let what = format!("the tables end at {lake}, the findings at {judged}: {error}");
        area.damage("journal", what);
    }
}

/// Every file of the tables and of their logs by its checksum.
fn tables(fs: &Arc<dyn Fs>, data: &Path) -> anyhow::Result<Area> {
    let mut area = Area::new("tables", "files");
    let report = verify(Arc::clone(fs), &data.join(LAKE_DIR))?;
    area.looked_at = report.files;
    for damage in report.damages {
        area.damage(format!("{LAKE_DIR}/{}", damage.path), damage.what);
    }
    let left = |path| format!("{LAKE_DIR}/{path} belongs to no version; a server deletes it");
    area.notes = report.orphans.into_iter().map(left).collect();
    Ok(area)
}

/// Indexes against their data files.
fn index(view: &View, args: &CheckArgs) -> Area {
    let mut area = Area::new("index", "data files");
    // Tables that cannot be opened are named by themselves.
    let Ok(view) = view else { return area };
    let report = check_indexes(view, if args.full { 1 } else { SAMPLED }, args.repair);
    area.looked_at = report.files;
    area.made_anew = report.repaired == report.damages.len() as u64;
    for damage in report.damages {
        let made = if args.repair { "" } else { "; --repair makes it anew" };
        area.damage(format!("{LAKE_DIR}/{}", damage.path), damage.what + made);
    }
    if report.repaired > 0 {
        area.notes.push(format!("{} made anew", report.repaired));
    }
    area
}

/// What hunts ask, against the events it was counted from.
fn sightings(view: &View, args: &CheckArgs) -> Area {
    let mut area = Area::new("sightings", "partitions");
    let Ok(view) = view else { return area };
    let report = check_sightings(view, if args.full { 1 } else { SAMPLED }, args.repair);
    area.looked_at = report.partitions;
    area.made_anew = args.repair;
    for damage in report.damages {
        area.made_anew &= !damage.what.contains("cannot be");
        let made = if args.repair { "" } else { "; --repair has it counted anew" };
        area.damage(format!("{LAKE_DIR}/{}", damage.path), damage.what + made);
    }
    if report.marked > 0 {
        let text =
            "not at its end: the next start counts it anew, and hunts read events until then";
        area.notes.push(format!("{} {text}", report.marked));
    }
    area
}

/// The judge's store: structure, rows that prove something, and that what was erased is gone.
fn judge(data: &Path, view: &View) -> Area {
    let mut area = Area::new("judge", "stores");
    let store = JudgeStore::open_read_only(&data.join(JUDGE_FILE));
    let found = store.and_then(|store| {
        erasures(&store, view, &mut area)?;
        store.verify()
    });
    match found {
        Ok(damages) => {
            area.looked_at = 1;
            for damage in damages {
                area.damage(JUDGE_FILE, format!("{}: {}", damage.table, damage.row));
            }
        }
        Err(error) => area.damage(JUDGE_FILE, error.to_string()),
    }
    people(data, &mut area);
    area
}

/// What people decided: a directory that no server has opened has none.
fn people(data: &Path, area: &mut Area) {
    let path = data.join(META_FILE);
    if !path.exists() {
        return;
    }
    area.looked_at += 1;
    match PeopleStore::open_read_only(&path).and_then(|store| store.verify()) {
        Ok(damages) => {
            for damage in damages {
                area.damage(META_FILE, format!("{}: {}", damage.table, damage.row));
            }
        }
        Err(error) => area.damage(META_FILE, error.to_string()),
    }
}

/// Names what is there of tenants who were erased, from hours before that was asked for: since then
/// they may have come back.
fn erasures(store: &JudgeStore, view: &View, area: &mut Area) -> Result<(), MetaError> {
    for Erasure { tenant, .. } in store.erasures()? {
        area.notes.push(format!("{tenant} is not erased yet; a server goes on with it"));
    }
    let erased = store.erased()?;
    if erased.is_empty() {
        return Ok(());
    }
    let books = store.books(&TenantScope::operator())?;
    let stored = view.as_ref().map(|view| view.stored_counts()).unwrap_or_default();
    for Erasure { tenant, asked, .. } in erased {
        let hour = asked.div_euclid(HOUR);
        let booked = books.iter().any(|row| row.tenant == tenant.as_str() && row.hour < hour);
        if booked {
            area.damage(JUDGE_FILE, format!("{tenant} was erased, and is in the books"));
        }
        let name = tenant.as_str();
        if stored.iter().any(|count| count.tenant == name && count.hour < hour * HOUR) {
            area.damage(LAKE_DIR, format!("{tenant} was erased, and rows of it are in the tables"));
        }
    }
    Ok(())
}

fn print(areas: &[Area], format: Format) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    if format == Format::Ndjson {
        for area in areas {
            let damages: Vec<_> =
                area.damages.iter().map(|d| json!({"path": d.path, "what": d.what})).collect();
            let line = json!({
                "area": area.name,
                "looked_at": area.looked_at,
                "of": area.of,
                "damages": damages,
                "notes": area.notes,
            });
            writeln!(out, "{line}")?;
        }
        return Ok(());
    }
    let row = |area: &Area| {
        let verdict = match area.damages.len() {
            0 => "sound".to_owned(),
            1 => "1 damage".to_owned(),
            n => format!("{n} damages"),
        };
        vec![area.name.to_owned(), format!("{} {}", area.looked_at, area.of), verdict]
    };
    let rows: Vec<Vec<String>> = areas.iter().map(row).collect();
    write!(out, "{}", table::render(&["area", "looked at", "verdict"], &rows))?;
    for area in areas {
        for damage in &area.damages {
            writeln!(out, "{}: {}", damage.path, damage.what)?;
        }
        for note in &area.notes {
            writeln!(out, "note: {note}")?;
        }
    }
    Ok(out.flush()?)
}
