//! Which form a list has, by its beginning.

use super::plain::{bare, is_sink_hole};
use super::table::{Columns, Table, split};
use crate::value::parse;

/// Lines of the beginning by which a table is told.
const LINES_MAX: usize = 200;

/// What separates columns, likeliest first.
const SEPARATORS: [char; 4] = [',', '\t', ';', '|'];

/// A list's form.
pub(super) enum Form {
    /// One entry a line.
    Plain,
    /// Columns.
    Table(Table),
    /// JSON of any kind.
    Json,
    /// Nothing that is read, with what to say of it.
    Foreign(&'static str),
}

/// Tells the form; `whole` where `head` is all there is.
pub(super) fn form(head: &[u8], whole: bool) -> Form {
    if head.contains(&0) {
        return Form::Foreign("refused: it is binary, or UTF-16; save it as UTF-8");
    }
    let text = String::from_utf8_lossy(head);
    let start = text.trim_start();
    if is_json(start) {
        return Form::Json;
    }
    if start.starts_with('<') {
        return Form::Foreign("refused: XML and HTML (STIX 1, OpenIOC, a web page) are not read");
    }
    let mut lines: Vec<&str> = text.lines().take(LINES_MAX + 1).collect();
    if !whole || lines.len() > LINES_MAX {
        // The last one may be cut.
        lines.pop();
    }
    let data: Vec<&str> = lines.iter().copied().filter(|line| !bare(line).is_empty()).collect();
    // abuse.ch and others put the names of columns into the last comment before the data.
    let first = lines.iter().position(|line| !bare(line).is_empty()).unwrap_or(lines.len());
    let comment = lines[..first].iter().rev().find_map(|line| {
        let text = line.trim().trim_start_matches(['#', ';', '/', ' ']);
        (!text.is_empty()).then_some(text)
    });
    table(&data, comment).map_or(Form::Plain, Form::Table)
}

fn is_json(start: &str) -> bool {
    if start.starts_with('{') {
        return true;
    }
    let Some(rest) = start.strip_prefix('[') else { return false };
    rest.trim_start().starts_with(['{', '"', '[', ']'])
}

fn table(data: &[&str], comment: Option<&str>) -> Option<Table> {
    let holes = data.iter().filter(|line| line.split_whitespace().next().is_some_and(is_sink_hole));
    if data.is_empty() || holes.count() * 2 > data.len() {
        return None;
    }
    SEPARATORS.into_iter().find_map(|separator| with(separator, data, comment))
}

fn with(separator: char, data: &[&str], comment: Option<&str>) -> Option<Table> {
    let rows: Vec<Vec<String>> = data.iter().map(|line| split(line, separator)).collect();
    let many = rows.iter().filter(|row| row.len() >= 2).count();
    if many * 10 < rows.len() * 9 {
        return None;
    }
    let named = |row: &[String]| Columns::named(row);
    if let Some(columns) = comment.and_then(|line| named(&split(line, separator))) {
        return Some(Table { separator, columns, header: None });
    }
    if let Some(columns) = rows.first().and_then(|row| named(row)) {
        return Some(Table { separator, columns, header: data.first().map(|l| (*l).to_owned()) });
    }
    by_content(&rows).map(|columns| Table { separator, columns, header: None })
}

/// The first column of which at least half is indicators; with hashes, the further columns of
/// hashes.
fn by_content(rows: &[Vec<String>]) -> Option<Columns> {
    let width = rows.iter().map(Vec::len).max().unwrap_or_default().min(64);
    let share = |column: usize, hash: bool| {
        let mut values = Vec::new();
        let fine = rows.iter().filter_map(|row| row.get(column)).filter(|cell| {
            values.clear();
            let read = parse(cell, true, &mut values).is_ok();
            let hashes = values.iter().all(|value| value.kind().group() == crate::Group::Hash);
            read && (!hash || hashes)
        });
        fine.count() * 2 >= rows.len()
    };
    let first = (0..width).find(|column| share(*column, false))?;
    let mut columns = vec![first];
    if share(first, true) {
        columns.extend((first + 1..width).filter(|column| share(*column, true)));
    }
    Some(Columns::of(columns))
}
