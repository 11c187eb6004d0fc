//! Who watches a status, or what goes wrong.
//!
//! Owns the one reader that an organisation has while anybody watches it, and how many may watch at a time. Never decides
//! what a status shows, or what is news. Invariant: who watches a status is told what was read after they began to watch
//! first, and then what is read after each change.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use futures_util::Stream;
use jiff::SignedDuration;
use parking_lot::Mutex;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};

use super::{Integrations, Status};
use crate::connection::Error;
use crate::model::OrganisationId;
use crate::notifier::Listener;
use crate::store;

/// How many may watch a status at a time, over all organisations.
const MOST_WATCHERS: usize = 4_096;
/// How many may watch what goes wrong at a time: each looks by itself.
const MOST_PROBLEM_WATCHERS: usize = 64;
/// Changes that follow each other within this time are told as one.
const QUIET: SignedDuration = SignedDuration::from_millis(100);
/// How long a status may be off while the other replicas are not heard.
const POLL: SignedDuration = SignedDuration::from_secs(5);

/// The readers. A clone is another handle.
#[derive(Debug, Clone)]
pub(super) struct Watches {
    readers: Arc<Mutex<HashMap<OrganisationId, Weak<Reader>>>>,
    places: Arc<Semaphore>,
    problem_places: Arc<Semaphore>,
}

impl Default for Watches {
    fn default() -> Self {
        let places = |most| Arc::new(Semaphore::new(most));
        Self { readers: Arc::default(), places: places(MOST_WATCHERS), problem_places: places(MOST_PROBLEM_WATCHERS) }
    }
}

impl Watches {
    /// A place for one more who watches a status.
    fn place(&self) -> Result<OwnedSemaphorePermit, Error> {
        self.places.clone().try_acquire_owned().map_err(|_| Error::TooManyWatchers)
    }

    /// A place for one more who watches what goes wrong.
    pub(super) fn place_for_problems(&self) -> Result<OwnedSemaphorePermit, Error> {
        self.problem_places.clone().try_acquire_owned().map_err(|_| Error::TooManyWatchers)
    }
}

/// What the one that reads shares with those who watch.
#[derive(Debug)]
struct Reader {
    told: watch::Sender<LastStatus>,
    /// How many have begun to watch.
    asked: AtomicU64,
    ask: Notify,
}

/// What was read last.
#[derive(Debug, Default)]
struct LastStatus {
    /// Who had begun to watch by the time that it was read.
    asked: u64,
    status: Option<Result<Status, store::Error>>,
}

/// One who watches.
struct Watcher {
    receiver: watch::Receiver<LastStatus>,
    number: u64,
    told: Option<Status>,
    _place: OwnedSemaphorePermit,
}

impl Integrations {
    /// The status now, and again after each change.
    pub fn watch(
        &self,
        organisation: &OrganisationId,
    ) -> Result<impl Stream<Item = Result<Status, Error>> + Send + use<>, Error> {
        let place = self.watches.place()?;
        let (receiver, number) = self.join(organisation);
        let watcher = Watcher { receiver, number, told: None, _place: place };
        Ok(futures_util::stream::unfold(watcher, async |mut watcher| Some((watcher.next().await, watcher))))
    }

    /// Lets one more watch, and starts the reader if nobody does so yet.
    fn join(&self, organisation: &OrganisationId) -> (watch::Receiver<LastStatus>, u64) {
        let mut readers = self.watches.readers.lock();
        if let Some(reader) = readers.get(organisation).and_then(Weak::upgrade) {
            let receiver = reader.told.subscribe();
            let number = reader.asked.fetch_add(1, Ordering::AcqRel) + 1;
            reader.ask.notify_one();
            return (receiver, number);
        }
        let (told, receiver) = watch::channel(LastStatus::default());
        let reader = Arc::new(Reader { told, asked: AtomicU64::new(1), ask: Notify::new() });
        readers.insert(organisation.clone(), Arc::downgrade(&reader));
        // Listening begins before the first look, so that nothing falls between.
        let listener = self.notifier.listen(organisation);
        tokio::spawn(self.clone().read(organisation.clone(), reader, listener));
        (receiver, 1)
    }

    /// Reads the status after each change and for each newcomer, as long as anybody watches.
    async fn read(self, organisation: OrganisationId, reader: Arc<Reader>, mut listener: Listener) {
        loop {
            let asked = reader.asked.load(Ordering::Acquire);
            let status = self.status(&organisation).await.map_err(|error| match error {
                Error::Store(error) => error,
                error => store::Error::Bug(error.into()),
            });
            let has_failed = status.is_err();
            if has_failed {
                self.watches.readers.lock().remove(&organisation);
            }
            reader.told.send_if_modified(|told| {
                let is_news = has_failed || told.asked != asked || !is_told(told, &status);
                *told = LastStatus { asked, status: Some(status) };
                is_news
            });
            if has_failed {
                return;
            }
            tokio::select! {
                biased;
                () = listener.changed() => tokio::select! {
                    biased;
                    () = quiet() => {}
                    () = reader.ask.notified() => {}
                },
                () = reader.ask.notified() => {}
                () = self.clock.sleep(POLL), if self.notifier.misses_remote_changes() => {}
                () = reader.told.closed() => {
                    let mut readers = self.watches.readers.lock();
                    if reader.told.receiver_count() == 0 {
                        readers.remove(&organisation);
                        return;
                    }
                }
            }
        }
    }
}

fn is_told(told: &LastStatus, status: &Result<Status, store::Error>) -> bool {
    matches!((&told.status, status), (Some(Ok(told)), Ok(status)) if told == status)
}

impl Watcher {
    async fn next(&mut self) -> Result<Status, Error> {
        loop {
            let (number, last) = (self.number, &self.told);
            let is_news = |told: &LastStatus| match &told.status {
                Some(Ok(status)) => told.asked >= number && last.as_ref() != Some(status),
                Some(Err(_)) => true,
                None => false,
            };
            let Ok(told) = self.receiver.wait_for(is_news).await else {
                return Err(Error::Store(store::Error::Unavailable("the reader of the status has ended".into())));
            };
            match &told.status {
                Some(Ok(status)) => {
                    let status = status.clone();
                    drop(told);
                    self.told = Some(status.clone());
                    return Ok(status);
                }
                Some(Err(error)) => return Err(Error::Store(error.of_the_same_kind())),
                None => {}
            }
        }
    }
}

/// A pause for the reader's sake: it decides nothing, so it follows real time even where a test holds the clock.
#[expect(clippy::disallowed_methods, reason = "paces what a person watches; no outcome depends on it")]
async fn quiet() {
    tokio::time::sleep(QUIET.unsigned_abs()).await;
}
