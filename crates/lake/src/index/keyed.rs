//! Which columns have keys in an index, and of what.

use crate::schema::TableKind;
use crate::search::fields::{self, Form};
use crate::search::matching::Part;
use std::collections::HashMap;
use std::sync::LazyLock;
use yagura_event::column::COLUMNS;
use yagura_event::{ColumnId, ObservableKind};

/// What of a column's values has keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Keyed {
    /// The whole value, and its name part.
    Values(Option<Part>),
    /// The whole value, and the address it may be in its one form.
    Addresses,
    /// The host within it.
    Urls,
    /// Its words.
    Words,
}

/// The columns of the events table by name.
static EVENTS: LazyLock<HashMap<&'static str, Keyed>> =
    LazyLock::new(|| COLUMNS.iter().filter_map(|c| Some((c.name, keyed(c.name)?))).collect());

fn keyed(name: &'static str) -> Option<Keyed> {
    let source = fields::column(name)?;
    let kind = ColumnId::find(name).and_then(|id| id.column().observable);
    match source.form {
        _ if name == "raw_data" || kind == Some(ObservableKind::CommandLine) => Some(Keyed::Words),
        Form::Text if kind == Some(ObservableKind::Url) => Some(Keyed::Urls),
        Form::Text => Some(Keyed::Values(fields::part_of(name))),
        Form::Address | Form::Texts | Form::Objects(_) => Some(Keyed::Addresses),
        _ => None,
    }
}

/// What of a column has keys; `None` where nothing of it has.
pub(crate) fn of(kind: TableKind, column: &str) -> Option<Keyed> {
    match kind {
        TableKind::Events => EVENTS.get(column).copied(),
        TableKind::Matches | TableKind::Sightings => None,
    }
}

/// Whether data files of the table have an index.
pub(crate) fn is_indexed(kind: TableKind) -> bool {
    kind == TableKind::Events
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_have_keys_by_what_they_hold() {
        let of = |name| of(TableKind::Events, name);
        assert_eq!(of("raw_data"), Some(Keyed::Words));
        assert_eq!(of("process_cmd_line"), Some(Keyed::Words));
        assert_eq!(of("src_ip"), Some(Keyed::Addresses));
        assert_eq!(of("dns_answers"), Some(Keyed::Addresses));
        assert_eq!(of("user_name"), Some(Keyed::Values(Some(Part::User))));
        assert_eq!(of("dst_hostname"), Some(Keyed::Values(Some(Part::Host))));
        assert_eq!(of("process_name"), Some(Keyed::Values(Some(Part::File))));
        assert_eq!(of("file_hash_sha256"), Some(Keyed::Values(None)));
        assert_eq!(of("url_string"), Some(Keyed::Urls));
        for none in ["tenant", "event_id", "src_port", "unmapped", "time", "nothing"] {
            assert_eq!(of(none), None, "{none}");
        }
    }
}
