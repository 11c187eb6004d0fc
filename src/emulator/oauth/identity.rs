//! The `id_token`: who consented.
//!
//! Owns its claims. It never signs them (`signature` does). Invariant: `iss` is the emulator's own base URL.

use data_encoding::BASE64URL_NOPAD;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::Shared;
use super::super::world::Account;
use super::signature::{ALGORITHM, KEY_ID, sign};

/// A token for `account`, if `scopes` include the sign-in.
pub(crate) fn id_token(
    shared: &Shared,
    account: &Account,
    scopes: &[String],
    nonce: Option<&str>,
    now: Timestamp,
) -> Option<String> {
    let has = |scope: &str| scopes.iter().any(|one| one == scope);
    if !has("openid") {
        return None;
    }
    let mut claims = json!({
        "iss": shared.base_url,
        "azp": shared.client_id,
        "aud": shared.client_id,
        "sub": account.sub,
        "iat": now.as_second(),
        "exp": now.as_second() + 3600,
    });
    if let Some(domain) = &account.hosted_domain {
        claims["hd"] = json!(domain);
    }
    if has("https://www.googleapis.com/auth/userinfo.email") {
        claims["email"] = json!(account.email);
        claims["email_verified"] = json!(true);
    }
    if has("https://www.googleapis.com/auth/userinfo.profile") {
        claims["name"] = json!(account.name);
    }
    if let Some(nonce) = nonce {
        claims["nonce"] = json!(nonce);
    }
    let header = json!({"alg": ALGORITHM, "kid": *KEY_ID, "typ": "JWT"});
    let part = |value: &Value| BASE64URL_NOPAD.encode(value.to_string().as_bytes());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let signature = BASE64URL_NOPAD.encode(&sign(&signed));
    Some(format!("{signed}.{signature}"))
}
