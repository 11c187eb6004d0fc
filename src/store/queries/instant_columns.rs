//! The instants of every table, and what becomes of each where the clock was corrected.
//!
//! Owns what is brought nearer where the clock was set back, so that nothing waits longer for that, and the end of leases
//! that no process took. Never asks what time it is. Invariant: [`INSTANTS`] names every column of the schema that holds an
//! instant, but two in rows that wait for nothing; whoever adds one says here what it is.
//!
//! Each replica brings nearer what it finds, by as much as its own clock was set back: what waits may come nearer more than
//! once, and is done sooner, never later.

use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_async::RunQueryDsl;
use jiff::{SignedDuration, Timestamp};

use super::statement::{Fragment, joined, list_of, named, sql};
use super::{Conn, FOR_UPDATE, Fault, LOCKED_BY_KEY, MICROSECONDS, link_queues, probes};
use crate::model::OrganisationId;

/// What an instant is, where the clock was set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Something waits for it, a retention is counted from it, or it says which of two came first: it is brought nearer.
    Awaited,
    /// The end of a lease: it is brought nearer where no lease of the clock as it is lasts that long.
    Lease,
    /// It stays: it tells a person what happened, says when an appointment is, or follows another column.
    Kept,
}
use Kind::{Awaited, Kept, Lease};

/// Every instant of every table, but those of [`APART`].
const INSTANTS: [(&str, &str, Kind); 56] = [
    // What is refused for it is refreshed.
    ("calendar_integrations", "token_expiry", Kept),
    ("calendar_integrations", "problem_since", Kept),
    ("calendar_integrations", "problem_retry_at", Awaited),
    ("calendar_integrations", "last_sync_at", Awaited),
    ("calendar_integrations", "connected_at", Kept),
    ("calendar_integrations", "catch_up_started_at", Kept),
    ("calendar_integrations", "disconnecting_at", Awaited),
    ("calendar_integrations", "finishing_until", Lease),
    ("calendar_integrations", "disconnected_at", Awaited),
    // Whether it is set is all that is asked.
    ("calendar_integrations", "erasing_at", Kept),
    ("calendar_integrations", "compare_due_at", Awaited),
    ("calendar_integrations", "compare_lease_until", Lease),
    ("calendar_integrations", "unlisted_since", Kept),
    ("calendar_integrations", "search_due_at", Awaited),
    ("calendar_integrations", "search_asked_at", Awaited),
    // These two follow `problem_retry_at`.
    ("calendar_integrations", "served_from", Kept),
    ("calendar_integrations", "owed_served_from", Kept),
    // A token that was refreshed just now is not refreshed again.
    ("calendar_integrations", "refreshed_at", Awaited),
    ("calendar_integrations", "refresh_lease_until", Lease),
    // A silence that it is held against stays too.
    ("calendar_integrations", "replaced_at", Kept),
    ("calendar_integrations", "created_at", Kept),
    // What is served again stands in the line since then.
    ("calendar_integrations", "updated_at", Awaited),
    // Cassius says when an appointment is.
    ("appointment_external_links", "starts_at", Kept),
    ("appointment_external_links", "ends_at", Kept),
    ("appointment_external_links", "shown_ends_at", Kept),
    ("appointment_external_links", "last_synced_at", Kept),
    ("appointment_external_links", "next_attempt_at", Awaited),
    ("appointment_external_links", "lease_until", Lease),
    ("appointment_external_links", "write_not_before", Awaited),
    // What was accepted before a replacement began is replaced by it.
    ("appointment_external_links", "accepted_at", Awaited),
    ("appointment_external_links", "erasing_at", Kept),
    ("appointment_external_links", "created_at", Kept),
    // A comparison knows that it may lie ahead.
    ("appointment_external_links", "updated_at", Kept),
    ("owed_deletions", "next_attempt_at", Awaited),
    ("owed_deletions", "lease_until", Lease),
    ("owed_deletions", "created_at", Kept),
    ("owed_deletions", "updated_at", Kept),
    // Of two consents the older one makes room.
    ("oauth_consents", "expires_at", Awaited),
    ("oauth_consents", "created_at", Awaited),
    ("google_accounts", "revoking_until", Lease),
    ("google_accounts", "updated_at", Awaited),
    ("pending_grants", "token_expiry", Kept),
    ("pending_grants", "expires_at", Awaited),
    ("pending_grants", "created_at", Kept),
    // Until then the budget is spent.
    ("quota_budgets", "spent_until", Awaited),
    ("link_queues", "due_at", Awaited),
    ("link_queues", "owed_due_at", Awaited),
    // Triggers copy these two, and the next two follow from them.
    ("link_queues", "served_from", Kept),
    ("link_queues", "owed_served_from", Kept),
    ("link_queues", "ready_at", Kept),
    ("link_queues", "owed_ready_at", Kept),
    ("link_queues", "recounted_at", Awaited),
    ("unkept_grants", "next_attempt_at", Awaited),
    ("unkept_grants", "created_at", Awaited),
    // Google's events are held against them, which say by Google's clock when they were made.
    ("silences", "began_at", Kept),
    ("silences", "ended_at", Kept),
];

/// Two more, which are no columns of a row that waits: the probe is set to what the clock says, since it tells how far the
/// clock was set back; what the audit says is never changed.
#[cfg(test)]
const APART: [(&str, &str); 2] = [("write_probes", "written_at"), ("audit_events", "at")];

/// The key of a link.
const KEY_OF_LINKS: &str = "organisation_id, appointment_id, provider";

/// No lease lives longer, by far: one that ends later was taken by no process.
const FURTHEST_LEASE: SignedDuration = SignedDuration::from_hours(24);
/// Nothing waits longer, by far.
const FURTHEST_WAIT: SignedDuration = SignedDuration::from_hours(48);

/// A clock that was set back.
struct SetBack {
    by: SignedDuration,
    longest_lease: SignedDuration,
    now: Timestamp,
}

impl SetBack {
    /// What lies behind this instant is brought nearer.
    fn after(&self, kind: Kind) -> Timestamp {
        match kind {
            Lease => self.now + self.longest_lease,
            Awaited | Kept => self.now,
        }
    }

    /// Brings an instant nearer that lies behind `after`, as far as 1970: what is put further back would be looked for
    /// nowhere.
    fn nearer(&self, column: &str, after: Timestamp) -> Fragment {
        let first = Timestamp::UNIX_EPOCH;
        sql(format!("{column} = CASE WHEN {column} <= "))
            .bind(after)
            .sql(format!(" THEN {column} WHEN {column} <= "))
            .bind(first.saturating_add(self.by).unwrap_or(Timestamp::MAX))
            .sql(" THEN ")
            .bind(first)
            .sql(format!(" ELSE {column} - "))
            .bind(i64::try_from(self.by.as_micros()).unwrap_or(i64::MAX))
            .sql(format!("{MICROSECONDS} END"))
    }

    /// The statement that brings nearer what is to be of one table. `key` names its rows where they have to be held in an
    /// order first.
    fn update(&self, table: &str, key: Option<(&str, &str)>) -> Fragment {
        let columns = INSTANTS.iter().filter(|(of, _, kind)| *of == table && *kind != Kept);
        let columns: Vec<_> = columns.map(|(_, column, kind)| (*column, self.after(*kind))).collect();
        let set = columns.iter().map(|(column, after)| self.nearer(column, *after));
        let ahead = columns.iter().map(|(column, after)| sql(format!("{column} > ")).bind(*after));
        let ahead = joined(ahead, " OR ", sql(" WHERE "));
        let which = match key {
            None => ahead,
            Some((key, held)) => {
                sql(format!(" WHERE ({key}) IN (SELECT {key} FROM {table}")).with(ahead).sql(format!(" {held})"))
            }
        };
        joined(set, ", ", sql(format!("UPDATE {table} SET "))).with(which)
    }
}

pub(in crate::store) async fn bring_nearer(
    conn: &mut Conn,
    by: SignedDuration,
    longest_lease: SignedDuration,
    now: Timestamp,
) -> Result<(), Fault> {
    let set_back = SetBack { by, longest_lease, now };
    let of = |table| set_back.update(table, None);
    let links = || set_back.update("appointment_external_links", Some((KEY_OF_LINKS, LOCKED_BY_KEY)));
    let budgets = || set_back.update("quota_budgets", Some(("budget", &format!("ORDER BY budget {FOR_UPDATE}"))));
    transaction!(conn, async |conn| {
        named("instant_columns.of_accounts", of("google_accounts")).execute(conn).await?;
        link_queues::lock_all(conn).await?;
        named("instant_columns.of_integrations", of("calendar_integrations")).execute(conn).await?;
        named("instant_columns.of_links", links()).execute(conn).await?;
        named("instant_columns.of_owed", of("owed_deletions")).execute(conn).await?;
        named("instant_columns.of_queues", of("link_queues")).execute(conn).await?;
        named("instant_columns.of_consents", of("oauth_consents")).execute(conn).await?;
        named("instant_columns.of_pending_grants", of("pending_grants")).execute(conn).await?;
        named("instant_columns.of_unkept_grants", of("unkept_grants")).execute(conn).await?;
        named("instant_columns.of_budgets", budgets()).execute(conn).await?;
        // What was noted of the clock is as wrong as what was computed by it.
        probes::set_back(conn, now).await
    })
}

/// What lies further ahead than this span.
fn beyond(now: Timestamp, span: SignedDuration) -> Timestamp {
    now.saturating_add(span).unwrap_or(Timestamp::MAX)
}

/// The queues that wait for something further ahead than anything is put off.
fn far_queues(now: Timestamp) -> Fragment {
    sql("ready_at > ").bind(beyond(now, FURTHEST_WAIT)).sql(" OR owed_ready_at > ").bind(beyond(now, FURTHEST_WAIT))
}

#[derive(QueryableByName)]
struct FoundRow {
    #[diesel(sql_type = Bool)]
    found: bool,
}

pub(in crate::store) async fn has_far_leases(conn: &mut Conn, now: Timestamp) -> Result<bool, Fault> {
    // What does not read lies further ahead than every instant.
    let leases = INSTANTS.iter().filter(|(.., kind)| *kind == Lease);
    let leases = leases.map(|(table, column, _)| {
        sql(format!("EXISTS (SELECT 1 FROM {table} WHERE {column} > ")).bind(beyond(now, FURTHEST_LEASE)).sql(")")
    });
    let queues = sql("EXISTS (SELECT 1 FROM link_queues WHERE ").with(far_queues(now)).sql(")");
    let select = joined(leases.chain([queues]), " OR ", sql("SELECT (")).sql(") AS found");
    let row: FoundRow = named("instant_columns.has_far_leases", select).get_result(conn).await?;
    Ok(row.found)
}

#[derive(QueryableByName)]
struct WhoseRow {
    #[diesel(sql_type = Text)]
    organisation_id: String,
}

pub(in crate::store) async fn end_far_leases(conn: &mut Conn, now: Timestamp) -> Result<u64, Fault> {
    let far = beyond(now, FURTHEST_LEASE);
    transaction!(conn, async |conn| {
        // Its account may have been revoked: the lease lapses, and is not forgotten.
        let accounts = sql("UPDATE google_accounts SET revoking_until = ")
            .bind(Timestamp::UNIX_EPOCH)
            .sql(" WHERE revoking_until > ")
            .bind(far);
        let mut ended = named("instant_columns.end_revocations", accounts).execute(conn).await?;
        let of = |table: &str, columns: &[&str]| {
            let ahead = columns.iter().map(|column| sql(format!("{column} > ")).bind(far));
            joined(ahead, " OR ", sql(format!("SELECT organisation_id FROM {table} WHERE ")))
        };
        let whose = of("appointment_external_links", &["lease_until"])
            .sql(" UNION ")
            .with(of("owed_deletions", &["lease_until"]))
            .sql(" UNION ")
            .with(of("calendar_integrations", &OF_INTEGRATIONS.map(|(_, until)| until)))
            .sql(" UNION SELECT organisation_id FROM link_queues WHERE ")
            .with(far_queues(now));
        let whose: Vec<WhoseRow> = named("instant_columns.far_leases", whose).load(conn).await?;
        let whose: Vec<_> = whose.into_iter().map(|row| OrganisationId::as_stored(row.organisation_id)).collect();
        link_queues::lock(conn, &whose).await?;
        for (token, until) in OF_INTEGRATIONS {
            let token = token.map_or(String::new(), |token| format!("{token} = NULL, "));
            let end = sql(format!("UPDATE calendar_integrations SET {token}{until} = NULL WHERE {until} > ")).bind(far);
            ended += named("instant_columns.end_of_integrations", end).execute(conn).await?;
        }
        let links = sql(format!(
            "UPDATE appointment_external_links SET lease_token = NULL, lease_until = NULL
             WHERE ({KEY_OF_LINKS}) IN (SELECT {KEY_OF_LINKS} FROM appointment_external_links WHERE lease_until > "
        ))
        .bind(far)
        .sql(format!(" {LOCKED_BY_KEY})"));
        ended += named("instant_columns.end_of_links", links).execute(conn).await?;
        let owed =
            sql("UPDATE owed_deletions SET lease_token = NULL, lease_until = NULL WHERE lease_until > ").bind(far);
        ended += named("instant_columns.end_of_owed", owed).execute(conn).await?;
        // What was noted too early is put off by the next look.
        let nearest = |column: &str| {
            sql(format!("{column} = CASE WHEN {column} > "))
                .bind(far)
                .sql(" THEN ")
                .bind(now)
                .sql(format!(" ELSE {column} END"))
        };
        let queues = sql("UPDATE link_queues SET ")
            .with(nearest("due_at"))
            .sql(", ")
            .with(nearest("owed_due_at"))
            .sql(" WHERE organisation_id IN ")
            .with(list_of(&whose));
        if !whose.is_empty() {
            named("instant_columns.bring_queues_up", queues).execute(conn).await?;
        }
        Ok(ended as u64)
    })
}

/// The leases of an integration, with the columns of their tokens.
const OF_INTEGRATIONS: [(Option<&str>, &str); 3] = [
    (Some("refresh_lease_token"), "refresh_lease_until"),
    (Some("compare_lease_token"), "compare_lease_until"),
    (None, "finishing_until"),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The columns of instants that diesel sees, as `table.column`.
    fn of_the_schema() -> BTreeSet<String> {
        let mut columns = BTreeSet::new();
        for table in include_str!("schema.rs").split("diesel::table! {").skip(1) {
            let (head, body) = table.split_once(") {").expect("a table has columns");
            let name = head.lines().last().and_then(|line| line.split_whitespace().next()).expect("a table has a name");
            for line in body.lines().filter(|line| line.contains("InstantSql") && line.contains(" -> ")) {
                columns.insert(format!("{name}.{}", line.split_whitespace().next().expect("a column has a name")));
            }
        }
        columns
    }

    #[test]
    fn every_instant_of_the_schema_is_decided_about_once() {
        let decided: Vec<_> = INSTANTS.iter().map(|(table, column, _)| format!("{table}.{column}")).collect();
        let decided: Vec<_> =
            decided.into_iter().chain(APART.map(|(table, column)| format!("{table}.{column}"))).collect();
        let named: BTreeSet<_> = decided.iter().cloned().collect();
        assert_eq!(named, of_the_schema());
        assert_eq!(named.len(), decided.len(), "none stands there twice");
    }

    #[test]
    fn what_ends_a_lease_by_its_name_is_one_and_is_ended_where_it_lies_too_far_ahead() {
        for (table, column, kind) in INSTANTS {
            let is_by_name = column.ends_with("_until") && table != "quota_budgets";
            assert_eq!(kind == Lease, is_by_name, "{table}.{column}");
            let is_ended = match table {
                "calendar_integrations" => OF_INTEGRATIONS.iter().any(|(_, until)| *until == column),
                "google_accounts" => column == "revoking_until",
                _ => column == "lease_until",
            };
            assert_eq!(kind == Lease, is_ended, "{table}.{column}");
        }
    }
}
