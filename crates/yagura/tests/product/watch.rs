//! Watched files through the real binary: appended, rotated, cut, while it runs and while it
//! is killed. Every line is stored once, and the books balance.

use crate::support::server::{Site, wait_until};
use crate::support::{balanced, count, refused};
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::time::{Duration, Instant};
use yagura_testkit::rng::Rng;

const WATCH: &str = "[lake]\nflush_interval_s = 1\n[[watch]]\nname = \"web\"\npath = \"$D/logs\"\n\
    patterns = [\"{host}/...\"]\n";

/// Numbered lines in a file, which things are done to.
struct Writer<'a> {
    site: &'a Site,
    number: u32,
}

impl Writer<'_> {
    fn append(&mut self, name: &str, lines: u32) {
        let path = self.site.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut text = String::new();
        for _ in 0..lines {
            self.number += 1;
            let n = self.number;
            writeln!(text, "<38>Jan  5 10:00:00 gate app[3]: line #{n:06}").unwrap();
        }
        let mut file = OpenOptions::new().create(true).append(true).open(path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        if self.site.path(from).exists() {
            std::fs::rename(self.site.path(from), self.site.path(to)).unwrap();
        }
    }

    /// Moves the numbered files on, up to the ninth.
    fn make_room(&self, name: &str) {
        for n in (1..9).rev() {
            self.rename(&format!("{name}.{n}"), &format!("{name}.{}", n + 1));
        }
    }

    fn rotate(&self, name: &str) {
        self.make_room(name);
        self.rename(name, &format!("{name}.1"));
    }

    fn copytruncate(&self, name: &str) {
        self.make_room(name);
        let path = self.site.path(name);
        if path.exists() {
            std::fs::copy(&path, self.site.path(&format!("{name}.1"))).unwrap();
            OpenOptions::new().write(true).truncate(true).open(path).unwrap();
        }
    }
}

fn numbers(site: &Site) -> (u32, u32) {
    let number = |sql: &str| count(&site.data(), sql).parse().unwrap();
    let of = "from events where feed = 'watch:web'";
    let distinct = "count(distinct split_part(raw_data, '#', 2))";
    (number(&format!("select count(*) {of}")), number(&format!("select {distinct} {of}")))
}

/// Which lines are stored more than once, and of which files they are.
fn doubled(site: &Site) -> String {
    let sql = "select stream, min(n) as first, max(n) as last, count(*) as lines from \
               (select split_part(raw_data, '#', 2) as n, min(stream) as stream, count(*) as c \
               from events where feed = 'watch:web' group by 1) where c > 1 group by 1";
    count(&site.data(), sql)
}

#[track_caller]
fn settled(site: &Site, expect: u32) {
    wait_until("every line", || numbers(site).1 >= expect);
    // What is read twice would come now.
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(numbers(site), (expect, expect), "{}{}", doubled(site), site.log());
}

#[test]
fn lines_are_followed_through_rotation_and_truncation() {
    let mut site = Site::new(WATCH);
    site.start();
    let mut writer = Writer { site: &site, number: 0 };
    let name = "logs/web1/app.log";
    writer.append(name, 10);
    let began = Instant::now();
    wait_until("the first lines", || numbers(&site).1 == 10);
    let first = began.elapsed();
    writer.append(name, 1);
    let began = Instant::now();
    wait_until("an appended line", || numbers(&site).1 == 11);
    println!("a new file was stored after {first:?}, a new line after {:?}", began.elapsed());
    writer.rotate(name);
    // The writer keeps its file open for a moment after the rotation.
    writer.append("logs/web1/app.log.1", 5);
    writer.append(name, 5);
    settled(&site, 21);
    writer.append(name, 5);
    writer.copytruncate(name);
    writer.append(name, 2);
    settled(&site, 28);
    // A file that shrank: what is in it now is new.
    std::fs::write(site.path(name), "").unwrap();
    writer.append(name, 1);
    settled(&site, 29);
    // A last line without its end waits, then it is taken as it is.
    let mut file = OpenOptions::new().append(true).open(site.path(name)).unwrap();
    file.write_all(b"<38>Jan  5 10:00:00 gate app[3]: line #000030").unwrap();
    settled(&site, 30);
    site.stop();
    let rows = balanced(&site.data());
    assert_eq!((rows.len(), &rows[0]["feed"]), (1, &"watch:web".into()));
    // All of it again after a restart: nothing is new.
    site.start();
    settled(&site, 30);
}

#[test]
fn whatever_is_killed_when_every_line_is_stored_once() {
    let full = std::env::var("YAGURA_FULL").as_deref() == Ok("1");
    for seed in 0..if full { 10 } else { 2u64 } {
        let mut rng = Rng::new(seed);
        let mut site = Site::new(WATCH);
        site.start();
        let mut number = 0;
        let (mut kills, mut turns) = (0, 0);
        while kills < 4 {
            let mut writer = Writer { site: &site, number };
            for _ in 0..rng.range(3, 12) {
                let name = format!("logs/web{}/app.log", rng.range(1, 3));
                match rng.range(0, 10) {
                    0 => writer.rotate(&name),
                    1 => writer.copytruncate(&name),
                    _ => writer.append(&name, u32::try_from(rng.range(1, 2_000)).unwrap()),
                }
                std::thread::sleep(Duration::from_millis(rng.range(0, 120)));
                turns += 1;
            }
            number = writer.number;
            site.kill();
            kills += 1;
            let mut writer = Writer { site: &site, number };
            for _ in 0..rng.range(0, 4) {
                let name = format!("logs/web{}/app.log", rng.range(1, 3));
                match rng.range(0, 3) {
                    0 => writer.rotate(&name),
                    1 => writer.copytruncate(&name),
                    _ => writer.append(&name, 100),
                }
                turns += 1;
            }
            number = writer.number;
            site.start();
        }
        settled(&site, number);
        site.stop();
        println!("seed {seed}: {number} lines, {turns} turns, {kills} kills");
        balanced(&site.data());
    }
}

#[test]
fn a_watch_that_cannot_work_is_refused() {
    let site = Site::new("[[watch]]\nname = \"web\"\npath = \"logs\"\n");
    let (config, data) = (site.path("config.toml"), site.data());
    let up = ["up", "--config", config.to_str().unwrap(), "--data", data.to_str().unwrap()];
    refused(&up, 1, &["watch \"web\"", "is not absolute"]);
    assert!(!data.exists());
    let site = Site::new("[[watch]]\nname = \"web\"\npath = \"/x\"\nsource = \"nonsense\"\n");
    let (config, data) = (site.path("config.toml"), site.data());
    let up = ["up", "--config", config.to_str().unwrap(), "--data", data.to_str().unwrap()];
    refused(&up, 1, &["watch \"web\" cannot be used", "source \"nonsense\" is not known"]);
}
