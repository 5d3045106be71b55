//! Contexts in files of their own: `contexts/<id>.json`, durable before a record names them.

use crate::error::{Damage, JournalError};
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use yagura_disk::put::TEMPORARY_SUFFIX;
use yagura_disk::{File, Fs, create_dirs};
use yagura_event::{Context, ContextId};

/// Longest context accepted, in bytes of canonical JSON: names, a path and header lines.
/// A longer one is refused with [`JournalError::TooLarge`].
const CONTEXT_BYTES_MAX: usize = 1024 * 1024;

/// The contexts of one journal. They are kept as long as their tenant is: lake rows name them
/// too.
pub(crate) struct ContextStore {
    fs: Arc<dyn Fs>,
    dir: PathBuf,
    known: RwLock<HashMap<ContextId, Arc<Context>>>,
    /// One store at a time, so that a second caller waits until the file is durable.
    storing: Mutex<()>,
}

impl ContextStore {
    /// Loads all contexts; what is damaged is listed in `damage` and not known.
    pub fn open(
        fs: Arc<dyn Fs>,
        dir: PathBuf,
        damage: &mut Vec<Damage>,
    ) -> Result<Self, JournalError> {
        create_dirs(&*fs, &dir).map_err(JournalError::io("create", &dir))?;
        let mut known = HashMap::new();
        let names = fs.list(&dir).map_err(JournalError::io("list", &dir))?;
        for name in names {
            let path = dir.join(&name);
            if name.ends_with(TEMPORARY_SUFFIX) {
                fs.remove(&path).map_err(JournalError::io("remove", &path))?;
                continue;
            }
            let Some(id) = name.strip_suffix(".json") else { continue };
            let bytes = fs.read(&path).map_err(JournalError::io("read", &path))?;
            match serde_json::from_slice::<Context>(&bytes) {
                Ok(context) if context.id().to_string() == id => {
                    known.insert(context.id(), Arc::new(context));
                }
                _ => damage.push(Damage {
                    file: path,
                    offset: 0,
                    what: "context does not have the content its name says",
                }),
            }
        }
        // What a killed process wrote may be in the page cache only.
        fs.sync_dir(&dir).map_err(JournalError::io("sync", &dir))?;
        Ok(Self { fs, dir, known: RwLock::new(known), storing: Mutex::new(()) })
    }

    pub fn get(&self, id: ContextId) -> Option<Arc<Context>> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    pub fn contains(&self, id: ContextId) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).contains_key(&id)
    }

    /// Stores what is not stored yet, with one sync of the directory; durable on return.
    pub fn put(&self, contexts: &[Context]) -> Result<Vec<ContextId>, JournalError> {
        let ids: Vec<ContextId> = contexts.iter().map(Context::id).collect();
        if ids.iter().all(|&id| self.contains(id)) {
            return Ok(ids);
        }
        let _one: MutexGuard<'_, ()> = self.storing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut fresh = Vec::new();
        for (context, &id) in contexts.iter().zip(&ids) {
            if self.contains(id) || fresh.iter().any(|&(known, _)| known == id) {
                continue;
            }
            self.write(context, id)?;
            fresh.push((id, Arc::new(context.clone())));
        }
        self.fs.sync_dir(&self.dir).map_err(JournalError::io("sync", &self.dir))?;
        self.known.write().unwrap_or_else(PoisonError::into_inner).extend(fresh);
        Ok(ids)
    }

    /// Deletes those of a tenant, of whose records none is left anywhere; durable on return.
    pub fn erase(&self, tenant: &str) -> Result<(), JournalError> {
        let _one: MutexGuard<'_, ()> = self.storing.lock().unwrap_or_else(PoisonError::into_inner);
        let of_tenant: Vec<ContextId> = {
            let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
            let of = known.iter().filter(|(_, context)| context.tenant == tenant);
            of.map(|(id, _)| *id).collect()
        };
        for id in of_tenant {
            let path = self.dir.join(format!("{id}.json"));
            match self.fs.remove(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(JournalError::io("remove", &path)(error));
                }
                _ => {}
            }
        }
        self.fs.sync_dir(&self.dir).map_err(JournalError::io("sync", &self.dir))?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, context| context.tenant != tenant);
        Ok(())
    }

    fn write(&self, context: &Context, id: ContextId) -> Result<(), JournalError> {
        let json = context.canonical();
        if json.len() > CONTEXT_BYTES_MAX {
            return Err(JournalError::TooLarge { bytes: json.len(), limit: CONTEXT_BYTES_MAX });
        }
        let path = self.dir.join(format!("{id}.json"));
        let temporary = self.dir.join(format!("{id}{TEMPORARY_SUFFIX}"));
        let write = || {
            if self.fs.exists(&temporary)? {
                self.fs.remove(&temporary)?;
            }
            let mut file: Box<dyn File> = self.fs.create_new(&temporary)?;
            file.append(&json)?;
            file.sync()?;
            self.fs.rename(&temporary, &path)
        };
        write().map_err(JournalError::io("write", &path))
    }
}
