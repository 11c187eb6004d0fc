//! The queries, written once for both back ends.
//!
//! Owns every statement but the migrations. Never knows which back end it speaks to: this folder is mounted twice, and
//! takes the connection, the type of an instant and the words of locking from its mount. Invariant: a query that takes a
//! row of `calendar_integrations`, one of `appointment_external_links` and one of `owed_deletions` takes them in that
//! order, and links by their key, so that no two queries wait for each other. A row of `google_accounts` is taken before
//! all of them, one of `unkept_grants` after them, the counter of revocations last. Only the sweep of old snapshots takes links as they come: it passes by
//! what another query holds.

use super::{COUNT_MIGRATION_TABLES, Conn, FOR_SHARE, FOR_UPDATE, HELD_BY_KEY, InstantSql, MICROSECONDS, SKIP_LOCKED};
use crate::store::fault::Fault;

pub(in crate::store) mod accepts;
mod accounts;
mod catch_ups;
pub(in crate::store) mod changes;
pub(in crate::store) mod claims;
pub(in crate::store) mod comparisons;
pub(in crate::store) mod consents;
pub(in crate::store) mod disconnects;
pub(in crate::store) mod due;
mod fragments;
pub(in crate::store) mod grants;
pub(in crate::store) mod integrations;
pub(in crate::store) mod leases;
pub(in crate::store) mod links;
pub(in crate::store) mod migrations;
pub(in crate::store) mod owed;
pub(in crate::store) mod owed_claims;
pub(in crate::store) mod pending_grants;
mod placement;
pub(in crate::store) mod probes;
pub(in crate::store) mod refreshes;
pub(in crate::store) mod requests;
pub(in crate::store) mod revocations;
mod rows;
mod schema;
pub(in crate::store) mod settlements;
mod statement;
pub(in crate::store) mod unkept_grants;

/// The instant in a column, if one stands there.
fn instant(at: Option<crate::store::instant::Instant>) -> Option<jiff::Timestamp> {
    at.map(|at| at.0)
}
