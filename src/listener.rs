//! Takes connections, one after the other, whatever the system has to say.
//!
//! Owns the pause where the system has no room for another connection (EMFILE, ENFILE): a loop that asked again at once
//! would take a core and keep the work from ending that would make room. Never reads from what it takes.
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
    let mut is_told = false;
    loop {
        match listener.accept().await {
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
