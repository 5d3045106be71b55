//! The English of mails.

use super::{Labels, Words};
use crate::clean::shown;
use crate::event::Event;
use crate::payload::{NAME_CHARS_MAX, Notice};
use yagura_verdict::attack::Tactic;
use yagura_verdict::{Outcome, PrincipalRole};

pub(super) struct English;

const LABELS: Labels = Labels {
    tenant: "Customer",
    severity: "Severity",
    outcome: "Outcome",
    opened: "Opened",
    first: "First event",
    last: "Last event",
    tactics: "Tactics",
    principals: "Involved",
    summary: "Summary",
    decision: "Decision",
    state: "State",
    verdict: "Verdict",
    reason: "Reason",
    by: "By",
    time: "Time",
    console: "Console",
    colon: ": ",
    comma: ", ",
};

impl Words for English {
    fn tag(&self) -> &'static str {
        "en"
    }

    fn story<'a>(&self, notice: &Notice<'a>) -> (&'a str, &'a str) {
        (&notice.case.title, &notice.case.summary)
    }

    fn headline(&self, notice: &Notice<'_>) -> String {
        let what = match &notice.event {
            Event::Opened => "opened".to_owned(),
            Event::Reopened(_) => "reopened".to_owned(),
            Event::Decided { state, .. } => self.decided(state),
            Event::SeverityRaised(_) => "more severe".to_owned(),
            Event::Merged => "merged".to_owned(),
        };
        format!("{what} ({})", self.severity(notice))
    }

    fn sentence(&self, notice: &Notice<'_>) -> String {
        let id = shown(&notice.case.incident, NAME_CHARS_MAX);
        match &notice.event {
            Event::Opened => format!("Incident {id} was opened."),
            Event::Reopened(_) => format!("Incident {id} was reopened."),
            Event::Decided { state, .. } => match state.as_str() {
                "in_progress" => format!("Work on incident {id} has begun."),
                "on_hold" => format!("Incident {id} was put on hold."),
                "resolved" => format!("Incident {id} was resolved."),
                "closed" => format!("Incident {id} was closed."),
                other => {
                    let state = shown(&self.decided(other), NAME_CHARS_MAX);
                    format!("The state of incident {id} is {state}.")
                }
            },
            Event::SeverityRaised(level) => {
                format!("The severity of incident {id} has risen to {}.", level.word())
            }
            Event::Merged => {
                let into = notice.case.merged_into.as_deref().unwrap_or_default();
                format!("Incident {id} was merged into {}.", shown(into, NAME_CHARS_MAX))
            }
        }
    }

    fn severity(&self, notice: &Notice<'_>) -> &'static str {
        notice.case.severity.word()
    }

    fn outcome(&self, notice: &Notice<'_>) -> &'static str {
        match notice.case.outcome {
            Outcome::Unknown => "unknown",
            Outcome::Blocked => "blocked",
            Outcome::Attempted => "attempted",
            Outcome::Succeeded => "succeeded",
        }
    }

    fn role(&self, role: PrincipalRole) -> &'static str {
        match role {
            PrincipalRole::VictimHost => "Victim host",
            PrincipalRole::CompromisedAccount => "Compromised account",
            PrincipalRole::AttackerAddress => "Attacker address",
            PrincipalRole::Destination => "Destination",
            PrincipalRole::TargetedHost => "Targeted host",
        }
    }

    fn tactic(&self, tactic: Tactic) -> &'static str {
        tactic.name()
    }

    fn decided(&self, word: &str) -> String {
        word.replace('_', " ")
    }

    fn labels(&self) -> &'static Labels {
        &LABELS
    }

    fn foot(&self, notice: &Notice<'_>) -> String {
        format!(
            "Sent automatically by Yagura, channel {}. Notification {}.",
            notice.channel, notice.id
        )
    }
}
