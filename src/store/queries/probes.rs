//! Whether the database takes what is written, and what the clock said when it last did.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::schema::write_probes::dsl;
use super::statement::{named, sql};
use super::{Conn, Fault};
use crate::store::instant::Instant;

/// A clock that was set back does not hide how late it was before.
pub(in crate::store) async fn write(conn: &mut Conn, now: Timestamp) -> Result<(), Fault> {
    let update = sql("UPDATE write_probes SET written_at = CASE WHEN written_at > ")
        .bind(now)
        .sql(" THEN written_at ELSE ")
        .bind(now)
        .sql(" END");
    named("probes.write", update).execute(conn).await?;
    Ok(())
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
