//! Grants: stored, and the two halves of a disconnect.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::{RESET_PLACEMENT, of_organisation};
use super::integrations::{changed, first, locked, set_calendar};
use super::schema::calendar_integrations::dsl;
use super::schema::oauth_consents;
use super::statement::{named, sql};
use super::{Conn, Fault, accounts, pending_grants, rows};
use crate::model::{Epoch, OrganisationId};
use crate::store::instant::Instant;
use crate::store::words::{ERROR, NONE, PENDING, PROVIDER, Priority, SYNCED};
use crate::store::{AsOf, Connect, Grant, Guarded, Integration};

pub(in crate::store) async fn connect(
    conn: &mut Conn,
    grant: Grant,
    as_of: AsOf,
    pending_until: Timestamp,
    now: Timestamp,
) -> Result<Connect, Fault> {
    transaction!(conn, async |conn| {
        let account = accounts::locked(conn, &grant.google_user_id, now).await?;
        // Two first connects at once: the second waits for the first here, and then finds its row.
        first(conn, &grant.organisation, now).await?;
        let before = locked(conn, &grant.organisation).await?.ok_or(Fault::Corrupt("organisation_id"))?;
        if before.epoch != as_of.epoch {
            return Ok(Connect::Fenced);
        }
        if account.is_revoked_since(conn, as_of.revocation_seq, now).await? {
            return Ok(Connect::Revoked);
        }
        if is_other(&before, &grant) && before.refresh_token.is_some() {
            let replaced = pending_grants::keep(conn, &grant, pending_until, now).await?;
            return Ok(Connect::KeptAside { replaced });
        }
        store_grant(conn, &before, &grant, now).await?;
        Ok(Connect::Stored)
    })
}

pub(in crate::store) async fn confirm(
    conn: &mut Conn,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<Option<Integration>, Fault> {
    transaction!(conn, async |conn| {
        let Some(found) = pending_grants::waiting(conn, organisation, now).await? else {
            return Ok(None);
        };
        accounts::locked(conn, &found.google_user_id, now).await?;
        let Some(before) = locked(conn, organisation).await?.filter(Integration::is_connected) else {
            return Ok(None);
        };
        // Another account may have taken its place before the row was locked.
        let waiting = pending_grants::waiting(conn, organisation, now).await?;
        let Some(grant) = waiting.filter(|grant| grant.google_user_id == found.google_user_id) else {
            return Ok(None);
        };
        pending_grants::erase(conn, organisation, &grant.google_user_id).await?;
        store_grant(conn, &before, &grant, now).await?;
        Ok(Some(before))
    })
}

fn is_other(before: &Integration, grant: &Grant) -> bool {
    before.google_user_id.as_ref().is_some_and(|account| *account != grant.google_user_id)
}

/// Stores a grant in the row that is locked, in place of the one before.
async fn store_grant(conn: &mut Conn, before: &Integration, grant: &Grant, now: Timestamp) -> Result<(), Fault> {
    let organisation = &grant.organisation;
    let row = dsl::calendar_integrations.find((organisation.as_str(), PROVIDER));
    let connect = diesel::update(row).set((
        dsl::google_user_id.eq(grant.google_user_id.as_str()),
        dsl::google_email.eq(&grant.google_email),
        dsl::access_token.eq(grant.access_token.as_bytes()),
        dsl::refresh_token.eq(grant.refresh_token.as_bytes()),
        dsl::token_expiry.eq(Instant(grant.token_expires_at)),
        dsl::granted_scopes.eq(grant.granted_scopes.join(" ")),
        dsl::problem_reason.eq(None::<String>),
        dsl::problem_since.eq(None::<Instant>),
        dsl::problem_retry_at.eq(None::<Instant>),
        dsl::connected_at.eq(Instant(now)),
        dsl::refreshed_at.eq(None::<Instant>),
        dsl::refresh_lease_token.eq(None::<String>),
        dsl::refresh_lease_until.eq(None::<Instant>),
        dsl::disconnecting_at.eq(None::<Instant>),
        dsl::epoch.eq(dsl::epoch + 1),
        dsl::updated_at.eq(Instant(now)),
    ));
    named("grants.connect", connect).execute(conn).await?;
    let is_other = is_other(before, grant);
    if is_other || before.calendar.is_none() {
        set_calendar(conn, organisation, &grant.calendar).await?;
    }
    if is_other {
        forget_account(conn, organisation, now).await?;
    }
    // A consent that began beside this one goes on: it is a disconnect that ends consents.
    let its = oauth_consents::dsl::organisation_id.eq(organisation.as_str());
    let consents =
        oauth_consents::dsl::oauth_consents.filter(its).filter(oauth_consents::dsl::epoch.eq(before.epoch.0));
    let carry = diesel::update(consents).set(oauth_consents::dsl::epoch.eq(before.epoch.0 + 1));
    named("grants.carry_consents", carry).execute(conn).await?;
    pending_grants::lapse(conn, organisation, now).await
}

/// The events of another account are out of reach: nothing of them is true of this one.
async fn forget_account(conn: &mut Conn, organisation: &OrganisationId, now: Timestamp) -> Result<(), Fault> {
    let integration = diesel::update(dsl::calendar_integrations.find((organisation.as_str(), PROVIDER))).set((
        dsl::last_sync_at.eq(None::<Instant>),
        dsl::catch_up_total.eq(None::<i32>),
        dsl::catch_up_started_at.eq(None::<Instant>),
    ));
    named("grants.forget_account", integration).execute(conn).await?;
    let links = sql(format!(
        "UPDATE appointment_external_links SET {RESET_PLACEMENT}, attempts = 0,
            sync_status = CASE WHEN sync_status = {SYNCED} THEN {NONE} ELSE sync_status END,
            next_attempt_at = CASE WHEN sync_status = {PENDING} THEN "
    ))
    .bind(now)
    .sql(" ELSE next_attempt_at END, updated_at = ")
    .bind(now)
    .sql(" WHERE ")
    .with(of_organisation(organisation));
    named("grants.reset_placements", links).execute(conn).await?;
    Ok(())
}

pub(in crate::store) async fn begin_disconnect(
    conn: &mut Conn,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<Option<Integration>, Fault> {
    transaction!(conn, async |conn| {
        let Some(before) = locked(conn, organisation).await? else {
            return Ok(None);
        };
        if before.disconnecting_at.is_some() {
            return Ok(Some(before));
        }
        if !before.is_connected() {
            return Ok(None);
        }
        let begin = diesel::update(dsl::calendar_integrations.find((organisation.as_str(), PROVIDER))).set((
            dsl::disconnecting_at.eq(Instant(now)),
            dsl::epoch.eq(dsl::epoch + 1),
            dsl::updated_at.eq(Instant(now)),
        ));
        named("grants.begin_disconnect", begin).execute(conn).await?;
        changed(conn, organisation).await.map(Some)
    })
}

pub(in crate::store) async fn finish_disconnect(
    conn: &mut Conn,
    organisation: &OrganisationId,
    epoch: Epoch,
    now: Timestamp,
) -> Result<Guarded, Fault> {
    transaction!(conn, async |conn| end_disconnect(conn, organisation, epoch, now).await)
}

/// Ends a disconnect within a transaction.
pub(super) async fn end_disconnect(
    conn: &mut Conn,
    organisation: &OrganisationId,
    epoch: Epoch,
    now: Timestamp,
) -> Result<Guarded, Fault> {
    let row = dsl::calendar_integrations
        .find((organisation.as_str(), PROVIDER))
        .filter(dsl::epoch.eq(epoch.0))
        .filter(dsl::disconnecting_at.is_not_null());
    let erase = diesel::update(row).set((
        dsl::google_email.eq(None::<String>),
        dsl::access_token.eq(None::<Vec<u8>>),
        dsl::refresh_token.eq(None::<Vec<u8>>),
        dsl::token_expiry.eq(None::<Instant>),
        dsl::granted_scopes.eq(""),
        dsl::problem_reason.eq(None::<String>),
        dsl::problem_since.eq(None::<Instant>),
        dsl::problem_retry_at.eq(None::<Instant>),
        dsl::connected_at.eq(None::<Instant>),
        dsl::catch_up_total.eq(None::<i32>),
        dsl::catch_up_started_at.eq(None::<Instant>),
        dsl::disconnecting_at.eq(None::<Instant>),
        dsl::updated_at.eq(Instant(now)),
    ));
    if named("grants.finish_disconnect", erase).execute(conn).await? == 0 {
        return Ok(Guarded::Fenced);
    }
    let rest = sql(format!(
        "UPDATE appointment_external_links SET sync_status = {NONE}, next_attempt_at = NULL, attempts = 0,
            priority = {live}, last_error = NULL, last_error_detail = NULL, updated_at = ",
        live = Priority::Live,
    ))
    .bind(now)
    .sql(" WHERE ")
    .with(of_organisation(organisation))
    .sql(format!(" AND sync_status IN ({PENDING}, {ERROR})"));
    named("grants.rest_links", rest).execute(conn).await?;
    Ok(Guarded::Done)
}

pub(in crate::store) async fn unfinished_disconnects(conn: &mut Conn) -> Result<Vec<OrganisationId>, Fault> {
    let select = dsl::calendar_integrations
        .filter(dsl::provider.eq(PROVIDER))
        .filter(dsl::disconnecting_at.is_not_null())
        .order(dsl::organisation_id)
        .select(dsl::organisation_id);
    let found: Vec<String> = named("grants.unfinished_disconnects", select).load(conn).await?;
    found.iter().map(|id| rows::organisation(id)).collect()
}
