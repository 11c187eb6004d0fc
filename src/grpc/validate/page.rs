//! Pages of links, and the tokens that lead from one to the next.
//!
//! A token is opaque: the digest of the list that it belongs to and of its place in it, and the last id that was shown.
//! One that was altered, or that belongs to another organisation or filter, is a violation rather than a wrong page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::Check;
use crate::grpc::context::RequestContext;
use crate::grpc::pb;
use crate::grpc::status::Refusal;
use crate::model::{AppointmentId, OrganisationId, SyncStatus};

const DEFAULT_SIZE: u16 = 100;
const MAX_SIZE: u16 = 1_000;
const SEAL_BYTES: usize = 8;
/// The seal and an id of 128 characters of 4 bytes, in base64.
const MAX_TOKEN_BYTES: usize = (SEAL_BYTES + 512).div_ceil(3) * 4;

/// A page of links to be listed.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::grpc) struct Page {
    /// Whose links.
    pub(in crate::grpc) organisation: OrganisationId,
    /// Only these; `None`: all.
    pub(in crate::grpc) status: Option<SyncStatus>,
    /// How many at most.
    pub(in crate::grpc) size: u16,
    /// Those after this one.
    pub(in crate::grpc) after: Option<AppointmentId>,
}

/// `ListAppointmentLinks`.
pub(in crate::grpc) fn list_appointment_links(
    context: &RequestContext,
    request: &pb::ListAppointmentLinksRequest,
) -> Result<Page, Refusal> {
    let mut check = Check::of(context);
    let organisation = check.organisation(&request.organisation_id)?;
    let status = check.known("sync_status", request.sync_status).map(model_status);
    let size = match u16::try_from(request.page_size) {
        Ok(0) => Some(DEFAULT_SIZE),
        Ok(size) => Some(size.min(MAX_SIZE)),
        Err(_) if request.page_size > 0 => Some(MAX_SIZE),
        Err(_) => check.fault("page_size", "must not be negative"),
    };
    let Some(((organisation, status), size)) = organisation.zip(status).zip(size) else {
        // Whose page it is cannot be told; whether it is one at all can.
        if !request.page_token.is_empty() && !is_token(&request.page_token) {
            check.fault::<()>("page_token", "was not given for this list");
        }
        return check.finish(None);
    };
    let after = match &*request.page_token {
        "" => Some(None),
        token => match last_shown(token, &organisation, status) {
            Some(after) => Some(Some(after)),
            None => check.fault("page_token", "was not given for this list"),
        },
    };
    check.finish(after.map(|after| Page { organisation, status, size, after }))
}

/// Whether a text could be a token of any list.
fn is_token(text: &str) -> bool {
    text.len() <= MAX_TOKEN_BYTES && URL_SAFE_NO_PAD.decode(text).is_ok_and(|bytes| bytes.len() > SEAL_BYTES)
}

/// The token that leads on from `last`.
pub(in crate::grpc) fn page_token(page: &Page, last: &AppointmentId) -> String {
    let mut bytes = seal(&page.organisation, page.status, last).to_vec();
    bytes.extend_from_slice(last.as_str().as_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

fn last_shown(token: &str, organisation: &OrganisationId, status: Option<SyncStatus>) -> Option<AppointmentId> {
    let bytes = (token.len() <= MAX_TOKEN_BYTES).then(|| URL_SAFE_NO_PAD.decode(token).ok())??;
    let (sealed, last) = bytes.split_first_chunk::<SEAL_BYTES>()?;
    let last = AppointmentId::parse(str::from_utf8(last).ok()?).ok()?;
    (*sealed == seal(organisation, status, &last)).then_some(last)
}

fn seal(organisation: &OrganisationId, status: Option<SyncStatus>, last: &AppointmentId) -> [u8; SEAL_BYTES] {
    let filter = match status {
        None => "all",
        Some(SyncStatus::None) => "none",
        Some(SyncStatus::Pending) => "pending",
        Some(SyncStatus::Synced) => "synced",
        Some(SyncStatus::Error) => "error",
    };
    // An id holds no newline, so the parts cannot run into each other.
    let digest = Sha256::digest(format!("{organisation}\n{filter}\n{last}"));
    std::array::from_fn(|i| digest[i])
}

fn model_status(status: pb::SyncStatus) -> Option<SyncStatus> {
    match status {
        pb::SyncStatus::Unspecified => None,
        pb::SyncStatus::None => Some(SyncStatus::None),
        pb::SyncStatus::Pending => Some(SyncStatus::Pending),
        pb::SyncStatus::Synced => Some(SyncStatus::Synced),
        pb::SyncStatus::Error => Some(SyncStatus::Error),
    }
}
