//! Instants, spans and zones.
//!
//! Owns which of them are taken. Never asks what time it is. Invariant: an instant that passes lies in the years 1900
//! to 9998, a zone is one of IANA's list, and a wait lasts half a minute at most.

use std::ops::RangeInclusive;

use jiff::{SignedDuration, Timestamp};
use prost_types::{Duration as PbDuration, Timestamp as PbTimestamp};

use super::Check;
use crate::model::zone;

const NANOS: RangeInclusive<i32> = 0..=999_999_999;
/// From 1900-01-01T00:00:00Z to 9998-12-31T23:59:59Z.
const SECONDS: RangeInclusive<i64> = -2_208_988_800..=253_370_764_799;
const MAX_WAIT: SignedDuration = SignedDuration::from_secs(30);

impl Check<'_> {
    pub(super) fn instant(&mut self, field: &str, instant: &PbTimestamp) -> Option<Timestamp> {
        if !NANOS.contains(&instant.nanos) {
            return self.fault(field, "nanos must be from 0 to 999,999,999");
        }
        if !SECONDS.contains(&instant.seconds) {
            return self.fault(field, "must lie in the years 1900 to 9998");
        }
        Timestamp::new(instant.seconds, instant.nanos).ok().or_else(|| self.fault(field, "is no instant"))
    }

    pub(super) fn zone(&mut self, field: &str, name: &str) -> Option<String> {
        if zone(name).is_some() {
            Some(name.to_owned())
        } else {
            self.fault(field, "must be the IANA name of a time zone, such as Europe/Paris")
        }
    }

    /// How long to wait; absent or 0: not at all.
    pub(super) fn wait(&mut self, field: &str, wait: Option<&PbDuration>) -> Option<Option<SignedDuration>> {
        let Some(wait) = wait else { return Some(None) };
        // Nanos carry the sign of the seconds; a wait has none.
        if !NANOS.contains(&wait.nanos) {
            return self.fault(field, "nanos must be from 0 to 999,999,999");
        }
        let wait = SignedDuration::new(wait.seconds.clamp(-1, MAX_WAIT.as_secs() + 1), wait.nanos);
        if wait.is_negative() || wait > MAX_WAIT {
            return self.fault(field, "must be from 0 to 30 seconds");
        }
        Some((!wait.is_zero()).then_some(wait))
    }
}
