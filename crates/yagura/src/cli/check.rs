//! `yagura check`: compares everything in a data directory with what says how it was written.

use crate::cli::args::{CheckArgs, Format};
use crate::cli::{Usage, table};
use crate::node::{DATA_VERSION, JUDGE_FILE};
use anyhow::Context as _;
use serde_json::json;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use yagura_disk::{DataLock, Fs, RealFs, open_version};
use yagura_journal::{Journal, Options};
use yagura_lake::{LAKE_DIR, check_indexes, open_readonly, verify};
use yagura_meta::JudgeStore;

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
}

impl Area {
    fn new(name: &'static str, of: &'static str) -> Self {
        Self { name, looked_at: 0, of, damages: Vec::new(), notes: Vec::new() }
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
    let areas = [journal(&fs, data), tables(&fs, data)?, index(&fs, data, args), judge(data)];
    print(&areas, args.format)?;
    let damaged = |area: &Area| !area.damages.is_empty();
    // What has been made anew is sound.
    let left = areas.iter().filter(|area| damaged(area) && !(args.repair && area.name == "index"));
    Ok(left.count() == 0)
}

/// Every entry, as a server reads it when it starts.
fn journal(fs: &Arc<dyn Fs>, data: &Path) -> Area {
    let mut area = Area::new("journal", "entries");
    let dir = data.join("journal");
    let (journal, recovery) = match Journal::open(Arc::clone(fs), &dir, Options::default()) {
        Ok(opened) => opened,
        Err(error) => {
            area.damage("journal", error.to_string());
            return area;
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
    loop {
        match reader.next_chunk() {
            Ok(None) => return area,
            Ok(Some(chunk)) => {
                for entry in chunk.iter() {
                    area.looked_at += 1;
                    if let Err(error) = entry.entry() {
                        area.damage("journal", format!("entry {}: {error}", entry.lsn));
                    }
                }
            }
            Err(error) => {
                area.damage("journal", error.to_string());
                return area;
            }
        }
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
    let left = |path| format!("{LAKE_DIR}/{path} belongs to no version; the next start deletes it");
    area.notes = report.orphans.into_iter().map(left).collect();
    Ok(area)
}

/// Indexes against their data files.
fn index(fs: &Arc<dyn Fs>, data: &Path, args: &CheckArgs) -> Area {
    let mut area = Area::new("index", "data files");
    let nth = if args.full { 1 } else { SAMPLED };
    let report = open_readonly(Arc::clone(fs), &data.join(LAKE_DIR))
        .and_then(|view| check_indexes(&view, nth, args.repair));
    match report {
        Ok(report) => {
            area.looked_at = report.files;
            for damage in report.damages {
                let made = if args.repair { "; made anew" } else { "; --repair makes it anew" };
                area.damage(format!("{LAKE_DIR}/{}", damage.path), damage.what + made);
            }
        }
        Err(error) => area.damage(LAKE_DIR, format!("indexes cannot be compared: {error}")),
    }
    area
}

/// The judge's store: structure, and rows that prove something.
fn judge(data: &Path) -> Area {
    let mut area = Area::new("judge", "stores");
    let found = JudgeStore::open_read_only(&data.join(JUDGE_FILE)).and_then(|store| store.verify());
    match found {
        Ok(damages) => {
            area.looked_at = 1;
            for damage in damages {
                area.damage(JUDGE_FILE, format!("{}: {}", damage.table, damage.row));
            }
        }
        Err(error) => area.damage(JUDGE_FILE, error.to_string()),
    }
    area
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
