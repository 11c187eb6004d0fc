//! Rows, and what they say in the vocabulary of the service.
//!
//! Owns which columns are read of a link and of an integration. Never reads a snapshot or a lease. Invariant: a row of
//! either makes a link or an integration, whatever stands in it: where a value does not read, it is told as an error,
//! it is left out, or the most careful one takes its place.

use diesel::prelude::*;

use super::instant;
use super::placement::{PLACEMENT, PlacementRow};
use super::schema::{appointment_external_links, calendar_integrations};
use super::statement::{Fragment, sql};
use crate::crypto::Sealed;
use crate::model::{
    AccountSearch, AppointmentId, Calendar, CalendarId, Epoch, GoogleUserId, OrganisationId, Placement, Problem,
    Reason, RemoteEvents, Revision, SyncStatus, TitlePrivacy,
};
use crate::store::fault::Corrupt;
use crate::store::instant::Instant;
use crate::store::{Disconnecting, Integration, Link, LinkError, words};

/// The columns of a [`LinkRow`], for statements that are written out.
pub(super) fn link_columns() -> Fragment {
    sql("organisation_id, appointment_id, revision, synced_revision, sync_status, html_link, last_synced_at, \
         next_attempt_at, attempts, last_error, last_error_detail, starts_at, ends_at, ")
    .sql(PLACEMENT)
}

/// A link without its snapshot and its lease.
#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = appointment_external_links)]
pub(super) struct LinkRow {
    organisation_id: String,
    appointment_id: String,
    revision: i64,
    synced_revision: i64,
    sync_status: String,
    #[diesel(embed)]
    placement: PlacementRow,
    html_link: Option<String>,
    last_synced_at: Option<Instant>,
    next_attempt_at: Option<Instant>,
    attempts: i32,
    last_error: Option<String>,
    last_error_detail: Option<String>,
    starts_at: Option<Instant>,
    ends_at: Option<Instant>,
}

impl From<LinkRow> for Link {
    fn from(row: LinkRow) -> Self {
        let generation = row.placement.generation();
        let (status, placement) = (words::status(&row.sync_status), Placement::try_from(row.placement));
        let revision = revision(row.revision);
        let unreadable = revision.err().or(status.err()).or(placement.as_ref().err().copied()).or(unreadable_of([
            ("last_synced_at", row.last_synced_at),
            ("next_attempt_at", row.next_attempt_at),
            ("starts_at", row.starts_at),
            ("ends_at", row.ends_at),
        ]));
        let internal = |Corrupt(column)| LinkError { reason: Reason::Internal, detail: Some(column.to_owned()) };
        let last_error = row.last_error.map(|word| match words::reason(&word) {
            Ok(reason) => LinkError { reason, detail: row.last_error_detail },
            Err(corrupt) => internal(corrupt),
        });
        Self {
            organisation: OrganisationId::as_stored(row.organisation_id),
            appointment: AppointmentId::as_stored(row.appointment_id),
            revision: revision.ok(),
            synced_revision: Revision::new(row.synced_revision),
            sync_status: status.ok().filter(|_| unreadable.is_none()).unwrap_or(SyncStatus::Error),
            placement: placement.unwrap_or(Placement::Absent { generation }),
            html_link: row.html_link,
            last_synced_at: instant(row.last_synced_at),
            next_attempt_at: instant(row.next_attempt_at),
            attempts: row.attempts,
            last_error: unreadable.map(internal).or(last_error),
            starts_at: instant(row.starts_at),
            ends_at: instant(row.ends_at),
        }
    }
}

/// An integration without what nobody reads.
#[derive(Queryable, QueryableByName, Selectable)]
#[diesel(table_name = calendar_integrations)]
pub(super) struct IntegrationRow {
    organisation_id: String,
    google_user_id: Option<String>,
    google_email: Option<String>,
    access_token: Option<Vec<u8>>,
    refresh_token: Option<Vec<u8>>,
    token_expiry: Option<Instant>,
    granted_scopes: String,
    calendar_id: Option<String>,
    calendar_name: String,
    calendar_time_zone: String,
    calendar_color: String,
    calendar_is_primary: bool,
    is_enabled: bool,
    title_privacy: String,
    problem_reason: Option<String>,
    problem_since: Option<Instant>,
    problem_retry_at: Option<Instant>,
    last_sync_at: Option<Instant>,
    connected_at: Option<Instant>,
    catch_up_total: Option<i32>,
    catch_up_started_at: Option<Instant>,
    epoch: i64,
    disconnecting_at: Option<Instant>,
    disconnect_remote_events: Option<String>,
    disconnect_total: i32,
    grant_end: Option<String>,
    refreshed_at: Option<Instant>,
    compare_round: i32,
    vanished_count: i32,
    behind_count: i32,
    compare_due_at: Option<Instant>,
    unlisted_since: Option<Instant>,
    search_due_at: Option<Instant>,
    last_search: Option<String>,
    updated_at: Instant,
}

impl From<IntegrationRow> for Integration {
    fn from(row: IntegrationRow) -> Self {
        let misread = unreadable_of([
            ("token_expiry", row.token_expiry),
            ("problem_since", row.problem_since),
            ("problem_retry_at", row.problem_retry_at),
            ("last_sync_at", row.last_sync_at),
            ("connected_at", row.connected_at),
            ("catch_up_started_at", row.catch_up_started_at),
            ("disconnecting_at", row.disconnecting_at),
            ("refreshed_at", row.refreshed_at),
            ("unlisted_since", row.unlisted_since),
        ]);
        let or_updated = |at: Instant| at.read().unwrap_or(row.updated_at.0);
        let problem = row.problem_reason.map(|word| Problem {
            reason: words::reason(&word).unwrap_or(Reason::Internal),
            since_at: or_updated(row.problem_since.unwrap_or(row.updated_at)),
            retry_at: instant(row.problem_retry_at),
        });
        let title_privacy = words::privacy(&row.title_privacy);
        let is_connected = row.refresh_token.is_some() && row.disconnecting_at.is_none();
        let missing = match (&row.google_user_id, &row.calendar_id) {
            (None, _) if is_connected => Some("google_user_id"),
            (_, None) if is_connected => Some("calendar_id"),
            _ => None,
        };
        let calendar = row.calendar_id.map(|id| Calendar {
            id: CalendarId::new(id),
            name: row.calendar_name,
            time_zone: row.calendar_time_zone,
            color: row.calendar_color,
            is_primary: row.calendar_is_primary,
        });
        let disconnecting = match (row.disconnecting_at, row.disconnect_remote_events) {
            (Some(since), Some(word)) => {
                Some(Disconnecting { since_at: or_updated(since), remote_events: words::remote_events(&word).ok() })
            }
            // Begun by a version that kept no disposition: it kept the events.
            (Some(since), None) => {
                Some(Disconnecting { since_at: or_updated(since), remote_events: Some(RemoteEvents::Keep) })
            }
            (None, _) => None,
        };
        Self {
            organisation: OrganisationId::as_stored(row.organisation_id),
            google_user_id: row.google_user_id.map(GoogleUserId::new),
            google_email: row.google_email,
            access_token: row.access_token.map(Sealed::from_bytes),
            refresh_token: row.refresh_token.map(Sealed::from_bytes),
            token_expires_at: instant(row.token_expiry),
            granted_scopes: row.granted_scopes.split_whitespace().map(str::to_owned).collect(),
            calendar,
            is_enabled: row.is_enabled,
            title_privacy: title_privacy.unwrap_or(TitlePrivacy::Masked),
            problem,
            last_sync_at: instant(row.last_sync_at),
            connected_at: instant(row.connected_at),
            catch_up: row.catch_up_total.zip(instant(row.catch_up_started_at)),
            epoch: Epoch(row.epoch),
            disconnecting,
            disconnect_total: row.disconnect_total,
            grant_end: row.grant_end.and_then(|word| words::grant_end(&word).ok()),
            refreshed_at: instant(row.refreshed_at),
            compare_round: row.compare_round,
            vanished_count: row.vanished_count,
            behind_count: row.behind_count,
            unlisted: instant(row.unlisted_since).zip(instant(row.compare_due_at)),
            is_search_asked: instant(row.search_due_at).is_some(),
            last_search: row.last_search.map(|word| words::search(&word).unwrap_or(AccountSearch::Partial)),
            unreadable: missing.or(title_privacy.err().map(|Corrupt(column)| column)),
            misread: misread.map(|Corrupt(column)| column),
        }
    }
}

/// The first of these columns that holds an instant which does not read.
fn unreadable_of<const N: usize>(columns: [(&'static str, Option<Instant>); N]) -> Option<Corrupt> {
    let misread = |at: Option<Instant>| at.is_some_and(|at| at.read().is_none());
    columns.into_iter().find(|(_, at)| misread(*at)).map(|(column, _)| Corrupt(column))
}

pub(super) fn organisation(text: &str) -> Result<OrganisationId, Corrupt> {
    OrganisationId::parse(text).map_err(|_| Corrupt("organisation_id"))
}

pub(super) fn appointment(text: &str) -> Result<AppointmentId, Corrupt> {
    AppointmentId::parse(text).map_err(|_| Corrupt("appointment_id"))
}

pub(super) fn revision(number: i64) -> Result<Revision, Corrupt> {
    Revision::new(number).ok_or(Corrupt("revision"))
}
