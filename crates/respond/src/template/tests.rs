//! Tests of mails' texts: both languages in full, each event, and hostile log text.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::case::{Case, Decision};
use crate::event::Event;
use crate::tests::{case, decided};
use expect_test::{Expect, expect};
use yagura_event::Level;

fn notice<'a>(case: &'a Case, event: Event, decision: Option<&'a Decision>) -> Notice<'a> {
    let id = "0123456789abcdef0123456789abcdef".to_owned();
    Notice { thread: id.clone(), id, channel: "soc", event, decision, case }
}

fn check(notice: &Notice<'_>, language: Language, expected: Expect) {
    let mail = mail(notice, language, &zone::zone("Asia/Tokyo").unwrap());
    let parts: Vec<String> =
        mail.parts.iter().map(|part| format!("[{}]\n{}", part.language, part.text)).collect();
    expected.assert_eq(&format!("Subject: {}\n\n{}", mail.subject, parts.concat()));
}

#[test]
fn an_opened_incident_in_both_languages() {
    check(
        &notice(&case(), Event::Opened, None),
        Language::Both,
        expect![[r#"
        Subject: [Yagura] acme INC-2027-0042 opened (high): Compromise of web1 with account eve: initial access to exfiltration / 発生（高）：web1（アカウント eve）への侵害：初期侵入から情報の持ち出しまで

        [en]
        Incident INC-2027-0042 was opened.

        Compromise of web1 with account eve: initial access to exfiltration

        Customer: acme
        Severity: high
        Outcome: succeeded
        Opened: 2027-01-15 17:00:00 +09:00
        First event: 2027-01-15 16:10:00 +09:00
        Last event: 2027-01-15 16:55:00 +09:00
        Tactics: Initial Access, Exfiltration

        Involved:
          Victim host: web1
          Attacker address: 192.0.2.9

        Summary:
        Between 07:10 and 07:55 UTC, 4 linked findings tell of one attack.

        Console: https://soc.example.org/incidents/INC-2027-0042

        --
        Sent automatically by Yagura, channel soc. Notification 0123456789abcdef0123456789abcdef.
        [ja]
        インシデント INC-2027-0042 が発生しました。

        web1（アカウント eve）への侵害：初期侵入から情報の持ち出しまで

        顧客：acme
        重大度：高
        攻撃の結果：成功
        発生日時：2027-01-15 17:00:00 +09:00
        最初のイベント：2027-01-15 16:10:00 +09:00
        最後のイベント：2027-01-15 16:55:00 +09:00
        戦術：初期侵入、情報の持ち出し

        関係するもの：
          被害ホスト：web1
          攻撃元アドレス：192.0.2.9

        概要：
        07:10 から 07:55（UTC）までの関連する 4 件の検知は一つの攻撃を示す。

        コンソール：https://soc.example.org/incidents/INC-2027-0042

        --
        このメールは Yagura（チャネル soc）から自動送信されました。通知番号：0123456789abcdef0123456789abcdef
    "#]],
    );
}

#[test]
fn a_decision_in_both_languages() {
    let decision = decided(3, "closed", "false_positive");
    let event = Event::Decided { state: "closed".to_owned(), version: 3 };
    let case = Case { principals: vec![], tactics: vec![], console_url: None, ..case() };
    check(
        &notice(&case, event.clone(), Some(&decision)),
        Language::En,
        expect![[r#"
        Subject: [Yagura] acme INC-2027-0042 closed (high): Compromise of web1 with account eve: initial access to exfiltration

        [en]
        Incident INC-2027-0042 was closed.

        Compromise of web1 with account eve: initial access to exfiltration

        Customer: acme
        Severity: high
        Outcome: succeeded
        Opened: 2027-01-15 17:00:00 +09:00
        First event: 2027-01-15 16:10:00 +09:00
        Last event: 2027-01-15 16:55:00 +09:00

        Summary:
        Between 07:10 and 07:55 UTC, 4 linked findings tell of one attack.

        Decision:
          State: closed
          Verdict: false positive
          Reason: a drill
          By: kim
          Time: 2027-01-15 17:01:00 +09:00

        --
        Sent automatically by Yagura, channel soc. Notification 0123456789abcdef0123456789abcdef.
    "#]],
    );
    check(
        &notice(&case, event, Some(&decision)),
        Language::Ja,
        expect![[r#"
        Subject: [Yagura] acme INC-2027-0042 クローズ（高）：web1（アカウント eve）への侵害：初期侵入から情報の持ち出しまで

        [ja]
        インシデント INC-2027-0042 はクローズされました。

        web1（アカウント eve）への侵害：初期侵入から情報の持ち出しまで

        顧客：acme
        重大度：高
        攻撃の結果：成功
        発生日時：2027-01-15 17:00:00 +09:00
        最初のイベント：2027-01-15 16:10:00 +09:00
        最後のイベント：2027-01-15 16:55:00 +09:00

        概要：
        07:10 から 07:55（UTC）までの関連する 4 件の検知は一つの攻撃を示す。

        判断：
          状態：クローズ
          判定：誤検知
          理由：a drill
          担当：kim
          日時：2027-01-15 17:01:00 +09:00

        --
        このメールは Yagura（チャネル soc）から自動送信されました。通知番号：0123456789abcdef0123456789abcdef
    "#]],
    );
}

#[test]
fn every_event_has_its_sentence_and_subject() {
    let case = Case { merged_into: Some("INC-2027-0001".to_owned()), ..case() };
    let states = ["in_progress", "on_hold", "resolved", "closed", "handed_over"];
    let mut events = vec![Event::Opened, Event::Reopened(Some(3)), Event::Merged];
    events.push(Event::SeverityRaised(Level::Critical));
    events.extend(states.map(|state| Event::Decided { state: state.to_owned(), version: 1 }));
    let mut shown = String::new();
    for event in events {
        let mail = mail(&notice(&case, event, None), Language::Both, &TimeZone::UTC);
        let first = |part: &Part| part.text.lines().next().unwrap_or_default().to_owned();
        let subject = mail.subject.split_once("0042 ").unwrap().1;
        let headline: String = subject.chars().take(24).collect();
        let lines: Vec<String> = mail.parts.iter().map(first).collect();
        shown.push_str(&format!("{headline} | {}\n", lines.join(" | ")));
    }
    expect![[r#"
        opened (high): Compromis | Incident INC-2027-0042 was opened. | インシデント INC-2027-0042 が発生しました。
        reopened (high): Comprom | Incident INC-2027-0042 was reopened. | インシデント INC-2027-0042 の対応が再開されました。
        merged (high): Compromis | Incident INC-2027-0042 was merged into INC-2027-0001. | インシデント INC-2027-0042 は INC-2027-0001 に統合されました。
        more severe (high): Comp | The severity of incident INC-2027-0042 has risen to critical. | インシデント INC-2027-0042 の重大度が「緊急」に上がりました。
        in progress (high): Comp | Work on incident INC-2027-0042 has begun. | インシデント INC-2027-0042 の対応が始まりました。
        on hold (high): Compromi | Incident INC-2027-0042 was put on hold. | インシデント INC-2027-0042 の対応は保留になりました。
        resolved (high): Comprom | Incident INC-2027-0042 was resolved. | インシデント INC-2027-0042 は解決しました。
        closed (high): Compromis | Incident INC-2027-0042 was closed. | インシデント INC-2027-0042 はクローズされました。
        handed over (high): Comp | The state of incident INC-2027-0042 is handed over. | インシデント INC-2027-0042 の状態は「handed_over」です。
    "#]].assert_eq(&shown);
}

#[test]
fn hostile_text_breaks_neither_header_nor_body() {
    let evil = "x\r\nBcc: all@example.org\r\n\r\n.\r\n\u{1b}[2J\u{202e}";
    let decision = Decision {
        state: evil.to_owned(),
        verdict: evil.to_owned(),
        reason: evil.to_owned(),
        by: evil.to_owned(),
        ..decided(1, "", "")
    };
    let mut case = Case {
        incident: evil.to_owned(),
        tenant: evil.to_owned(),
        title: evil.to_owned(),
        title_ja: evil.to_owned(),
        summary: evil.to_owned(),
        summary_ja: evil.to_owned(),
        merged_into: Some(evil.to_owned()),
        console_url: Some(evil.to_owned()),
        ..case()
    };
    case.principals[0].value = evil.to_owned();
    let plain = notice(&case, Event::Merged, Some(&decision));
    let reference = mail(&plain, Language::Both, &TimeZone::UTC);
    for event in
        [Event::Merged, Event::Opened, Event::Decided { state: evil.to_owned(), version: 1 }]
    {
        let mail = mail(&notice(&case, event, Some(&decision)), Language::Both, &TimeZone::UTC);
        assert!(!mail.subject.contains(|c: char| c.is_control() || c == '\u{202e}'));
        for (part, other) in mail.parts.iter().zip(&reference.parts) {
            assert!(
                !part.text.contains(|c: char| (c.is_control() && c != '\n') || c == '\u{202e}')
            );
            assert!(!part.text.lines().any(|line| line == "." || line.starts_with("Bcc")));
            assert_eq!(part.text.lines().count(), other.text.lines().count());
        }
    }
}

#[test]
fn what_is_long_is_cut() {
    let long = "長".repeat(100_000);
    let person = case().principals[0].clone();
    let case = Case {
        title: long.clone(),
        title_ja: long.clone(),
        summary: long.clone(),
        summary_ja: long.clone(),
        principals: vec![crate::case::Person { value: long.clone(), ..person }; 100],
        ..case()
    };
    let mail = mail(&notice(&case, Event::Opened, None), Language::Both, &TimeZone::UTC);
    assert!(mail.subject.chars().count() < 700);
    let chars: usize = mail.parts.iter().map(|part| part.text.chars().count()).sum();
    assert!((15_000..30_000).contains(&chars), "{chars}");
    assert_eq!(mail.parts[0].text.matches("Victim host").count(), PRINCIPALS_MAX);
}
