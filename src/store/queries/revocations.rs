//! Revocations: who uses an account, and whose turn it is to revoke it.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::of_organisation;
use super::schema::revocation_counter::dsl;
use super::statement::{named, sql};
use super::{Conn, Fault, accounts, disconnects, integrations, pending_grants};
use crate::model::{GoogleUserId, OrganisationId};
use crate::store::words::GOOGLE;
use crate::store::{Leaving, Revocation, RevocationLease};

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    found: i64,
}

pub(in crate::store) async fn latest_seq(conn: &mut Conn) -> Result<i64, Fault> {
    let select = dsl::revocation_counter.find(1).select(dsl::last_seq);
    Ok(named("revocations.latest_seq", select).get_result(conn).await?)
}

pub(in crate::store) async fn begin(
    conn: &mut Conn,
    account: &GoogleUserId,
    leaving: &Leaving,
    lease: RevocationLease,
    now: Timestamp,
) -> Result<Revocation, Fault> {
    transaction!(conn, async |conn| {
        let row = accounts::locked(conn, account, now).await?;
        if row.is_being_revoked(now) {
            return Ok(Revocation::UnderWay);
        }
        if !is_there(conn, account, leaving).await? {
            return Ok(Revocation::Ended);
        }
        if is_shared(conn, account, leaving).await? {
            leave(conn, account, leaving, now).await?;
            return Ok(Revocation::Shared);
        }
        row.lease(conn, &lease, now).await?;
        Ok(Revocation::Leased)
    })
}

pub(in crate::store) async fn finish(
    conn: &mut Conn,
    account: &GoogleUserId,
    leaving: &Leaving,
    lease: RevocationLease,
    now: Timestamp,
) -> Result<(), Fault> {
    transaction!(conn, async |conn| {
        let row = accounts::locked(conn, account, now).await?;
        leave(conn, account, leaving, now).await?;
        // Whoever took the lease over ends it.
        if row.is_leased_to(&lease) {
            row.end_revocation(conn, now).await?;
        }
        Ok(())
    })
}

/// Whether anybody but `leaving` has a grant of the account, be it one that is being disconnected: its last calls need
/// it.
async fn is_shared(conn: &mut Conn, account: &GoogleUserId, leaving: &Leaving) -> Result<bool, Fault> {
    let (integration, pending) = match leaving {
        Leaving::Integration { organisation, .. } => (Some(organisation), None),
        Leaving::Pending { organisation } => (None, Some(organisation)),
        Leaving::Nobody => (None, None),
    };
    let but = |organisation: Option<&OrganisationId>| match organisation {
        Some(organisation) => sql(" AND organisation_id <> ").bind(organisation),
        None => sql(""),
    };
    let select = sql(format!(
        "SELECT (SELECT COUNT(*) FROM calendar_integrations
                 WHERE provider = {GOOGLE} AND refresh_token IS NOT NULL AND google_user_id = "
    ))
    .bind(account)
    .with(but(integration))
    .sql(format!(") + (SELECT COUNT(*) FROM pending_grants WHERE provider = {GOOGLE} AND google_user_id = "))
    .bind(account)
    .with(but(pending))
    .sql(") AS found");
    let row: CountRow = named("revocations.is_shared", select).get_result(conn).await?;
    Ok(row.found > 0)
}

/// Whether `leaving` still has to leave.
async fn is_there(conn: &mut Conn, account: &GoogleUserId, leaving: &Leaving) -> Result<bool, Fault> {
    match leaving {
        Leaving::Integration { organisation, epoch } => {
            let integration = integrations::locked(conn, organisation).await?;
            Ok(integration.is_some_and(|it| it.epoch == *epoch && it.refresh_token.is_some()))
        }
        Leaving::Pending { organisation } => {
            let select = sql("SELECT COUNT(*) AS found FROM pending_grants WHERE ")
                .with(of_organisation(organisation))
                .sql(" AND google_user_id = ")
                .bind(account);
            let row: CountRow = named("revocations.is_pending", select).get_result(conn).await?;
            Ok(row.found > 0)
        }
        Leaving::Nobody => Ok(true),
    }
}

async fn leave(conn: &mut Conn, account: &GoogleUserId, leaving: &Leaving, now: Timestamp) -> Result<(), Fault> {
    match leaving {
        Leaving::Integration { organisation, epoch } => {
            // Fenced: another process has ended it, or the organisation has connected anew.
            let _ = disconnects::end(conn, organisation, *epoch, now).await?;
        }
        Leaving::Pending { organisation } => pending_grants::erase(conn, organisation, account).await?,
        Leaving::Nobody => {}
    }
    Ok(())
}
