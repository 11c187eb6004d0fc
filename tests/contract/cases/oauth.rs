//! The token and revocation endpoints, as far as no person is needed.

use super::super::subject::{Subject, send};
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
