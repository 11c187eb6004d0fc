//! Every refusal, as its caller sees it.

use jiff::SignedDuration;
use tonic_types::StatusExt as _;

use super::*;
use crate::crypto::OpenError;

fn told(refusal: Refusal) -> Status {
    refusal.into_status(Language::English, &Entropy::seeded(1))
}

fn storage(text: &'static str) -> Box<dyn std::error::Error + Send + Sync> {
    text.into()
}

#[test]
fn every_refusal_has_its_code_its_reason_and_a_sentence() {
    use connection::Error;
    let id = AppointmentId::parse("rdv-1").expect("well formed");
    let away = SignedDuration::from_secs(42);
    for (refusal, code, reason, retry) in [
        (Refusal::InvalidRequest(Violations::one("wait", "is wrong")), Code::InvalidArgument, "INVALID_REQUEST", None),
        (Refusal::Unreadable, Code::InvalidArgument, "INVALID_REQUEST", None),
        (Refusal::InvalidApiKey, Code::Unauthenticated, "INVALID_API_KEY", None),
        (Refusal::OrganisationNotAllowed, Code::PermissionDenied, "ORGANISATION_NOT_ALLOWED", None),
        (Refusal::AppointmentNotFound(vec![id]), Code::NotFound, "APPOINTMENT_NOT_FOUND", None),
        (Refusal::Overloaded, Code::ResourceExhausted, "OVERLOADED", Some(2)),
        (Refusal::DeadlineExceeded, Code::DeadlineExceeded, "DEADLINE_EXCEEDED", None),
        (Refusal::Draining, Code::Unavailable, "DRAINING", Some(1)),
        (Refusal::Panicked, Code::Internal, "INTERNAL", None),
        (Error::NotConnected.into(), Code::FailedPrecondition, "NOT_CONNECTED", None),
        (Error::ReconnectRequired.into(), Code::FailedPrecondition, "RECONNECT_REQUIRED", None),
        (Error::CalendarUnavailable.into(), Code::FailedPrecondition, "CALENDAR_UNAVAILABLE", None),
        (Error::GoogleMisconfigured.into(), Code::FailedPrecondition, "GOOGLE_MISCONFIGURED", None),
        (Error::AccountUnavailable.into(), Code::FailedPrecondition, "ACCOUNT_UNAVAILABLE", None),
        (Error::TooManyWatchers.into(), Code::ResourceExhausted, "OVERLOADED", Some(2)),
        (Error::NoPendingAccount.into(), Code::FailedPrecondition, "NO_PENDING_ACCOUNT", None),
        (Error::GoogleUnavailable { retry_after: None }.into(), Code::Unavailable, "GOOGLE_UNAVAILABLE", Some(5)),
        (Error::GoogleThrottled { retry_after: Some(away) }.into(), Code::Unavailable, "GOOGLE_UNAVAILABLE", Some(42)),
        (Error::ReturnUrlNotAllowed.into(), Code::InvalidArgument, "INVALID_REQUEST", None),
        (
            Error::Store(StoreError::Unavailable(storage("no connection"))).into(),
            Code::Unavailable,
            "STORAGE_UNAVAILABLE",
            Some(1),
        ),
        (Error::Store(StoreError::Bug(storage("canary"))).into(), Code::Internal, "INTERNAL", None),
        (Error::Store(StoreError::Corrupt("canary")).into(), Code::Internal, "INTERNAL", None),
        (Error::Sealed(OpenError::UnknownKey("canary".to_owned())).into(), Code::Internal, "INTERNAL", None),
    ] {
        let shown = format!("{refusal:?}");
        let status = told(refusal);
        assert_eq!(status.code(), code, "{shown}");
        let info = status.get_details_error_info().expect("an ErrorInfo");
        assert_eq!((info.reason.as_str(), info.domain.as_str()), (reason, "calendar.cassius"), "{shown}");
        assert_eq!(info.metadata.contains_key("incident"), code == Code::Internal, "{shown}");
        let retry_info = status.get_details_retry_info().and_then(|info| info.retry_delay);
        assert_eq!(retry_info, retry.map(Duration::from_secs), "{shown}");
        let message = status.get_details_localized_message().expect("a LocalizedMessage");
        assert!(message.locale == "en" && !message.message.is_empty(), "{shown}");
        assert!(!format!("{status:?}").contains("canary"), "a cause is for the log: {shown}");
    }
}

#[test]
fn a_fault_of_a_field_names_the_field_wherever_it_was_found() {
    let status = told(connection::Error::ReturnUrlNotAllowed.into());
    let fields = status.get_details_bad_request().expect("a BadRequest").field_violations;
    assert_eq!(fields.iter().map(|violation| violation.field.as_str()).collect::<Vec<_>>(), ["return_url"]);
}

#[test]
fn unknown_appointments_are_named_as_far_as_a_header_can_hold_them() {
    let longest = |i: u32| AppointmentId::parse(&format!("{i:0>4}{}", "é".repeat(124))).expect("well formed");
    let status = told(Refusal::AppointmentNotFound((0..1000).map(longest).collect()));
    let info = status.get_details_error_info().expect("an ErrorInfo");
    assert_eq!(info.metadata["unknown_appointments"], "1000");
    let named = status.get_error_details_vec().into_iter();
    let named = named.filter(|detail| matches!(detail, ErrorDetail::ResourceInfo(_))).count();
    assert_eq!(named, MAX_NAMED);
    let header = status.into_http::<()>().headers()["grpc-status-details-bin"].len();
    assert!(header < 12 * 1024, "{header} bytes");
}

#[test]
fn the_sentence_follows_the_callers_language() {
    let french = Refusal::Draining.into_status(Language::French, &Entropy::seeded(1));
    let french = french.get_details_localized_message().expect("a LocalizedMessage");
    assert_eq!(french.locale, "fr");
    assert!(french.message.contains("Réessayez"));
}

#[test]
fn only_a_fault_of_one_request_is_a_rejection() {
    let rejection = Refusal::InvalidRequest(Violations::one("appointment", "is required"))
        .into_rejection(Language::English)
        .expect("a rejection");
    assert_eq!(rejection.reason(), ErrorReason::InvalidRequest);
    assert_eq!(rejection.violations[0].field, "appointment");
    let rejection = Refusal::OrganisationNotAllowed.into_rejection(Language::French).expect("a rejection");
    assert_eq!(rejection.reason(), ErrorReason::OrganisationNotAllowed);
    let away = connection::Error::Store(StoreError::Unavailable(storage("gone")));
    assert!(Refusal::from(away).into_rejection(Language::French).is_err(), "a failure of ours ends the stream");
}
