//! What a refused call tells, read as a client reads it.

use std::collections::HashMap;
use std::time::Duration;

use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// A refusal, taken apart.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) metadata: HashMap<String, String>,
    /// The fields at fault, in the order in which they are told.
    pub(crate) fields: Vec<String>,
    pub(crate) retry_delay: Option<Duration>,
    pub(crate) locale: String,
    pub(crate) sentence: String,
    /// The resources that are named.
    pub(crate) resources: Vec<String>,
    /// All that the caller can see, as one text.
    pub(crate) whole: String,
}

/// Asserts that a call was refused with this code and reason, and with all that every refusal carries.
#[track_caller]
pub(crate) fn refused<T>(answer: Result<T, Status>, code: Code, reason: &str) -> Refused {
    let Err(status) = answer else { panic!("{reason} was expected, and the call was served") };
    read(&status, code, reason)
}

/// The same of a status that came some other way.
#[track_caller]
pub(crate) fn read(status: &Status, code: Code, reason: &str) -> Refused {
    let details = status.get_error_details();
    let info = details.error_info().unwrap_or_else(|| panic!("there is no ErrorInfo: {status:?}"));
    assert_eq!((status.code(), &*info.reason), (code, reason), "{status:?}");
    assert_eq!(info.domain, "calendar.cassius");
    let localized = details.localized_message().unwrap_or_else(|| panic!("there is no LocalizedMessage: {status:?}"));
    assert!(!localized.message.is_empty());
    let fields = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
    assert_eq!(fields.is_empty(), reason != "INVALID_REQUEST" || is_unreadable(status), "{status:?}");
    assert!(fields.iter().all(|field| !field.description.is_empty()));
    let retry_delay = details.retry_info().and_then(|retry| retry.retry_delay);
    let helps = matches!(code, Code::Unavailable | Code::ResourceExhausted);
    assert_eq!(retry_delay.is_some(), helps, "RetryInfo stands where a retry helps: {status:?}");
    let resources = tonic_types::StatusExt::get_error_details_vec(status)
        .into_iter()
        .filter_map(|detail| match detail {
            tonic_types::ErrorDetail::ResourceInfo(resource) => Some(resource.resource_name),
            _ => None,
        })
        .collect();
    Refused {
        metadata: info.metadata.clone(),
        fields: fields.into_iter().map(|field| field.field).collect(),
        retry_delay,
        locale: localized.locale.clone(),
        sentence: localized.message.clone(),
        resources,
        whole: format!("{} {}", status.message(), String::from_utf8_lossy(status.details())),
    }
}

/// Bytes that are no message have no field to name.
fn is_unreadable(status: &Status) -> bool {
    status.message().contains("cannot be read")
}
