//! Conditions, and assignments, that several statements share.
//!
//! Owns how several statements ask in SQL for what is connected, leased and in the same epoch, what a link loses with its
//! event, how a problem ends, and how many links a wish has not reached; one that asks for a part of it, or asks it of the
//! row that it changes, spells that out. What may be served the columns `served_from` and `owed_served_from` say
//! (migrations `link_queues` and `erasures_while_off`). Never holds a whole statement. Invariant: a value is bound; nothing
//! stands in the text but words of the queries' own.

use jiff::Timestamp;

use super::placement;
use super::statement::{Fragment, sql};
use crate::model::{AppointmentId, Epoch, OrganisationId};
use crate::store::words::{CATCH_UP, DISCONNECT, ERASURE, GOOGLE, OF_CATCH_UPS, REASONS};

/// What makes an integration one that is connected.
pub(super) const CONNECTED: &str = "refresh_token IS NOT NULL AND disconnecting_at IS NULL";

/// What a link loses that no longer stands for its event. Whoever holds a lease of it has nothing to settle any more, but
/// says when its call has ended: until then the lease stands.
pub(super) fn reset_placement() -> String {
    format!(
        "{}, html_link = NULL, synced_revision = 0, fenced_lease_token = COALESCE(lease_token, fenced_lease_token), lease_token = NULL",
        placement::set_absent()
    )
}

/// The rows of an organisation, in whichever table has them by provider.
pub(super) fn of_organisation(organisation: &OrganisationId) -> Fragment {
    sql("organisation_id = ").bind(organisation).sql(format!(" AND provider = {GOOGLE}"))
}

/// The link of an appointment.
pub(super) fn of_appointment(organisation: &OrganisationId, appointment: &AppointmentId) -> Fragment {
    of_organisation(organisation).sql(" AND appointment_id = ").bind(appointment)
}

/// Whether the organisation's integration is in this epoch.
pub(super) fn epoch_is_current(organisation: &OrganisationId, epoch: Epoch) -> Fragment {
    integration_exists(organisation, epoch).sql(")")
}

/// Whether the organisation's integration is in this epoch and connected.
pub(super) fn is_connected_in(organisation: &OrganisationId, epoch: Epoch) -> Fragment {
    integration_exists(organisation, epoch).sql(format!(" AND {CONNECTED})"))
}

/// Whether the organisation's integration is in this epoch and has its grant, also while it is being disconnected.
pub(super) fn is_granted_in(organisation: &OrganisationId, epoch: Epoch) -> Fragment {
    integration_exists(organisation, epoch).sql(" AND refresh_token IS NOT NULL)")
}

fn integration_exists(organisation: &OrganisationId, epoch: Epoch) -> Fragment {
    sql("EXISTS (SELECT 1 FROM calendar_integrations AS i WHERE i.organisation_id = ")
        .bind(organisation)
        .sql(format!(" AND i.provider = {GOOGLE} AND i.epoch = "))
        .bind(epoch.0)
}

/// The links that nobody holds.
pub(super) fn unleased(now: Timestamp) -> Fragment {
    unleased_by("lease_until", now)
}

/// What nobody holds by the lease in this column. One that ends later than any lease does is ended by a worker's next whole
/// look.
pub(super) fn unleased_by(column: &str, now: Timestamp) -> Fragment {
    sql(format!("({column} IS NULL OR {column} <= ")).bind(now).sql(")")
}

/// The queue of the integration `i`, whatever it has in it.
pub(super) const QUEUE_OF_I: &str = "link_queues AS q JOIN calendar_integrations AS i ON i.organisation_id = q.organisation_id AND i.provider = q.provider";

/// The integrations `i` whose disconnect nobody is just ending: no call may be begun while the grant is revoked.
pub(super) fn is_not_finishing(now: Timestamp) -> Fragment {
    unleased_by("i.finishing_until", now)
}

/// Whether all that is owed of the integration `i` is deleted; while the sync is off, what was erased alone is.
pub(super) const IS_ALL_OWED_SERVED: &str = "(i.is_enabled OR i.disconnecting_at IS NOT NULL)";

/// The rows `o` of what is owed that are deleted as the integration `i` stands.
pub(super) fn is_owed_served() -> String {
    format!("({IS_ALL_OWED_SERVED} OR o.cause = {ERASURE})")
}

/// Notes at an integration that was served that a problem which was to be tried again by now is over; it follows another
/// column that is set.
pub(super) fn and_no_problem_that_was_due(now: Timestamp) -> Fragment {
    let unless_due = |column: &str| {
        sql(format!(", {column} = CASE WHEN problem_retry_at <= "))
            .bind(now)
            .sql(format!(" THEN NULL ELSE {column} END"))
    };
    unless_due("problem_reason").with(unless_due("problem_since")).with(unless_due("problem_retry_at"))
}

/// The integrations that have no problem, one whose time to try again has come, or one that this version does not know: it
/// is found again, if it lasts.
pub(super) fn no_problem_at(now: Timestamp) -> Fragment {
    sql("(problem_reason IS NULL OR problem_retry_at <= ")
        .bind(now)
        .sql(format!(" OR problem_reason NOT IN {REASONS})"))
}

/// How many links of an organisation a catch-up is still to make pending; one, at the least, as long as it may find any.
/// What two changes of what events show are to reach are the same links.
pub(super) fn unreached_by_catch_ups(organisation: &OrganisationId) -> Fragment {
    sql(format!(
        "(SELECT CAST(COALESCE(MAX(CASE WHEN wish = {CATCH_UP} THEN unreached END), 0)
                + COALESCE(MAX(CASE WHEN wish <> {CATCH_UP} THEN unreached END), 0) AS BIGINT)
            FROM (SELECT wish, CASE WHEN unreached > 0 THEN unreached ELSE 1 END AS unreached FROM link_wishes
                WHERE wish IN {OF_CATCH_UPS} AND "
    ))
    .with(of_organisation(organisation))
    .sql(") AS wishes)")
}

/// How many events of an organisation a disconnect that deletes has not reached yet.
pub(super) fn untaken(organisation: &OrganisationId) -> Fragment {
    sql(format!("(SELECT CAST(COALESCE(SUM(unreached), 0) AS BIGINT) FROM link_wishes WHERE wish = {DISCONNECT} AND "))
        .with(of_organisation(organisation))
        .sql(")")
}
