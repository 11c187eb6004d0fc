//! Whether the database takes what is written, and what the clock said when it last did.
//!
//! Owns the row of probes, and the silences between two processes. Never changes another table, and never keeps what it
//! only tries. Invariant: the instant in it never goes back, but where the clock was set back and everything else is
//! brought nearer with it.

use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind as Kind, Error};
use diesel::sql_types::BigInt;
use diesel_async::RunQueryDsl;
use jiff::{SignedDuration, Timestamp};

use super::schema::write_probes::dsl;
use super::statement::{named, sql};
use super::{COUNT_REFUSED_TABLES, Conn, Fault, InstantSql};
use crate::model::OrganisationId;
use crate::store::Silence;
use crate::store::instant::Instant;
use crate::store::words::GOOGLE;

/// Nobody wrote for less between two processes of which one took the other's place.
const SILENCE: SignedDuration = SignedDuration::from_mins(1);
/// For how long a silence is known: longer than any appointment is made ahead.
const SILENCES_KEPT: SignedDuration = SignedDuration::from_hours(24 * 800);

pub(in crate::store) async fn write(conn: &mut Conn, now: Timestamp) -> Result<(), Fault> {
    // A clock that was set back does not hide how late it was before.
    let update = sql("UPDATE write_probes SET written_at = CASE WHEN written_at > ")
        .bind(now)
        .sql(" THEN written_at ELSE ")
        .bind(now)
        .sql(" END");
    named("probes.write", update).execute(conn).await?;
    Ok(())
}

pub(in crate::store) async fn begin(conn: &mut Conn, now: Timestamp) -> Result<(), Fault> {
    transaction!(conn, async |conn| {
        let written_at = latest(conn).await?;
        // A database that was just made has said nothing yet.
        if written_at > Timestamp::UNIX_EPOCH && now.duration_since(written_at) >= SILENCE {
            let note = sql("INSERT INTO silences (began_at, ended_at) VALUES (")
                .bind(written_at)
                .sql(", ")
                .bind(now)
                .sql(") ON CONFLICT (began_at) DO NOTHING");
            named("probes.note_silence", note).execute(conn).await?;
        }
        let forget = sql("DELETE FROM silences WHERE ended_at < ").bind(now - SILENCES_KEPT);
        named("probes.forget_silences", forget).execute(conn).await?;
        write(conn, now).await
    })
}

#[derive(QueryableByName)]
struct SilenceRow {
    #[diesel(sql_type = InstantSql)]
    began_at: Instant,
    #[diesel(sql_type = InstantSql)]
    ended_at: Instant,
}

pub(in crate::store) async fn silences(conn: &mut Conn, organisation: &OrganisationId) -> Result<Vec<Silence>, Fault> {
    let select = sql("SELECT s.began_at, s.ended_at FROM silences AS s JOIN calendar_integrations AS i
            ON (i.replaced_at IS NULL OR i.replaced_at < s.ended_at) WHERE i.organisation_id = ")
    .bind(organisation)
    .sql(format!(" AND i.provider = {GOOGLE} ORDER BY s.began_at"));
    let rows: Vec<SilenceRow> = named("probes.silences", select).load(conn).await?;
    Ok(rows.into_iter().map(|row| Silence { began_at: row.began_at.0, ended_at: row.ended_at.0 }).collect())
}

#[derive(QueryableByName)]
struct RefusedRow {
    #[diesel(sql_type = BigInt)]
    refused: i64,
}

pub(in crate::store) async fn takes_writes(conn: &mut Conn) -> Result<bool, Fault> {
    // A write tells of a database that only reads; of a role that may not write everywhere, that or the list of rights.
    let written: Result<(), Fault> = transaction!(conn, async |conn| {
        let write = diesel::update(dsl::write_probes).set(dsl::written_at.eq(dsl::written_at));
        named("probes.try", write).execute(conn).await?;
        Err(Fault::Fenced)
    });
    match written {
        // It was taken, and undone.
        Ok(()) | Err(Fault::Fenced) => {}
        Err(Fault::Query(Error::DatabaseError(Kind::ReadOnlyTransaction | Kind::Unknown, _))) => return Ok(false),
        Err(fault) => return Err(fault),
    }
    let rights: RefusedRow = named("probes.refused_tables", sql(COUNT_REFUSED_TABLES)).get_result(conn).await?;
    Ok(rights.refused == 0)
}

pub(in crate::store) async fn latest(conn: &mut Conn) -> Result<Timestamp, Fault> {
    let written_at: Instant =
        named("probes.latest", dsl::write_probes.select(dsl::written_at)).get_result(conn).await?;
    Ok(written_at.0)
}

/// Notes what the clock says since it was set back, within a transaction that brings all else nearer.
pub(super) async fn set_back(conn: &mut Conn, now: Timestamp) -> Result<(), Fault> {
    let update = diesel::update(dsl::write_probes).set(dsl::written_at.eq(Instant(now)));
    named("probes.set_back", update).execute(conn).await?;
    Ok(())
}
