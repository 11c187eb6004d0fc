//! What the process allows of itself.
//!
//! Owns two of its limits: how many files it may open, and what a core dump may hold. Never fails where the first limit
//! cannot be raised: the servers hold fewer connections then. Invariant: on Linux, a process that went on after
//! [`keep_no_core_dumps`] leaves no core dump.

use anyhow::Context as _;

/// Lets the process open as many files as the system will let it: the limit that a shell or a container hands on is often
/// 1,024, where the one that cannot be raised is far higher.
#[cfg(unix)]
pub(super) fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    // Where it cannot be raised, the servers hold fewer connections.
    if raised.is_err() {
        tracing::debug!("the limit of open files could not be raised");
    }
}

/// It is not a limit of the process elsewhere.
#[cfg(not(unix))]
pub(super) fn raise_open_files() {}

/// Keeps what is in memory, keys and tokens among it, out of core dumps.
#[cfg(target_os = "linux")]
pub(super) fn keep_no_core_dumps() -> anyhow::Result<()> {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).context("core dumps cannot be limited")?;
    // The limit does not hold where the system hands dumps to a program.
    set_dumpable_behavior(DumpableBehavior::NotDumpable).context("core dumps cannot be switched off")
}

/// There is no one way to do it elsewhere.
#[cfg(not(target_os = "linux"))]
pub(super) fn keep_no_core_dumps() -> anyhow::Result<()> {
    Ok(())
}
