//! Builds the console (`web/`) into `web/dist`, from where the program takes it in.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

/// Folders of `web/` that do not go into what is built.
const ASIDE: [&str; 4] = ["node_modules", "dist", "e2e", "test-results"];

/// Says of which sources `web/dist` was built, and of which list the packages were installed.
const BUILT: &str = "dist/.built";
const INSTALLED: &str = "node_modules/.installed";

/// What is run for `cargo xtask test` beside the build.
const CHECKS: [&str; 3] = ["check", "test", "size"];

/// Installs the packages and builds, each where what it goes by has changed.
///
/// # Errors
/// Where Node.js is missing or something cannot be read.
pub fn build(root: &Path) -> Result<bool> {
    let web = root.join("web");
    if !install(&web)? {
        return Ok(false);
    }
    let sources = hash_of(&web, &|path| {
        let first = path.components().next().map(|part| part.as_os_str().to_owned());
        let hidden = |part: &std::ffi::OsStr| part.to_string_lossy().starts_with('.');
        !first.is_some_and(|part| ASIDE.iter().any(|aside| part == *aside) || hidden(&part))
    })?;
    if read(&web.join(BUILT)) == sources {
        return Ok(true);
    }
    eprintln!("Building the console ...");
    if !npm(&web, &["run", "--silent", "build"])? {
        return Ok(false);
    }
    std::fs::write(web.join(BUILT), sources).context("cannot note what was built")?;
    Ok(true)
}

/// Builds, and runs the console's own checks.
///
/// # Errors
/// As [`build`].
pub fn check(root: &Path) -> Result<bool> {
    if !build(root)? {
        return Ok(false);
    }
    let web = root.join("web");
    let mut all = true;
    for check in CHECKS {
        all &= npm(&web, &["run", "--silent", check])?;
    }
    Ok(all)
}

/// Installs exactly the packages of the lock file.
///
/// # Errors
/// Where Node.js is missing.
pub fn install(web: &Path) -> Result<bool> {
    if Command::new("npm").arg("--version").output().is_err() {
        bail!("npm is missing: the console is built with Node.js 20 (apt-get install nodejs npm)");
    }
    let wanted = hash_of(web, &|path| path == Path::new("package-lock.json"))?;
    if read(&web.join(INSTALLED)) == wanted {
        return Ok(true);
    }
    eprintln!("Installing the console's packages ...");
    if !npm(web, &["ci", "--no-audit", "--no-fund"])? {
        return Ok(false);
    }
    std::fs::write(web.join(INSTALLED), wanted).context("cannot note what was installed")?;
    Ok(true)
}

fn npm(web: &Path, args: &[&str]) -> Result<bool> {
    let status = Command::new("npm").args(args).current_dir(web).status();
    Ok(status.context("cannot start npm")?.success())
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

/// A hash of the names and contents of the files below `dir` whose paths in it are `wanted`.
fn hash_of(dir: &Path, wanted: &dyn Fn(&Path) -> bool) -> Result<String> {
    let mut files = Vec::new();
    walk(dir, dir, wanted, &mut files)?;
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        let bytes = std::fs::read(dir.join(&file));
        (&file, bytes.with_context(|| format!("cannot read {}", file.display()))?)
            .hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

fn walk(
    root: &Path,
    dir: &Path,
    wanted: &dyn Fn(&Path) -> bool,
    files: &mut Vec<PathBuf>,
) -> Result<()> {
    let read = || format!("cannot read {}", dir.display());
    for entry in std::fs::read_dir(dir).with_context(read)? {
        let path = entry.with_context(read)?.path();
        let within = path.strip_prefix(root)?.to_owned();
        if path.is_dir() {
            // A folder that is not wanted has nothing that is; a file alone is tried itself.
            let named = ASIDE.iter().any(|aside| within.starts_with(aside));
            if !named {
                walk(root, &path, wanted, files)?;
            }
        } else if wanted(&within) {
            files.push(within);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_hash_changes_with_names_and_contents_of_what_is_wanted() {
        let dir = std::env::temp_dir().join(format!("yagura-xtask-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("src")).unwrap();
        let put = |name: &str, text: &str| std::fs::write(dir.join(name), text).unwrap();
        let hash = || hash_of(&dir, &|path| path.starts_with("src")).unwrap();
        put("src/a", "1");
        let first = hash();
        put("other", "2");
        assert_eq!(hash(), first);
        put("src/a", "2");
        assert_ne!(hash(), first);
        put("src/a", "1");
        assert_eq!(hash(), first);
        put("src/b", "");
        assert_ne!(hash(), first);
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
