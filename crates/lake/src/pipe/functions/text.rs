//! Functions of texts.

use super::{ARGUMENTS_MAX, Args, Function};
use crate::pipe::fieldwise::member;
use crate::pipe::frame::{Kind, Value};
use crate::pipe::scope::{Scope, as_text};
use crate::pipe::udf;
use crate::schema::element;
use crate::search::REGEX_BYTES_MAX;
use crate::search::fault::Fault;
use crate::search::matching::{Network, ValueTest};
use arrow::array::{Array, BooleanArray, Int64Array, ListBuilder, StringBuilder};
use arrow::datatypes::DataType;
use datafusion::common::{DataFusionError, Result as EngineResult};
use datafusion::functions::expr_fn::{lower, upper};
use datafusion::logical_expr::{Expr, lit};
use std::net::IpAddr;
use std::sync::Arc;

/// Most compiled bytes of an expression of `extract`, as for searches.
const REGEX_SIZE_MAX: usize = 1024 * 1024;

/// Most items that one text is split into; the rest stays with the last.
pub const SPLIT_ITEMS_MAX: usize = 1_000;

/// Most bytes that `strcat` makes for one batch of some thousand rows: texts that are joined
/// with themselves double with each word, and the engine does not count what is on its way.
pub const JOINED_BYTES_MAX: usize = 64 * 1024 * 1024;

pub const FUNCTIONS: &[Function] = &[
    Function {
        name: "tolower",
        syntax: "tolower(text)",
        doc: "the text in lower case",
        least: 1,
        most: 1,
        lower: |scope, args| Ok(text(lower(args.text(scope, 0)?))),
    },
    Function {
        name: "toupper",
        syntax: "toupper(text)",
        doc: "the text in upper case",
        least: 1,
        most: 1,
        lower: |scope, args| Ok(text(upper(args.text(scope, 0)?))),
    },
    Function {
        name: "strlen",
        syntax: "strlen(text)",
        doc: "characters of the text",
        least: 1,
        most: 1,
        lower: length,
    },
    Function {
        name: "substring",
        syntax: "substring(text, start, length)",
        doc: "part of the text; the first character is 0; without a length, all from there",
        least: 2,
        most: 3,
        lower: substring,
    },
    Function {
        name: "strcat",
        syntax: "strcat(a, b, ...)",
        doc: "the texts one after the other; no value is an empty text",
        least: 1,
        most: ARGUMENTS_MAX,
        lower: joined,
    },
    Function {
        name: "split",
        syntax: "split(text, \"separator\", index)",
        doc: "the parts between separators as a list; with an index from 0, one of them",
        least: 2,
        most: 3,
        lower: split,
    },
    Function {
        name: "extract",
        syntax: "extract(@\"user=(\\w+)\", 1, text)",
        doc: "a group of the first place where the regular expression matches; 0 is the whole",
        least: 3,
        most: 3,
        lower: extract,
    },
    Function {
        name: "extractjson",
        syntax: "extractjson(\"$.a.b\", text)",
        doc: "the value at a path of a JSON text",
        least: 2,
        most: 2,
        lower: |scope, args| {
            let path = args.quoted(0)?;
            let path = path.strip_prefix("$.").unwrap_or(path);
            let path = path.replace('[', ".").replace(']', "");
            Ok(Value::new(member(args.text(scope, 1)?, path), Kind::Any))
        },
    },
    Function {
        name: "tostring",
        syntax: "tostring(x)",
        doc: "the value as a text",
        least: 1,
        most: 1,
        lower: |scope, args| Ok(text(args.text(scope, 0)?)),
    },
    Function {
        name: "ipv4_is_in_range",
        syntax: "ipv4_is_in_range(ip, \"10.0.0.0/8\")",
        doc: "whether the address is in the network; also of IPv6",
        least: 2,
        most: 2,
        lower: in_network,
    },
    Function {
        name: "cidr",
        syntax: "cidr(ip, \"10.0.0.0/8\", \"fd00::/8\")",
        doc: "whether the address is in one of the networks",
        least: 2,
        most: ARGUMENTS_MAX,
        lower: in_network,
    },
];

fn text(expr: Expr) -> Value {
    Value::new(expr, Kind::Text)
}

/// The texts one after the other, as long as all of a batch stay within [`JOINED_BYTES_MAX`].
fn joined(scope: &mut Scope<'_>, args: &mut Args<'_>) -> Result<Value, Fault> {
    let parts = (0..args.nodes.len()).map(|at| args.text(scope, at));
    let parts = parts.collect::<Result<Vec<_>, _>>()?;
    let expr = udf::call("strcat".to_owned(), DataType::Utf8, parts, |args| {
        let columns = args.iter().map(udf::strings).collect::<EngineResult<Vec<_>>>()?;
        let mut out = StringBuilder::new();
        let (mut text, mut bytes) = (String::new(), 0usize);
        for row in 0..columns.first().map_or(0, Array::len) {
            text.clear();
            for column in columns.iter().filter(|column| column.is_valid(row)) {
                text.push_str(column.value(row));
            }
            bytes = bytes.saturating_add(text.len());
            if bytes > JOINED_BYTES_MAX {
                let message = format!("strcat made more than {JOINED_BYTES_MAX} bytes at once");
                return Err(DataFusionError::ResourcesExhausted(message));
            }
            out.append_value(&text);
        }
        Ok(Arc::new(out.finish()))
    });
    Ok(text(expr))
}

fn length(scope: &mut Scope<'_>, args: &mut Args<'_>) -> Result<Value, Fault> {
    let text = args.text(scope, 0)?;
    let expr = udf::call("strlen".to_owned(), DataType::Int64, vec![text], |args| {
        let texts = udf::strings(udf::argument(args, 0)?)?;
        let length = |text: Option<&str>| text.map(|t| t.chars().count() as i64);
        Ok(Arc::new(texts.iter().map(length).collect::<Int64Array>()))
    });
    Ok(Value::new(expr, Kind::Integer))
}

fn substring(scope: &mut Scope<'_>, args: &mut Args<'_>) -> Result<Value, Fault> {
    let start = args.whole(1)?;
    let length = if args.nodes.len() > 2 { args.whole(2)? } else { i64::MAX };
    let count = |number: i64| usize::try_from(number).unwrap_or(0);
    let name = format!("substring[{start},{length}]");
    Ok(text(udf::text(name, args.text(scope, 0)?, move |text| {
        // A start below zero counts from the end.
        let from = match start {
            0.. => count(start),
            _ => text
                .chars()
                .count()
                .saturating_sub(usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX)),
        };
        Some(text.chars().skip(from).take(count(length)).collect())
    })))
}

fn split(scope: &mut Scope<'_>, args: &mut Args<'_>) -> Result<Value, Fault> {
    let separator = args.quoted(1)?.to_owned();
    if separator.is_empty() {
        return Err(args.fault("the separator is empty"));
    }
    let column = args.text(scope, 0)?;
    if args.nodes.len() > 2 {
        let at = usize::try_from(args.whole(2)?)
            .map_err(|_| args.fault("the index is to be 0 or more"))?;
        let name = format!("split[{at},{separator}]");
        return Ok(text(udf::text(name, column, move |text| {
            text.split(separator.as_str()).nth(at).map(str::to_owned)
        })));
    }
    let returns = DataType::List(element(DataType::Utf8));
    let expr = udf::call(format!("split[{separator}]"), returns, vec![column], move |args| {
        let texts = udf::strings(udf::argument(args, 0)?)?;
        let mut out = ListBuilder::new(StringBuilder::new()).with_field(element(DataType::Utf8));
        for text in &texts {
            let parts =
                text.into_iter().flat_map(|t| t.splitn(SPLIT_ITEMS_MAX, separator.as_str()));
            parts.for_each(|part| out.values().append_value(part));
            out.append(text.is_some());
        }
        Ok(Arc::new(out.finish()))
    });
    Ok(Value::new(expr, Kind::Texts))
}

fn extract(scope: &mut Scope<'_>, args: &mut Args<'_>) -> Result<Value, Fault> {
    let (pattern, span) = (args.quoted(0)?, args.node(0)?.span);
    if pattern.len() > REGEX_BYTES_MAX {
        let message = format!("the expression has more than {REGEX_BYTES_MAX} bytes");
        return Err(Fault::new("regex_long", span, message));
    }
    // Its faults are worded there.
    ValueTest::regex(pattern, span)?;
    let compiled = regex::RegexBuilder::new(pattern)
        .size_limit(REGEX_SIZE_MAX)
        .nest_limit(crate::pipe::REGEX_NEST_MAX)
        .build();
    let regex =
        compiled.map_err(|_| Fault::new("regex_too_large", span, "the expression is too large"))?;
    let groups = regex.captures_len();
    let group = args.whole(1)?;
    let group = usize::try_from(group).ok().filter(|group| *group < groups).ok_or_else(|| {
        let message = format!("the expression has no group {group}, only {}", groups - 1);
        Fault::new("regex_group", span, message).help("put brackets around what is to be taken")
    })?;
    let name = format!("extract[{group},{pattern}]");
    Ok(text(udf::text(name, args.text(scope, 2)?, move |text| {
        Some(regex.captures(text)?.get(group)?.as_str().to_owned())
    })))
}

fn in_network(scope: &mut Scope<'_>, args: &mut Args<'_>) -> Result<Value, Fault> {
    let mut networks = Vec::new();
    let mut name = "cidr".to_owned();
    for at in 1..args.nodes.len() {
        let written = args.quoted(at)?;
        let network = Network::parse(written).or_else(|| written.parse().ok().map(Network::of));
        networks.push(network.ok_or_else(|| {
            let span = args.nodes.get(at).map_or(args.span, |node| node.span);
            Fault::new("network_invalid", span, format!("`{written}` is not a network"))
                .help("write 10.0.0.0/8, 192.0.2.7 or 2001:db8::/32")
        })?);
        name = format!("{name} {written}");
    }
    let node = args.node(0)?;
    let columns = match &node.kind {
        crate::pipe::ast::Kind::Field(field) => scope.fields(field)?,
        _ => vec![scope.value(node)?],
    };
    let networks = Arc::new(networks);
    let hits = columns.into_iter().map(|column| {
        let networks = Arc::clone(&networks);
        udf::call(name.clone(), DataType::Boolean, vec![as_text(column)], move |args| {
            let texts = udf::strings(udf::argument(args, 0)?)?;
            let holds = |address: IpAddr| networks.iter().any(|network| network.holds(address));
            let hit =
                |text: Option<&str>| Some(text.and_then(|t| t.parse().ok()).is_some_and(holds));
            Ok(Arc::new(texts.iter().map(hit).collect::<BooleanArray>()))
        })
    });
    let any = crate::search::lower::any(hits.collect());
    Ok(Value::new(any.unwrap_or_else(|| lit(false)), Kind::Truth))
}
