//! What the process allows of itself.

use anyhow::Context as _;

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
