//! Pending grants: kept aside, taken, lapsed, erased.
//!
//! Owns the table of what waits for a person's word. Never keeps more than one of an organisation. Invariant: a grant
//! that is replaced or has lapsed is queued to be revoked in the transaction that erases it.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::{CONNECTED, of_organisation};
use super::schema::pending_grants::{self, dsl};
use super::statement::{named, sql};
use super::{Conn, Fault, consents, unkept_grants};
use crate::crypto::Sealed;
use crate::model::{Calendar, CalendarId, GoogleUserId, OrganisationId};
use crate::store::instant::Instant;
use crate::store::words::{GOOGLE, PROVIDER};
use crate::store::{Grant, PendingAccount};

/// The table, as a statement spells it.
const TABLE: &str = "pending_grants";

#[derive(Queryable, Selectable)]
#[diesel(table_name = pending_grants)]
struct PendingRow {
    organisation_id: String,
    google_user_id: String,
    google_email: String,
    access_token: Vec<u8>,
    refresh_token: Vec<u8>,
    token_expiry: Instant,
    granted_scopes: String,
    calendar_id: String,
    calendar_name: String,
    calendar_time_zone: String,
    calendar_color: String,
    calendar_is_primary: bool,
}

impl From<PendingRow> for Grant {
    fn from(row: PendingRow) -> Self {
        Self {
            organisation: OrganisationId::as_stored(row.organisation_id),
            google_user_id: GoogleUserId::new(row.google_user_id),
            google_email: row.google_email,
            access_token: Sealed::from_bytes(row.access_token),
            refresh_token: Sealed::from_bytes(row.refresh_token),
            token_expires_at: row.token_expiry.0,
            granted_scopes: row.granted_scopes.split_whitespace().map(str::to_owned).collect(),
            calendar: Calendar {
                id: CalendarId::new(row.calendar_id),
                name: row.calendar_name,
                time_zone: row.calendar_time_zone,
                color: row.calendar_color,
                is_primary: row.calendar_is_primary,
            },
            // Of the organisation, which is connected meanwhile: nothing is sealed.
            opened: Vec::new(),
        }
    }
}

/// Keeps a grant aside; one that it replaces is kept by nobody from then on.
pub(super) async fn keep(conn: &mut Conn, grant: &Grant, expires_at: Timestamp, now: Timestamp) -> Result<(), Fault> {
    unkept_grants::queue_from(conn, TABLE, of_organisation(&grant.organisation), now, now).await?;
    erase(conn, &grant.organisation).await?;
    let keep = diesel::insert_into(dsl::pending_grants).values((
        dsl::organisation_id.eq(grant.organisation.as_str()),
        dsl::provider.eq(PROVIDER),
        dsl::google_user_id.eq(grant.google_user_id.as_str()),
        dsl::google_email.eq(&grant.google_email),
        dsl::access_token.eq(grant.access_token.as_bytes()),
        dsl::refresh_token.eq(grant.refresh_token.as_bytes()),
        dsl::token_expiry.eq(Instant(grant.token_expires_at)),
        dsl::granted_scopes.eq(grant.granted_scopes.join(" ")),
        dsl::calendar_id.eq(grant.calendar.id.as_str()),
        dsl::calendar_name.eq(&grant.calendar.name),
        dsl::calendar_time_zone.eq(&grant.calendar.time_zone),
        dsl::calendar_color.eq(&grant.calendar.color),
        dsl::calendar_is_primary.eq(grant.calendar.is_primary),
        dsl::expires_at.eq(Instant(expires_at)),
        dsl::created_at.eq(Instant(now)),
    ));
    named("pending_grants.keep", keep).execute(conn).await?;
    Ok(())
}

pub(in crate::store) async fn account(
    conn: &mut Conn,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<Option<PendingAccount>, Fault> {
    let select = dsl::pending_grants
        .find((organisation.as_str(), PROVIDER))
        .filter(dsl::expires_at.gt(Instant(now)))
        .select((dsl::google_email, dsl::expires_at));
    let row: Option<(String, Instant)> = named("pending_grants.account", select).get_result(conn).await.optional()?;
    Ok(row.map(|(google_email, Instant(expires_at))| PendingAccount { google_email, expires_at }))
}

/// The grant that waits.
pub(super) async fn waiting(
    conn: &mut Conn,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<Option<Grant>, Fault> {
    let select = dsl::pending_grants
        .find((organisation.as_str(), PROVIDER))
        .filter(dsl::expires_at.gt(Instant(now)))
        .select(PendingRow::as_select());
    let row: Option<PendingRow> = named("pending_grants.waiting", select).get_result(conn).await.optional()?;
    Ok(row.map(Grant::from))
}

pub(in crate::store) async fn lapse(
    conn: &mut Conn,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<(), Fault> {
    let row = dsl::pending_grants.find((organisation.as_str(), PROVIDER));
    let lapse = diesel::update(row.filter(dsl::expires_at.gt(Instant(now)))).set(dsl::expires_at.eq(Instant(now)));
    named("pending_grants.lapse", lapse).execute(conn).await?;
    Ok(())
}

/// Ends the grant that waits for a person's word: nobody keeps it.
pub(super) async fn end(conn: &mut Conn, organisation: &OrganisationId, now: Timestamp) -> Result<(), Fault> {
    unkept_grants::queue_from(conn, TABLE, of_organisation(organisation), now, now).await?;
    erase(conn, organisation).await
}

pub(super) async fn erase(conn: &mut Conn, organisation: &OrganisationId) -> Result<(), Fault> {
    let erase = diesel::delete(dsl::pending_grants.find((organisation.as_str(), PROVIDER)));
    named("pending_grants.erase", erase).execute(conn).await?;
    Ok(())
}

pub(in crate::store) async fn queue_lapsed(conn: &mut Conn, now: Timestamp) -> Result<(), Fault> {
    let lapsed = || {
        sql("(expires_at <= ").bind(now).sql(format!(
            " OR NOT EXISTS (SELECT 1 FROM calendar_integrations AS i
                WHERE i.organisation_id = p.organisation_id AND i.provider = {GOOGLE} AND {CONNECTED}))"
        ))
    };
    transaction!(conn, async |conn| {
        unkept_grants::queue_from(conn, TABLE, lapsed(), now, now).await?;
        // Those alone that are queued: one may have come meanwhile.
        let erase = sql("DELETE FROM pending_grants WHERE refresh_token IN (SELECT token FROM unkept_grants)");
        named("pending_grants.erase_lapsed", erase).execute(conn).await?;
        consents::end_unanswered(conn, now).await
    })
}
