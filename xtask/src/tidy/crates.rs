//! Rules on the workspace's crates: who may depend on whom, and what each crate must have.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use serde_json::Value;

use super::{Problem, Tree};

/// What one crate may and must not depend on. The names leave out `yagura-`.
struct Layer {
    name: &'static str,
    /// Our crates that it may use.
    ours: &'static [&'static str],
    /// Other packages that must not be reached from it, by any way; a name stands for the
    /// packages that begin with it and a dash, too.
    forbidden: &'static [&'static str],
}

/// The lake's engine, which takes minutes to build.
const ENGINE: [&str; 5] = ["datafusion", "deltalake", "arrow", "parquet", "object_store"];

/// The direction of dependencies, along the data flow.
const LAYERS: &[Layer] = &[
    Layer { name: "event", ours: &[], forbidden: HEAVY },
    Layer { name: "disk", ours: &[], forbidden: HEAVY },
    Layer { name: "parse", ours: &["event"], forbidden: HEAVY },
    Layer { name: "detect", ours: &["event"], forbidden: HEAVY },
    Layer { name: "suffix", ours: &[], forbidden: HEAVY_OR_IO },
    Layer { name: "enrich", ours: &["event", "suffix"], forbidden: HEAVY },
    Layer { name: "verdict", ours: &["event"], forbidden: HEAVY_OR_IO },
    Layer { name: "journal", ours: &["event", "disk"], forbidden: HEAVY },
    Layer { name: "lake", ours: &["event", "disk"], forbidden: &["axum", "rusqlite"] },
    Layer {
        name: "meta",
        ours: &["event", "verdict"],
        forbidden: &["axum", "datafusion", "deltalake", "arrow", "parquet"],
    },
    Layer {
        name: "respond",
        ours: &["event", "meta", "verdict"],
        forbidden: &["axum", "datafusion", "deltalake", "arrow", "parquet"],
    },
    Layer {
        name: "collect",
        ours: &["event", "journal", "parse", "disk"],
        forbidden: &["datafusion", "deltalake", "arrow", "parquet", "rusqlite", "axum"],
    },
    Layer { name: "api", ours: &["event", "collect", "journal"], forbidden: &[] },
    Layer { name: "testkit", ours: &["event", "disk", "journal"], forbidden: HEAVY },
    Layer {
        name: "yagura",
        ours: &[
            "event", "disk", "parse", "detect", "enrich", "verdict", "journal", "lake", "meta",
            "respond", "collect", "api", "testkit",
        ],
        forbidden: &[],
    },
    Layer {
        name: "fuzz",
        ours: &["event", "disk", "parse", "detect", "journal", "collect", "testkit"],
        forbidden: &["datafusion", "deltalake", "arrow", "parquet", "rusqlite", "axum"],
    },
    Layer { name: "xtask", ours: &[], forbidden: HEAVY },
];

/// Packages that have no place in pure and in early crates.
const HEAVY: &[&str] = &[
    ENGINE[0], ENGINE[1], ENGINE[2], ENGINE[3], ENGINE[4], "tokio", "rusqlite", "axum", "hyper",
    "reqwest",
];

/// The same for a crate that must not do input or output of any kind.
const HEAVY_OR_IO: &[&str] = &[
    ENGINE[0],
    ENGINE[1],
    ENGINE[2],
    ENGINE[3],
    ENGINE[4],
    "tokio",
    "rusqlite",
    "axum",
    "hyper",
    "reqwest",
    "fs4",
    "tempfile",
    "mio",
    "socket2",
    "rustix",
    "tracing-subscriber",
];

/// One workspace member, from cargo's metadata.
struct Member<'a> {
    /// Package name without `yagura-`.
    name: &'a str,
    /// Its manifest, relative to the root.
    manifest: String,
    /// Dependencies that reach users, and those of tests alone, by package name.
    normal: BTreeSet<&'a str>,
    dev: BTreeSet<&'a str>,
}

fn members(tree: &Tree) -> Vec<Member<'_>> {
    let root = tree.metadata["workspace_root"].as_str().unwrap_or_default();
    let packages = tree.metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut members: Vec<Member<'_>> = packages.iter().map(|p| member(p, root)).collect();
    members.sort_by(|a, b| a.name.cmp(b.name));
    members
}

fn member<'a>(package: &'a Value, root: &str) -> Member<'a> {
    let path = package["manifest_path"].as_str().unwrap_or_default();
    let manifest = path.strip_prefix(root).unwrap_or(path).trim_start_matches('/').to_owned();
    let dependencies = package["dependencies"].as_array().map(Vec::as_slice).unwrap_or_default();
    let (dev, normal): (Vec<_>, Vec<_>) = dependencies.iter().partition(|d| d["kind"] == "dev");
    let names = |list: Vec<&'a Value>| list.iter().filter_map(|d| d["name"].as_str()).collect();
    Member {
        name: short(package["name"].as_str().unwrap_or_default()),
        manifest,
        normal: names(normal),
        dev: names(dev),
    }
}

fn short(package: &str) -> &str {
    package.strip_prefix("yagura-").unwrap_or(package)
}

/// Dependencies follow the table above.
pub fn layers(tree: &Tree) -> Vec<Problem> {
    let members = members(tree);
    let locked = locked(tree);
    let mut problems = Vec::new();
    for member in &members {
        let Some(layer) = LAYERS.iter().find(|layer| layer.name == member.name) else {
            let message = format!("`{}` has no line in the table of layers", member.name);
            problems.push(Problem::new(&member.manifest, 0, message));
            continue;
        };
        for name in member.normal.iter().map(|name| short(name)) {
            if members.iter().any(|other| other.name == name) && !layer.ours.contains(&name) {
                let message = format!("`{}` must not depend on our `{name}`", member.name);
                problems.push(Problem::new(&member.manifest, 0, message));
            }
        }
        for way in forbidden(member, layer, &members, &locked) {
            let message = format!("`{}` must not reach `{way}`", member.name);
            problems.push(Problem::new(&member.manifest, 0, message));
        }
    }
    problems
}

/// The shortest way to each forbidden package, as `a > b > forbidden`.
fn forbidden(
    member: &Member<'_>,
    layer: &Layer,
    members: &[Member<'_>],
    locked: &BTreeMap<String, BTreeSet<String>>,
) -> Vec<String> {
    let mut ways = Vec::new();
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut queue: VecDeque<(String, String)> =
        member.normal.iter().map(|name| (name.to_string(), name.to_string())).collect();
    while let Some((name, way)) = queue.pop_front() {
        if !seen.insert(name.clone()) {
            continue;
        }
        if layer.forbidden.iter().any(|f| name.strip_prefix(f).is_some_and(starts_suffix)) {
            ways.push(way);
            continue;
        }
        // For our own crates the lock file would add what only their tests use.
        let ours = members.iter().find(|other| other.name == short(&name));
        let next: Vec<String> = match ours {
            Some(other) => other.normal.iter().map(ToString::to_string).collect(),
            None => locked.get(&name).into_iter().flatten().cloned().collect(),
        };
        queue.extend(next.into_iter().map(|next| (next.clone(), format!("{way} > {next}"))));
    }
    ways
}

fn starts_suffix(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('-')
}

/// What each package in `Cargo.lock` depends on, by name. Versions of one name are merged.
fn locked(tree: &Tree) -> BTreeMap<String, BTreeSet<String>> {
    let lock = tree.text("Cargo.lock").and_then(|text| text.parse::<toml::Table>().ok());
    let packages = lock.as_ref().and_then(|lock| lock.get("package")?.as_array());
    let mut locked: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for package in packages.into_iter().flatten() {
        let Some(name) = package.get("name").and_then(toml::Value::as_str) else { continue };
        let dependencies = package.get("dependencies").and_then(toml::Value::as_array);
        // An entry reads `name`, or `name version` where there are several.
        let names = dependencies
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.as_str()?.split(' ').next().map(str::to_owned));
        locked.entry(name.to_owned()).or_default().extend(names);
    }
    locked
}

/// Not even dependencies of tests close a circle among our crates.
pub fn cycles(tree: &Tree) -> Vec<Problem> {
    let members = members(tree);
    let mut problems = Vec::new();
    for member in &members {
        let mut seen = BTreeSet::new();
        let mut todo = vec![member];
        while let Some(current) = todo.pop() {
            for name in current.normal.iter().chain(&current.dev).map(|name| short(name)) {
                let Some(next) = members.iter().find(|other| other.name == name) else { continue };
                if seen.insert(next.name) {
                    todo.push(next);
                }
            }
        }
        if seen.contains(member.name) {
            let message = format!("`{}` depends on itself by way of {seen:?}", member.name);
            problems.push(Problem::new(&member.manifest, 0, message));
        }
    }
    problems
}

/// Every crate below `crates/` is on the architecture page, once there is one.
pub fn architecture(tree: &Tree) -> Vec<Problem> {
    const PAGE: &str = "ARCHITECTURE.md";
    let Some(page) = tree.text(PAGE) else { return Vec::new() };
    let manifests = tree.files.iter().filter_map(|file| {
        let name = file.path.strip_prefix("crates/")?.strip_suffix("/Cargo.toml")?;
        (!name.contains('/')).then_some(name)
    });
    manifests
        .filter(|name| {
            !page.contains(&format!("`{name}`")) && !page.contains(&format!("crates/{name}"))
        })
        .map(|name| Problem::new(PAGE, 0, format!("crate `{name}` is missing from the page")))
        .collect()
}

/// Every member takes the workspace's lints.
pub fn lints(tree: &Tree) -> Vec<Problem> {
    let mut problems = Vec::new();
    for file in &tree.files {
        let crate_dir = file.path.strip_suffix("/Cargo.toml").unwrap_or_default();
        if crate_dir != "xtask" && !crate_dir.starts_with("crates/") {
            continue;
        }
        let manifest = file.text.parse::<toml::Table>().unwrap_or_default();
        let inherited = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        if inherited.and_then(toml::Value::as_bool) != Some(true) {
            let message = "add `[lints]` with `workspace = true`";
            problems.push(Problem::new(&file.path, 0, message));
        }
    }
    problems
}

#[cfg(test)]
mod tests;
