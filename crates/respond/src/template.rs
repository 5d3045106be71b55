//! Subjects and texts of mails, in English and Japanese.

mod en;
mod ja;

use crate::clean::{header, shown};
use crate::config::Language;
use crate::payload::{
    Mail, NAME_CHARS_MAX, Notice, PRINCIPALS_MAX, Part, TACTICS_MAX, TEXT_CHARS_MAX,
    TITLE_CHARS_MAX,
};
use crate::zone;
use jiff::tz::TimeZone;
use yagura_event::time::Micros;

/// Writes the mail.
pub(crate) fn mail(notice: &Notice<'_>, language: Language, zone: &TimeZone) -> Mail {
    let words: &[&dyn Words] = match language {
        Language::En => &[&en::English],
        Language::Ja => &[&ja::Japanese],
        Language::Both => &[&en::English, &ja::Japanese],
    };
    let part = |words: &&dyn Words| Part {
        language: words.tag().to_owned(),
        text: text(*words, notice, zone),
    };
    Mail {
        subject: subject(words, notice),
        thread: notice.thread.clone(),
        parts: words.iter().map(part).collect(),
    }
}

/// What differs between languages.
trait Words {
    /// The language's tag (RFC 5646).
    fn tag(&self) -> &'static str;
    /// Title and summary in the language.
    fn story<'a>(&self, notice: &Notice<'a>) -> (&'a str, &'a str);
    /// What happened and how severe the incident is, in few words.
    fn headline(&self, notice: &Notice<'_>) -> String;
    /// What happened, in one sentence.
    fn sentence(&self, notice: &Notice<'_>) -> String;
    /// Severity and outcome.
    fn severity(&self, notice: &Notice<'_>) -> &'static str;
    fn outcome(&self, notice: &Notice<'_>) -> &'static str;
    /// The names of roles and tactics of the notice's incident.
    fn role(&self, role: yagura_verdict::PrincipalRole) -> &'static str;
    fn tactic(&self, tactic: yagura_verdict::attack::Tactic) -> &'static str;
    /// A state's or verdict's word as people say it.
    fn decided(&self, word: &str) -> String;
    fn labels(&self) -> &'static Labels;
    /// The last lines: who sent this, and why there is no answer.
    fn foot(&self, notice: &Notice<'_>) -> String;
}

/// The names of what a mail lists.
struct Labels {
    tenant: &'static str,
    severity: &'static str,
    outcome: &'static str,
    opened: &'static str,
    first: &'static str,
    last: &'static str,
    tactics: &'static str,
    principals: &'static str,
    summary: &'static str,
    decision: &'static str,
    state: &'static str,
    verdict: &'static str,
    reason: &'static str,
    by: &'static str,
    time: &'static str,
    console: &'static str,
    colon: &'static str,
    comma: &'static str,
}

fn subject(words: &[&dyn Words], notice: &Notice<'_>) -> String {
    let part = |words: &&dyn Words| {
        let colon = words.labels().colon;
        let title = header(words.story(notice).0, TITLE_CHARS_MAX);
        format!("{}{colon}{title}", words.headline(notice))
    };
    let parts: Vec<String> = words.iter().map(part).collect();
    let tenant = header(&notice.case.tenant, NAME_CHARS_MAX);
    let incident = header(&notice.case.incident, NAME_CHARS_MAX);
    format!(
        "[Yagura] {tenant} {incident} {}",
        header(&parts.join(" / "), 2 * TITLE_CHARS_MAX + 200)
    )
}

fn text(words: &dyn Words, notice: &Notice<'_>, zone: &TimeZone) -> String {
    let (case, labels) = (notice.case, words.labels());
    let (title, summary) = words.story(notice);
    let name = |text: &str| shown(text, NAME_CHARS_MAX);
    let time = |time: Micros| zone::shown(time, zone);
    let mut lines = Lines { text: String::new(), colon: labels.colon };
    lines.plain(&words.sentence(notice));
    lines.plain("");
    lines.plain(&shown(title, TITLE_CHARS_MAX));
    lines.plain("");
    lines.field(labels.tenant, &name(&case.tenant));
    lines.field(labels.severity, words.severity(notice));
    lines.field(labels.outcome, words.outcome(notice));
    lines.field(labels.opened, &time(case.opened_time));
    lines.field(labels.first, &time(case.first_time));
    lines.field(labels.last, &time(case.last_time));
    let tactics: Vec<&str> =
        case.tactics.iter().take(TACTICS_MAX).map(|tactic| words.tactic(*tactic)).collect();
    if !tactics.is_empty() {
        lines.field(labels.tactics, &tactics.join(labels.comma));
    }
    if !case.principals.is_empty() {
        lines.head(labels.principals);
        for person in case.principals.iter().take(PRINCIPALS_MAX) {
            lines.indented(words.role(person.role), &name(&person.value));
        }
    }
    if !summary.is_empty() {
        lines.head(labels.summary);
        lines.plain(&shown(summary, TEXT_CHARS_MAX));
    }
    if let Some(decision) = notice.decision {
        lines.head(labels.decision);
        lines.indented(labels.state, &name(&words.decided(&decision.state)));
        if !decision.verdict.is_empty() {
            lines.indented(labels.verdict, &name(&words.decided(&decision.verdict)));
        }
        if !decision.reason.is_empty() {
            lines.indented(labels.reason, &shown(&decision.reason, TEXT_CHARS_MAX));
        }
        lines.indented(labels.by, &name(&decision.by));
        lines.indented(labels.time, &time(decision.time));
    }
    if let Some(url) = &case.console_url {
        lines.plain("");
        lines.field(labels.console, &shown(url, TITLE_CHARS_MAX * 10));
    }
    lines.plain("");
    lines.plain("--");
    lines.plain(&words.foot(notice));
    lines.text
}

struct Lines {
    text: String,
    colon: &'static str,
}

impl Lines {
    fn plain(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn field(&mut self, label: &str, value: &str) {
        self.plain(&format!("{label}{}{value}", self.colon));
    }

    fn indented(&mut self, label: &str, value: &str) {
        self.plain(&format!("  {label}{}{value}", self.colon));
    }

    fn head(&mut self, label: &str) {
        self.plain(&format!("\n{label}{}", self.colon.trim_end()));
    }
}

#[cfg(test)]
mod tests;
