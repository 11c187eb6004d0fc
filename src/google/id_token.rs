//! Who gave the consent.
//!
//! Owns the reading and checking of Google's id token. Never verifies the signature: the token comes straight from the
//! token endpoint over TLS, which OpenID Connect (Core, 3.1.3.7, point 6) accepts in its place. A token from anywhere
//! else must not be read here.
//!
//! Invariant: an account is named to a consent only if issuer, audience, expiry and nonce are all as they should be.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::errors::IdTokenFault;
use crate::model::GoogleUserId;

/// How far Google's clock and ours may lie apart.
const LEEWAY: SignedDuration = SignedDuration::from_mins(5);

/// What an id token must say.
pub(super) struct Expected<'a> {
    pub(super) issuer: &'a str,
    pub(super) client_id: &'a str,
    pub(super) nonce: &'a str,
    pub(super) now: Timestamp,
}

/// The account that an id token names.
#[derive(PartialEq, Eq)]
pub(super) struct Account {
    pub(super) google_user_id: GoogleUserId,
    pub(super) google_email: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: Audience,
    exp: i64,
    nonce: Option<String>,
    sub: Option<String>,
    email: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Reads an id token that came straight from the token endpoint.
pub(super) fn read(token: &str, expected: &Expected<'_>) -> Result<Account, IdTokenFault> {
    let claims = claims(token).ok_or(IdTokenFault::Malformed)?;
    // Google has issued both forms.
    if bare(&claims.iss) != bare(expected.issuer) {
        return Err(IdTokenFault::Issuer);
    }
    let for_us = match &claims.aud {
        Audience::One(audience) => audience == expected.client_id,
        Audience::Several(audiences) => matches!(audiences.as_slice(), [audience] if audience == expected.client_id),
    };
    if !for_us {
        return Err(IdTokenFault::Audience);
    }
    let expires_at = Timestamp::from_second(claims.exp).map_err(|_| IdTokenFault::Malformed)?;
    if expected.now.duration_since(expires_at) >= LEEWAY {
        return Err(IdTokenFault::Expired);
    }
    let nonce = claims.nonce.unwrap_or_default();
    if !bool::from(nonce.as_bytes().ct_eq(expected.nonce.as_bytes())) {
        return Err(IdTokenFault::Nonce);
    }
    match (claims.sub, claims.email) {
        (Some(sub), Some(email)) if !sub.is_empty() && !email.is_empty() => {
            Ok(Account { google_user_id: GoogleUserId::new(sub), google_email: email })
        }
        _ => Err(IdTokenFault::NoAccount),
    }
}

/// The account that a refused id token names: enough to see who else uses it, never to trust it.
pub(super) fn named_account(token: &str, expected: &Expected<'_>) -> Option<GoogleUserId> {
    let claims = claims(token).filter(|claims| bare(&claims.iss) == bare(expected.issuer))?;
    claims.sub.filter(|sub| !sub.is_empty()).map(GoogleUserId::new)
}

fn claims(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return None;
    };
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()
}

fn bare(issuer: &str) -> &str {
    issuer.strip_prefix("https://").unwrap_or(issuer)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: i64 = 1_793_354_400;

    fn good() -> Value {
        json!({
            "iss": "https://accounts.google.com", "aud": "client", "exp": NOW + 3600, "nonce": "n-1",
            "sub": "1234", "email": "cabinet@example.fr", "hd": "example.fr"
        })
    }

    fn with(change: Value) -> Value {
        let mut claims = good();
        for (name, value) in change.as_object().expect("an object") {
            claims[name] = value.clone();
        }
        claims
    }

    fn read_claims(claims: &Value) -> Result<(String, String), IdTokenFault> {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let token = format!("{}.{}.c2ln", part(&json!({"alg": "RS256"})), part(claims));
        read_text(&token)
    }

    fn read_text(token: &str) -> Result<(String, String), IdTokenFault> {
        let now = Timestamp::from_second(NOW).expect("an instant");
        let expected = Expected { issuer: "https://accounts.google.com", client_id: "client", nonce: "n-1", now };
        read(token, &expected).map(|account| (account.google_user_id.to_string(), account.google_email))
    }

    #[test]
    fn a_good_token_names_the_account() {
        let account = Ok(("1234".to_owned(), "cabinet@example.fr".to_owned()));
        for claims in [
            good(),
            with(json!({"iss": "accounts.google.com"})),
            with(json!({"aud": ["client"]})),
            with(json!({"exp": NOW - 299})),
        ] {
            assert_eq!(read_claims(&claims), account, "{claims}");
        }
    }

    #[test]
    fn each_wrong_claim_is_refused_by_name() {
        let cases = [
            (json!({"iss": "https://accounts.google.com.evil.example"}), IdTokenFault::Issuer),
            (json!({"iss": "http://accounts.google.com"}), IdTokenFault::Issuer),
            (json!({"aud": "other"}), IdTokenFault::Audience),
            (json!({"aud": ["client", "other"]}), IdTokenFault::Audience),
            (json!({"aud": []}), IdTokenFault::Audience),
            (json!({"exp": NOW - 300}), IdTokenFault::Expired),
            (json!({"exp": i64::MAX}), IdTokenFault::Malformed),
            (json!({"exp": "soon"}), IdTokenFault::Malformed),
            (json!({"nonce": "n-2"}), IdTokenFault::Nonce),
            (json!({"nonce": null}), IdTokenFault::Nonce),
            (json!({"sub": ""}), IdTokenFault::NoAccount),
            (json!({"email": null}), IdTokenFault::NoAccount),
        ];
        for (change, fault) in cases {
            assert_eq!(read_claims(&with(change.clone())), Err(fault), "{change}");
        }
    }

    #[test]
    fn what_is_no_token_is_refused_calmly() {
        for token in ["", ".", "..", "a.b.c", "a.e30.c", "a.e30", "a.bnVsbA.c.d", "é.é.é"] {
            assert_eq!(read_text(token), Err(IdTokenFault::Malformed), "{token:?}");
        }
    }
}
