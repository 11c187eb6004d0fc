//! Pages of lists, and the tokens that lead from one to the next.
//!
//! Owns how large a page is and what a token holds: the digest of the list that it belongs to and of its place in it,
//! and the key of the last item that was shown. It is no secret and no proof. Never looks anything up. Invariant: a
//! token that was cut short, or that belongs to another list, is a violation rather than a wrong page.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::Check;
use crate::connection::{AuditEvent, AuditPlace, OverviewFilter, State};
use crate::grpc::context::RequestContext;
use crate::grpc::status::Refusal;
use crate::grpc::{convert, pb};
use crate::model::{AppointmentId, OrganisationId, Reason, SyncStatus};

const DEFAULT_SIZE: u16 = 100;
const MAX_SIZE: u16 = 1_000;
const DIGEST_BYTES: usize = 8;
/// The digest and a key of 128 characters of 4 bytes, in base64.
const MAX_TOKEN_BYTES: usize = (DIGEST_BYTES + 512).div_ceil(3) * 4;

/// One page of a list.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::grpc) struct Page {
    /// Which list, with all that it is filtered by.
    pub(super) list: String,
    /// How many items it holds at most.
    pub(in crate::grpc) size: u16,
    /// The key after which it begins; `None`: at the first item.
    pub(super) after: Option<String>,
}

impl Page {
    /// How many items to look for: one more than it holds, which tells whether another page follows.
    pub(in crate::grpc) fn limit(&self) -> u16 {
        self.size + 1
    }

    /// Cuts what was found to the page's size and answers the token of the next one; empty: none follows.
    pub(in crate::grpc) fn cut<T>(&self, found: &mut Vec<T>, key: impl Fn(&T) -> String) -> String {
        let goes_on = found.len() > usize::from(self.size);
        found.truncate(self.size.into());
        found.last().filter(|_| goes_on).map(|last| self.token(&key(last))).unwrap_or_default()
    }

    /// The token that leads on from the item with this key.
    pub(super) fn token(&self, key: &str) -> String {
        let mut bytes = digest(&self.list, key).to_vec();
        bytes.extend_from_slice(key.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

/// `ListAppointmentLinks`.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::grpc) struct ListLinks {
    /// The organisation whose links are listed.
    pub(in crate::grpc) organisation: OrganisationId,
    /// Only these; `None`: all.
    pub(in crate::grpc) status: Option<SyncStatus>,
    /// Which of them.
    pub(in crate::grpc) page: Page,
    /// Those after this one; `None`: from the first.
    pub(in crate::grpc) after: Option<AppointmentId>,
}

/// `ListAppointmentLinks`.
pub(in crate::grpc) fn list_appointment_links(
    context: &RequestContext,
    request: &pb::ListAppointmentLinksRequest,
) -> Result<ListLinks, Refusal> {
    let mut check = Check::of(context);
    let organisation = check.organisation(&request.organisation_id)?;
    let status = check.known("sync_status", request.sync_status).map(model_status);
    let filtered = organisation.zip(status);
    // An id holds no newline, so the parts of a list's name cannot run into each other.
    let list = filtered.as_ref().map(|(organisation, status)| format!("links\n{organisation}\n{status:?}"));
    let page = check.page(list, request.page_size, &request.page_token);
    let Some(((organisation, status), page)) = filtered.zip(page) else { return check.finish(None) };
    let after = match page.after.as_deref().map(AppointmentId::parse) {
        None => Some(None),
        Some(Ok(after)) => Some(Some(after)),
        Some(Err(_)) => check.fault("page_token", FOREIGN_TOKEN),
    };
    check.finish(after.map(|after| ListLinks { organisation, status, page, after }))
}

/// `ListIntegrations`.
#[derive(Debug)]
pub(in crate::grpc) struct ListIntegrations {
    /// What an integration has to match to be listed.
    pub(in crate::grpc) filter: OverviewFilter,
    /// Which of them.
    pub(in crate::grpc) page: Page,
    /// Those after this one; `None`: from the first.
    pub(in crate::grpc) after: Option<OrganisationId>,
}

/// `ListIntegrations`.
pub(in crate::grpc) fn list_integrations(
    context: &RequestContext,
    request: &pb::ListIntegrationsRequest,
) -> Result<ListIntegrations, Refusal> {
    let mut check = Check::of(context);
    let state = check.known("state", request.state).map(model_state);
    let reason = check.known("reason", request.reason).and_then(|reason| match reason {
        pb::ErrorReason::Unspecified => Some(None),
        reason => match model_reason(reason) {
            Some(reason) => Some(Some(reason)),
            None => check.fault("reason", "is none that an integration may have"),
        },
    });
    let filtered = state.zip(reason);
    let list = filtered.map(|filtered| format!("integrations\n{filtered:?}"));
    let page = check.page(list, request.page_size, &request.page_token);
    let Some(((state, reason), page)) = filtered.zip(page) else { return check.finish(None) };
    let after = match page.after.as_deref().map(OrganisationId::parse) {
        None => Some(None),
        Some(Ok(after)) => Some(Some(after)),
        Some(Err(_)) => check.fault("page_token", FOREIGN_TOKEN),
    };
    let filter = OverviewFilter { visible: context.visible(), state, reason };
    check.finish(after.map(|after| ListIntegrations { filter, page, after }))
}

/// `ListAuditEvents`.
#[derive(Debug)]
pub(in crate::grpc) struct ListAuditEvents {
    /// Whose events; `None`: of all organisations that the caller may act for.
    pub(in crate::grpc) organisation: Option<OrganisationId>,
    /// Which of them.
    pub(in crate::grpc) page: Page,
    /// Those behind this one; `None`: from the newest.
    pub(in crate::grpc) after: Option<AuditPlace>,
}

/// `ListAuditEvents`.
pub(in crate::grpc) fn list_audit_events(
    context: &RequestContext,
    request: &pb::ListAuditEventsRequest,
) -> Result<ListAuditEvents, Refusal> {
    let mut check = Check::of(context);
    let organisation = match request.organisation_id.as_str() {
        "" => Some(None),
        named => check.organisation(named)?.map(Some),
    };
    let list = organisation.as_ref().map(|organisation| format!("audit events\n{organisation:?}"));
    let page = check.page(list, request.page_size, &request.page_token);
    let Some((organisation, page)) = organisation.zip(page) else { return check.finish(None) };
    let after = match page.after.as_deref().map(audit_place) {
        None => Some(None),
        Some(Some(after)) => Some(Some(after)),
        Some(None) => check.fault("page_token", FOREIGN_TOKEN),
    };
    check.finish(after.map(|after| ListAuditEvents { organisation, page, after }))
}

/// The place of an event, as a token carries it.
pub(in crate::grpc) fn audit_key(event: &AuditEvent) -> String {
    format!("{} {}", event.at.as_microsecond(), event.id)
}

fn audit_place(key: &str) -> Option<AuditPlace> {
    let (at, id) = key.split_once(' ')?;
    let at = Timestamp::from_microsecond(at.parse().ok()?).ok()?;
    // PostgreSQL cannot hold a NUL.
    Some(AuditPlace { at, id: id.to_owned() }).filter(|place| place.id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

const FOREIGN_TOKEN: &str = "was not given for this list";

impl Check<'_> {
    /// A page of `list`; `None` where another field's fault leaves open which list it is.
    fn page(&mut self, list: Option<String>, size: i32, token: &str) -> Option<Page> {
        let size = match u16::try_from(size) {
            Ok(0) => Some(DEFAULT_SIZE),
            Ok(size) => Some(size.min(MAX_SIZE)),
            Err(_) if size > 0 => Some(MAX_SIZE),
            Err(_) => self.fault("page_size", "must not be negative"),
        };
        let key = match (token, &list) {
            ("", _) => Some(None),
            (token, Some(list)) => key_of(token, list).map(Some),
            // Whether it belongs to the list cannot be told; whether it is a token at all can.
            (token, None) => decoded(token).map(|_| None),
        };
        if key.is_none() {
            self.fault::<()>("page_token", FOREIGN_TOKEN);
        }
        let ((list, size), after) = list.zip(size).zip(key)?;
        Some(Page { list, size, after })
    }
}

/// The key that a token of `list` leads on from; `None`: it is no token of that list.
fn key_of(token: &str, list: &str) -> Option<String> {
    let bytes = decoded(token)?;
    let (found, key) = bytes.split_first_chunk::<DIGEST_BYTES>()?;
    let key = str::from_utf8(key).ok()?;
    (*found == digest(list, key)).then(|| key.to_owned())
}

/// The bytes of what could be a token of some list.
fn decoded(token: &str) -> Option<Vec<u8>> {
    let bytes = (token.len() <= MAX_TOKEN_BYTES).then(|| URL_SAFE_NO_PAD.decode(token).ok())??;
    (bytes.len() > DIGEST_BYTES).then_some(bytes)
}

fn digest(list: &str, key: &str) -> [u8; DIGEST_BYTES] {
    let digest = Sha256::digest(format!("{list}\n{key}"));
    std::array::from_fn(|i| digest[i])
}

fn model_state(state: pb::IntegrationState) -> Option<State> {
    match state {
        pb::IntegrationState::Unspecified => None,
        pb::IntegrationState::NotConnected => Some(State::NotConnected),
        pb::IntegrationState::Connected => Some(State::Connected),
        pb::IntegrationState::Error => Some(State::Error),
        pb::IntegrationState::Disconnecting => Some(State::Disconnecting),
    }
}

/// The reasons that an integration can have.
fn model_reason(reason: pb::ErrorReason) -> Option<Reason> {
    Reason::of_integrations().find(|it| convert::reason(*it) == reason)
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
