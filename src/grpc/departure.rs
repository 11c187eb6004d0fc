//! What stands between an answer and the connection that it goes over.
//!
//! Owns the pieces in which an answer is handed over: the HTTP/2 library takes a message whole, whether its caller reads or
//! not, and keeps it. Here it takes a piece, and the rest waits under one budget of the whole service. Never looks into a
//! message. Invariant: a message is counted until the piece behind its last one is asked for. What the library has taken by
//! then, at most [`MAX_UNREAD_BYTES`](super::server::MAX_UNREAD_BYTES) and a piece of each stream, is not.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::HeaderMap;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Body as _, Frame};
use tonic::Status;
use tonic::body::Body;

use super::server::peer::Peer;
use super::server::unread::UnreadAnswer;

/// How much is handed over at a time.
const PIECE_BYTES: usize = 8 * 1024;

/// An answer on its way.
struct Departing<F> {
    body: Body,
    peer: Arc<Peer>,
    /// What was not handed over yet of the present message.
    rest: Bytes,
    /// How long the piece is that was handed over last.
    handed_over: usize,
    /// The room that the present message takes.
    unread: Option<UnreadAnswer>,
    /// What is answered where there is no room.
    refusal: F,
}

/// The same answer in pieces; `refusal` ends it where too much of other answers is unread.
pub(super) fn departing(body: Body, peer: Arc<Peer>, refusal: impl Fn() -> Status + Send + 'static) -> Body {
    // A status alone says by the end of its headers that nothing follows.
    if body.is_end_stream() {
        return body;
    }
    let departing = Departing { body, peer, rest: Bytes::new(), handed_over: 0, unread: None, refusal };
    let pieces = stream::unfold(Some(departing), |departing| async { departing?.next().await });
    Body::new(StreamBody::new(pieces.fuse()))
}

impl<F: Fn() -> Status> Departing<F> {
    /// The next piece, and what is left; `None`: nothing.
    async fn next(mut self) -> Option<(Result<Frame<Bytes>, Status>, Option<Self>)> {
        // Whoever asks for the next piece has sent the one before, or has room for it.
        if let Some(unread) = &mut self.unread {
            self.peer.moves(unread, std::mem::take(&mut self.handed_over));
        }
        if !self.rest.is_empty() {
            return Some(self.piece());
        }
        self.unread = None;
        let frame = match self.body.frame().await? {
            Ok(frame) => frame,
            Err(status) => return Some((Err(status), None)),
        };
        let message = match frame.into_data() {
            Ok(message) if !message.is_empty() => message,
            Ok(empty) => return Some((Ok(Frame::data(empty)), Some(self))),
            Err(trailers) => return Some((Ok(trailers), None)),
        };
        self.unread = self.peer.unread(message.len());
        if self.unread.is_none() {
            return Some((Ok(Frame::trailers(trailers(&(self.refusal)()))), None));
        }
        self.rest = message;
        Some(self.piece())
    }

    fn piece(mut self) -> (Result<Frame<Bytes>, Status>, Option<Self>) {
        // A copy: the piece would keep the whole message.
        let piece = Bytes::copy_from_slice(&self.rest.split_to(PIECE_BYTES.min(self.rest.len())));
        self.handed_over = piece.len();
        (Ok(Frame::data(piece)), Some(self))
    }
}

fn trailers(status: &Status) -> HeaderMap {
    let mut trailers = HeaderMap::new();
    // What a status has in it was made for a header.
    let _ = status.add_header(&mut trailers);
    trailers
}
