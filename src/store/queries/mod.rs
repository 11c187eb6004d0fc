//! The queries, written once for both back ends.
//!
//! Owns every statement but the migrations. Never knows which back end it speaks to: this folder is mounted twice, and
//! takes the connection, the type of an instant and the words of locking from its mount. Invariant: a query that takes a
//! row of `calendar_integrations` and one of `appointment_external_links` takes them in that order, and links by their
//! key, so that no two queries wait for each other. Only the sweep of old snapshots takes links as they come: nobody else
//! is at those.
//!
//! Placeholders are numbered, and first stand in the order of their numbers: SQLite counts them so.

use super::{Conn, FOR_SHARE, FOR_UPDATE, HELD_BY_KEY, InstantSql, SKIP_LOCKED};
use crate::store::fault::Fault;

pub(in crate::store) mod acceptances;
pub(in crate::store) mod claims;
pub(in crate::store) mod consents;
pub(in crate::store) mod due;
pub(in crate::store) mod grants;
pub(in crate::store) mod integrations;
pub(in crate::store) mod leases;
pub(in crate::store) mod links;
pub(in crate::store) mod requests;
mod rows;
mod schema;
pub(in crate::store) mod settlements;
mod statement;

use statement::Statement;

/// What makes an integration one that is connected.
const CONNECTED: &str = "refresh_token IS NOT NULL AND disconnecting_at IS NULL";

fn statement(sql: impl Into<String>) -> Statement {
    let sql = sql.into();
    debug_assert!(is_in_order(&sql), "a placeholder first stands before a lower one: {sql}");
    Statement::new(sql)
}

/// Whether each placeholder first stands after all lower ones.
fn is_in_order(sql: &str) -> bool {
    let mut highest = 0;
    sql.split('$').skip(1).all(|rest| {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number = rest[..digits].parse().unwrap_or(0);
        let is_next = (1..=highest + 1).contains(&number);
        highest = highest.max(number);
        is_next
    })
}

/// `($1, $2), ($3, $4)`: placeholders for `count` rows of `width` values, numbered from `first`.
fn rows_of(count: usize, width: usize, first: usize) -> String {
    let row = |n: usize| {
        let places: Vec<String> = (0..width).map(|i| format!("${}", first + n * width + i)).collect();
        format!("({})", places.join(", "))
    };
    (0..count).map(row).collect::<Vec<_>>().join(", ")
}

/// The instant in a column, if one stands there.
fn instant(at: Option<crate::store::instant::Instant>) -> Option<jiff::Timestamp> {
    at.map(|at| at.0)
}
