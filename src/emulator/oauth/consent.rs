//! The request for a consent, as the browser brings it.
//!
//! Owns its checks, and the address that the browser goes back to. It never decides for the person. Invariant: a consent
//! that is read goes back to a registered address.

use http::StatusCode;
use url::Url;

use super::super::Shared;
use super::super::scope::is_known;
use super::super::world::Challenge;

/// A consent that a person may be asked for.
#[derive(Debug)]
pub(crate) struct Consent {
    pub(crate) redirect_uri: Url,
    pub(crate) scopes: Vec<String>,
    pub(crate) login_hint: Option<String>,
    pub(crate) redirect_uri_as_sent: String,
    state: Option<String>,
    issuer: String,
    pub(crate) nonce: Option<String>,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) offline: bool,
    pub(crate) forced: bool,
    /// Whether no page may be shown: then nobody can consent.
    pub(crate) silent: bool,
    pub(crate) incremental: bool,
}

/// Why a consent is not asked for: Google's word, and what it means.
#[derive(Debug)]
pub(crate) struct ConsentRefusal {
    pub(crate) status: StatusCode,
    pub(crate) error: &'static str,
    pub(crate) meaning: &'static str,
}

/// A refusal with an HTTP status.
pub(crate) fn refusal(status: u16, error: &'static str, meaning: &'static str) -> ConsentRefusal {
    ConsentRefusal { status: StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), error, meaning }
}

impl Consent {
    /// Reads and checks the query of the consent page.
    pub(crate) fn read(shared: &Shared, query: Option<&str>) -> Result<Self, ConsentRefusal> {
        let sent: Vec<(String, String)> =
            url::form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
        let value = |name: &str| {
            sent.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
        };
        let owned = |name: &str| value(name).map(ToOwned::to_owned);
        let client_id = value("client_id")
            .ok_or_else(|| refusal(400, "invalid_request", "Missing required parameter: client_id"))?;
        if client_id != shared.client_id {
            return Err(refusal(401, "invalid_client", "The OAuth client was not found."));
        }
        let redirect_uri_as_sent = owned("redirect_uri")
            .ok_or_else(|| refusal(400, "invalid_request", "Missing required parameter: redirect_uri"))?;
        let redirect_uri = registered(shared, &redirect_uri_as_sent).ok_or_else(|| {
            refusal(400, "redirect_uri_mismatch", "The redirect URI is not registered for this client.")
        })?;
        match value("response_type") {
            Some("code") => {}
            Some(_) => return Err(refusal(400, "unsupported_response_type", "Invalid response_type.")),
            None => return Err(refusal(400, "invalid_request", "Required parameter is missing: response_type")),
        }
        let scopes: Vec<String> = value("scope")
            .unwrap_or_default()
            .split(' ')
            .filter(|scope| !scope.is_empty())
            .map(ToOwned::to_owned)
            .collect();
        if scopes.is_empty() {
            return Err(refusal(400, "invalid_request", "Missing required parameter: scope"));
        }
        if !scopes.iter().all(|scope| is_known(scope)) {
            return Err(refusal(400, "invalid_scope", "Some requested scopes were invalid."));
        }
        let challenge = match (owned("code_challenge"), value("code_challenge_method")) {
            (None, None) => None,
            (Some(challenge), Some("S256")) if challenge.len() == 43 => Some(Challenge::S256(challenge)),
            (Some(challenge), None | Some("plain")) => Some(Challenge::Plain(challenge)),
            _ => return Err(refusal(400, "invalid_request", "Invalid code challenge.")),
        };
        let prompts: Vec<&str> =
            value("prompt").unwrap_or_default().split(' ').filter(|word| !word.is_empty()).collect();
        let silent = prompts.contains(&"none");
        if silent && prompts.len() > 1 {
            return Err(refusal(400, "invalid_request", "Invalid parameter value for prompt: none stands alone."));
        }
        Ok(Self {
            redirect_uri,
            redirect_uri_as_sent,
            scopes,
            login_hint: owned("login_hint"),
            state: owned("state"),
            issuer: shared.base_url.clone(),
            nonce: owned("nonce"),
            challenge,
            offline: value("access_type") == Some("offline"),
            forced: prompts.contains(&"consent"),
            silent,
            incremental: value("include_granted_scopes") == Some("true"),
        })
    }

    /// The address to go back to, with the state that was sent and who answers (RFC 9207).
    pub(crate) fn back(&self, outcome: &[(&str, &str)]) -> String {
        let mut address = self.redirect_uri.clone();
        {
            let mut pairs = address.query_pairs_mut();
            if let Some(state) = &self.state {
                pairs.append_pair("state", state);
            }
            pairs.append_pair("iss", &self.issuer);
            pairs.extend_pairs(outcome);
        }
        address.into()
    }
}

/// A redirect URI of the client, byte by byte: a slash or a port more is another one.
fn registered(shared: &Shared, sent: &str) -> Option<Url> {
    let is_registered = shared.lock().redirect_uris.iter().any(|uri| uri == sent);
    is_registered.then(|| Url::parse(sent).ok()).flatten()
}
