//! Grants: stored; what becomes of the events of an account that another one takes over from.
//!
//! Owns what a connect changes. Never drops the grant of another account than the one that it stores: that is queued to
//! be revoked, or kept aside. Invariant: the row of the account is held before that of the integration, so that storing
//! a grant and revoking take their turns.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::of_organisation;
use super::integrations::{insert_if_absent, locked, set_calendar};
use super::schema::calendar_integrations::dsl;
use super::schema::oauth_consents;
use super::statement::{named, sql};
use super::{
    Conn, Fault, accounts, catch_ups, comparisons, forgetting, owed, pending_grants, sealed_calendars, unkept_grants,
    wishes,
};
use crate::model::{Epoch, GoogleUserId, OrganisationId, Reason};
use crate::store::instant::Instant;
use crate::store::wish::Wish;
use crate::store::words::{PENDING, PROVIDER};
use crate::store::{AsOf, Connect, Grant, Integration, OwedCause};

pub(in crate::store) async fn connect(
    conn: &mut Conn,
    grant: Grant,
    as_of: AsOf,
    pending_until: Timestamp,
    size: i64,
    now: Timestamp,
) -> Result<Connect, Fault> {
    transaction!(conn, async |conn| {
        let account = accounts::locked(conn, &grant.google_user_id, now).await?;
        // Two first connects at once: the second waits for the first here, and then finds its row.
        insert_if_absent(conn, &grant.organisation, false, now).await?;
        let before = locked(conn, &grant.organisation).await?.ok_or(Fault::Corrupt("organisation_id"))?;
        let is_opened = sealed_calendars::is_opened(conn, &grant.organisation, &grant.opened).await?;
        let refused = if before.epoch != as_of.epoch || before.disconnecting.is_some() || !is_opened {
            Some(Connect::Fenced)
        } else if account.is_revoked_since(conn, as_of.revocation_seq, now).await? {
            Some(Connect::Revoked)
        } else {
            None
        };
        if let Some(refused) = refused {
            let Grant { organisation, google_user_id, refresh_token, .. } = &grant;
            unkept_grants::queue(conn, organisation, google_user_id, refresh_token, now).await?;
            let is_connected = refused == Connect::Fenced && is_usable(&before) && other(&before, &grant).is_none();
            return Ok(if is_connected { Connect::AlreadyConnected } else { refused });
        }
        if other(&before, &grant).is_some() && before.refresh_token.is_some() {
            pending_grants::keep(conn, &grant, pending_until, now).await?;
            return Ok(Connect::KeptAside);
        }
        sealed_calendars::open(conn, &grant.organisation, &grant.opened, now).await?;
        let before = locked(conn, &grant.organisation).await?.ok_or(Fault::Corrupt("organisation_id"))?;
        store_grant(conn, &before, &grant, size, now).await?;
        Ok(Connect::Stored)
    })
}

pub(in crate::store) async fn confirm(
    conn: &mut Conn,
    organisation: &OrganisationId,
    size: i64,
    now: Timestamp,
) -> Result<bool, Fault> {
    transaction!(conn, async |conn| {
        let Some(found) = pending_grants::waiting(conn, organisation, now).await? else {
            return Ok(false);
        };
        accounts::locked(conn, &found.google_user_id, now).await?;
        let Some(before) = locked(conn, organisation).await?.filter(Integration::is_connected) else {
            return Ok(false);
        };
        // Another account may have taken its place before the row was locked.
        let waiting = pending_grants::waiting(conn, organisation, now).await?;
        let Some(grant) = waiting.filter(|grant| grant.google_user_id == found.google_user_id) else {
            return Ok(false);
        };
        pending_grants::erase(conn, organisation).await?;
        if let (Some(account), Some(token)) = (&before.google_user_id, &before.refresh_token) {
            unkept_grants::queue(conn, organisation, account, token, now).await?;
        }
        store_grant(conn, &before, &grant, size, now).await?;
        Ok(true)
    })
}

/// Whether an account is connected whose grant is not known to be dead.
fn is_usable(before: &Integration) -> bool {
    let is_dead = before.problem.as_ref().is_some_and(|problem| problem.reason == Reason::ReconnectRequired);
    before.is_connected() && !is_dead
}

/// The account before, if it is another one.
fn other<'a>(before: &'a Integration, grant: &Grant) -> Option<&'a GoogleUserId> {
    before.google_user_id.as_ref().filter(|account| **account != grant.google_user_id)
}

/// Stores a grant in the row that is locked, in place of the one before.
async fn store_grant(
    conn: &mut Conn,
    before: &Integration,
    grant: &Grant,
    size: i64,
    now: Timestamp,
) -> Result<(), Fault> {
    let organisation = &grant.organisation;
    put_grant(conn, grant, now).await?;
    let other = other(before, grant);
    if other.is_some() || before.calendar.is_none() {
        set_calendar(conn, organisation, &grant.calendar).await?;
    }
    if before.google_user_id.is_some() {
        send_again(conn, before, grant, other, size, now).await?;
    } else {
        // On the first connect nothing is owed, and what was kept waits for the person's word: calendar and privacy are
        // chosen first.
        forgetting::drop_unkept(conn, organisation, now).await?;
    }
    comparisons::schedule(conn, organisation, now).await?;
    carry_consents(conn, organisation, before.epoch, now).await
}

/// Puts the grant into its row, and whatever else begins anew with one: a new epoch, and no problem.
async fn put_grant(conn: &mut Conn, grant: &Grant, now: Timestamp) -> Result<(), Fault> {
    let row = dsl::calendar_integrations.find((grant.organisation.as_str(), PROVIDER));
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
        dsl::unlisted_since.eq(None::<Instant>),
        dsl::refresh_lease_token.eq(None::<String>),
        dsl::refresh_lease_until.eq(None::<Instant>),
        dsl::disconnect_total.eq(0),
        dsl::grant_end.eq(None::<String>),
        dsl::disconnected_at.eq(None::<Instant>),
        dsl::erasing_at.eq(None::<Instant>),
        dsl::search_due_at.eq(None::<Instant>),
        dsl::search_asked_at.eq(None::<Instant>),
        dsl::last_search.eq(None::<String>),
        dsl::epoch.eq(dsl::epoch + 1),
        dsl::updated_at.eq(Instant(now)),
    ));
    named("grants.connect", connect).execute(conn).await?;
    Ok(())
}

/// Sends what was kept since the connection before, and takes up what is owed of this account; what stands in `other`, the
/// account before, is owed from now on.
async fn send_again(
    conn: &mut Conn,
    before: &Integration,
    grant: &Grant,
    other: Option<&GoogleUserId>,
    size: i64,
    now: Timestamp,
) -> Result<(), Fault> {
    let organisation = &grant.organisation;
    let catch_up = wishes::open_catch_up(conn, organisation, size, now).await?;
    if let Some(account) = other {
        exchange_account(conn, organisation, account, now).await?;
    }
    let set = owed::sent_again(now);
    owed::restore(conn, organisation, &grant.google_user_id, sql("TRUE"), set, now).await?;
    owed::make_due(conn, organisation, sql("TRUE"), now).await?;
    catch_ups::count_queued(conn, organisation, catch_up, now).await?;
    if before.is_enabled {
        wishes::make(conn, organisation, Wish::CatchUp, size, now).await?;
    }
    Ok(())
}

/// A consent that began beside this one, in the epoch before, goes on: it is a disconnect that ends consents. An account
/// that waited to be confirmed does so no longer.
async fn carry_consents(
    conn: &mut Conn,
    organisation: &OrganisationId,
    before: Epoch,
    now: Timestamp,
) -> Result<(), Fault> {
    let its = oauth_consents::dsl::organisation_id.eq(organisation.as_str());
    let consents = oauth_consents::dsl::oauth_consents.filter(its).filter(oauth_consents::dsl::epoch.eq(before.0));
    let carry = diesel::update(consents).set(oauth_consents::dsl::epoch.eq(before.0 + 1));
    named("grants.carry_consents", carry).execute(conn).await?;
    pending_grants::lapse(conn, organisation, now).await
}

/// Owes what the links may have in `account`, which another one takes over from, and makes them pending.
async fn exchange_account(
    conn: &mut Conn,
    organisation: &OrganisationId,
    account: &GoogleUserId,
    now: Timestamp,
) -> Result<(), Fault> {
    let integration = diesel::update(dsl::calendar_integrations.find((organisation.as_str(), PROVIDER))).set((
        dsl::last_sync_at.eq(None::<Instant>),
        dsl::catch_up_total.eq(None::<i32>),
        dsl::catch_up_started_at.eq(None::<Instant>),
    ));
    named("grants.forget_account", integration).execute(conn).await?;
    let set = owed::sent_again(now);
    let (cause, all) = (OwedCause::AccountExchanged, || sql("TRUE"));
    owed::owe_placed(conn, organisation, account, cause, all, set, now).await?;
    // What was put off for the account before is not put off for this one.
    let pending = sql("UPDATE appointment_external_links SET attempts = 0, next_attempt_at = ")
        .bind(now)
        .sql(", updated_at = ")
        .bind(now)
        .sql(" WHERE ")
        .with(of_organisation(organisation))
        .sql(format!(" AND sync_status = {PENDING}"));
    named("grants.put_off_no_more", pending).execute(conn).await?;
    Ok(())
}
