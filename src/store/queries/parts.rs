//! Parts of an organisation's links: so many that lie next to each other by their keys.
//!
//! Owns where a part ends. Never reads more of a link than its key. Invariant: a later part begins with the key before
//! which the last one has ended, so that no key lies in two of them.

use diesel::prelude::*;
use diesel::sql_types::Text;
use diesel_async::RunQueryDsl;

use super::fragments::of_organisation;
use super::statement::{Fragment, named, sql};
use super::{Conn, Fault};
use crate::model::OrganisationId;

/// Links that lie next to each other by their keys.
pub(super) struct Part {
    pub(super) from: String,
    /// The first key of the next part; `None`: there is none.
    pub(super) before: Option<String>,
}

#[derive(QueryableByName)]
struct KeyRow {
    #[diesel(sql_type = Text)]
    appointment_id: String,
}

impl Part {
    /// The first `size` links of an organisation.
    pub(super) async fn first(conn: &mut Conn, organisation: &OrganisationId, size: i64) -> Result<Self, Fault> {
        Self::beginning(conn, organisation, String::new(), size).await
    }

    /// The `size` links from this key on.
    pub(super) async fn beginning(
        conn: &mut Conn,
        organisation: &OrganisationId,
        from: String,
        size: i64,
    ) -> Result<Self, Fault> {
        let select = sql("SELECT appointment_id FROM appointment_external_links WHERE appointment_id >= ")
            .bind(&from)
            .sql(" AND ")
            .with(of_organisation(organisation))
            .sql(" ORDER BY appointment_id LIMIT 1 OFFSET 0 + ")
            .bind(size);
        let row: Option<KeyRow> = named("parts.next", select).get_result(conn).await.optional()?;
        Ok(Self { from, before: row.map(|row| row.appointment_id) })
    }

    /// The condition that a link lies in it.
    pub(super) fn condition(&self) -> Fragment {
        let from = sql("appointment_id >= ").bind(&self.from);
        match &self.before {
            Some(before) => from.sql(" AND appointment_id < ").bind(before),
            None => from,
        }
    }
}
