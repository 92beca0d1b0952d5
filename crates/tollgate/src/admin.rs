//! The admin listener: is it alive, can it serve, what does it measure, and a page that says what
//! runs and shows the first call. Nothing here changes anything, and nothing shows a secret.

mod page;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderName, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;

use crate::worker::Shared;

/// What the admin routes look at.
#[derive(Clone, Debug)]
pub struct Admin {
    pub shared: Arc<Shared>,
    pub readiness: Arc<Readiness>,
    /// Where the data plane listens, as a URL.
    pub data_url: String,
}

/// Whether new calls are welcome.
#[derive(Debug, Default)]
pub struct Readiness(AtomicBool);

impl Readiness {
    pub fn set(&self, ready: bool) {
        self.0.store(ready, Ordering::Release);
    }

    fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

pub fn routes(admin: Admin) -> Router {
    Router::new()
        .route("/", get(front))
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .with_state(admin)
}

async fn ready(State(admin): State<Admin>) -> impl IntoResponse {
    if !admin.readiness.get() {
        return (StatusCode::SERVICE_UNAVAILABLE, "going down: no new calls\n");
    }
    (StatusCode::OK, "ready\n")
}

async fn metrics(State(admin): State<Admin>) -> impl IntoResponse {
    let openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let leases = admin.shared.tally.own.open();
    (
        [(CONTENT_TYPE, openmetrics)],
        admin.shared.telemetry.metrics.text(leases, &admin.shared.ledger),
    )
}

async fn front(State(admin): State<Admin>) -> impl IntoResponse {
    let headers: [(HeaderName, &str); 3] = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'; style-src 'unsafe-inline'"),
    ];
    (headers, page::front(&admin.shared.gateway.load(), &admin.data_url))
}
