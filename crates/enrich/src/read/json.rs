//! JSON lists as a stream: STIX 2.1 bundles, MISP events, objects with known field names.
//!
//! One value or several in a row; every object is looked at when it ends, so that a bundle of
//! any size needs the memory of one object.

use super::stix::{self, Term};
use super::table::{ANY, NAMES, TYPED, composite, name_into, plain_name};
use super::{End, Sink};
use crate::list::Statement;
use crate::refusal::Refusal;
use serde::de::{self, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::io::{BufReader, Read};
use yagura_event::Level;
use yagura_event::time::parse_rfc3339;

/// Most fields of one object that are kept until it ends.
const FIELDS_MAX: usize = 128;

/// Most texts of a list within an object that are kept.
const TEXTS_MAX: usize = 8;

/// Parts of a MISP event that hold other events, people or remarks.
const SKIPPED: [&str; 9] = [
    "RelatedEvent",
    "ShadowAttribute",
    "Galaxy",
    "EventReport",
    "Org",
    "Orgc",
    "Sighting",
    "external_references",
    "object_marking_refs",
];

/// Error text that ends reading once the list is too long.
const FULL: &str = "too many indicators";

pub(super) fn read<R: Read>(from: R, sink: &mut Sink) -> End {
    let from = BufReader::with_capacity(256 * 1024, from);
    let mut json = serde_json::Deserializer::from_reader(from);
    let mut state = State { sink, stix: false, level: None, info: String::new() };
    while json.end().is_err() {
        let walk = Walk { state: &mut state, key: None };
        if let Err(error) = walk.deserialize(&mut json) {
            let text = error.to_string();
            return match error.io_error_kind() {
                Some(kind) => state.sink.io(&std::io::Error::new(kind, strip(&text).to_owned())),
                None if text.contains(FULL) => state.sink.too_many(),
                None => End::Early(format!("damaged JSON, the rest is left out: {text}")),
            };
        }
    }
    End::Done
}

/// An error's text without serde's place.
fn strip(text: &str) -> &str {
    text.split(" at line ").next().unwrap_or(text)
}

struct State<'s> {
    sink: &'s mut Sink,
    /// STIX objects were seen: what is no indicator object is none.
    stix: bool,
    /// Level and title of the MISP event around.
    level: Option<Level>,
    info: String,
}

/// A value on its way up to its object.
enum Item {
    Text(String),
    Texts(Vec<String>),
    Number(f64),
    Bool(bool),
    Other,
}

struct Walk<'w, 's> {
    state: &'w mut State<'s>,
    /// The field that holds the value; `None` at the top.
    key: Option<&'w str>,
}

impl<'de> DeserializeSeed<'de> for Walk<'_, '_> {
    type Value = Item;
    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Item, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_, '_> {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Item, E> {
        Ok(Item::Text(text.to_owned()))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Item, E> {
        Ok(Item::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Item, E> {
        Ok(Item::Number(value as f64))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Item, E> {
        Ok(Item::Number(value as f64))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Item, E> {
        Ok(Item::Number(value))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Item, E> {
        Ok(Item::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Item, A::Error> {
        let entries = match self.key {
            None => true,
            Some(key) => {
                let key = plain_name(key);
                !self.state.stix && (TYPED.contains(&key.as_str()) || ANY.contains(&key.as_str()))
            }
        };
        let mut texts = Vec::new();
        loop {
            let walk = Walk { state: &mut *self.state, key: self.key.or(Some("")) };
            let Some(item) = list.next_element_seed(walk)? else { break };
            let Item::Text(text) = item else { continue };
            if entries {
                if !self.state.sink.entry(&text, &Statement::default()) {
                    return Err(de::Error::custom(FULL));
                }
            } else if texts.len() < TEXTS_MAX {
                texts.push(text);
            }
        }
        Ok(Item::Texts(texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Item, A::Error> {
        let mut fields: Vec<(String, Item)> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if SKIPPED.contains(&key.as_str()) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            if key == "Event" {
                self.state.level = None;
                self.state.info.clear();
            }
            let item = map.next_value_seed(Walk { state: &mut *self.state, key: Some(&key) })?;
            self.state.around(&key, &item);
            if fields.len() < FIELDS_MAX && !matches!(item, Item::Other) {
                fields.push((key, item));
            }
        }
        if self.state.object(&Fields(fields)) {
            Ok(Item::Other)
        } else {
            Err(de::Error::custom(FULL))
        }
    }
}

/// An object's fields.
struct Fields(Vec<(String, Item)>);

impl Fields {
    fn get(&self, key: &str) -> Option<&Item> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, item)| item)
    }

    fn text(&self, key: &str) -> Option<&str> {
        match self.get(key)? {
            Item::Text(text) => Some(text),
            _ => None,
        }
    }

    fn number(&self, key: &str) -> Option<f64> {
        match self.get(key)? {
            Item::Number(number) => Some(*number),
            Item::Text(text) => text.parse().ok(),
            _ => None,
        }
    }

    /// A truth value, also as text or number.
    fn flag(&self, key: &str) -> Option<bool> {
        match self.get(key)? {
            Item::Bool(value) => Some(*value),
            Item::Number(value) => Some(*value != 0.0),
            Item::Text(text) => Some(matches!(text.as_str(), "true" | "1" | "True")),
            _ => None,
        }
    }
}

impl State<'_> {
    /// Notes what a MISP event says before its attributes.
    fn around(&mut self, key: &str, item: &Item) {
        match (key, item) {
            ("threat_level_id", Item::Text(text)) => self.level = threat_level(text),
            ("threat_level_id", Item::Number(number)) => {
                self.level = threat_level(&number.to_string());
            }
            ("info", Item::Text(text)) => self.info.clone_from(text),
            _ => {}
        }
    }

    /// Takes what an object says; false once the list is too long.
    fn object(&mut self, fields: &Fields) -> bool {
        let kind = fields.text("type").unwrap_or_default();
        let id = fields.text("id").unwrap_or_default();
        if !kind.is_empty() && id.strip_prefix(kind).is_some_and(|rest| rest.starts_with("--")) {
            self.stix = true;
        }
        if kind == "indicator" && fields.text("pattern").is_some() {
            return self.indicator(fields);
        }
        if self.stix {
            return true;
        }
        let attribute = ["category", "to_ids", "event_id"].iter().any(|k| fields.get(k).is_some());
        match fields.text("value") {
            Some(value) if attribute && !kind.is_empty() => self.attribute(kind, value, fields),
            _ => self.any(fields),
        }
    }

    /// A STIX indicator (STIX 2.1 section 4.7).
    fn indicator(&mut self, fields: &Fields) -> bool {
        let pattern = fields.text("pattern").unwrap_or_default();
        if fields.flag("revoked") == Some(true) {
            self.sink.refuse(Refusal::Revoked, pattern);
            return true;
        }
        if fields.text("pattern_type").is_some_and(|kind| kind != "stix") {
            self.sink.refuse(Refusal::TypeUnsupported, pattern);
            return true;
        }
        let mut said = Statement {
            from: fields.text("valid_from").and_then(parse_rfc3339),
            until: fields.text("valid_until").and_then(parse_rfc3339),
            ..Statement::default()
        };
        if let Some(confidence) = fields.number("confidence") {
            said.level = Statement::level_of(confidence);
        }
        let mut name = fields.text("name").unwrap_or_default().to_owned();
        if let Some(Item::Texts(labels)) = fields.get("labels")
            && !labels.is_empty()
        {
            name = format!("{name} [{}]", labels.join(", "));
        }
        name_into(&name, &mut said);
        match stix::pattern(pattern) {
            Ok(terms) => terms.iter().all(|term| match term {
                Term::Value(value) => self.sink.entry(value, &said),
                Term::Refused(why, path) => {
                    self.sink.refuse(*why, path);
                    true
                }
            }),
            Err(why) => {
                self.sink.refuse(why, pattern);
                true
            }
        }
    }

    /// A MISP attribute.
    fn attribute(&mut self, kind: &str, value: &str, fields: &Fields) -> bool {
        let refused = if fields.flag("deleted") == Some(true) {
            Some(Refusal::Revoked)
        } else if fields.flag("to_ids") == Some(false) && !self.sink.limits.wide {
            Some(Refusal::NotForDetection)
        } else if !is_looked_for(kind) {
            Some(Refusal::TypeUnsupported)
        } else {
            None
        };
        if let Some(why) = refused {
            self.sink.refuse(why, value);
            return true;
        }
        let mut said =
            Statement { level: self.level.unwrap_or(Statement::LEVEL), ..Statement::default() };
        name_into(&self.info, &mut said);
        composite(value, &said, self.sink)
    }

    /// Any object: fields by the names that tables' columns have.
    fn any(&mut self, fields: &Fields) -> bool {
        let mut said = Statement::default();
        let confidence = fields.number("confidence").or_else(|| fields.number("confidence_level"));
        if let Some(confidence) = confidence {
            said.level = Statement::level_of(confidence);
        }
        if let Some(name) = NAMES.iter().find_map(|key| fields.text(key)) {
            name_into(name, &mut said);
        }
        let of = |known: &[&str]| -> Vec<&str> {
            let fields = fields.0.iter();
            let texts = fields.filter_map(|(key, item)| match item {
                Item::Text(text) if known.contains(&plain_name(key).as_str()) => {
                    Some(text.as_str())
                }
                _ => None,
            });
            texts.filter(|text| !text.is_empty()).collect()
        };
        let mut values = of(&ANY);
        if values.is_empty() {
            values = of(&TYPED);
        }
        values.iter().all(|value| composite(value, &said, self.sink))
    }
}

/// The level of MISP's threat level: 1 high, 2 medium, 3 low, 4 undefined.
fn threat_level(id: &str) -> Option<Level> {
    match id {
        "1" => Some(Level::High),
        "2" => Some(Level::Medium),
        "3" => Some(Level::Low),
        _ => None,
    }
}

/// Whether a MISP attribute type holds values that are looked for in events.
fn is_looked_for(kind: &str) -> bool {
    let parts: Vec<&str> = kind.split('|').collect();
    let known = |part: &str| {
        matches!(
            part,
            "ip-src"
                | "ip-dst"
                | "ip"
                | "domain"
                | "hostname"
                | "url"
                | "uri"
                | "md5"
                | "sha1"
                | "sha256"
                | "sha512"
                | "email"
                | "email-src"
                | "email-dst"
                | "email-reply-to"
                | "malware-sample"
                | "x509-fingerprint-md5"
                | "x509-fingerprint-sha1"
                | "x509-fingerprint-sha256"
                | "ja3-fingerprint-md5"
        )
    };
    match parts.as_slice() {
        [one] => known(one),
        ["filename", hash] => known(hash),
        [one, "port" | "ip"] => known(one),
        _ => false,
    }
}
