//! Pipes over a small lake: every word, operator and function; tenants; limits; what is refused.

use crate::common::*;
use crate::pipe_lake::{ask, csv, csv_of, lake, run};
use std::sync::Arc;
use yagura_lake::pipe::Pipe;
use yagura_lake::{LakeError, LakeView, SqlLimits};

/// The positions (1 to 8) of the events of `acme` that a condition keeps.
fn kept(view: &Arc<LakeView>, condition: &str) -> Vec<i64> {
    let query = format!("events | where {condition} | project n = lsn / 2 | sort by n asc");
    csv(view, &query).iter().map(|line| line.parse().unwrap()).collect()
}

#[test]
fn conditions_keep_the_rows_for_which_they_hold() {
    let dir = tempfile::tempdir().unwrap();
    let view = lake(dir.path()).handle().view();
    let all: Vec<i64> = (1..=8).collect();
    let cases: &[(&str, &[i64])] = &[
        ("true", &[1, 2, 3, 4, 5, 6, 7, 8]),
        ("src_ip == '10.1.2.4'", &[4, 5]),
        ("src_endpoint.ip == '10.1.2.4'", &[4, 5]),
        ("src_ip != '10.1.2.3'", &[4, 5, 7, 8]),
        ("actor_user_name == 'Root'", &[]),
        ("actor_user_name =~ 'Root'", &[4]),
        ("actor_user_name !~ 'ROOT'", &[1, 2, 3, 5, 6, 7, 8]),
        ("actor_user_name != 'root'", &[1, 2, 3, 5, 6, 7, 8]),
        ("not (actor_user_name == 'root')", &[1, 2, 3, 5, 6, 7, 8]),
        ("actor_user_name in ('root', 'nina')", &[4, 5]),
        ("actor_user_name in~ ('ROOT', 'nobody')", &[4]),
        ("actor_user_name !in ('root', 'nina')", &[1, 2, 3, 6, 7, 8]),
        ("dst_port in (22, 25)", &[4, 5, 8]),
        ("dst_port < 443", &[4, 5, 8]),
        ("dst_port <= 443", &[1, 2, 3, 4, 5, 6, 8]),
        ("dst_port > 443", &[7]),
        ("dst_port >= 443 and dst_port != 443", &[7]),
        ("dst_port between (25 .. 443)", &[1, 2, 3, 6, 8]),
        ("dst_port !between (25 .. 443)", &[4, 5, 7]),
        ("dst_port == 22 or dst_port == 25", &[4, 5, 8]),
        ("dst_port == 22 and actor_user_name has 'nina'", &[5]),
        ("raw_data has 'password'", &[4, 5]),
        ("raw_data has 'pass'", &[]),
        ("raw_data !has 'password'", &[1, 2, 3, 6, 7, 8]),
        ("raw_data has_any ('logon', 'mail')", &[7, 8]),
        ("raw_data contains 'PASS'", &[4, 5]),
        ("raw_data contains_cs 'PASS'", &[]),
        ("raw_data contains_cs 'Pass'", &[]),
        ("raw_data contains '\u{c9}'", &[8]),
        ("raw_data startswith 'failed'", &[4]),
        ("raw_data endswith 'SENT'", &[8]),
        (r#"raw_data matches regex @"port 502\d""#, &[4, 5]),
        (r#"raw_data matches regex @"PORT 502\d""#, &[]),
        ("traffic.bytes > 1000", &[1, 7]),
        ("isnull(traffic.bytes)", &[4, 5]),
        ("isnotnull(traffic.bytes)", &[1, 2, 3, 6, 7, 8]),
        ("isempty(dst_hostname)", &[4, 5, 7]),
        ("isnotempty(dst_hostname)", &[1, 2, 3, 6, 8]),
        ("traffic.bytes / 0 == 1", &[]),
        ("traffic.bytes % 100 == 90", &[3]),
        ("-dst_port == -25", &[8]),
        ("dst_port * 2 + 1 == 45", &[4, 5]),
        ("time > ago(3h)", &[6, 7, 8]),
        ("time >= datetime(2026-11-22T11:10:00Z)", &[6, 7, 8]),
        ("time < datetime(2026-11-22 10:05)", &[1]),
        ("time < '2026-11-22T10:05:00Z'", &[1]),
        ("now() - time > 3h", &[1, 2, 3, 4, 5]),
        ("bin(time, 1h) == datetime(2026-11-22 11:00)", &[6, 7]),
        ("hourofday(time) == 12", &[8]),
        ("ipv4_is_in_range(dst_ip, '10.0.0.0/8')", &[4, 5, 7]),
        ("cidr(ip, '192.0.2.20', '2001:db8::/32')", &[3, 8]),
        ("ip == '10.1.2.9'", &[4, 5, 7]),
        ("ip != '10.1.2.9'", &[1, 2, 3, 6, 8]),
        ("user =~ 'NINA'", &[5]),
        ("unmapped.LogonType == 3", &[7]),
        ("unmapped.LogonType == '3'", &[7]),
        ("unmapped.logontype between (2 .. 4)", &[7]),
        ("unmapped.TargetUserName =~ 'nina'", &[7]),
        (r#"unmapped["queue id"] == "A1""#, &[8]),
        ("extractjson('$.LogonType', unmapped) == 3", &[7]),
        ("class_name == 'Network Activity' and severity == 'High'", &[4, 5]),
        ("class_uid == 4001 and category_uid == 4 and type_uid == 400101", &all),
        ("activity_name == 'Open'", &all),
        ("tolower(raw_data) startswith 'failed' and toupper(actor_user_name) == 'ROOT'", &[4]),
        ("strlen(raw_data) == 11", &[8]),
        (
            "substring(raw_data, 0, 5) == 'allow' and substring(raw_data, -3) == '443'",
            &[1, 2, 3, 6],
        ),
        ("split(raw_data, ' ', 1) == 'tcp'", &[1, 2, 3, 6]),
        ("split(raw_data, ' ') == 'tcp'", &[1, 2, 3, 6]),
        (r#"toint(extract(@"port (\d+)", 1, raw_data)) > 5022"#, &[5]),
        ("strcat(src_ip, ':', tostring(dst_port)) == '10.1.2.5:25'", &[8]),
        ("iff(dst_port == 22, 'ssh', 'other') == 'ssh'", &[4, 5]),
        ("case(dst_port == 22, 1, dst_port == 25, 2, 3) == 2", &[8]),
        ("coalesce(dst_hostname, dst_ip) == '10.1.2.9'", &[4, 5, 7]),
        ("raw_data contains src_ip", &[4, 5]),
        ("floor(traffic.bytes, 1000) == 1000", &[1]),
        ("todouble('1.5') == 1.5 and tolong('0x10') == 16 and abs(-3) == 3", &all),
        ("todatetime('2026-11-22T10:00:00Z') == time", &[1]),
        ("format_datetime(time, 'yyyy-MM-dd HH:mm') == '2026-11-22 10:05'", &[2]),
        ("dayofweek(time) == 0", &all),
    ];
    for (condition, expected) in cases {
        assert_eq!(kept(&view, condition), *expected, "{condition}");
    }
}

#[test]
fn words_do_what_they_say() {
    let dir = tempfile::tempdir().unwrap();
    let view = lake(dir.path()).handle().view();
    let cases: &[(&str, &[&str])] = &[
        ("events | count", &["8"]),
        ("events | where dst_port == 1 | count", &["0"]),
        (
            "events | where dst_port == 22 | project actor.user.name, p = dst_port | sort by actor.user.name",
            &["root,22", "nina,22"],
        ),
        (
            "events | project lsn, src_ip | sort by lsn asc | take 1 | project-away lsn",
            &["10.1.2.3"],
        ),
        (
            "events | summarize n = count(), h = dcount(dst_hostname), s = sum(traffic.bytes), a = avg(traffic.bytes), lo = min(traffic.bytes), hi = max(time), c = countif(dst_port == 443)",
            &["8,2,6390,1065.0,0,2026-11-22T12:10:00.000000Z,4"],
        ),
        (
            "events | summarize count() by bin(time, 1h) | sort by time asc",
            &[
                "2026-11-22T10:00:00.000000Z,5",
                "2026-11-22T11:00:00.000000Z,2",
                "2026-11-22T12:00:00.000000Z,1",
            ],
        ),
        (
            "events | summarize p = make_set(dst_port) by src_ip | sort by src_ip asc | take 2",
            &["10.1.2.3,\"[\"\"443\"\"]\"", "10.1.2.4,\"[\"\"22\"\"]\""],
        ),
        ("events | summarize take_any(src_ip), x = 2 * count() + 1", &["10.1.2.3,17"]),
        (
            "events | summarize by src_ip | sort by src_ip desc",
            &["10.1.2.5", "10.1.2.4", "10.1.2.3"],
        ),
        (
            "events | where src_endpoint.ip == '10.1.2.3' | summarize count() by bin(time, 1h), dst_endpoint.hostname | top 1 by count_ | project dst_hostname, count_",
            &["shop.example,2"],
        ),
        ("events | distinct src_ip | count", &["3"]),
        ("events | sort by traffic.bytes asc, lsn asc | project lsn | take 3", &["8", "10", "16"]),
        ("events | sort by traffic.bytes asc nulls last, lsn asc | project lsn | take 1", &["16"]),
        (
            "events | project lsn, src_ip | join kind=inner (events | where dst_port == 22 | project src_ip, who = actor_user_name) on src_ip | sort by lsn asc, who asc | project lsn, src_ip1, who",
            &["8,10.1.2.4,nina", "8,10.1.2.4,root", "10,10.1.2.4,nina", "10,10.1.2.4,root"],
        ),
        (
            "events | project lsn, event_id | join kind=leftouter (matches | project event, rule) on $left.event_id == $right.event | sort by lsn asc | project lsn, rule | take 2",
            &["2,rule-1", "4,"],
        ),
        (
            "events | join kind=leftsemi (matches) on $right.event == $left.event_id | project lsn",
            &["2"],
        ),
        ("events | join kind=leftanti (matches) on $left.event_id == $right.event | count", &["7"]),
        (
            "events | project x = src_ip | take 1 | union (matches | project x = rule, y = 1) | sort by x asc | project x, y",
            &["10.1.2.3,", "rule-1,1"],
        ),
        ("events | union matches | count", &["9"]),
        (
            "events | parse raw_data with verb \" password for \" who \" from \" * \"port \" p:long | where isnotempty(who) | project verb, who, p | sort by p asc",
            &["Failed,root,5022", "Accepted,nina,5023"],
        ),
        (
            "events | extend part = split(raw_data, ' ') | mv-expand part | where part startswith 'pass' | count",
            &["2"],
        ),
        (
            "events | make-series n = count() default=-1 on time from datetime(2026-11-22 10:00) to datetime(2026-11-22 14:00) step 1h | project n",
            &["\"[5.0,2.0,1.0,-1.0]\""],
        ),
        ("events // a comment\n| count", &["8"]),
        ("EVENTS | WHERE dst_port == 22 | COUNT", &["2"]),
    ];
    for (query, expected) in cases {
        assert_eq!(csv(&view, query), *expected, "{query}");
    }
    assert_eq!(
        csv(&view, "events | extend lsn = lsn * 10 | project lsn | top 2 by lsn"),
        ["160", "140"]
    );
    let ports =
        csv(&view, "events | summarize count() by dst_port | sort by count_ desc, dst_port asc");
    assert_eq!(ports, ["443,4", "22,2", "25,1", "445,1"]);
    let half: f64 = csv(&view, "events | summarize percentile(dst_port, 50)")[0].parse().unwrap();
    assert!((25.0..=443.0).contains(&half), "{half}");
}

#[test]
fn no_word_lets_a_tenant_see_another() {
    let dir = tempfile::tempdir().unwrap();
    let view = lake(dir.path()).handle().view();
    for (tenant, events, matches) in [("acme", "8", "1"), ("zeta", "2", "1"), ("nobody", "0", "0")]
    {
        let ask = |query: &str| csv_of(&view, only(tenant), query);
        assert_eq!(ask("events | count"), [events], "{tenant}");
        assert_eq!(ask("matches | count"), [matches], "{tenant}");
        let seen = ask(
            "events | project tenant | union (matches | project tenant) | union (events | project tenant) | distinct tenant",
        );
        assert!(seen.iter().all(|seen| seen == tenant), "{tenant}: {seen:?}");
        let joined = ask(
            "events | project src_ip, tenant | join (events | project src_ip, tenant, actor_user_name) on src_ip | distinct tenant, tenant1",
        );
        assert!(joined.iter().all(|line| *line == format!("{tenant},{tenant}")), "{joined:?}");
        let asked = ask(
            "events | where tenant != 'x' or true | join kind=leftanti (matches | where tenant == 'zeta') on tenant | distinct tenant",
        );
        assert!(asked.iter().all(|seen| seen == tenant), "{tenant}: {asked:?}");
    }
    assert_eq!(csv_of(&view, operator(), "events | count"), ["10"]);
}

#[test]
fn limits_stop_a_query_and_say_so() {
    let dir = tempfile::tempdir().unwrap();
    let view = lake(dir.path()).handle().view();
    let pipe = Pipe::new("events | project lsn", crate::pipe_lake::NOW).unwrap();
    let limits = SqlLimits { rows_max: 10, ..SqlLimits::default() };
    assert!(!run(&view, operator(), &pipe, &limits).unwrap().truncated);
    let limits = SqlLimits { rows_max: 9, ..SqlLimits::default() };
    assert!(run(&view, operator(), &pipe, &limits).unwrap().truncated);
    // Ten rows to the eighth power are more than any memory or time.
    let mut query = "events | project k = 1".to_owned();
    for _ in 0..7 {
        query.push_str(" | join (events | project k = 1) on k | project k");
    }
    let counted = Pipe::new(&format!("{query} | count"), crate::pipe_lake::NOW).unwrap();
    query.push_str(" | sort by k");
    let pipe = Pipe::new(&query, crate::pipe_lake::NOW).unwrap();
    let limits = SqlLimits { memory_bytes: 8 << 20, time_ms: 10_000, ..SqlLimits::default() };
    match run(&view, operator(), &pipe, &limits) {
        // The second try sorts, and may get as far as the limit of rows.
        Err(LakeError::Limit(_)) => {}
        Ok(result) if result.truncated => {}
        other => panic!("{:?}", other.map(|result| result.rows())),
    }
    let limits = SqlLimits { time_ms: 50, ..SqlLimits::default() };
    match run(&view, operator(), &counted, &limits) {
        Err(LakeError::Limit(text)) => assert!(text.contains("longer than 50 ms"), "{text}"),
        other => panic!("{:?}", other.map(|result| result.rows())),
    }
}

#[test]
fn values_that_grow_with_each_word_are_refused() {
    let mut query = "events | extend a = lsn".to_owned();
    for _ in 0..20 {
        query.push_str(" | extend a = a + a");
    }
    query.push_str(" | where a > 1 | count");
    let refused = Pipe::new(&query, 0).unwrap_err();
    assert_eq!(refused.fault.code, "query_large");
    let dir = tempfile::tempdir().unwrap();
    let view = lake(dir.path()).handle().view();
    let fine =
        "events | extend a = lsn | extend a = a + a | extend a = a + a | where a > 60 | count";
    assert_eq!(csv(&view, fine), ["1"]);
    assert!(ask(&view, only("acme"), "events | where time > 5").unwrap_err().contains("^"));
}

#[test]
fn hostile_queries_end_with_an_answer_or_a_message() {
    let dir = tempfile::tempdir().unwrap();
    let view = lake(dir.path()).handle().view();
    let doubled = format!(
        "events | extend a = raw_data{} | extend n = strlen(a) | count",
        " | extend a = strcat(a, a)".repeat(12)
    );
    for query in [
        "events | extend x = lsn * 9223372036854775807 - 5 | project x",
        "events | extend x = (-9223372036854775807 - 1) / -1 | project x",
        "events | extend x = lsn % 0, y = 1.0 / 0, z = 0.0 / 0 | project x, y, z",
        "events | extend t = time + 365000d + 365000d | project t, s = tostring(t), b = bin(t, 7d)",
        "events | extend t = time * 1",
        "events | extend s = 365000d * 9223372036854775807 | project s",
        "events | project x = substring(raw_data, -9223372036854775807, 9223372036854775807)",
        "events | project x = split(raw_data, 'a', 9223372036854775807)",
        "events | project x = toint('1e400'), y = tolong('99999999999999999999'), z = todouble('nan')",
        "events | project x = todatetime(tostring(lsn * 1000000000000000))",
        "events | summarize percentile(dst_port, 0), percentile(dst_port, 100), avg(lsn / 0)",
        "events | take 0 | summarize count(), make_set(src_ip), min(time), percentile(dst_port, 5)",
        "events | take 0 | make-series count() on time from ago(4h) to now() step 1h",
        "events | mv-expand x = split(raw_data, ' ') | mv-expand y = split(x, 'a') | count",
        "events | join (events) on tenant | join (events) on tenant | count",
        "events | union events, events | distinct src_ip | sort by src_ip",
        "events | parse raw_data with a:datetime * | project a",
        "events | where extractjson('$.a[0].b..c', raw_data) == 1",
        "events | project unmapped.a.b.c.d, raw_bytes, dns_answers, answers.value",
        "events",
        "matches | extend x = fields | where x has 'user'",
        &doubled,
    ] {
        if let Err(text) = ask(&view, only("acme"), query) {
            assert!(!text.is_empty() && !text.contains("internal"), "{query}: {text}");
        }
    }
}
