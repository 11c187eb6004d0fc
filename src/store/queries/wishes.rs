//! Wishes: what is wanted of every link of an organisation, applied to them in parts.
//!
//! Owns what each wish changes of a part, and where the next part begins. Never changes a link outside the part.
//! Invariant: a part and the key that it reaches are committed together, with the queue held.

use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::catch_ups::{self, caught_up, requeue};
use super::fragments::of_organisation;
use super::integrations::{integration, locked, reread};
use super::parts::Part;
use super::statement::{Fragment, named, sql};
use super::{Conn, Fault, owed_counts, takeovers};
use crate::model::{OrganisationId, RemoteEvents};
use crate::store::wish::Wish;
use crate::store::words::{self, ERROR, GOOGLE, NONE, PENDING, Priority, SYNCED, WISHES};
use crate::store::{Integration, Reach, fault::Corrupt};

/// How many organisations one look finds: the others are found by the next.
const FOUND_TOGETHER: i64 = 100;

/// What a wish came to so far.
pub(super) struct WishMade {
    /// How many links of the first part it made due.
    pub(super) queued: i32,
    /// Whether there is a rest that it began with: where such a wish is under way already, nothing is counted twice.
    pub(super) has_rest: bool,
}

/// Wishes something of every link of an organisation whose integration is held: the first part has it at once.
pub(super) async fn make(
    conn: &mut Conn,
    organisation: &OrganisationId,
    wish: Wish,
    size: i64,
    now: Timestamp,
) -> Result<WishMade, Fault> {
    let integration = reread(conn, organisation).await?;
    let part = Part::first(conn, organisation, size).await?;
    let applied = apply(conn, &integration, wish, (&part, true), now).await?;
    let has_rest = match &part.before {
        Some(from) if applied.is_some() => leave_rest(conn, organisation, wish, from).await?,
        Some(_) | None => false,
    };
    Ok(WishMade { queued: applied.map_or(0, |it| it.changed), has_rest })
}

/// Begins the catch-up that is not under way, as far as the first part of the links goes.
pub(super) async fn open_catch_up(
    conn: &mut Conn,
    organisation: &OrganisationId,
    size: i64,
    now: Timestamp,
) -> Result<catch_ups::CatchUp, Fault> {
    let part = Part::first(conn, organisation, size).await?;
    catch_ups::open(conn, organisation, part.condition(), now).await
}

#[derive(QueryableByName)]
struct LeftRow {
    #[diesel(sql_type = Bool)]
    is_again: bool,
}

/// Leaves the rest of a wish; answers whether none of its kind was under way.
async fn leave_rest(conn: &mut Conn, organisation: &OrganisationId, wish: Wish, from: &str) -> Result<bool, Fault> {
    let insert = sql("INSERT INTO link_wishes (organisation_id, provider, wish, from_appointment_id) VALUES (")
        .bind(organisation)
        .sql(format!(", {GOOGLE}, "))
        .bind(words::of_wish(wish))
        .sql(", ")
        .bind(from.to_owned())
        .sql(
            ") ON CONFLICT (organisation_id, provider, wish) DO UPDATE SET is_again = TRUE, unreached = NULL
             RETURNING is_again",
        );
    let row: LeftRow = named("wishes.leave_rest", insert).get_result(conn).await?;
    Ok(!row.is_again)
}

/// What a part of a wish came to.
struct PartApplied {
    /// How many links changed.
    changed: i32,
    /// How many of them wait since: what waited already is told as such.
    joined: i64,
}

/// Applies a wish to a part, the very first or a later one. `None`: nothing is wanted any more.
async fn apply(
    conn: &mut Conn,
    integration: &Integration,
    wish: Wish,
    (part, is_first): (&Part, bool),
    now: Timestamp,
) -> Result<Option<PartApplied>, Fault> {
    let organisation = &integration.organisation;
    let which = part.condition().sql(" AND (").with(wanted(integration, wish, now)).sql(")");
    let is_caught_up = match wish {
        Wish::Retry if integration.is_connected() => false,
        Wish::Retell | Wish::RetellAll if integration.is_connected() => true,
        Wish::CatchUp if integration.is_connected() && integration.is_enabled => true,
        Wish::Retell | Wish::RetellAll => {
            let changed = rest(conn, organisation, which, now).await?;
            return Ok(Some(PartApplied { changed, joined: i64::from(changed) }));
        }
        Wish::Disconnect => return disconnect(conn, integration, (part, is_first), now).await,
        // Whoever connects or switches on catches up.
        Wish::CatchUp | Wish::Retry => return Ok(None),
    };
    if !is_caught_up {
        let changed = requeue(conn, organisation, which, &Priority::Live.to_string(), now).await?;
        return Ok(Some(PartApplied { changed, joined: i64::from(changed) }));
    }
    let catch_up = match is_first {
        true => catch_ups::open(conn, organisation, part.condition(), now).await?,
        false => catch_ups::go_on(conn, integration, part.condition(), now).await?,
    };
    if wish == Wish::CatchUp {
        catch_ups::settle_what_has_nothing_to_send(conn, organisation, part.condition(), now).await?;
    }
    let changed = requeue(conn, organisation, which, &caught_up(), now).await?;
    let joined = catch_ups::count_queued(conn, organisation, catch_up, now).await?;
    Ok(Some(PartApplied { changed, joined }))
}

/// Takes over what a disconnect that is under way deletes. The rest of the first part, which may be all, rests with its end.
async fn disconnect(
    conn: &mut Conn,
    integration: &Integration,
    (part, is_first): (&Part, bool),
    now: Timestamp,
) -> Result<Option<PartApplied>, Fault> {
    let Some(disconnecting) = integration.disconnecting else { return Ok(None) };
    let remote_events = disconnecting.remote_events.unwrap_or(RemoteEvents::Keep);
    let account = integration.google_user_id.as_ref().ok_or(Fault::Corrupt("google_user_id"))?;
    let taken = part.condition().sql(" AND ").with(takeovers::taken_over(remote_events, now));
    owed_counts::count_new(conn, &integration.organisation, account, taken).await?;
    let changed = takeovers::take_over(conn, integration, remote_events, || part.condition(), now).await?;
    if !is_first {
        takeovers::rest(conn, integration, part.condition(), now).await?;
    }
    Ok(Some(PartApplied { changed: i32::try_from(changed).unwrap_or(i32::MAX), joined: changed }))
}

/// The links of which something is wanted.
fn wanted(integration: &Integration, wish: Wish, now: Timestamp) -> Fragment {
    let upcoming = || {
        sql("(ends_at > ").bind(now).sql(format!(" AND (external_event_id IS NOT NULL OR sync_status = {PENDING}))"))
    };
    match wish {
        Wish::Retell => upcoming(),
        Wish::RetellAll => upcoming().sql(" OR (external_event_id IS NOT NULL AND snapshot IS NOT NULL)"),
        Wish::CatchUp => catch_ups::uncaught(&integration.organisation, now),
        Wish::Retry => sql(format!("sync_status = {ERROR} AND snapshot IS NOT NULL")),
        Wish::Disconnect => {
            let remote_events = integration.disconnecting.and_then(|it| it.remote_events);
            let taken = takeovers::taken_over(remote_events.unwrap_or(RemoteEvents::Keep), now);
            sql("external_event_id IS NOT NULL AND (").with(taken).sql(")")
        }
    }
}

/// Lets links rest that are not in step any more: the next connection queues them.
async fn rest(conn: &mut Conn, organisation: &OrganisationId, which: Fragment, now: Timestamp) -> Result<i32, Fault> {
    let update = sql(format!("UPDATE appointment_external_links SET sync_status = {NONE}, updated_at = "))
        .bind(now)
        .sql(" WHERE ")
        .with(of_organisation(organisation))
        .sql(format!(" AND sync_status = {SYNCED} AND snapshot IS NOT NULL AND ("))
        .with(which)
        .sql(")");
    let rows = named("wishes.rest", update).execute(conn).await?;
    Ok(i32::try_from(rows).unwrap_or(i32::MAX))
}

#[derive(QueryableByName)]
struct WhoseRow {
    #[diesel(sql_type = Text)]
    organisation_id: String,
}

pub(in crate::store) async fn organisations(conn: &mut Conn) -> Result<Vec<OrganisationId>, Fault> {
    let select = sql(format!(
        "SELECT DISTINCT organisation_id FROM link_wishes WHERE provider = {GOOGLE} AND wish IN {WISHES}
         ORDER BY organisation_id"
    ))
    .limit(FOUND_TOGETHER);
    let rows: Vec<WhoseRow> = named("wishes.organisations", select).load(conn).await?;
    Ok(rows.into_iter().map(|row| OrganisationId::as_stored(row.organisation_id)).collect())
}

#[derive(QueryableByName)]
struct WishRow {
    #[diesel(sql_type = Text)]
    wish: String,
    #[diesel(sql_type = Text)]
    from_appointment_id: String,
    #[diesel(sql_type = Bool)]
    is_again: bool,
}

pub(in crate::store) async fn reach(
    conn: &mut Conn,
    organisation: &OrganisationId,
    size: i64,
    now: Timestamp,
) -> Result<Reach, Fault> {
    transaction!(conn, async |conn| {
        let Some(integration) = locked(conn, organisation).await? else { return Ok(Reach::Nothing) };
        // The one that is least far.
        let select = sql("SELECT wish, from_appointment_id, is_again FROM link_wishes WHERE ")
            .with(of_organisation(organisation))
            .sql(format!(" AND wish IN {WISHES} ORDER BY from_appointment_id, wish LIMIT 1"));
        let row: Option<WishRow> = named("wishes.next", select).get_result(conn).await.optional()?;
        let Some(row) = row else { return Ok(Reach::Nothing) };
        let wish = words::wish(&row.wish).map_err(|Corrupt(column)| Fault::Corrupt(column))?;
        let part = Part::beginning(conn, organisation, row.from_appointment_id, size).await?;
        let applied = apply(conn, &integration, wish, (&part, false), now).await?;
        let (changed, joined) = applied.as_ref().map_or((0, 0), |it| (it.changed, it.joined));
        match part.before.filter(|_| applied.is_some()) {
            Some(from) => move_on(conn, organisation, wish, from, row.is_again, joined).await?,
            None if row.is_again && applied.is_some() => {
                move_on(conn, organisation, wish, String::new(), false, joined).await?;
            }
            None => end(conn, organisation, wish).await?,
        }
        Ok(Reach::Part { changed })
    })
}

/// Whether it has not reached all links of an organisation yet.
pub(super) async fn is_under_way(conn: &mut Conn, organisation: &OrganisationId, wish: Wish) -> Result<bool, Fault> {
    let select = sql("SELECT organisation_id FROM link_wishes WHERE ").with(of_wish(organisation, wish));
    let row: Option<WhoseRow> = named("wishes.is_under_way", select).get_result(conn).await.optional()?;
    Ok(row.is_some())
}

fn of_wish(organisation: &OrganisationId, wish: Wish) -> Fragment {
    of_organisation(organisation).sql(" AND wish = ").bind(words::of_wish(wish))
}

async fn move_on(
    conn: &mut Conn,
    organisation: &OrganisationId,
    wish: Wish,
    from: String,
    is_again: bool,
    joined: i64,
) -> Result<(), Fault> {
    let update = sql("UPDATE link_wishes SET from_appointment_id = ")
        .bind(from)
        .sql(", is_again = ")
        .bind(is_again)
        .sql(", unreached = unreached - CASE WHEN unreached < ")
        .bind(joined)
        .sql(" THEN unreached ELSE ")
        .bind(joined)
        .sql(" END WHERE ")
        .with(of_wish(organisation, wish));
    named("wishes.move_on", update).execute(conn).await?;
    Ok(())
}

async fn end(conn: &mut Conn, organisation: &OrganisationId, wish: Wish) -> Result<(), Fault> {
    let delete = sql("DELETE FROM link_wishes WHERE ").with(of_wish(organisation, wish));
    named("wishes.end", delete).execute(conn).await?;
    Ok(())
}

/// What is under way of an organisation and was not counted yet.
async fn uncounted(conn: &mut Conn, organisation: &OrganisationId) -> Result<Vec<WishRow>, Fault> {
    let select = sql("SELECT wish, from_appointment_id, is_again FROM link_wishes WHERE ")
        .with(of_organisation(organisation))
        .sql(format!(" AND wish IN {WISHES} AND unreached IS NULL"));
    Ok(named("wishes.uncounted", select).load(conn).await?)
}

#[derive(QueryableByName)]
struct CountRow {
    #[diesel(sql_type = BigInt)]
    wanted: i64,
    #[diesel(sql_type = BigInt)]
    joining: i64,
}

pub(in crate::store) async fn unreached(
    conn: &mut Conn,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<Vec<(Wish, i64, i64)>, Fault> {
    let mut counted = Vec::new();
    let Some(integration) = integration(conn, organisation).await? else { return Ok(counted) };
    for row in uncounted(conn, organisation).await? {
        let wish = words::wish(&row.wish).map_err(|Corrupt(column)| Fault::Corrupt(column))?;
        let from = if row.is_again { String::new() } else { row.from_appointment_id };
        let select = sql(format!(
            "SELECT COUNT(*) AS wanted, COUNT(*) FILTER (WHERE sync_status <> {PENDING}) AS joining
             FROM appointment_external_links WHERE "
        ))
        .with(of_organisation(organisation))
        .sql(" AND ")
        .with(Part { from, before: None }.condition())
        .sql(" AND (")
        .with(wanted(&integration, wish, now))
        .sql(")");
        let row: CountRow = named("wishes.count", select).get_result(conn).await?;
        let joining = if wish == Wish::Disconnect { row.wanted } else { row.joining };
        counted.push((wish, row.wanted, joining));
    }
    Ok(counted)
}

pub(in crate::store) async fn note_unreached(
    conn: &mut Conn,
    organisation: &OrganisationId,
    wish: Wish,
    unreached: i64,
) -> Result<(), Fault> {
    let update =
        sql("UPDATE link_wishes SET unreached = ").bind(unreached).sql(" WHERE ").with(of_wish(organisation, wish));
    named("wishes.note_unreached", update).execute(conn).await?;
    Ok(())
}
