//! Our parsers beside VRL's `parse_*`, on the same generated lines in the same run.
//!
//! Not like for like: ours also recognises, normalises to OCSF columns, reads the time and ties
//! what belongs together; VRL's functions give a map of texts.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;
use vrl::compiler::state::RuntimeState;
use vrl::compiler::{Context as VrlContext, Program, TargetValue, TimeZone};
use vrl::value::{Secrets, Value};
use yagura_event::{Context, EventBatch, EventId, Reference, SourceChoice};
use yagura_parse::{Parser, RecordHeader};
use yagura_testkit::generate::{Generator, Lane, Limit, Plan};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// First moment of the generated lines.
const START: i64 = 1_790_000_000_000_000;

/// Records of each lane.
const RECORDS: u64 = 20_000;

/// Passes over them that are measured, after one that is not.
const PASSES: usize = 5;

/// Records parsed into one batch.
const BATCH_RECORDS: usize = 500;

/// What people would use for a lane, and what of a line it takes apart. VRL knows no product of
/// these but web servers; the regular expressions are the shortest that do.
fn program(lane: Lane) -> (&'static str, &'static str) {
    match lane {
        Lane::Asa | Lane::Postfix => ("parse_syslog!(.message)", "header alone"),
        Lane::Iptables => (
            "line = parse_syslog!(.message)\n\
             parse_key_value!(line.message, accept_standalone_key: true)",
            "all",
        ),
        Lane::Bind => (
            "parse_regex!(.message, r'^(?P<t>\\S+ \\S+) queries: (?P<level>\\w+): client (?P<c>\\S+) \
             (?P<ip>[^#]+)#(?P<port>\\d+) \\((?P<name>[^)]*)\\): query: (?P<q>\\S+) (?P<class>\\S+) \
             (?P<type>\\S+) (?P<flags>\\S+) \\((?P<server>[^)]*)\\)')",
            "all",
        ),
        Lane::Fortigate => ("parse_key_value!(.message)", "all"),
        Lane::PaloAlto => ("parse_csv!(.message)", "values without names"),
        Lane::Suricata | Lane::ZeekDns => ("parse_json!(.message)", "all"),
        Lane::Web => ("parse_apache_log!(.message, \"combined\")", "all"),
        Lane::Windows => ("parse_xml!(.message)", "all"),
        Lane::Proxy => (
            "parse_regex!(.message, r'^(?P<ip>\\S+) \\S+ (?P<user>\\S+) \\[(?P<t>[^\\]]+)\\] \
             \"(?P<m>\\S+) (?P<u>\\S+) (?P<v>[^\"]+)\" (?P<s>\\d+) (?P<b>\\S+)(?P<rest>.*)$')",
            "the first part",
        ),
        Lane::Squid => (
            "parse_regex!(.message, r'(?P<t>\\d+\\.\\d+) +(?P<d>\\d+) (?P<ip>\\S+) (?P<r>\\S+) \
             (?P<b>\\d+) (?P<m>\\S+) (?P<u>\\S+) (?P<user>\\S+) (?P<h>\\S+) (?P<type>\\S+)')",
            "all",
        ),
        Lane::Snort => (
            "parse_regex!(.message, r'\\[(?P<sid>[\\d:]+)\\] (?P<msg>.*?) \\[\\*\\*\\].*\\{(?P<p>\\w+)\\} \
             (?P<src>\\S+) -> (?P<dst>\\S+)')",
            "without class and priority",
        ),
    }
}

fn main() {
    let parser = Parser::builtin().expect("our own sources");
    println!("| lane | bytes | by name | recognised | VRL | VRL takes apart |");
    println!("|---|---|---|---|---|---|");
    for lane in Lane::ALL {
        let lines = lines(lane);
        let bytes = lines.iter().map(Vec::len).sum::<usize>() as f64 / lines.len() as f64;
        let named = ours(&parser, SourceChoice::Named(lane.source().to_owned()), &lines);
        let auto = ours(&parser, SourceChoice::Auto, &lines);
        let (program, takes) = program(lane);
        let (theirs, failed) = theirs(program, &lines);
        // A rate over lines that were not read would say nothing.
        assert_eq!(failed, 0, "{} lines of {} were not read", failed, lane.name());
        let rate = |ns: f64| format!("{:.0}, {:.0}", 1e9 / ns, bytes * 1e3 / ns);
        println!(
            "| `{}` | {bytes:.0} | {} | {} | {} | {takes} |",
            lane.name(),
            rate(named),
            rate(auto),
            rate(theirs)
        );
    }
    println!("\nrecords a second, MB a second, of one core");
}

fn lines(lane: Lane) -> Vec<Vec<u8>> {
    let plan = Plan {
        seed: 1,
        limit: Limit::Records(RECORDS),
        tenants: 3,
        attacks: 0,
        start: START,
        rate: None,
        lane: Some(lane),
    };
    let mut generator = Generator::new(&plan).expect("the plan");
    let mut lines = Vec::new();
    loop {
        let mut line = Vec::new();
        if generator.next_record(&mut line).is_none() {
            return lines;
        }
        lines.push(line);
    }
}

/// Nanoseconds of CPU a line.
fn measured(lines: &[Vec<u8>], mut pass: impl FnMut()) -> f64 {
    pass();
    let before = cpu_ns();
    (0..PASSES).for_each(|_| pass());
    (cpu_ns() - before) as f64 / (PASSES * lines.len()) as f64
}

fn ours(parser: &Parser, source: SourceChoice, lines: &[Vec<u8>]) -> f64 {
    let context = Arc::new(Context::new("default", "peers", source, Reference::Received));
    let mut batch = EventBatch::default();
    measured(lines, || {
        for (number, line) in lines.iter().enumerate() {
            if number % BATCH_RECORDS == 0 {
                batch.clear();
            }
            let head = RecordHeader {
                id: EventId(number as u128),
                received_time: START,
                stream: 0,
                batch: 0,
                peer: "",
                position: 0,
            };
            parser.parse(&context, &head, line, &mut batch);
        }
        black_box(&batch);
    })
}

fn theirs(source: &str, lines: &[Vec<u8>]) -> (f64, usize) {
    let program: Program =
        vrl::compiler::compile(source, &vrl::stdlib::all()).expect("a program").program;
    let texts: Vec<String> =
        lines.iter().map(|line| String::from_utf8_lossy(line).into_owned()).collect();
    let (zone, mut failed) = (TimeZone::default(), 0);
    let ns = measured(lines, || {
        failed = 0;
        for text in &texts {
            let message = Value::from(text.as_str());
            let mut target = TargetValue {
                value: Value::Object(BTreeMap::from([("message".into(), message)])),
                metadata: Value::Object(BTreeMap::new()),
                secrets: Secrets::default(),
            };
            let mut state = RuntimeState::default();
            let mut context = VrlContext::new(&mut target, &mut state, &zone);
            failed += usize::from(black_box(program.resolve(&mut context)).is_err());
        }
    });
    (ns, failed)
}

/// CPU time of this thread, in nanoseconds.
fn cpu_ns() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or_default()
}
