//! Serves what is counted and measured to Prometheus.
//!
//! Owns one address, `/metrics`. Never gathers anything itself. Invariant: what is answered stands at that moment.

use axum::Router;
use axum::http::header;
use axum::routing::get;

use crate::metrics::Gathered;

/// The one address.
pub fn metrics_router(gathered: Gathered) -> Router {
    let metrics = async move || ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], gathered.text());
    Router::new().route("/metrics", get(metrics))
}
