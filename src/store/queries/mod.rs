//! The queries, written once for both back ends.
//!
//! Owns every statement but the migrations, those about a connection itself (its session, whether it answers, SQLite's
//! log) and those that make foreign text of an SQLite file readable, which stand with the mounts. Never knows which back end
//! it speaks to: this folder is mounted twice, and takes the connection, the type of an instant and the words of locking
//! from its mount.
//!
//! Invariant: no two queries wait for each other. A query that changes links, what is owed, or what an integration says of
//! them, holds the queues of those organisations first (`link_queues::lock`), by their keys: so one transaction at a time
//! changes the links of an organisation. After them it takes rows of `calendar_integrations`, of
//! `appointment_external_links` and of `owed_deletions` as it needs them, since nobody takes two of them without the
//! queue; the triggers on those change the queues alone, and `upcoming_link_counts`, which nobody takes without its queue.
//! A row of `google_accounts` is taken before all of them, and the counter of revocations last, but that one who connects
//! may queue behind it what was just granted: both hold the account. Rows of `oauth_consents` are taken by whoever holds
//! the queue of their organisation, by one who takes nothing else but what stands behind them, or passed by where they are
//! held; those of `unkept_grants` stand behind all of these, by their tokens; those of `quota_budgets` are taken by their
//! names and alone or after all others. Three kinds hold no queue: what changes nothing but columns of an integration that
//! say nothing of its links (one row, or with the account's held all who have left that account), the renewal of a link's
//! lease, which makes nothing due earlier, and the count of what a wish has not reached; nor do the start of a lone
//! process and the mending of text, on SQLite alone, where rows are not held. An accept, a claim, a settlement and a sweep
//! pass by what another query holds, so that one organisation holds up no other.

use super::{
    CHANGED_WITH_ITS_INTEGRATION, COUNT_MIGRATION_TABLES, COUNT_REFUSED_TABLES, Conn, DAY_OF_END, FOR_UPDATE,
    HOLDS_ROWS, InstantSql, KEY_SHARE, KEY_SHARE_SKIP_LOCKED, LOCKED_BY_KEY, LOCKED_WITH_ITS_INTEGRATION, MAY_WALK,
    MICROSECONDS, NO_KEY_SKIP_LOCKED, SKIP_LOCKED, UNSYNCED, execute_in_turn, key_id_of,
};
use crate::store::fault::Fault;

pub(in crate::store) mod accepts;
pub(in crate::store) mod accounts;
pub(in crate::store) mod audit_events;
mod catch_ups;
pub(in crate::store) mod changes;
pub(in crate::store) mod claims;
pub(in crate::store) mod compared;
pub(in crate::store) mod comparisons;
pub(in crate::store) mod consents;
pub(in crate::store) mod disconnects;
pub(in crate::store) mod due;
pub(in crate::store) mod erasures;
pub(in crate::store) mod forgetting;
mod fragments;
pub(in crate::store) mod grants;
pub(in crate::store) mod instant_columns;
pub(in crate::store) mod integrations;
pub(in crate::store) mod leases;
pub(in crate::store) mod link_queues;
pub(in crate::store) mod links;
pub(in crate::store) mod migrations;
pub(in crate::store) mod organisation_erasures;
pub(in crate::store) mod overview;
pub(in crate::store) mod owed;
pub(in crate::store) mod owed_claims;
pub(in crate::store) mod owed_counts;
mod parts;
pub(in crate::store) mod pending_grants;
mod placement;
#[cfg(test)]
mod plans;
pub(in crate::store) mod probes;
pub(in crate::store) mod quota_budgets;
mod reading_leases;
pub(in crate::store) mod recounts;
pub(in crate::store) mod refreshes;
pub(in crate::store) mod requests;
pub(in crate::store) mod revocations;
mod rows;
mod schema;
pub(in crate::store) mod sealed_calendars;
pub(in crate::store) mod sealed_values;
mod search_requests;
pub(in crate::store) mod searches;
pub(in crate::store) mod settlements;
mod statement;
pub(in crate::store) mod statuses;
mod takeovers;
pub(in crate::store) mod unkept_grants;
pub(in crate::store) mod unreadable;
pub(in crate::store) mod wishes;

/// The instant in a column, if one stands there that reads.
fn instant(at: Option<crate::store::instant::Instant>) -> Option<jiff::Timestamp> {
    at?.read()
}
