//! The requests of the settings pages.
//!
//! Owns how each of them reads. Never repairs a return URL: it is handed on as it came. Invariant: whether the caller
//! may act for the organisation is asked before anything else is said of the request.

use super::Check;
use crate::connection::SettingsRequest;
use crate::grpc::context::RequestContext;
use crate::grpc::pb;
use crate::grpc::status::Refusal;
use crate::model::{Appointment, OrganisationId, RemoteEvents, TitlePrivacy, is_invisible};

/// As much as a line of a page shows.
const MAX_NAME_CHARS: usize = 200;

/// What `PreviewEvent` renders.
#[derive(Debug)]
pub(in crate::grpc) struct Preview {
    /// The organisation whose settings it is rendered with.
    pub(in crate::grpc) organisation: OrganisationId,
    /// The appointment; `None`: a sample.
    pub(in crate::grpc) appointment: Option<Appointment>,
    /// The title privacy; `None`: the present one.
    pub(in crate::grpc) privacy: Option<TitlePrivacy>,
}

/// What `BeginConnect` begins.
#[derive(Debug)]
pub(in crate::grpc) struct ConsentRequest {
    /// The organisation that is to be connected.
    pub(in crate::grpc) organisation: OrganisationId,
    /// Where the browser goes afterwards; `None`: to a page of the service's own.
    pub(in crate::grpc) return_url: Option<String>,
    /// The name that a person has to confirm; `None`: nobody is asked.
    pub(in crate::grpc) practice: Option<String>,
}

/// `BeginConnect`.
pub(in crate::grpc) fn begin_connect(
    context: &RequestContext,
    request: &pb::BeginConnectRequest,
) -> Result<ConsentRequest, Refusal> {
    let mut check = Check::of(context);
    let organisation = check.organisation(&request.organisation_id)?;
    // Handed on as it came: what an allow list is held against must not have been repaired before.
    let return_url = check.url("return_url", &request.return_url).map(|url| url.map(|_| request.return_url.clone()));
    let practice = check.text("organisation_name", &request.organisation_name, MAX_NAME_CHARS);
    let practice = practice.map(|name| Some(name).filter(|name| !name.is_empty()));
    if practice.iter().flatten().any(|name| name.chars().all(|c| is_invisible(c) || c.is_whitespace())) {
        check.fault::<()>("organisation_name", "must hold a visible character");
    }
    let whole = organisation.zip(return_url).zip(practice);
    check.finish(whole.map(|((organisation, return_url), practice)| ConsentRequest {
        organisation,
        return_url,
        practice,
    }))
}

/// `UpdateSettings`: only what the mask names is looked at.
pub(in crate::grpc) fn update_settings(
    context: &RequestContext,
    request: &pb::UpdateSettingsRequest,
) -> Result<(OrganisationId, SettingsRequest), Refusal> {
    let mut check = Check::of(context);
    let organisation = check.organisation(&request.organisation_id)?;
    let paths = request.update_mask.as_ref().map_or(&[][..], |mask| &mask.paths);
    if paths.is_empty() {
        check.fault::<()>("update_mask", "must name at least one setting");
    }
    let (mut is_enabled, mut calendar, mut privacy) = (false, false, false);
    for (index, path) in paths.iter().enumerate() {
        match path.as_str() {
            "is_enabled" => is_enabled = true,
            "calendar_id" => calendar = true,
            "title_privacy" => privacy = true,
            "*" => (is_enabled, calendar, privacy) = (true, true, true),
            _ => {
                let rule = "names no setting: is_enabled, calendar_id, title_privacy, or * for all";
                check.fault::<()>(format!("update_mask.paths[{index}]"), rule);
            }
        }
    }
    let Some(settings) = &request.settings else {
        check.fault::<()>("settings", "is required");
        return check.finish(None);
    };
    let mut change = SettingsRequest { is_enabled: is_enabled.then_some(settings.is_enabled), ..Default::default() };
    if calendar {
        change.calendar = check.calendar_id("settings.calendar_id", &settings.calendar_id);
    }
    if privacy {
        let title_privacy = check.choice("settings.title_privacy", settings.title_privacy);
        change.title_privacy = title_privacy.and_then(model_privacy);
    }
    check.finish(organisation.map(|organisation| (organisation, change)))
}

/// `PreviewEvent`.
pub(in crate::grpc) fn preview_event(
    context: &RequestContext,
    request: &pb::PreviewEventRequest,
) -> Result<Preview, Refusal> {
    let mut check = Check::of(context);
    let organisation = check.organisation(&request.organisation_id)?;
    let appointment = match &request.appointment {
        Some(draft) => check.draft("appointment", draft).map(Some),
        None => Some(None),
    };
    let privacy = check.known("title_privacy", request.title_privacy).map(model_privacy);
    let whole = organisation.zip(appointment).zip(privacy);
    check.finish(whole.map(|((organisation, appointment), privacy)| Preview { organisation, appointment, privacy }))
}

/// `Disconnect`.
pub(in crate::grpc) fn disconnect(
    context: &RequestContext,
    request: &pb::DisconnectRequest,
) -> Result<(OrganisationId, RemoteEvents), Refusal> {
    let mut check = Check::of(context);
    let organisation = check.organisation(&request.organisation_id)?;
    let remote_events = check.known("remote_events", request.remote_events).map(|remote_events| match remote_events {
        pb::RemoteEvents::Unspecified | pb::RemoteEvents::Keep => RemoteEvents::Keep,
        pb::RemoteEvents::DeleteUpcoming => RemoteEvents::DeleteUpcoming,
        pb::RemoteEvents::DeleteAll => RemoteEvents::DeleteAll,
    });
    check.finish(organisation.zip(remote_events))
}

fn model_privacy(privacy: pb::TitlePrivacy) -> Option<TitlePrivacy> {
    match privacy {
        pb::TitlePrivacy::Unspecified => None,
        pb::TitlePrivacy::Full => Some(TitlePrivacy::Full),
        pb::TitlePrivacy::Initials => Some(TitlePrivacy::Initials),
        pb::TitlePrivacy::Masked => Some(TitlePrivacy::Masked),
    }
}
