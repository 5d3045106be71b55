//! Loading: references, filters, duplicates, faults with code and line.

use super::{Bench, event, rule};
use crate::{CorrelationKind, RuleIndex, RuleKind, RuleSet, Scratch};
use yagura_event::time::{HOUR, SECOND};

fn load(text: &str) -> RuleSet {
    RuleSet::load([("a.yml".to_owned(), text.to_owned())])
}

fn faults(text: &str) -> Vec<(&'static str, u32)> {
    load(text).errors.iter().map(|error| (error.code, error.line)).collect()
}

fn base(id: &str) -> String {
    rule("s: {a: x}", "s").replace("title: t", &format!("title: t\nid: {id}\nname: name-{id}"))
}

fn correlation(kind: &str, body: &str) -> String {
    format!("title: c\ncorrelation:\n  type: {kind}\n  timespan: 10m\n  group-by: [u]\n{body}")
}

#[test]
fn lines_of_repeated_documents_are_the_files() {
    let text = format!("{}---\naction: repeat\n  bad: [\n", rule("s: {a: x}", "s"));
    let found = faults(&text);
    assert!(found[0].0 == "yaml_invalid" && (7..=8).contains(&found[0].1), "{found:?}");
    // YAML ends a line at a carriage return, a file does not.
    let lone = format!("title: t{}\n bad: [\n", "\r#".repeat(40));
    assert!(faults(&lone)[0].1 <= 2, "{:?}", faults(&lone));
}

#[test]
fn faults_have_codes_and_lines() {
    let with = |selection: &str, condition: &str| faults(&rule(selection, condition));
    assert_eq!(with("s: {a: x}", "s and ("), [("condition_syntax", 5)]);
    assert_eq!(with("s: {a: x}", "s and t"), [("selection_unknown", 5)]);
    assert_eq!(with("s: {a: x}", "s | count() > 3"), [("condition_syntax", 5)]);
    assert_eq!(with("s:\n  a|cidr: y", "s"), [("value_invalid", 5)]);
    assert_eq!(with("s:\n  b: 1\n  a|containz: y", "s"), [("modifier_unknown", 6)]);
    assert_eq!(with("s:\n  a|expand: '%admins%'", "s"), [("placeholder_unresolved", 5)]);
    assert_eq!(with("s:\n  a|re: '(?!x)y'", "s"), [("regex_unsupported", 5)]);
    assert_eq!(faults("title: t\nlogsource: {}\n"), [("field_missing", 1)]);
    assert_eq!(faults("title: t\n  bad: [\n")[0].0, "yaml_invalid");
    assert_eq!(faults("- a\n- b\n"), [("rule_invalid", 1)]);
    assert_eq!(faults("# nothing\n"), []);
    let ocsf = rule("s: {a: x}", "s").replace("{}", "{product: ocsf, category: nonsense}");
    assert_eq!(faults(&ocsf), [("logsource_invalid", 2)]);
    assert_eq!(faults(&format!("id: 7\n{}", rule("s: {a: x}", "s"))), [("id_invalid", 1)]);
    let level = format!("level: grave\n{}", rule("s: {a: x}", "s"));
    assert_eq!(faults(&level), [("level_invalid", 1)]);
}

#[test]
fn one_bad_document_leaves_the_others() {
    let text = format!("{}---\n{}---\n{}", base("r1"), rule("s: {a: x}", "("), base("r2"));
    let set = load(&text);
    assert_eq!(set.rules.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), ["r1", "r2"]);
    assert_eq!((set.errors.len(), set.errors[0].line), (1, 13));
    assert_eq!(set.rules[1].line, 15);
}

#[test]
fn the_second_of_two_ids_is_refused() {
    let set = RuleSet::load([
        ("b.yml".into(), base("r1")),
        ("a.yml".into(), format!("\n{}", base("r1"))),
    ]);
    assert_eq!((set.rules.len(), set.rules[0].path.as_str()), (1, "a.yml"));
    assert_eq!((set.errors[0].code, set.errors[0].path.as_str()), ("rule_duplicate", "b.yml"));
    assert!(set.errors[0].message.contains("a.yml:1"), "{}", set.errors[0].message);
}

#[test]
fn order_of_files_changes_nothing() {
    let (a, b) = (("a.yml".to_owned(), base("r1")), ("b.yml".to_owned(), base("r2")));
    let (x, y) = (RuleSet::load([a.clone(), b.clone()]), RuleSet::load([b, a.clone()]));
    assert_eq!((x.hash(), &x.rules), (y.hash(), &y.rules));
    assert_ne!(x.hash(), RuleSet::load([a]).hash());
}

#[test]
fn correlations_resolve_ids_and_names() {
    let body = "  rules: [name-r1, r2]\n  condition: {gte: 5, lt: 9}\n";
    let set = load(&format!(
        "{}---\n{}---\n{}",
        base("r1"),
        base("r2"),
        correlation("event_count", body)
    ));
    assert!(set.errors.is_empty(), "{:?}", set.errors);
    let RuleKind::Correlation(found) = &set.rules[2].kind else { panic!("no correlation") };
    assert_eq!(found.rules, [RuleIndex(0), RuleIndex(1)]);
    assert_eq!((found.kind, found.timespan), (CorrelationKind::EventCount, 600 * SECOND));
    assert!(found.holds(5) && !found.holds(9));
    assert!(!set.rules[0].generate && set.rules[2].generate);
}

#[test]
fn a_correlation_over_a_bad_rule_is_refused_with_those_above_it() {
    let lower = correlation("event_count", "  rules: [nowhere]\n  condition: {gte: 5}\n")
        .replace("title: c", "title: c\nname: lower");
    let upper = correlation("temporal", "  rules: [lower, r1]\n");
    let text = format!("{}---\n{lower}---\n{upper}", base("r1"));
    assert_eq!(faults(&text), [("rule_unknown", 15), ("rule_unknown", 23)]);
    assert!(load(&text).rules[0].generate);
    // Behind a document that the others repeat, the lines are still the file's.
    let global = format!("action: global\nauthor: x\nlevel: low\n---\n{text}");
    assert_eq!(faults(&global), [("rule_unknown", 19), ("rule_unknown", 27)]);
}

#[test]
fn circles_and_unsupported_kinds_are_refused() {
    let one =
        correlation("temporal", "  rules: [two]\n").replace("title: c", "title: c\nname: one");
    let two =
        correlation("temporal", "  rules: [one]\n").replace("title: c", "title: c\nname: two");
    let found = faults(&format!("{one}---\n{two}"));
    assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), ["correlation_invalid"; 2]);
    for kind in ["value_sum", "value_avg", "value_percentile", "value_median"] {
        let text = format!(
            "{}---\n{}",
            base("r1"),
            correlation(kind, "  rules: [r1]\n  condition: {gte: 5, field: a}\n")
        );
        assert_eq!(
            faults(&text).iter().map(|f| f.0).collect::<Vec<_>>(),
            ["correlation_unsupported"],
            "{kind}"
        );
    }
    let text = format!(
        "{}---\n{}",
        base("r1"),
        correlation("value_count", "  rules: [r1]\n  condition: {gte: 5}\n")
    );
    assert_eq!(faults(&text).len(), 1);
    assert_eq!(faults(&correlation("nonsense", "  rules: [r1]\n"))[0].0, "correlation_unsupported");
}

#[test]
fn our_own_kind_periodic() {
    let body =
        "  rules: [r1]\n  condition: {gte: 6}\n  jitter: 0.1\n  interval: {min: 10s, max: 2h}\n";
    let set = load(&format!("{}---\n{}", base("r1"), correlation("periodic", body)));
    assert!(set.errors.is_empty(), "{:?}", set.errors);
    let RuleKind::Correlation(found) = &set.rules[1].kind else { panic!("no correlation") };
    let periodic = found.periodic.unwrap();
    assert_eq!(found.kind, CorrelationKind::Periodic);
    assert_eq!((periodic.min_count, periodic.max_jitter), (6, 0.1));
    assert_eq!((periodic.min_interval, periodic.max_interval), (10 * SECOND, 2 * HOUR));
    let short = correlation("periodic", "  rules: [r1]\n  condition: {gte: 2}\n");
    assert_eq!(faults(&format!("{}---\n{short}", base("r1")))[0].0, "correlation_invalid");
}

#[test]
fn filters_narrow_the_rules_they_name() {
    let filter = "title: f\nlogsource: {product: windows}\nfilter:\n  rules: [name-r1]\n  f: {u: admin}\n  \
                  condition: not f\n";
    let named = base("r1").replace("{}", "{product: windows}");
    let other = base("r2").replace("{}", "{product: windows}");
    let elsewhere = base("r3");
    let any = filter.replace("[name-r1]", "any").replace("admin", "root");
    let bench =
        Bench::new(&format!("{named}---\n{other}---\n{elsewhere}---\n{filter}---\n{any}"), &[]);
    for (user, expect) in [("bob", vec![0, 1, 2]), ("admin", vec![1, 2]), ("root", vec![2])] {
        let batch = event(&bench.fields, "", &[("a", "x".into()), ("u", user.into())]);
        let hits = bench.hits(&batch, &mut Scratch::new());
        assert_eq!(hits.iter().map(|hit| hit.rule.0).collect::<Vec<_>>(), expect, "{user}");
    }
    let plain = load(&named);
    assert_ne!(plain.rules[0].version, bench.rules.rules[0].version);
    assert_eq!(faults(filter), [("rule_unknown", 4)]);
}

#[test]
fn collection_actions_share_a_template() {
    let text = "action: global\ntitle: g\nlogsource: {product: windows}\n---\n\
                detection: {s: {a: x}, condition: s}\n---\ndetection: {s: {a: y}, condition: s}\n";
    let set = load(text);
    assert!(set.errors.is_empty(), "{:?}", set.errors);
    assert_eq!(set.rules.len(), 2);
    assert!(
        set.rules.iter().all(|r| r.title == "g" && r.logsource.as_ref().unwrap().product.is_some())
    );
}
