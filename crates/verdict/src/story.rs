//! Title and summary of an incident in plain English and Japanese.

use crate::attack::Tactic;
use crate::incident::Story;
use crate::outcome::Outcome;
use crate::principal::PrincipalRole;
use yagura_event::time::{Micros, civil};

/// The texts of a story.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Words {
    /// Title in English.
    pub title: String,
    /// Title in Japanese.
    pub title_ja: String,
    /// Summary in English.
    pub summary: String,
    /// Summary in Japanese.
    pub summary_ja: String,
}

/// Most names of one role written out; the rest are counted.
const NAMES_MAX: usize = 3;

/// Writes the texts from everything else in the story.
pub fn words(story: &Story) -> Words {
    Words {
        title: title(story),
        title_ja: title_ja(story),
        summary: summary(story),
        summary_ja: summary_ja(story),
    }
}

fn named(story: &Story, role: PrincipalRole) -> Vec<&str> {
    story.principals.iter().filter(|p| p.role == role).map(|p| p.entity.value.as_str()).collect()
}

/// Hosts acted on, else aimed at.
fn hosts(story: &Story) -> Vec<&str> {
    let hosts = named(story, PrincipalRole::VictimHost);
    if hosts.is_empty() { named(story, PrincipalRole::TargetedHost) } else { hosts }
}

fn list_en(names: &[&str]) -> String {
    let shown = names.len().min(NAMES_MAX);
    let rest = names.len() - shown;
    match (&names[..shown], rest) {
        ([], _) => String::new(),
        ([one], 0) => (*one).to_owned(),
        ([head @ .., last], 0) => format!("{} and {last}", head.join(", ")),
        (some, rest) => format!("{} and {rest} more", some.join(", ")),
    }
}

fn list_ja(names: &[&str]) -> String {
    let shown = names.len().min(NAMES_MAX);
    let text = names[..shown].join("、");
    match names.len() - shown {
        0 => text,
        rest => format!("{text} ほか {rest} 件"),
    }
}

fn title(story: &Story) -> String {
    let hosts = list_en(&hosts(story));
    let users = list_en(&named(story, PrincipalRole::CompromisedAccount));
    let what = match story.outcome {
        Outcome::Succeeded => "Compromise of",
        Outcome::Blocked => "Blocked attack on",
        Outcome::Attempted => "Attempted attack on",
        Outcome::Unknown => "Suspected attack on",
    };
    let mut text = match (hosts.is_empty(), users.is_empty()) {
        (false, false) => format!("{what} {hosts} with account {users}"),
        (false, true) => format!("{what} {hosts}"),
        (true, false) => format!("{what} account {users}"),
        (true, true) => format!("{what} the network"),
    };
    if let Some(last) = story.tactics.last() {
        text.push_str(&match story.tactics.first() {
            Some(first) if first != last => {
                format!(": {} to {}", first.name().to_lowercase(), last.name().to_lowercase())
            }
            _ => format!(": {}", last.name().to_lowercase()),
        });
    }
    text
}

fn title_ja(story: &Story) -> String {
    let hosts = list_ja(&hosts(story));
    let users = list_ja(&named(story, PrincipalRole::CompromisedAccount));
    let whom = match (hosts.is_empty(), users.is_empty()) {
        (false, false) => format!("{hosts}（アカウント {users}）"),
        (false, true) => hosts,
        (true, false) => format!("アカウント {users}"),
        (true, true) => "ネットワーク".to_owned(),
    };
    let what = match story.outcome {
        Outcome::Succeeded => "への侵害",
        Outcome::Blocked => "への攻撃（遮断済み）",
        Outcome::Attempted => "への攻撃の試み",
        Outcome::Unknown => "への攻撃の疑い",
    };
    let mut text = format!("{whom}{what}");
    if let Some(last) = story.tactics.last() {
        text.push_str(&match story.tactics.first() {
            Some(first) if first != last => {
                format!("：{}から{}まで", first.name_ja(), last.name_ja())
            }
            _ => format!("：{}", last.name_ja()),
        });
    }
    text
}

fn summary(story: &Story) -> String {
    let mut text = format!(
        "Between {} and {} UTC, {} linked findings ({} records kept as evidence) tell of one attack.",
        minute(story.first_time),
        minute(story.last_time),
        story.timeline.len(),
        story.evidence.len(),
    );
    let mut say = |names: Vec<&str>, before: &str, after: &str| {
        if !names.is_empty() {
            text.push_str(&format!(" {before}{}{after}", list_en(&names)));
        }
    };
    say(named(story, PrincipalRole::AttackerAddress), "It came from ", ".");
    say(named(story, PrincipalRole::VictimHost), "The attacker acted on or from ", ".");
    say(named(story, PrincipalRole::CompromisedAccount), "The attack used the account ", ".");
    say(named(story, PrincipalRole::Destination), "It communicated with ", ".");
    say(named(story, PrincipalRole::TargetedHost), "It also aimed at ", ".");
    for (tactic, title, time) in steps(story) {
        text.push_str(&format!(" {}: {} (\"{title}\").", minute(time), tactic_en(tactic)));
    }
    text.push_str(match story.outcome {
        Outcome::Succeeded => " The records show that at least one step succeeded.",
        Outcome::Blocked => " Every step on record was blocked.",
        Outcome::Attempted => " The records show attempts, but no success.",
        Outcome::Unknown => " The records do not say whether it succeeded.",
    });
    text
}

fn summary_ja(story: &Story) -> String {
    let mut text = format!(
        "{}から{}（UTC）にかけて、関連する検知 {} 件（証拠として保存した記録 {} 件）が一つの攻撃を示しています。",
        minute(story.first_time),
        minute(story.last_time),
        story.timeline.len(),
        story.evidence.len(),
    );
    let mut say = |names: Vec<&str>, before: &str, after: &str| {
        if !names.is_empty() {
            text.push_str(&format!("{before}{}{after}", list_ja(&names)));
        }
    };
    say(named(story, PrincipalRole::AttackerAddress), "攻撃元は ", " です。");
    say(named(story, PrincipalRole::VictimHost), "攻撃者の活動が見られたホストは ", " です。");
    say(named(story, PrincipalRole::CompromisedAccount), "アカウント ", " が悪用されました。");
    say(named(story, PrincipalRole::Destination), "外部の ", " と通信しています。");
    say(named(story, PrincipalRole::TargetedHost), "", " も攻撃の対象になりました。");
    for (tactic, title, time) in steps(story) {
        text.push_str(&format!("{}：{}（「{title}」）。", minute(time), tactic_ja(tactic)));
    }
    text.push_str(match story.outcome {
        Outcome::Succeeded => "少なくとも一つの段階が成功したことを記録が示しています。",
        Outcome::Blocked => "記録にある段階はすべて遮断されています。",
        Outcome::Attempted => "試みは記録されていますが、成功した記録はありません。",
        Outcome::Unknown => "成功したかどうかは記録からは分かりません。",
    });
    text
}

/// For each tactic its heaviest finding, in time.
fn steps(story: &Story) -> Vec<(Tactic, &str, Micros)> {
    let mut list: Vec<(Tactic, &str, Micros)> = story
        .tactics
        .iter()
        .filter_map(|tactic| {
            let step = story
                .timeline
                .iter()
                .filter(|s| s.tactics.contains(tactic))
                .min_by_key(|s| (std::cmp::Reverse(s.level), s.time))?;
            Some((*tactic, step.title.as_str(), step.time))
        })
        .collect();
    list.sort_by_key(|(tactic, _, time)| (*time, *tactic));
    list
}

fn tactic_en(tactic: Tactic) -> &'static str {
    match tactic {
        Tactic::Reconnaissance => "the target was probed from outside",
        Tactic::ResourceDevelopment => "means for the attack were prepared",
        Tactic::InitialAccess => "the attacker gained or tried to gain a foothold",
        Tactic::Execution => "commands or programs were run",
        Tactic::Persistence => "a way to come back was left behind",
        Tactic::PrivilegeEscalation => "higher privileges were sought",
        Tactic::DefenseEvasion => "traces were hidden or defences weakened",
        Tactic::CredentialAccess => "passwords or other credentials were sought",
        Tactic::Discovery => "accounts, systems or the network were explored",
        Tactic::LateralMovement => "the attacker moved on to another system",
        Tactic::Collection => "data was gathered",
        Tactic::CommandAndControl => "contact with the attacker's infrastructure was kept",
        Tactic::Exfiltration => "data left or may have left the network",
        Tactic::Impact => "systems or data were harmed",
    }
}

fn tactic_ja(tactic: Tactic) -> &'static str {
    match tactic {
        Tactic::Reconnaissance => "外部からの探査",
        Tactic::ResourceDevelopment => "攻撃に使う手段の準備",
        Tactic::InitialAccess => "侵入またはその試み",
        Tactic::Execution => "コマンドやプログラムの実行",
        Tactic::Persistence => "再侵入の手段の設置",
        Tactic::PrivilegeEscalation => "権限昇格の試み",
        Tactic::DefenseEvasion => "痕跡の隠蔽または防御の無効化",
        Tactic::CredentialAccess => "パスワードなど認証情報の窃取の試み",
        Tactic::Discovery => "アカウント・システム・ネットワークの調査",
        Tactic::LateralMovement => "別のシステムへの移動",
        Tactic::Collection => "データの収集",
        Tactic::CommandAndControl => "攻撃者の基盤との継続的な通信",
        Tactic::Exfiltration => "データの持ち出しまたはその疑い",
        Tactic::Impact => "システムまたはデータへの被害",
    }
}

fn minute(time: Micros) -> String {
    let c = civil(time);
    format!("{:04}-{:02}-{:02} {:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_read_like_sentences() {
        assert_eq!(list_en(&["a"]), "a");
        assert_eq!(list_en(&["a", "b", "c"]), "a, b and c");
        assert_eq!(list_en(&["a", "b", "c", "d", "e"]), "a, b, c and 2 more");
        assert_eq!(list_ja(&["a", "b", "c", "d"]), "a、b、c ほか 1 件");
    }
}
