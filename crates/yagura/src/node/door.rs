//! Who may come in: the administrator's password, sessions, tokens of programs.

use crate::node::backend::NodeBackend;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use yagura_api::model::{NewToken, Token};
use yagura_api::{Access, ApiError, Caller, Kind, SignedIn};
use yagura_event::time::rfc3339;
use yagura_event::{Clock, Micros, SystemClock, TenantScope};
use yagura_meta::{Account, PeopleStore, SessionRow, TokenRow};

/// What people decided and who may come in, in the data directory.
pub const META_FILE: &str = "meta.sqlite";

/// The one account there is.
pub const ADMINISTRATOR: &str = "admin";

const ROLE: &str = "administrator";

/// How long a session lasts without being used.
const SESSION_LENGTH: Micros = 12 * 3_600 * 1_000_000;

/// How much of it may be gone before its end is written anew.
const SESSION_STEP: Micros = 300 * 1_000_000;

/// Wrong passwords from one address within [`TRIES_WINDOW`]; the next try is refused unheard.
const TRIES_MAX: usize = 10;
const TRIES_WINDOW: Duration = Duration::from_secs(60);

/// Addresses whose tries are remembered; beyond it all are forgotten.
const PEERS_MAX: usize = 10_000;

/// Characters of a generated password: 62 to the 20th, none of which look alike in most types.
const PASSWORD_CHARS: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
const PASSWORD_LENGTH: usize = 20;

/// Begins every token, so that people and scanners of secrets know one when they see it.
const TOKEN_PREFIX: &str = "yagura_";

/// Counts wrong passwords, and lets one password be tried at a time: each costs memory.
#[derive(Default)]
pub struct Door {
    tries: Mutex<HashMap<String, VecDeque<Instant>>>,
    hashing: Mutex<()>,
}

impl Door {
    /// Seconds to wait, where `peer` has tried too often.
    fn barred(&self, peer: &str) -> Option<u64> {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let list = tries.get_mut(peer)?;
        while list.front().is_some_and(|at| at.elapsed() > TRIES_WINDOW) {
            list.pop_front();
        }
        let oldest = list.front().filter(|_| list.len() >= TRIES_MAX)?;
        Some(TRIES_WINDOW.saturating_sub(oldest.elapsed()).as_secs() + 1)
    }

    fn wrong(&self, peer: &str) {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.len() >= PEERS_MAX {
            tries.clear();
        }
        let list = tries.entry(peer.to_owned()).or_default();
        list.push_back(Instant::now());
        if list.len() > TRIES_MAX {
            list.pop_front();
        }
    }

    fn right(&self, peer: &str) {
        self.tries.lock().unwrap_or_else(PoisonError::into_inner).remove(peer);
    }
}

/// Makes the administrator where there is none: gives the password then, which is stored nowhere.
///
/// # Errors
/// A store that cannot be written, a system without randomness.
pub fn first_password(store: &mut PeopleStore) -> anyhow::Result<Option<String>> {
    match store.account(ADMINISTRATOR)? {
        Some(_) => Ok(None),
        None => set_password(store).map(Some),
    }
}

/// Gives the administrator a new password and ends all sessions.
///
/// # Errors
/// A store that cannot be written, a system without randomness.
pub fn set_password(store: &mut PeopleStore) -> anyhow::Result<String> {
    let password = random_password()?;
    let salt = SaltString::encode_b64(&random::<16>()?).map_err(|e| anyhow::anyhow!("{e}"))?;
    let hash = argon()
        .hash_password(password.as_bytes(), &salt)
        .map_err(|e| anyhow::anyhow!("a password cannot be hashed: {e}"))?
        .to_string();
    let account = Account { name: ADMINISTRATOR.to_owned(), role: ROLE.to_owned(), password: hash };
    store.set_account(&account, SystemClock.now())?;
    Ok(password)
}

/// argon2id with 19 MiB, two passes and one lane: the least that OWASP's password storage page asks
/// for.
fn argon() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).unwrap_or_default();
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes).map_err(|e| anyhow::anyhow!("no randomness: {e}"))?;
    Ok(bytes)
}

/// Bytes that would make some characters likelier than others are thrown away.
fn random_password() -> anyhow::Result<String> {
    let fair = 256 - 256 % PASSWORD_CHARS.len();
    let mut text = String::new();
    while text.len() < PASSWORD_LENGTH {
        for byte in random::<32>()?.map(usize::from) {
            if byte < fair && text.len() < PASSWORD_LENGTH {
                text.push(char::from(PASSWORD_CHARS[byte % PASSWORD_CHARS.len()]));
            }
        }
    }
    Ok(text)
}

fn secret() -> Result<String, ApiError> {
    let bytes = random::<32>().map_err(ApiError::internal)?;
    Ok(blake3::Hash::from(bytes).to_hex().to_string())
}

/// Secrets are random: one plain hash of them tells nothing.
fn hash(secret: &str) -> String {
    blake3::hash(secret.as_bytes()).to_hex().to_string()
}

fn refused(code: &'static str, text: &str) -> ApiError {
    ApiError::new(Kind::Unauthorized, code, text)
}

fn person(row: SessionRow) -> Caller {
    let session = Some(SignedIn { csrf: row.csrf, expires: row.expires });
    let (id, scope) = (format!("account:{}", row.account), TenantScope::operator());
    Caller { name: row.account, id, role: row.role, scope, session }
}

fn view(row: TokenRow) -> Token {
    Token { id: row.id, name: row.name, by: row.by, time_dt: rfc3339(row.time) }
}

impl Access for NodeBackend {
    fn sign_in(&self, password: &str, peer: &str) -> Result<(String, Caller), ApiError> {
        let door = self.door();
        if let Some(seconds) = door.barred(peer) {
            let text = format!("too many wrong passwords; try again in {seconds} s");
            let mut error = ApiError::new(Kind::TooMany, "sign_in_limited", text);
            error.retry_after_s = Some(seconds);
            return Err(error);
        }
        let account = self.people().account(ADMINISTRATOR).map_err(ApiError::internal)?;
        let account = account.ok_or_else(|| ApiError::internal("there is no administrator"))?;
        let right = {
            let _one = door.hashing.lock().unwrap_or_else(PoisonError::into_inner);
            let stored = PasswordHash::new(&account.password).map_err(ApiError::internal)?;
            argon().verify_password(password.as_bytes(), &stored).is_ok()
        };
        if !right {
            door.wrong(peer);
            tracing::warn!(peer, "a sign-in with a wrong password");
            return Err(refused("sign_in_refused", "the password is wrong"));
        }
        door.right(peer);
        let (secret, csrf, now) = (secret()?, secret()?, SystemClock.now());
        let row = SessionRow {
            account: account.name,
            role: account.role,
            csrf,
            expires: now.saturating_add(SESSION_LENGTH),
        };
        let begun = self.people().begin_session(&hash(&secret), &row, now);
        begun.map_err(ApiError::internal)?;
        Ok((secret, person(row)))
    }

    fn session(&self, secret: &str) -> Result<Caller, ApiError> {
        let (hash, now) = (hash(secret), SystemClock.now());
        let people = self.people();
        let found = people.session(&hash, now).map_err(ApiError::internal)?;
        let mut row = found.ok_or_else(|| refused("session_required", "the session has ended"))?;
        let expires = now.saturating_add(SESSION_LENGTH);
        if expires.saturating_sub(row.expires) > SESSION_STEP {
            people.prolong_session(&hash, expires).map_err(ApiError::internal)?;
            row.expires = expires;
        }
        Ok(person(row))
    }

    fn sign_out(&self, secret: &str) -> Result<(), ApiError> {
        self.people().end_session(&hash(secret)).map_err(ApiError::internal)
    }

    fn token(&self, token: &str) -> Result<Caller, ApiError> {
        let found = self.people().token(&hash(token)).map_err(ApiError::internal)?;
        let row = found.ok_or_else(|| refused("token_unknown", "this token is not known"))?;
        let (name, role) = (format!("token:{}", row.name), ROLE.to_owned());
        let (id, scope) = (format!("token:{}", row.id), TenantScope::operator());
        Ok(Caller { name, id, role, scope, session: None })
    }

    fn tokens(&self) -> Result<Vec<Token>, ApiError> {
        let rows = self.people().tokens().map_err(ApiError::internal)?;
        Ok(rows.into_iter().map(view).collect())
    }

    fn add_token(&self, caller: &Caller, name: &str) -> Result<NewToken, ApiError> {
        let token = format!("{TOKEN_PREFIX}{}", secret()?);
        let id = secret()?.chars().take(12).collect();
        let (name, by, time) = (name.to_owned(), caller.name.clone(), SystemClock.now());
        let row = TokenRow { id, name, by, time };
        if !self.people().add_token(&hash(&token), &row).map_err(ApiError::internal)? {
            let text = "there are as many tokens as there may be; take one away";
            return Err(ApiError::new(Kind::TooMany, "tokens_too_many", text));
        }
        Ok(NewToken { id: row.id, name: row.name, token, time_dt: rfc3339(row.time) })
    }

    fn remove_token(&self, id: &str) -> Result<(), ApiError> {
        match self.people().remove_token(id).map_err(ApiError::internal)? {
            true => Ok(()),
            false => Err(ApiError::new(Kind::NotFound, "token_unknown", "there is no such token")),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn passwords_are_long_random_and_checked() {
        let dir = tempfile::tempdir().unwrap();
        let mut store = PeopleStore::open(&dir.path().join(META_FILE)).unwrap();
        let password = first_password(&mut store).unwrap().unwrap();
        assert_eq!(password.len(), PASSWORD_LENGTH);
        let stored = store.account(ADMINISTRATOR).unwrap().unwrap().password;
        assert!(stored.starts_with("$argon2id$") && !stored.contains(&password));
        let parsed = PasswordHash::new(&stored).unwrap();
        assert!(argon().verify_password(password.as_bytes(), &parsed).is_ok());
        assert!(argon().verify_password(b"other", &parsed).is_err());
        assert!(first_password(&mut store).unwrap().is_none());
        assert_ne!(set_password(&mut store).unwrap(), password);
    }

    #[test]
    fn who_tries_too_often_waits() {
        let door = Door::default();
        for _ in 0..TRIES_MAX {
            assert_eq!(door.barred("a"), None);
            door.wrong("a");
        }
        assert!(door.barred("a").is_some_and(|seconds| (1..=61).contains(&seconds)));
        assert_eq!(door.barred("b"), None);
        door.right("a");
        assert_eq!(door.barred("a"), None);
    }
}
