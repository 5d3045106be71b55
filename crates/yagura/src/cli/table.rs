//! Plain tables for people: columns as wide as their content, hostile text made visible.

/// Widest column in characters; longer cells are cut with an ellipsis.
const CELL_CHARS_MAX: usize = 60;

/// Renders rows under a header.
pub fn render(header: &[&str], rows: &[Vec<String>]) -> String {
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| shorten(&visible(cell))).collect()).collect();
    let mut widths: Vec<usize> = header.iter().map(|h| width(h)).collect();
    for row in &rows {
        for (at, cell) in row.iter().enumerate().take(widths.len()) {
            widths[at] = widths[at].max(width(cell));
        }
    }
    let mut text = String::new();
    let head: Vec<String> = header.iter().map(|h| (*h).to_owned()).collect();
    line(&mut text, &head, &widths);
    let rule: Vec<String> = widths.iter().map(|w| "─".repeat(*w)).collect();
    line(&mut text, &rule, &widths);
    for row in &rows {
        line(&mut text, row, &widths);
    }
    text
}

/// Narrowest last column of [`render_within`], in characters, however narrow the terminal.
const LAST_CHARS_MIN: usize = 20;

/// Renders rows under a header, the last column cut so that a line has at most `width`
/// characters; it is not cut where `width` is `None`.
pub fn render_within(header: &[&str], rows: &[Vec<String>], width: Option<usize>) -> String {
    let last = header.len().saturating_sub(1);
    let mut widths: Vec<usize> = header.iter().map(|h| self::width(h)).collect();
    let mut rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| visible(cell)).collect()).collect();
    for row in &mut rows {
        for (at, cell) in row.iter_mut().enumerate().take(last) {
            *cell = shorten(cell);
            widths[at] = widths[at].max(self::width(cell));
        }
    }
    let before: usize = widths.iter().take(last).map(|w| w + 2).sum();
    let room = width.map(|width| width.saturating_sub(before).max(LAST_CHARS_MIN));
    for row in &mut rows {
        if let (Some(cell), Some(room)) = (row.get_mut(last), room) {
            *cell = fitted(cell, room);
        }
    }
    let mut text = String::new();
    let head: Vec<String> = header.iter().map(|h| (*h).to_owned()).collect();
    line(&mut text, &head, &widths);
    let rule: Vec<String> = widths.iter().map(|w| "─".repeat(*w)).collect();
    line(&mut text, &rule, &widths);
    for row in &rows {
        line(&mut text, row, &widths);
    }
    text
}

/// The text cut to `room` columns of a terminal.
fn fitted(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let (mut cut, mut taken) = (String::new(), 1);
    for c in text.chars() {
        taken += width(c.encode_utf8(&mut [0; 4]));
        if taken > room {
            break;
        }
        cut.push(c);
    }
    cut.push('…');
    cut
}

fn line(text: &mut String, cells: &[String], widths: &[usize]) {
    let mut out = String::new();
    for (cell, want) in cells.iter().zip(widths) {
        out.push_str(cell);
        out.push_str(&" ".repeat(want.saturating_sub(width(cell)) + 2));
    }
    text.push_str(out.trim_end());
    text.push('\n');
}

/// Columns a terminal gives the text: two for East Asian wide characters.
fn width(text: &str) -> usize {
    text.chars()
        .map(|c| match u32::from(c) {
            0x1100..=0x115f
            | 0x2e80..=0xa4cf
            | 0xac00..=0xd7a3
            | 0xf900..=0xfaff
            | 0xfe30..=0xfe6f
            | 0xff00..=0xff60
            | 0xffe0..=0xffe6
            | 0x1f300..=0x1faff => 2,
            _ => 1,
        })
        .sum()
}

fn shorten(text: &str) -> String {
    if text.chars().count() <= CELL_CHARS_MAX {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(CELL_CHARS_MAX - 1).collect();
    cut.push('…');
    cut
}

/// Control and direction-changing characters as escapes, so that log text cannot drive a
/// terminal.
pub fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let hostile = c.is_control()
            || matches!(u32::from(c), 0x200b..=0x200f | 0x202a..=0x202e | 0x2066..=0x2069);
        if hostile {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_text_cannot_drive_the_terminal() {
        let text = render(&["a"], &[vec!["\u{1b}[2Jx\u{202e}y".to_owned()]]);
        assert!(!text.contains('\u{1b}'));
        assert!(text.contains("\\u{202e}"));
    }

    #[test]
    fn the_last_column_is_cut_to_the_line() {
        let rows = [vec!["a".to_owned(), format!("{}\u{1b}[2J", "櫓".repeat(60))]];
        let lines = |width| {
            let text = render_within(&["k", "v"], &rows, width);
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        };
        let cut = lines(Some(40));
        assert_eq!(super::width(&cut[2]), 40, "{}", cut[2]);
        assert!(cut[2].ends_with('…'));
        assert!(lines(None)[2].ends_with("\\u{1b}[2J"));
        assert_eq!(super::width(&lines(Some(1))[2]), 22);
    }

    #[test]
    fn wide_characters_keep_columns_straight() {
        let rows = [vec!["櫓".to_owned(), "x".to_owned()], vec!["ab".to_owned(), "y".to_owned()]];
        let text = render(&["k", "v"], &rows);
        let lines: Vec<&str> = text.lines().skip(2).collect();
        assert_eq!(lines, ["櫓  x", "ab  y"]);
    }
}
