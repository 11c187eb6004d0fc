//! Integrations: connect, disconnect, and what is noted between the two.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::links::{FORGOTTEN, requeue};
use super::rows::{self, IntegrationRow};
use super::schema::calendar_integrations::dsl;
use super::{CONNECTED, Conn, FOR_UPDATE, Fault, InstantSql, statement};
use crate::crypto::Sealed;
use crate::model::{Calendar, Epoch, GoogleUserId, OrganisationId, Problem, Reason};
use crate::store::instant::Instant;
use crate::store::words::{self, PROVIDER};
use crate::store::{CatchUp, Grant, Integration, SettingsChange};

pub(in crate::store) async fn ping(conn: &mut Conn) -> Result<(), Fault> {
    statement("SELECT 1").execute(conn).await?;
    Ok(())
}

pub(in crate::store) async fn integration(
    conn: &mut Conn,
    organisation: &OrganisationId,
) -> Result<Option<Integration>, Fault> {
    let row = dsl::calendar_integrations
        .find((organisation.as_str(), PROVIDER))
        .select(IntegrationRow::as_select())
        .first(conn)
        .await
        .optional()?;
    row.map(Integration::try_from).transpose()
}

/// The integration, held until the end of the transaction.
pub(super) async fn locked(conn: &mut Conn, organisation: &OrganisationId) -> Result<Option<Integration>, Fault> {
    let row: Option<IntegrationRow> = statement(format!(
        "SELECT * FROM calendar_integrations WHERE organisation_id = $1 AND provider = 'google' {FOR_UPDATE}"
    ))
    .bind::<Text, _>(organisation.as_str().to_owned())
    .get_result(conn)
    .await
    .optional()?;
    row.map(Integration::try_from).transpose()
}

/// The integration, after a change of it in the same transaction.
async fn changed(conn: &mut Conn, organisation: &OrganisationId) -> Result<Integration, Fault> {
    integration(conn, organisation).await?.ok_or(Fault::Corrupt("organisation_id"))
}

pub(in crate::store) async fn connect(conn: &mut Conn, grant: Grant, now: Timestamp) -> Result<Integration, Fault> {
    transaction!(conn, async |conn| {
        let organisation = &grant.organisation;
        // Two first connects at once: the second waits for the first here, and then finds its row.
        diesel::insert_into(dsl::calendar_integrations)
            .values((
                dsl::organisation_id.eq(organisation.as_str()),
                dsl::provider.eq(PROVIDER),
                dsl::created_at.eq(Instant(now)),
                dsl::updated_at.eq(Instant(now)),
            ))
            .on_conflict_do_nothing()
            .execute(conn)
            .await?;
        let before = locked(conn, organisation).await?.ok_or(Fault::Corrupt("organisation_id"))?;
        let row = dsl::calendar_integrations.find((organisation.as_str(), PROVIDER));
        diesel::update(row)
            .set((
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
            ))
            .execute(conn)
            .await?;
        let is_other = before.google_user_id.is_some_and(|account| account != grant.google_user_id);
        if is_other || before.calendar.is_none() {
            set_calendar(conn, organisation, &grant.calendar).await?;
        }
        if is_other {
            forget_account(conn, organisation, now).await?;
        }
        changed(conn, organisation).await
    })
}

async fn set_calendar(conn: &mut Conn, organisation: &OrganisationId, calendar: &Calendar) -> Result<(), Fault> {
    diesel::update(dsl::calendar_integrations.find((organisation.as_str(), PROVIDER)))
        .set((
            dsl::calendar_id.eq(calendar.id.as_str()),
            dsl::calendar_name.eq(&calendar.name),
            dsl::calendar_time_zone.eq(&calendar.time_zone),
            dsl::calendar_color.eq(&calendar.color),
            dsl::calendar_is_primary.eq(calendar.is_primary),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// The events of another account are out of reach: nothing of them is true of this one.
async fn forget_account(conn: &mut Conn, organisation: &OrganisationId, now: Timestamp) -> Result<(), Fault> {
    diesel::update(dsl::calendar_integrations.find((organisation.as_str(), PROVIDER)))
        .set((
            dsl::last_sync_at.eq(None::<Instant>),
            dsl::catch_up_total.eq(None::<i32>),
            dsl::catch_up_started_at.eq(None::<Instant>),
        ))
        .execute(conn)
        .await?;
    statement(format!(
        "UPDATE appointment_external_links SET {FORGOTTEN}, attempts = 0, updated_at = $1,
            next_attempt_at = CASE WHEN sync_status = 'pending' THEN $1 ELSE next_attempt_at END,
            sync_status = CASE WHEN sync_status = 'synced' THEN 'none' ELSE sync_status END
         WHERE organisation_id = $2 AND provider = 'google'"
    ))
    .bind::<InstantSql, _>(Instant(now))
    .bind::<Text, _>(organisation.as_str().to_owned())
    .execute(conn)
    .await?;
    Ok(())
}

/// Why a refresh token has to be there: once a disconnect has ended, a late answer may not bring tokens back in the same
/// epoch.
pub(in crate::store) async fn save_tokens(
    conn: &mut Conn,
    organisation: &OrganisationId,
    epoch: Epoch,
    access: &Sealed,
    expires_at: Timestamp,
    refresh: Option<&Sealed>,
    now: Timestamp,
) -> Result<bool, Fault> {
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
            diesel::update(row).set((tokens, dsl::refresh_token.eq(refresh.as_bytes()))).execute(conn).await?
        }
        None => diesel::update(row).set(tokens).execute(conn).await?,
    };
    Ok(rows > 0)
}

pub(in crate::store) async fn note_problem(
    conn: &mut Conn,
    organisation: &OrganisationId,
    epoch: Epoch,
    problem: &Problem,
    now: Timestamp,
) -> Result<bool, Fault> {
    let rows = statement(
        "UPDATE calendar_integrations SET
            problem_since = CASE WHEN problem_reason = $1 THEN problem_since ELSE $2 END,
            problem_reason = $1, problem_retry_at = $3, updated_at = $4
         WHERE organisation_id = $5 AND provider = 'google' AND epoch = $6 AND refresh_token IS NOT NULL",
    )
    .bind::<Text, _>(words::of_reason(problem.reason))
    .bind::<InstantSql, _>(Instant(problem.since_at))
    .bind::<Nullable<InstantSql>, _>(problem.retry_at.map(Instant))
    .bind::<InstantSql, _>(Instant(now))
    .bind::<Text, _>(organisation.as_str().to_owned())
    .bind::<BigInt, _>(epoch.0)
    .execute(conn)
    .await?;
    Ok(rows > 0)
}

pub(in crate::store) async fn clear_problem(
    conn: &mut Conn,
    organisation: &OrganisationId,
    epoch: Epoch,
    now: Timestamp,
) -> Result<bool, Fault> {
    let row = dsl::calendar_integrations
        .find((organisation.as_str(), PROVIDER))
        .filter(dsl::epoch.eq(epoch.0))
        .filter(dsl::refresh_token.is_not_null());
    let rows = diesel::update(row)
        .set((
            dsl::problem_reason.eq(None::<String>),
            dsl::problem_since.eq(None::<Instant>),
            dsl::problem_retry_at.eq(None::<Instant>),
            dsl::updated_at.eq(Instant(now)),
        ))
        .execute(conn)
        .await?;
    Ok(rows > 0)
}

pub(in crate::store) async fn change_settings(
    conn: &mut Conn,
    organisation: &OrganisationId,
    change: SettingsChange,
    now: Timestamp,
) -> Result<Option<Integration>, Fault> {
    transaction!(conn, async |conn| {
        let Some(before) = locked(conn, organisation).await? else {
            return Ok(None);
        };
        let row = || dsl::calendar_integrations.find((organisation.as_str(), PROVIDER));
        let privacy = change.title_privacy.unwrap_or(before.title_privacy);
        diesel::update(row())
            .set((
                dsl::is_enabled.eq(change.is_enabled.unwrap_or(before.is_enabled)),
                dsl::title_privacy.eq(words::of_privacy(privacy)),
                dsl::updated_at.eq(Instant(now)),
            ))
            .execute(conn)
            .await?;
        let mut is_moved = false;
        if let Some(calendar) = &change.calendar {
            is_moved = before.calendar.as_ref().is_none_or(|kept| kept.id != calendar.id);
            set_calendar(conn, organisation, calendar).await?;
        }
        // Google has just said that the chosen one may be written to, be it another or the same.
        if change.calendar.is_some()
            && before.problem.as_ref().is_some_and(|problem| problem.reason == Reason::CalendarUnavailable)
        {
            clear_problem(conn, organisation, before.epoch, now).await?;
        }
        if before.is_connected() && (is_moved || privacy != before.title_privacy) {
            let upcoming = format!(
                "ends_at > {} AND (external_event_id IS NOT NULL OR sync_status = 'pending')",
                // The instant of the statement itself, see `requeue`.
                "$1"
            );
            requeue(conn, organisation, &upcoming, "1", now).await?;
            note_catch_up(conn, organisation, now).await?;
        }
        changed(conn, organisation).await.map(Some)
    })
}

/// Notes how many links the catch-up that begins has to bring in step.
async fn note_catch_up(conn: &mut Conn, organisation: &OrganisationId, now: Timestamp) -> Result<(), Fault> {
    statement(
        "UPDATE calendar_integrations SET catch_up_started_at = $1, updated_at = $1, catch_up_total = (
            SELECT COUNT(*) FROM appointment_external_links AS l
            WHERE l.organisation_id = $2 AND l.provider = 'google' AND l.sync_status = 'pending' AND l.lane = 1
         )
         WHERE organisation_id = $2 AND provider = 'google'",
    )
    .bind::<InstantSql, _>(Instant(now))
    .bind::<Text, _>(organisation.as_str().to_owned())
    .execute(conn)
    .await?;
    Ok(())
}

pub(in crate::store) async fn catch_up(
    conn: &mut Conn,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<CatchUp, Fault> {
    transaction!(conn, async |conn| {
        let Some(integration) = locked(conn, organisation).await?.filter(Integration::is_connected) else {
            return Ok(CatchUp::Queued(0));
        };
        if super::links::counts(conn, organisation, now).await?.catching_up > 0 {
            return Ok(CatchUp::AlreadyRunning);
        }
        statement(
            "UPDATE appointment_external_links SET lane = 0, updated_at = $1
             WHERE organisation_id = $2 AND provider = 'google' AND lane = 1",
        )
        .bind::<InstantSql, _>(Instant(now))
        .bind::<Text, _>(organisation.as_str().to_owned())
        .execute(conn)
        .await?;
        let unsent = "snapshot IS NOT NULL AND (sync_status IN ('none', 'error', 'pending') \
                      OR ends_at > $1 AND external_calendar_id <> (SELECT i.calendar_id FROM calendar_integrations AS i \
                      WHERE i.organisation_id = $2 AND i.provider = 'google'))";
        let lane = "CASE WHEN sync_status = 'pending' THEN lane ELSE 1 END";
        let queued = requeue(conn, &integration.organisation, unsent, lane, now).await?;
        note_catch_up(conn, organisation, now).await?;
        Ok(CatchUp::Queued(queued))
    })
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
        diesel::update(dsl::calendar_integrations.find((organisation.as_str(), PROVIDER)))
            .set((
                dsl::disconnecting_at.eq(Instant(now)),
                dsl::epoch.eq(dsl::epoch + 1),
                dsl::updated_at.eq(Instant(now)),
            ))
            .execute(conn)
            .await?;
        changed(conn, organisation).await.map(Some)
    })
}

pub(in crate::store) async fn finish_disconnect(
    conn: &mut Conn,
    organisation: &OrganisationId,
    epoch: Epoch,
    now: Timestamp,
) -> Result<bool, Fault> {
    transaction!(conn, async |conn| {
        let row = dsl::calendar_integrations
            .find((organisation.as_str(), PROVIDER))
            .filter(dsl::epoch.eq(epoch.0))
            .filter(dsl::disconnecting_at.is_not_null());
        let rows = diesel::update(row)
            .set((
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
            ))
            .execute(conn)
            .await?;
        if rows == 0 {
            return Ok(false);
        }
        statement(
            "UPDATE appointment_external_links SET sync_status = 'none', next_attempt_at = NULL, attempts = 0, lane = 0,
                last_error = NULL, last_error_detail = NULL, updated_at = $1
             WHERE organisation_id = $2 AND provider = 'google' AND sync_status IN ('pending', 'error')",
        )
        .bind::<InstantSql, _>(Instant(now))
        .bind::<Text, _>(organisation.as_str().to_owned())
        .execute(conn)
        .await?;
        Ok(true)
    })
}

pub(in crate::store) async fn unfinished_disconnects(conn: &mut Conn) -> Result<Vec<OrganisationId>, Fault> {
    let found: Vec<String> = dsl::calendar_integrations
        .filter(dsl::provider.eq(PROVIDER))
        .filter(dsl::disconnecting_at.is_not_null())
        .order(dsl::organisation_id)
        .select(dsl::organisation_id)
        .load(conn)
        .await?;
    found.iter().map(|id| rows::organisation(id)).collect()
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    found: i64,
}

pub(in crate::store) async fn others_share(
    conn: &mut Conn,
    account: &GoogleUserId,
    except: &OrganisationId,
) -> Result<bool, Fault> {
    let row: CountRow = statement(format!(
        "SELECT COUNT(*) AS found FROM calendar_integrations
         WHERE provider = 'google' AND google_user_id = $1 AND organisation_id <> $2 AND {CONNECTED}"
    ))
    .bind::<Text, _>(account.as_str().to_owned())
    .bind::<Text, _>(except.as_str().to_owned())
    .get_result(conn)
    .await?;
    Ok(row.found > 0)
}
