//! What the rooms below know becomes what the wire says.
//!
//! Owns the mapping of each type, one way only: requests are read in `validate`. Never decides what becomes of an
//! appointment or an integration; what a caller may do about a problem follows from its reason here. Invariant: every
//! variant of the model has its word on the wire; nothing falls to a default by omission.

use jiff::Timestamp;
use prost_types::Timestamp as PbTimestamp;

use super::messages;
use super::pb;
use crate::connection::{AuditEvent, ConsentStart, OfferedCalendar, Overview, ProblemNotice, Progress, State, Status};
// The ticket is a secret in the rooms below, and the answer to `BeginConnect` is the one place that may show it.
use crate::crypto::ExposeSecret as _;
use crate::delivery::{CallMade, ComparisonCounts, Differing, Event, Link, LinkError};
use crate::language::Language;
use crate::model::{
    AccountSearch, Calendar, GrantEnd, OrganisationId, Problem, Provider, Reason, Revision, SyncStatus, TitlePrivacy,
};

pub(super) fn instant(instant: Timestamp) -> PbTimestamp {
    // Nanos count forward on the wire, before 1970 too; jiff's count away from zero.
    let (seconds, nanos) = (instant.as_second(), instant.subsec_nanosecond());
    if nanos < 0 {
        PbTimestamp { seconds: seconds - 1, nanos: nanos + 1_000_000_000 }
    } else {
        PbTimestamp { seconds, nanos }
    }
}

/// A count, as far as the wire can tell it.
pub(super) fn count(count: impl TryInto<i32>) -> i32 {
    count.try_into().unwrap_or(i32::MAX)
}

/// The counts of a dry run.
pub(super) fn comparison(counts: ComparisonCounts) -> pb::SyncNowResponse {
    let ComparisonCounts { due, remote, missing, altered, surplus, newer, is_partial } = counts;
    pb::SyncNowResponse {
        due_count: count(due),
        remote_count: count(remote),
        missing_count: count(missing),
        altered_count: count(altered),
        surplus_count: count(surplus),
        newer_count: count(newer),
        is_partial,
        ..pb::SyncNowResponse::default()
    }
}

pub(super) fn link(link: Link, language: Language) -> pb::AppointmentLink {
    let is_pending = link.sync_status == SyncStatus::Pending;
    let goes_on = is_pending && link.next_attempt_at.is_some();
    // The id of a calendar that is sealed is nobody's to know.
    let place = link.placement.place().filter(|place| !place.calendar.is_sealed());
    pb::AppointmentLink {
        appointment_id: link.appointment.to_string(),
        provider: Provider::Google.as_str().to_owned(),
        external_calendar_id: place.map(|place| place.calendar.to_string()).unwrap_or_default(),
        external_event_id: place.map(|place| place.event.to_string()).unwrap_or_default(),
        html_link: link.html_link.unwrap_or_default(),
        sync_status: sync_status(link.sync_status).into(),
        revision: link.revision.map(|revision| revision.number()).unwrap_or_default(),
        synced_revision: link.synced_revision.map(|revision| revision.number()).unwrap_or_default(),
        last_sync_time: link.last_synced_at.map(instant),
        next_attempt_time: link.next_attempt_at.filter(|_| is_pending).map(instant),
        last_error: link.last_error.map(|error| link_error(&error, goes_on, language)),
        start_time: link.starts_at.map(instant),
        end_time: link.ends_at.map(instant),
        is_held_higher: false,
    }
}

/// What reconciling tells of one appointment.
pub(super) fn differing(organisation: &OrganisationId, differing: &Differing) -> pb::ReconcileAppointmentsResponse {
    let finding = match differing.held {
        None => pb::ReconcileFinding::Missing,
        Some(held) if held < differing.asked => pb::ReconcileFinding::Older,
        Some(_) => pb::ReconcileFinding::Higher,
    };
    pb::ReconcileAppointmentsResponse {
        organisation_id: organisation.to_string(),
        appointment_id: differing.appointment.to_string(),
        held_revision: differing.held.map(Revision::number).unwrap_or_default(),
        finding: finding.into(),
    }
}

/// The answer to an accept: whether what was sent is not the highest revision that is held.
pub(super) fn accepted(accepted: Link, sent: Revision, language: Language) -> pb::AppointmentLink {
    let is_held_higher = accepted.revision.is_some_and(|held| held > sent);
    pb::AppointmentLink { is_held_higher, ..link(accepted, language) }
}

fn link_error(error: &LinkError, retryable: bool, language: Language) -> pb::LinkError {
    let reason = reason(error.reason);
    pb::LinkError { reason: reason.into(), message: messages::sentence(reason, language).to_owned(), retryable }
}

fn sync_status(status: SyncStatus) -> pb::SyncStatus {
    match status {
        SyncStatus::None => pb::SyncStatus::None,
        SyncStatus::Pending => pb::SyncStatus::Pending,
        SyncStatus::Synced => pb::SyncStatus::Synced,
        SyncStatus::Error => pb::SyncStatus::Error,
    }
}

pub(super) fn reason(reason: Reason) -> pb::ErrorReason {
    match reason {
        Reason::NotConnected => pb::ErrorReason::NotConnected,
        Reason::ReconnectRequired => pb::ErrorReason::ReconnectRequired,
        Reason::CalendarUnavailable => pb::ErrorReason::CalendarUnavailable,
        Reason::GoogleUnavailable => pb::ErrorReason::GoogleUnavailable,
        Reason::GoogleThrottled => pb::ErrorReason::GoogleThrottled,
        Reason::EventRefused => pb::ErrorReason::EventRefused,
        Reason::GoogleMisconfigured => pb::ErrorReason::GoogleMisconfigured,
        Reason::AccountUnavailable => pb::ErrorReason::AccountUnavailable,
        Reason::KeyringIncomplete => pb::ErrorReason::KeyringIncomplete,
        Reason::Internal => pb::ErrorReason::Internal,
    }
}

pub(super) fn status(status: Status, language: Language) -> pb::IntegrationStatus {
    pb::IntegrationStatus {
        state: state(status.state).into(),
        google_email: status.google_email.unwrap_or_default(),
        calendar: status.calendar.map(calendar),
        is_enabled: status.is_enabled,
        title_privacy: title_privacy(status.title_privacy).into(),
        connect_time: status.connected_at.map(instant),
        last_sync_time: status.last_sync_at.map(instant),
        counts: Some(pb::LinkCounts {
            pending: count(status.counts.pending),
            synced: count(status.counts.synced),
            error: count(status.counts.error),
            upcoming_events: count(status.counts.upcoming_events),
            unsent: count(status.counts.unsent),
        }),
        catch_up: status.catch_up.map(|progress| catch_up(&progress)),
        disconnect: status.disconnect.map(|progress| disconnect(&progress)),
        problem: status.problem.map(|problem| self::problem(&problem, language)),
        pending_account: status.pending_account.map(|account| pb::PendingAccount {
            google_email: account.google_email,
            upcoming_event_count: count(status.counts.upcoming_events),
            expire_time: Some(instant(account.expires_at)),
        }),
        behind_count: status.behind_count,
    }
}

fn state(state: State) -> pb::IntegrationState {
    match state {
        State::NotConnected => pb::IntegrationState::NotConnected,
        State::Connected => pb::IntegrationState::Connected,
        State::Error => pb::IntegrationState::Error,
        State::Disconnecting => pb::IntegrationState::Disconnecting,
    }
}

pub(super) fn search(search: Option<AccountSearch>) -> pb::AccountSearch {
    match search {
        None => pb::AccountSearch::Unspecified,
        Some(AccountSearch::Whole) => pb::AccountSearch::Whole,
        Some(AccountSearch::Partial) => pb::AccountSearch::Partial,
    }
}

pub(super) fn grant_end(end: Option<GrantEnd>) -> pb::GrantEnd {
    match end {
        None => pb::GrantEnd::Unspecified,
        Some(GrantEnd::Revoked) => pb::GrantEnd::Revoked,
        Some(GrantEnd::Shared) => pb::GrantEnd::Shared,
        Some(GrantEnd::Pending) => pb::GrantEnd::Pending,
        Some(GrantEnd::Refused) => pb::GrantEnd::Refused,
    }
}

fn title_privacy(privacy: TitlePrivacy) -> pb::TitlePrivacy {
    match privacy {
        TitlePrivacy::Full => pb::TitlePrivacy::Full,
        TitlePrivacy::Initials => pb::TitlePrivacy::Initials,
        TitlePrivacy::Masked => pb::TitlePrivacy::Masked,
    }
}

fn catch_up(progress: &Progress) -> pb::CatchUp {
    pb::CatchUp {
        total: count(progress.total),
        done: count(progress.done),
        failed: count(progress.failed),
        start_time: Some(instant(progress.started_at)),
    }
}

fn disconnect(progress: &Progress) -> pb::DisconnectProgress {
    pb::DisconnectProgress {
        total: count(progress.total),
        done: count(progress.done),
        failed: count(progress.failed),
        start_time: Some(instant(progress.started_at)),
    }
}

fn problem(problem: &Problem, language: Language) -> pb::Problem {
    let reason = reason(problem.reason);
    let action = match problem.reason {
        // Whoever cannot wait for Google's administrator connects another account.
        Reason::NotConnected | Reason::ReconnectRequired | Reason::AccountUnavailable => pb::ProblemAction::Reconnect,
        Reason::CalendarUnavailable => pb::ProblemAction::ChooseCalendar,
        Reason::GoogleUnavailable | Reason::GoogleThrottled => pb::ProblemAction::Wait,
        // A refused event is its link's trouble; on an integration only the operator could tell what it means.
        Reason::EventRefused | Reason::GoogleMisconfigured | Reason::KeyringIncomplete | Reason::Internal => {
            pb::ProblemAction::ContactOperator
        }
    };
    pb::Problem {
        reason: reason.into(),
        message: messages::sentence(reason, language).to_owned(),
        action: action.into(),
        since_time: Some(instant(problem.since_at)),
        retry_time: problem.retry_at.map(instant),
    }
}

pub(super) fn overview(overview: Overview, language: Language) -> pb::IntegrationOverview {
    let Overview {
        organisation,
        state,
        is_enabled,
        problem,
        connected_at,
        last_sync_at,
        pending,
        error,
        oldest_due_at,
    } = overview;
    pb::IntegrationOverview {
        organisation_id: organisation.to_string(),
        state: self::state(state).into(),
        is_enabled,
        problem: problem.map(|problem| self::problem(&problem, language)),
        connect_time: connected_at.map(instant),
        last_sync_time: last_sync_at.map(instant),
        pending_count: count(pending),
        error_count: count(error),
        oldest_due_time: oldest_due_at.map(instant),
    }
}

pub(super) fn audit_event(event: AuditEvent) -> pb::AuditEvent {
    let AuditEvent { at, id: _, caller, actor, organisation, action, outcome, incident } = event;
    pb::AuditEvent {
        event_time: Some(instant(at)),
        caller,
        actor: actor.unwrap_or_default(),
        organisation_id: organisation.map(|it| it.to_string()).unwrap_or_default(),
        action,
        outcome,
        incident: incident.unwrap_or_default(),
    }
}

pub(super) fn problem_notice(notice: ProblemNotice, language: Language) -> pb::WatchProblemsResponse {
    use pb::watch_problems_response::Notice;
    let notice = match notice {
        ProblemNotice::Broken { organisation, problem, days } => Notice::Broken(pb::BrokenIntegration {
            organisation_id: organisation.to_string(),
            problem: Some(self::problem(&problem, language)),
            days: count(days),
        }),
        ProblemNotice::Healed { organisation } => {
            Notice::Healed(pb::HealedIntegration { organisation_id: organisation.to_string() })
        }
        ProblemNotice::AllTold => Notice::AllTold(pb::AllTold {}),
    };
    pb::WatchProblemsResponse { notice: Some(notice) }
}

/// A call of Google as it is told.
pub(super) fn call(call: CallMade) -> pb::GoogleCall {
    let CallMade { at, revision, method, answer, took } = call;
    let duration = prost_types::Duration { seconds: took.as_secs(), nanos: took.subsec_nanos() };
    pb::GoogleCall { call_time: Some(instant(at)), method, answer, duration: Some(duration), revision }
}

pub(super) fn calendar(calendar: Calendar) -> pb::Calendar {
    pb::Calendar {
        id: calendar.id.to_string(),
        name: calendar.name,
        time_zone: calendar.time_zone,
        color: calendar.color,
        is_primary: calendar.is_primary,
        access_role: pb::CalendarAccessRole::Unspecified.into(),
    }
}

/// A calendar that may be chosen.
pub(super) fn offered_calendar(offered: OfferedCalendar) -> pb::Calendar {
    let role = match offered.is_owned {
        true => pb::CalendarAccessRole::Owner,
        false => pb::CalendarAccessRole::Writer,
    };
    pb::Calendar { access_role: role.into(), ..calendar(offered.calendar) }
}

pub(super) fn consent_start(begun: ConsentStart) -> pb::BeginConnectResponse {
    pb::BeginConnectResponse {
        connect_cookie: Some(pb::ConnectCookie {
            name: begun.cookie_name.to_owned(),
            value: begun.ticket.expose_secret().to_owned(),
            max_age: count(begun.max_age_seconds),
            own_name: begun.own_cookie_name,
        }),
        connect_url: begun.connect_url,
        expire_time: Some(instant(begun.expires_at)),
    }
}

pub(super) fn event(event: Event) -> pb::EventPreview {
    // Taken apart by name: a new field of the event does not compile until it is shown here, or left out.
    let Event {
        summary,
        description,
        location,
        start_at,
        end_at,
        time_zone,
        source_url,
        organisation: _,
        appointment: _,
        revision: _,
    } = event;
    pb::EventPreview {
        title: summary,
        description,
        location,
        start_time: Some(instant(start_at)),
        end_time: Some(instant(end_at)),
        time_zone,
        url: source_url.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanos_count_forward_on_both_sides_of_1970() {
        for (text, seconds, nanos) in [
            ("1970-01-01T00:00:00.25Z", 0, 250_000_000),
            ("1969-12-31T23:59:59.75Z", -1, 750_000_000),
            ("1969-12-31T23:59:59Z", -1, 0),
            ("1900-01-01T00:00:00.000001Z", -2_208_988_800, 1_000),
        ] {
            let instant: Timestamp = text.parse().expect("an instant");
            assert_eq!(super::instant(instant), PbTimestamp { seconds, nanos }, "{text}");
        }
    }

    #[test]
    fn a_count_that_the_wire_cannot_hold_stays_at_its_greatest() {
        assert_eq!(count(7_i64), 7);
        assert_eq!(count(i64::MAX), i32::MAX);
    }
}
