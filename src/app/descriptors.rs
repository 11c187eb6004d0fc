//! How the descriptors of the process are shared out.
//!
//! Owns how many connections each server may hold. Never opens one. Invariant: however many connections come from
//! without, the database, the attempts and the log keep theirs, where the process may have as many descriptors as are kept
//! back and sixteen more.

use crate::{grpc, http};

/// What is kept back for the database, for the calls to Google (each may take a connection of its own), for files and for
/// the listeners.
const KEPT_BACK: usize = 320;

/// How many connections the server of the metrics may hold: few machines ask, and one at a time.
pub(super) const METRICS_CONNECTIONS: usize = 8;

/// The limits of the gRPC server and of the sidecar, as this process can bear them.
pub(super) fn limits() -> (grpc::Limits, http::Limits) {
    shared_out(open_files())
}

fn shared_out(descriptors: usize) -> (grpc::Limits, http::Limits) {
    let spare = descriptors.saturating_sub(KEPT_BACK).max(16);
    let sidecar = http::Limits::default();
    let sidecar = http::Limits { connections: sidecar.connections.min(spare / 4), ..sidecar };
    (grpc::Limits::default().within(spare - sidecar.connections), sidecar)
}

/// How many files this process may have open.
#[cfg(unix)]
fn open_files() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

/// It is not a limit of the process elsewhere.
#[cfg(not(unix))]
fn open_files() -> usize {
    usize::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_leave_the_rest_of_the_process_its_descriptors() {
        for descriptors in [KEPT_BACK + 16, 1_024, 4_096, usize::MAX] {
            let (grpc, sidecar) = shared_out(descriptors);
            assert!(grpc.connections + sidecar.connections + KEPT_BACK <= descriptors, "{descriptors}");
            assert!(grpc.strangers >= 1 && grpc.strangers <= grpc.connections && sidecar.connections >= 4);
        }
        let (grpc, sidecar) = shared_out(usize::MAX);
        assert_eq!((grpc.connections, grpc.strangers, sidecar.connections), (1_024, 256, 256));
    }
}
