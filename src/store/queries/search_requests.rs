//! Searches of an account, asked for: by a disconnect that deletes, and for what was erased.
//!
//! Owns what makes a search due. Never takes a lease. Invariant: for what was erased, a search is asked for where none
//! is asked for yet.

use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::{CONNECTED, of_organisation, unleased};
use super::links::OWES_NOTHING_DUE;
use super::statement::{Fragment, named, sql};
use super::{Conn, Fault};
use crate::model::OrganisationId;
use crate::store::words::ERASURE;

/// An appointment for whose event the account is still to be searched, and may be: nothing that it was erased with is due
/// to be deleted any more, or it was sent again since.
pub(super) fn is_unsearched() -> String {
    format!("is_unsearched AND (erasing_at IS NULL OR {OWES_NOTHING_DUE})")
}

/// What makes a search due now, whoever asks for it.
fn asked_for(now: Timestamp) -> Fragment {
    sql("search_attempts = 0, search_asked_at = ").bind(now).sql(", search_due_at = ").bind(now)
}

/// Asks for the search that a disconnect needs before it ends.
pub(super) async fn ask_for_disconnect(
    conn: &mut Conn,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<(), Fault> {
    let ask = sql("UPDATE calendar_integrations SET ")
        .with(asked_for(now))
        .sql(" WHERE ")
        .with(of_organisation(organisation));
    named("search_requests.ask_for_disconnect", ask).execute(conn).await?;
    Ok(())
}

/// Asks for a search if appointments that were erased wait for nothing else, whether they were sent again or not; answers
/// whether it did. As long as some event of one is due to be deleted, it waits, so that one search is enough for all of
/// them. A disconnect asks for its own.
pub(super) async fn ask_for_erased(
    conn: &mut Conn,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<bool, Fault> {
    let ask = sql("UPDATE calendar_integrations SET ")
        .with(asked_for(now))
        .sql(format!(" WHERE search_due_at IS NULL AND {CONNECTED} AND "))
        .with(of_organisation(organisation))
        .sql(format!(" AND EXISTS (SELECT 1 FROM appointment_external_links WHERE {} AND ", is_unsearched()))
        .with(of_organisation(organisation))
        .sql(" AND ")
        .with(unleased(now))
        .sql(format!(
            ") AND NOT EXISTS (SELECT 1 FROM owed_deletions WHERE cause = {ERASURE} AND next_attempt_at IS NOT NULL AND "
        ))
        .with(of_organisation(organisation))
        .sql(")");
    Ok(named("search_requests.ask_for_erased", ask).execute(conn).await? > 0)
}
