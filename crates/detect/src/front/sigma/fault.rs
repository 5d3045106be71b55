//! Turns the parser's messages into faults with code, place and help.

use crate::front::{Fault, Place};

/// Remarks of the parser that leave the rule's meaning whole.
pub(super) fn is_remark(message: &str) -> bool {
    message.starts_with("invalid status")
        || message.starts_with("invalid level")
        || message.starts_with("related")
        || message.starts_with("'related'")
        || message.starts_with("invalid sigma-version")
}

/// Classifies the parser's words.
pub(super) fn from_message(message: &str, text: &str) -> Fault {
    if let Some(rest) = message.split("Condition parse error").nth(1) {
        return condition_fault(rest, text);
    }
    if let Some(rest) = message.split("Unknown modifier '").nth(1) {
        let name = rest.trim_end_matches('\'');
        return Fault::new("modifier_unknown", format!("unknown modifier `{name}`"))
            .help("see the value modifiers of Sigma 2.1")
            .at(format!("|{name}"));
    }
    if message.contains("`not` is not a value modifier") {
        return Fault::new("modifier_unknown", "`not` is no modifier")
            .help("use `neq`, or `not` in the condition")
            .at("|not");
    }
    if let Some(rest) = message.split("Missing required field '").nth(1) {
        let name = rest.trim_end_matches('\'');
        return Fault::new("field_missing", format!("the rule has no `{name}`"))
            .help(format!("add `{name}:`"));
    }
    if message.contains("not a YAML mapping") {
        return Fault::new("rule_invalid", "the document is not a mapping of keys to values")
            .help("a rule begins with `title:`");
    }
    if message.contains("YAML") {
        let words: Vec<&str> = message.split([' ', ',', ')', '(']).collect();
        let number = |word| {
            let at = words.iter().rposition(|w| *w == word)?;
            words.get(at + 1)?.parse::<u32>().ok()
        };
        let line = number("line").unwrap_or(1);
        let text = message.trim_start_matches("YAML parse error: ");
        let text = text.trim_start_matches("YAML parsing error: ");
        let mut fault =
            Fault::new("yaml_invalid", text).help("check indentation, quotes and colons");
        fault.place = Place::At(line, number("column").unwrap_or(0));
        return fault;
    }
    if let Some(kind) = message.split("Unknown correlation type: ").nth(1) {
        return Fault::new("correlation_unsupported", format!("unknown correlation type `{kind}`"))
            .help("event_count, value_count, temporal, temporal_ordered and periodic exist")
            .at(kind);
    }
    let code = if message.contains("orrelation") || message.contains("timespan") {
        "correlation_invalid"
    } else {
        "rule_invalid"
    };
    Fault::new(code, message)
}

/// A condition that does not parse: where, and what was expected.
fn condition_fault(rest: &str, text: &str) -> Fault {
    let column = rest.split(" at ").nth(1).and_then(|at| {
        let (_, column) = at.split_once(':')?;
        column.split(|c: char| !c.is_ascii_digit()).next()?.parse::<u32>().ok()
    });
    let expected = rest.lines().rev().find_map(|l| l.split("= ").nth(1)).unwrap_or("syntax error");
    let expected = expected.replace("_op", "").replace("ident_pattern", "pattern");
    let expected = expected.replace("EOI", "the end").replace("ident", "a selection");
    let aggregation =
        text.lines().any(|l| l.trim_start().starts_with("condition:") && l.contains(" | "));
    let help = if aggregation {
        "aggregations behind `|` left Sigma with version 2: write a correlation"
    } else {
        "selections, `and`, `or`, `not`, brackets, `1 of name*`, `all of them`"
    };
    let mut fault =
        Fault::new("condition_syntax", format!("the condition has a syntax error: {expected}"));
    fault.place = Place::Condition(column.unwrap_or(1).saturating_sub(1));
    fault.help(help)
}
