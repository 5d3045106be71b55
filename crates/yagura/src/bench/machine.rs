//! What a figure was measured on.

use std::fs;

/// Says on standard error which machine this is.
pub fn describe() {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown processor", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?");
    let build = if cfg!(debug_assertions) { "with debug assertions" } else { "optimised" };
    eprintln!("{cores} x {model}; load {load}; build {build}");
}

/// The most memory this process has held, in bytes.
pub fn peak_memory_bytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<u64>().ok());
    kib.unwrap_or_default() * 1024
}

/// CPU time of the calling thread, in nanoseconds: what other work on the machine does not
/// lengthen.
pub fn thread_cpu_ns() -> u64 {
    on_cpu_ns("/proc/thread-self/schedstat")
}

/// The first number of a `schedstat` file: nanoseconds on a processor.
pub fn on_cpu_ns(path: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split(' ').next().and_then(|word| word.parse().ok()).unwrap_or_default()
}
