//! No bytes make a parser panic, and every record gives exactly one event.
use proptest::prelude::*;
use std::sync::{Arc, LazyLock};
use yagura_event::{
    Charset, Context, EventBatch, EventId, IssueCode, Reference, SourceChoice, SpanFlags,
};
use yagura_parse::sink::FIELDS_MAX;
use yagura_parse::{Framer, Parser, RECORD_BYTES_MAX, RecordHeader, UNRECOGNISED, unparsed};

static PARSER: LazyLock<Parser> = LazyLock::new(|| Parser::builtin().unwrap());

/// Texts from which mutants are made: one of each format.
const SEEDS: &[&str] = &[
    "<166>May 14 12:00:51 fw %ASA-6-302013: Built inbound TCP connection 1 for outside:192.0.2.1/5 (192.0.2.1/5) to dmz:10.0.0.1/443 (198.51.100.1/443)",
    "05/14-12:02:38.453 [**] [1:2003068:6] ET SCAN X [**] [Classification: a] [Priority: 2] {TCP} 192.0.2.1:1 -> 10.0.0.1:80",
    r#"{"ts":1715688000.361866,"uid":"C1","id.orig_h":"10.0.0.1","id.orig_p":5,"id.resp_h":"10.0.0.2","id.resp_p":53,"proto":"udp","answers":["a\u00e9\n"]}"#,
    r#"{"timestamp_ms":1,"object":"PROCESS","action":"CREATE","objectID":"x","properties":{"image_path":"C:\\a.exe"}}"#,
    r#"<86>1 2024-05-14T12:00:00Z h sshd 1 - [x@1 a="b"] Accepted password for root from 192.0.2.1 port 1 ssh2"#,
    "#1715689172\nls",
    r#"192.0.2.1 - u [14/May/2024:12:00:51 +0000] "GET /a?b=\"c HTTP/1.1" 200 5 "-" "x" "cs_bytes=1""#,
    r#"<189>date=2024-05-14 time=12:00:00 tz="+0000" devname="f" logid="1" type="utm" subtype="webfilter" srcip=192.0.2.1 url="http://h/?q=\"x\"" action="blocked""#,
    r#"May 14 12:00:00 fw 1,2024/05/14 12:00:00,007,THREAT,url,1,2024/05/14 12:00:00,192.0.2.1,10.0.0.1,0.0.0.0,0.0.0.0,r,corp\u,,ssl,v,a,b,c,d,l,t,1,1,5,443,0,0,0x0,tcp,alert,"h/?a=""b"",c",(9999),c,low,client-to-server"#,
    r"<14>CEF:0|a\|b|p|1|7|n\\|5|src=192.0.2.1 msg=a\=b\nc cs1Label=Rule Name cs1=x y fileHash=aa act=drop",
    "LEEF:2.0|v|p|1|7|x5E|src=192.0.2.1^msg=a b=c^devTime=1715688000000",
    "May 14 12:00:00 h kernel: [ 1.5] [UFW BLOCK] IN=e OUT= MAC=00:00:5e:00:53:01:00:00:5e:00:53:02:08:00 SRC=192.0.2.1 DST=10.0.0.1 PROTO=ICMP TYPE=3 [SRC=10.0.0.1 DF PROTO=UDP SPT=1 ] RES=0x00 SYN ACK",
    "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='A'/><EventID>1</EventID><Channel>Security</Channel><Computer>h</Computer></System><EventData><Data Name='x'>1</Data></EventData></Event>",
    "1718356211.500 180 192.0.2.1 TCP_MISS/200 411 GET http://example.org/ - HIER_DIRECT/192.0.2.2 text/html",
    "14-Jun-2024 09:10:11.500 queries: info: client @0x7f 192.0.2.1#5 (a.example): view v: query: a.example IN A +E(0)K (192.0.2.53)",
    "Jun 14 09:10:13 mx postfix/smtp[3]: 4F9D195432C: to=<a@b.example>, relay=mx.b.example[192.0.2.1]:25, delay=1.3, dsn=2.0.0, status=sent (250 ok)",
    "Jun 14 09:10:13 mx postfix/smtpd[3]: NOQUEUE: reject: RCPT from unknown[192.0.2.1]: 554 5.7.1 <a@b>: no; from=<a> to=<b> proto=ESMTP helo=<h>",
    "type=EXECVE msg=audit(1718356211.500:1): argc=2 a0=\"sh\" a1=6C73202D6C saddr=02000050C0000201 msg='acct=\"x\" key=610162'\u{1d}UID=\"r\"",
    r#"{"winlog":{"event_id":1,"channel":"Security","event_data":{"param1":"x"}},"message":"m","EventData":"<Data Name='a'>b</Data>"}"#,
    r#"{"@timestamp":"2024-06-14T09:10:11Z","log":"{\"message\":\"<34>1 2024-05-14T12:00:00Z h sshd 1 - - Accepted password for root from 192.0.2.1 port 1 ssh2\\n\"}","SYSLOG_IDENTIFIER":"x"}"#,
];

fn context(source: SourceChoice) -> Arc<Context> {
    let mut context = Context::new("default", "x", source, Reference::Received);
    context.time_zone = Some("Asia/Tokyo".into());
    Arc::new(context)
}

fn parse_everywhere(bytes: &[u8]) {
    let mut choices = vec![SourceChoice::Auto, SourceChoice::Named("absent".into())];
    choices.extend(PARSER.sources().list().map(|source| SourceChoice::Named(source.name.into())));
    for choice in choices {
        parse_in(&context(choice), bytes);
    }
    for charset in Charset::ALL {
        let mut context = Context::clone(&context(SourceChoice::Auto));
        context.charset = charset;
        parse_in(&Arc::new(context), bytes);
    }
    let mut framer = Framer::new(bytes, &SourceChoice::Auto);
    while framer.next_frame().is_ok_and(|frame| frame.is_some()) {}
}

fn parse_in(context: &Arc<Context>, bytes: &[u8]) {
    let mut out = EventBatch::default();
    let head = RecordHeader {
        id: EventId(1),
        received_time: 1_715_688_000_000_000,
        stream: 0,
        batch: 0,
        peer: "",
        position: 0,
    };
    PARSER.parse(context, &head, bytes, &mut out);
    assert_eq!(out.events.len(), 1);
    let event = out.event(0).unwrap();
    assert_eq!(event.original(), bytes);
    for span in event.spans() {
        assert!(span.value.off as usize + span.value.len as usize <= out.arena.len());
        let raw = (span.raw.off as usize, span.raw.off as usize + span.raw.len as usize);
        assert!(span.raw.len == 0 || raw.1 <= event.event().raw.off as usize + event.raw().len());
        assert!(std::str::from_utf8(event.span_value(span)).is_ok(), "{context:?}");
        assert!(std::str::from_utf8(event.span_name(span, PARSER.fields())).is_ok());
    }
    let _ = event.observables();
    let _ = event.relations().count();
    let json = yagura_event::json::event_json(event, PARSER.fields(), None);
    assert!(json.is_object());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        parse_everywhere(&bytes);
    }

    #[test]
    fn mutated_records(
        seed in 0..SEEDS.len(),
        cuts in proptest::collection::vec((any::<u16>(), any::<u8>(), 0..3u8), 0..6),
    ) {
        let mut bytes = SEEDS[seed].as_bytes().to_vec();
        for (at, byte, how) in cuts {
            let at = usize::from(at) % bytes.len().max(1);
            match how {
                0 if at < bytes.len() => bytes[at] = byte,
                1 => bytes.truncate(at),
                _ => bytes.insert(at.min(bytes.len()), byte),
            }
        }
        parse_everywhere(&bytes);
    }
}

/// Header lines from which those of a context are made.
const HEADERS: &[&str] = &[
    "#separator \\x09",
    "#separator \\x",
    "#set_separator\t,",
    "#unset_field\t-",
    "#path\tconn",
    "#fields\tts\tuid\tid.orig_h\ttags",
    "#types\ttime\tstring\taddr\tset[string]",
    "#Date: 2024-05-14",
    "#Fields: date time c-ip cs-uri-stem cs-uri-query cs(User-Agent)",
    "#Fields: a,b,c",
    "#Fields:\ttime\tcs-uri-scheme\tcs-host",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_below_any_header(
        lines in proptest::collection::vec(0..HEADERS.len(), 1..6),
        values in proptest::collection::vec("[ -~\t\u{e9}\u{3042}]{0,12}", 0..8),
        separator in 0..3usize,
        tail in proptest::collection::vec(any::<u8>(), 0..4),
    ) {
        let mut context = Context::clone(&context(SourceChoice::Auto));
        context.headers = lines.iter().map(|at| HEADERS[*at].to_owned()).collect();
        let mut bytes = values.join(["\t", " ", ","][separator]).into_bytes();
        bytes.extend_from_slice(&tail);
        for name in ["", "zeek", "iis", "w3c"] {
            if !name.is_empty() {
                context.source = SourceChoice::Named(name.into());
            }
            parse_in(&Arc::new(context.clone()), &bytes);
        }
        let file = [context.headers.join("\n").into_bytes(), b"\n".to_vec(), bytes].concat();
        let mut framer = Framer::new(&file[..], &SourceChoice::Auto);
        while framer.next_frame().is_ok_and(|frame| frame.is_some()) {}
    }
}

fn one(source: SourceChoice, bytes: &[u8]) -> EventBatch {
    let mut out = EventBatch::default();
    let head = RecordHeader {
        id: EventId(7),
        received_time: 5,
        stream: 1,
        batch: 2,
        peer: "",
        position: 0,
    };
    PARSER.parse(&context(source), &head, bytes, &mut out);
    out
}

#[test]
fn records_that_nothing_reads_are_base_events_with_a_reason() {
    let out = one(SourceChoice::Auto, b"\xff\xfe nothing known");
    let event = out.event(0).unwrap();
    assert_eq!((event.event().class.0, event.event().source), (0, UNRECOGNISED));
    assert_eq!(event.event().time, 5);
    let codes: Vec<_> = event.issues().iter().map(|issue| issue.code).collect();
    assert_eq!(codes, [IssueCode::Charset, IssueCode::Unrecognised]);
    let out = one(SourceChoice::Named("zeek".into()), b"{\"ts\":1");
    assert_eq!(out.issues[0].code, IssueCode::Malformed);
    assert_eq!(out.events[0].class.0, 0);
}

#[test]
fn an_unknown_json_object_keeps_its_fields() {
    let out = one(SourceChoice::Auto, br#"{"some":{"field":"value"}}"#);
    let event = out.event(0).unwrap();
    assert_eq!(event.spans().len(), 1);
    assert_eq!(event.span_value(&event.spans()[0]), b"value");
}

#[test]
fn a_wide_line_keeps_as_many_fields_as_the_limit() {
    let many = |count: usize, pair: &dyn Fn(usize) -> String| -> String {
        (0..count).map(pair).collect::<Vec<_>>().join(" ")
    };
    let flagged = |source: &str, text: String| {
        let out = one(SourceChoice::Named(source.into()), text.as_bytes());
        // Aliases of fields follow the fields, so the limit is theirs, too.
        let fields = out.spans.iter().filter(|span| !span.flags.has(SpanFlags::ALIAS)).count();
        (fields, out.issues.iter().any(|issue| issue.code == IssueCode::TooManyFields))
    };
    let pairs = |count| many(count, &|n| format!("k{n}=v"));
    assert_eq!(flagged("key_value", pairs(FIELDS_MAX)), (FIELDS_MAX, false));
    assert_eq!(flagged("key_value", pairs(FIELDS_MAX + 1)), (FIELDS_MAX, true));
    let cef = |count: usize| format!("CEF:0|v|p|1|7|n|5|{}", pairs(count - 7));
    assert_eq!(flagged("cef", cef(FIELDS_MAX)), (FIELDS_MAX, false));
    assert_eq!(flagged("cef", cef(FIELDS_MAX + 1)), (FIELDS_MAX, true));
    let csv = |count: usize| format!("1,t,s,SYSTEM{}", ",x".repeat(count - 4));
    assert!(!flagged("paloalto", csv(100)).1);
    assert!(flagged("paloalto", csv(FIELDS_MAX + 100)).1);
}

#[test]
fn deep_nesting_and_numbers_out_of_range_are_kept_and_told() {
    // Ten thousand levels, alone and within an envelope's string.
    for deep in [
        format!("{{\"a\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000)),
        format!(
            "{{\"src_ip\":\"192.0.2.1\",\"x\":{}1{}}}",
            r#"{"a":"#.repeat(10_000),
            "}".repeat(10_000)
        ),
    ] {
        let out = one(SourceChoice::Auto, deep.as_bytes());
        assert_eq!(out.event(0).unwrap().raw(), deep.as_bytes());
        assert_eq!(out.issues[0].code, IssueCode::TooManyFields);
        let wrapped = serde_json::json!({ "message": deep }).to_string();
        let out = one(SourceChoice::Auto, wrapped.as_bytes());
        assert!(out.issues.iter().any(|issue| issue.code == IssueCode::TooManyFields));
    }
    let text = r#"{"src_ip":"192.0.2.1","src_ip":"192.0.2.2","src_port":65536,"dst_port":-1,"bytes_in":99999999999999999999,"pid":1e999,"time":9223372036854775807,"ts":-9223372036854775808}"#;
    let out = one(SourceChoice::Auto, text.as_bytes());
    let event = out.event(0).unwrap();
    let json = yagura_event::json::event_json(event, PARSER.fields(), None);
    assert_eq!(json.pointer("/src_endpoint/ip").unwrap(), "192.0.2.1", "the first of two is it");
    assert_eq!(json.pointer("/src_endpoint/port"), None);
    assert_eq!(json["unmapped"]["src_port"], 65_536, "what does not convert is kept: {json}");
    assert!(out.issues.iter().any(|issue| issue.code == IssueCode::Conversion));
}

#[test]
fn lines_of_many_kinds_in_one_file_are_each_their_own() {
    let text = SEEDS[..7].join("\n");
    let mut framer = Framer::new(text.as_bytes(), &SourceChoice::Auto);
    let mut sources = Vec::new();
    while let Some(frame) = framer.next_frame().unwrap() {
        let out = one(SourceChoice::Auto, frame.bytes);
        sources.push(PARSER.sources().name(out.events[0].source).unwrap_or("-").to_owned());
    }
    let expect = ["cisco_asa", "snort_fast", "zeek", "ecar", "linux_syslog"];
    assert_eq!(sources[..5], expect);
    assert_eq!(sources.last().unwrap(), "web_access");
}

#[test]
fn a_cut_record_is_flagged() {
    let text = vec![b'x'; RECORD_BYTES_MAX];
    assert_eq!(one(SourceChoice::Auto, &text).issues[0].code, IssueCode::Truncated);
    let out = one(SourceChoice::Auto, &text[1..]);
    assert!(out.issues.iter().all(|issue| issue.code != IssueCode::Truncated));
}

#[test]
fn a_poison_record_is_stored_unparsed() {
    let mut out = EventBatch::default();
    let head = RecordHeader {
        id: EventId(7),
        received_time: 5,
        stream: 0,
        batch: 0,
        peer: "",
        position: 0,
    };
    unparsed(&context(SourceChoice::Auto), &head, SEEDS[0].as_bytes(), &mut out);
    let event = out.event(0).unwrap();
    assert_eq!(event.issues()[0].code, IssueCode::Poison);
    assert_eq!((event.spans().len(), event.event().class.0), (0, 0));
    assert_eq!(event.raw(), SEEDS[0].as_bytes());
}

#[test]
fn only_stamps_with_a_year_give_a_batch_its_reference() {
    let time =
        |text: &str| PARSER.event_time_with_year(&context(SourceChoice::Auto), text.as_bytes());
    assert_eq!(time(SEEDS[0]), None);
    assert_eq!(time(SEEDS[1]), None);
    assert_eq!(time(SEEDS[2]), Some(1_715_688_000_361_866));
    assert_eq!(time(SEEDS[6]), Some(1_715_688_051_000_000));
    assert_eq!(time("2024-05-14 but no log line"), None);
}

#[test]
fn a_stamp_without_zone_is_read_in_the_contexts() {
    let out =
        one(SourceChoice::Auto, b"May 14 21:00:00 h sshd[1]: Server listening on :: port 22.");
    // The reference is the received time, 1970, in Asia/Tokyo.
    assert_eq!(yagura_event::time::rfc3339(out.events[0].time), "1969-05-14T12:00:00.000000Z");
}

#[test]
fn names_are_text_also_where_they_are_cut_or_no_text() {
    for before in 1_019..=1_025 {
        let name = format!("{}é𝄞", "n".repeat(before));
        parse_everywhere(format!("{{\"{name}\":1,\"ts\":2}}").as_bytes());
    }
    parse_everywhere(b"{\"na\xffme\":1,\"\xc3\":2}");
    parse_everywhere(b"na\xffme=1 \xe2\x82=2");
}
