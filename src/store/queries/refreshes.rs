//! Refreshes: leased to one replica, stored, given back.
//!
//! Owns the columns of the lease of a refresh, and those of what it brought. Never brings tokens back to an integration
//! that has none. Invariant: tokens are stored in the epoch that they were asked for in, or not at all.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;
use uuid::Uuid;

use super::fragments::{of_organisation, unleased_by};
use super::integrations::locked;
use super::schema::calendar_integrations::dsl;
use super::statement::{named, sql};
use super::{Conn, Fault};
use crate::model::{Epoch, OrganisationId};
use crate::store::instant::Instant;
use crate::store::words::PROVIDER;
use crate::store::{Guarded, Integration, RefreshedTokens};

pub(in crate::store) async fn lease(
    conn: &mut Conn,
    organisation: &OrganisationId,
    epoch: Epoch,
    lease_token: Uuid,
    until: Timestamp,
    now: Timestamp,
) -> Result<Option<Integration>, Fault> {
    transaction!(conn, async |conn| {
        let Some(integration) = locked(conn, organisation).await? else {
            return Ok(None);
        };
        let lease = sql("UPDATE calendar_integrations SET refresh_lease_token = ")
            .bind(lease_token)
            .sql(", refresh_lease_until = ")
            .bind(until)
            .sql(" WHERE ")
            .with(of_organisation(organisation))
            .sql(" AND refresh_token IS NOT NULL AND epoch = ")
            .bind(epoch.0)
            .sql(" AND ")
            .with(unleased_by("refresh_lease_until", now));
        let leased = named("refreshes.lease", lease).execute(conn).await?;
        Ok((leased > 0).then_some(integration))
    })
}

pub(in crate::store) async fn save_tokens(
    conn: &mut Conn,
    organisation: &OrganisationId,
    epoch: Epoch,
    tokens: &RefreshedTokens,
    now: Timestamp,
) -> Result<Guarded, Fault> {
    let RefreshedTokens { access_token, expires_at, refresh_token } = tokens;
    // A refresh token has to be there: once a disconnect has ended, a late answer may not bring tokens back in the same
    // epoch. The lease may be somebody else's by now: their token is as good as this one.
    let row = dsl::calendar_integrations
        .find((organisation.as_str(), PROVIDER))
        .filter(dsl::epoch.eq(epoch.0))
        .filter(dsl::refresh_token.is_not_null());
    let refreshed = (
        dsl::access_token.eq(access_token.as_bytes()),
        dsl::token_expiry.eq(Instant(*expires_at)),
        dsl::refreshed_at.eq(Instant(now)),
        dsl::refresh_lease_token.eq(None::<String>),
        dsl::refresh_lease_until.eq(None::<Instant>),
        dsl::updated_at.eq(Instant(now)),
    );
    let rows = match refresh_token {
        Some(refresh) => {
            let both = diesel::update(row).set((refreshed, dsl::refresh_token.eq(refresh.as_bytes())));
            named("refreshes.save_tokens", both).execute(conn).await?
        }
        None => named("refreshes.save_access_token", diesel::update(row).set(refreshed)).execute(conn).await?,
    };
    Ok(Guarded::by(rows))
}

pub(in crate::store) async fn release(
    conn: &mut Conn,
    organisation: &OrganisationId,
    lease_token: Uuid,
) -> Result<Guarded, Fault> {
    let release = sql("UPDATE calendar_integrations SET refresh_lease_token = NULL, refresh_lease_until = NULL WHERE ")
        .with(of_organisation(organisation))
        .sql(" AND refresh_lease_token = ")
        .bind(lease_token);
    Ok(Guarded::by(named("refreshes.release", release).execute(conn).await?))
}
