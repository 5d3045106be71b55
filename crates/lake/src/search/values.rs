//! Conditions on columns that are not text: numbers, truth values, enumerations, classes, ids.

use crate::search::ast::{Pattern, Range, Test};
use crate::search::fault::{Fault, Span, nearest};
use crate::search::lower::{any, between};
use crate::search::matching::{Network, NumberRange, ValueTest, number_of};
use datafusion::logical_expr::{Expr, col, lit};
use std::net::IpAddr;
use yagura_event::class::CLASSES;
use yagura_event::enums::Captions;
use yagura_event::{Class, EventId};

/// The value of a test that must have one and no wildcards; `kind` says what it must be.
///
/// # Errors
/// Wildcards, expressions and ranges.
pub fn literal<'t>(test: &'t Test, kind: &str, span: Span) -> Result<&'t str, Fault> {
    let (text, what) = match test {
        Test::Phrase(text) => (Some(text.as_str()), ""),
        Test::Word(pattern) => (pattern.literal(), "a wildcard"),
        Test::Regex(_) => (None, "a regular expression"),
        Test::Range(_) => (None, "a range"),
    };
    text.ok_or_else(|| {
        Fault::new("value_kind", span, format!("the field holds {kind}, which {what} does not fit"))
    })
}

/// The column is, or is between, integers.
///
/// # Errors
/// What is not an integer.
pub fn integers(
    column: Expr,
    test: &Test,
    span: Span,
    value: impl Fn(i64) -> Expr,
) -> Result<Expr, Fault> {
    let read = |text: &str, span: Span| -> Result<Expr, Fault> {
        text.parse().map(&value).map_err(|_| no_number(text, span))
    };
    match test {
        Test::Range(range) => between(&column, range, read),
        test => Ok(column.eq(read(literal(test, "a number", span)?, span)?)),
    }
}

/// The same for floats.
///
/// # Errors
/// What is not a number.
pub fn floats(column: Expr, test: &Test, span: Span) -> Result<Expr, Fault> {
    let read = |text: &str, span: Span| number(text, span).map(lit);
    match test {
        Test::Range(range) => between(&column, range, read),
        test => Ok(column.eq(read(literal(test, "a number", span)?, span)?)),
    }
}

/// The column is true or false.
///
/// # Errors
/// Any other word.
pub fn truth(column: Expr, test: &Test, span: Span) -> Result<Expr, Fault> {
    match literal(test, "true or false", span)?.to_ascii_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(column.eq(lit(true))),
        "false" | "no" | "0" => Ok(column.eq(lit(false))),
        other => {
            let message = format!("`{other}` is neither true nor false");
            Err(Fault::new("value_kind", span, message))
        }
    }
}

fn number(text: &str, span: Span) -> Result<f64, Fault> {
    text.parse::<f64>().ok().filter(|n| n.is_finite()).ok_or_else(|| no_number(text, span))
}

fn no_number(text: &str, span: Span) -> Fault {
    Fault::new("value_kind", span, format!("`{text}` is not a number, which the field holds"))
}

/// Texts that are numbers, by their value.
///
/// # Errors
/// An end that is not a number: texts have no other order.
pub fn numeric_text(range: &Range) -> Result<ValueTest, Fault> {
    let end = |bound: &Option<crate::search::ast::Bound>| match bound {
        None => Ok(None),
        Some(bound) => match number(&bound.text, bound.span) {
            Ok(number) => Ok(Some((number, bound.inclusive))),
            Err(_) => {
                let message = format!(
                    "`{}` is not a number; the field holds text, of which only numbers have an order",
                    bound.text
                );
                Err(Fault::new("value_kind", bound.span, message))
            }
        },
    };
    Ok(ValueTest::Number(NumberRange { low: end(&range.low)?, high: end(&range.high)? }))
}

/// The addresses of a test, if it names any: one, a prefix, or a range.
///
/// # Errors
/// What looks like a network and is none; ranges over two families.
pub fn network(test: &Test, span: Span) -> Result<Option<Network>, Fault> {
    let text = match test {
        Test::Range(range) => return address_range(range),
        Test::Phrase(text) => text.as_str(),
        Test::Word(pattern) => match pattern.literal() {
            Some(text) => text,
            None => return Ok(None),
        },
        Test::Regex(_) => return Ok(None),
    };
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(Some(Network::of(address)));
    }
    let is_prefixed = text.split_once('/').is_some_and(|(a, _)| a.parse::<IpAddr>().is_ok());
    match Network::parse(text) {
        None if is_prefixed => {
            let message = format!("`{text}` is not a network");
            Err(Fault::new("network_invalid", span, message)
                .help("write an address and the number of bits, such as 10.0.0.0/8"))
        }
        network => Ok(network),
    }
}

fn address_range(range: &Range) -> Result<Option<Network>, Fault> {
    let ends = [&range.low, &range.high];
    let addresses: Vec<Option<IpAddr>> =
        ends.iter().map(|end| end.as_ref().and_then(|bound| bound.text.parse().ok())).collect();
    let Some((v4, _)) = addresses.iter().flatten().next().map(|ip| number_of(*ip)) else {
        return Ok(None);
    };
    let top = if v4 { u128::from(u32::MAX) } else { u128::MAX };
    let mut network = Network { v4, low: 0, high: top };
    for (at, (bound, address)) in ends.iter().zip(&addresses).enumerate() {
        let Some(bound) = bound else { continue };
        let number = match address.map(number_of) {
            Some((family, number)) if family == v4 => number,
            _ => {
                let message =
                    format!("`{}` is not an address of the other end's family", bound.text);
                return Err(Fault::new("network_invalid", bound.span, message));
            }
        };
        let step = u128::from(!bound.inclusive);
        let inside = match at {
            0 => number.checked_add(step).filter(|n| *n <= top).map(|n| network.low = n),
            _ => number.checked_sub(step).map(|n| network.high = n),
        };
        if inside.is_none() {
            // Beyond the last address: nothing is inside.
            (network.low, network.high) = (1, 0);
            break;
        }
    }
    Ok(Some(network))
}

/// The column of an enumeration's number, by number or caption.
///
/// # Errors
/// What is neither, with the captions.
pub fn numbered(
    column: &'static str,
    captions: Captions,
    test: &Test,
    span: Span,
) -> Result<Expr, Fault> {
    let read = |text: &str, span: Span| -> Result<i64, Fault> {
        if let Ok(number) = text.parse() {
            return Ok(number);
        }
        let id = captions.iter().find(|(_, caption)| same(caption, text)).map(|(id, _)| *id);
        id.ok_or_else(|| no_caption(text, span, captions.iter().map(|(_, caption)| *caption)))
    };
    let column = col(column);
    match test {
        Test::Range(range) => between(&column, range, |text, span| read(text, span).map(lit)),
        Test::Word(pattern) if pattern.is_any() => Ok(column.is_not_null()),
        Test::Word(pattern) if pattern.literal().is_none() => {
            let test = ValueTest::whole(pattern, span)?;
            let ids = captions.iter().filter(|(_, caption)| test.hits(caption)).map(|(id, _)| *id);
            match one_of(column, ids.collect()) {
                Some(expr) => Ok(expr),
                None => Err(no_caption(
                    &shown(pattern),
                    span,
                    captions.iter().map(|(_, caption)| *caption),
                )),
            }
        }
        test => Ok(column.eq(lit(read(literal(test, "an enumeration", span)?, span)?))),
    }
}

fn no_caption<'c>(text: &str, span: Span, known: impl Iterator<Item = &'c str>) -> Fault {
    let known: Vec<&str> = known.collect();
    let fault = Fault::new("value_unknown", span, format!("`{text}` is not a value of the field"));
    match nearest(text, known.iter().copied()) {
        Some(near) => fault.help(format!("did you mean {near}?")),
        None => fault.help(format!("known are {}", known.join(", "))),
    }
}

fn shown(pattern: &Pattern) -> String {
    use crate::search::ast::Piece;
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Any => "*".to_owned(),
        Piece::One => "?".to_owned(),
    };
    pattern.pieces.iter().map(piece).collect()
}

/// Whether two words are the same but for case, spaces and underscores.
fn same(a: &str, b: &str) -> bool {
    let plain = |text: &str| -> String {
        text.chars().filter(|c| !matches!(c, ' ' | '_')).flat_map(char::to_lowercase).collect()
    };
    plain(a) == plain(b)
}

fn one_of(column: Expr, ids: Vec<i64>) -> Option<Expr> {
    match ids.as_slice() {
        [] => None,
        [one] => Some(column.eq(lit(*one))),
        _ => Some(column.in_list(ids.into_iter().map(lit).collect(), false)),
    }
}

/// A name, with wildcards or without.
enum Named<'t> {
    Text(&'t str),
    Pattern(ValueTest),
}

impl<'t> Named<'t> {
    fn of(test: &'t Test, span: Span) -> Result<Self, Fault> {
        match test {
            Test::Word(pattern) if pattern.literal().is_none() => {
                ValueTest::whole(pattern, span).map(Self::Pattern)
            }
            test => literal(test, "a name or number", span).map(Self::Text),
        }
    }

    fn hits(&self, name: &str) -> bool {
        match self {
            Self::Text(text) => same(name, text),
            Self::Pattern(test) => test.hits(name),
        }
    }
}

/// The number that a test is, if it is one.
fn as_number(test: &Test) -> Option<i64> {
    literal(test, "", Span::default()).ok()?.parse().ok()
}

fn classes_where(
    test: &Test,
    span: Span,
    names: impl Fn(&Class) -> Vec<&'static str>,
) -> Result<Vec<i64>, Fault> {
    let named = Named::of(test, span)?;
    let of = CLASSES.iter().filter(|class| names(class).iter().any(|name| named.hits(name)));
    Ok(of.map(|class| i64::from(class.uid.0)).collect())
}

fn text_of(test: &Test) -> String {
    match test {
        Test::Word(pattern) => shown(pattern),
        Test::Phrase(text) | Test::Regex(text) => text.clone(),
        Test::Range(_) => "a range".to_owned(),
    }
}

/// `class:`, by number, name or caption.
///
/// # Errors
/// A class that does not exist.
pub fn class(test: &Test, span: Span) -> Result<Expr, Fault> {
    let column = col("class_uid");
    if as_number(test).is_some() || matches!(test, Test::Range(_)) {
        return integers(column, test, span, lit);
    }
    let ids = classes_where(test, span, |class| vec![class.name, class.caption])?;
    one_of(column, ids)
        .ok_or_else(|| no_caption(&text_of(test), span, CLASSES.iter().map(|class| class.name)))
}

/// `category:`, by number or caption.
///
/// # Errors
/// A category that does not exist.
pub fn category(test: &Test, span: Span) -> Result<Expr, Fault> {
    let ids = match as_number(test) {
        Some(number) => {
            let of = CLASSES.iter().filter(|class| class.category_uid() == number);
            of.map(|class| i64::from(class.uid.0)).collect()
        }
        None => classes_where(test, span, |class| vec![class.category_name()])?,
    };
    one_of(col("class_uid"), ids).ok_or_else(|| {
        let mut known: Vec<&str> = CLASSES.iter().map(Class::category_name).collect();
        known.sort_unstable();
        known.dedup();
        no_caption(&text_of(test), span, known.into_iter())
    })
}

/// `activity:`, by number, or by the captions that the classes give them.
///
/// # Errors
/// An activity that no class has.
pub fn activity(test: &Test, span: Span) -> Result<Expr, Fault> {
    let column = col("activity_id");
    if as_number(test).is_some() || matches!(test, Test::Range(_)) {
        return integers(column, test, span, lit);
    }
    if matches!(test, Test::Word(pattern) if pattern.is_any()) {
        return Ok(column.is_not_null());
    }
    let named = Named::of(test, span)?;
    let captioned = |list: &[(i64, &str)]| -> Vec<i64> {
        list.iter().filter(|(_, caption)| named.hits(caption)).map(|(id, _)| *id).collect()
    };
    let mut exprs = Vec::new();
    exprs.extend(one_of(column.clone(), captioned(&[(0, "Unknown"), (99, "Other")])));
    for class in CLASSES {
        let of_class = col("class_uid").eq(lit(i64::from(class.uid.0)));
        let own = one_of(column.clone(), captioned(class.activities));
        exprs.extend(own.map(|expr| of_class.and(expr)));
    }
    any(exprs).ok_or_else(|| {
        let known = CLASSES.iter().flat_map(|class| class.activities).map(|(_, caption)| *caption);
        let fault = no_caption(&text_of(test), span, known);
        // The list of all classes' activities would fill a screen.
        if fault.help.as_ref().is_some_and(|help| help.starts_with("known")) {
            Fault { help: None, ..fault }
        } else {
            fault
        }
    })
}

/// `type_uid:`, which is the class's number times a hundred and the activity.
///
/// # Errors
/// What is not a number.
pub fn type_uid(test: &Test, span: Span) -> Result<Expr, Fault> {
    let text = literal(test, "a number", span)?;
    let number: i64 = text.parse().map_err(|_| no_number(text, span))?;
    let class = col("class_uid").eq(lit(number.div_euclid(100)));
    Ok(class.and(col("activity_id").eq(lit(number.rem_euclid(100)))))
}

/// One event by its id; the position in it lets files be passed over. `None` where the test
/// is no plain text and is to be compared as one.
///
/// # Errors
/// What is not an id.
pub fn id(column: &Expr, test: &Test, span: Span) -> Result<Option<Expr>, Fault> {
    let Ok(text) = literal(test, "an id", span) else { return Ok(None) };
    let whole = text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let Some(number) = u128::from_str_radix(text, 16).ok().filter(|_| whole) else {
        let message = format!("`{text}` is not an id of 32 hexadecimal digits");
        return Err(Fault::new("value_kind", span, message));
    };
    let id = EventId(number);
    let position = col("lsn").eq(lit(id.lsn().0.cast_signed()));
    Ok(Some(position.and(column.clone().eq(lit(id.to_string())))))
}
