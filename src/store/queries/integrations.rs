//! Integrations: read, and what is noted of them.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::rows::IntegrationRow;
use super::schema::calendar_integrations::dsl;
use super::{CONNECTED, Conn, FOR_UPDATE, Fault, InstantSql, statement};
use crate::crypto::Sealed;
use crate::model::{Calendar, CalendarId, Epoch, GoogleUserId, OrganisationId, Problem};
use crate::store::Integration;
use crate::store::instant::Instant;
use crate::store::words::{self, PROVIDER};

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
pub(super) async fn changed(conn: &mut Conn, organisation: &OrganisationId) -> Result<Integration, Fault> {
    integration(conn, organisation).await?.ok_or(Fault::Corrupt("organisation_id"))
}

pub(super) async fn set_calendar(
    conn: &mut Conn,
    organisation: &OrganisationId,
    calendar: &Calendar,
) -> Result<(), Fault> {
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
    of_calendar: Option<&CalendarId>,
    now: Timestamp,
) -> Result<bool, Fault> {
    let rows = statement(
        "UPDATE calendar_integrations SET
            problem_since = CASE WHEN problem_reason = $1 THEN problem_since ELSE $2 END,
            problem_reason = $1, problem_retry_at = $3, updated_at = $4
         WHERE organisation_id = $5 AND provider = 'google' AND epoch = $6 AND refresh_token IS NOT NULL
            AND ($7 IS NULL OR calendar_id = $7)",
    )
    .bind::<Text, _>(words::of_reason(problem.reason))
    .bind::<InstantSql, _>(Instant(problem.since_at))
    .bind::<Nullable<InstantSql>, _>(problem.retry_at.map(Instant))
    .bind::<InstantSql, _>(Instant(now))
    .bind::<Text, _>(organisation.as_str().to_owned())
    .bind::<BigInt, _>(epoch.0)
    .bind::<Nullable<Text>, _>(of_calendar.map(|calendar| calendar.as_str().to_owned()))
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
