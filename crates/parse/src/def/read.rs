//! Reads the tables of a definition into their checked form.

use super::event::{
    AliasDef, Constant, End, EventDef, MapDef, Op, RelateDef, Target, Test, TimeDef,
};
use super::node::{Node, Origin, SourceError, Table};
use super::{EVENTS_MAX, Names};
use crate::convert::Convert;
use crate::decode::{self, Decoder};
use crate::enums;
use crate::time::Format;
use ahash::AHashMap;
use yagura_event::column::ColumnType;
use yagura_event::{
    Class, ColumnId, Dimension, Logsource, LogsourceId, LogsourceTable, ObservableKind,
    RelationKind,
};

type Result<T> = std::result::Result<T, SourceError>;

const EVENT_KEYS: &[&str] = &[
    "when",
    "or",
    "class",
    "logsource",
    "time",
    "host",
    "set",
    "map",
    "values",
    "sigma",
    "relate",
    "context_user",
];

/// Interns what the definitions name.
pub struct Reader<'n> {
    pub names: &'n mut Names,
    pub logsources: &'n mut LogsourceTable,
}

impl Reader<'_> {
    /// Every `[[event]]` over `[defaults]`; a source without events has one base event.
    pub fn events(&mut self, root: &Table<'_>) -> Result<Vec<EventDef>> {
        let defaults = root.get("defaults").map(|node| node.table()).transpose()?;
        if let Some(defaults) = &defaults {
            defaults.only(EVENT_KEYS)?;
        }
        let (mut events, mut others) = (Vec::new(), Vec::new());
        let tables = root.get("event").map(|node| node.items()).unwrap_or_default();
        for (at, node) in tables.iter().enumerate() {
            let table = node.table()?;
            table.only(EVENT_KEYS)?;
            let or = table.get("or").map(|node| node.items()).unwrap_or_default();
            let when = table.get("when").is_some();
            if !when && or.is_empty() && at + 1 < tables.len() {
                return Err(node.error("an [[event]] without `when` takes all: put it last"));
            }
            let event = self.event(&[Some(table), defaults])?;
            for item in &or {
                let when = self.tests(&item.table()?)?;
                others.push(EventDef { when, ..event.clone() });
            }
            if when || or.is_empty() {
                events.push(event);
            }
        }
        let last = match events.pop_if(|last| last.when.is_empty()) {
            Some(last) => last,
            None => self.event(&[None, defaults])?,
        };
        events.append(&mut others);
        events.push(last);
        if events.len() > EVENTS_MAX {
            return Err(SourceError::file(root.origin.file, "too many [[event]] tables"));
        }
        Ok(events)
    }

    /// One event from its own table and the defaults, the first that has a key winning.
    fn event(&mut self, layers: &[Option<Table<'_>>; 2]) -> Result<EventDef> {
        let first = |key: &str| layers.iter().flatten().find_map(|table| table.get(key));
        let class = match first("class") {
            Some(node) => class(&node)?,
            None => &yagura_event::class::CLASSES[0],
        };
        let when = match layers[0].and_then(|table| table.get("when")) {
            Some(node) => self.tests(&node.table()?)?,
            None => Vec::new(),
        };
        let host = match first("host") {
            Some(node) => self.fields(&node)?,
            None => Vec::new(),
        };
        let values = merged(layers, "values")?;
        let mut set = Vec::new();
        for (key, offset, node, origin) in merged(layers, "set")? {
            constant(column(origin, offset, key)?, class, &node, &mut set)?;
        }
        let mut map = Vec::new();
        for (key, offset, node, origin) in merged(layers, "map")? {
            if node.as_bool() != Some(false) {
                map.push(self.map(key, origin, offset, &node, class, &values)?);
            }
        }
        worded(&mut map);
        for (key, offset, _, origin) in &values {
            if !map.iter().any(|entry| {
                matches!(entry.target, Target::Column(id) if Some(id) == ColumnId::find(key))
            }) {
                let message = format!("`values.{key}` needs an entry `{key}` in `map`");
                return Err(origin.error(*offset, message));
            }
        }
        let mut sigma = Vec::new();
        for (key, _, node, _) in merged(layers, "sigma")? {
            if node.as_bool() != Some(false) {
                let (fields, convert) = self.source(&node)?;
                let convert = convert.unwrap_or(Convert::Text);
                sigma.push(AliasDef { name: self.names.intern(key), fields, convert });
            }
        }
        let mut relate = Vec::new();
        for node in layers.iter().flatten().filter_map(|table| table.get("relate")) {
            for item in node.items() {
                relate.push(self.relate(&item.table()?)?);
            }
        }
        Ok(EventDef {
            when,
            class: class.uid,
            logsource: first("logsource").map_or(Ok(LogsourceId(0)), |n| self.logsource(&n))?,
            time: first("time").map(|node| self.time(&node)).transpose()?,
            host,
            set,
            map,
            sigma,
            relate,
            context_user: first("context_user").is_some_and(|node| node.as_bool() == Some(true)),
        })
    }

    /// The conditions of a `when` table.
    pub fn tests(&mut self, table: &Table<'_>) -> Result<Vec<Test>> {
        let mut tests = Vec::new();
        for (key, _, node) in table.entries() {
            let field = self.names.intern(key);
            let Some(inner) = node.as_table() else {
                tests.push(Test { field, op: Op::Equals, values: scalars(&node)?, negate: false });
                continue;
            };
            inner.only(&[
                "starts",
                "ends",
                "contains",
                "exists",
                "not",
                "below",
                "ip",
                "alone_with",
            ])?;
            for (word, _, node) in inner.entries() {
                let (op, negate) = match word {
                    "starts" => (Op::Starts, false),
                    "ends" => (Op::Ends, false),
                    "contains" => (Op::Contains, false),
                    "exists" => (Op::Exists, !node.truth()?),
                    "below" => (Op::Below(self.names.intern(node.text()?)), false),
                    "ip" => (Op::Ip, !node.truth()?),
                    "alone_with" => (Op::AloneWith(self.fields(&node)?), false),
                    _ => (Op::Equals, true),
                };
                let plain = matches!(op, Op::Equals | Op::Starts | Op::Ends | Op::Contains);
                let values = if plain { scalars(&node)? } else { Vec::new() };
                tests.push(Test { field, op, values, negate });
            }
        }
        Ok(tests)
    }

    fn fields(&mut self, node: &Node<'_>) -> Result<Vec<u32>> {
        Ok(node.texts()?.into_iter().map(|name| self.names.intern(name)).collect())
    }

    /// A field, a list of fields, or `{ field = ..., as = ... }`; `unless` is the caller's.
    fn source(&mut self, node: &Node<'_>) -> Result<(Vec<u32>, Option<Convert>)> {
        let Some(table) = node.as_table() else { return Ok((self.fields(node)?, None)) };
        table.only(&["field", "as", "unless"])?;
        let field = table.get("field").ok_or_else(|| node.error("`field` is missing"))?;
        let convert = match table.get("as") {
            Some(word) => Some(Convert::parse(word.text()?).map_err(|why| word.error(why))?),
            None => None,
        };
        Ok((self.fields(&field)?, convert))
    }

    fn map(
        &mut self,
        key: &str,
        origin: Origin<'_>,
        offset: usize,
        node: &Node<'_>,
        class: &Class,
        values: &[Entry<'_>],
    ) -> Result<MapDef> {
        let (fields, convert) = self.source(node)?;
        let unless = match node.as_table().and_then(|table| table.get("unless")) {
            Some(name) => Some(self.names.intern(name.text()?)),
            None => None,
        };
        if let Some(parts) = convert.as_ref().and_then(Convert::parts) {
            let columns: Vec<_> =
                parts.iter().map(|part| ColumnId::find(&format!("{key}.{part}"))).collect();
            if columns.iter().all(Option::is_none) {
                let message = format!("no column below `{key}` takes any of {}", parts.join(", "));
                return Err(origin.error(offset, message));
            }
            let convert = convert.unwrap_or(Convert::Text);
            let target = Target::Parts(columns);
            let (values, number, caption) = (None, None, true);
            return Ok(MapDef { target, fields, convert, values, number, unless, caption });
        }
        let id = column(origin, offset, key)?;
        let number = enums::id_column_of(id);
        let table = values.iter().find(|(name, ..)| ColumnId::find(name) == Some(id));
        let values = match table {
            Some((_, _, table, _)) => Some(captions(number.unwrap_or(id), class, table)?),
            None => None,
        };
        let convert = convert.unwrap_or_else(|| Convert::default_for(id));
        if values.is_none() && !convert.fits(id) {
            let message =
                format!("`{key}` is {:?}: this conversion does not give that", id.column().kind);
            return Err(node.error(message));
        }
        let target = Target::Column(id);
        Ok(MapDef { target, fields, convert, values, number, unless, caption: true })
    }

    fn logsource(&mut self, node: &Node<'_>) -> Result<LogsourceId> {
        let table = node.table()?;
        table.only(&["product", "service", "category"])?;
        let dimension = |key: &str| -> Result<Dimension> {
            Ok(match table.get(key).map(|node| node.text()).transpose()? {
                None => Dimension::None,
                Some("*") => Dimension::Unknown,
                Some(word) => Dimension::Known(word.into()),
            })
        };
        let logsource = Logsource {
            product: dimension("product")?,
            service: dimension("service")?,
            category: dimension("category")?,
        };
        Ok(self.logsources.intern(logsource))
    }

    fn time(&mut self, node: &Node<'_>) -> Result<TimeDef> {
        let table = node.table()?;
        table.only(&["field", "formats", "join"])?;
        let field = table.get("field").ok_or_else(|| node.error("`field` is missing"))?;
        let join = table.get("join").map_or(Ok(false), |node| node.truth())?;
        let formats = table.get("formats").ok_or_else(|| node.error("`formats` is missing"))?;
        let formats = formats
            .items()
            .iter()
            .map(|item| Format::parse(item.text()?).map_err(|why| item.error(why)))
            .collect::<Result<_>>()?;
        Ok(TimeDef { fields: self.fields(&field)?, join, formats })
    }

    fn relate(&mut self, table: &Table<'_>) -> Result<RelateDef> {
        table.only(&["kind", "from", "to"])?;
        let word = table.text("kind")?;
        let Some(kind) = RelationKind::from_word(word) else {
            let known: Vec<_> = RelationKind::ALL.iter().map(|kind| kind.word()).collect();
            let message = format!("no relation `{word}`; known: {}", known.join(", "));
            return Err(table.origin.error(table.offset, message));
        };
        let mut end = |key: &str| -> Result<End> {
            let text = table.text(key)?;
            if let Some((kind, field)) = text.split_once(':')
                && let Some(kind) = ObservableKind::from_word(kind)
            {
                return Ok(End::Field(self.names.intern(field), kind));
            }
            match ColumnId::find(text).map(|id| (id, id.column().observable)) {
                Some((id, Some(kind))) => Ok(End::Column(id, kind)),
                _ => Err(table.origin.error(
                    table.offset,
                    format!(
                        "`{text}`: expected a column that names an observable, or `kind:field`"
                    ),
                )),
            }
        };
        Ok(RelateDef { kind, from: end("from")?, to: end("to")? })
    }
}

/// Notes which enumerations have their words from a field.
fn worded(map: &mut [MapDef]) {
    let filled: Vec<_> = map
        .iter()
        .filter_map(|entry| match entry.target {
            Target::Column(id) => Some(id),
            Target::Parts(_) => None,
        })
        .collect();
    for entry in map {
        if let Target::Column(id) = entry.target {
            entry.caption = enums::text_of(id).is_none_or(|text| !filled.contains(&text));
        }
    }
}

type Entry<'a> = (&'a str, usize, Node<'a>, Origin<'a>);

/// The entries of a table in both layers; the first layer wins by key.
fn merged<'a>(layers: &[Option<Table<'a>>; 2], key: &str) -> Result<Vec<Entry<'a>>> {
    let mut all: Vec<Entry<'a>> = Vec::new();
    for layer in layers.iter().flatten() {
        let Some(node) = layer.get(key) else { continue };
        for (name, offset, node) in node.table()?.entries() {
            if !all.iter().any(|(known, ..)| *known == name) {
                all.push((name, offset, node, layer.origin));
            }
        }
    }
    Ok(all)
}

fn class(node: &Node<'_>) -> Result<&'static Class> {
    let name = node.text()?;
    Class::by_name(name).ok_or_else(|| {
        let known: Vec<_> = yagura_event::class::CLASSES.iter().map(|class| class.name).collect();
        node.error(format!("no OCSF class `{name}`; known: {}", known.join(", ")))
    })
}

fn column(origin: Origin<'_>, offset: usize, key: &str) -> Result<ColumnId> {
    match ColumnId::find(key) {
        Some(id) if !id.column().head => Ok(id),
        Some(_) => Err(origin.error(offset, format!("`{key}` is set by the parser itself"))),
        None => Err(origin.error(offset, format!("no column `{key}` (dotted path in quotes)"))),
    }
}

fn scalars(node: &Node<'_>) -> Result<Vec<Box<[u8]>>> {
    node.items().iter().map(|item| Ok(item.scalar()?.into_bytes().into())).collect()
}

fn constant(
    id: ColumnId,
    class: &Class,
    node: &Node<'_>,
    set: &mut Vec<(ColumnId, Constant)>,
) -> Result<()> {
    let kind = id.column().kind;
    let value = match (kind, node.as_text()) {
        (ColumnType::I64, Some(caption)) => {
            let number = number(id, class, caption, node)?;
            if let Some(text) = enums::text_of(id) {
                set.push((text, Constant::Text(caption.into())));
            }
            Constant::I64(number)
        }
        (ColumnType::I64, None) => {
            Constant::I64(node.as_integer().ok_or_else(|| node.error("an integer is expected"))?)
        }
        (ColumnType::Bool, _) => Constant::Bool(node.truth()?),
        (ColumnType::Text, Some(text)) => Constant::Text(text.into()),
        _ => return Err(node.error(format!("this column is {kind:?} and takes no constant"))),
    };
    set.push((id, value));
    Ok(())
}

fn number(id: ColumnId, class: &Class, caption: &str, node: &Node<'_>) -> Result<i64> {
    enums::id_of(id, class, caption).ok_or_else(|| {
        let known = enums::list(id, class);
        node.error(format!("no caption `{caption}` of {}; known: {known}", id.column().path))
    })
}

/// Source value to enumeration number.
fn captions(id: ColumnId, class: &Class, node: &Node<'_>) -> Result<AHashMap<Box<[u8]>, i64>> {
    let mut table = AHashMap::new();
    for (value, _, node) in node.table()?.entries() {
        let number = match node.as_text() {
            Some(caption) => number(id, class, caption, &node)?,
            None => node.as_integer().ok_or_else(|| node.error("a caption is expected"))?,
        };
        table.insert(value.as_bytes().into(), number);
    }
    Ok(table)
}

/// A list of texts at a key, empty where it is absent.
pub fn texts(root: &Table<'_>, key: &str) -> Result<Vec<String>> {
    match root.get(key) {
        Some(node) => Ok(node.texts()?.into_iter().map(str::to_owned).collect()),
        None => Ok(Vec::new()),
    }
}

/// Whether `unwrap` names syslog; anything else is refused.
pub fn unwrap(root: &Table<'_>) -> Result<bool> {
    let Some(node) = root.get("unwrap") else { return Ok(false) };
    for item in node.items() {
        if item.text()? != "syslog" {
            return Err(item.error("no such wrapper; known: syslog"));
        }
    }
    Ok(!node.items().is_empty())
}

/// `recognise`: one list of literals, or a list of alternatives.
pub fn literals(root: &Table<'_>) -> Result<Vec<Vec<String>>> {
    let Some(node) = root.get("recognise") else { return Ok(Vec::new()) };
    let items = node.items();
    let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect::<Vec<_>>();
    if items.iter().any(Node::is_array) {
        items.iter().map(|item| Ok(owned(item.texts()?))).collect()
    } else {
        Ok(vec![owned(node.texts()?)])
    }
}

/// Builds a decoder with the options of its own table.
pub fn decoder(
    name: &str,
    root: &Table<'_>,
    messages: Option<&(String, String)>,
    names: &mut Names,
) -> Result<Box<dyn Decoder>> {
    if let Some(decoder) = decode::by_name(name) {
        return Ok(decoder);
    }
    let options = root.get(name).map(|node| node.table()).transpose()?;
    match name {
        "template" => {
            let pairs = root.get("kv").map(|node| node.table()).transpose()?;
            let pairs = decode::kv::build(pairs.as_ref(), names)?;
            Ok(Box::new(decode::template::build(options.as_ref(), messages, pairs, names)?))
        }
        "csv" => Ok(Box::new(decode::csv::build(root, options.as_ref(), names)?)),
        "regex" => Ok(Box::new(decode::regex::build(root, options.as_ref(), names)?)),
        "kv" => Ok(Box::new(decode::kv::build(options.as_ref(), names)?)),
        "w3c" => Ok(Box::new(decode::w3c::build(options.as_ref())?)),
        _ => Err(root.origin.error(
            root.get("decode").map_or(root.offset, |node| node.offset()),
            format!(
                "no decoder `{name}`; known: json, xml, windows_event, access, shell_history, \
                 auditd, named, postfix, squid, firepower, cef, leef, text, tsv, w3c, template, regex, csv, kv"
            ),
        )),
    }
}
