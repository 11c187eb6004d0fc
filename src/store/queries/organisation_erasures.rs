//! The erasure of a whole organisation, begun: by its appointments, and by a disconnect that deletes all.
//!
//! Owns the order of these steps. Never erases the rest: that is done once the disconnect has ended. Invariant: all of
//! it is one transaction, with the queue held from its beginning.

use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::of_organisation;
use super::integrations::locked;
use super::statement::{named, sql};
use super::{Conn, Fault, consents, disconnects, erasures, pending_grants};
use crate::model::{OrganisationId, RemoteEvents};

pub(in crate::store) async fn begin(
    conn: &mut Conn,
    organisation: &OrganisationId,
    size: i64,
    now: Timestamp,
) -> Result<(), Fault> {
    transaction!(conn, async |conn| {
        let before = locked(conn, organisation).await?;
        consents::end_all_of(conn, organisation, now).await?;
        // What that owes is deleted by the disconnect, as whatever is owed.
        erasures::erase(conn, organisation, before.as_ref(), || sql("TRUE"), now).await?;
        if let Some(before) = &before {
            let mark = sql("UPDATE calendar_integrations SET erasing_at = COALESCE(erasing_at, ")
                .bind(now)
                .sql(") WHERE ")
                .with(of_organisation(organisation));
            named("organisation_erasures.mark", mark).execute(conn).await?;
            match before.refresh_token {
                Some(_) => {
                    disconnects::begin_within(conn, before, RemoteEvents::DeleteAll, size, now).await?;
                }
                None => disconnects::fence_consents(conn, organisation).await?,
            }
        }
        pending_grants::end(conn, organisation, now).await
    })
}
