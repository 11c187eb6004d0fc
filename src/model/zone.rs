//! The time zones of the world.
//!
//! Owns the list of their names. Never asks the system, which may have another one installed. Invariant: a name that is
//! taken is one of IANA's, in exactly its case.

use std::sync::LazyLock;

use jiff::tz::{TimeZone, TimeZoneDatabase};

/// The list as compiled in: every replica knows the same, whatever its system has installed.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The zone that IANA lists under this name, in exactly this case: the name goes on to Google, which is exact.
pub fn zone(name: &str) -> Option<TimeZone> {
    // No name of the list is longer than 32 bytes; some entries of it are placeholders and no places.
    if name.len() > 64 || matches!(name, "Factory" | "Etc/Unknown") {
        return None;
    }
    ZONES.get(name).ok().filter(|zone| zone.iana_name() == Some(name))
}
