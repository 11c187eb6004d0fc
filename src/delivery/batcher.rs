//! Group commit: what arrives together is committed together, or read together where it is a question.
//!
//! Owns the queue to one writer, which takes whatever has arrived while it was busy, commits it as one, and answers
//! each caller. A lone caller finds the writer idle and waits for nobody. Never knows what it commits. Invariant: one
//! batch at a time is handed on, of at most [`MAX_BATCH`] requests; what a commit gives back goes with the next one.

use std::time::Duration;

use tokio::sync::mpsc::{self, WeakSender};
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::store::Error;

/// The most that is committed together.
pub(super) const MAX_BATCH: usize = 500;
/// How many batches may find an organisation held by another transaction: most often one holds it for a few milliseconds.
pub(super) const MAX_TRIES: u32 = 4;
/// How many callers may queue before the next one waits to queue: the pressure reaches the streams.
const QUEUE: usize = 4 * MAX_BATCH;
/// How long what a commit gave back waits for others to be committed with.
const AGAIN: Duration = Duration::from_millis(2);

/// The queue to the one writer.
#[derive(Debug)]
pub(super) struct Batcher<R>(mpsc::Sender<R>);

/// One who waits for a commit.
pub(super) type Caller<A> = oneshot::Sender<Result<A, Error>>;

impl<R: Send + 'static> Batcher<R> {
    /// Starts the writer, which ends with the last handle. `commit` is made of the way back into the queue; it commits a
    /// batch, and answers what of it is to be tried again.
    pub(super) fn start<C, W>(clock: Clock, commit: impl FnOnce(WeakSender<R>) -> C) -> Self
    where
        C: Fn(Vec<R>) -> W + Send + 'static,
        W: Future<Output = Vec<R>> + Send,
    {
        let (sender, mut receiver) = mpsc::channel(QUEUE);
        let commit = commit(sender.downgrade());
        tokio::spawn(async move {
            let (mut requests, mut again) = (Vec::with_capacity(MAX_BATCH), Vec::new());
            loop {
                let next = receiver.recv_many(&mut requests, MAX_BATCH - again.len());
                if again.is_empty() {
                    if next.await == 0 {
                        return;
                    }
                } else {
                    tokio::select! {
                        biased;
                        _ = next => {}
                        () = clock.real_sleep(AGAIN) => {}
                    }
                    requests.append(&mut again);
                }
                again = commit(std::mem::take(&mut requests)).await;
            }
        });
        Self(sender)
    }

    /// Waits until the request that is made of this caller is committed, and answers what it came to.
    pub(super) async fn commit<A>(&self, request: impl FnOnce(Caller<A>) -> R) -> Result<A, Error> {
        let (caller, answer) = oneshot::channel();
        let gone = || Error::Unavailable("the batcher has ended".into());
        self.0.send(request(caller)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// Tells a caller what its commit came to; one that went away is no error.
pub(super) fn answer<A>(caller: Caller<A>, outcome: Result<A, Error>) {
    drop(caller.send(outcome));
}
