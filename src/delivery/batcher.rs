//! Group commit of results: what arrives together is committed together.
//!
//! Owns the queue to one writer, which takes whatever has arrived while it was busy, commits it as one, and answers
//! each caller. A lone caller finds the writer idle and waits for nobody. Never knows what it commits. Invariant: one
//! batch at a time is handed on, of at most [`MAX_BATCH`] requests.

use tokio::sync::{mpsc, oneshot};

use crate::store::Error;

/// The most that is committed together.
pub(super) const MAX_BATCH: usize = 500;
/// How many callers may queue before the next one waits to queue: the pressure reaches the streams.
const QUEUE: usize = 4 * MAX_BATCH;

/// The queue to the one writer.
#[derive(Debug)]
pub(super) struct Batcher<Q, A>(mpsc::Sender<Request<Q, A>>);

/// What is to be committed, and who waits for it.
#[derive(Debug)]
pub(super) struct Request<Q, A> {
    pub(super) question: Q,
    pub(super) caller: Caller<A>,
}

/// One who waits for a commit.
pub(super) type Caller<A> = oneshot::Sender<Result<A, Error>>;

impl<Q: Send + 'static, A: Send + 'static> Batcher<Q, A> {
    /// Starts the writer, which commits each batch by `commit`; it ends with the last handle.
    pub(super) fn start<C, W>(commit: C) -> Self
    where
        C: Fn(Vec<Request<Q, A>>) -> W + Send + 'static,
        W: Future<Output = ()> + Send,
    {
        let (sender, mut receiver) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let mut requests = Vec::with_capacity(MAX_BATCH);
            while receiver.recv_many(&mut requests, MAX_BATCH).await > 0 {
                commit(std::mem::take(&mut requests)).await;
            }
        });
        Self(sender)
    }

    /// Waits until `question` is committed, and answers what it came to.
    pub(super) async fn commit(&self, question: Q) -> Result<A, Error> {
        let (caller, answer) = oneshot::channel();
        let gone = || Error::Unavailable("the writer has ended".into());
        self.0.send(Request { question, caller }).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}

/// Tells a caller what its commit came to; one that went away is no error.
pub(super) fn answer<A>(caller: Caller<A>, outcome: Result<A, Error>) {
    drop(caller.send(outcome));
}
