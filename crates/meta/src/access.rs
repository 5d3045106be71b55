//! Who may come in: accounts, sessions, tokens of programs. Secrets are stored as hashes.

use crate::error::{During, MetaError};
use crate::people::PeopleStore;
use rusqlite::{OptionalExtension, params};
use yagura_event::time::Micros;

/// Most tokens at a time.
pub const TOKENS_MAX: usize = 1_000;

/// Most sessions of an account; the oldest goes when one more comes.
pub const SESSIONS_MAX: usize = 50;

/// A person who may sign in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Account {
    /// Its name.
    pub name: String,
    /// What it may do; `administrator` is the only role there is.
    pub role: String,
    /// The password's argon2id string.
    pub password: String,
}

/// Somebody signed in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SessionRow {
    /// Whose.
    pub account: String,
    /// The account's role.
    pub role: String,
    /// What a request that changes something has to name.
    pub csrf: String,
    /// When it ends.
    pub expires: Micros,
}

/// A token of a program.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenRow {
    /// Its id, which is no secret.
    pub id: String,
    /// What it is for.
    pub name: String,
    /// Who made it.
    pub by: String,
    /// When.
    pub time: Micros,
}

impl PeopleStore {
    /// An account.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn account(&self, name: &str) -> Result<Option<Account>, MetaError> {
        self.conn
            .prepare_cached("SELECT name, role, password FROM accounts WHERE name = ?1")
            .and_then(|mut s| {
                let row = |r: &rusqlite::Row<'_>| {
                    Ok(Account { name: r.get(0)?, role: r.get(1)?, password: r.get(2)? })
                };
                s.query_row([name], row).optional()
            })
            .during("look an account up")
    }

    /// Makes an account, or gives one another password and ends its sessions.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn set_account(&mut self, account: &Account, now: Micros) -> Result<(), MetaError> {
        let tx = self.conn.transaction().during("write an account")?;
        tx.execute("DELETE FROM sessions WHERE account = ?1", [&account.name])
            .during("end an account's sessions")?;
        tx.execute(
            "INSERT INTO accounts VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO UPDATE
             SET role = excluded.role, password = excluded.password, time = excluded.time",
            params![account.name, account.role, account.password, now],
        )
        .during("write an account")?;
        tx.commit().during("write an account")
    }

    /// Begins a session; those that ended are forgotten.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn begin_session(
        &mut self,
        hash: &str,
        session: &SessionRow,
        now: Micros,
    ) -> Result<(), MetaError> {
        let tx = self.conn.transaction().during("begin a session")?;
        tx.execute("DELETE FROM sessions WHERE expires <= ?1", [now]).during("begin a session")?;
        tx.execute(
            "DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE account = ?1
             ORDER BY created DESC LIMIT -1 OFFSET ?2)",
            params![session.account, SESSIONS_MAX as i64 - 1],
        )
        .during("begin a session")?;
        tx.execute(
            "INSERT INTO sessions VALUES (?1, ?2, ?3, ?4, ?5)",
            params![hash, session.account, session.csrf, now, session.expires],
        )
        .during("begin a session")?;
        tx.commit().during("begin a session")
    }

    /// The session of a hash, if it has not ended.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn session(&self, hash: &str, now: Micros) -> Result<Option<SessionRow>, MetaError> {
        self.conn
            .prepare_cached(
                "SELECT s.account, a.role, s.csrf, s.expires FROM sessions s
                 JOIN accounts a ON a.name = s.account WHERE s.hash = ?1 AND s.expires > ?2",
            )
            .and_then(|mut s| {
                s.query_row(params![hash, now], |r| {
                    Ok(SessionRow {
                        account: r.get(0)?,
                        role: r.get(1)?,
                        csrf: r.get(2)?,
                        expires: r.get(3)?,
                    })
                })
                .optional()
            })
            .during("look a session up")
    }

    /// Lets a session end later.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn prolong_session(&self, hash: &str, expires: Micros) -> Result<(), MetaError> {
        self.conn
            .execute("UPDATE sessions SET expires = ?2 WHERE hash = ?1", params![hash, expires])
            .during("prolong a session")?;
        Ok(())
    }

    /// Ends a session.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn end_session(&self, hash: &str) -> Result<(), MetaError> {
        self.conn
            .execute("DELETE FROM sessions WHERE hash = ?1", [hash])
            .during("end a session")?;
        Ok(())
    }

    /// Adds a token; `false` where there are [`TOKENS_MAX`].
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn add_token(&self, hash: &str, token: &TokenRow) -> Result<bool, MetaError> {
        let added = self
            .conn
            .execute(
                "INSERT INTO tokens SELECT ?1, ?2, ?3, ?4, ?5
                 WHERE (SELECT count(*) FROM tokens) < ?6",
                params![token.id, token.name, hash, token.by, token.time, TOKENS_MAX as i64],
            )
            .during("add a token")?;
        Ok(added == 1)
    }

    /// The token of a hash.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn token(&self, hash: &str) -> Result<Option<TokenRow>, MetaError> {
        self.conn
            .prepare_cached("SELECT id, name, by, time FROM tokens WHERE hash = ?1")
            .and_then(|mut s| s.query_row([hash], token).optional())
            .during("look a token up")
    }

    /// All tokens, oldest first.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn tokens(&self) -> Result<Vec<TokenRow>, MetaError> {
        self.conn
            .prepare_cached("SELECT id, name, by, time FROM tokens ORDER BY time, id")
            .and_then(|mut s| s.query_map([], token)?.collect())
            .during("read the tokens")
    }

    /// Takes a token away; `false` where there is none.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn remove_token(&self, id: &str) -> Result<bool, MetaError> {
        let removed = self
            .conn
            .execute("DELETE FROM tokens WHERE id = ?1", [id])
            .during("take a token away")?;
        Ok(removed == 1)
    }
}

fn token(row: &rusqlite::Row<'_>) -> rusqlite::Result<TokenRow> {
    Ok(TokenRow { id: row.get(0)?, name: row.get(1)?, by: row.get(2)?, time: row.get(3)? })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn store() -> (tempfile::TempDir, PeopleStore) {
        let dir = tempfile::tempdir().unwrap();
        let store = PeopleStore::open(&dir.path().join("meta.sqlite")).unwrap();
        (dir, store)
    }

    fn account(password: &str) -> Account {
        let text = str::to_owned;
        Account { name: text("admin"), role: text("administrator"), password: text(password) }
    }

    fn session(csrf: &str, expires: Micros) -> SessionRow {
        let (account, role) = ("admin".to_owned(), "administrator".to_owned());
        SessionRow { account, role, csrf: csrf.to_owned(), expires }
    }

    #[test]
    fn sessions_end_and_a_new_password_ends_them_all() {
        let (_dir, mut store) = store();
        store.set_account(&account("one"), 1).unwrap();
        store.begin_session("h1", &session("c1", 100), 10).unwrap();
        assert_eq!(store.session("h1", 99).unwrap(), Some(session("c1", 100)));
        assert_eq!(store.session("h1", 100).unwrap(), None);
        store.prolong_session("h1", 200).unwrap();
        assert_eq!(store.session("h1", 100).unwrap().map(|s| s.expires), Some(200));
        store.begin_session("h2", &session("c2", 300), 20).unwrap();
        store.end_session("h1").unwrap();
        assert_eq!(store.session("h1", 20).unwrap(), None);
        store.set_account(&account("two"), 2).unwrap();
        assert_eq!(store.session("h2", 20).unwrap(), None);
        assert_eq!(store.account("admin").unwrap(), Some(account("two")));
    }

    #[test]
    fn the_oldest_session_goes_when_there_are_too_many() {
        let (_dir, mut store) = store();
        store.set_account(&account("one"), 1).unwrap();
        for number in 0..=SESSIONS_MAX as i64 {
            let (hash, expires) = (format!("h{number}"), 1_000);
            store.begin_session(&hash, &session("c", expires), number).unwrap();
        }
        assert_eq!(store.session("h0", 60).unwrap(), None);
        assert!(store.session("h1", 60).unwrap().is_some());
    }

    #[test]
    fn tokens_come_and_go() {
        let (_dir, store) = store();
        let text = str::to_owned;
        let row = TokenRow { id: text("t1"), name: text("shipper"), by: text("admin"), time: 5 };
        assert!(store.add_token("hash", &row).unwrap());
        assert_eq!(store.token("hash").unwrap(), Some(row.clone()));
        assert_eq!(store.tokens().unwrap(), [row]);
        assert!(store.remove_token("t1").unwrap());
        assert!(!store.remove_token("t1").unwrap());
        assert_eq!(store.token("hash").unwrap(), None);
    }
}
