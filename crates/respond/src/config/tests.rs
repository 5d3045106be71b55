//! Tests of the configuration: it reads back, and what is wrong is refused with its name.
#![allow(clippy::unwrap_used)]

use super::*;

#[derive(Deserialize, Serialize, Debug)]
struct File {
    notify: Vec<NotifyConfig>,
}

const MAIL: &str = "name = 'soc'\nkind = 'mail'\nsmtp_host = 'mail.example.org'\n\
                    from = 'Yagura <yagura@example.org>'\nto = ['soc@example.org']\n";
const WEBHOOK: &str =
    "name = 'hook'\nkind = 'webhook'\nurl = 'https://example.org/x'\nsecret = 'env:S'\n";

fn read(text: &str) -> Result<Vec<NotifyConfig>, String> {
    let file: File =
        toml::from_str(&format!("[[notify]]\n{text}")).map_err(|error| error.to_string())?;
    check_all(&file.notify).map(|()| file.notify)
}

#[test]
fn the_printed_example_works() {
    let text = NOTIFY_EXAMPLE.replace("\n#", "\n");
    let file: File = toml::from_str(&text).unwrap();
    check_all(&file.notify).unwrap();
    let names: Vec<&str> = file.notify.iter().map(|channel| channel.name.as_str()).collect();
    assert_eq!(names, ["soc", "tickets"]);
    assert_eq!(file.notify[0].quiet_hours.as_ref().unwrap().except_from, Level::Critical);
}

#[test]
fn what_is_written_reads_back_and_every_key_is_documented() {
    let text = format!(
        "{MAIL}severity_min = 'low'\ntenant = 'acme'\ntime_zone = '+09:00'\nsmtp_port = 25\n\
         tls = 'implicit'\nusername = 'u'\npassword = 'env:P'\nca_file = '/ca'\n\
         quiet_hours = {{ from = '22:00', until = '07:00', time_zone = 'Asia/Tokyo' }}\n\
         [[notify]]\n{WEBHOOK}allow_plain = true\n"
    );
    let notify = read(&text).unwrap();
    let written = toml::to_string(&File { notify: notify.clone() }).unwrap();
    let again: File = toml::from_str(&written).unwrap();
    assert_eq!(again.notify, notify);
    let mut table = String::new();
    let mut keys: Vec<String> = Vec::new();
    for line in written.lines() {
        if line.starts_with('[') && !line.contains(" = ") {
            table = line.trim_matches(['[', ']']).to_owned();
        } else if let Some((key, _)) = line.split_once(" = ") {
            keys.push(format!("{table}.{key}"));
        }
    }
    keys.sort();
    keys.dedup();
    let mut documented: Vec<&str> = NOTIFY_KEY_DOCS.iter().map(|(key, _)| *key).collect();
    documented.sort_unstable();
    assert_eq!(keys, documented);
}

#[test]
fn what_is_wrong_is_refused_by_name() {
    for (text, words) in [
        (format!("{MAIL}colour = 'red'"), "colour"),
        (MAIL.replace("'soc'", "'So c'"), "a name has 1 to 64"),
        (MAIL.replace("'mail'", "'pager'"), "pager"),
        (format!("{MAIL}tenant = 'A B'"), "tenant"),
        (format!("{MAIL}time_zone = 'Mars'"), "Mars"),
        (format!("{MAIL}url = 'https://example.org'"), "a mail has no key \"url\""),
        (format!("{WEBHOOK}to = ['a@example.org']"), "a webhook has no key \"to\""),
        (format!("{MAIL}password = 'hunter2'"), "by reference"),
        (format!("{MAIL}username = 'u'"), "belong together"),
        (format!("{MAIL}tls = 'none'"), "this machine only"),
        (MAIL.replace("mail.example.org", "a b"), "is no host name"),
        (MAIL.replace("'soc@example.org'", ""), "1 to 50 to addresses"),
        (MAIL.replace("soc@example.org", "soc"), "is no mail address"),
        (
            MAIL.replace("['soc@example.org']", "[\"soc@example.org\\r\\nBcc: x@example.org\"]"),
            "to",
        ),
        (WEBHOOK.replace("https://", "http://"), "is not encrypted"),
        (WEBHOOK.replace("https://", "ftp://"), "neither https:// nor http://"),
        (WEBHOOK.replace("example.org", "u:p@example.org"), "ends up in logs"),
        (WEBHOOK.replace("secret = 'env:S'", ""), "needs a secret"),
        (format!("{MAIL}quiet_hours = {{ from = '9:00', until = '10:00' }}"), "time of day"),
        (format!("{MAIL}quiet_hours = {{ from = '22:00', until = '24:00' }}"), "time of day"),
        (format!("{MAIL}quiet_hours = {{ from = '22:00', until = '22:00' }}"), "never end"),
        (format!("{MAIL}\n[[notify]]\n{MAIL}"), "two notify channels"),
    ] {
        let error = read(&text).unwrap_err();
        assert!(error.contains(words), "{words}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    let many: Vec<String> =
        (0..=CHANNELS_MAX).map(|n| MAIL.replace("'soc'", &format!("'c{n}'"))).collect();
    assert!(read(&many.join("[[notify]]\n")).unwrap_err().contains("more than 64"));
    assert!(read(&many[1..].join("[[notify]]\n")).is_ok());
}

#[test]
fn this_machine_needs_no_tls() {
    for host in ["localhost", "127.0.0.1", "[::1]"] {
        read(&format!("{}tls = 'none'", MAIL.replace("mail.example.org", host))).unwrap();
        read(&WEBHOOK.replace("https://example.org", &format!("http://{host}:80"))).unwrap();
    }
    let open = WEBHOOK.replace("https:", "http:");
    read(&format!("{open}allow_plain = true")).unwrap();
    assert!(!is_loopback("localhost.example.org") && !is_loopback("10.0.0.1"));
}

#[test]
fn a_channel_whose_secret_is_not_there_is_refused() {
    let notify = read(&WEBHOOK.replace("env:S", "file:/nonexistent/secret")).unwrap();
    let error = notify[0].channel().err().unwrap();
    assert!(error.contains("notify \"hook\": cannot read /nonexistent/secret"), "{error}");
    let notify = read(&format!("{MAIL}ca_file = '/nonexistent/ca'")).unwrap();
    assert!(notify[0].channel().err().unwrap().contains("cannot read ca_file"));
}
