//! Consent, code, tokens.
//!
//! Owns the three OAuth endpoints: the consent's address, the exchange of a code, the refresh, the revocation. Never
//! keeps a token, and never revokes one unasked: revoking acts on the whole project for that account.
//!
//! Invariant: only the token endpoint's own word calls a grant dead; a network fault, a 5xx or an unreadable answer never
//! does.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, StatusCode};
use jiff::{SignedDuration, Timestamp};
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet, EndpointSet, ExtraTokenFields,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, Scope, StandardRevocableToken,
    StandardTokenResponse, TokenResponse as _, TokenUrl,
};
use serde::{Deserialize, Serialize};
use url::Url;

use super::errors::{ExchangeError, IdTokenFault, Orphan, RefreshError, RevokeError};
use super::id_token::{self, Expected};
use super::token_endpoint::{Refusal, TokenEndpoint, refusal};
use super::{Endpoints, Google, scopes};
use crate::clock::Entropy;
use crate::crypto::{ExposeSecret, Secret};
use crate::metrics;
use crate::model::GoogleUserId;

/// Google's own limits, in bytes.
const MAX_CODE_BYTES: usize = 256;
const MAX_ACCESS_TOKEN_BYTES: usize = 2048;
const MAX_REFRESH_TOKEN_BYTES: usize = 512;
/// A token that does not say how long it lives is asked for again soon.
const UNSAID_LIFE: SignedDuration = SignedDuration::from_mins(5);
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(24);

type TokenResponse = StandardTokenResponse<IdToken, BasicTokenType>;

/// The `oauth2` client with Google's answer, an id token beside the tokens.
pub(super) type OAuth = oauth2::Client<
    BasicErrorResponse,
    TokenResponse,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

#[derive(Serialize, Deserialize)]
pub(super) struct IdToken {
    id_token: Option<String>,
}

impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdToken(withheld)")
    }
}

impl ExtraTokenFields for IdToken {}

/// What a consent gave.
#[derive(Clone)]
pub struct Granted {
    /// Lets calls through until it expires.
    pub access_token: Secret,
    /// When the access token expires.
    pub expires_at: Timestamp,
    /// Gives access tokens until it is revoked.
    pub refresh_token: Secret,
    /// What was granted, word by word as Google says it.
    pub scopes: Vec<String>,
    /// Whose account it is.
    pub google_user_id: GoogleUserId,
    /// The account's e-mail.
    pub google_email: String,
}

impl fmt::Debug for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Granted").field("scopes", &self.scopes).finish_non_exhaustive()
    }
}

/// What a refresh gave.
#[derive(Debug, Clone)]
pub struct Refreshed {
    /// Lets calls through until it expires.
    pub access_token: Secret,
    /// When it expires.
    pub expires_at: Timestamp,
    /// A new refresh token; `None`, as is usual: the old one stays good and has to be kept.
    pub refresh_token: Option<Secret>,
}

pub(super) fn client(endpoints: &Endpoints, client_id: &str, client_secret: &Secret, redirect_url: Url) -> OAuth {
    oauth2::Client::new(ClientId::new(client_id.to_owned()))
        .set_client_secret(ClientSecret::new(client_secret.expose_secret().to_owned()))
        .set_auth_type(oauth2::AuthType::RequestBody)
        .set_auth_uri(AuthUrl::from_url(endpoints.auth_url.clone()))
        .set_token_uri(TokenUrl::from_url(endpoints.token_url.clone()))
        .set_redirect_uri(RedirectUrl::from_url(redirect_url))
}

/// A new PKCE verifier, of the 43 characters that RFC 7636 recommends.
pub fn pkce_verifier(entropy: &Entropy) -> Secret {
    URL_SAFE_NO_PAD.encode(entropy.bytes::<32>()).into()
}

impl Google {
    /// Whether this is who issues Google's answers, letter by letter as RFC 9207 wants it.
    pub fn is_issuer(&self, issuer: &str) -> bool {
        issuer == self.client.endpoints.issuer
    }

    /// The address of the consent page, for one consent: `state` comes back with the browser, `verifier` (from
    /// [`pkce_verifier`]) and `nonce` are held against the exchange. Google proposes `account`, an e-mail or a `sub`, to
    /// the person; `None`: it proposes those that it knows.
    ///
    /// # Panics
    ///
    /// If `verifier` has fewer than 43 or more than 128 characters: it is ours, never a caller's.
    pub fn authorize_url(&self, state: &str, verifier: &str, nonce: &str, account: Option<&str>) -> Url {
        let verifier = PkceCodeVerifier::new(verifier.to_owned());
        let mut request = self
            .client
            .oauth
            .authorize_url(|| CsrfToken::new(state.to_owned()))
            .add_scopes(self.client.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            // Both, at each connect: without them Google gives a refresh token only the first time.
            .add_extra_param("access_type", "offline")
            .add_extra_param("prompt", "consent")
            .add_extra_param("nonce", nonce);
        if let Some(account) = account {
            request = request.add_extra_param("login_hint", account);
        }
        let (url, _state) = request.url();
        url
    }

    /// Exchanges the code that the browser brought back. `verifier` and `nonce` are those of its consent.
    pub async fn exchange(&self, code: &str, verifier: &str, nonce: &str) -> Result<Granted, ExchangeError> {
        if code.is_empty() || code.len() > MAX_CODE_BYTES {
            return Err(ExchangeError::Rejected("invalid_grant".to_owned()));
        }
        let endpoint = TokenEndpoint::new(&self.transport, &self.client.clock);
        let response = self
            .client
            .oauth
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()))
            .request_async(&endpoint)
            .await
            .map_err(|error| match refusal(error) {
                Refusal::Grant(word) => ExchangeError::Rejected(word),
                Refusal::Client(word) => ExchangeError::Misconfigured(word),
                Refusal::Unavailable { .. } => ExchangeError::Unavailable,
            })?;
        self.grant(&response, nonce)
    }

    /// Checks what the exchange brought: account first, so that a refusal can name whose token is left over.
    fn grant(&self, response: &TokenResponse, nonce: &str) -> Result<Granted, ExchangeError> {
        let access_token = access_token(response).ok_or(ExchangeError::Unavailable)?;
        let refresh_token = refresh_token(response);
        let orphan = |google_user_id| Orphan {
            token: refresh_token.clone().unwrap_or_else(|| access_token.clone()),
            google_user_id,
        };
        let now = self.client.clock.now();
        let expected =
            Expected { issuer: &self.client.endpoints.issuer, client_id: &self.client.client_id, nonce, now };
        let account = response
            .extra_fields()
            .id_token
            .as_deref()
            .ok_or(IdTokenFault::Missing)
            .and_then(|token| id_token::read(token, &expected))
            .map_err(|fault| {
                let token = response.extra_fields().id_token.as_deref();
                let account = token.and_then(|token| id_token::named_account(token, &expected));
                ExchangeError::IdToken { fault, orphan: orphan(account) }
            })?;
        let scopes = self.granted_scopes(response);
        let missing = scopes::missing(&self.client.scopes, &scopes);
        if !missing.is_empty() {
            let orphan = orphan(Some(account.google_user_id));
            return Err(ExchangeError::MissingScope { missing, orphan });
        }
        let Some(refresh_token) = refresh_token.clone() else {
            return Err(ExchangeError::NoRefreshToken(orphan(Some(account.google_user_id))));
        };
        Ok(Granted {
            expires_at: expires_at(response, now),
            access_token,
            refresh_token,
            scopes,
            google_user_id: account.google_user_id,
            google_email: account.google_email,
        })
    }

    /// What was granted. By RFC 6749 an answer that does not say has granted what was asked.
    fn granted_scopes(&self, response: &TokenResponse) -> Vec<String> {
        match response.scopes() {
            Some(scopes) => scopes.iter().map(|scope| scope.to_string()).collect(),
            None => self.client.scopes.clone(),
        }
    }

    /// Gets a new access token.
    pub async fn refresh(&self, refresh_token: &Secret) -> Result<Refreshed, RefreshError> {
        let refreshed = self.refreshed(refresh_token).await;
        metrics::refresh(match &refreshed {
            Ok(_) => "refreshed",
            Err(RefreshError::GrantDead) => "grant_dead",
            Err(RefreshError::Misconfigured) => "misconfigured",
            Err(RefreshError::Unavailable { .. }) => "unavailable",
        });
        refreshed
    }

    async fn refreshed(&self, refresh_token: &Secret) -> Result<Refreshed, RefreshError> {
        let endpoint = TokenEndpoint::new(&self.transport, &self.client.clock);
        let token = RefreshToken::new(refresh_token.expose_secret().to_owned());
        let response =
            self.client.oauth.exchange_refresh_token(&token).request_async(&endpoint).await.map_err(|error| {
                match refusal(error) {
                    Refusal::Grant(_) => RefreshError::GrantDead,
                    Refusal::Client(_) => RefreshError::Misconfigured,
                    Refusal::Unavailable { retry_after } => RefreshError::Unavailable { retry_after },
                }
            })?;
        let access_token = access_token(&response).ok_or(RefreshError::Unavailable { retry_after: None })?;
        let expires_at = expires_at(&response, self.client.clock.now());
        Ok(Refreshed { access_token, expires_at, refresh_token: self::refresh_token(&response) })
    }

    /// Revokes a token, and with it everything that this account has granted to the project. A token that is already
    /// gone counts as revoked.
    pub async fn revoke(&self, token: &Secret) -> Result<(), RevokeError> {
        let body =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("token", token.expose_secret()).finish();
        let mut request = Request::new(Bytes::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = super::wire::uri(&self.client.endpoints.revoke_url);
        let form = HeaderValue::from_static("application/x-www-form-urlencoded");
        request.headers_mut().insert(CONTENT_TYPE, form);
        let answer = self.transport.send(request).await.map_err(|_| RevokeError::Unavailable)?;
        // What something between says, in a page, a status or JSON of its own, revokes nothing.
        let body = answer.body();
        let is_json = || serde_json::from_slice::<serde_json::Value>(body).is_ok();
        // An error in OAuth's words, or nothing at all beside the status.
        let is_refusal = || {
            let nothing = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(body);
            serde_json::from_slice::<BasicErrorResponse>(body).is_ok() || nothing.is_ok_and(|it| it.is_empty())
        };
        match answer.status() {
            status if status.is_success() && (body.is_empty() || is_json()) => Ok(()),
            StatusCode::BAD_REQUEST if body.is_empty() || is_refusal() => Ok(()),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => Err(RevokeError::Unavailable),
            status if status.is_client_error() && is_refusal() => {
                Err(RevokeError::Rejected { status: status.as_u16() })
            }
            _ => Err(RevokeError::Unavailable),
        }
    }
}

fn access_token(response: &TokenResponse) -> Option<Secret> {
    sized(response.access_token().secret(), MAX_ACCESS_TOKEN_BYTES)
}

fn refresh_token(response: &TokenResponse) -> Option<Secret> {
    response.refresh_token().and_then(|token| sized(token.secret(), MAX_REFRESH_TOKEN_BYTES))
}

/// A token of a size that Google gives and that fits into a header; anything else is none.
fn sized(token: &str, limit: usize) -> Option<Secret> {
    let fits = (1..=limit).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic());
    fits.then(|| token.into())
}

fn expires_at(response: &TokenResponse, now: Timestamp) -> Timestamp {
    let life = response
        .expires_in()
        .map_or(UNSAID_LIFE, |life| SignedDuration::try_from(life).map_or(LONGEST_LIFE, |life| life.min(LONGEST_LIFE)));
    // Past the end of time there is nothing left to expire.
    now.saturating_add(life).unwrap_or(Timestamp::MAX)
}
