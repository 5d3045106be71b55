//! The Japanese of mails.

use super::{Labels, Words};
use crate::clean::shown;
use crate::event::Event;
use crate::payload::{NAME_CHARS_MAX, Notice};
use yagura_event::Level;
use yagura_verdict::attack::Tactic;
use yagura_verdict::{Outcome, PrincipalRole};

pub(super) struct Japanese;

const LABELS: Labels = Labels {
    tenant: "顧客",
    severity: "重大度",
    outcome: "攻撃の結果",
    opened: "発生日時",
    first: "最初のイベント",
    last: "最後のイベント",
    tactics: "戦術",
    principals: "関係するもの",
    summary: "概要",
    decision: "判断",
    state: "状態",
    verdict: "判定",
    reason: "理由",
    by: "担当",
    time: "日時",
    console: "コンソール",
    colon: "：",
    comma: "、",
};

impl Words for Japanese {
    fn tag(&self) -> &'static str {
        "ja"
    }

    fn story<'a>(&self, notice: &Notice<'a>) -> (&'a str, &'a str) {
        (&notice.case.title_ja, &notice.case.summary_ja)
    }

    fn headline(&self, notice: &Notice<'_>) -> String {
        let what = match &notice.event {
            Event::Opened => "発生".to_owned(),
            Event::Reopened(_) => "再開".to_owned(),
            Event::Decided { state, .. } => self.decided(state),
            Event::SeverityRaised(_) => "重大度上昇".to_owned(),
            Event::Merged => "統合".to_owned(),
        };
        format!("{what}（{}）", self.severity(notice))
    }

    fn sentence(&self, notice: &Notice<'_>) -> String {
        let id = shown(&notice.case.incident, NAME_CHARS_MAX);
        match &notice.event {
            Event::Opened => format!("インシデント {id} が発生しました。"),
            Event::Reopened(_) => format!("インシデント {id} の対応が再開されました。"),
            Event::Decided { state, .. } => match state.as_str() {
                "in_progress" => format!("インシデント {id} の対応が始まりました。"),
                "on_hold" => format!("インシデント {id} の対応は保留になりました。"),
                "resolved" => format!("インシデント {id} は解決しました。"),
                "closed" => format!("インシデント {id} はクローズされました。"),
                other => {
                    let state = shown(&self.decided(other), NAME_CHARS_MAX);
                    format!("インシデント {id} の状態は「{state}」です。")
                }
            },
            Event::SeverityRaised(level) => {
                format!("インシデント {id} の重大度が「{}」に上がりました。", severity(*level))
            }
            Event::Merged => {
                let into = notice.case.merged_into.as_deref().unwrap_or_default();
                format!("インシデント {id} は {} に統合されました。", shown(into, NAME_CHARS_MAX))
            }
        }
    }

    fn severity(&self, notice: &Notice<'_>) -> &'static str {
        severity(notice.case.severity)
    }

    fn outcome(&self, notice: &Notice<'_>) -> &'static str {
        match notice.case.outcome {
            Outcome::Unknown => "不明",
            Outcome::Blocked => "遮断",
            Outcome::Attempted => "試行のみ",
            Outcome::Succeeded => "成功",
        }
    }

    fn role(&self, role: PrincipalRole) -> &'static str {
        match role {
            PrincipalRole::VictimHost => "被害ホスト",
            PrincipalRole::CompromisedAccount => "侵害されたアカウント",
            PrincipalRole::AttackerAddress => "攻撃元アドレス",
            PrincipalRole::Destination => "通信先",
            PrincipalRole::TargetedHost => "標的ホスト",
        }
    }

    fn tactic(&self, tactic: Tactic) -> &'static str {
        tactic.name_ja()
    }

    fn decided(&self, word: &str) -> String {
        match word {
            "open" | "new" => "未対応",
            "in_progress" => "対応中",
            "on_hold" => "保留",
            "resolved" => "解決済み",
            "closed" => "クローズ",
            "true_positive" => "真の検知",
            "false_positive" => "誤検知",
            "benign" => "無害",
            "suspicious" => "疑わしい",
            "duplicate" => "重複",
            other => other,
        }
        .to_owned()
    }

    fn labels(&self) -> &'static Labels {
        &LABELS
    }

    fn foot(&self, notice: &Notice<'_>) -> String {
        format!(
            "このメールは Yagura（チャネル {}）から自動送信されました。通知番号：{}",
            notice.channel, notice.id
        )
    }
}

fn severity(level: Level) -> &'static str {
    match level {
        Level::Informational => "情報",
        Level::Low => "低",
        Level::Medium => "中",
        Level::High => "高",
        Level::Critical => "緊急",
    }
}
