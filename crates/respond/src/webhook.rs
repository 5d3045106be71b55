//! Webhooks: the notification as signed JSON in an HTTP request.
//!
//! ```text
//! POST url
//! content-type: application/json
//! yagura-notification-id: <32 hexadecimal digits, the same at each try>
//! yagura-timestamp: <seconds since 1970 of this try>
//! yagura-signature: v1=<hexadecimal HMAC-SHA256 of timestamp "." body under the secret>
//! ```
//! A status of 200 to 299 means taken. Redirects are not followed: the body is meant for the
//! place that was configured. No proxy is used.

use crate::channel::{Failure, Transport};
use crate::clean;
use crate::config::{Kind, NotifyConfig, is_loopback};
use crate::secret::{Secret, SecretRef};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::io::Read;
use std::sync::Arc;
use std::time::Duration;
use ureq::Agent;
use ureq::http::{HeaderMap, StatusCode};
use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};
use url::Url;
use yagura_event::time::{Micros, SECOND};
use yagura_meta::outbox::Item;

/// Longest time that a try takes, from the look-up of the name to the end of the answer.
const TRY_TIME: Duration = Duration::from_secs(10);

/// Bytes of an answer that are read; the rest is left.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// Characters of an answer that are shown with its status.
const ANSWER_CHARS_SHOWN: usize = 200;

/// A webhook's peer.
pub(crate) struct Webhook {
    agent: Agent,
    url: String,
    secret: SecretRef,
}

impl Webhook {
    /// Checks the keys of a webhook.
    pub(crate) fn check(config: &NotifyConfig) -> Result<(), String> {
        let text = config.url.as_deref().ok_or("a webhook needs a url")?;
        let url = Url::parse(text).map_err(|e| format!("url: {e}"))?;
        let host = url.host_str().unwrap_or_default();
        match url.scheme() {
            "https" => {}
            "http" if config.allow_plain || is_loopback(host) => {}
            "http" => {
                return Err(format!(
                    "url: {host} is another machine and http:// is not encrypted; use https://, \
                     or set allow_plain = true"
                ));
            }
            other => return Err(format!("url: {other}:// is neither https:// nor http://")),
        }
        if host.is_empty() {
            return Err("url: there is no host".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("url: a password in a url ends up in logs; use secret".to_owned());
        }
        config.secret.as_ref().map(|_| ()).ok_or_else(|| "a webhook needs a secret".to_owned())
    }

    /// Makes it ready; checked before.
    pub(crate) fn new(config: &NotifyConfig) -> Result<Self, String> {
        let (Some(url), Some(secret)) = (config.url.clone(), config.secret.clone()) else {
            return Self::check(config).and(Err("a webhook needs a url".to_owned()));
        };
        secret.resolve()?;
        let mut tls = TlsConfig::builder();
        if let Some(pem) = config.authorities()? {
            tls = tls.root_certs(authorities(&pem)?);
        }
        let agent = Agent::config_builder()
            .timeout_global(Some(TRY_TIME))
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .proxy(None)
            .max_idle_connections(0)
            .https_only(url.starts_with("https:"))
            .user_agent(concat!("yagura/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls.build())
            .build()
            .new_agent();
        Ok(Self { agent, url, secret })
    }

    /// What went wrong below HTTP. The address may hold a token, so it is taken out.
    fn fault(&self, error: &ureq::Error) -> Failure {
        let text = error.to_string().replace(&self.url, "the url");
        Failure::passing(clean::shown(&text, 2 * ANSWER_CHARS_SHOWN))
    }
}

fn authorities(pem: &[u8]) -> Result<RootCerts, String> {
    let mut certificates = Vec::new();
    for item in parse_pem(pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|e| format!("ca_file: {e}"))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err("ca_file: there is no certificate in it".to_owned());
    }
    Ok(RootCerts::Specific(Arc::new(certificates)))
}

impl Transport for Webhook {
    fn send(&self, item: &Item, now: Micros) -> Result<Option<String>, Failure> {
        if item.kind != Kind::Webhook.word() {
            return Err(Failure::permanent(format!("it was written for a {}", item.kind)));
        }
        let secret = self.secret.resolve().map_err(Failure::passing)?;
        let timestamp = now.div_euclid(SECOND);
        let signature = signature(&secret, timestamp, item.payload.as_bytes());
        let mut answer = self
            .agent
            .post(&self.url)
            .header("content-type", "application/json")
            .header("yagura-notification-id", &item.id)
            .header("yagura-timestamp", timestamp.to_string())
            .header("yagura-signature", format!("v1={signature}"))
            .send(item.payload.as_bytes())
            .map_err(|e| self.fault(&e))?;
        let status = answer.status();
        let mut text = Vec::new();
        // What came before a fault is enough to show; the status has been said.
        let _ = answer.body_mut().as_reader().take(ANSWER_BYTES_MAX).read_to_end(&mut text);
        verdict(status, answer.headers(), &text, now)
    }
}

/// What an answer means.
fn verdict(
    status: StatusCode,
    headers: &HeaderMap,
    text: &[u8],
    now: Micros,
) -> Result<Option<String>, Failure> {
    if status.is_success() {
        return Ok(None);
    }
    let mut error = format!("status {}", status.as_u16());
    if status.is_redirection() {
        error.push_str(", and redirects are not followed");
    }
    let shown = clean::shown(String::from_utf8_lossy(text).trim(), ANSWER_CHARS_SHOWN);
    if !shown.is_empty() {
        error = format!("{error}: {shown}");
    }
    let wait =
        headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse::<i64>().ok());
    let permanent = status.is_client_error() && !matches!(status.as_u16(), 408 | 425 | 429);
    let not_before = wait.map(|seconds| now.saturating_add(seconds.saturating_mul(SECOND)));
    Err(Failure { error, permanent, not_before })
}

/// The signature of a body that is sent at `timestamp`, in seconds since 1970: HMAC-SHA256
/// (RFC 2104) of timestamp, a full stop and the body, in lower-case hexadecimal digits.
pub fn signature(secret: &Secret, timestamp: i64, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()) else {
        // A key of any length is taken.
        return String::new();
    };
    mac.update(timestamp.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_what_other_implementations_make() {
        // printf '1800000000.{"a":1}' | openssl dgst -sha256 -hmac 'swordfish'
        let secret = Secret::new("swordfish".to_owned());
        assert_eq!(
            signature(&secret, 1_800_000_000, br#"{"a":1}"#),
            "f5b2d06fb8686a99aaf700e8ce5947753554aabd18e729eb4d189f63e19b928e"
        );
        assert_ne!(
            signature(&secret, 1_800_000_001, br#"{"a":1}"#),
            signature(&secret, 1_800_000_000, br#"{"a":1}"#)
        );
    }

    #[test]
    fn answers_are_taken_at_their_word() {
        let mut headers = HeaderMap::new();
        let mut ask = |status: u16, wait: Option<&'static str>| {
            headers.clear();
            if let Some(wait) = wait {
                headers.insert("retry-after", wait.parse().unwrap());
            }
            verdict(StatusCode::from_u16(status).unwrap(), &headers, b"no\x1b\n", 7)
        };
        for status in [200, 202, 204] {
            assert_eq!(ask(status, None), Ok(None));
        }
        for (status, permanent) in [
            (302, false),
            (400, true),
            (401, true),
            (404, true),
            (408, false),
            (410, true),
            (425, false),
            (429, false),
            (500, false),
            (503, false),
        ] {
            assert_eq!(ask(status, None).unwrap_err().permanent, permanent, "{status}");
        }
        let failure = ask(503, Some("60")).unwrap_err();
        assert_eq!(failure.not_before, Some(7 + 60 * SECOND));
        assert_eq!(failure.error, "status 503: no\\x1b");
        assert_eq!(ask(503, Some("Fri, 31 Dec 1999 23:59:59 GMT")).unwrap_err().not_before, None);
    }
}
