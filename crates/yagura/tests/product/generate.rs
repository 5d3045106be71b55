//! `yagura generate`: files, the truth beside them, and what it refuses.

use crate::support::{error_of, files_below, refused, yagura};
use yagura_testkit::generate::fnv1a;

#[test]
fn files_hold_what_the_truth_says_and_a_second_run_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let run = |name: &str| {
        let out = dir.path().join(name);
        let out = out.to_str().unwrap();
        let arguments = ["generate", "--records", "20000", "--tenants", "3", "--seed", "5"];
        let output = yagura(&[&arguments[..], &["--attacks", "6", "--out", out]].concat());
        assert!(output.status.success(), "{}", error_of(&output));
        assert!(error_of(&output).contains("20000 records"), "{}", error_of(&output));
        dir.path().join(name)
    };
    let (first, second) = (run("a"), run("b"));
    let mut records = 0;
    for path in files_below(&first) {
        let place = path.strip_prefix(&first).unwrap();
        let text = std::fs::read(&path).unwrap();
        assert!(text == std::fs::read(second.join(place)).unwrap(), "{}", place.display());
        if place.to_str() != Some("truth.json") {
            records += text.iter().filter(|byte| **byte == b'\n').count();
        }
    }
    assert_eq!(records, 20_000);
    let truth = std::fs::read(first.join("truth.json")).unwrap();
    let truth: serde_json::Value = serde_json::from_slice(&truth).unwrap();
    assert_eq!(truth["attacks"].as_array().unwrap().len(), 6);
    for story in truth["attacks"].as_array().unwrap() {
        let folder = first.join(story["tenant"].as_str().unwrap());
        for line in story["steps"]
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|step| step["lines"].as_array().unwrap())
        {
            let lane = line["lane"].as_str().unwrap();
            let is_lane = |path: &&std::path::PathBuf| path.file_stem().unwrap() == lane;
            let text = std::fs::read(files_below(&folder).iter().find(is_lane).unwrap()).unwrap();
            let record = line["record"].as_u64().unwrap() as usize - 1;
            let text = text.split(|byte| *byte == b'\n').nth(record).unwrap();
            assert_eq!(format!("{:016x}", fnv1a(text)), line["hash"].as_str().unwrap());
        }
    }
}

#[test]
fn one_lane_and_a_size_in_bytes() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let out = out.to_str().unwrap();
    let arguments =
        ["generate", "--bytes", "1M", "--lane", "squid", "--attacks", "0", "--out", out];
    assert!(yagura(&arguments).status.success());
    let files = files_below(&dir.path().join("out"));
    let sizes: u64 = files
        .iter()
        .filter(|path| path.extension().is_some_and(|ending| ending == "log"))
        .map(|path| path.metadata().unwrap().len())
        .sum();
    assert_eq!(files.len(), 6, "{files:?}");
    assert!(((1 << 20)..(1 << 20) + 2_000).contains(&sizes), "{sizes}");
}

#[test]
fn what_cannot_be_made_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let there = dir.path().join("there");
    std::fs::create_dir(&there).unwrap();
    std::fs::write(there.join("x"), "x").unwrap();
    let there = there.to_str().unwrap();
    let fresh = dir.path().join("fresh");
    let fresh = fresh.to_str().unwrap();
    let size = ["generate", "--records", "9000"];
    let with = |more: &[&'static str], out| [&size[..], more, &["--out", out]].concat();
    refused(&with(&[], there), 2, &["not empty"]);
    refused(&with(&["--lane", "nothing"], fresh), 2, &["nothing", "cisco_asa"]);
    refused(&with(&["--tenants", "51"], fresh), 2, &["50 tenants"]);
    refused(&with(&["--attacks", "999"], fresh), 2, &["attacks"]);
    refused(&with(&["--start", "soon"], fresh), 2, &["soon"]);
    refused(&["generate", "--out", fresh], 2, &["--records"]);
    refused(&["generate", "--bytes", "1X", "--out", fresh], 2, &["1X"]);
}
