//! Tests of messages: headers, parts, folding, and that nothing breaks out of a header.
#![allow(clippy::unwrap_used)]

use super::*;
use expect_test::{Expect, expect};

const ID: &str = "0123456789abcdef0123456789abcdef";

fn written(subject: &str, parts: &[(&str, &str)]) -> String {
    let part = |(language, text): &(&str, &str)| Part {
        language: (*language).to_owned(),
        text: (*text).to_owned(),
    };
    let thread = "ffffffffffffffffffffffffffffffff".to_owned();
    let parts = parts.iter().map(part).collect();
    let mail = Mail { subject: subject.to_owned(), thread, parts };
    let boxes = ["Yagura <yagura@example.org>", "soc@example.org", "\"金 Kim\" <kim@example.org>"]
        .map(|text| Mailbox::parse(text).unwrap());
    let envelope =
        Envelope { id: ID, created: 1_800_000_000_000_000, from: &boxes[0], to: &boxes[1..] };
    let text = message(&envelope, &mail);
    assert_eq!(message(&envelope, &mail), text);
    // Every line end is CRLF, and no line too long.
    assert_eq!(text.matches(['\r', '\n']).count(), 2 * text.matches("\r\n").count());
    assert!(text.is_ascii() && text.lines().all(|line| line.len() <= BODY_LINE_BYTES_MAX));
    text
}

fn check(text: &str, expected: Expect) {
    expected.assert_eq(&text.replace('\r', ""));
}

#[test]
fn a_message_in_one_language() {
    check(
        &written("opened", &[("en", "one\n.\ntwo\n")]),
        expect![[r#"
        Date: Fri, 15 Jan 2027 08:00:00 +0000
        Message-ID: <0123456789abcdef0123456789abcdef@example.org>
        In-Reply-To: <ffffffffffffffffffffffffffffffff@example.org>
        References: <ffffffffffffffffffffffffffffffff@example.org>
        Auto-Submitted: auto-generated
        From: Yagura <yagura@example.org>
        To: soc@example.org,
         =?utf-8?b?6YeRIEtpbQ==?=
         <kim@example.org>
        Subject: opened
        MIME-Version: 1.0
        Content-Type: text/plain; charset=utf-8
        Content-Language: en
        Content-Transfer-Encoding: 7bit

        one
        .
        two
    "#]],
    );
}

#[test]
fn a_message_in_two_languages() {
    let text = written("opened / 発生", &[("en", "--yagura\n"), ("ja", "発生\n")]);
    check(
        &text,
        expect![[r#"
        Date: Fri, 15 Jan 2027 08:00:00 +0000
        Message-ID: <0123456789abcdef0123456789abcdef@example.org>
        In-Reply-To: <ffffffffffffffffffffffffffffffff@example.org>
        References: <ffffffffffffffffffffffffffffffff@example.org>
        Auto-Submitted: auto-generated
        From: Yagura <yagura@example.org>
        To: soc@example.org,
         =?utf-8?b?6YeRIEtpbQ==?=
         <kim@example.org>
        Subject: =?utf-8?b?b3BlbmVkIC8g55m655Sf?=
        MIME-Version: 1.0
        Content-Type: multipart/mixed; boundary="yagura-0123456789abcdef0123456789abcdef"

        --yagura-0123456789abcdef0123456789abcdef
        Content-Type: text/plain; charset=utf-8
        Content-Language: en
        Content-Transfer-Encoding: base64

        LS15YWd1cmENCg==

        --yagura-0123456789abcdef0123456789abcdef
        Content-Type: text/plain; charset=utf-8
        Content-Language: ja
        Content-Transfer-Encoding: base64

        55m655SfDQo=

        --yagura-0123456789abcdef0123456789abcdef--
    "#]],
    );
}

#[test]
fn a_subject_never_ends_the_headers_and_is_folded() {
    let text = written("a\r\nBcc: all@example.org\r\n\r\nbody", &[("en", "text\n")]);
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.contains("Subject: a Bcc: all@example.org body\r\n"));
    assert!(head.lines().all(|line| !line.starts_with("Bcc")));
    for long in ["長い".repeat(200), "long ".repeat(200), "=?utf-8?b?eA==?=".to_owned()] {
        let text = written(&long, &[("en", "text\n")]);
        let (head, _) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.lines().all(|line| line.len() <= 76), "{head}");
        let words = head.lines().filter_map(|line| {
            let word = line.trim_start_matches("Subject:").trim();
            STANDARD.decode(word.strip_prefix("=?utf-8?b?")?.strip_suffix("?=")?).ok()
        });
        // The name of the second recipient is one, too.
        let whole = String::from_utf8(words.collect::<Vec<_>>().concat()).unwrap();
        assert_eq!(whole, format!("金 Kim{}", long.trim()));
    }
}

#[test]
fn long_lines_go_in_base64() {
    for (bytes, encoding) in [(BODY_LINE_BYTES_MAX, "7bit"), (BODY_LINE_BYTES_MAX + 1, "base64")] {
        let text = written("x", &[("en", &"x".repeat(bytes))]);
        assert!(text.contains(&format!("Content-Transfer-Encoding: {encoding}\r\n")), "{bytes}");
    }
}

#[test]
fn addresses_are_read_or_refused() {
    let kim = Mailbox::parse(" Kim  O'Hara <kim@example.org> ").unwrap();
    assert_eq!(
        (kim.name.as_str(), kim.email.to_string()),
        ("Kim O'Hara", "kim@example.org".into())
    );
    for wrong in [
        "kim",
        "",
        "Kim kim@example.org>",
        "kim@example.org\r\nBcc: x@example.org",
        "kim@example.org, x@example.org",
        "<kim@example.org> x",
        "金@example.org",
        "a b@example.org",
    ] {
        assert!(Mailbox::parse(wrong).is_err(), "{wrong}");
    }
}
