//! What is sent about one event, made once when it is offered.

use crate::case::{Case, Decision};
use crate::channel::Channel;
use crate::clean;
use crate::config::Kind;
use crate::event::Event;
use crate::template;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use yagura_event::time::rfc3339;

/// Longest title, in characters.
pub(crate) const TITLE_CHARS_MAX: usize = 200;
/// Longest summary or reason, in characters; the console has the rest.
pub(crate) const TEXT_CHARS_MAX: usize = 4_000;
/// Longest name of a principal, tenant, state and the like, in characters.
pub(crate) const NAME_CHARS_MAX: usize = 256;
/// Most principals named.
pub(crate) const PRINCIPALS_MAX: usize = 20;
/// Most tactics named: ATT&CK has 14.
pub(crate) const TACTICS_MAX: usize = 20;

/// Version of a webhook's body; fields are only added within one.
const BODY_VERSION: u32 = 1;

/// One event of an incident, to be told to one channel.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Notice<'a> {
    /// Its id, 32 hexadecimal digits.
    pub(crate) id: String,
    /// The id of the incident's opening on the channel, by which mails are grouped.
    pub(crate) thread: String,
    pub(crate) channel: &'a str,
    pub(crate) event: Event,
    pub(crate) decision: Option<&'a Decision>,
    pub(crate) case: &'a Case,
}

/// A mail as it is kept.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Mail {
    pub(crate) subject: String,
    pub(crate) thread: String,
    pub(crate) parts: Vec<Part>,
}

/// A mail's text in one language.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) language: String,
    pub(crate) text: String,
}

/// What is kept in the outbox and sent at each try.
pub(crate) fn payload(notice: &Notice<'_>, channel: &Channel) -> String {
    match channel.kind {
        Kind::Mail => {
            let mail = template::mail(notice, channel.language, &channel.zone);
            json!({ "subject": mail.subject, "thread": mail.thread, "parts": mail.parts })
                .to_string()
        }
        Kind::Webhook => body(notice).to_string(),
    }
}

/// A webhook's body.
fn body(notice: &Notice<'_>) -> Value {
    let case = notice.case;
    let name = |text: &str| clean::cut(text, NAME_CHARS_MAX);
    let title = |text: &str| clean::cut(text, TITLE_CHARS_MAX);
    let text = |text: &str| clean::cut(text, TEXT_CHARS_MAX);
    let principals: Vec<Value> = case
        .principals
        .iter()
        .take(PRINCIPALS_MAX)
        .map(|p| json!({ "role": p.role.word(), "type": p.kind.word(), "value": name(&p.value) }))
        .collect();
    let tactics: Vec<Value> = case
        .tactics
        .iter()
        .take(TACTICS_MAX)
        .map(|tactic| json!({ "uid": tactic.uid(), "name": tactic.name() }))
        .collect();
    let decision = notice.decision.map(|decision| {
        json!({
            "version": decision.version,
            "state": name(&decision.state),
            "verdict": name(&decision.verdict),
            "reason": text(&decision.reason),
            "by": name(&decision.by),
            "time": rfc3339(decision.time),
        })
    });
    json!({
        "version": BODY_VERSION,
        "id": notice.id,
        "channel": notice.channel,
        "tenant": name(&case.tenant),
        "incident": name(&case.incident),
        "event": notice.event.word(),
        "severity": case.severity.word(),
        "title": title(&case.title),
        "title_ja": title(&case.title_ja),
        "summary": text(&case.summary),
        "summary_ja": text(&case.summary_ja),
        "outcome": case.outcome.word(),
        "principals": principals,
        "tactics": tactics,
        "opened_time": rfc3339(case.opened_time),
        "first_time": rfc3339(case.first_time),
        "last_time": rfc3339(case.last_time),
        "merged_into": case.merged_into,
        "decision": decision,
        "console_url": case.console_url,
    })
}
