//! One million indicators: seconds to load, bytes each, look-ups a second. The figures are
//! printed; only what does not depend on the machine is asserted.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fmt::Write as _;
use std::time::Instant;
use yagura_enrich::{Indicators, Limits, Warnings, read_list};

fn scramble(n: u64) -> u64 {
    let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z ^ (z >> 31)
}

#[test]
fn a_million_indicators_are_compact() {
    let mut text = String::new();
    for n in 0..1_000_000u64 {
        let r = scramble(n);
        let [a, b, c, d, ..] = r.to_le_bytes();
        let line = match n % 10 {
            0..=3 => writeln!(text, "{}.{b}.{c}.{d}", 11 + a % 89),
            4..=6 => writeln!(text, "{:x}-{n}.example-{}.com", r >> 40, r % 1000),
            7 => writeln!(text, "http://host{}.example.com/{n}/{:x}.php", r % 5000, r >> 30),
            8 => writeln!(text, "{r:016x}{:016x}{n:016x}{r:016x}", !r),
            _ => writeln!(text, "{}.{b}.{c}.0/24", 101 + a % 20),
        };
        line.unwrap();
    }
    let began = Instant::now();
    let list = read_list("million", text.as_bytes(), &Limits::default()).unwrap();
    let read = began.elapsed().as_secs_f64();
    let set = Indicators::new(&[list], Warnings::default()).unwrap();
    let all = began.elapsed().as_secs_f64();
    let each = set.bytes() as f64 / set.count() as f64;
    println!("{} indicators {:?}", set.count(), set.counts());
    println!("read in {read:.2} s, in force after {all:.2} s, {each:.1} bytes each");
    // Distinct ones; random networks and addresses repeat a little.
    assert!(set.count() > 950_000, "{}", set.count());
    assert!(each < 48.0, "{each} bytes for each indicator");
}
