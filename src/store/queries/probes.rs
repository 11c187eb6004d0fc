//! Whether the database takes what is written.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::schema::write_probes::dsl;
use super::statement::named;
use super::{Conn, Fault};
use crate::store::instant::Instant;

pub(in crate::store) async fn write(conn: &mut Conn, now: Timestamp) -> Result<(), Fault> {
    let update = diesel::update(dsl::write_probes).set(dsl::written_at.eq(Instant(now)));
    named("probes.write", update).execute(conn).await?;
    Ok(())
}
