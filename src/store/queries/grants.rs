//! Grants: stored, refreshed, and the two halves of a disconnect.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::{RESET_PLACEMENT, of_organisation};
use super::integrations::{changed, locked, set_calendar};
use super::schema::calendar_integrations::dsl;
use super::statement::{named, sql};
use super::{Conn, Fault, catch_ups, rows};
use crate::crypto::Sealed;
use crate::model::{Epoch, OrganisationId};
use crate::store::instant::Instant;
use crate::store::words::{ERROR, NONE, PENDING, PROVIDER, Priority, SYNCED};
use crate::store::{Grant, Guarded, Integration};

pub(in crate::store) async fn connect(conn: &mut Conn, grant: Grant, now: Timestamp) -> Result<Integration, Fault> {
    transaction!(conn, async |conn| {
        let organisation = &grant.organisation;
        // Two first connects at once: the second waits for the first here, and then finds its row.
        let first = diesel::insert_into(dsl::calendar_integrations)
            .values((
                dsl::organisation_id.eq(organisation.as_str()),
                dsl::provider.eq(PROVIDER),
                dsl::created_at.eq(Instant(now)),
                dsl::updated_at.eq(Instant(now)),
            ))
            .on_conflict_do_nothing();
        named("grants.first", first).execute(conn).await?;
        let before = locked(conn, organisation).await?.ok_or(Fault::Corrupt("organisation_id"))?;
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
            dsl::disconnecting_at.eq(None::<Instant>),
            dsl::epoch.eq(dsl::epoch + 1),
            dsl::updated_at.eq(Instant(now)),
        ));
        named("grants.connect", connect).execute(conn).await?;
        let is_again = before.google_user_id.is_some();
        let is_other = before.google_user_id.is_some_and(|account| account != grant.google_user_id);
        if is_other || before.calendar.is_none() {
            set_calendar(conn, organisation, &grant.calendar).await?;
        }
        if is_other {
            forget_account(conn, organisation, now).await?;
        }
        // On the first connect, what was kept waits for the person's word: calendar and privacy are chosen first.
        if is_again && before.is_enabled {
            catch_ups::catch_up(conn, organisation, now).await?;
        }
        changed(conn, organisation).await
    })
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

/// A refresh token has to be there: once a disconnect has ended, a late answer may not bring tokens back in the same
/// epoch.
pub(in crate::store) async fn save_tokens(
    conn: &mut Conn,
    organisation: &OrganisationId,
    epoch: Epoch,
    access: &Sealed,
    expires_at: Timestamp,
    refresh: Option<&Sealed>,
    now: Timestamp,
) -> Result<Guarded, Fault> {
    let row = dsl::calendar_integrations
        .find((organisation.as_str(), PROVIDER))
        .filter(dsl::epoch.eq(epoch.0))
        .filter(dsl::refresh_token.is_not_null());
    let tokens = (
        dsl::access_token.eq(access.as_bytes()),
        dsl::token_expiry.eq(Instant(expires_at)),
        dsl::updated_at.eq(Instant(now)),
    );
    let rows = match refresh {
        Some(refresh) => {
            let both = diesel::update(row).set((tokens, dsl::refresh_token.eq(refresh.as_bytes())));
            named("grants.save_tokens", both).execute(conn).await?
        }
        None => named("grants.save_access_token", diesel::update(row).set(tokens)).execute(conn).await?,
    };
    Ok(Guarded::by(rows))
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
    transaction!(conn, async |conn| {
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
    })
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
