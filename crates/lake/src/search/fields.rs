//! Names of fields: OCSF paths, column names, short names, endings of paths, and `unmapped.X`.

use crate::search::ast::Name;
use crate::search::fault::{Fault, Span, nearest};
use crate::search::matching::Part;
use std::collections::{BTreeMap, BTreeSet};
use yagura_event::column::{COLUMNS, ColumnType};
use yagura_event::enums::{self, Captions};
use yagura_event::{ColumnId, ObservableKind};

/// What a field's name stands for.
#[derive(Clone, PartialEq, Debug)]
pub enum Target {
    /// Any of these columns.
    Columns(Vec<Source>),
    /// `class_uid`, by number, name or caption.
    Class,
    /// The category of the class.
    Category,
    /// `activity_id`, by number or caption.
    Activity,
    /// `type_uid`, which is class and activity in one number.
    Type,
    /// A field of the source's own that no column holds.
    Unmapped(String),
    /// Not before this time.
    Earliest,
    /// Before this time.
    Latest,
}

/// One column and how its values are compared.
#[derive(Clone, PartialEq, Debug)]
pub struct Source {
    /// The column.
    pub column: &'static str,
    /// How its values are stored and compared.
    pub form: Form,
    /// Whether a value is also found by its name part.
    pub part: Option<Part>,
}

/// How values of a column are stored and compared.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Form {
    /// Text, compared whole.
    Text,
    /// Long text, searched by words.
    Prose,
    /// Lower-case names with least and greatest value in the log of files.
    Name,
    /// The event's id.
    Id,
    /// Text that holds an address.
    Address,
    /// 64-bit integer.
    Integer,
    /// 32-bit integer.
    Small,
    /// 64-bit float.
    Float,
    /// Truth value.
    Truth,
    /// Time.
    Time,
    /// The number of an enumeration.
    Number(Captions),
    /// The caption of an enumeration as the source words it, beside the column of its number.
    Caption(&'static str, Captions),
    /// A list of texts.
    Texts,
    /// A list of objects, by one of their texts or any of them.
    Objects(Option<&'static str>),
}

impl Form {
    /// Whether a row has one value of it that rows can be sorted by.
    pub fn is_sortable(self) -> bool {
        !matches!(self, Self::Texts | Self::Objects(_))
    }
}

/// Columns whose values are long texts.
const PROSE: &[&str] = &[
    "raw_data",
    "message",
    "status_detail",
    "script_content",
    "finding_desc",
    "http_user_agent",
    "issues",
    "unmapped",
];

/// Columns beside the declared ones, with path and form.
const EXTRA: &[(&str, &str, Form)] = &[
    ("unmapped", "unmapped", Form::Prose),
    ("issues", "issues", Form::Prose),
    ("context", "context", Form::Text),
    ("lsn", "lsn", Form::Integer),
    ("sub", "sub", Form::Small),
    ("batch", "batch", Form::Integer),
];

/// Short names of single columns and names of the JSON form.
const SINGLE: &[(&str, &str)] = &[
    ("raw", "raw_data"),
    ("msg", "message"),
    ("id", "event_id"),
    ("uid", "event_id"),
    ("log_format", "source"),
    ("sourcetype", "source"),
    ("metadata.log_source", "feed"),
    ("time_dt", "time"),
    ("received", "received_time"),
    ("code", "metadata_event_code"),
    ("eventid", "metadata_event_code"),
    ("channel", "metadata_log_name"),
    ("provider", "metadata_log_provider"),
    ("program", "metadata_log_provider"),
    ("observer", "observer_hostname"),
    ("method", "http_method"),
    ("user_agent", "http_user_agent"),
    ("referrer", "http_referrer"),
    ("referer", "http_referrer"),
    ("query", "dns_query_hostname"),
    ("sni", "tls_sni"),
    ("ja3", "tls_ja3"),
    ("ja3s", "tls_ja3s"),
    ("protocol", "connection_protocol_name"),
    ("direction", "connection_direction"),
    ("app", "app_name"),
    ("service", "service_name"),
    ("subject", "email_subject"),
    ("malware", "malware_name"),
    ("signature", "analytic_name"),
    ("script", "script_content"),
    ("src_host", "src_hostname"),
    ("dst_host", "dst_hostname"),
];

/// Short names of several columns.
const SEVERAL: &[(&str, &[&str])] = &[
    ("port", &["src_port", "dst_port"]),
    ("src", &["src_ip", "src_hostname"]),
    ("dst", &["dst_ip", "dst_hostname"]),
    ("pid", &["process_pid", "actor_process_pid"]),
    (
        "rule",
        &[
            "firewall_rule_name",
            "firewall_rule_uid",
            "policy_name",
            "analytic_name",
            "analytic_uid",
        ],
    ),
    ("answer", &["dns_answers"]),
    ("from", &["email_from"]),
    ("to", &["email_to"]),
];

/// Further columns of an observable's kind, beside those that declare it.
const KIND_MORE: &[(ObservableKind, &[&str])] = &[
    (ObservableKind::Ip, &["http_x_forwarded_for", "dns_answers.value"]),
    (ObservableKind::Domain, &["dns_answers.value"]),
    (ObservableKind::Host, &["dst_hostname"]),
    (ObservableKind::Email, &["email_to"]),
    (ObservableKind::File, &["file_name", "module_name"]),
    (ObservableKind::Process, &["process_name", "actor_process_name", "parent_process_name"]),
];

/// Other words for an observable's kind.
const KIND_WORDS: &[(&str, ObservableKind)] = &[
    ("cmd", ObservableKind::CommandLine),
    ("cmd_line", ObservableKind::CommandLine),
    ("cmdline", ObservableKind::CommandLine),
    ("hostname", ObservableKind::Host),
    ("address", ObservableKind::Ip),
    ("username", ObservableKind::User),
    ("mail", ObservableKind::Email),
];

/// Fields that no single column holds.
const SPECIAL: &[(&str, Target)] = &[
    ("class", Target::Class),
    ("class_uid", Target::Class),
    ("class_name", Target::Class),
    ("category", Target::Category),
    ("category_uid", Target::Category),
    ("category_name", Target::Category),
    ("activity", Target::Activity),
    ("activity_id", Target::Activity),
    ("activity_name", Target::Activity),
    ("type_uid", Target::Type),
    ("earliest", Target::Earliest),
    ("latest", Target::Latest),
];

/// What the name stands for; ASCII case is ignored.
///
/// # Errors
/// A name that nothing or too much has, with what may be meant.
pub fn resolve(name: &Name) -> Result<Target, Fault> {
    let word = name.text.to_ascii_lowercase();
    let is = |known: &str| known == word;
    if let Some(own) = name.text.get(9..).filter(|_| word.starts_with("unmapped."))
        && !own.is_empty()
    {
        return Ok(Target::Unmapped(own.to_owned()));
    }
    if let Some((_, target)) = SPECIAL.iter().find(|(known, _)| is(known)) {
        return Ok(target.clone());
    }
    if let Some(source) = column(&word) {
        return Ok(Target::Columns(vec![source]));
    }
    if let Some(kind) = kind(&word) {
        return Ok(Target::Columns(of_kind(kind)));
    }
    if is("observables") || is("observables.value") {
        // Every value worth following; command lines are texts, not names.
        let kinds = ObservableKind::ALL.into_iter().filter(|k| *k != ObservableKind::CommandLine);
        let mut all: Vec<Source> = kinds.flat_map(of_kind).collect();
        let mut seen = BTreeSet::new();
        all.retain(|source| seen.insert(source.column));
        return Ok(Target::Columns(all));
    }
    if let Some((_, columns)) = SEVERAL.iter().find(|(known, _)| is(known)) {
        return Ok(Target::Columns(columns.iter().filter_map(|name| column(name)).collect()));
    }
    let ending = format!(".{word}");
    let ends: Vec<_> = COLUMNS.iter().filter(|c| c.path.ends_with(&ending)).collect();
    match ends.as_slice() {
        [] => Err(unknown(name, &word)),
        [one] => Ok(Target::Columns(column(one.name).into_iter().collect())),
        many => {
            let paths: Vec<&str> = many.iter().map(|c| c.path).take(6).collect();
            let message = format!("`{}` is the end of several fields", name.text);
            let help = format!("write one of {}", paths.join(", "));
            Err(Fault::new("field_ambiguous", name.span, message).help(help))
        }
    }
}

/// The column of a path, column name or single short name, lower case.
pub fn column(word: &str) -> Option<Source> {
    let word = SINGLE.iter().find(|(known, _)| *known == word).map_or(word, |(_, name)| name);
    if let Some((name, form)) = objects_part(word) {
        return Some(Source { column: name, form, part: None });
    }
    if let Some((column, _, form)) =
        EXTRA.iter().find(|(name, path, _)| *name == word || *path == word)
    {
        return Some(Source { column, form: *form, part: None });
    }
    let id = ColumnId::find(word)?;
    Some(Source { column: id.column().name, form: form_of(id), part: None })
}

/// `answers.value` and its like.
fn objects_part(word: &str) -> Option<(&'static str, Form)> {
    let (list, part) = word.rsplit_once('.')?;
    let part = ["name", "type", "value"].into_iter().find(|known| *known == part)?;
    let id = ColumnId::find(list).filter(|id| id.column().kind == ColumnType::Objects)?;
    Some((id.column().name, Form::Objects(Some(part))))
}

fn form_of(id: ColumnId) -> Form {
    let column = id.column();
    if let Some(captions) = enums::captions(id) {
        return Form::Number(captions);
    }
    if let Some(number) = enums::id_column_of(id)
        && let Some(captions) = enums::captions(number)
    {
        return Form::Caption(number.column().name, captions);
    }
    match column.kind {
        ColumnType::I64 => Form::Integer,
        ColumnType::F64 => Form::Float,
        ColumnType::Bool => Form::Truth,
        ColumnType::Time => Form::Time,
        ColumnType::Strings => Form::Texts,
        ColumnType::Objects => Form::Objects(None),
        ColumnType::Text => match column.name {
            "event_id" => Form::Id,
            "tenant" | "feed" | "source" => Form::Name,
            name if PROSE.contains(&name) => Form::Prose,
            _ => match column.observable {
                Some(ObservableKind::Ip) => Form::Address,
                Some(ObservableKind::CommandLine) => Form::Prose,
                _ => Form::Text,
            },
        },
    }
}

fn kind(word: &str) -> Option<ObservableKind> {
    ObservableKind::from_word(word)
        .or_else(|| KIND_WORDS.iter().find(|(known, _)| *known == word).map(|(_, kind)| *kind))
}

/// Every column whose values are of a kind.
fn of_kind(kind: ObservableKind) -> Vec<Source> {
    let more = KIND_MORE.iter().find(|(of, _)| *of == kind).map_or(&[][..], |(_, names)| names);
    let part = match kind {
        ObservableKind::User => Some(Part::User),
        ObservableKind::Host => Some(Part::Host),
        ObservableKind::Domain => Some(Part::Domain),
        ObservableKind::File | ObservableKind::Process => Some(Part::File),
        _ => None,
    };
    COLUMNS
        .iter()
        .filter(|c| c.observable == Some(kind))
        .map(|c| c.name)
        .chain(more.iter().copied())
        .filter_map(column)
        .map(|source| Source { part, ..source })
        .collect()
}

/// The name part by which a column's values are also found under the name of their kind.
pub fn part_of(column: &str) -> Option<Part> {
    let of_it = |kind| of_kind(kind).into_iter().find(|source| source.column == column);
    ObservableKind::ALL.into_iter().filter_map(of_it).find_map(|source| source.part)
}

fn unknown(name: &Name, word: &str) -> Fault {
    let message = format!("there is no field `{}`", name.text);
    let fault = Fault::new("field_unknown", name.span, message);
    match nearest(word, names().into_iter()) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault.help(format!(
            "a source's own field is written unmapped.{0}; text with a colon goes into quotes",
            name.text
        )),
    }
}

/// Every name that is known as a whole, in order.
pub fn names() -> BTreeSet<&'static str> {
    let mut all: BTreeSet<&'static str> = COLUMNS.iter().flat_map(|c| [c.path, c.name]).collect();
    all.extend(EXTRA.iter().map(|(name, ..)| *name));
    all.extend(SINGLE.iter().map(|(name, _)| *name));
    all.extend(SEVERAL.iter().map(|(name, _)| *name));
    all.extend(SPECIAL.iter().map(|(name, _)| *name));
    all.extend(KIND_WORDS.iter().map(|(name, _)| *name));
    all.extend(ObservableKind::ALL.iter().map(|kind| kind.word()));
    all
}

/// The short names of fields, by column: what a search takes for it beside its column's name and its
/// path, in order. A name that stands for several columns is with each of them.
pub fn short_names() -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut all: BTreeMap<&'static str, Vec<&'static str>> = BTreeMap::new();
    let known: BTreeSet<&str> = COLUMNS.iter().flat_map(|c| [c.path, c.name]).collect();
    for short in names().into_iter().filter(|name| !known.contains(name)) {
        let name = Name { text: short.to_owned(), span: Span::default() };
        let columns: BTreeSet<&'static str> = match resolve(&name) {
            Ok(Target::Columns(sources)) => sources.iter().map(|source| source.column).collect(),
            Ok(Target::Class) => ["class_uid"].into(),
            Ok(Target::Activity) => ["activity_id"].into(),
            _ => continue,
        };
        for column in columns.into_iter().filter(|column| *column != short) {
            all.entry(column).or_default().push(short);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::schema::TableKind;

    fn of(text: &str) -> Result<Target, Fault> {
        resolve(&Name { text: text.to_owned(), span: Span::default() })
    }

    fn columns(text: &str) -> Vec<&'static str> {
        match of(text).unwrap() {
            Target::Columns(sources) => sources.iter().map(|s| s.column).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_name_resolves_to_columns_that_exist() {
        let schema = TableKind::Events.schema();
        for name in names() {
            if let Target::Columns(sources) = of(name).unwrap() {
                assert!(!sources.is_empty(), "{name}");
                for source in sources {
                    assert!(schema.index_of(source.column).is_ok(), "{name}: {}", source.column);
                }
            }
        }
    }

    #[test]
    fn paths_names_short_names_and_endings() {
        assert_eq!(columns("src_endpoint.ip"), ["src_ip"]);
        assert_eq!(columns("SRC_IP"), ["src_ip"]);
        assert_eq!(columns("port"), ["src_port", "dst_port"]);
        assert!(columns("ip").len() >= 6);
        assert!(columns("ip").contains(&"dns_answers"));
        assert!(columns("domain").contains(&"dns_answers"));
        assert!(columns("user").contains(&"actor_user_name"));
        assert_eq!(columns("imphash"), ["process_hash_imphash"]);
        assert_eq!(columns("answers.value"), ["dns_answers"]);
        assert_eq!(of("unmapped.A b").unwrap(), Target::Unmapped("A b".to_owned()));
        assert_eq!(columns("unmapped"), ["unmapped"]);
    }

    #[test]
    fn short_names_are_told_with_every_column_that_they_stand_for() {
        let short = short_names();
        assert!(short["src_port"].contains(&"port") && short["dst_port"].contains(&"port"));
        assert!(short["raw_data"].contains(&"raw"));
        assert!(short["actor_user_name"].contains(&"user"));
        assert!(short["class_uid"].contains(&"class"));
        for (column, names) in &short {
            assert!(ColumnId::find(column).is_some() || EXTRA.iter().any(|e| e.0 == *column));
            for name in names {
                assert!(ColumnId::find(name).is_none(), "{name} is a field itself");
                match of(name).unwrap() {
                    Target::Columns(_) => assert!(columns(name).contains(column), "{name}"),
                    Target::Class | Target::Activity => {}
                    other => panic!("{name}: {other:?}"),
                }
            }
        }
    }

    #[test]
    fn unknown_names_get_a_suggestion() {
        let fault = |text: &str| of(text).unwrap_err();
        assert_eq!(fault("usr").help.as_deref(), Some("did you mean `user`?"));
        assert!(fault("src_endpont.ip").help.unwrap().contains("src_endpoint.ip"));
        assert!(fault("TargetUserName").help.unwrap().contains("unmapped.TargetUserName"));
        assert_eq!(fault("sha256").code, "field_ambiguous");
        assert_eq!(fault("unmapped.").code, "field_unknown");
    }
}
