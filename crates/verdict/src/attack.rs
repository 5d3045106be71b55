//! ATT&CK tactics and techniques as Sigma tags name them.

use serde::{Deserialize, Serialize};

/// A tactic (ATT&CK Enterprise), in the order an attack usually takes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tactic {
    /// TA0043.
    Reconnaissance,
    /// TA0042.
    ResourceDevelopment,
    /// TA0001.
    InitialAccess,
    /// TA0002.
    Execution,
    /// TA0003.
    Persistence,
    /// TA0004.
    PrivilegeEscalation,
    /// TA0005.
    DefenseEvasion,
    /// TA0006.
    CredentialAccess,
    /// TA0007.
    Discovery,
    /// TA0008.
    LateralMovement,
    /// TA0009.
    Collection,
    /// TA0011.
    CommandAndControl,
    /// TA0010.
    Exfiltration,
    /// TA0040.
    Impact,
}

impl Tactic {
    /// Every tactic, in order.
    pub const ALL: [Self; 14] = [
        Self::Reconnaissance,
        Self::ResourceDevelopment,
        Self::InitialAccess,
        Self::Execution,
        Self::Persistence,
        Self::PrivilegeEscalation,
        Self::DefenseEvasion,
        Self::CredentialAccess,
        Self::Discovery,
        Self::LateralMovement,
        Self::Collection,
        Self::CommandAndControl,
        Self::Exfiltration,
        Self::Impact,
    ];

    fn row(self) -> (&'static str, &'static str, &'static str, &'static str) {
        match self {
            Self::Reconnaissance => ("TA0043", "Reconnaissance", "reconnaissance", "偵察"),
            Self::ResourceDevelopment => {
                ("TA0042", "Resource Development", "resource_development", "攻撃準備")
            }
            Self::InitialAccess => ("TA0001", "Initial Access", "initial_access", "初期侵入"),
            Self::Execution => ("TA0002", "Execution", "execution", "実行"),
            Self::Persistence => ("TA0003", "Persistence", "persistence", "永続化"),
            Self::PrivilegeEscalation => {
                ("TA0004", "Privilege Escalation", "privilege_escalation", "権限昇格")
            }
            Self::DefenseEvasion => ("TA0005", "Defense Evasion", "defense_evasion", "防御回避"),
            Self::CredentialAccess => {
                ("TA0006", "Credential Access", "credential_access", "認証情報の窃取")
            }
            Self::Discovery => ("TA0007", "Discovery", "discovery", "内部探索"),
            Self::LateralMovement => ("TA0008", "Lateral Movement", "lateral_movement", "横展開"),
            Self::Collection => ("TA0009", "Collection", "collection", "情報収集"),
            Self::CommandAndControl => {
                ("TA0011", "Command and Control", "command_and_control", "C2 通信")
            }
            Self::Exfiltration => ("TA0010", "Exfiltration", "exfiltration", "情報の持ち出し"),
            Self::Impact => ("TA0040", "Impact", "impact", "影響・破壊"),
        }
    }

    /// ATT&CK's id.
    pub fn uid(self) -> &'static str {
        self.row().0
    }

    /// ATT&CK's name.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The name in Japanese.
    pub fn name_ja(self) -> &'static str {
        self.row().3
    }

    /// The tactic of a Sigma tag: `attack.` and the name with `-` or `_`. The two tactics that
    /// newer ATT&CK releases make of Defense Evasion count as it.
    pub fn from_tag(tag: &str) -> Option<Self> {
        let name = tag.strip_prefix("attack.")?.replace('-', "_");
        if matches!(name.as_str(), "stealth" | "defense_impairment") {
            return Some(Self::DefenseEvasion);
        }
        Self::ALL.into_iter().find(|tactic| tactic.row().2 == name)
    }
}

/// The tactics of tags, sorted, each once.
pub fn tactics(tags: &[String]) -> Vec<Tactic> {
    let mut list: Vec<Tactic> = tags.iter().filter_map(|tag| Tactic::from_tag(tag)).collect();
    list.sort_unstable();
    list.dedup();
    list
}

/// The techniques of tags as ATT&CK writes them (`T1059.001`), sorted, each once.
pub fn techniques(tags: &[String]) -> Vec<String> {
    let mut list: Vec<String> = tags
        .iter()
        .filter_map(|tag| tag.strip_prefix("attack.t"))
        .filter(|id| id.len() >= 4 && id.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
        .map(|id| format!("T{id}"))
        .collect();
    list.sort_unstable();
    list.dedup();
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_in_both_spellings() {
        let tags: Vec<String> =
            ["attack.initial-access", "attack.t1059.001", "cve.2021-44228", "attack.s0002"]
                .map(String::from)
                .into();
        assert_eq!(tactics(&tags), [Tactic::InitialAccess]);
        assert_eq!(techniques(&tags), ["T1059.001"]);
        assert_eq!(Tactic::from_tag("attack.command_and_control"), Some(Tactic::CommandAndControl));
        assert_eq!(Tactic::from_tag("attack.stealth"), Some(Tactic::DefenseEvasion));
    }
}
