//! Tests of the mail channel without a server.
#![allow(clippy::unwrap_used)]

use super::*;

fn mailer(more: &str) -> Mailer {
    let text = format!(
        "name = 'soc'\nkind = 'mail'\nsmtp_host = 'mail.example.org'\n\
         from = 'Yagura <yagura@example.org>'\nto = ['soc@example.org', 'Kim <kim@example.org>']\n\
         {more}"
    );
    Mailer::new(&toml::from_str(&text).unwrap()).unwrap()
}

fn item(kind: &str) -> Item {
    Item {
        id: "0123456789abcdef0123456789abcdef".to_owned(),
        kind: kind.to_owned(),
        payload: "{}".to_owned(),
        attempts: 0,
        created: 1_800_000_000_000_000,
    }
}

#[test]
fn ports_follow_encryption_and_kinds_are_kept_apart() {
    assert_eq!((mailer("").port, mailer("tls = 'implicit'").port), (587, 465));
    assert_eq!(mailer("smtp_port = 2525").port, 2525);
    let failure = mailer("").send(&item("webhook"), 0).unwrap_err();
    assert_eq!((failure.permanent, failure.error.as_str()), (true, "it was written for a webhook"));
    let failure = mailer("").send(&item("mail"), 0).unwrap_err();
    assert_eq!((failure.permanent, failure.error.as_str()), (true, "it does not read back"));
}
