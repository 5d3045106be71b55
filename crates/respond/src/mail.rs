//! Mail by SMTP (RFC 5321): plain text, one message to all recipients.
//!
//! A recipient that the server refuses for good does not keep the others from being told; it is
//! noted with the notification. One refused for the time being makes the whole wait at first, so
//! that nobody gets it twice, and is left out after [`PATIENT_TRIES`].

use crate::channel::{Failure, Transport};
use crate::clean;
use crate::config::{Kind, NotifyConfig, Tls, is_loopback};
use crate::mime::{Envelope, Mailbox, message};
use crate::payload::Mail;
use crate::secret::SecretRef;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    Certificate, CertificateStore, SmtpConnection, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::commands::{Data, Mail as MailFrom, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{Error as SmtpError, SUBMISSION_PORT, SUBMISSIONS_PORT};
use std::time::Duration;
use yagura_event::time::Micros;
use yagura_meta::outbox::Item;

/// Longest wait for one answer of the server.
const ANSWER_TIME: Duration = Duration::from_secs(10);

/// Most recipients of a channel; a list server reaches more.
const RECIPIENTS_MAX: usize = 50;

/// Tries that wait for recipients whom the server refuses for the time being: about two minutes.
const PATIENT_TRIES: u32 = 5;

/// Characters of a server's answer that are shown.
const ANSWER_CHARS_SHOWN: usize = 300;

/// Port of servers that take mail without encryption.
const PLAIN_PORT: u16 = 25;

/// A mail server with those who are to be told through it.
pub(crate) struct Mailer {
    host: String,
    port: u16,
    tls: Option<TlsParameters>,
    implicit: bool,
    account: Option<(String, SecretRef)>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

impl Mailer {
    /// Checks the keys of a mail channel.
    pub(crate) fn check(config: &NotifyConfig) -> Result<(), String> {
        let host = config.smtp_host.as_deref().ok_or("mail needs an smtp_host")?;
        let sound = |b: u8| b.is_ascii_alphanumeric() || b"-.:[]".contains(&b);
        if host.is_empty() || host.len() > 253 || !host.bytes().all(sound) {
            return Err(format!("smtp_host {host:?} is no host name"));
        }
        if config.tls == Some(Tls::None) && !is_loopback(host) {
            return Err(format!(
                "tls = \"none\" is for this machine only, and {host} is another; use starttls or \
                 implicit"
            ));
        }
        if config.username.is_some() != config.password.is_some() {
            return Err("username and password belong together".to_owned());
        }
        mailbox("from", config.from.as_deref().ok_or("mail needs a from address")?)?;
        if config.to.is_empty() || config.to.len() > RECIPIENTS_MAX {
            return Err(format!("mail needs 1 to {RECIPIENTS_MAX} to addresses"));
        }
        config.to.iter().try_for_each(|to| mailbox("to", to).map(|_| ()))
    }

    /// Makes it ready; checked before.
    pub(crate) fn new(config: &NotifyConfig) -> Result<Self, String> {
        Self::check(config)?;
        let host = config.smtp_host.clone().unwrap_or_default();
        let tls = config.tls.unwrap_or_default();
        let port = config.smtp_port.unwrap_or(match tls {
            Tls::Starttls => SUBMISSION_PORT,
            Tls::Implicit => SUBMISSIONS_PORT,
            Tls::None => PLAIN_PORT,
        });
        let account = config.username.clone().zip(config.password.clone());
        if let Some((_, password)) = &account {
            password.resolve()?;
        }
        Ok(Self {
            tls: if tls == Tls::None { None } else { Some(trust(&host, config)?) },
            implicit: tls == Tls::Implicit,
            host,
            port,
            account,
            from: mailbox("from", config.from.as_deref().unwrap_or_default())?,
            to: config.to.iter().map(|to| mailbox("to", to)).collect::<Result<_, _>>()?,
        })
    }

    fn connect(&self) -> Result<SmtpConnection, Failure> {
        let hello = ClientId::Domain(self.from.email.domain().to_owned());
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        let implicit = self.tls.as_ref().filter(|_| self.implicit);
        let to = (bare, self.port);
        let mut conn = SmtpConnection::connect(to, Some(ANSWER_TIME), &hello, implicit, None)
            .map_err(|e| fault("connect", &e))?;
        let made = self.secure(&mut conn, &hello);
        if made.is_err() {
            conn.abort();
        }
        made.map(|()| conn)
    }

    fn secure(&self, conn: &mut SmtpConnection, hello: &ClientId) -> Result<(), Failure> {
        if let Some(tls) = self.tls.as_ref().filter(|_| !self.implicit) {
            if !conn.can_starttls() {
                return Err(Failure::passing("the server offers no STARTTLS"));
            }
            conn.starttls(tls, hello).map_err(|e| fault("STARTTLS", &e))?;
        }
        if let Some((user, password)) = &self.account {
            let password = password.resolve().map_err(Failure::passing)?;
            let account = Credentials::new(user.clone(), password.expose().to_owned());
            conn.auth(&[Mechanism::Plain, Mechanism::Login], &account)
                .map_err(|e| fault("log on", &e))?;
        }
        Ok(())
    }

    /// Hands the message over; what the server said of recipients that it refused.
    fn converse(
        &self,
        conn: &mut SmtpConnection,
        message: &[u8],
        patient: bool,
    ) -> Result<Option<String>, Failure> {
        conn.command(MailFrom::new(Some(self.from.email.clone()), Vec::new()))
            .map_err(|e| fault("name the sender", &e))?;
        let (mut refused, mut passing) = (Vec::new(), false);
        for to in &self.to {
            let Err(error) = conn.command(Rcpt::new(to.email.clone(), Vec::new())) else {
                continue;
            };
            // Without a code the connection is gone, and nobody was refused.
            if error.status().is_none() || (patient && error.is_transient()) {
                return Err(fault("name a recipient", &error));
            }
            passing |= error.is_transient();
            refused.push(format!("{}: {}", to.email, said(&error)));
        }
        let note = (!refused.is_empty()).then(|| format!("refused: {}", refused.join("; ")));
        if refused.len() == self.to.len() {
            let error = note.unwrap_or_default();
            return Err(Failure { error, permanent: !passing, not_before: None });
        }
        conn.command(Data).map_err(|e| fault("begin the message", &e))?;
        conn.message(message).map_err(|e| fault("send the message", &e))?;
        Ok(note)
    }
}

impl Transport for Mailer {
    fn send(&self, item: &Item, _: Micros) -> Result<Option<String>, Failure> {
        if item.kind != Kind::Mail.word() {
            return Err(Failure::permanent(format!("it was written for a {}", item.kind)));
        }
        let mail: Mail = serde_json::from_str(&item.payload)
            .map_err(|_| Failure::permanent("it does not read back"))?;
        let (from, to) = (&self.from, self.to.as_slice());
        let message = message(&Envelope { id: &item.id, created: item.created, from, to }, &mail);
        let mut conn = self.connect()?;
        let result = self.converse(&mut conn, message.as_bytes(), item.attempts < PATIENT_TRIES);
        if result.is_ok() {
            // It is taken, whatever the server says to a farewell.
            let _ = conn.quit();
        } else {
            conn.abort();
        }
        result
    }
}

fn mailbox(key: &str, text: &str) -> Result<Mailbox, String> {
    Mailbox::parse(text).map_err(|e| format!("{key}: {e}"))
}

/// Whom to trust, and the name that a certificate must have.
fn trust(host: &str, config: &NotifyConfig) -> Result<TlsParameters, String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let builder = TlsParametersBuilder::new(bare);
    let builder = match config.authorities()? {
        None => builder.certificate_store(CertificateStore::WebpkiRoots),
        Some(pem) => {
            let authority = Certificate::from_pem(&pem).map_err(|e| format!("ca_file: {e}"))?;
            builder.certificate_store(CertificateStore::None).add_root_certificate(authority)
        }
    };
    builder.build_rustls().map_err(|e| format!("tls: {e}"))
}

/// A code of 500 and above is for good, all else may pass.
fn fault(action: &str, error: &SmtpError) -> Failure {
    let text = format!("cannot {action}: {}", said(error));
    Failure { error: text, permanent: error.is_permanent(), not_before: None }
}

fn said(error: &SmtpError) -> String {
    clean::shown(&error.to_string(), ANSWER_CHARS_SHOWN)
}

#[cfg(test)]
mod tests;
