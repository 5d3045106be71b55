//! What can be configured: one `[[notify]]` for each channel, checked as a whole.

use crate::channel::{Channel, Transport};
use crate::mail::Mailer;
use crate::quiet::QuietHours;
use crate::secret::SecretRef;
use crate::webhook::Webhook;
use crate::zone::zone;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::sync::Arc;
use yagura_event::{Level, TenantName};

/// Most channels; each has a thread.
pub const CHANNELS_MAX: usize = 64;

/// Longest name of a channel, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// A way to tell somebody. Unknown keys are refused, and so are those of the other kind.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotifyConfig {
    /// Names the channel in the outbox; part of the notifications' ids.
    pub name: String,
    /// Mail or webhook.
    pub kind: Kind,
    /// Incidents that were at least this severe are told.
    #[serde(default = "high")]
    pub severity_min: Level,
    /// The customer whose incidents are told; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Language of mails; a webhook carries both.
    #[serde(default)]
    pub language: Language,
    /// Zone of the times in mails: IANA name or offset; that of the quiet hours, or UTC, where
    /// absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// Mail: the server's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp_host: Option<String>,
    /// Mail: the server's port; where absent 587, 465 (`implicit`) or 25 (`none`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smtp_port: Option<u16>,
    /// Mail: how the connection is encrypted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,
    /// Mail: the account, where the server wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// Mail: the account's password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<SecretRef>,
    /// Mail: the sender's address, with or without a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Mail: the recipients' addresses.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
    /// Webhook: where to post to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Webhook: what both sides know, to sign with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SecretRef>,
    /// Webhook: whether a URL without TLS may be that of another machine.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub allow_plain: bool,
    /// PEM file of the authorities trusted instead of the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// Hours in which only the urgent is sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHoursConfig>,
}

/// What a channel is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Mail by SMTP.
    Mail,
    /// An HTTP request with a signature.
    Webhook,
}

impl Kind {
    /// The word in configuration and outbox.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Webhook => "webhook",
        }
    }
}

/// The language of a channel's mails.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
    /// English, then Japanese, in one mail.
    Both,
}

/// How a connection to a mail server is encrypted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tls {
    /// After STARTTLS; a server that does not offer it gets nothing.
    #[default]
    Starttls,
    /// From the first byte.
    Implicit,
    /// Not at all; to this machine only.
    None,
}

/// Daily hours in which only the urgent is sent; the rest goes when they end.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuietHoursConfig {
    /// Beginning, such as `22:00`, included.
    pub from: String,
    /// End, such as `07:00`, not included; not after `from` it is that of the next day.
    pub until: String,
    /// Zone of the two: IANA name or offset; the channel's where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_zone: Option<String>,
    /// What is at least this severe is sent nevertheless.
    #[serde(default = "critical")]
    pub except_from: Level,
}

fn high() -> Level {
    Level::High
}

fn critical() -> Level {
    Level::Critical
}

/// Checks all channels without opening anything.
///
/// # Errors
/// A message that names the channel and what is wrong with it.
pub fn check_all(channels: &[NotifyConfig]) -> Result<(), String> {
    if channels.len() > CHANNELS_MAX {
        return Err(format!("there are more than {CHANNELS_MAX} notify channels"));
    }
    for (index, channel) in channels.iter().enumerate() {
        channel.check()?;
        let same = |other: &NotifyConfig| other.name == channel.name;
        if channels.get(..index).unwrap_or_default().iter().any(same) {
            return Err(format!("two notify channels are called {:?}", channel.name));
        }
    }
    Ok(())
}

impl NotifyConfig {
    /// Checks one channel without opening anything.
    ///
    /// # Errors
    /// A message that names the channel and what is wrong with it.
    pub fn check(&self) -> Result<(), String> {
        let wrong = |what: String| format!("notify {:?}: {what}", self.name);
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
        if self.name.is_empty() || self.name.len() > NAME_BYTES_MAX || !self.name.bytes().all(plain)
        {
            return Err(wrong("a name has 1 to 64 of a-z, 0-9, '-', '_' and '.'".to_owned()));
        }
        if let Some(tenant) = &self.tenant {
            TenantName::new(tenant).map_err(|e| wrong(e.to_string()))?;
        }
        self.zones().map_err(wrong)?;
        for (key, secret) in [("password", &self.password), ("secret", &self.secret)] {
            if let Some(secret) = secret {
                secret.check().map_err(|e| wrong(format!("{key}: {e}")))?;
            }
        }
        let strange = match self.kind {
            Kind::Mail => self.keys_of_webhooks(),
            Kind::Webhook => self.keys_of_mails(),
        };
        if let Some(key) = strange {
            return Err(wrong(format!("a {} has no key {key:?}", self.kind.word())));
        }
        match self.kind {
            Kind::Mail => Mailer::check(self),
            Kind::Webhook => Webhook::check(self),
        }
        .map_err(wrong)
    }

    fn keys_of_mails(&self) -> Option<&'static str> {
        [
            ("smtp_host", self.smtp_host.is_some()),
            ("smtp_port", self.smtp_port.is_some()),
            ("tls", self.tls.is_some()),
            ("username", self.username.is_some()),
            ("password", self.password.is_some()),
            ("from", self.from.is_some()),
            ("to", !self.to.is_empty()),
        ]
        .into_iter()
        .find_map(|(key, given)| given.then_some(key))
    }

    fn keys_of_webhooks(&self) -> Option<&'static str> {
        [
            ("url", self.url.is_some()),
            ("secret", self.secret.is_some()),
            ("allow_plain", self.allow_plain),
        ]
        .into_iter()
        .find_map(|(key, given)| given.then_some(key))
    }

    /// The zone of the channel's times, and its quiet hours.
    fn zones(&self) -> Result<(TimeZone, Option<QuietHours>), String> {
        let hours = self.quiet_hours.as_ref();
        let named = |name: &String| {
            zone(name).ok_or_else(|| {
                format!("time zone {name:?} is neither an IANA name nor an offset such as +09:00")
            })
        };
        let own = self.time_zone.as_ref().map(named).transpose()?;
        let of_hours = hours.and_then(|h| h.time_zone.as_ref()).map(named).transpose()?;
        let shown = own.clone().or_else(|| of_hours.clone()).unwrap_or(TimeZone::UTC);
        let Some(hours) = hours else { return Ok((shown, None)) };
        let (from, until) = (clock(&hours.from)?, clock(&hours.until)?);
        if from == until {
            return Err(format!("quiet hours from {} until {0} never end", hours.from));
        }
        let zone = of_hours.or(own).unwrap_or(TimeZone::UTC);
        let quiet = QuietHours { from, until, zone, except_from: hours.except_from };
        Ok((shown, Some(quiet)))
    }

    /// The channel, ready to send. Files and secrets that it names are looked at.
    pub(crate) fn channel(&self) -> Result<Channel, String> {
        self.check()?;
        let wrong = |what: String| format!("notify {:?}: {what}", self.name);
        let (zone, quiet) = self.zones().map_err(wrong)?;
        let transport: Arc<dyn Transport> = match self.kind {
            Kind::Mail => Arc::new(Mailer::new(self).map_err(wrong)?),
            Kind::Webhook => Arc::new(Webhook::new(self).map_err(wrong)?),
        };
        Ok(Channel {
            name: self.name.clone(),
            kind: self.kind,
            severity_min: self.severity_min,
            tenant: self.tenant.clone(),
            language: self.language,
            zone,
            quiet,
            transport,
        })
    }

    /// The bytes of `ca_file`.
    pub(crate) fn authorities(&self) -> Result<Option<Vec<u8>>, String> {
        let read = |path: &PathBuf| {
            std::fs::read(path).map_err(|e| format!("cannot read ca_file {}: {e}", path.display()))
        };
        self.ca_file.as_ref().map(read).transpose()
    }
}

/// A time of day as `22:00`.
fn clock(text: &str) -> Result<Time, String> {
    let wrong = || format!("{text:?} is not a time of day such as 22:00");
    let [h1, h0, b':', m1, m0] = text.as_bytes() else { return Err(wrong()) };
    let digit = |b: &u8| b.is_ascii_digit().then(|| (b - b'0').cast_signed()).ok_or_else(wrong);
    let (hour, minute) = (digit(h1)? * 10 + digit(h0)?, digit(m1)? * 10 + digit(m0)?);
    Time::new(hour, minute, 0, 0).map_err(|_| wrong())
}

/// Whether a host's name or address is this machine's.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What a channel looks like, for a configuration without any.
pub const NOTIFY_EXAMPLE: &str = "
#[[notify]]                   # tells people of incidents (repeatable)
#name = \"soc\"                 # names the channel
#kind = \"mail\"                # mail or webhook
#severity_min = \"high\"        # incidents that were at least this severe
#tenant = \"acme\"              # all tenants where absent
#language = \"both\"            # en, ja or both
#smtp_host = \"mail.example.org\"
#username = \"yagura\"
#password = \"env:SMTP_PASSWORD\"
#from = \"Yagura <yagura@example.org>\"
#to = [\"soc@example.org\"]
#[notify.quiet_hours]         # what is less than critical waits until they end
#from = \"22:00\"
#until = \"07:00\"
#time_zone = \"Asia/Tokyo\"

#[[notify]]
#name = \"tickets\"
#kind = \"webhook\"
#url = \"https://tickets.example.org/hooks/yagura\"
#secret = \"file:/etc/yagura/tickets.secret\"
";

/// One line for people on every key.
pub const NOTIFY_KEY_DOCS: &[(&str, &str)] = &[
    ("notify.name", "names the channel"),
    ("notify.kind", "mail or webhook"),
    ("notify.severity_min", "incidents that were at least this severe are told"),
    ("notify.tenant", "tenant whose incidents are told; all where absent"),
    ("notify.language", "language of mails: en, ja or both"),
    ("notify.time_zone", "zone of times in mails; that of the quiet hours, or UTC, where absent"),
    ("notify.smtp_host", "mail: the server's name"),
    ("notify.smtp_port", "mail: the server's port; 587, 465 (implicit) or 25 (none) where absent"),
    ("notify.tls", "mail: starttls, implicit, or none (to this machine only)"),
    ("notify.username", "mail: account, where the server wants one"),
    ("notify.password", "mail: the account's password, as env:NAME or file:PATH"),
    ("notify.from", "mail: the sender's address, with or without a name"),
    ("notify.to", "mail: the recipients' addresses"),
    ("notify.url", "webhook: where to post to"),
    ("notify.secret", "webhook: what to sign with, as env:NAME or file:PATH"),
    ("notify.allow_plain", "webhook: whether http:// may lead to another machine"),
    ("notify.ca_file", "PEM file of the authorities trusted instead of the public ones"),
    ("notify.quiet_hours.from", "beginning of the hours in which only the urgent is sent"),
    ("notify.quiet_hours.until", "their end, when the rest is sent"),
    ("notify.quiet_hours.time_zone", "zone of the two; the channel's where absent"),
    ("notify.quiet_hours.except_from", "what is at least this severe is sent nevertheless"),
];

#[cfg(test)]
mod tests;
