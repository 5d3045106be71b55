//! Generated lines pack as real ones do: zstd's ratio at level 3, lane by lane.
//!
//! Real lines come from the shared data. Both sides are measured at equal size: that of the real
//! lines, at most [`BYTES_MAX`]; the generated ones are the first so many bytes of the largest of
//! five tenants, at about the real lines' rate (stamps that repeat pack better). Windows events are compared in the form in which they are written, one element
//! a line without the space between elements.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use yagura_testkit::generate::{Generator, Lane, Limit, Plan};

/// Most bytes compared: four windows of zstd at level 3.
const BYTES_MAX: usize = 8 << 20;

/// Fewest bytes of real lines on which a lane is judged; with less the ratio says how the few
/// lines were picked. Smaller ones are printed.
const BYTES_MIN: usize = 64 << 10;

/// Largest relative difference.
const TOLERANCE: f64 = 0.2;

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");

fn run(program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}");
    output.stdout
}

fn packed(bytes: &[u8]) -> usize {
    let mut zstd = Command::new("zstd")
        .args(["-3", "-c", "--single-thread"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = zstd.stdin.take().unwrap();
    let bytes = bytes.to_vec();
    let writer = std::thread::spawn(move || input.write_all(&bytes).unwrap());
    let length = zstd.wait_with_output().unwrap().stdout.len();
    writer.join().unwrap();
    length
}

fn ratio(bytes: &[u8]) -> f64 {
    bytes.len() as f64 / packed(bytes) as f64
}

/// Files of this name in the unpacked scenario, sorted.
fn scenario_files(dir: &Path, name: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir.join("branch-office-example/data"))
        .unwrap()
        .map(|host| host.unwrap().path().join(name))
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    files
}

fn scenario(dir: &Path, name: &str) -> Vec<u8> {
    scenario_files(dir, name).into_iter().flat_map(|path| std::fs::read(path).unwrap()).collect()
}

/// Windows events of all hosts, the same part of each file.
fn windows(dir: &Path) -> Vec<u8> {
    let mut texts = Vec::new();
    for name in ["windows_event_security.xml", "windows_event_sysmon.xml"] {
        for path in scenario_files(dir, name) {
            let text = std::fs::read_to_string(path).unwrap();
            let mut lines = String::new();
            for event in text.split("<Event xmlns").skip(1) {
                let event = event.split_inclusive("</Event>").next().unwrap();
                let joined: Vec<&str> =
                    event
                        .split('>')
                        .map(|part| {
                            if part.trim_start().starts_with('<') {
                                part.trim_start()
                            } else {
                                part
                            }
                        })
                        .collect();
                lines.push_str("<Event xmlns");
                lines.push_str(&joined.join(">"));
                lines.push('\n');
            }
            texts.push(lines);
        }
    }
    let total: usize = texts.iter().map(String::len).sum();
    let part = |text: &String| (text.len() as f64 * BYTES_MAX as f64 / total as f64) as usize;
    texts.iter().flat_map(|text| text.as_bytes()[..part(text).min(text.len())].to_vec()).collect()
}

/// Raw lines of an archive of pairs for which `keep` holds.
fn pairs(path: &str, keep: impl Fn(&str) -> bool) -> Vec<u8> {
    let file = format!("{DATA}/logs/elastic/{path}.pairs.jsonl.zst");
    let mut lines = String::new();
    for line in String::from_utf8(run("zstd", &["-dcq", &file])).unwrap().lines() {
        let pair: serde_json::Value = serde_json::from_str(line).unwrap();
        if let Some(message) = pair["input"]["message"].as_str().filter(|text| keep(text)) {
            lines.push_str(message);
            lines.push('\n');
        }
    }
    lines.into_bytes()
}

/// Members of an archive, one after another.
fn members(path: &str, pattern: &str) -> Vec<u8> {
    let file = format!("{DATA}/{path}");
    run("tar", &["--zstd", "-xOf", &file, "--wildcards", pattern])
}

fn real(lane: Lane, dir: &Path) -> (&'static str, Vec<u8>) {
    match lane {
        Lane::Asa => ("scenario", scenario(dir, "cisco_asa.log")),
        Lane::Proxy => ("scenario", scenario(dir, "proxy_access.log")),
        Lane::Web => ("scenario", scenario(dir, "web_access.log")),
        Lane::Snort => ("scenario", scenario(dir, "snort_alert.log")),
        Lane::ZeekDns => ("scenario", scenario(dir, "dns.json")),
        Lane::Windows => ("scenario", windows(dir)),
        Lane::Fortigate => (
            "elastic, traffic and utm",
            pairs("firewall/fortinet_fortigate", |l| {
                l.contains("type=\"traffic\"") || l.contains("type=\"utm\"")
            }),
        ),
        // The form of PAN-OS 8 to 9, which the generator writes too.
        Lane::PaloAlto => (
            "elastic, traffic and url",
            pairs("firewall/panw", |l| {
                (l.contains(",TRAFFIC,") || l.contains(",THREAT,")) && l.matches(',').count() < 80
            }),
        ),
        Lane::Iptables => {
            let mut lines = pairs("firewall/iptables", |line| line.contains("MAC="));
            let path = "logs/crowdsec-hub/crowdsec-tests.tar.zst";
            lines.extend(members(path, "iptables-scan-multi-port/*.log"));
            ("elastic and crowdsec", lines)
        }
        Lane::Suricata => ("elastic", pairs("ids/suricata", |_| true)),
        Lane::Squid => ("elastic", pairs("proxy/squid", |_| true)),
        Lane::Postfix => {
            let lines = members("logs/fail2ban/fail2ban-logs.tar.zst", "logs/postfix");
            let lines = lines.split_inclusive(|b| *b == b'\n');
            (
                "fail2ban",
                lines.filter(|l| !l.starts_with(b"#") && l.len() > 1).flatten().copied().collect(),
            )
        }
        Lane::Bind => ("none", Vec::new()),
    }
}

/// Records a second of all five tenants, the largest of which has 44 %: short captures and tests
/// have many in a second; else the records last eight hours, as the scenario's do.
fn rate(lane: Lane) -> Option<u32> {
    match lane {
        Lane::PaloAlto | Lane::Iptables => Some(6),
        Lane::Squid => Some(4),
        _ => None,
    }
}

fn generated(lane: Lane, bytes: usize) -> Vec<u8> {
    let plan = Plan {
        seed: 1,
        limit: Limit::Bytes(3 * bytes as u64),
        tenants: 5,
        attacks: 0,
        start: 1_767_592_800_000_000,
        rate: rate(lane),
        lane: Some(lane),
    };
    let mut generator = Generator::new(&plan).unwrap();
    let mut chunks = vec![Vec::new(); generator.streams().len()];
    while generator.fill(&mut chunks, 1_000) > 0 {}
    let mut lines = std::mem::take(&mut chunks[lane as usize]);
    assert!(lines.len() >= bytes, "{}: {} of {bytes} bytes", lane.name(), lines.len());
    lines.truncate(bytes);
    lines
}

#[test]
fn each_lane_packs_like_real_lines_of_its_source() {
    let archive = format!("{DATA}/scenarios/branch-office-example.tar.zst");
    if !Path::new(&archive).exists() {
        println!("SKIPPED: the shared data is not here");
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "CI needs the shared data");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    run("tar", &["--zstd", "-xf", &archive, "-C", dir.path().to_str().unwrap()]);
    println!("lane           real bytes  real  made  difference");
    let mut apart = Vec::new();
    for lane in Lane::ALL {
        let (from, mut lines) = real(lane, dir.path());
        lines.truncate(BYTES_MAX);
        if lines.is_empty() {
            println!("{:14} {:>10}  NOT JUDGED, there are no real lines", lane.name(), 0);
            continue;
        }
        let (real, made) = (ratio(&lines), ratio(&generated(lane, lines.len())));
        let difference = made / real - 1.0;
        let judged = lines.len() >= BYTES_MIN;
        let note = if judged { "" } else { ", NOT JUDGED, too few lines" };
        println!(
            "{:14} {:>10} {real:5.2} {made:5.2} {:>+8.0} %  {from}{note}",
            lane.name(),
            lines.len(),
            difference * 100.0
        );
        if judged && difference.abs() > TOLERANCE {
            apart.push(lane.name());
        }
    }
    assert!(apart.is_empty(), "{apart:?}");
}
