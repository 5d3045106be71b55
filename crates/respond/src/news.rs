//! What is new about an incident since somebody was last told; pure.

use crate::case::{Case, Decision};
use crate::event::Event;
use yagura_meta::outbox::Seen;

/// State of an incident that nobody decided about.
const OPEN: &str = "open";

/// An event with the decision that it is, if one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct News<'a> {
    pub(crate) event: Event,
    pub(crate) decision: Option<&'a Decision>,
}

/// What happened to a case since `seen`, in the order to tell it, and what is seen then. A case
/// that was merged before anybody heard of it is nothing new.
pub(crate) fn news<'a>(seen: Option<&Seen>, case: &'a Case) -> (Vec<News<'a>>, Seen) {
    let merged = case.merged_into.is_some();
    let first = Seen { level: case.severity, state: OPEN.to_owned(), merged, ..Seen::default() };
    let mut list = Vec::new();
    let mut tell = |event, decision| list.push(News { event, decision });
    let mut next = seen.cloned().unwrap_or(first);
    match seen {
        None if merged => {}
        None => tell(Event::Opened, None),
        Some(before) => {
            if before.merged && !merged {
                tell(Event::Reopened(None), None);
            }
            if case.severity > before.level && !merged {
                tell(Event::SeverityRaised(case.severity), None);
            }
            if merged && !before.merged {
                tell(Event::Merged, None);
            }
            next.level = before.level.max(case.severity);
            next.merged = merged;
        }
    }
    let mut decisions: Vec<&Decision> =
        case.decisions.iter().filter(|decision| decision.version > next.version).collect();
    decisions.sort_by_key(|decision| decision.version);
    for decision in decisions {
        let Decision { version, state, verdict, .. } = decision;
        if (state, verdict) != (&next.state, &next.verdict) {
            let event = if is_done(&next.state) && !is_done(state) {
                Event::Reopened(Some(*version))
            } else {
                Event::Decided { state: state.clone(), version: *version }
            };
            tell(event, Some(decision));
        }
        next.state.clone_from(state);
        next.verdict.clone_from(verdict);
        next.version = *version;
    }
    (list, next)
}

/// Whether work on an incident in this state has ended.
fn is_done(state: &str) -> bool {
    matches!(state, "resolved" | "closed")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{case, decided};
    use yagura_event::Level;

    /// The keys of what is new of each case in turn, all of one incident.
    fn told(cases: &[Case]) -> Vec<String> {
        let mut seen: Option<Seen> = None;
        let mut steps = Vec::new();
        for case in cases {
            let (list, next) = news(seen.as_ref(), case);
            steps.push(list.iter().map(|n| n.event.key()).collect::<Vec<_>>().join(" "));
            // Whatever is seen is not new.
            assert_eq!(news(Some(&next), case), (vec![], next.clone()));
            seen = Some(next);
        }
        steps
    }

    #[test]
    fn each_state_is_told_once_and_in_order() {
        let with = |decisions: &[Decision]| Case { decisions: decisions.to_vec(), ..case() };
        let work = decided(3, "in_progress", "");
        let closed = decided(5, "closed", "false_positive");
        let again = decided(9, "open", "");
        assert_eq!(
            told(&[
                case(),
                with(std::slice::from_ref(&work)),
                with(&[again.clone(), work.clone(), closed.clone()]),
            ]),
            ["opened", "in_progress:3", "closed:5 reopened:9"]
        );
        assert_eq!(told(&[with(&[closed, work])]), ["opened in_progress:3 closed:5"]);
        // Another reason is nothing new, another verdict is.
        let same = Decision { reason: "more".to_owned(), ..decided(6, "closed", "false_positive") };
        let other = decided(7, "closed", "true_positive");
        let closed = decided(5, "closed", "false_positive");
        assert_eq!(
            told(&[
                with(std::slice::from_ref(&closed)),
                with(&[closed.clone(), same]),
                with(&[closed, other])
            ]),
            ["opened closed:5", "", "closed:7"]
        );
        assert_eq!(told(&[with(&[again])]), ["opened"]);
    }

    #[test]
    fn severity_is_told_when_it_is_higher_than_ever() {
        let at = |severity| Case { severity, ..case() };
        assert_eq!(
            told(&[at(Level::Medium), at(Level::High), at(Level::Low), at(Level::High)]),
            ["opened", "severity_raised:high", "", ""]
        );
    }

    #[test]
    fn a_merged_incident_is_told_to_who_heard_of_it() {
        let merged = Case { merged_into: Some("INC-2026-0001".to_owned()), ..case() };
        assert_eq!(told(std::slice::from_ref(&merged)), [""]);
        assert_eq!(told(&[case(), merged, case()]), ["opened", "merged", "reopened"]);
    }
}
