//! A real server on a real disk that fills up: a small tmpfs, which takes root to mount.

use crate::support::server::{self, Site, wait_until};
use crate::support::{balanced, count};
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;

const MIB: u64 = 1024 * 1024;

/// A mounted tmpfs; unmounted when dropped.
struct Mount(PathBuf);

impl Mount {
    /// `None` where this may not be done, which fails in CI.
    fn new(at: PathBuf) -> Option<Self> {
        std::fs::create_dir_all(&at).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=128m", "tmpfs"])
            .arg(&at)
            .output();
        let why = match mounted {
            Ok(output) if output.status.success() => return Some(Self(at)),
            Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            Err(error) => error.to_string(),
        };
        assert!(std::env::var("CI").as_deref() != Ok("true"), "no tmpfs: {why}");
        println!("SKIPPED: a tmpfs cannot be mounted, which takes root: {why}");
        None
    }

    fn free(&self) -> u64 {
        fs_free(&self.0)
    }

    /// Fills the disk until only `left` bytes are free.
    fn fill(&self, left: u64) {
        let mut file =
            std::fs::File::options().create(true).append(true).open(self.filler()).unwrap();
        let zeros = vec![0; 64 * 1024];
        while self.free() > left {
            let piece = (self.free() - left).min(zeros.len() as u64);
            if file.write_all(&zeros[..piece as usize]).is_err() {
                return;
            }
        }
    }

    fn empty(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        self.0.join("filler")
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // The server may still be ending; a lazy unmount waits for it.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

fn fs_free(path: &Path) -> u64 {
    yagura_disk::Fs::free_bytes(&yagura_disk::RealFs, path).unwrap()
}

fn request(site: &Site, method: &str, path: &str, body: &str) -> (u16, serde_json::Value) {
    let (status, body) = server::request(site.http, method, path, "", body).unwrap();
    (status, serde_json::from_str(&body).unwrap())
}

fn status(site: &Site) -> serde_json::Value {
    request(site, "GET", "/api/v1/status", "").1
}

fn post(site: &Site, text: &str) -> (u16, serde_json::Value) {
    request(site, "POST", "/api/v1/ingest", text)
}

fn stage(site: &Site, wanted: &str) {
    wait_until(wanted, || status(site)["disk"]["stage"] == wanted);
}

#[test]
fn a_server_gives_up_things_in_order_and_takes_them_up_again() {
    // The data directory is the mount.
    let limits = format!(
        "[disk]\nwarn_free_bytes = {}\nstop_compaction_free_bytes = {}\nrefuse_free_bytes = {}\n\
         ballast_bytes = {}\n[lake]\nflush_interval_s = 1\n",
        80 * MIB,
        60 * MIB,
        40 * MIB,
        12 * MIB
    );
    let mut site = Site::new(&limits);
    let Some(disk) = Mount::new(site.data()) else { return };
    site.start();
    let ballast = site.data().join("ballast");
    wait_until("ballast", || ballast.metadata().is_ok_and(|found| found.len() == 12 * MIB));
    stage(&site, "ample");
    assert_eq!(post(&site, "first line\n").0, 200);
    disk.fill(75 * MIB);
    stage(&site, "low");
    disk.fill(55 * MIB);
    stage(&site, "compaction_stopped");
    assert_eq!(post(&site, "second line\n").0, 200);
    disk.fill(35 * MIB);
    stage(&site, "input_refused");
    let (code, problem) = post(&site, "refused line\n");
    assert_eq!((code, &problem["code"]), (429, &"disk_full".into()), "{problem}");
    let mut syslog = TcpStream::connect(site.tcp).unwrap();
    syslog.write_all(b"<34>Jan  5 10:00:00 relay app: waits in its queue\n").unwrap();
    // To the last byte: what was taken is still written, out of the ballast's room.
    disk.fill(0);
    wait_until("the ballast goes", || !ballast.exists());
    wait_until("all is in the tables", || {
        let now = status(&site);
        now["lake_lsn"] == now["durable_lsn"] && now["trouble"].is_null()
    });
    assert_eq!(status(&site)["disk"]["stage"], "input_refused");
    assert_eq!(post(&site, "refused line\n").0, 429);
    disk.empty();
    stage(&site, "ample");
    wait_until("ballast", || ballast.exists());
    assert_eq!(post(&site, "third line\n").0, 200);
    let waited = "select count(*) from events where raw_data like '%waits in its queue%'";
    wait_until("the waiting line", || count(&site.data(), waited) == "1");
    site.stop();
    assert_eq!(count(&site.data(), "select count(*) from events"), "4");
    balanced(&site.data());
    let log = site.log();
    for word in ["fills up", "not rewritten", "inputs are refused", "has room again"] {
        assert!(log.contains(word), "{word}: {log}");
    }
}
