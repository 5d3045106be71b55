//! CPU time by stage of the pipeline, read off its named threads.

use crate::bench::machine::on_cpu_ns;
use std::collections::BTreeMap;
use std::fs;

/// CPU time by stage, in nanoseconds.
pub type Stages = BTreeMap<String, u64>;

/// What each named thread has used so far; threads of one kind are added up.
pub fn now() -> Stages {
    let mut stages = Stages::new();
    let Ok(tasks) = fs::read_dir("/proc/self/task") else { return stages };
    for task in tasks.flatten() {
        let path = task.path();
        let Ok(name) = fs::read_to_string(path.join("comm")) else { continue };
        let name = name.trim().trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
        let spent = on_cpu_ns(&path.join("schedstat").to_string_lossy());
        *stages.entry(name.to_owned()).or_default() += spent;
    }
    stages
}

/// What was used between two readings.
pub fn since(before: &Stages, after: &Stages) -> Stages {
    let spent = |(name, ns): (&String, &u64)| {
        let spent = ns.saturating_sub(before.get(name).copied().unwrap_or_default());
        (spent > 0).then(|| (name.clone(), spent))
    };
    after.iter().filter_map(spent).collect()
}
