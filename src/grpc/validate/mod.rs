//! Requests become the types of the model, or a list of everything that is wrong with them.
//!
//! Owns the rules of form that `proto/` states. Never looks anything up and never repeats a value: a violation names the
//! field and the rule. Invariant: whatever bytes a caller sends, a check ends in a value or in violations, never in a
//! panic, and what it lets through is well formed for the rooms below.

mod appointment;
mod instant;
mod integration;
mod page;
mod text;

use std::fmt::Display;

use jiff::SignedDuration;

use super::context::RequestContext;
use super::pb;
use super::status::Refusal;
use super::violations::Violations;
use crate::model::{Appointment, AppointmentId, OrganisationId, Revision};

pub(super) use integration::{ConsentRequest, Preview, begin_connect, disconnect, preview_event, update_settings};
pub(super) use page::{
    ListAuditEvents, ListIntegrations, ListLinks, audit_key, list_appointment_links, list_audit_events,
    list_integrations,
};

const MAX_RETRIED: usize = 1_000;
const MAX_LOOKED_UP: usize = 500;

/// One request under examination. A check that answers `None` has noted a violation.
#[derive(Debug)]
struct Check<'a> {
    context: &'a RequestContext,
    violations: Violations,
}

impl<'a> Check<'a> {
    fn of(context: &'a RequestContext) -> Self {
        Self { context, violations: Violations::default() }
    }

    fn fault<T>(&mut self, field: impl Into<String>, description: impl Display) -> Option<T> {
        self.violations.add(field.into(), description.to_string());
        None
    }

    fn faults(&self) -> usize {
        self.violations.count()
    }

    /// The organisation that a request names, once its caller may act for it. Comes first in every check of a request that
    /// names one: a foreign organisation is refused before anything else is said about the request. What is about all
    /// organisations goes by [`RequestContext::visible`].
    fn organisation(&mut self, text: &str) -> Result<Option<OrganisationId>, Refusal> {
        match OrganisationId::parse(text) {
            Ok(organisation) => self.context.authorise(&organisation).map(|()| Some(organisation)),
            Err(fault) => Ok(self.fault("organisation_id", fault)),
        }
    }

    fn appointment_id(&mut self, field: impl Into<String>, text: &str) -> Option<AppointmentId> {
        AppointmentId::parse(text).map_or_else(|fault| self.fault(field, fault), Some)
    }

    fn revision(&mut self, field: &str, number: i64) -> Option<Revision> {
        Revision::new(number).or_else(|| self.fault(field, "must be greater than 0"))
    }

    /// An enum's value that is set and known.
    fn choice<E: TryFrom<i32> + Default + PartialEq>(&mut self, field: &str, number: i32) -> Option<E> {
        let value = self.known(field, number)?;
        if value == E::default() { self.fault(field, "is required") } else { Some(value) }
    }

    /// An enum's value that is known; it may be its default.
    fn known<E: TryFrom<i32>>(&mut self, field: &str, number: i32) -> Option<E> {
        E::try_from(number).ok().or_else(|| self.fault(field, "is not one of the known values"))
    }

    fn finish<T>(self, value: Option<T>) -> Result<T, Refusal> {
        if self.faults() > 0 {
            return Err(Refusal::InvalidRequest(self.violations));
        }
        Ok(value.expect("a check that answers nothing has noted a violation"))
    }
}

/// A request of which nothing but the organisation can be at fault.
pub(super) fn organisation(context: &RequestContext, organisation_id: &str) -> Result<OrganisationId, Refusal> {
    let mut check = Check::of(context);
    let organisation = check.organisation(organisation_id)?;
    check.finish(organisation)
}

/// `SyncAppointment`, and one request of its stream (which never waits).
pub(super) fn sync_appointment(
    context: &RequestContext,
    request: &pb::SyncAppointmentRequest,
) -> Result<(OrganisationId, Appointment, Option<SignedDuration>), Refusal> {
    let mut check = Check::of(context);
    let organisation = check.organisation(&request.organisation_id)?;
    let appointment = check.appointment("appointment", request.appointment.as_ref());
    let wait = check.wait("wait", request.wait.as_ref());
    let whole = organisation.zip(appointment).zip(wait);
    check.finish(whole.map(|((organisation, appointment), wait)| (organisation, appointment, wait)))
}

/// One request of `ReconcileAppointments`.
pub(super) fn reconcile(
    context: &RequestContext,
    request: &pb::ReconcileAppointmentsRequest,
) -> Result<(OrganisationId, AppointmentId, Revision), Refusal> {
    let mut check = Check::of(context);
    let organisation = check.organisation(&request.organisation_id)?;
    let appointment = check.appointment_id("appointment_id", &request.appointment_id);
    let revision = check.revision("revision", request.revision);
    let whole = organisation.zip(appointment).zip(revision);
    check.finish(whole.map(|((organisation, appointment), revision)| (organisation, appointment, revision)))
}

/// A request that names an appointment and nothing else.
pub(super) fn appointment(
    context: &RequestContext,
    organisation_id: &str,
    appointment_id: &str,
) -> Result<(OrganisationId, AppointmentId), Refusal> {
    let mut check = Check::of(context);
    let organisation = check.organisation(organisation_id)?;
    let appointment = check.appointment_id("appointment_id", appointment_id);
    check.finish(organisation.zip(appointment))
}

/// `BatchGetAppointmentLinks`.
pub(super) fn batch_get_appointment_links(
    context: &RequestContext,
    request: &pb::BatchGetAppointmentLinksRequest,
) -> Result<(OrganisationId, Vec<AppointmentId>), Refusal> {
    let mut check = Check::of(context);
    let organisation = check.organisation(&request.organisation_id)?;
    let ids = match request.appointment_ids.len() > MAX_LOOKED_UP {
        true => check.fault("appointment_ids", "must not name more than 500 appointments"),
        false => appointment_ids(&mut check, &request.appointment_ids),
    };
    check.finish(organisation.zip(ids))
}

/// What one request of `ReplaceAppointments` brings.
#[derive(Debug)]
pub(super) enum Replaced {
    /// An appointment that belongs to the state.
    Appointment(Box<Appointment>),
    /// The end, and how many appointments there were.
    End(i32),
}

/// One request of `ReplaceAppointments`; `before` is the organisation of the requests before it.
pub(super) fn replacement(
    context: &RequestContext,
    request: &pb::ReplaceAppointmentsRequest,
    before: Option<&OrganisationId>,
) -> Result<(OrganisationId, Replaced), Refusal> {
    use pb::replace_appointments_request::Part;
    let mut check = Check::of(context);
    let organisation = check.organisation(&request.organisation_id)?;
    if organisation.is_some() && before.is_some() && organisation.as_ref() != before {
        check.fault::<()>("organisation_id", "must be the same in every request of the stream");
    }
    let part = match &request.part {
        Some(Part::Appointment(appointment)) => {
            check.appointment("appointment", Some(appointment)).map(|it| Replaced::Appointment(Box::new(it)))
        }
        Some(Part::End(end)) => Some(Replaced::End(end.appointment_count)),
        None => check.fault("appointment", "is required, or end"),
    };
    check.finish(organisation.zip(part))
}

/// The stream of a replacement was over before its end had come.
pub(super) fn replacement_without_end() -> Refusal {
    Refusal::InvalidRequest(Violations::one("end", "is required: nothing was deleted"))
}

/// The end of a replacement tells another count than was received.
pub(super) fn replacement_of_another_count() -> Refusal {
    let rule = "must be the number of appointments that were sent, each counted once: nothing was deleted";
    Refusal::InvalidRequest(Violations::one("end.appointment_count", rule))
}

/// `EraseAppointments`.
pub(super) fn erase_appointments(
    context: &RequestContext,
    request: &pb::EraseAppointmentsRequest,
) -> Result<(OrganisationId, Vec<AppointmentId>), Refusal> {
    let mut check = Check::of(context);
    let organisation = check.organisation(&request.organisation_id)?;
    let ids = match request.appointment_ids.len() {
        0 => check.fault("appointment_ids", "must name at least one appointment"),
        1..=MAX_LOOKED_UP => appointment_ids(&mut check, &request.appointment_ids),
        _ => check.fault("appointment_ids", "must not name more than 500 appointments"),
    };
    check.finish(organisation.zip(ids))
}

/// `RetryAppointments`; without ids: all that stand in error.
pub(super) fn retry_appointments(
    context: &RequestContext,
    request: &pb::RetryAppointmentsRequest,
) -> Result<(OrganisationId, Option<Vec<AppointmentId>>), Refusal> {
    let mut check = Check::of(context);
    let organisation = check.organisation(&request.organisation_id)?;
    let ids = match request.appointment_ids.len() > MAX_RETRIED {
        true => check.fault("appointment_ids", "must not name more than 1,000 appointments"),
        false => appointment_ids(&mut check, &request.appointment_ids),
    };
    check.finish(organisation.zip(ids).map(|(organisation, ids)| (organisation, (!ids.is_empty()).then_some(ids))))
}

fn appointment_ids(check: &mut Check<'_>, texts: &[String]) -> Option<Vec<AppointmentId>> {
    let ids = texts.iter().enumerate().map(|(i, text)| check.appointment_id(format!("appointment_ids[{i}]"), text));
    // Collected before it is folded, so that one bad id does not hide the next.
    ids.collect::<Vec<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests;
