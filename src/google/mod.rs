//! Google's wire; nothing else knows it.
//!
//! Owns the HTTP client, the OAuth endpoints, the Calendar calls, Google's JSON, and the meaning of Google's errors. It
//! never decides what to call or whether to try again, keeps no token, and logs no URL, body, token or e-mail.
//!
//! Invariant: every fault that Google or the network can produce comes back as one of the words of [`Answer`] or of the
//! error enums here, never as a panic, and none of them carries anything secret.
//!
//! [`Answer`]: crate::sync::Answer

mod calendar;
mod calendars;
mod classify;
mod errors;
mod event;
mod id_token;
mod listing;
mod oauth;
mod retry_after;
mod scopes;
mod token_endpoint;
mod transport;
mod wire;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use rustls::RootCertStore;
use url::Url;

pub use calendars::{CalendarAccess, CalendarListPage, PRIMARY, in_order};
pub use errors::{CalendarError, ExchangeError, IdTokenFault, Orphan, RefreshError, RevokeError};
pub use listing::EventPage;
pub use oauth::{Granted, Refreshed, pkce_verifier};
pub use scopes::may_list_calendars;

use crate::clock::Clock;
use crate::crypto::Secret;
use transport::Transport;

/// Answers requests to Google within this process: an emulation without a socket.
#[cfg(feature = "dev")]
pub type InProcess =
    tower::util::BoxCloneSyncService<http::Request<bytes::Bytes>, http::Response<bytes::Bytes>, std::io::Error>;

/// How long a whole call of Google may take.
pub const CALL_DEADLINE: Duration = Duration::from_secs(20);

/// Where Google is. No two of the five have to share an origin.
#[derive(Debug, Clone)]
pub struct Endpoints {
    /// The consent page.
    pub auth_url: Url,
    /// Gives tokens for a code or a refresh token.
    pub token_url: Url,
    /// Takes tokens back.
    pub revoke_url: Url,
    /// The base of Calendar v3; paths are put behind it.
    pub calendar_url: Url,
    /// Who issues id tokens.
    pub issuer: String,
}

/// Speaks with Google in the name of one OAuth client. Cheap to clone: clones share their connections.
#[derive(Clone)]
pub struct Google {
    transport: Transport,
    client: Arc<Client>,
}

struct Client {
    endpoints: Endpoints,
    oauth: oauth::OAuth,
    client_id: String,
    scopes: Vec<String>,
    clock: Clock,
}

impl Google {
    /// Makes a client; nothing is connected yet. `redirect_url` is where Google sends the browser back to; `scopes` is
    /// what a consent asks for.
    pub fn new(
        endpoints: Endpoints,
        client_id: String,
        client_secret: Secret,
        redirect_url: Url,
        scopes: Vec<String>,
        clock: Clock,
    ) -> Self {
        let oauth = oauth::client(&endpoints, &client_id, &client_secret, redirect_url);
        let transport = Transport::new(clock.clone());
        let client = Arc::new(Client { endpoints, oauth, client_id, scopes, clock });
        Self { transport, client }
    }

    /// The same, but these authorities vouch for Google, and it is reached through `proxy`, but for the hosts in `no_proxy`
    /// (as in the variables `HTTPS_PROXY` and `NO_PROXY`).
    #[must_use]
    pub fn reached_by(self, roots: RootCertStore, proxy: Option<&str>, no_proxy: Option<&str>) -> Self {
        Self { transport: self.transport.by(roots, proxy, no_proxy), ..self }
    }

    /// The same, but a whole call may take no longer than `deadline` ([`CALL_DEADLINE`] unless told).
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        Self { transport: self.transport.with_deadline(deadline), ..self }
    }

    /// The same, but no request leaves this process: `service` answers each.
    #[cfg(feature = "dev")]
    #[must_use]
    pub fn in_process(self, service: InProcess) -> Self {
        Self { transport: self.transport.in_process(service), ..self }
    }
}

impl fmt::Debug for Google {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Google").field("endpoints", &self.client.endpoints).finish_non_exhaustive()
    }
}
