//! Every rule of the shared SigmaHQ archive loads, or is listed with a reason and a line.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;
use yagura_detect::{Matcher, RuleSet, rule_files};
use yagura_event::{Dimension, FieldTableBuilder, Logsource, LogsourceTable};

/// Unpacks the archive, or says why not; missing data fails where `CI=true`.
fn archive() -> Option<tempfile::TempDir> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../../shared/data/sigma/sigma-rules.tar.zst");
    if !data.exists() {
        println!("SKIPPED: {} is not there", data.display());
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "shared data is missing");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let mut zstd =
        Command::new("zstd").args(["-dcq"]).arg(&data).stdout(Stdio::piped()).spawn().unwrap();
    let tar = Command::new("tar")
        .arg("-x")
        .arg("-C")
        .arg(folder.path())
        .stdin(zstd.stdout.take().unwrap())
        .status();
    assert!(tar.unwrap().success() && zstd.wait().unwrap().success());
    Some(folder)
}

/// The folder, wherever in the archive it is.
fn find(root: &Path, name: &str) -> PathBuf {
    let direct = root.join(name);
    if direct.is_dir() {
        return direct;
    }
    let below = std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path().join(name));
    below.into_iter().find(|path| path.is_dir()).unwrap()
}

#[test]
fn every_published_rule_loads_or_says_why_not() {
    let Some(root) = archive() else { return };
    let expected = [
        ("rules", 3141, vec![]),
        ("rules-emerging-threats", 473, vec![("placeholder_unresolved", 2)]),
        ("rules-threat-hunting", 140, vec![]),
        ("rules-compliance", 3, vec![]),
        ("rules-placeholder", 23, vec![("placeholder_unresolved", 23)]),
    ];
    let mut everything = Vec::new();
    for (folder, count, faults) in expected {
        let (files, errors) = rule_files(&[find(root.path(), folder)]);
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(files.len(), count, "{folder}");
        let set = RuleSet::load(files.clone());
        let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
        for error in &set.errors {
            *codes.entry(error.code).or_default() += 1;
            println!("{}:{}:{} {}", error.path, error.line, error.column, error.message);
            assert!(
                error.line > 1
                    && error.help.is_some()
                    && error.id.is_some()
                    && error.title.is_some()
            );
        }
        assert_eq!(codes.into_iter().collect::<Vec<_>>(), faults, "{folder}");
        assert_eq!(set.rules.len() + set.errors.len(), count, "{folder}");
        everything.extend(files);
    }
    compiles(everything);
}

/// All of them together, against a table of the logsources that the rules name.
fn compiles(files: Vec<(String, String)>) {
    let start = Instant::now();
    let set = RuleSet::load(files);
    let loaded = start.elapsed();
    let mut builder = FieldTableBuilder::default();
    set.intern_fields(&mut builder);
    let fields = builder.build();
    let mut logsources = LogsourceTable::default();
    let dimension = |text: &Option<String>| match text {
        Some(text) => Dimension::Known(text.as_str().into()),
        None => Dimension::None,
    };
    for logsource in set.rules.iter().filter_map(|rule| rule.logsource.as_ref()) {
        logsources.intern(Logsource {
            product: dimension(&logsource.product),
            service: dimension(&logsource.service),
            category: dimension(&logsource.category),
        });
    }
    let start = Instant::now();
    let matcher = Matcher::compile(&set, &fields, &logsources, &[]);
    println!(
        "{} rules loaded in {loaded:?}, compiled in {:?}: {} atoms, {} fields, {} without witness",
        set.rules.len(),
        start.elapsed(),
        matcher.atom_count(),
        fields.len(),
        matcher.witnessless_count()
    );
    assert_eq!((set.rules.len(), set.errors.len()), (3755, 25));
    // Rules that can hold without any value: each is evaluated for every event it meets.
    assert!(matcher.witnessless_count() < 20, "{}", matcher.witnessless_count());
}
