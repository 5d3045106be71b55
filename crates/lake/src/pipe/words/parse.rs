//! `parse`: columns out of a text, by the texts between them.

use super::{Stage, Word, set};
use crate::pipe::ast::Node;
use crate::pipe::frame::{Frame, Kind, Value};
use crate::pipe::lexer::Token;
use crate::pipe::parser::Parser;
use crate::pipe::scope::{Env, Scope, as_text};
use crate::pipe::udf;
use crate::schema::time_type;
use crate::search::ast::Name;
use crate::search::fault::{Fault, Span};
use crate::search::time::point;
use arrow::datatypes::DataType;
use datafusion::logical_expr::{Expr, cast, try_cast};
use std::sync::Arc;

/// Most texts and columns of a pattern; each column reads the text again.
pub const PIECES_MAX: usize = 64;

pub const WORD: Word = Word {
    name: "parse",
    aliases: &[],
    syntax: "parse text with * \"text\" name:type \"text\" name ...",
    doc: "Adds columns out of a text: `*` passes over anything, texts in quotes stand as they are, \
          and a name takes what stands up to the next text. Types are `string` (where none is \
          written), `long`, `real`, `bool` and `datetime`. A row whose text is otherwise has no \
          value in any of them.",
    examples: &[
        r#"events | parse raw_data with * "for " name:string " from " ip " port " number:long | where isnotempty(name) | project time, name, ip, number | sort by time asc"#,
    ],
    parse,
};

#[derive(Clone, Copy, PartialEq, Debug)]
enum Type {
    Text,
    Long,
    Real,
    Truth,
    Time,
}

const TYPES: &[(&str, Type)] = &[
    ("string", Type::Text),
    ("long", Type::Long),
    ("int", Type::Long),
    ("real", Type::Real),
    ("double", Type::Real),
    ("bool", Type::Truth),
    ("datetime", Type::Time),
];

#[derive(Debug)]
enum Piece {
    Anything,
    Text(String),
    Column(Name, Type),
}

#[derive(Debug)]
struct Parse {
    source: Node,
    pieces: Vec<Piece>,
}

fn parse(parser: &mut Parser) -> Result<Box<dyn Stage>, Fault> {
    if parser.eat_word("kind") {
        parser.need("=")?;
        parser.need_word("simple")?;
    }
    let source = parser.expression()?;
    parser.need_word("with")?;
    let start = parser.span();
    let mut pieces = Vec::new();
    while let Some(piece) = piece(parser)? {
        if let (Some(Piece::Column(name, Type::Text)), Piece::Anything | Piece::Column(..)) =
            (pieces.last(), &piece)
        {
            return Err(Fault::new("parse_pattern", name.span, "nothing says where it ends")
                .help("put the text that stands behind it into quotes"));
        }
        pieces.push(piece);
        if pieces.len() > PIECES_MAX {
            let message = format!("the pattern has more than {PIECES_MAX} parts");
            return Err(Fault::new("parse_pattern", start, message));
        }
    }
    if !pieces.iter().any(|piece| matches!(piece, Piece::Column(..))) {
        return Err(Fault::new("parse_pattern", start, "the pattern names no column"));
    }
    Ok(Box::new(Parse { source, pieces }))
}

fn piece(parser: &mut Parser) -> Result<Option<Piece>, Fault> {
    if parser.eat("*") {
        return Ok(Some(Piece::Anything));
    }
    match parser.peek() {
        Token::Text(_) => Ok(Some(Piece::Text(parser.text("a text")?))),
        Token::Word(_) => {
            let name = parser.name()?;
            if !parser.eat(":") {
                return Ok(Some(Piece::Column(name, Type::Text)));
            }
            let kind = parser.name()?;
            let found = TYPES.iter().find(|(known, _)| kind.text.eq_ignore_ascii_case(known));
            let Some((_, found)) = found else {
                let message = format!("there is no type `{}`", kind.text);
                return Err(Fault::new("type_unknown", kind.span, message)
                    .help("write string, long, real, bool or datetime"));
            };
            Ok(Some(Piece::Column(name, *found)))
        }
        _ => Ok(None),
    }
}

impl Parse {
    /// The pattern as a regular expression with a group for each column.
    fn expression(&self) -> String {
        let mut text = String::from("(?s)^");
        for (at, piece) in self.pieces.iter().enumerate() {
            let last = at + 1 == self.pieces.len();
            match piece {
                Piece::Anything => text.push_str(".*?"),
                Piece::Text(literal) => text.push_str(&regex::escape(literal)),
                Piece::Column(_, Type::Long) => text.push_str(r"\s*([+-]?[0-9]+)"),
                Piece::Column(_, Type::Real) => {
                    text.push_str(r"\s*([+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)");
                }
                Piece::Column(..) if last => text.push_str("(.*)"),
                Piece::Column(..) => text.push_str("(.*?)"),
            }
        }
        text
    }
}

impl Stage for Parse {
    fn lower(&self, frame: Frame, env: &mut Env, span: Span) -> Result<Frame, Fault> {
        let source = Scope::new(env, &frame).value(&self.source)?;
        if !matches!(source.kind, Kind::Text | Kind::Any) {
            let message = format!("a text was to come here, not a {}", source.kind.name());
            return Err(Fault::new("value_kind", self.source.span, message));
        }
        let source = as_text(source);
        let pattern = self.expression();
        let compiled = regex::RegexBuilder::new(&pattern).size_limit(1024 * 1024).build();
        let regex = Arc::new(
            compiled.map_err(|_| Fault::new("parse_pattern", span, "the pattern is too large"))?,
        );
        let named = self.pieces.iter().filter_map(|piece| match piece {
            Piece::Column(name, kind) => Some((name, *kind)),
            _ => None,
        });
        let mut columns: Vec<(String, Value)> = Vec::new();
        for (at, (name, kind)) in named.enumerate() {
            if columns.iter().any(|(known, _)| *known == name.text) {
                let message = format!("the pattern has two columns `{}`", name.text);
                return Err(Fault::new("column_twice", name.span, message));
            }
            let regex = Arc::clone(&regex);
            let called = format!("parse[{at},{pattern}]");
            let text = udf::text(called, source.clone(), move |text| {
                Some(regex.captures(text)?.get(at + 1)?.as_str().to_owned())
            });
            columns.push((name.text.clone(), typed(text, kind)));
        }
        let columns = set(frame.all(), columns);
        frame.select(span, columns)
    }
}

fn typed(text: Expr, kind: Type) -> Value {
    match kind {
        Type::Text => Value::new(text, Kind::Text),
        Type::Long => Value::new(try_cast(text, DataType::Int64), Kind::Integer),
        Type::Real => Value::new(try_cast(text, DataType::Float64), Kind::Float),
        Type::Truth => Value::new(try_cast(text, DataType::Boolean), Kind::Truth),
        Type::Time => {
            let read = |text: &str| point(text.trim(), 0).map(|micros| micros.to_string());
            let micros = try_cast(udf::text("parse_time".to_owned(), text, read), DataType::Int64);
            Value::new(cast(micros, time_type()), Kind::Time)
        }
    }
}
