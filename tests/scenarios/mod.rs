//! What the service must survive.

use cassius_calendar::grpc::pb::{ErrorReason, IntegrationStatus};

mod acceptance_path;
mod cancelling;
mod dead_grant;
mod lost_answers;
mod order_of_edits;
mod refused_appointment;
mod vanished_events;

/// Why an integration stands still or waits; `None`: nothing is wrong.
fn reason(status: &IntegrationStatus) -> Option<ErrorReason> {
    status.problem.as_ref().map(|problem| problem.reason())
}
