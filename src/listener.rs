//! Takes connections, one after the other, whatever the system has to say.
//!
//! Owns the pause after a fault, such as where the system has no room for another connection (EMFILE, ENFILE): a loop
//! that asked again at once would take a core and keep the work from ending that would make room. Never reads from what it takes.
//!
//! Invariant: it answers connections alone; a fault is waited out.

use std::net::SocketAddr;

use jiff::SignedDuration;
use tokio::net::{TcpListener, TcpStream};

use crate::clock::Clock;
use crate::error_chain::error_chain;

/// How long to let be when the system has no room for another connection.
const PAUSE: SignedDuration = SignedDuration::from_millis(100);

/// The next connection, and who is at its other end.
pub async fn accept(listener: &TcpListener, clock: &Clock) -> (TcpStream, SocketAddr) {
    waited_out(clock, || listener.accept()).await
}

/// What `accept` brings, once it does.
async fn waited_out<T, Accepting>(clock: &Clock, accept: impl Fn() -> Accepting) -> T
where
    Accepting: Future<Output = std::io::Result<T>>,
{
    let mut is_told = false;
    loop {
        match accept().await {
            Ok(accepted) => return accepted,
            Err(error) => {
                // Once for a row of them: a full table of descriptors lasts.
                if !std::mem::replace(&mut is_told, true) {
                    tracing::warn!(error = %error_chain(&error), "a connection could not be accepted");
                }
                clock.sleep(PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::io;
    use std::pin::pin;
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::task::Poll;

    use futures_util::FutureExt as _;
    use jiff::Timestamp;

    use super::*;

    #[tokio::test]
    async fn while_there_is_no_room_it_is_asked_again_after_a_pause_and_not_before() {
        const MANY: i32 = 24;
        let (clock, asked) = (Clock::manual(Timestamp::UNIX_EPOCH), AtomicU32::new(0));
        let accept = || async {
            match asked.fetch_add(1, Ordering::Relaxed) {
                0..3 => Err(io::Error::from_raw_os_error(MANY)),
                _ => Ok("a connection"),
            }
        };
        let mut accepting = pin!(waited_out(&clock, accept));
        for times in 1..=3 {
            for _ in 0..10 {
                let polled = poll_fn(|context| Poll::Ready(accepting.poll_unpin(context))).await;
                assert!(polled.is_pending());
            }
            assert_eq!(asked.load(Ordering::Relaxed), times);
            clock.advance(PAUSE);
        }
        assert_eq!(accepting.await, "a connection");
    }
}
