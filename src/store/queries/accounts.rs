//! Google accounts: the rows at which storing a grant and revoking take their turns.
//!
//! Owns how the row of an account is held, leased and forgotten, and the only statement that counts a revocation. Never
//! forgets an account that somebody has a grant of. Invariant: the row of an account is taken before any row of an
//! integration, and the counter by one who holds such a row.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use jiff::Timestamp;

use super::schema::google_accounts::dsl;
use super::schema::{google_accounts, revocation_counter};
use super::statement::{named, sql};
use super::{Conn, FOR_UPDATE, Fault};
use crate::model::GoogleUserId;
use crate::store::RevocationLease;
use crate::store::instant::Instant;

/// An account, held until the end of the transaction.
#[derive(QueryableByName)]
#[diesel(table_name = google_accounts)]
pub(super) struct Account {
    google_user_id: String,
    revocation_seq: i64,
    revoking_token: Option<String>,
    revoking_until: Option<Instant>,
}

/// The row of an account, made where there is none.
pub(super) async fn locked(conn: &mut Conn, account: &GoogleUserId, now: Timestamp) -> Result<Account, Fault> {
    let first = diesel::insert_into(dsl::google_accounts)
        .values((dsl::google_user_id.eq(account.as_str()), dsl::updated_at.eq(Instant(now))))
        .on_conflict_do_nothing();
    named("accounts.first", first).execute(conn).await?;
    let select = sql("SELECT google_user_id, revocation_seq, revoking_token, revoking_until FROM google_accounts
             WHERE google_user_id = ")
    .bind(account)
    .sql(" ")
    .sql(FOR_UPDATE);
    Ok(named("accounts.locked", select).get_result(conn).await?)
}

pub(in crate::store) async fn sweep(conn: &mut Conn, before: Timestamp) -> Result<usize, Fault> {
    // An account that has not changed since then has no grant on its way any more.
    let unused = ["calendar_integrations", "pending_grants", "unkept_grants"].map(|table| {
        format!("NOT EXISTS (SELECT 1 FROM {table} AS u WHERE u.google_user_id = google_accounts.google_user_id)")
    });
    let delete = sql(format!("DELETE FROM google_accounts WHERE {} AND updated_at < ", unused.join(" AND ")))
        .bind(before)
        .sql(" AND (revoking_until IS NULL OR revoking_until < ")
        .bind(before)
        .sql(")");
    Ok(named("accounts.sweep", delete).execute(conn).await?)
}

impl Account {
    /// Whether somebody has the right to revoke it at `now`.
    pub(super) fn is_being_revoked(&self, now: Timestamp) -> bool {
        self.revoking_until.is_some_and(|Instant(until)| until > now)
    }

    /// Whether this lease of it was not taken over.
    pub(super) fn is_leased_to(&self, lease: &RevocationLease) -> bool {
        self.revoking_token.as_deref() == Some(&lease.token.to_string())
    }

    /// Whether its grants may have been revoked since the revocation `seen`. One whose end nobody has told counts as
    /// ended now.
    pub(super) async fn is_revoked_since(&self, conn: &mut Conn, seen: i64, now: Timestamp) -> Result<bool, Fault> {
        match self.revoking_until {
            Some(_) if self.is_being_revoked(now) => Ok(true),
            Some(_) => {
                self.end_revocation(conn, now).await?;
                Ok(true)
            }
            None => Ok(self.revocation_seq > seen),
        }
    }

    /// Leases it to be revoked.
    pub(super) async fn lease(&self, conn: &mut Conn, lease: &RevocationLease, now: Timestamp) -> Result<(), Fault> {
        self.count(conn, Some(lease), now).await
    }

    /// Ends a revocation of it.
    pub(super) async fn end_revocation(&self, conn: &mut Conn, now: Timestamp) -> Result<(), Fault> {
        self.count(conn, None, now).await
    }

    /// One more revocation: begun under a lease, or ended.
    async fn count(&self, conn: &mut Conn, lease: Option<&RevocationLease>, now: Timestamp) -> Result<(), Fault> {
        let counter = revocation_counter::dsl::revocation_counter.find(1);
        let next = diesel::update(counter)
            .set(revocation_counter::dsl::last_seq.eq(revocation_counter::dsl::last_seq + 1))
            .returning(revocation_counter::dsl::last_seq);
        let seq: i64 = named("accounts.next_seq", next).get_result(conn).await?;
        let count = diesel::update(dsl::google_accounts.find(&self.google_user_id)).set((
            dsl::revocation_seq.eq(seq),
            dsl::revoking_token.eq(lease.map(|lease| lease.token.to_string())),
            dsl::revoking_until.eq(lease.map(|lease| Instant(lease.until))),
            dsl::updated_at.eq(Instant(now)),
        ));
        named("accounts.count_revocation", count).execute(conn).await?;
        Ok(())
    }
}
