//! Settlements: what attempts came to, many of them in one statement.
//!
//! Owns what becomes of the columns of a link whose attempt has ended, and of its integration's: when one was last
//! brought in step, and the problem that is over with that. Never undoes what was asked of a link since it was claimed.
//! Invariant: a link is settled under the token that it was claimed with, or not at all.

use std::collections::{BTreeSet, HashMap};

use diesel_async::RunQueryDsl;
use jiff::Timestamp;
use uuid::Uuid;

use super::fragments::and_no_problem_that_was_due;
use super::placement::{PLACEMENT, values_of};
use super::rows::{LinkRow, link_columns};
use super::statement::{Fragment, list_of, named, padded, rows_of, sql};
use super::{Conn, Fault, link_queues, owed_claims};
use crate::model::{AppointmentId, OrganisationId, Placement};
use crate::store::history::MAX_HISTORY_CHARS;
use crate::store::words::{self, CALENDAR_UNAVAILABLE, ERROR, GOOGLE, PENDING, SYNCED};
use crate::store::{
    CallMade, Guarded, Link, LinkError, LinkSettlement, OwedSettlement, SettledFree, SettledLink, SettledRows,
    Settlement, Settlements,
};

pub(in crate::store) async fn settle_together(
    conn: &mut Conn,
    settlements: &Settlements,
    now: Timestamp,
) -> Result<SettledRows, Fault> {
    transaction!(conn, async |conn| {
        link_queues::lock(conn, settlements.organisations()).await?;
        settle_but(conn, settlements, &BTreeSet::new(), now).await
    })
}

pub(in crate::store) async fn settle_free(
    conn: &mut Conn,
    settlements: &Settlements,
    now: Timestamp,
) -> Result<SettledFree, Fault> {
    transaction!(conn, async |conn| {
        let locked_out = link_queues::lock_free(conn, settlements.organisations()).await?;
        let rows = settle_but(conn, settlements, &locked_out, now).await?;
        Ok(SettledFree { rows, locked_out: locked_out.into_iter().cloned().collect() })
    })
}

/// Settles within a transaction that holds the queues, but for these organisations.
async fn settle_but(
    conn: &mut Conn,
    settlements: &Settlements,
    locked_out: &BTreeSet<&OrganisationId>,
    now: Timestamp,
) -> Result<SettledRows, Fault> {
    let links = settlements.links.iter().filter(|(claimed, ..)| !locked_out.contains(&claimed.organisation));
    let owed = settlements.owed.iter().filter(|(claimed, _)| !locked_out.contains(&claimed.organisation));
    let (links, owed): (Vec<_>, Vec<_>) = (links.collect(), owed.collect());
    let settled = settle(conn, &links, now).await?;
    let (mut served, mut in_step) = (BTreeSet::new(), BTreeSet::new());
    for ((claimed, settlement, _), link) in links.iter().zip(&settled) {
        if let (SettledLink::Done(_), Settlement::Synced { was_called, .. }) = (link, settlement) {
            if *was_called { &mut served } else { &mut in_step }.insert(&claimed.organisation);
        }
    }
    note_sync(conn, &served, and_no_problem_that_was_due(now), now).await?;
    note_sync(conn, &in_step, Fragment::default(), now).await?;
    let mut ended = Vec::with_capacity(owed.len());
    for (claimed, settlement) in &owed {
        ended.push(owed_claims::settle_within(conn, claimed, settlement, now).await?);
    }
    let served = owed.iter().zip(&ended).filter(|((_, settlement), guarded)| {
        matches!(settlement, OwedSettlement::Gone { .. }) && matches!(guarded, Guarded::Done)
    });
    end_problems(conn, &served.map(|((claimed, _), _)| &claimed.organisation).collect(), now).await?;
    Ok(SettledRows { links: settled, owed: ended })
}

/// What becomes of a link, as the statement reads it.
mod outcome {
    pub(super) const SYNCED: &str = "synced";
    pub(super) const LATER: &str = "later";
    pub(super) const REFUSED: &str = "refused";
    pub(super) const UNCHANGED: &str = "unchanged";
}

/// How one link is settled, beside its placement.
struct Columns {
    outcome: &'static str,
    next_attempt_at: Option<Timestamp>,
    error: Option<LinkError>,
    synced_revision: Option<i64>,
    html_link: Option<String>,
    is_page_known: bool,
}

fn columns(settlement: &Settlement) -> (&Placement, Columns) {
    let none = Columns {
        outcome: "",
        next_attempt_at: None,
        error: None,
        synced_revision: None,
        html_link: None,
        is_page_known: false,
    };
    match settlement {
        Settlement::Synced { placement, html_link, revision, was_called: _ } => {
            let html_link = html_link.clone().filter(|_| placement.place().is_some());
            // A settlement without a call brings no page: the one that is known stays as long as the event does.
            let is_page_known = html_link.is_some() || placement.place().is_none();
            let synced_revision = Some(revision.number());
            (placement, Columns { outcome: outcome::SYNCED, synced_revision, html_link, is_page_known, ..none })
        }
        Settlement::Later { placement, next_attempt_at, error } => {
            let (next_attempt_at, error) = (Some(*next_attempt_at), Some(error.clone()));
            (placement, Columns { outcome: outcome::LATER, next_attempt_at, error, ..none })
        }
        Settlement::Refused { placement, error } => {
            (placement, Columns { outcome: outcome::REFUSED, error: Some(error.clone()), ..none })
        }
        Settlement::Unchanged { placement } => (placement, Columns { outcome: outcome::UNCHANGED, ..none }),
    }
}

/// A row of what ended.
struct EndedRow {
    organisation: String,
    appointment: String,
    lease_token: Uuid,
    request_seq: i64,
    placement: Placement,
    columns: Columns,
    /// The lines of its history.
    calls: String,
}

impl EndedRow {
    fn of((claimed, settlement, calls): &LinkSettlement) -> Self {
        let (placement, columns) = columns(settlement);
        Self {
            organisation: claimed.organisation.to_string(),
            appointment: claimed.appointment.to_string(),
            lease_token: claimed.lease.token,
            request_seq: claimed.request_seq,
            placement: placement.clone(),
            columns,
            calls: CallMade::lines(calls),
        }
    }

    /// Belongs to no organisation, and settles nothing.
    fn filler() -> Self {
        let nothing = Settlement::Unchanged { placement: Placement::NEVER };
        let (placement, columns) = columns(&nothing);
        Self {
            organisation: String::new(),
            appointment: String::new(),
            lease_token: Uuid::nil(),
            request_seq: 0,
            placement: placement.clone(),
            columns,
            calls: String::new(),
        }
    }

    /// Its values, in the order of the table `ended`.
    fn bind(self, row: Fragment) -> Fragment {
        let Columns { outcome, next_attempt_at, error, synced_revision, html_link, is_page_known } = self.columns;
        let (reason, detail) = match error {
            Some(LinkError { reason, detail }) => (Some(words::of_reason(reason).to_owned()), detail),
            None => (None, None),
        };
        row.bind(self.organisation)
            .sql(", ")
            .bind(self.appointment)
            .sql(", ")
            .bind(self.lease_token)
            .sql(", ")
            .bind(self.request_seq)
            .sql(", ")
            .bind(outcome)
            .sql(", ")
            .bind(next_attempt_at)
            .sql(", ")
            .bind(reason)
            .sql(", ")
            .bind(detail)
            .sql(", ")
            .bind(synced_revision)
            .sql(", ")
            .bind(html_link)
            .sql(", ")
            .bind(is_page_known)
            .sql(", ")
            .bind(self.calls)
            .sql(", ")
            .with(values_of(&self.placement))
    }
}

/// Settles the links that are still under their leases: those are answered as they stand then.
async fn settle(conn: &mut Conn, links: &[&LinkSettlement], now: Timestamp) -> Result<Vec<SettledLink>, Fault> {
    if links.is_empty() {
        return Ok(Vec::new());
    }
    let rows = padded(links.iter().copied().map(EndedRow::of).collect(), EndedRow::filler);
    let rows = rows_of(rows, |row, ended| ended.bind(row));
    let update = sql(format!(
        "WITH ended (ended_organisation_id, ended_appointment_id, ended_lease_token, ended_request_seq, outcome, \
         ended_next_attempt_at, reason, detail, ended_revision, page, is_page_known, calls, {}) AS (VALUES ",
        ended_placement().join(", ")
    ))
    .with(rows)
    .sql(") UPDATE appointment_external_links SET ")
    .with(settled_columns(now))
    .sql(format!(
        " FROM ended WHERE organisation_id = ended_organisation_id AND appointment_id = ended_appointment_id
            AND provider = {GOOGLE} AND lease_token = ended_lease_token RETURNING "
    ))
    .with(link_columns());
    let settled: Vec<LinkRow> = named("settlements.settle", update.keep()).load(conn).await?;
    let mut by_key: HashMap<(OrganisationId, AppointmentId), Link> = HashMap::with_capacity(settled.len());
    for row in settled {
        let link = Link::from(row);
        by_key.insert((link.organisation.clone(), link.appointment.clone()), link);
    }
    let settled = |(claimed, ..): &&LinkSettlement| match by_key
        .remove(&(claimed.organisation.clone(), claimed.appointment.clone()))
    {
        Some(link) => SettledLink::Done(Box::new(link)),
        None => SettledLink::Fenced,
    };
    Ok(links.iter().map(settled).collect())
}

/// The placement of what ended, named apart from the columns of the links, of which some are answered.
fn ended_placement() -> Vec<String> {
    PLACEMENT.split(", ").map(|column| format!("ended_{column}")).collect()
}

/// What becomes of the columns of a link that ended.
fn settled_columns(now: Timestamp) -> Fragment {
    let placed: Vec<_> = PLACEMENT.split(", ").map(|column| format!("{column} = ended_{column}")).collect();
    let (synced, later, refused, unchanged) = (outcome::SYNCED, outcome::LATER, outcome::REFUSED, outcome::UNCHANGED);
    // Nobody has asked to send the link again since it was claimed, nor let it rest.
    let is_unasked = format!("sync_status = {PENDING} AND request_seq = ended_request_seq");
    // Each case is an outcome and what the column is then; it stays as it is in all others.
    let if_unasked = |column: &str, cases: &[(&str, &str)]| {
        let cases: String = cases
            .iter()
            .map(|(outcome, value)| format!("WHEN {is_unasked} AND outcome = '{outcome}' THEN {value} "))
            .collect();
        format!("{column} = CASE {cases}ELSE {column} END")
    };
    let unless_unchanged = |column: &str, value: &str| {
        format!("{column} = CASE WHEN {is_unasked} AND outcome <> '{unchanged}' THEN {value} ELSE {column} END")
    };
    let by_outcome = [
        unless_unchanged("next_attempt_at", "ended_next_attempt_at"),
        unless_unchanged("last_error", "reason"),
        unless_unchanged("last_error_detail", "detail"),
        // What was sent, or will not be, no longer needs its trace.
        format!(
            "traceparent = CASE WHEN {is_unasked} AND outcome IN ('{synced}', '{refused}') THEN NULL ELSE traceparent END"
        ),
        if_unasked("attempts", &[(synced, "0"), (later, "attempts + 1")]),
        if_unasked("sync_status", &[(synced, SYNCED), (refused, ERROR)]),
    ];
    sql(format!(
        "{}, {},
            synced_revision = COALESCE(ended_revision, synced_revision),
            html_link = CASE WHEN is_page_known THEN page ELSE html_link END,
            recent_calls = CASE WHEN calls = '' THEN recent_calls
                ELSE substr(calls || COALESCE(recent_calls, ''), 1, {MAX_HISTORY_CHARS}) END,
            lease_token = NULL, lease_until = NULL, last_synced_at = CASE WHEN outcome = '{synced}' THEN ",
        placed.join(", "),
        by_outcome.join(", ")
    ))
    .bind(now)
    .sql(" ELSE last_synced_at END, updated_at = ")
    .bind(now)
}

/// Notes at the integrations that links were brought in step; `and` says what else becomes of them. Where Google was called
/// a problem that was to be tried again by now is over: the integration was served.
async fn note_sync(
    conn: &mut Conn,
    organisations: &BTreeSet<&OrganisationId>,
    and: Fragment,
    now: Timestamp,
) -> Result<(), Fault> {
    if organisations.is_empty() {
        return Ok(());
    }
    let update = sql("UPDATE calendar_integrations SET last_sync_at = CASE WHEN last_sync_at > ")
        .bind(now)
        .sql(" THEN last_sync_at ELSE ")
        .bind(now)
        .sql(" END")
        .with(and)
        .with(of_these(organisations))
        .sql(" AND (last_sync_at IS NULL OR last_sync_at < ")
        .bind(now)
        .sql(" OR problem_retry_at <= ")
        .bind(now)
        .sql(")");
    named("settlements.note_sync", update.keep()).execute(conn).await?;
    Ok(())
}

/// Ends at the integrations what was to be tried again by now: what is owed was deleted, which says nothing of the target.
async fn end_problems(conn: &mut Conn, organisations: &BTreeSet<&OrganisationId>, now: Timestamp) -> Result<(), Fault> {
    if organisations.is_empty() {
        return Ok(());
    }
    let update = sql("UPDATE calendar_integrations SET updated_at = ")
        .bind(now)
        .with(and_no_problem_that_was_due(now))
        .with(of_these(organisations))
        .sql(format!(" AND problem_reason <> {CALENDAR_UNAVAILABLE} AND problem_retry_at <= "))
        .bind(now);
    named("settlements.end_problems", update.keep()).execute(conn).await?;
    Ok(())
}

fn of_these(organisations: &BTreeSet<&OrganisationId>) -> Fragment {
    sql(format!(" WHERE provider = {GOOGLE} AND organisation_id IN "))
        .with(list_of(padded(organisations.iter().map(|it| it.as_str().to_owned()).collect(), String::new)))
}
