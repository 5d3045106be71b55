//! Indicator lists and warning lists from files: those named, those of the data directory.

use crate::inputs::{self, Input};
use crate::looks;
use anyhow::Context as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use yagura_enrich::warning::{WARNING_LIST_BYTES_MAX, WarningKind};
use yagura_enrich::{Group, Indicators, Limits, List, Report, WarningList, Warnings, read_list};

/// The folder of lists in the data directory.
pub const DIR: &str = "intel";

/// The folder in it that holds warning lists.
pub const WARNING_DIR: &str = "warninglists";

/// Endings that are no part of a list's name.
const ENDINGS: [&str; 14] = [
    ".txt", ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".lst", ".list", ".ipset", ".netset",
    ".conf", ".stix", ".stix2", ".dat",
];

/// What was loaded.
pub struct Intel {
    /// The set in force.
    pub set: Arc<Indicators>,
    /// What it was made of.
    pub lists: Vec<List>,
    /// The warning lists it was made of.
    pub warnings: Vec<WarningList>,
    /// For people.
    pub report: Report,
}

impl Intel {
    /// Loads the lists and warning lists of files, folders and archives. Files that cannot be
    /// read are in the report.
    ///
    /// # Errors
    /// A path that is not there, or more indicators than can be in force.
    pub fn load(lists: &[PathBuf], warnings: &[PathBuf], wide: bool) -> anyhow::Result<Self> {
        let began = Instant::now();
        let mut faults = Vec::new();
        let listing = inputs::list(lists, &[]).context("indicator lists")?;
        faults.extend(listing.faults);
        let own = inputs::list(warnings, &[]).context("warning lists")?;
        faults.extend(own.faults);
        Self::read(&listing.inputs, &own.inputs, wide, faults, began)
    }

    /// Loads those of a data directory; nothing where it has no such folder.
    ///
    /// # Errors
    /// As [`Intel::load`].
    pub fn of_data(data: &Path) -> anyhow::Result<Option<Self>> {
        let dir = data.join(DIR);
        if !dir.is_dir() {
            return Ok(None);
        }
        let began = Instant::now();
        let listing = inputs::list(&[dir], &[]).context("indicator lists")?;
        let below = format!("{WARNING_DIR}/");
        let (warnings, lists): (Vec<Input>, Vec<Input>) =
            listing.inputs.into_iter().partition(|input| input.relative.starts_with(&below));
        let intel = Self::read(&lists, &warnings, false, listing.faults, began)?;
        Ok((!intel.report.is_empty()).then_some(intel))
    }

    fn read(
        lists: &[Input],
        warnings: &[Input],
        wide: bool,
        mut faults: Vec<String>,
        began: Instant,
    ) -> anyhow::Result<Self> {
        let limits = Limits { wide, ..Limits::default() };
        let mut read = Vec::new();
        for input in lists {
            match list_of(input, &limits) {
                Ok((list, fault)) => {
                    faults.extend(fault);
                    read.push(list);
                }
                Err(error) => faults.push(format!("{}: {error}", input.path.display())),
            }
        }
        let mut known = Vec::new();
        for input in warnings {
            match warning_of(input) {
                Ok(list) => known.push(list),
                Err(error) => faults.push(format!("{}: {error:#}", input.path.display())),
            }
        }
        let mut intel = Self::of(read, known, began)?;
        intel.report.faults = faults;
        Ok(intel)
    }

    /// Puts lists in force.
    ///
    /// # Errors
    /// More indicators than can be.
    pub fn of(
        lists: Vec<List>,
        warnings: Vec<WarningList>,
        began: Instant,
    ) -> anyhow::Result<Self> {
        let set = Arc::new(Indicators::new(&lists, Warnings::new(&warnings))?);
        let report = Report::new(&lists, &set, began.elapsed().as_secs_f64());
        Ok(Self { set, lists, warnings, report })
    }
}

/// A file's list, and what was wrong with its compression.
fn list_of(input: &Input, limits: &Limits) -> std::io::Result<(List, Option<String>)> {
    let (reader, fault) = input.open()?;
    let list = read_list(name_of(input), reader, limits)?;
    Ok((list, fault.get().map(|fault| format!("{}: {fault}", input.path.display()))))
}

fn name_of(input: &Input) -> &str {
    let name = input.relative.as_str();
    let bare = ENDINGS.iter().find_map(|ending| name.strip_suffix(ending));
    bare.filter(|bare| !bare.is_empty()).unwrap_or(name)
}

/// A file's warning list: MISP's JSON, or a plain list of addresses, names and other values.
fn warning_of(input: &Input) -> anyhow::Result<WarningList> {
    let mut bytes = Vec::new();
    input.open()?.0.take(WARNING_LIST_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    anyhow::ensure!(
        bytes.len() as u64 <= WARNING_LIST_BYTES_MAX,
        "the warning list is longer than {WARNING_LIST_BYTES_MAX} bytes; split it"
    );
    let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace() && byte.is_ascii());
    if first == Some(&b'{') {
        return WarningList::read(&bytes).map_err(anyhow::Error::msg);
    }
    let limits = Limits { wide: true, ..Limits::default() };
    let plain = read_list(name_of(input), bytes.as_slice(), &limits)?;
    if let Some(fault) = plain.fault {
        anyhow::bail!(fault);
    }
    let (mut values, mut kinds) = (Vec::new(), Vec::new());
    plain.each(|kind, _, value| {
        values.push(value.to_owned());
        kinds.push(kind.group());
    })?;
    let all = |group: Group| kinds.iter().all(|kind| *kind == group);
    let kind = if all(Group::Ip) {
        WarningKind::Cidr
    } else if all(Group::Domain) {
        WarningKind::Hostname
    } else {
        anyhow::bail!("a plain warning list holds either addresses or names; write others as JSON")
    };
    Ok(WarningList { name: plain.name, kind, list: values, matching_attributes: Vec::new() })
}

/// What tells whether the files of a data directory's lists have changed.
pub fn fingerprint(data: &Path) -> [u8; 32] {
    looks::fingerprint(&[data.join(DIR)], &|_| true)
}
