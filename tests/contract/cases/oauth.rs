//! The token and revocation endpoints, as far as no person is needed.

use serde_json::Value;

use super::super::subject::{Subject, is_signed, send};
use super::super::suite::{Case, Findings, claims};

pub(crate) fn cases() -> Vec<Case> {
    claims![
        a_refresh_brings_no_refresh_token: "guide, web server: keep the old one",
        a_dead_refresh_token_is_an_invalid_grant: "guide, web server: invalid_grant",
        a_wrong_client_is_invalid: "guide, web server: invalid_client",
        a_wrong_code_is_an_invalid_grant: "guide, web server: invalid_grant",
        an_unknown_grant_type_is_unsupported: "RFC 6749, section 5.2",
        a_client_may_authenticate_by_basic: "RFC 6749, section 2.3.1",
        revoking_nothing_is_an_invalid_token: "guide, web server: 400",
        the_keys_of_id_tokens_may_be_kept_for_a_while: "guide, OpenID Connect: cache directives of jwks_uri",
        an_id_token_is_signed_by_the_key_that_it_names: "guide, OpenID Connect: RS256, kid",
    ]
}

async fn a_refresh_brings_no_refresh_token(subject: &Subject, found: &mut Findings) {
    let refreshed = subject.refresh(&subject.refresh_token).await;
    found.equal("status", refreshed.status, 200);
    found.equal("refresh token", refreshed.body.get("refresh_token"), None);
    found.equal("type", refreshed.text("token_type"), "Bearer");
    found.equal("access token", (1..=2048).contains(&refreshed.text("access_token").len()), true);
    found.equal("life", refreshed.body["expires_in"].as_i64().is_some_and(|life| (1..=3600).contains(&life)), true);
    found.equal("scope", refreshed.text("scope").is_empty(), false);
}

async fn a_dead_refresh_token_is_an_invalid_grant(subject: &Subject, found: &mut Findings) {
    found.equal("refresh", subject.refresh("1//0nobody").await.outcome(), (400, "invalid_grant"));
}

async fn a_wrong_client_is_invalid(subject: &Subject, found: &mut Findings) {
    for (id, secret) in [(subject.client_id.as_str(), "wrong"), ("nobody.apps.googleusercontent.com", "wrong")] {
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", &subject.refresh_token),
            ("client_id", id),
            ("client_secret", secret),
        ];
        let refused = send(subject.http.post(&subject.token_url).form(&form)).await;
        found.equal(id, refused.outcome(), (401, "invalid_client"));
    }
}

async fn a_wrong_code_is_an_invalid_grant(subject: &Subject, found: &mut Findings) {
    let form = [
        ("grant_type", "authorization_code"),
        ("code", "4/0Anobody"),
        ("redirect_uri", "http://127.0.0.1:8080/api/integrations/google/callback"),
        ("client_id", &subject.client_id),
        ("client_secret", &subject.client_secret),
    ];
    let refused = send(subject.http.post(&subject.token_url).form(&form)).await;
    found.among("exchange", refused.outcome(), &[(400, "invalid_grant"), (400, "redirect_uri_mismatch")]);
}

async fn an_unknown_grant_type_is_unsupported(subject: &Subject, found: &mut Findings) {
    let form =
        [("grant_type", "wish"), ("client_id", &subject.client_id), ("client_secret", subject.client_secret.as_str())];
    let refused = send(subject.http.post(&subject.token_url).form(&form)).await;
    found.equal("exchange", refused.outcome(), (400, "unsupported_grant_type"));
}

async fn a_client_may_authenticate_by_basic(subject: &Subject, found: &mut Findings) {
    let form = [("grant_type", "refresh_token"), ("refresh_token", subject.refresh_token.as_str())];
    let request = subject.http.post(&subject.token_url).form(&form);
    let refreshed = send(request.basic_auth(&subject.client_id, Some(&subject.client_secret))).await;
    found.equal("refresh", refreshed.status, 200);
}

async fn revoking_nothing_is_an_invalid_token(subject: &Subject, found: &mut Findings) {
    let refused = send(subject.http.post(&subject.revoke_url).form(&[("token", "nobody")])).await;
    found.equal("revoke", refused.outcome(), (400, "invalid_token"));
}

async fn the_keys_of_id_tokens_may_be_kept_for_a_while(subject: &Subject, found: &mut Findings) {
    let response = subject.http.get(subject.beside("/oauth2/v3/certs")).send().await.expect("an answer comes back");
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let life = header("cache-control").split(", ").find_map(|word| word.strip_prefix("max-age=")?.parse::<u64>().ok());
    found.equal("life", life.is_some_and(|life| life > 0), true);
    found.equal("type", header("content-type").starts_with("application/json"), true);
    found.equal("status", response.status().as_u16(), 200);
    let keys: Value = response.json().await.unwrap_or_default();
    let keys = keys["keys"].as_array().cloned().unwrap_or_default();
    found.equal("keys", keys.is_empty(), false);
    for key in keys {
        for (name, word) in [("kty", "RSA"), ("alg", "RS256"), ("use", "sig"), ("e", "AQAB")] {
            found.equal(name, key[name].as_str(), Some(word));
        }
        found.equal("kid", key["kid"].as_str().is_some_and(|kid| !kid.is_empty()), true);
        let modulus = data_encoding::BASE64URL_NOPAD.decode(key["n"].as_str().unwrap_or_default().as_bytes());
        found.equal("modulus", modulus.is_ok_and(|modulus| modulus.len() == 256), true);
    }
}

/// A token without the scope `openid`, such as Google's playground gives for the Calendar API alone, brings no id token.
async fn an_id_token_is_signed_by_the_key_that_it_names(subject: &Subject, found: &mut Findings) {
    let refreshed = subject.refresh(&subject.refresh_token).await;
    if refreshed.text("scope").split(' ').any(|scope| scope == "openid") {
        let keys = send(subject.http.get(subject.beside("/oauth2/v3/certs"))).await;
        found.equal("signed", is_signed(refreshed.text("id_token"), &keys.body), true);
    }
}
