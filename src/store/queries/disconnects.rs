//! Disconnects: begun, taken as far as they go, ended.
//!
//! Owns the columns of an integration that say how far its disconnect is. Never takes over what a call is under way
//! for: that waits until the call has ended. Invariant: a disconnect begins, goes on and ends with the queue held.

use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::{of_organisation, unleased, unleased_by};
use super::integrations::{integration, locked, reread};
use super::links::OWES_NOTHING;
use super::schema::calendar_integrations::dsl;
use super::statement::{named, sql};
use super::{
    Conn, Fault, consents, erasures, leases, link_queues, owed, owed_counts, pending_grants, search_requests,
    takeovers, wishes,
};
use crate::model::{AccountSearch, Epoch, GrantEnd, OrganisationId, RemoteEvents};
use crate::store::instant::Instant;
use crate::store::wish::Wish;
use crate::store::words::{self, DELETING, DISCONNECT, ERROR, LEFT_BEHIND, PARTIAL, PENDING, PROVIDER};
use crate::store::{DisconnectStep, Guarded, Integration};

pub(in crate::store) async fn begin(
    conn: &mut Conn,
    organisation: &OrganisationId,
    remote_events: RemoteEvents,
    size: i64,
    now: Timestamp,
) -> Result<Option<Integration>, Fault> {
    transaction!(conn, async |conn| {
        let before = locked(conn, organisation).await?;
        consents::end_all_of(conn, organisation, now).await?;
        pending_grants::end(conn, organisation, now).await?;
        let Some(before) = before else {
            return Ok(None);
        };
        if before.refresh_token.is_none() {
            fence_consents(conn, organisation).await?;
            return Ok(None);
        }
        begin_within(conn, &before, remote_events, size, now).await.map(Some)
    })
}

/// Begins an epoch, so that no consent that began before connects.
pub(super) async fn fence_consents(conn: &mut Conn, organisation: &OrganisationId) -> Result<(), Fault> {
    let row = dsl::calendar_integrations.find((organisation.as_str(), PROVIDER));
    named("disconnects.fence_consents", diesel::update(row).set(dsl::epoch.eq(dsl::epoch + 1))).execute(conn).await?;
    Ok(())
}

/// Begins the disconnect of an integration that is locked and has its grant.
pub(super) async fn begin_within(
    conn: &mut Conn,
    before: &Integration,
    remote_events: RemoteEvents,
    size: i64,
    now: Timestamp,
) -> Result<Integration, Fault> {
    let organisation = &before.organisation;
    let row = || dsl::calendar_integrations.find((organisation.as_str(), PROVIDER));
    if before.disconnecting.is_none() {
        let left_before = owed_counts::left(conn, organisation).await?.events;
        let begin = diesel::update(row()).set((
            dsl::disconnecting_at.eq(Instant(now)),
            dsl::disconnect_total.eq(i32::try_from(left_before).unwrap_or(i32::MAX)),
            dsl::search_due_at.eq(None::<Instant>),
            dsl::search_asked_at.eq(None::<Instant>),
            dsl::epoch.eq(dsl::epoch + 1),
        ));
        named("disconnects.begin", begin).execute(conn).await?;
    }
    let disposition =
        (dsl::disconnect_remote_events.eq(words::of_remote_events(remote_events)), dsl::updated_at.eq(Instant(now)));
    named("disconnects.dispose", diesel::update(row()).set(disposition)).execute(conn).await?;
    if before.disconnecting.is_none_or(|it| it.remote_events != Some(remote_events)) {
        // What was searched for before says nothing of what is deleted now.
        named("disconnects.search_anew", diesel::update(row()).set(dsl::last_search.eq(None::<String>)))
            .execute(conn)
            .await?;
    }
    let has_deleted = before.disconnecting.is_some() && before.is_erasure_served();
    if remote_events != RemoteEvents::Keep && !has_deleted {
        // Whatever is owed is no longer wanted, and this is the last time that the account is there to delete it.
        owed::make_due(conn, organisation, sql("TRUE"), now).await?;
    }
    if remote_events == RemoteEvents::Keep {
        carry_out(conn, before, Some(remote_events), now).await?;
    }
    wishes::make(conn, organisation, Wish::Disconnect, size, now).await?;
    reread(conn, organisation).await
}

/// Owes the events that are to be deleted, or gives them back to their links where they are kept; answers how many links
/// that changed. What a call is under way for waits until it has ended.
async fn carry_out(
    conn: &mut Conn,
    integration: &Integration,
    remote_events: Option<RemoteEvents>,
    now: Timestamp,
) -> Result<i64, Fault> {
    let organisation = &integration.organisation;
    let account = integration.google_user_id.as_ref().ok_or(Fault::Corrupt("google_user_id"))?;
    let left_before = owed_counts::left(conn, organisation).await?;
    let changed = match remote_events {
        Some(RemoteEvents::Keep) => {
            let resting = || sql(format!("cause = {DISCONNECT} AND ")).with(unleased(now));
            let restored = owed::restore(conn, organisation, account, resting(), sql(""), now).await?;
            // The other end of an unfinished move: the link has one of the two. What a call has only just ended for is given
            // back the next time.
            let left_behind = sql(format!("UPDATE owed_deletions AS o SET cause = {LEFT_BEHIND}, updated_at = "))
                .bind(now)
                .sql(" WHERE google_user_id = ")
                .bind(account)
                .sql(" AND ")
                .with(of_organisation(organisation))
                .sql(" AND ")
                .with(resting())
                .sql(
                    " AND EXISTS (SELECT 1 FROM appointment_external_links AS l
                        WHERE l.organisation_id = o.organisation_id AND l.provider = o.provider
                            AND l.appointment_id = o.appointment_id AND l.external_event_id IS NOT NULL)",
                );
            named("disconnects.leave_behind", left_behind).execute(conn).await?;
            restored
        }
        Some(deletes @ (RemoteEvents::DeleteUpcoming | RemoteEvents::DeleteAll)) => {
            takeovers::take_over(conn, integration, deletes, || sql("TRUE"), now).await?
        }
        None => 0,
    };
    if changed > 0 {
        owed_counts::count_since(conn, organisation, left_before).await?;
    }
    Ok(changed)
}

/// How near its end a disconnect is.
enum Readiness {
    /// Calls are under way, links are still to be taken over, or something is to be deleted.
    Busy,
    /// Nothing is known any more that is to be deleted, and the account is to be searched for the rest.
    Unsearched,
    /// No call is under way, and nothing is to be deleted any more.
    Ready,
}

async fn readiness(conn: &mut Conn, integration: &Integration, now: Timestamp) -> Result<Readiness, Fault> {
    let organisation = &integration.organisation;
    if leases::live(conn, organisation, now).await? > 0
        || wishes::is_under_way(conn, organisation, Wish::Disconnect).await?
    {
        return Ok(Readiness::Busy);
    }
    if integration.deletes_no_more(now) {
        return Ok(Readiness::Ready);
    }
    let left = owed_counts::left(conn, organisation).await?;
    Ok(match left.events == left.parked {
        false => Readiness::Busy,
        true if integration.is_to_be_searched() => Readiness::Unsearched,
        true => Readiness::Ready,
    })
}

pub(in crate::store) async fn advance(
    conn: &mut Conn,
    organisation: &OrganisationId,
    until: Timestamp,
    now: Timestamp,
) -> Result<DisconnectStep, Fault> {
    let is_under_way = |integration: &Integration| integration.disconnecting.is_some();
    // Most looks end here, and hold nobody up.
    match integration(conn, organisation).await?.filter(is_under_way) {
        None => return Ok(DisconnectStep::Ended),
        Some(integration) => match readiness(conn, &integration, now).await? {
            Readiness::Busy => return Ok(DisconnectStep::Waiting),
            Readiness::Unsearched if integration.is_search_asked => return Ok(DisconnectStep::Waiting),
            Readiness::Unsearched | Readiness::Ready => {}
        },
    }
    transaction!(conn, async |conn| {
        let Some(integration) = locked(conn, organisation).await?.filter(is_under_way) else {
            return Ok(DisconnectStep::Ended);
        };
        let remote_events = integration.disconnecting.and_then(|it| it.remote_events);
        let has_changed = carry_out(conn, &integration, remote_events, now).await? > 0;
        match readiness(conn, &integration, now).await? {
            Readiness::Ready => {}
            Readiness::Busy if has_changed => return Ok(DisconnectStep::MoreOwed),
            Readiness::Busy => return Ok(DisconnectStep::Waiting),
            Readiness::Unsearched if integration.is_search_asked => return Ok(DisconnectStep::Waiting),
            Readiness::Unsearched => {
                search_requests::ask_for_disconnect(conn, organisation, now).await?;
                return Ok(DisconnectStep::ToSearch);
            }
        }
        let claim = sql("UPDATE calendar_integrations SET finishing_until = ")
            .bind(until)
            .sql(" WHERE ")
            .with(of_organisation(organisation))
            .sql(" AND ")
            .with(unleased_by("finishing_until", now));
        match named("disconnects.claim_end", claim).execute(conn).await? {
            0 => Ok(DisconnectStep::Waiting),
            _ => Ok(DisconnectStep::Finish(Box::new(integration))),
        }
    })
}

pub(in crate::store) async fn finish(
    conn: &mut Conn,
    organisation: &OrganisationId,
    epoch: Epoch,
    now: Timestamp,
) -> Result<Guarded, Fault> {
    transaction!(conn, async |conn| end(conn, organisation, epoch, None, now).await)
}

/// How much of the account a disconnect has searched by its end: one that deletes and could not search at all, not all of
/// it.
fn told_search() -> diesel::expression::SqlLiteral<Nullable<Text>> {
    diesel::dsl::sql(&format!(
        "CASE WHEN disconnect_remote_events IN {DELETING} THEN COALESCE(last_search, {PARTIAL}) END"
    ))
}

/// Ends a disconnect within a transaction that holds its queue from here on, and tells what became of its grant.
pub(super) async fn end(
    conn: &mut Conn,
    organisation: &OrganisationId,
    epoch: Epoch,
    grant_end: Option<GrantEnd>,
    now: Timestamp,
) -> Result<Guarded, Fault> {
    link_queues::lock(conn, [organisation]).await?;
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
        dsl::disconnect_remote_events.eq(None::<String>),
        dsl::finishing_until.eq(None::<Instant>),
        dsl::unlisted_since.eq(None::<Instant>),
        dsl::search_due_at.eq(None::<Instant>),
        dsl::search_asked_at.eq(None::<Instant>),
        dsl::last_search.eq(told_search()),
        dsl::grant_end.eq(grant_end.map(words::of_grant_end)),
        dsl::disconnected_at.eq(Instant(now)),
        dsl::updated_at.eq(Instant(now)),
    ));
    if named("disconnects.finish", erase).execute(conn).await? == 0 {
        return Ok(Guarded::Fenced);
    }
    let rest = sql("UPDATE appointment_external_links SET updated_at = ")
        .bind(now)
        .sql(takeovers::at_rest())
        .sql(" WHERE ")
        .with(of_organisation(organisation))
        .sql(format!(" AND sync_status IN ({PENDING}, {ERROR})"));
    named("disconnects.rest_links", rest).execute(conn).await?;
    let park = sql("UPDATE owed_deletions SET next_attempt_at = NULL, updated_at = ")
        .bind(now)
        .sql(" WHERE next_attempt_at IS NOT NULL AND ")
        .with(of_organisation(organisation));
    named("disconnects.park", park).execute(conn).await?;
    if integration(conn, organisation).await?.is_some_and(|it| it.last_search == Some(AccountSearch::Whole)) {
        // What was erased meanwhile was deleted with the rest.
        erasures::end_searches(conn, organisation, OWES_NOTHING).await?;
        erasures::sweep(conn, organisation, now).await?;
    }
    if erasures::is_under_way(conn, organisation).await? {
        erasures::finish_untold(conn, organisation, now).await?;
    }
    Ok(Guarded::Done)
}

pub(in crate::store) async fn unfinished(conn: &mut Conn) -> Result<Vec<OrganisationId>, Fault> {
    let select = dsl::calendar_integrations
        .filter(dsl::disconnecting_at.is_not_null())
        .filter(dsl::provider.eq(PROVIDER))
        .order(dsl::organisation_id)
        .select(dsl::organisation_id);
    let found: Vec<String> = named("disconnects.unfinished", select).load(conn).await?;
    Ok(found.into_iter().map(OrganisationId::as_stored).collect())
}
