//! What a call is refused with.
//!
//! Owns [`Refusal`], and is the only place that names a gRPC code. Never shows a value of the request (but for the ids of
//! appointments that are not known), a cause, or a patient: a cause goes to the log, and the caller gets the word to find
//! it by. Invariant: every status made here carries an `ErrorInfo` of our domain and a `LocalizedMessage`.

use std::collections::HashMap;
use std::error::Error as _;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::{BadRequest, ErrorDetail, ErrorInfo, LocalizedMessage, ResourceInfo, RetryInfo, StatusExt as _};

use super::messages;
use super::pb::{self, ErrorReason};
use super::violations::Violations;
use crate::clock::Entropy;
use crate::connection::{self, StoreError};
use crate::delivery;
use crate::error_chain::error_chain;
use crate::language::Language;
use crate::model::AppointmentId;

const DOMAIN: &str = "calendar.cassius";
const REASON_PREFIX: &str = "ERROR_REASON_";
/// How many unknown appointments are named: details travel in a header, and many clients take 16 KiB of headers at most.
const MAX_NAMED: usize = 15;
const RETRY_STORAGE: Duration = Duration::from_secs(1);
const RETRY_GOOGLE: Duration = Duration::from_secs(5);
const RETRY_DRAINING: Duration = Duration::from_secs(1);
const RETRY_OVERLOADED: Duration = Duration::from_secs(2);

/// Says why a call is not served.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    /// Fields are at fault.
    #[error("the request breaks a rule of its fields: {0}")]
    InvalidRequest(Violations),
    /// The bytes are no message, or too many.
    #[error("the message cannot be read, or is longer than the call allows")]
    Unreadable,
    /// The key is missing or unknown.
    #[error("the API key is missing or unknown")]
    InvalidApiKey,
    /// The key does not stand for the organisation.
    #[error("the API key does not stand for this organisation")]
    OrganisationNotAllowed,
    /// These appointments were never accepted, or were erased.
    #[error("an appointment was never accepted, or was erased")]
    AppointmentNotFound(Vec<AppointmentId>),
    /// As much is under way as the service takes at once.
    #[error("the service has as much under way as it takes at once")]
    Overloaded,
    /// The caller's own deadline passed, or its request came too slowly.
    #[error("the deadline of the call has passed, or its request was not whole in time")]
    DeadlineExceeded,
    /// The service is about to end.
    #[error("the service is draining")]
    Draining,
    /// A defect stopped the call half way.
    #[error("the call panicked")]
    Panicked,
    /// The rooms below could not serve it.
    #[error("the call could not be served")]
    Failed(#[source] connection::Error),
}

impl From<connection::Error> for Refusal {
    fn from(error: connection::Error) -> Self {
        match error {
            // The one fault of a field that only the room below can see.
            connection::Error::ReturnUrlNotAllowed => Self::InvalidRequest(Violations::one(
                "return_url",
                "is not plainly under one of the allowed URLs, without user, fragment or ..",
            )),
            error => Self::Failed(error),
        }
    }
}

impl From<delivery::Error> for Refusal {
    fn from(error: delivery::Error) -> Self {
        Self::Failed(match error {
            delivery::Error::NotConnected => connection::Error::NotConnected,
            delivery::Error::ReconnectRequired => connection::Error::ReconnectRequired,
            delivery::Error::CalendarUnavailable => connection::Error::CalendarUnavailable,
            delivery::Error::Google(error) => error.into(),
            delivery::Error::Store(error) => connection::Error::Store(error),
        })
    }
}

/// How a refusal is told: code, reason, and when to try again.
struct StatusSpec(Code, ErrorReason, Option<Duration>);

impl Refusal {
    fn spec(&self) -> StatusSpec {
        match self {
            Self::InvalidRequest(_) | Self::Unreadable => {
                StatusSpec(Code::InvalidArgument, ErrorReason::InvalidRequest, None)
            }
            Self::InvalidApiKey => StatusSpec(Code::Unauthenticated, ErrorReason::InvalidApiKey, None),
            Self::OrganisationNotAllowed => {
                StatusSpec(Code::PermissionDenied, ErrorReason::OrganisationNotAllowed, None)
            }
            Self::AppointmentNotFound(_) => StatusSpec(Code::NotFound, ErrorReason::AppointmentNotFound, None),
            Self::Overloaded => StatusSpec(Code::ResourceExhausted, ErrorReason::Overloaded, Some(RETRY_OVERLOADED)),
            Self::DeadlineExceeded => StatusSpec(Code::DeadlineExceeded, ErrorReason::DeadlineExceeded, None),
            Self::Draining => StatusSpec(Code::Unavailable, ErrorReason::Draining, Some(RETRY_DRAINING)),
            Self::Panicked => StatusSpec(Code::Internal, ErrorReason::Internal, None),
            Self::Failed(error) => failed(error),
        }
    }

    /// The status, told in the caller's language. A defect is logged here, once, under the incident it answers with.
    pub(super) fn into_status(self, language: Language, entropy: &Entropy) -> Status {
        let StatusSpec(code, reason, retry_delay) = self.spec();
        let message = match &self {
            Self::Failed(error) => error.to_string(),
            other => other.to_string(),
        };
        let mut metadata = HashMap::new();
        let mut details: Vec<ErrorDetail> = Vec::new();
        if code == Code::Internal {
            metadata.insert("incident".to_owned(), self.log_incident(entropy));
        }
        if let Self::Failed(error @ connection::Error::Store(StoreError::Unavailable(_))) = &self {
            tracing::warn!(error = %error_chain(error), "a call was put off: the database is unavailable");
        }
        match self {
            Self::InvalidRequest(violations) => {
                if violations.omitted() > 0 {
                    metadata.insert("unnamed_violations".to_owned(), violations.omitted().to_string());
                }
                details.push(BadRequest::new(violations.into_fields()).into());
            }
            Self::AppointmentNotFound(unknown) => {
                metadata.insert("unknown_appointments".to_owned(), unknown.len().to_string());
                details.extend(unknown.iter().take(MAX_NAMED).map(|id| resource(id).into()));
            }
            _ => {}
        }
        details.extend(retry_delay.map(|delay| RetryInfo::new(Some(delay)).into()));
        details.push(LocalizedMessage::new(language.tag(), messages::sentence(reason, language)).into());
        details.insert(0, ErrorInfo::new(reason_name(reason), DOMAIN, metadata).into());
        Status::with_error_details_vec(code, message, details)
    }

    /// The answer to one request of a stream that is at fault by itself; a failure of the service stays a refusal.
    pub(super) fn into_rejection(self, language: Language) -> Result<pb::Rejection, Self> {
        let StatusSpec(_, reason, _) = self.spec();
        let violations = match self {
            Self::InvalidRequest(violations) => violations.into_fields(),
            Self::OrganisationNotAllowed => Vec::new(),
            other => return Err(other),
        };
        let violations = violations
            .into_iter()
            .map(|violation| pb::FieldViolation { field: violation.field, description: violation.description })
            .collect();
        Ok(pb::Rejection {
            reason: reason.into(),
            message: messages::sentence(reason, language).to_owned(),
            violations,
        })
    }

    fn log_incident(&self, entropy: &Entropy) -> String {
        let incident = data_encoding::HEXLOWER.encode(&entropy.bytes::<8>());
        match self.source() {
            Some(error) => tracing::error!(incident, error = %error_chain(error), "a call ended in a defect"),
            None => tracing::error!(incident, "a call ended in a defect: {self}"),
        }
        incident
    }
}

fn failed(error: &connection::Error) -> StatusSpec {
    use connection::Error;
    match error {
        Error::NotConnected => StatusSpec(Code::FailedPrecondition, ErrorReason::NotConnected, None),
        Error::Disconnecting => StatusSpec(Code::FailedPrecondition, ErrorReason::Disconnecting, None),
        Error::ReconnectRequired => StatusSpec(Code::FailedPrecondition, ErrorReason::ReconnectRequired, None),
        Error::CalendarUnavailable => StatusSpec(Code::FailedPrecondition, ErrorReason::CalendarUnavailable, None),
        Error::GoogleMisconfigured => StatusSpec(Code::FailedPrecondition, ErrorReason::GoogleMisconfigured, None),
        Error::AccountUnavailable => StatusSpec(Code::FailedPrecondition, ErrorReason::AccountUnavailable, None),
        // Busy or away is one to a caller that has to come again; only the delay differs.
        Error::GoogleUnavailable { retry_after } | Error::GoogleThrottled { retry_after } => {
            let delay = retry_after.and_then(|delay| Duration::try_from(delay).ok()).unwrap_or(RETRY_GOOGLE);
            StatusSpec(Code::Unavailable, ErrorReason::GoogleUnavailable, Some(delay))
        }
        Error::TooManyWatchers => StatusSpec(Code::ResourceExhausted, ErrorReason::Overloaded, Some(RETRY_OVERLOADED)),
        Error::NoPendingAccount => StatusSpec(Code::FailedPrecondition, ErrorReason::NoPendingAccount, None),
        Error::ReturnUrlNotAllowed => StatusSpec(Code::InvalidArgument, ErrorReason::InvalidRequest, None),
        Error::Store(StoreError::Unavailable(_)) => {
            StatusSpec(Code::Unavailable, ErrorReason::StorageUnavailable, Some(RETRY_STORAGE))
        }
        Error::Store(StoreError::Corrupt(_) | StoreError::Bug(_)) | Error::Sealed(_) => {
            StatusSpec(Code::Internal, ErrorReason::Internal, None)
        }
    }
}

fn resource(id: &AppointmentId) -> ResourceInfo {
    ResourceInfo::new("cassius.calendar.v1.Appointment", id.as_str(), "", "was never accepted, or was erased")
}

/// The reason as `ErrorInfo` carries it: without the prefix.
fn reason_name(reason: ErrorReason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix(REASON_PREFIX).unwrap_or(name)
}

/// What a stream's caller is told when its bytes fail: ours if they were no message, else the transport's own status.
pub(super) fn inbound(status: Status, language: Language, entropy: &Entropy) -> Status {
    if is_unreadable(&status) { Refusal::Unreadable.into_status(language, entropy) } else { status }
}

/// Completes an answer that the transport made by itself: bytes that are no message are the caller's fault.
pub(super) fn complete<B: Default>(
    response: http::Response<B>,
    language: Language,
    entropy: &Entropy,
) -> http::Response<B> {
    match Status::from_header_map(response.headers()) {
        Some(status) if is_unreadable(&status) => Refusal::Unreadable.into_status(language, entropy).into_http(),
        _ => response,
    }
}

/// gRPC's word for what a call was answered with, or begins to be answered with.
pub(super) fn code_name<B>(response: &http::Response<B>) -> &'static str {
    match Status::from_header_map(response.headers()).map_or(Code::Ok, |status| status.code()) {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// What a call was answered with, as the audit keeps it: `OK` or the reason, and the incident of a defect.
pub(super) fn outcome_of<B>(response: &http::Response<B>) -> (String, Option<String>) {
    match Status::from_header_map(response.headers()) {
        Some(status) if status.code() != Code::Ok => match status.get_details_error_info() {
            Some(info) => (info.reason, info.metadata.get("incident").cloned()),
            None => (code_name(response).to_owned(), None),
        },
        _ => ("OK".to_owned(), None),
    }
}

/// A status of ours always has details; without them, these codes are how the decoder refuses bytes.
fn is_unreadable(status: &Status) -> bool {
    status.details().is_empty() && matches!(status.code(), Code::Internal | Code::OutOfRange | Code::ResourceExhausted)
}

#[cfg(test)]
mod tests;
