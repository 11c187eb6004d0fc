//! Who is at the other end of a connection.
//!
//! Owns what a call can know of its connection: the address, the names of a client certificate, whether a known key was
//! shown, how many calls are open. Never closes anything. Invariant: a call counts as open from its headers to the last
//! byte of its answer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tonic::body::Body;

use super::Limits;
use super::places::Place;
use super::unread::{Unread, UnreadAnswer};
use crate::clock::Clock;
use crate::grpc::arrival::Unfinished;

/// What all connections of one server share.
#[derive(Debug)]
pub(in crate::grpc) struct Shared {
    limits: Limits,
    clock: Clock,
    unfinished: Unfinished,
    unread: Unread,
    request_streams: Arc<Semaphore>,
    open_request_streams: Arc<Semaphore>,
    large_messages: Arc<Semaphore>,
}

/// The streams of requests that anybody may open (reflection), over all connections.
const OPEN_REQUEST_STREAMS: usize = 16;
/// The messages above the limit of their method that are read at a time.
const LARGE_MESSAGES: usize = 1;

impl Shared {
    pub(super) fn new(limits: Limits, clock: Clock) -> Arc<Self> {
        let (unfinished, unread) = (Unfinished::new(limits.unfinished_bytes), Unread::new(limits.unread_bytes));
        let [request_streams, open_request_streams, large_messages] =
            [limits.request_streams, OPEN_REQUEST_STREAMS, LARGE_MESSAGES].map(|room| Arc::new(Semaphore::new(room)));
        Arc::new(Self { limits, clock, unfinished, unread, request_streams, open_request_streams, large_messages })
    }
}

/// The other end of one connection.
#[derive(Debug)]
pub(in crate::grpc) struct Peer {
    address: SocketAddr,
    client_names: Vec<String>,
    place: Place,
    shared: Arc<Shared>,
    activity: watch::Sender<Activity>,
    /// Cancelled where its answers wait unread, and others need the room.
    does_not_read: CancellationToken,
}

#[derive(Debug, Clone, Copy, Default)]
struct Activity {
    open: usize,
    is_known: bool,
}

/// An open call.
pub(super) struct Open(Arc<Peer>);

impl Peer {
    pub(super) fn new(address: SocketAddr, client_names: Vec<String>, place: Place, shared: Arc<Shared>) -> Self {
        let (activity, does_not_read) = (watch::Sender::default(), CancellationToken::new());
        Self { address, client_names, place, shared, activity, does_not_read }
    }

    /// Where it calls from.
    pub(in crate::grpc) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The names that its certificate is made out to, the certificate being one that `TLS_CLIENT_CA` vouches for.
    pub(in crate::grpc) fn client_names(&self) -> &[String] {
        &self.client_names
    }

    /// Notes that it has shown a known key: it is no stranger any more.
    pub(in crate::grpc) fn becomes_known(&self) {
        if !self.activity.borrow().is_known {
            self.activity.send_modify(|activity| activity.is_known = true);
            self.place.belongs_to_a_known_caller();
        }
    }

    /// Whether a stranger has more calls open than it may.
    pub(in crate::grpc) fn asks_too_much(&self) -> bool {
        let Activity { open, is_known } = *self.activity.borrow();
        !is_known && open > self.shared.limits.stranger_streams
    }

    /// How long it may rest without a call, or within a stream of requests.
    pub(in crate::grpc) fn rest(&self) -> Duration {
        self.shared.limits.rest_of(self.activity.borrow().is_known)
    }

    /// How long a request may take to be whole.
    pub(in crate::grpc) fn whole_within(&self) -> Duration {
        self.shared.limits.whole_within
    }

    /// The requests that are not whole yet, of all connections.
    pub(in crate::grpc) fn unfinished(&self) -> &Unfinished {
        &self.shared.unfinished
    }

    /// Room for an answer of so many bytes until it is handed over; `None`: too much of other answers is unread.
    pub(in crate::grpc) fn unread(&self, bytes: usize) -> Option<UnreadAnswer> {
        self.shared.unread.begin(bytes, &self.does_not_read, self.shared.clock.elapsed())
    }

    /// Notes that so many bytes of an answer were handed over.
    pub(in crate::grpc) fn moves(&self, answer: &mut UnreadAnswer, bytes: usize) {
        answer.moves(bytes, self.shared.clock.elapsed());
    }

    /// Waits until its answers have been unread for so long that others need the room.
    pub(super) async fn does_not_read(&self) {
        self.does_not_read.cancelled().await;
    }

    /// Room for a stream of requests, for as long as the answer lives; `None`: there are as many as may be. `is_open`:
    /// anybody may open it.
    pub(in crate::grpc) fn request_stream(&self, is_open: bool) -> Option<OwnedSemaphorePermit> {
        let room = if is_open { &self.shared.open_request_streams } else { &self.shared.request_streams };
        room.clone().try_acquire_owned().ok()
    }

    /// Leave to send a message above the limit of its method; `None`: somebody else does.
    pub(in crate::grpc) fn large_message(&self) -> Option<OwnedSemaphorePermit> {
        self.shared.large_messages.clone().try_acquire_owned().ok()
    }

    /// Counts a call that begins.
    pub(super) fn open(self: &Arc<Self>) -> Open {
        self.activity.send_modify(|activity| activity.open += 1);
        Open(self.clone())
    }

    /// Waits until no call has been open for as long as `idle_timeout` says of a known caller or a stranger.
    pub(super) async fn rested(&self, idle_timeout: impl Fn(bool) -> Duration) {
        let mut activity = self.activity.subscribe();
        loop {
            let Activity { open, is_known } = *activity.borrow_and_update();
            // The sender lives as long as `self`.
            match open {
                0 if timeout(idle_timeout(is_known), activity.changed()).await.is_err() => return,
                0 => {}
                _ => {
                    let _ = activity.changed().await;
                }
            }
        }
    }
}

impl Open {
    /// The same body; the call is open until it ends.
    pub(super) fn open_through(self, body: Body) -> Body {
        Body::new(body.map_frame(move |frame| {
            let _open = &self;
            frame
        }))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.activity.send_modify(|activity| activity.open -= 1);
    }
}
