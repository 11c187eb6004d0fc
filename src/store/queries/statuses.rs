//! Statuses: all that a status is made of, read at one moment.
//!
//! Owns which queries a status is read by. Never changes or holds a row. Invariant: all of them read one snapshot of
//! the database.

use jiff::Timestamp;

use super::{Conn, Fault, integrations, links, owed_counts, pending_grants};
use crate::model::OrganisationId;
use crate::store::{Integration, OwedLeft, StatusParts};

pub(in crate::store) async fn parts(
    conn: &mut Conn,
    organisation: &OrganisationId,
    now: Timestamp,
) -> Result<StatusParts, Fault> {
    snapshot!(conn, async |conn| {
        let integration = integrations::integration(conn, organisation).await?;
        let counts = links::counts(conn, organisation, now).await?;
        let owed_left = match integration.as_ref().and_then(|integration| integration.disconnecting) {
            Some(_) => owed_counts::left(conn, organisation).await?,
            None => OwedLeft::default(),
        };
        let pending_account = match integration.as_ref().is_some_and(Integration::is_connected) {
            true => pending_grants::account(conn, organisation, now).await?,
            false => None,
        };
        Ok(StatusParts { integration, counts, owed_left, pending_account })
    })
}
