//! Drives the console in a real browser against a running demo (`web/e2e`).

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::{cargo, console, demo};

/// Where Debian's package puts the browser.
const CHROMIUM: &str = "/usr/bin/chromium";

/// What came of it.
pub enum Outcome {
    /// Every test passed, or not.
    Ran(bool),
    /// They cannot run here, and why.
    Skipped(String),
}

/// A demo that ends with this value.
struct Demo {
    child: Child,
    dir: PathBuf,
    url: String,
    password: String,
}

impl Drop for Demo {
    fn drop(&mut self) {
        // It may have ended by itself, and its folder is in the system's for temporary files.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Builds the program, starts its demo and runs the browser's tests against it.
///
/// # Errors
/// Where something cannot be built or started.
pub fn run(root: &Path, full: bool) -> Result<Outcome> {
    if !Path::new(CHROMIUM).exists() {
        let text = "browser: chromium is missing (apt-get install chromium fonts-noto-cjk)";
        if cargo::in_ci() {
            bail!("{text}");
        }
        return Ok(Outcome::Skipped(format!("SKIPPED: {text}")));
    }
    if !console::build(root)? {
        return Ok(Outcome::Ran(false));
    }
    let Some(program) = demo::build(root, "yagura")? else { return Ok(Outcome::Ran(false)) };
    let demo = start(&program)?;
    let mut tests = Command::new("npx");
    tests.args(["--no-install", "playwright", "test"]).current_dir(root.join("web"));
    tests.env("YAGURA_URL", &demo.url).env("YAGURA_PASSWORD", &demo.password);
    tests.env("YAGURA_PROGRAM", &program);
    if full {
        tests.env("YAGURA_FULL", "1");
    }
    let status = tests.status().context("cannot start npx")?;
    Ok(Outcome::Ran(status.success()))
}

/// Starts a demo on addresses of its own and waits for what it prints first.
fn start(program: &Path) -> Result<Demo> {
    let dir = std::env::temp_dir().join(format!("yagura-browser-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    let bind = || TcpListener::bind("127.0.0.1:0");
    let (http, syslog) = (bind()?.local_addr()?, bind()?.local_addr()?);
    let config = dir.join("config.toml");
    std::fs::write(&config, format!("[listen]\nhttp = \"{http}\"\nsyslog_tcp = \"{syslog}\"\n"))?;
    let mut child = Command::new(program)
        .args(["demo", "--keep"])
        .arg(dir.join("data"))
        .arg("--config")
        .arg(&config)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(File::create(dir.join("demo.log"))?)
        .spawn()
        .context("cannot start the demo")?;
    let out = child.stdout.take().context("the demo has no output")?;
    let mut demo = Demo { child, dir, url: String::new(), password: String::new() };
    let mut lines = BufReader::new(out).lines();
    while demo.url.is_empty() || demo.password.is_empty() {
        let Some(line) = lines.next() else {
            let log = std::fs::read_to_string(demo.dir.join("demo.log")).unwrap_or_default();
            bail!("the demo ended before it was up: {log}");
        };
        let line = line?;
        let value = |name: &str| line.strip_prefix(name).map(|rest| rest.trim().to_owned());
        demo.url = value("Console").unwrap_or(demo.url.clone());
        demo.password = value("Password").unwrap_or(demo.password.clone());
    }
    // Somebody has to read on, or the demo would stop at a full pipe.
    std::thread::spawn(move || lines.for_each(drop));
    Ok(demo)
}
