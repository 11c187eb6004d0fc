//! Grants: stored and refreshed; what becomes of the events of an account that another one takes over from.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::of_organisation;
use super::integrations::{changed, locked, set_calendar};
use super::requests::note_catch_up;
use super::schema::calendar_integrations::dsl;
use super::statement::{named, sql};
use super::{Conn, Fault, comparisons, owed};
use crate::crypto::Sealed;
use crate::model::{Epoch, GoogleUserId, OrganisationId};
use crate::store::instant::Instant;
use crate::store::words::{PENDING, PROVIDER};
use crate::store::{Grant, Guarded, Integration, OwedCause};

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
        if before.disconnecting.is_some() {
            return Ok(before);
        }
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
            dsl::disconnect_total.eq(0),
            dsl::epoch.eq(dsl::epoch + 1),
            dsl::updated_at.eq(Instant(now)),
        ));
        named("grants.connect", connect).execute(conn).await?;
        let other = before.google_user_id.filter(|account| *account != grant.google_user_id);
        if other.is_some() || before.calendar.is_none() {
            set_calendar(conn, organisation, &grant.calendar).await?;
        }
        let mut sent_again = 0;
        if let Some(account) = &other {
            sent_again += exchange_account(conn, organisation, account, now).await?;
        }
        let set = owed::sent_again(now);
        sent_again += owed::restore(conn, organisation, &grant.google_user_id, sql("TRUE"), set, now).await?;
        owed::make_due(conn, organisation, sql("TRUE"), now).await?;
        comparisons::schedule(conn, organisation, now).await?;
        if sent_again > 0 {
            note_catch_up(conn, organisation, now).await?;
        }
        changed(conn, organisation).await
    })
}

/// Owes what the links may have in `account`, which another one takes over from, and makes them pending; answers how many
/// links that are.
async fn exchange_account(
    conn: &mut Conn,
    organisation: &OrganisationId,
    account: &GoogleUserId,
    now: Timestamp,
) -> Result<i64, Fault> {
    let integration = diesel::update(dsl::calendar_integrations.find((organisation.as_str(), PROVIDER))).set((
        dsl::last_sync_at.eq(None::<Instant>),
        dsl::catch_up_total.eq(None::<i32>),
        dsl::catch_up_started_at.eq(None::<Instant>),
    ));
    named("grants.forget_account", integration).execute(conn).await?;
    let set = owed::sent_again(now);
    let (cause, all) = (OwedCause::AccountExchanged, || sql("TRUE"));
    let exchanged = owed::owe_placed(conn, organisation, account, cause, all, set, now).await?;
    // What was put off for the account before is not put off for this one.
    let pending = sql("UPDATE appointment_external_links SET attempts = 0, next_attempt_at = ")
        .bind(now)
        .sql(", updated_at = ")
        .bind(now)
        .sql(" WHERE ")
        .with(of_organisation(organisation))
        .sql(format!(" AND sync_status = {PENDING}"));
    named("grants.put_off_no_more", pending).execute(conn).await?;
    Ok(exchanged)
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
