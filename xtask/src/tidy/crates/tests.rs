//! Shows that the rules on crates fail on bad workspaces.

use serde_json::{Value, json};

use super::super::tests::problems;
use super::super::{File, Rule, Tree};
use super::*;

/// A package of cargo's metadata with dependencies as `name` or `dev:name`.
fn package(name: &str, dependencies: &[&str]) -> Value {
    let dependencies: Vec<Value> = dependencies
        .iter()
        .map(|entry| match entry.strip_prefix("dev:") {
            Some(name) => json!({"name": name, "kind": "dev"}),
            None => json!({"name": entry, "kind": null}),
        })
        .collect();
    let manifest = format!("/r/crates/{}/Cargo.toml", short(name));
    json!({"name": name, "manifest_path": manifest, "dependencies": dependencies})
}

fn check(rule: Rule, packages: &[Value], lock: &str) -> Vec<String> {
    let tree = Tree {
        files: vec![File::new("Cargo.lock".into(), lock.into())],
        metadata: json!({"workspace_root": "/r", "packages": packages}),
    };
    rule(&tree).into_iter().map(|p| format!("{}: {}", p.path, p.message)).collect()
}

#[test]
fn a_crate_against_the_direction_is_found() {
    let packages = [
        package("yagura-event", &["serde", "yagura-parse"]),
        package("yagura-parse", &["yagura-event", "dev:yagura-testkit"]),
        package("yagura-testkit", &[]),
        package("yagura-new", &[]),
    ];
    assert_eq!(
        check(layers, &packages, ""),
        [
            "crates/event/Cargo.toml: `event` must not depend on our `parse`",
            "crates/new/Cargo.toml: `new` has no line in the table of layers",
        ]
    );
}

#[test]
fn a_forbidden_package_is_found_however_deep() {
    let packages = [
        package("yagura-detect", &["rules", "tokio-macros", "yagura-event", "dev:tokio"]),
        package("yagura-event", &["serde", "tokiotown"]),
        package("yagura-lake", &["datafusion"]),
    ];
    let lock = "\
[[package]]
name = \"rules\"
dependencies = [\"inner 2.0.0\"]
[[package]]
name = \"inner\"
version = \"2.0.0\"
dependencies = [\"datafusion-common\"]
";
    assert_eq!(
        check(layers, &packages, lock),
        [
            "crates/detect/Cargo.toml: `detect` must not reach `tokio-macros`",
            "crates/detect/Cargo.toml: `detect` must not reach `rules > inner > datafusion-common`",
        ]
    );
}

#[test]
fn a_circle_through_a_test_is_found() {
    let packages = [
        package("yagura-disk", &["dev:yagura-testkit"]),
        package("yagura-testkit", &["yagura-disk"]),
        package("yagura-lake", &["yagura-disk"]),
    ];
    let found = check(cycles, &packages, "");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found[0].starts_with("crates/disk/Cargo.toml: `disk` depends on itself"));
    assert!(found[1].starts_with("crates/testkit/Cargo.toml: `testkit` depends on itself"));
}

#[test]
fn a_crate_missing_from_the_architecture_page_is_found() {
    let manifests = [
        ("crates/event/Cargo.toml", ""),
        ("crates/lake/Cargo.toml", ""),
        ("crates/api/Cargo.toml", ""),
    ];
    assert_eq!(problems(architecture, &manifests), [""; 0]);
    let mut files = manifests.to_vec();
    files.push(("ARCHITECTURE.md", "The `event` crate, and crates/api. A lake is water.\n"));
    assert_eq!(
        problems(architecture, &files),
        ["ARCHITECTURE.md:0: crate `lake` is missing from the page"]
    );
}

#[test]
fn a_member_without_the_lints_is_found() {
    let found = problems(
        lints,
        &[
            ("crates/good/Cargo.toml", "[lints]\nworkspace = true\n"),
            ("crates/none/Cargo.toml", "[package]\nname = \"none\"\n"),
            ("crates/off/Cargo.toml", "[lints]\nworkspace = false\n"),
            ("xtask/Cargo.toml", "[dependencies]\n"),
            ("Cargo.toml", "[workspace]\n"),
        ],
    );
    let paths: Vec<_> = found.iter().filter_map(|p| p.split(':').next()).collect();
    assert_eq!(paths, ["crates/none/Cargo.toml", "crates/off/Cargo.toml", "xtask/Cargo.toml"]);
}
