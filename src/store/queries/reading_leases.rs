//! The lease under which one process at a time reads what an account holds: for a comparison, or for a search.
//!
//! Owns how the two columns of the lease say that it is free, taken, ours and given back. Whoever holds it renews it by
//! statements of its own. Never knows what the reading is for. Invariant: the two columns are taken and cleared together.

use jiff::Timestamp;

use super::NO_KEY_SKIP_LOCKED;
use super::fragments::{of_organisation, unleased_by};
use super::statement::{Fragment, sql};
use crate::model::OrganisationId;
use crate::store::Lease;

/// Gives the lease back.
pub(super) const GIVE_BACK: &str = "compare_lease_token = NULL, compare_lease_until = NULL";

/// No process reads.
pub(super) fn is_free(now: Timestamp) -> Fragment {
    unleased_by("compare_lease_until", now)
}

/// Leases the first integration by `due_at` of those that are `due`, and answers these columns of it.
pub(super) fn lease_first(lease: Lease, due: Fragment, due_at: &str, columns: &str) -> Fragment {
    sql("UPDATE calendar_integrations SET compare_lease_token = ")
        .bind(lease.token)
        .sql(", compare_lease_until = ")
        .bind(lease.until)
        .sql(
            " WHERE (organisation_id, provider) IN (
                SELECT organisation_id, provider FROM calendar_integrations WHERE ",
        )
        .with(due)
        .sql(format!(" ORDER BY {due_at} LIMIT 1 {NO_KEY_SKIP_LOCKED}) RETURNING {columns}"))
}

/// The integration, while the lease is this one.
pub(super) fn is_ours(organisation: &OrganisationId, lease: &Lease) -> Fragment {
    of_organisation(organisation).sql(" AND compare_lease_token = ").bind(lease.token)
}
