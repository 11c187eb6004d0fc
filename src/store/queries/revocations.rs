//! Revocations: who uses an account, and whose turn it is to revoke it.
//!
//! Owns who counts as a user of an account, and how one leaves. Never holds an integration before the row of the
//! account. Invariant: whether others use an account is asked with that row held, so that of two who leave at once the
//! second revokes; and what became of it is told to all who have left it.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::of_organisation;
use super::schema::revocation_counter::dsl;
use super::statement::{Fragment, named, sql};
use super::{Conn, Fault, accounts, disconnects, integrations, unkept_grants};
use crate::model::{Epoch, GoogleUserId, GrantEnd, OrganisationId};
use crate::store::words::{self, GOOGLE, GRANT_PENDING, GRANT_SHARED, RECONNECT_REQUIRED};
use crate::store::{GrantHolder, Revocation, RevocationLease};

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
    holder: &GrantHolder,
    lease: RevocationLease,
    now: Timestamp,
) -> Result<Revocation, Fault> {
    transaction!(conn, async |conn| {
        let row = accounts::locked(conn, account, now).await?;
        if row.is_being_revoked(now) {
            return Ok(Revocation::UnderWay);
        }
        if !is_there(conn, holder).await? {
            return Ok(Revocation::Ended);
        }
        if is_shared(conn, account, holder).await? {
            leave(conn, holder, (GrantEnd::Shared, now), now).await?;
            tell_others(conn, account, GrantEnd::Shared).await?;
            return Ok(Revocation::Shared);
        }
        row.lease(conn, &lease, now).await?;
        Ok(Revocation::Leased)
    })
}

pub(in crate::store) async fn finish(
    conn: &mut Conn,
    account: &GoogleUserId,
    holder: &GrantHolder,
    lease: RevocationLease,
    ended: (GrantEnd, Timestamp),
    now: Timestamp,
) -> Result<(), Fault> {
    transaction!(conn, async |conn| {
        let row = accounts::locked(conn, account, now).await?;
        leave(conn, holder, ended, now).await?;
        tell_others(conn, account, ended.0).await?;
        // Whoever took the lease over ends it.
        if row.is_leased_to(&lease) {
            row.end_revocation(conn, now).await?;
        }
        Ok(())
    })
}

#[derive(QueryableByName)]
struct SharerRow {
    #[diesel(sql_type = Text)]
    organisation_id: String,
    #[diesel(sql_type = BigInt)]
    epoch: i64,
}

pub(in crate::store) async fn sharers(
    conn: &mut Conn,
    account: &GoogleUserId,
    holder: &GrantHolder,
) -> Result<Vec<(OrganisationId, Epoch)>, Fault> {
    let select = sql("SELECT organisation_id, epoch FROM calendar_integrations WHERE ")
        .with(shares(account, holder))
        .sql(" ORDER BY organisation_id");
    let rows: Vec<SharerRow> = named("revocations.sharers", select).load(conn).await?;
    let sharer = |row: SharerRow| (OrganisationId::as_stored(row.organisation_id), Epoch(row.epoch));
    Ok(rows.into_iter().map(sharer).collect())
}

/// The integrations but `holder` that have a grant of the account, also while they are being disconnected: their last calls
/// need it. One that Google no longer honours is in nobody's way: who has that alone could not end a grant that was given
/// since.
fn shares(account: &GoogleUserId, holder: &GrantHolder) -> Fragment {
    let but_it = match holder {
        GrantHolder::Integration { organisation, .. } => sql(" AND organisation_id <> ").bind(organisation),
        GrantHolder::Unkept { .. } => Fragment::default(),
    };
    sql(format!(
        "provider = {GOOGLE} AND refresh_token IS NOT NULL
         AND (problem_reason IS NULL OR problem_reason <> {RECONNECT_REQUIRED}) AND google_user_id = "
    ))
    .bind(account)
    .with(but_it)
}

/// Whether anybody but `holder` has a grant of the account; one that nobody keeps is in nobody's way.
async fn is_shared(conn: &mut Conn, account: &GoogleUserId, holder: &GrantHolder) -> Result<bool, Fault> {
    let select = sql("SELECT (SELECT COUNT(*) FROM calendar_integrations WHERE ")
        .with(shares(account, holder))
        .sql(format!(") + (SELECT COUNT(*) FROM pending_grants WHERE provider = {GOOGLE} AND google_user_id = "))
        .bind(account)
        .sql(") AS found");
    let row: CountRow = named("revocations.is_shared", select).get_result(conn).await?;
    Ok(row.found > 0)
}

/// Whether `holder` still has to leave.
async fn is_there(conn: &mut Conn, holder: &GrantHolder) -> Result<bool, Fault> {
    match holder {
        GrantHolder::Integration { organisation, epoch } => {
            let integration = integrations::locked(conn, organisation).await?;
            Ok(integration.is_some_and(|it| it.epoch == *epoch && it.refresh_token.is_some()))
        }
        GrantHolder::Unkept { token, .. } => unkept_grants::is_queued(conn, token).await,
    }
}

/// Tells what became of an account those who left it while others used it, or while Google had not answered one of them.
/// Who has a grant of their own that is to be revoked is told by that.
async fn tell_others(conn: &mut Conn, account: &GoogleUserId, end: GrantEnd) -> Result<(), Fault> {
    let tell = sql("UPDATE calendar_integrations SET grant_end = ")
        .bind(words::of_grant_end(end))
        .sql(format!(
            " WHERE provider = {GOOGLE} AND refresh_token IS NULL AND grant_end IN ({GRANT_SHARED}, {GRANT_PENDING})
                 AND NOT EXISTS (SELECT 1 FROM unkept_grants AS u
                    WHERE u.organisation_id = calendar_integrations.organisation_id
                        AND u.google_user_id = calendar_integrations.google_user_id)
                 AND google_user_id = "
        ))
        .bind(account);
    named("revocations.tell_others", tell).execute(conn).await?;
    Ok(())
}

async fn leave(
    conn: &mut Conn,
    holder: &GrantHolder,
    (end, retry_at): (GrantEnd, Timestamp),
    now: Timestamp,
) -> Result<(), Fault> {
    match holder {
        GrantHolder::Integration { organisation, epoch } => {
            if end == GrantEnd::Pending {
                let its =
                    of_organisation(organisation).sql(" AND disconnecting_at IS NOT NULL AND epoch = ").bind(epoch.0);
                unkept_grants::queue_from(conn, "calendar_integrations", its, retry_at, now).await?;
            }
            // Fenced: another process has ended it, or the organisation has connected anew.
            let _ = disconnects::end(conn, organisation, *epoch, Some(end), now).await?;
        }
        GrantHolder::Unkept { organisation, token } => match end {
            GrantEnd::Pending => unkept_grants::put_off(conn, token, retry_at).await?,
            GrantEnd::Revoked | GrantEnd::Shared | GrantEnd::Refused => {
                unkept_grants::end(conn, organisation, token, end).await?;
            }
        },
    }
    Ok(())
}
