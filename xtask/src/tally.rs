//! Counts tests from the lines that test programs print.

/// What has been counted so far, over any number of test programs.
#[derive(Default, Debug)]
pub struct Tally {
    /// Tests that ran and passed.
    pub passed: usize,
    /// Tests, or whole steps, that failed.
    pub failed: usize,
    /// Tests that could not run here, or that are marked `#[ignore]`.
    pub skipped: usize,
    /// Why tests were skipped, in order, as printed.
    pub skip_lines: Vec<String>,
    /// Names of what failed, in order.
    pub failures: Vec<String>,
    /// Whether the lines being read are the output of tests that passed.
    in_successes: bool,
    /// Whether the passed test being read has already said that it skipped itself.
    test_skipped: bool,
    /// Passed tests of the current program that skipped themselves.
    skipped_here: usize,
}

impl Tally {
    /// Takes one line of a test program's output and says whether to show it. The output of
    /// tests that passed is hidden, except for its `SKIPPED` lines.
    pub fn line(&mut self, line: &str) -> bool {
        let line = line.trim_end();
        if line.starts_with("SKIPPED") {
            self.skip(line);
            return true;
        }
        if let Some(result) = line.strip_prefix("test result: ") {
            self.result(result);
            return true;
        }
        match line {
            "successes:" => self.in_successes = true,
            "failures:" => self.in_successes = false,
            _ if self.in_successes && line.starts_with("---- ") => self.test_skipped = false,
            _ => self.verdict(line),
        }
        !self.in_successes
    }

    /// Counts a step that is not made of tests.
    pub fn step(&mut self, name: &str, ok: bool) {
        if ok {
            self.passed += 1;
        } else {
            self.failed += 1;
            self.failures.push(format!("step {name}"));
        }
    }

    /// The summary, which other programs read.
    pub fn summary(&self) -> String {
        format!("{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped)
    }

    fn skip(&mut self, line: &str) {
        self.skip_lines.push(line.to_owned());
        if !self.in_successes {
            self.skipped += 1;
        } else if !self.test_skipped {
            // The test harness counts this test as passed: `result` moves it.
            self.test_skipped = true;
            self.skipped_here += 1;
        }
    }

    /// Reads `test NAME ... ignored, REASON` and `test NAME ... FAILED`.
    fn verdict(&mut self, line: &str) {
        let Some((name, verdict)) =
            line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... "))
        else {
            return;
        };
        if verdict.starts_with("ignored") {
            self.skip_lines.push(format!("SKIPPED: {name} ({verdict})"));
        } else if verdict == "FAILED" {
            self.failures.push(name.to_owned());
        }
    }

    /// Reads `ok. 3 passed; 0 failed; 1 ignored; ...`.
    fn result(&mut self, result: &str) {
        for part in result.split([';', '.']) {
            let Some((count, word)) = part.trim().split_once(' ') else { continue };
            let Ok(count) = count.parse::<usize>() else { continue };
            match word {
                "passed" => {
                    let moved = self.skipped_here.min(count);
                    self.passed += count - moved;
                    self.skipped += moved;
                }
                "failed" => self.failed += count,
                "ignored" => self.skipped += count,
                _ => {}
            }
        }
        self.in_successes = false;
        self.skipped_here = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUTPUT: &str = "\
running 4 tests
test a ... ok
test b ... ok
test c ... ignored, slow
test d ... FAILED

successes:

---- a stdout ----
chatter
SKIPPED: no shared data
SKIPPED: none at all

---- b stdout ----
more chatter


successes:
    a
    b

failures:

---- d stdout ----
assertion failed


failures:
    d

test result: FAILED. 2 passed; 1 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s
";

    fn read(output: &str) -> (Tally, Vec<&str>) {
        let mut tally = Tally::default();
        let shown = output.lines().filter(|line| tally.line(line)).collect();
        (tally, shown)
    }

    #[test]
    fn a_test_that_skipped_itself_counts_as_skipped_once() {
        let (tally, _) = read(OUTPUT);
        assert_eq!(tally.summary(), "1 passed, 1 failed, 2 skipped");
        assert_eq!(
            tally.skip_lines,
            ["SKIPPED: c (ignored, slow)", "SKIPPED: no shared data", "SKIPPED: none at all"]
        );
        assert_eq!(tally.failures, ["d"]);
    }

    #[test]
    fn output_of_passed_tests_is_hidden_and_that_of_failed_ones_shown() {
        let (_, shown) = read(OUTPUT);
        assert!(shown.contains(&"assertion failed"));
        assert!(shown.contains(&"SKIPPED: no shared data"));
        assert!(!shown.iter().any(|line| line.contains("chatter")));
    }

    #[test]
    fn counts_add_up_over_programs() {
        let both = format!("{OUTPUT}{OUTPUT}");
        assert_eq!(read(&both).0.summary(), "2 passed, 2 failed, 4 skipped");
    }

    #[test]
    fn a_program_without_the_harness_may_skip_and_a_step_may_fail() {
        let (mut tally, _) = read("SKIPPED: no rsyslogd\nother\n");
        tally.step("fmt", true);
        tally.step("clippy", false);
        assert_eq!(tally.summary(), "1 passed, 1 failed, 1 skipped");
        assert_eq!(tally.failures, ["step clippy"]);
    }
}
