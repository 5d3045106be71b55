//! Published lists of the shared data: they load, and matches equal a plain search's.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::io::Read;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use yagura_enrich::{
    Group, Indicators, Kind, Limits, List, Refusal, Scratch, WarningList, Warnings, read_list,
};
use yagura_event::{
    ClassUid, ColumnId, Context, Event, EventBatch, EventId, LogsourceId, Reference, Scalar,
    SourceChoice,
};

/// A file of the shared intelligence; where it is missing a test says so, and fails in CI.
fn shared(path: &str) -> Option<PathBuf> {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/intel").join(path);
    if full.exists() {
        return Some(full);
    }
    println!("SKIPPED: {} is not there", full.display());
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "shared data is missing");
    None
}

fn unpacked(path: &Path) -> Vec<u8> {
    zstd::decode_all(std::fs::File::open(path).unwrap()).unwrap()
}

fn read(name: &str, bytes: &[u8]) -> List {
    read_list(name, bytes, &Limits::default()).unwrap()
}

/// The files of an archive, by name.
fn members(path: &Path) -> Vec<(String, Vec<u8>)> {
    let bytes = unpacked(path);
    let mut archive = tar::Archive::new(bytes.as_slice());
    let mut files = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.header().entry_type().is_file() {
            let name = entry.path().unwrap().to_string_lossy().into_owned();
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            files.push((name, content));
        }
    }
    files.sort();
    files
}

/// Addresses of a list of one address a line, by the plainest reading.
fn plain_addresses(bytes: &[u8]) -> HashSet<u32> {
    let text = String::from_utf8_lossy(bytes);
    let words = text.lines().filter_map(|line| line.split_whitespace().next());
    words.filter_map(|word| word.parse::<Ipv4Addr>().ok()).map(u32::from).collect()
}

fn is_reserved(ip: u32) -> bool {
    let ip = Ipv4Addr::from(ip);
    let [a, b, c, _] = ip.octets();
    ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || a == 0
        || a >= 224
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
}

/// Small, quick, repeatable random numbers (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

fn batch_of(events: &[Vec<(ColumnId, String)>]) -> EventBatch {
    let mut batch = EventBatch::default();
    let context = Context::new("default", "test", SourceChoice::Auto, Reference::At(0));
    batch.contexts.push(Arc::new(context));
    for (at, columns) in events.iter().enumerate() {
        let from = batch.values.len() as u32;
        for (column, text) in columns {
            let text = batch.push_text(text.as_bytes());
            batch.values.push((*column, Scalar::Text(text)));
        }
        let values = from..batch.values.len() as u32;
        let raw = batch.push_text(b"-");
        batch.events.push(Event {
            id: EventId::content(1, at as u64),
            context: 0,
            time: 0,
            received_time: 0,
            class: ClassUid(0),
            source: 0,
            logsource: LogsourceId(0),
            raw,
            original: Default::default(),
            spans: 0..0,
            values,
            relations: 0..0,
            issues: 0..0,
            stream: 0,
            batch: 0,
        });
    }
    batch
}

#[test]
fn address_lists_against_a_plain_search() {
    let (Some(ipsum), Some(fox)) =
        (shared("ipsum/ipsum.txt.zst"), shared("public-feeds/threatfox-ips.txt.zst"))
    else {
        return;
    };
    let files = [("ipsum", unpacked(&ipsum)), ("threatfox", unpacked(&fox))];
    let began = Instant::now();
    let lists: Vec<List> = files.iter().map(|(name, bytes)| read(name, bytes)).collect();
    let set = Indicators::new(&lists, Warnings::default()).unwrap();
    let seconds = began.elapsed().as_secs_f64();
    let mut known: HashMap<u32, BTreeSet<&str>> = HashMap::new();
    for (name, bytes) in &files {
        for ip in plain_addresses(bytes).into_iter().filter(|ip| !is_reserved(*ip)) {
            known.entry(ip).or_default().insert(name);
        }
    }
    println!(
        "{} addresses in {seconds:.3} s, {:.1} bytes each",
        set.count(),
        set.bytes() as f64 / set.count() as f64
    );
    assert_eq!(set.count(), known.len() as u64);
    assert!(set.count() > 130_000);
    let all: Vec<u32> = known.keys().copied().collect();
    let mut random = Random(4);
    let mut events = Vec::new();
    let mut want: BTreeMap<u128, BTreeSet<(String, String)>> = BTreeMap::new();
    for at in 0..100_000u64 {
        let mut event = Vec::new();
        for column in [ColumnId::SRC_IP, ColumnId::DST_IP] {
            let ip = match random.next() % 10 {
                0 => all[random.next() as usize % all.len()],
                1 => all[random.next() as usize % all.len()] ^ (1 << (random.next() % 8)),
                _ => random.next() as u32,
            };
            for list in known.get(&ip).into_iter().flatten() {
                let pair = ((*list).to_owned(), Ipv4Addr::from(ip).to_string());
                want.entry(EventId::content(1, at).0).or_default().insert(pair);
            }
            event.push((column, Ipv4Addr::from(ip).to_string()));
        }
        events.push(event);
    }
    let batch = batch_of(&events);
    let (mut scratch, mut out) = (Scratch::default(), Vec::new());
    let began = Instant::now();
    batch.iter().for_each(|event| set.matches(event, "", &mut scratch, &mut out));
    println!("{:.0} events/s", events.len() as f64 / began.elapsed().as_secs_f64());
    let mut found: BTreeMap<u128, BTreeSet<(String, String)>> = BTreeMap::new();
    for m in &out {
        let pair = (m.fields[3].1.clone(), m.key("indicator").unwrap().to_owned());
        assert!(found.entry(m.event).or_default().insert(pair));
    }
    assert!(found.len() > 10_000);
    assert_eq!(found, want);
}

#[test]
fn feeds_with_differing_forms() {
    let Some(path) = shared("public-feeds/critical-path-feeds.tar.zst") else { return };
    for (name, bytes) in members(&path) {
        let list = read(&name, &bytes);
        let lines = String::from_utf8_lossy(&bytes);
        let lines = lines.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('#')).count();
        let taken: BTreeMap<&str, u64> = list.taken.iter().map(|(k, n)| (k.word(), *n)).collect();
        let refused: Vec<String> =
            list.refused.iter().map(|(why, n)| format!("{} {n}", why.word())).collect();
        println!("{name}: {lines} lines, {taken:?}, {refused:?} {:?}", list.examples);
        assert_eq!(list.fault, None, "{name}");
        let all = list.count() + list.refused_count();
        assert!(all >= lines as u64, "{name}: {all} of {lines} lines accounted for");
        // What was cut off by whoever printed it is no fault of the reader's.
        let cut = list.refused.get(&Refusal::CutOff).copied().unwrap_or_default();
        assert!(list.count() * 100 >= (all - cut) * 99, "{name}: most is taken");
    }
}

#[test]
fn trails_with_remarks_load_and_hit() {
    let Some(path) = shared("maltrail/maltrail-static.tar.zst") else { return };
    let mut lists = Vec::new();
    let mut names: HashSet<String> = HashSet::new();
    for (name, bytes) in members(&path).into_iter().filter(|(name, _)| name.ends_with(".txt")) {
        let list = read(&name, &bytes);
        list.each(|kind, _, value| {
            if kind == Kind::Domain {
                names.insert(value.to_owned());
            }
        })
        .unwrap();
        lists.push(list);
    }
    let mut refused: BTreeMap<&str, u64> = BTreeMap::new();
    for (why, count) in lists.iter().flat_map(|list| &list.refused) {
        *refused.entry(why.word()).or_default() += count;
    }
    let began = Instant::now();
    let set = Indicators::new(&lists, Warnings::default()).unwrap();
    println!(
        "{} lists, {:?}, refused {refused:?}; {:.3} s, {:.1} bytes each",
        lists.len(),
        set.counts(),
        began.elapsed().as_secs_f64(),
        set.bytes() as f64 / set.count() as f64
    );
    assert!(set.counts()[&Kind::Domain] as usize == names.len());
    let mut random = Random(9);
    let all: Vec<&String> = names.iter().collect();
    let mut events = Vec::new();
    for _ in 0..20_000 {
        let name = all[random.next() as usize % all.len()];
        let name = match random.next() % 4 {
            0 => name.clone(),
            1 => format!("www.A{}.{name}", random.next() % 10),
            2 => format!("not{name}"),
            _ => format!("{:x}.example.com", random.next()),
        };
        events.push(vec![(ColumnId::DNS_QUERY_HOSTNAME, name)]);
    }
    let batch = batch_of(&events);
    let mut scratch = Scratch::default();
    for (event, columns) in batch.iter().zip(&events) {
        let mut out = Vec::new();
        set.matches(event, "", &mut scratch, &mut out);
        let found: BTreeSet<&str> = out.iter().filter_map(|m| m.key("indicator")).collect();
        let name = columns[0].1.to_lowercase();
        let mut want = BTreeSet::new();
        let mut rest = name.as_str();
        loop {
            want.extend(names.get(rest).map(String::as_str));
            match rest.split_once('.') {
                Some((_, parent)) => rest = parent,
                None => break,
            }
        }
        assert_eq!(found, want, "{name}");
    }
}

#[test]
fn stix_and_misp_files() {
    let Some(path) = shared("stix21/stix21-schemas-examples.tar.zst") else { return };
    let mut kinds: BTreeMap<Kind, u64> = BTreeMap::new();
    let mut refused: BTreeMap<&str, u64> = BTreeMap::new();
    for (name, bytes) in members(&path).iter().filter(|(name, _)| name.contains("examples")) {
        let list = read(name, bytes);
        list.taken.iter().for_each(|(kind, n)| *kinds.entry(*kind).or_default() += n);
        list.refused.iter().for_each(|(why, n)| *refused.entry(why.word()).or_default() += n);
        assert_eq!(list.fault, None, "{name}");
    }
    println!("STIX: {kinds:?}, refused {refused:?}");
    assert!(kinds[&Kind::Ipv4] > 0 && kinds[&Kind::Network] > 0 && kinds[&Kind::Domain] > 0);
    assert!(kinds[&Kind::Md5] > 0 && kinds[&Kind::Sha256] > 0);
    assert!(refused["pattern_and"] > 0 && refused["private_or_reserved"] > 0);
    let Some(path) = shared("eset-ioc/eset-malware-ioc.tar.zst") else { return };
    let mut events = 0;
    let mut hashes = 0;
    for (name, bytes) in members(&path) {
        let list = read(&name, &bytes);
        if name.ends_with(".json") && bytes.windows(10).any(|w| w == b"\"Attribute") {
            events += 1;
            let read = list.count() + list.refused_count();
            assert!(read > 0, "{name}: {:?}", list.fault);
        }
        let file = name.rsplit('/').next().unwrap_or_default();
        if file.starts_with("samples.") {
            let lines = bytes.split(|b| *b == b'\n').filter(|l| !l.trim_ascii().is_empty());
            let all = list.count() + list.refused_count();
            assert_eq!(all, lines.count() as u64, "{name}");
            hashes += list.count();
        }
    }
    println!("MISP events {events}, hashes of samples {hashes}");
    assert!(events >= 10 && hashes > 5_000);
}

#[test]
fn attack_bundles_hold_no_indicators() {
    let Some(path) = shared("attack/ics-attack.json.zst") else { return };
    let list = read("ics", &unpacked(&path));
    assert_eq!((list.count(), list.fault), (0, None));
}

#[test]
fn warning_lists_cover_what_is_known_to_be_fine() {
    let Some(path) = shared("misp-warninglists/misp-warninglists.tar.zst") else { return };
    let files = members(&path);
    let lists: Vec<WarningList> = files
        .iter()
        .filter(|(name, _)| name.ends_with("/list.json"))
        .map(|(name, bytes)| WarningList::read(bytes).unwrap_or_else(|e| panic!("{name}: {e}")))
        .collect();
    let began = Instant::now();
    let warnings = Warnings::new(&lists);
    let (count, entries, bad) = warnings.counts();
    println!(
        "{count} lists, {entries} entries, {bad} unusable, {:.2} s",
        began.elapsed().as_secs_f64()
    );
    assert_eq!(count, lists.len());
    assert!(bad * 1_000 < entries, "{bad} of {entries} entries cannot be used");
    let covered = |group: Group, value: &str| warnings.covers(group, value, value).is_some();
    assert!(covered(Group::Ip, "10.1.2.3"));
    assert!(covered(Group::Hash, "44d88612fea8a8f36de82e1278abb02f"));
    assert!(covered(Group::Email, "abuse@example.org"));
    assert!(!covered(Group::Domain, "nobody-lists-this-name.invalid-zone.test"));
}
