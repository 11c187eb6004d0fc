//! Unkept grants: queued, put off, ended.
//!
//! Owns the table of the grants that nobody keeps. Never opens one. Invariant: a grant stands there once, by its sealed
//! token.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::fragments::of_organisation;
use super::schema::unkept_grants::{self, dsl};
use super::statement::{Fragment, named, sql};
use super::{Conn, Fault};
use crate::crypto::Sealed;
use crate::model::{GoogleUserId, GrantEnd, OrganisationId};
use crate::store::UnkeptGrant;
use crate::store::instant::Instant;
use crate::store::words::{self, GRANT_PENDING};

/// How many are revoked at a time: each waits for Google.
const DUE_TOGETHER: i64 = 20;

#[derive(Queryable, Selectable)]
#[diesel(table_name = unkept_grants)]
struct UnkeptRow {
    organisation_id: String,
    google_user_id: String,
    token: Vec<u8>,
    attempts: i32,
    created_at: Instant,
}

impl From<UnkeptRow> for UnkeptGrant {
    fn from(row: UnkeptRow) -> Self {
        Self {
            organisation: OrganisationId::as_stored(row.organisation_id),
            google_user_id: GoogleUserId::new(row.google_user_id),
            token: Sealed::from_bytes(row.token),
            attempts: row.attempts,
            since_at: row.created_at.0,
        }
    }
}

pub(in crate::store) async fn queue(
    conn: &mut Conn,
    organisation: &OrganisationId,
    account: &GoogleUserId,
    token: &Sealed,
    now: Timestamp,
) -> Result<(), Fault> {
    let grant = diesel::insert_into(dsl::unkept_grants)
        .values((
            dsl::token.eq(token.as_bytes()),
            dsl::organisation_id.eq(organisation.as_str()),
            dsl::google_user_id.eq(account.as_str()),
            dsl::next_attempt_at.eq(Instant(now)),
            dsl::created_at.eq(Instant(now)),
        ))
        .on_conflict_do_nothing();
    named("unkept_grants.queue", grant).execute(conn).await?;
    Ok(())
}

/// Queues the grants of another table that `which` is true of, due at `due_at`.
pub(super) async fn queue_from(
    conn: &mut Conn,
    table: &str,
    which: Fragment,
    due_at: Timestamp,
    now: Timestamp,
) -> Result<(), Fault> {
    let insert = sql("INSERT INTO unkept_grants (token, organisation_id, google_user_id, next_attempt_at, created_at)
         SELECT refresh_token, organisation_id, google_user_id, ")
    .bind(due_at)
    .sql(", ")
    .bind(now)
    .sql(format!(" FROM {table} AS p WHERE refresh_token IS NOT NULL AND google_user_id IS NOT NULL AND "))
    .with(which)
    .sql(" ORDER BY refresh_token ON CONFLICT (token) DO NOTHING");
    named("unkept_grants.queue_from", insert).execute(conn).await?;
    Ok(())
}

pub(in crate::store) async fn due(
    conn: &mut Conn,
    organisation: Option<&OrganisationId>,
    now: Timestamp,
) -> Result<Vec<UnkeptGrant>, Fault> {
    let mut select = dsl::unkept_grants
        .filter(dsl::next_attempt_at.le(Instant(now)))
        .order(dsl::next_attempt_at)
        .limit(DUE_TOGETHER)
        .select(UnkeptRow::as_select())
        .into_boxed();
    if let Some(organisation) = organisation {
        select = select.filter(dsl::organisation_id.eq(organisation.as_str()));
    }
    let found: Vec<UnkeptRow> = named("unkept_grants.due", select).load(conn).await?;
    Ok(found.into_iter().map(UnkeptGrant::from).collect())
}

/// Whether it is still to be revoked.
pub(super) async fn is_queued(conn: &mut Conn, token: &Sealed) -> Result<bool, Fault> {
    let select = dsl::unkept_grants.find(token.as_bytes()).select(dsl::attempts);
    let row: Option<i32> = named("unkept_grants.is_queued", select).get_result(conn).await.optional()?;
    Ok(row.is_some())
}

pub(super) async fn put_off(conn: &mut Conn, token: &Sealed, until: Timestamp) -> Result<(), Fault> {
    let put_off = diesel::update(dsl::unkept_grants.find(token.as_bytes()))
        .set((dsl::next_attempt_at.eq(Instant(until)), dsl::attempts.eq(dsl::attempts + 1)));
    named("unkept_grants.put_off", put_off).execute(conn).await?;
    Ok(())
}

/// Tells what became of it where its organisation waits for that, and erases it.
pub(super) async fn end(
    conn: &mut Conn,
    organisation: &OrganisationId,
    token: &Sealed,
    end: GrantEnd,
) -> Result<(), Fault> {
    let tell = sql("UPDATE calendar_integrations SET grant_end = ")
        .bind(words::of_grant_end(end))
        .sql(format!(" WHERE grant_end = {GRANT_PENDING} AND "))
        .with(of_organisation(organisation));
    named("unkept_grants.tell", tell).execute(conn).await?;
    let erase = diesel::delete(dsl::unkept_grants.find(token.as_bytes()));
    named("unkept_grants.erase", erase).execute(conn).await?;
    Ok(())
}
