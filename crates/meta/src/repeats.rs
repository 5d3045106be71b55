//! Requests that were carried out under a key of their caller's, so that a repeat makes nothing a
//! second time, also over a restart.

use crate::error::{During, MetaError};
use crate::people::PeopleStore;
use rusqlite::{OptionalExtension, params};
use yagura_event::time::{DAY, Micros};

/// How long a key is known.
pub const KEY_AGE_MAX: Micros = DAY;

/// Most keys of one caller, and of all callers together. Beyond it the oldest is forgotten: an answer
/// may be as long as a saved search, 64 KiB.
pub const KEYS_OF_CALLER_MAX: usize = 1_000;
/// See [`KEYS_OF_CALLER_MAX`].
pub const KEYS_MAX: usize = 10_000;

/// A row without a `status` is of a request that was begun and whose end nobody noted. `body` is null
/// where the answer held a secret. The customers of what was made are not told apart here.
pub(crate) const REPEATS_TABLE: &str = "
CREATE TABLE IF NOT EXISTS repeats (
    seq INTEGER PRIMARY KEY, caller TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL,
    time INTEGER NOT NULL, status INTEGER, body TEXT, UNIQUE (caller, key)
) STRICT;
";

/// A request with a key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyedRequest {
    /// Who sent it: the same word for the same caller.
    pub caller: String,
    /// The caller's key.
    pub key: String,
    /// The hash of what was asked for.
    pub digest: String,
}

/// What is known of an earlier request with the same key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EarlierRow {
    /// The hash of what was asked for.
    pub digest: String,
    /// Status of the answer; `None` where nobody knows how it ended.
    pub status: Option<u16>,
    /// Body of the answer; `None` where it was not to be kept.
    pub body: Option<String>,
}

impl PeopleStore {
    /// Notes that a request is carried out, and gives `None`; where its caller has used the key
    /// within [`KEY_AGE_MAX`], gives what is known of that.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn begin_keyed(
        &mut self,
        request: &KeyedRequest,
        now: Micros,
    ) -> Result<Option<EarlierRow>, MetaError> {
        let KeyedRequest { caller, key, digest } = request;
        let what = "note a request's key";
        let tx = self.change(what)?;
        tx.execute("DELETE FROM repeats WHERE time <= ?1", [now.saturating_sub(KEY_AGE_MAX)])
            .during(what)?;
        let earlier = tx
            .query_row(
                "SELECT digest, status, body FROM repeats WHERE caller = ?1 AND key = ?2",
                [caller, key],
                |r| Ok(EarlierRow { digest: r.get(0)?, status: r.get(1)?, body: r.get(2)? }),
            )
            .optional()
            .during("look a request's key up")?;
        if earlier.is_none() {
            tx.execute(
                "INSERT INTO repeats (caller, key, digest, time) VALUES (?1, ?2, ?3, ?4)",
                params![caller, key, digest, now],
            )
            .during(what)?;
            tx.execute(
                "DELETE FROM repeats WHERE caller = ?1 AND seq NOT IN
                 (SELECT seq FROM repeats WHERE caller = ?1 ORDER BY seq DESC LIMIT ?2)",
                params![caller, KEYS_OF_CALLER_MAX as i64],
            )
            .during(what)?;
            tx.execute(
                "DELETE FROM repeats WHERE seq NOT IN
                 (SELECT seq FROM repeats ORDER BY seq DESC LIMIT ?1)",
                [KEYS_MAX as i64],
            )
            .during(what)?;
        }
        tx.commit().during(what)?;
        Ok(earlier)
    }

    /// Notes how a request was answered; `body` is `None` where it is not to be kept.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn end_keyed(
        &self,
        request: &KeyedRequest,
        status: u16,
        body: Option<&str>,
    ) -> Result<(), MetaError> {
        self.conn
            .execute(
                "UPDATE repeats SET status = ?3, body = ?4 WHERE caller = ?1 AND key = ?2",
                params![request.caller, request.key, status, body],
            )
            .during("note a request's answer")
            .map(drop)
    }

    /// Forgets a request that was refused.
    ///
    /// # Errors
    /// [`MetaError::Sqlite`].
    pub fn forget_keyed(&self, request: &KeyedRequest) -> Result<(), MetaError> {
        self.conn
            .execute(
                "DELETE FROM repeats WHERE caller = ?1 AND key = ?2 AND status IS NULL",
                [&request.caller, &request.key],
            )
            .during("forget a request's key")
            .map(drop)
    }
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

    fn asked(caller: &str, key: &str) -> KeyedRequest {
        let text = str::to_owned;
        KeyedRequest { caller: text(caller), key: text(key), digest: text("d1") }
    }

    #[test]
    fn a_key_is_known_for_a_day_and_to_its_caller_alone() {
        let (dir, mut store) = store();
        let one = asked("a", "k");
        assert_eq!(store.begin_keyed(&one, 0).unwrap(), None);
        let begun = EarlierRow { digest: "d1".to_owned(), status: None, body: None };
        assert_eq!(store.begin_keyed(&one, 1).unwrap(), Some(begun.clone()));
        store.end_keyed(&one, 201, Some("{}")).unwrap();
        // A store that was opened anew knows it, too.
        drop(store);
        let mut store = PeopleStore::open(&dir.path().join("meta.sqlite")).unwrap();
        let body = Some("{}".to_owned());
        let ended = EarlierRow { status: Some(201), body, ..begun };
        assert_eq!(store.begin_keyed(&one, KEY_AGE_MAX - 1).unwrap(), Some(ended));
        assert_eq!(store.begin_keyed(&asked("b", "k"), 2).unwrap(), None);
        assert_eq!(store.begin_keyed(&one, KEY_AGE_MAX).unwrap(), None);
    }

    #[test]
    fn a_refused_request_leaves_its_key_free_and_an_answered_one_does_not() {
        let (_dir, mut store) = store();
        let (refused, made) = (asked("a", "refused"), asked("a", "made"));
        store.begin_keyed(&refused, 0).unwrap();
        store.forget_keyed(&refused).unwrap();
        assert_eq!(store.begin_keyed(&refused, 1).unwrap(), None);
        store.begin_keyed(&made, 0).unwrap();
        store.end_keyed(&made, 201, None).unwrap();
        store.forget_keyed(&made).unwrap();
        let earlier = store.begin_keyed(&made, 1).unwrap().unwrap();
        assert_eq!((earlier.status, earlier.body), (Some(201), None));
    }

    #[test]
    fn the_oldest_key_of_a_caller_goes_when_there_are_too_many() {
        let (_dir, mut store) = store();
        store.begin_keyed(&asked("b", "other"), 0).unwrap();
        for number in 0..KEYS_OF_CALLER_MAX {
            store.begin_keyed(&asked("a", &number.to_string()), 0).unwrap();
        }
        assert!(store.begin_keyed(&asked("a", "0"), 0).unwrap().is_some());
        assert_eq!(store.begin_keyed(&asked("a", "one more"), 0).unwrap(), None);
        assert!(store.begin_keyed(&asked("a", "1"), 0).unwrap().is_some());
        assert!(store.begin_keyed(&asked("b", "other"), 0).unwrap().is_some());
        assert_eq!(store.begin_keyed(&asked("a", "0"), 0).unwrap(), None);
    }
}
