//! The one object that a host holds.
//!
//! Owns the life of the core's device (open, locked, unlocked), the order of calls on a screening, and the two
//! nets under every call: a panic becomes `Internal`, and a refusal is logged by its code. Never holds a lock
//! while the host is called, never keeps a key once locked.

mod content;
mod look;
mod screening;
mod sharing;
mod sync;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use amparo_core::device as core;
use amparo_core::pack::Trust;
use amparo_core::random::Entropy;
use amparo_core::secret::Key;
use amparo_core::time::Clock;

use crate::errors::FieldError;
use crate::folder::{self, Found, STORE};
use crate::host::{KeyStore, LogLevel, LogSink, SystemClock, SystemEntropy};
use crate::keyfile;
use crate::requests::OpenRequest;

/// The device: one for the life of the process. Every method blocks; call it off the thread that draws. It may
/// be used from any thread.
#[derive(uniffi::Object)]
pub struct Device {
    folder: PathBuf,
    trust: Trust,
    pub(crate) clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    log: Option<Arc<dyn LogSink>>,
    /// None while locked. Shared with the syncs that run, which hold no lock.
    open: RwLock<Option<Arc<core::Device>>>,
    /// One call on screenings at a time, so that the view that it returns is of one moment.
    turn: Mutex<()>,
    #[cfg(feature = "testing")]
    pub(crate) fixed: Option<Arc<amparo_core::time::FixedClock>>,
}

impl std::fmt::Debug for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Device")
    }
}

#[uniffi::export]
impl Device {
    /// Makes a new store in the folder and opens it. The key is 32 random bytes; wipe your copy afterwards.
    ///
    /// # Errors
    /// `WrongState` with `store-exists`; `InvalidInput` for a key of another length; `PackRejected` for a bad
    /// root file; `DiskFull`, `Internal`.
    #[uniffi::constructor]
    pub fn create(
        request: OpenRequest,
        key: &[u8],
        log: Option<Arc<dyn LogSink>>,
    ) -> Result<Arc<Self>, FieldError> {
        guarded("create", || {
            let device = Self::new(&request, log)?;
            device.enter(Entry::Create, &keyfile::key(key)?)?;
            Ok(device)
        })
    }

    /// Opens the store in the folder. Nothing is ever deleted: a damaged store is set aside, and said.
    ///
    /// # Errors
    /// `NotFound` where there is no store; `WrongKey`, `StoreTooNew`, `StoreDamaged`, `Busy`, `DiskFull`.
    #[uniffi::constructor]
    pub fn open(
        request: OpenRequest,
        key: &[u8],
        log: Option<Arc<dyn LogSink>>,
    ) -> Result<Arc<Self>, FieldError> {
        guarded("open", || {
            let device = Self::new(&request, log)?;
            device.enter(Entry::Open, &keyfile::key(key)?)?;
            Ok(device)
        })
    }

    /// Opens the store in the folder with the key that the host's keystore unwraps; at the first run draws the
    /// key, has it wrapped, writes `store.key`, and makes the store. What an app calls.
    ///
    /// # Errors
    /// Those of `open`; `StoreDamaged` also where a store was set aside or is gone and what belongs to it is here: an
    /// empty one in its place would look whole. `KeyLost` where a store is there and its key file or wrapping key is
    /// not; `NeedsUser`; `Host` when the keystore fails otherwise.
    #[uniffi::constructor]
    pub fn open_with_keystore(
        request: OpenRequest,
        keystore: Arc<dyn KeyStore>,
        log: Option<Arc<dyn LogSink>>,
    ) -> Result<Arc<Self>, FieldError> {
        guarded("open_with_keystore", || {
            let device = Self::new(&request, log)?;
            device.enter_with(&*keystore)?;
            Ok(device)
        })
    }

    /// Closes the store and wipes its key from memory, once calls that are running have ended. The object
    /// stays; every other call is `WrongState` with `locked` until `unlock`. Call it when the app goes to the
    /// background or the phone locks. Locking twice is no error. A sync that waits for its transport holds nothing
    /// up: it ends with `locked`, and the key is wiped, as soon as the transport returns.
    ///
    /// # Errors
    /// `Internal`.
    pub fn lock(&self) -> Result<(), FieldError> {
        guarded("lock", || {
            let device = self.open.write().unwrap_or_else(PoisonError::into_inner).take();
            // Dropped outside the lock: dropping writes the store home and wipes the keys.
            drop(device);
            self.say(LogLevel::Info, "locked", "");
            Ok(())
        })
    }

    /// Opens the store again after `lock`. No error when it is open already.
    ///
    /// # Errors
    /// Those of `open`.
    pub fn unlock(&self, key: &[u8]) -> Result<(), FieldError> {
        guarded("unlock", || self.enter(Entry::Open, &keyfile::key(key)?))
    }

    /// Opens the store again after `lock`, with the key that the host's keystore unwraps.
    ///
    /// # Errors
    /// Those of `open_with_keystore`.
    pub fn unlock_with_keystore(&self, keystore: Arc<dyn KeyStore>) -> Result<(), FieldError> {
        guarded("unlock_with_keystore", || self.enter_with(&*keystore))
    }

    /// True between `lock` and `unlock`.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.open.read().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Writes everything home and lets go of what can be read again, without locking. Call it when memory is
    /// short.
    ///
    /// # Errors
    /// `WrongState` while locked; `StoreDamaged`, `DiskFull`, `Busy`, `Internal`.
    pub fn rest(&self) -> Result<(), FieldError> {
        self.call("rest", core::Device::rest)
    }
}

/// Whether the store is there.
#[derive(Clone, Copy)]
enum Entry {
    Create,
    Open,
}

impl Device {
    fn new(request: &OpenRequest, log: Option<Arc<dyn LogSink>>) -> Result<Arc<Self>, FieldError> {
        Ok(Arc::new(Self::over(request, log, Arc::new(SystemClock::new()), Arc::new(SystemEntropy))?))
    }

    pub(crate) fn over(
        request: &OpenRequest,
        log: Option<Arc<dyn LogSink>>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, FieldError> {
        let folder = PathBuf::from(&request.folder);
        if !folder.is_absolute() {
            return Err(FieldError::invalid("folder", "not-absolute"));
        }
        let trust = Trust::read(&request.root_json).map_err(core::Error::from)?;
        folder::make(&folder).map_err(|e| keyfile::io(&e))?;
        Ok(Self {
            folder,
            trust,
            clock,
            entropy,
            log,
            open: RwLock::new(None),
            turn: Mutex::new(()),
            #[cfg(feature = "testing")]
            fixed: None,
        })
    }

    /// For the scenarios: makes the store with this key.
    #[cfg(feature = "testing")]
    pub(crate) fn enter_new(&self, key: &[u8]) -> Result<(), FieldError> {
        self.enter(Entry::Create, &keyfile::key(key)?)
    }

    fn enter(&self, entry: Entry, key: &Key) -> Result<(), FieldError> {
        let done = {
            let mut open = self.open.write().unwrap_or_else(PoisonError::into_inner);
            if open.is_some() {
                return Ok(());
            }
            let path = self.folder.join(STORE);
            let (trust, clock) = (self.trust.clone(), Arc::clone(&self.clock));
            let entropy = Arc::clone(&self.entropy);
            let device = match entry {
                Entry::Create => core::Device::create(&path, key, trust, clock, entropy),
                Entry::Open => core::Device::open(&path, key, trust, clock, entropy),
            };
            device.map(|device| {
                let found = device.findings().len();
                *open = Some(Arc::new(device));
                found
            })
        };
        match done {
            Ok(found) => {
                folder::private(&self.folder).map_err(|e| keyfile::io(&e))?;
                let level = if found == 0 { LogLevel::Info } else { LogLevel::Error };
                self.say(level, "opened", &format!("findings {found}"));
                Ok(())
            }
            Err(e) => Err(self.refuse("open", e.into())),
        }
    }

    fn enter_with(&self, keystore: &dyn KeyStore) -> Result<(), FieldError> {
        let store_exists = match folder::found(&self.folder).map_err(|e| keyfile::io(&e))? {
            Found::Whole => true,
            Found::Nothing => false,
            Found::Lost(code) => {
                return Err(self.refuse("open", FieldError::StoreDamaged { code: code.into() }));
            }
        };
        let key = match keyfile::read(&self.folder, store_exists, keystore)? {
            Some(key) => key,
            None => keyfile::create(&self.folder, keystore, &*self.entropy)?,
        };
        self.enter(if store_exists { Entry::Open } else { Entry::Create }, &key)
    }

    /// One call on the open device, with the nets under it.
    pub(crate) fn call<T>(
        &self,
        name: &'static str,
        work: impl FnOnce(&core::Device) -> Result<T, core::Error>,
    ) -> Result<T, FieldError> {
        let done = guarded(name, || {
            let open = self.open.read().unwrap_or_else(PoisonError::into_inner);
            let device = open.as_ref().ok_or_else(|| FieldError::state("locked"))?;
            Ok(work(device)?)
        });
        done.map_err(|e| self.refuse(name, e))
    }

    /// One call on a screening: no other comes between what it does and the view that it returns.
    pub(crate) fn turn<T>(
        &self,
        name: &'static str,
        work: impl FnOnce(&core::Device) -> Result<T, core::Error>,
    ) -> Result<T, FieldError> {
        self.call(name, |device| {
            let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            work(device)
        })
    }

    /// What a caller gave, in the core's form.
    pub(crate) fn given<T, U: TryFrom<T, Error = FieldError>>(
        &self,
        name: &str,
        what: T,
    ) -> Result<U, FieldError> {
        U::try_from(what).map_err(|e| self.refuse(name, e))
    }

    fn refuse(&self, name: &str, error: FieldError) -> FieldError {
        let grave = matches!(error, FieldError::Internal { .. } | FieldError::StoreDamaged { .. });
        self.say(if grave { LogLevel::Error } else { LogLevel::Warn }, error.code(), name);
        error
    }

    /// Writes a log line. A sink that fails loses its line, not the call.
    pub(crate) fn say(&self, level: LogLevel, code: &str, text: &str) {
        if let Some(log) = &self.log {
            let _ = log.write(level, code.to_owned(), text.to_owned());
        }
    }
}

/// Catches a panic, so that the host gets an error that it knows and the process lives. Nothing of the panic
/// is shown: its text may hold anything.
pub(crate) fn guarded<T>(
    name: &'static str,
    work: impl FnOnce() -> Result<T, FieldError>,
) -> Result<T, FieldError> {
    quiet_panics();
    catch_unwind(AssertUnwindSafe(|| {
        fail_point(name);
        let done = work();
        fail_point_after(name);
        done
    }))
    .unwrap_or_else(|_| Err(FieldError::internal("panic")))
}

/// The default hook prints the panic's text to standard error. This library's own copy of the standard
/// library keeps quiet instead; the error says that there was one.
fn quiet_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    if cfg!(not(test)) {
        ONCE.call_once(|| std::panic::set_hook(Box::new(|_| {})));
    }
}

#[cfg(feature = "testing")]
use crate::testing::{fail_point, fail_point_after};

#[cfg(not(feature = "testing"))]
fn fail_point(_: &str) {}

#[cfg(not(feature = "testing"))]
fn fail_point_after(_: &str) {}
