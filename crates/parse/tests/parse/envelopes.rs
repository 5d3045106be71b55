//! Records within JSON objects are read as the sources they are of; the objects' own fields stay.

use crate::windows_support::{RECEIVED, fields, json as ocsf, parse, parse_into, source};
use serde_json::{Value, json};
use yagura_event::{Context, EventBatch, Reference, SourceChoice};

const ASA: &str = "%ASA-6-302013: Built inbound TCP connection 1 for outside:192.0.2.1/5 (192.0.2.1/5) to dmz:10.0.0.1/443 (198.51.100.1/443)";
const SSH: &str = "Jun 14 09:10:13 lab-web sshd[102]: Failed password for root from 198.51.100.66 port 50002 ssh2";

#[track_caller]
fn check(record: &Value, expect_source: &str, expect: &[(&str, Value)]) -> Value {
    let text = record.to_string();
    let batch = parse(text.as_bytes());
    let seen = ocsf(&batch, 0);
    assert_eq!(source(&batch, 0), Some(expect_source), "{text}\n{seen:#}");
    assert_eq!(batch.event(0).unwrap().raw(), text.as_bytes());
    for (pointer, value) in expect {
        assert_eq!(seen.pointer(pointer), Some(value), "{pointer} in {seen:#}");
    }
    seen
}

#[test]
fn every_carrier_gives_the_record_it_holds() {
    let inner = [("/src_endpoint/ip", json!("192.0.2.1")), ("/class_uid", json!(4001))];
    for record in [
        json!({"message": ASA}),
        json!({"@timestamp": "2024-06-14T09:10:11Z", "event": {"original": ASA}, "message": "other"}),
        json!({"_raw": ASA}),
        json!({"result": {"_raw": ASA, "sourcetype": "cisco:asa"}}),
        json!({"log": format!("{ASA}\n"), "stream": "stdout", "time": "2024-06-14T09:10:11.5Z"}),
        json!({"event": ASA, "host": "h", "sourcetype": "x"}),
        // A second envelope around the first.
        json!({"log": json!({"message": ASA}).to_string(), "stream": "stdout"}),
    ] {
        check(&record, "cisco_asa", &inner);
    }
}

#[test]
fn a_third_envelope_stays_a_string() {
    let two = json!({"log": json!({"message": ASA}).to_string()});
    check(&two, "cisco_asa", &[]);
    let three = json!({"log": two.to_string()});
    let seen = check(&three, "json", &[]);
    assert_eq!(seen["class_uid"], json!(0));
}

#[test]
fn the_envelope_says_time_year_and_host_where_the_record_does_not() {
    let seen = check(
        &json!({"@timestamp": "2019-07-01T00:00:00Z", "host": {"name": "shipper1"}, "message": ASA}),
        "cisco_asa",
        &[("/time_dt", json!("2019-07-01T00:00:00.000000Z"))],
    );
    assert_eq!(seen.pointer("/metadata/reporter/hostname"), Some(&json!("shipper1")));
    assert_eq!(seen["unmapped"]["envelope.@timestamp"], json!("2019-07-01T00:00:00Z"));
    // The record's own stamp and host win; its year is that of the envelope.
    check(
        &json!({"@timestamp": "2019-07-01T00:00:00Z", "host": {"name": "shipper1"}, "message": SSH}),
        "linux_syslog",
        &[
            ("/time_dt", json!("2019-06-14T09:10:13.000000Z")),
            ("/device/hostname", json!("lab-web")),
            ("/user/name", json!("root")),
            ("/unmapped/envelope.host.name", json!("shipper1")),
        ],
    );
    let batch = parse(json!({"message": ASA, "host": "a"}).to_string().as_bytes());
    assert_eq!(batch.events[0].time, RECEIVED);
}

#[test]
fn a_syslog_header_that_was_taken_apart_is_put_together() {
    check(
        &json!({
            "MESSAGE": "Failed password for root from 198.51.100.66 port 50002 ssh2",
            "SYSLOG_IDENTIFIER": "sshd", "_PID": "102", "_HOSTNAME": "lab-web", "PRIORITY": "6",
            "__REALTIME_TIMESTAMP": "1718356213000000",
        }),
        "linux_syslog",
        &[
            ("/user/name", json!("root")),
            ("/device/hostname", json!("lab-web")),
            ("/time_dt", json!("2024-06-14T09:10:13.000000Z")),
        ],
    );
}

#[test]
fn objects_that_a_source_reads_are_not_looked_into() {
    check(
        &json!({"EventID": 4624, "Channel": "Security", "Computer": "h", "Message": ASA}),
        "windows_event",
        &[("/metadata/event_code", json!("4624"))],
    );
    check(
        &json!({"ts": 1_718_356_213.5, "uid": "C1", "id.orig_h": "192.0.2.9", "id.orig_p": 1,
            "id.resp_h": "192.0.2.8", "id.resp_p": 2, "proto": "tcp", "message": ASA}),
        "zeek",
        &[("/src_endpoint/ip", json!("192.0.2.9"))],
    );
    // No text decoder is asked about a string that is no carrier.
    check(&json!({"note": ASA, "n": 1}), "json", &[("/class_uid", json!(0))]);
}

#[test]
fn objects_within_objects_are_fields() {
    check(
        &json!({"log": "{\"level\":\"info\",\"client_ip\":\"192.0.2.7\"}", "stream": "stdout"}),
        "json",
        &[("/src_endpoint/ip", json!("192.0.2.7")), ("/unmapped/envelope.stream", json!("stdout"))],
    );
}

#[test]
fn a_feed_of_a_named_source_may_be_wrapped() {
    let source_name = SourceChoice::Named("cisco_asa".into());
    let context =
        std::sync::Arc::new(Context::new("default", "test", source_name, Reference::Received));
    let mut batch = EventBatch::default();
    parse_into(&context, json!({"message": ASA}).to_string().as_bytes(), &mut batch);
    assert_eq!(source(&batch, 0), Some("cisco_asa"));
    assert_eq!(ocsf(&batch, 0).pointer("/src_endpoint/ip"), Some(&json!("192.0.2.1")));
}

#[test]
fn spans_point_into_the_whole_record() {
    // Verbatim: each field where it stands. Escaped: all at the string that holds the record.
    for (text, verbatim) in [
        (format!("{{\"message\":\"{SSH}\"}}"), true),
        (format!("{{\"message\":\"{SSH}\\n\"}}"), false),
    ] {
        let batch = parse(text.as_bytes());
        let event = batch.event(0).unwrap();
        let raw = event.event().raw;
        let user = event.spans().iter().find(|s| event.span_value(s) == b"root").unwrap();
        let at = (user.raw.off - raw.off) as usize;
        let shown = &text.as_bytes()[at..at + user.raw.len as usize];
        assert_eq!(shown == b"root", verbatim, "{}", String::from_utf8_lossy(shown));
        assert!(shown.windows(4).any(|w| w == b"root"));
        assert!(!fields(&batch, 0).is_empty());
    }
}

#[test]
fn syslog_around_an_object_is_a_header_of_the_object() {
    for text in [
        "<14>Jun 14 09:10:16 app2 worker[55]: {\"user\":\"batch\",\"remote_addr\":\"192.0.2.12\"}",
        "<14>Jun 14 09:10:16 app2 worker: @cee: {\"user\":\"batch\",\"remote_addr\":\"192.0.2.12\"}",
    ] {
        let batch = parse(text.as_bytes());
        assert_eq!(source(&batch, 0), Some("json"));
        let seen = ocsf(&batch, 0);
        assert_eq!(seen.pointer("/src_endpoint/ip"), Some(&json!("192.0.2.12")), "{seen:#}");
        assert_eq!(seen.pointer("/device/hostname"), Some(&json!("app2")));
    }
    // What only looks like one is a message of its program.
    let batch = parse(b"<14>Jun 14 09:10:16 app2 worker[55]: {\"user\": oops}");
    assert_eq!(source(&batch, 0), Some("linux_syslog"));
}
