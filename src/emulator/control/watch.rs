//! Journal, faults, settings and reset.
//!
//! Owns their routes. It never touches the world, but for putting a fresh one in its place. Invariant: what is
//! misspelt is refused.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::fault::Fault;
use super::super::settings::Settings;
use super::super::world::samples;
use super::super::{Google, Shared};
use super::{ControlError, ok};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct JournalQuery {
    since: Option<u64>,
    operation: Option<String>,
}

/// `GET journal`.
pub(crate) async fn journal(State(shared): State<Arc<Shared>>, Query(wanted): Query<JournalQuery>) -> Response {
    let google = shared.lock();
    let calls: Vec<_> = google.journal.after(wanted.since, wanted.operation.as_deref()).collect();
    ok(&json!({"calls": calls, "last": google.journal.last()}))
}

/// `DELETE journal`.
pub(crate) async fn forget(State(shared): State<Arc<Shared>>) -> Response {
    shared.lock().journal.clear();
    ok(&json!({}))
}

/// `GET faults`.
pub(crate) async fn faults(State(shared): State<Arc<Shared>>) -> Response {
    ok(&json!({"faults": shared.lock().faults.all()}))
}

/// `POST faults`.
pub(crate) async fn set_fault(State(shared): State<Arc<Shared>>, raw: Bytes) -> Response {
    match serde_json::from_slice::<Fault>(&raw) {
        Ok(fault) => ok(&json!({"id": shared.lock().faults.set(fault)})),
        Err(error) => ControlError::BadRequest(error.to_string()).into_response(),
    }
}

/// `DELETE faults`.
pub(crate) async fn clear_faults(State(shared): State<Arc<Shared>>) -> Response {
    shared.lock().faults.clear();
    ok(&json!({}))
}

/// `DELETE faults/{id}`.
pub(crate) async fn remove_fault(State(shared): State<Arc<Shared>>, Path(id): Path<u64>) -> Response {
    if shared.lock().faults.remove(id) { ok(&json!({})) } else { ControlError::Unknown("fault").into_response() }
}

/// `GET settings`.
pub(crate) async fn settings(State(shared): State<Arc<Shared>>) -> Response {
    ok(&json!(shared.lock().settings))
}

/// `POST settings`.
pub(crate) async fn set(State(shared): State<Arc<Shared>>, raw: Bytes) -> Response {
    let mut google = shared.lock();
    let changes = serde_json::from_slice::<Value>(&raw).map_err(|error| error.to_string());
    match changes.and_then(|changes| google.settings.with(&changes)) {
        Ok(settings) => {
            google.settings = settings;
            ok(&json!(google.settings))
        }
        Err(error) => ControlError::BadRequest(error).into_response(),
    }
}

/// `POST reset`.
pub(crate) async fn reset(State(shared): State<Arc<Shared>>) -> Response {
    let version = {
        let mut google = shared.lock();
        let Google { world, settings, faults, journal, quota, version: _, redirect_uris: _ } = &mut *google;
        *world = samples();
        *settings = Settings::default();
        *quota = super::super::quota::Quota::default();
        faults.clear();
        journal.clear();
        shared.changed(&mut google)
    };
    shared.saved(version).await;
    ok(&json!({}))
}
