//! Takes a request's messages in, one whole one after the other.
//!
//! Owns the frames of gRPC as they arrive: `compressed (1) · length (4) · message`. A compressed message is inflated
//! here, under the limit of its method. Never decodes a message. What is no frame is handed to the decoder as it is,
//! which knows how to refuse it.
//!
//! Invariant: no more is held than the method's limit and what one frame of HTTP/2 brings beyond it; but for one message
//! of the whole service.

use std::io::Read as _;
use std::sync::Arc;

use bytes::{BufMut as _, Bytes, BytesMut};
use flate2::read::MultiGzDecoder;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, HeaderValue};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tonic::Status;
use tonic::body::Body;

use super::budget::Arrival;
use super::needs::Need;
use crate::grpc::server::peer::Peer;
use crate::grpc::status::Refusal;

const PREFIX: usize = 5;
/// What announces more than this is refused by that alone. What lies between it and the limit of its method has a field
/// that is too long, and is read to be told which: one such message at a time, over all connections.
const MAX_ANNOUNCED_BYTES: usize = 4 * 1024 * 1024;

/// How a request's messages are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// Uncompressed.
    Plain,
    /// By gzip, those that say so.
    Gzip,
}

impl Encoding {
    /// `None`: in a way that is not read here.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        match headers.get("grpc-encoding").map(HeaderValue::as_bytes) {
            None | Some(b"identity") => Some(Self::Plain),
            Some(b"gzip") => Some(Self::Gzip),
            Some(_) => None,
        }
    }
}

/// A request that is arriving.
pub(super) struct Incoming {
    body: Body,
    need: Need,
    encoding: Encoding,
    peer: Arc<Peer>,
    buffer: BytesMut,
    has_ended: bool,
    /// The leave to be larger than the method's limit.
    is_large: Option<OwnedSemaphorePermit>,
}

impl Incoming {
    pub(super) fn new(body: Body, need: Need, encoding: Encoding, peer: Arc<Peer>) -> Self {
        Self { body, need, encoding, peer, buffer: BytesMut::new(), has_ended: false, is_large: None }
    }

    /// The one message of a request, with whose headers so many bytes are held.
    pub(super) async fn whole(&mut self, held: usize) -> Result<Bytes, Refusal> {
        let arrival = self.peer.unfinished().begin(held);
        let within = self.peer.whole_within();
        let work = async {
            while !self.has_ended {
                self.read(&arrival).await?;
                self.announced()?;
                // What follows the one message is no part of it.
                let most = if self.is_large.is_some() { MAX_ANNOUNCED_BYTES } else { self.need.max_bytes };
                if self.buffer.len() > PREFIX + most {
                    return Err(Refusal::Unreadable);
                }
            }
            Ok(())
        };
        match arrival.unless_it_gives_way(timeout(within, work)).await {
            None => Err(Refusal::Overloaded),
            Some(Err(_)) => Err(Refusal::DeadlineExceeded),
            Some(Ok(Err(refusal))) => Err(refusal),
            Some(Ok(Ok(()))) => {
                let bytes = std::mem::take(&mut self.buffer);
                self.inflated(bytes)
            }
        }
    }

    /// A body that hands on one whole message at a time, and ends with the status of a refusal.
    pub(super) fn into_messages(self, status: impl Fn(Refusal) -> Status + Send + 'static) -> Body {
        let messages = stream::unfold(Some((self, status)), |it| async move {
            let (mut incoming, status) = it?;
            match incoming.next().await {
                Ok(Some(message)) => Some((Ok(Frame::data(message)), Some((incoming, status)))),
                Ok(None) => None,
                Err(refusal) => Some((Err(status(refusal)), None)),
            }
        });
        Body::new(StreamBody::new(messages.fuse()))
    }

    /// The next message of a stream, which may rest before it as long as a connection may; `None`: there is no further one.
    async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        self.is_large = None;
        let rest = self.peer.rest();
        let begin = async {
            while self.buffer.is_empty() && !self.has_ended {
                self.take_frame().await?;
            }
            Ok::<_, Refusal>(())
        };
        // Whoever says nothing more, in however many frames, would keep its room from the others.
        timeout(rest, begin).await.map_err(|_| Refusal::DeadlineExceeded)??;
        if self.buffer.is_empty() {
            return Ok(None);
        }
        let mut length = self.announced()?;
        if length.is_none_or(|length| self.buffer.len() < length) && !self.has_ended {
            let arrival = self.peer.unfinished().begin(self.buffer.len());
            let within = self.peer.whole_within();
            let work = async {
                while !self.has_ended {
                    self.read(&arrival).await?;
                    length = self.announced()?;
                    if length.is_some_and(|length| self.buffer.len() >= length) {
                        break;
                    }
                }
                Ok::<_, Refusal>(())
            };
            match arrival.unless_it_gives_way(timeout(within, work)).await {
                None => return Err(Refusal::Overloaded),
                Some(Err(_)) => return Err(Refusal::DeadlineExceeded),
                Some(Ok(outcome)) => outcome?,
            }
        }
        let length = length.unwrap_or(usize::MAX).min(self.buffer.len());
        let message = self.buffer.split_to(length);
        self.inflated(message).map(Some)
    }

    /// The length of the frame that the buffer begins with, its prefix included, as far as it is known.
    fn announced(&mut self) -> Result<Option<usize>, Refusal> {
        let Some((prefix, _)) = self.buffer.split_first_chunk::<PREFIX>() else { return Ok(None) };
        let length = u32::from_be_bytes([prefix[1], prefix[2], prefix[3], prefix[4]]);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > MAX_ANNOUNCED_BYTES || self.need.is_open && length > self.need.max_bytes {
            return Err(Refusal::Unreadable);
        }
        if length > self.need.max_bytes && self.is_large.is_none() {
            self.is_large = Some(self.peer.large_message().ok_or(Refusal::Overloaded)?);
        }
        Ok(Some(PREFIX + length))
    }

    async fn read(&mut self, arrival: &Arrival) -> Result<(), Refusal> {
        let before = self.buffer.len();
        self.take_frame().await?;
        arrival.add(self.buffer.len() - before);
        Ok(())
    }

    /// Takes one frame of HTTP/2 in.
    async fn take_frame(&mut self) -> Result<(), Refusal> {
        match self.body.frame().await {
            Some(Ok(frame)) => {
                if let Ok(bytes) = frame.into_data() {
                    // A copy: the frame is a part of what its connection reads into.
                    self.buffer.put(bytes);
                }
                Ok(())
            }
            // A caller that breaks off is told nothing; the word is for whoever is left.
            Some(Err(_)) => Err(Refusal::Unreadable),
            None => {
                self.has_ended = true;
                Ok(())
            }
        }
    }

    /// A frame whose message is plain, where it was compressed as was said.
    fn inflated(&self, frame: BytesMut) -> Result<Bytes, Refusal> {
        let compressed = match frame.split_first_chunk::<PREFIX>() {
            Some(([1, length @ ..], message)) if self.encoding == Encoding::Gzip => {
                let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
                // What is cut off or goes on is for the decoder to refuse.
                if length != message.len() {
                    return Ok(frame.freeze());
                }
                message
            }
            _ => return Ok(frame.freeze()),
        };
        let limit = self.need.max_bytes;
        let mut plain = vec![0; PREFIX];
        // All members of it (RFC 1952). One byte more than the limit shows that it is passed.
        let mut inflating = MultiGzDecoder::new(compressed).take(limit as u64 + 1);
        inflating.read_to_end(&mut plain).map_err(|_| Refusal::Unreadable)?;
        let length = plain.len() - PREFIX;
        let Some(length) = u32::try_from(length).ok().filter(|_| length <= limit) else {
            return Err(Refusal::Unreadable);
        };
        plain[1..PREFIX].copy_from_slice(&length.to_be_bytes());
        Ok(plain.into())
    }
}
